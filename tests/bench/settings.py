"""The project's settings with the floor's pages added: what Django itself costs here."""

from pthv.settings import *  # noqa: F403
from pthv.settings import ACCOUNT_RATE_LIMITS, BASE_DIR, MIDDLEWARE, TEMPLATES

ROOT_URLCONF = "tests.bench.urls"
TEMPLATES[0]["DIRS"].append(BASE_DIR / "tests" / "bench" / "templates")
MIDDLEWARE.insert(0, "tests.bench.counting.CountQueries")
del ACCOUNT_RATE_LIMITS["family_answer"]  # one link answers all the time
