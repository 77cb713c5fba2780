"""Without signal: the key to what a phone keeps, and which pages it keeps.

What a phone keeps of people is sealed. The key is its person's own and comes from here, to whoever
is logged in as them; a phone forgets it, and the pages, when they log out or the log-in ends.
"""

import base64
import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

from pthv import clock
from pthv.access import Can
from pthv.models import User
from visits.models import Visit, VisitParticipant

SALT = "visits.offline"
NEXT = 2  # visits whose pages a phone keeps
LOOKED_AT = 10
SOONEST = datetime.timedelta(days=2)  # a visit that starts later is not near


def key_of(user: User, secret: str | bytes | None = None) -> str:
    """256 bits that nobody has without being logged in: nothing of them is stored.

    It outlives a changed password, or what waits on a phone could never be sent.
    """
    drawn = salted_hmac(SALT, str(user.pk), secret, algorithm="sha256").digest()
    return base64.b64encode(drawn).decode()


def older_keys_of(user: User) -> list[str]:
    """Those of secrets that were replaced, to open what was sealed before."""
    return [key_of(user, secret) for secret in settings.SECRET_KEY_FALLBACKS]


def pages(user: User) -> list[str]:
    """What a phone keeps: Today, what to do about a worry, and two visits: the one under way, else
    those closest to now that are near or wait to be written up."""
    kept = [reverse("today")]
    # Where one goes when something is wrong; drawn with one's own name, and sealed like the rest.
    kept.append(reverse("safety_hotline"))
    mine = VisitParticipant.objects.unfinished(user.reach(Can.LOG).educators)
    # Old visits never written up must not push out today's.
    soon = mine.filter(occupies=True, during__startswith__lt=clock.now() + SOONEST).nearest()
    near = [one.visit for one in soon.select_related("visit__program")[:LOOKED_AT] if _near(one)]
    near.sort(key=lambda visit: not visit.is_under_way)
    for visit in near[:NEXT]:
        names = ("visit_detail", "visit_log", "visit_reflect")
        kept += [reverse(name, args=[visit.pk]) for name in names]
    return kept


def _near(mine: VisitParticipant) -> bool:
    """Whether its forms open: a log-in ends before those of later days are needed."""
    visit = mine.visit
    return visit.is_near or visit.state == Visit.State.HELD or visit.during.lower <= clock.now()
