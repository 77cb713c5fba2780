"""Settings of the whole site. The environment is read here and nowhere else.

Safe for production by default: only PTHV_DEV=1 (which `make run` and the tests set)
relaxes anything. docs/deploy.md lists the variables.
"""

from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DEV = env.bool("PTHV_DEV", default=False)
DEBUG = DEV and env.bool("PTHV_DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="development-only-" + "k" * 50 if DEV else "")
if not SECRET_KEY:
    raise ImproperlyConfigured("Set SECRET_KEY to 50 random characters or more.")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEV else []
)
# Where people reach the site: what the links in e-mails begin with.
SITE_URL = env.str(
    "SITE_URL",
    default=f"http://127.0.0.1:{env.int('PORT', default=8000)}"
    if DEV
    else f"https://{ALLOWED_HOSTS[0].lstrip('*.')}"
    if ALLOWED_HOSTS
    else "",
).rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The demo's invented people log in only where this is on. Outside development they still can't
# once there is a program that is not the demo, and its administrator never can (pthv/accounts.py).
DEMO_LOGINS = env.bool("PTHV_DEMO_LOGINS", default=DEV)

INSTALLED_APPS = [
    "pthv",
    "families",
    "training",
    "visits",
    "pthv.apps.PthvAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_htmx",
    "template_partials",
    "phonenumber_field",
    "procrastinate.contrib.django",
    "pgtrigger",
    "pghistory",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pghistory.middleware.HistoryMiddleware",
    "pthv.middleware.ProgramMiddleware",
]

ROOT_URLCONF = "pthv.urls"
WSGI_APPLICATION = "pthv.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pthv.navigation.navigation",
            ],
            "builtins": ["pthv.templatetags.components"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = DEBUG

DATABASES = {"default": env.db("DATABASE_URL", default="postgresql:///pthv")}
DATABASES["default"] |= {
    "CONN_MAX_AGE": 0,  # the pool keeps connections
    "CONN_HEALTH_CHECKS": True,  # a restarted database costs nobody a request
    "DISABLE_SERVER_SIDE_CURSORS": env.bool("DATABASE_BEHIND_PGBOUNCER", default=False),
}
DATABASES["default"].setdefault("OPTIONS", {})
if env.bool("DATABASE_POOL", default=True):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=8),
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# One cache for every worker, so that a rate limit counts once.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "pthv_cache",
        # Beyond Django's 300, a guesser with many addresses would push the counts out of it.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "pthv.User"
AUTHENTICATION_BACKENDS = ["pthv.accounts.Backend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "pthv.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up here: programs add their people
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
# Behind a proxy everybody would share its address, and one person's wrong passwords shut out all.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
# By address first: nobody can use up another person's tries (see AccountAdapter).
# A whole cohort signs in at the door from a school's one address; who is logged in is counted
# by account.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "5/m/ip,10/m/key",
    "door_sign_in": "60/m/ip",
    "door_sign_in_account": "10/m/user",
    "family_link": "20/m/ip",  # those that open nothing
    "family_answer": "20/h/key",  # by one link
    "interpreter_link": "20/m/ip",
    "interpreter_answer": "20/h/key",
}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# A time of day as a default is meant: the check takes it for "now" whenever it runs at that time.
SILENCED_SYSTEM_CHECKS = ["fields.W161"]

SESSION_COOKIE_AGE = 60 * 60 * 12
# Messages name people: they wait on the server, not in a cookie on a shared phone.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "pthv.views.csrf_failed"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
FAMILY_COOKIE_NAME = "family"  # which link a family opened in the last hour
if not DEV:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    FAMILY_COOKIE_NAME = "__Host-family"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
    # Other names under ours, and the whole domain, are the district's to promise for a year.
    SILENCED_SYSTEM_CHECKS += ["security.W005", "security.W021"]
    if env.bool("BEHIND_TLS_PROXY", default=False):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # each program has its own zone; the middleware activates it
# What families are written to in; who works here reads English.
LANGUAGES = [
    ("en", "English"),
    ("es", "Spanish"),
    ("pt", "Portuguese"),
    ("vi", "Vietnamese"),
    ("zh-hans", "Chinese (simplified)"),
    ("ar", "Arabic"),
]
LOCALE_PATHS = [BASE_DIR / "pthv" / "locale"]
PHONENUMBER_DEFAULT_REGION = "US"

STATIC_URL = "static/"
STATIC_ROOT = None if DEV else BASE_DIR / "staticfiles"  # DEV serves the sources
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.InMemoryStorage"
    },  # no page keeps a file; rosters that wait have a folder of their own, below
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEV
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEV

# Rosters wait here, readable by the server alone, until the worker has read them.
UPLOADS_FOLDER = env.path("UPLOADS_FOLDER", default=BASE_DIR / ".pthv" / "uploads")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

EMAIL_TIMEOUT = 20  # seconds: a mail server that hangs keeps no worker
EMAIL_CONFIG = env.email_url(
    "EMAIL_URL", default=f"filemail:///{BASE_DIR}/.pthv/mail" if DEV else "smtp://localhost:25"
)
vars().update(EMAIL_CONFIG)
# Texts to families: a folder, or a provider (pthv/texts.py); without one none are offered.
TEXT_URL = env.str("TEXT_URL", default=f"file://{BASE_DIR}/.pthv/texts" if DEV else "")
if TEXT_URL and not TEXT_URL.startswith(("file:///", "twilio://")):
    raise ImproperlyConfigured("TEXT_URL is file:///folder or twilio://SID:TOKEN@HOST/?from=+1…")
# Without the token anybody could sign what the provider says.
if TEXT_URL.startswith("twilio:") and not urlsplit(TEXT_URL).password:
    raise ImproperlyConfigured("TEXT_URL lacks the TOKEN: twilio://SID:TOKEN@HOST/?from=+1…")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Home visits <home-visits@localhost>")

# What changed, kept by triggers; what it meant is in AuditEntry.
PGHISTORY_APPEND_ONLY = True
PGHISTORY_MIDDLEWARE_METHODS = ("POST", "PUT", "PATCH", "DELETE")
PROCRASTINATE_IMPORT_PATHS = ["pthv.tasks"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{levelname} {name} {message}", "style": "{"},
        "server": {"()": "django.utils.log.ServerFormatter", "format": "{message}", "style": "{"},
    },
    "filters": {"without_tokens": {"()": "pthv.redaction.WithoutTokens"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["without_tokens"],
        },
        "server": {
            "class": "logging.StreamHandler",
            "formatter": "server",
            "filters": ["without_tokens"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    # What `manage.py runserver` says of each request.
    "loggers": {"django.server": {"handlers": ["server"], "level": "INFO", "propagate": False}},
}
