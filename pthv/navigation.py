"""The places a person can go, by what they may do. No queries: every page pays for this."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pthv.access import Can

PHONE_TABS = 3  # and More


@dataclass(frozen=True, slots=True)
class Place:
    """A section of the app: who sees it, and which pages belong to it."""

    can: Can | None
    label: Promise
    url_name: str
    icon: str
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A place, ready for a template."""

    label: Promise
    url_name: str
    url: str
    icon: str
    active: bool
    here: bool
    extra: bool  # hidden among a phone's tabs, listed under More


PLACES = (
    Place(Can.SEE_TODAY, _("Today"), "today", "sun", ("today",)),
    Place(Can.SEE_DESK, _("Desk"), "desk", "columns-gap", ("desk",)),
    Place(
        Can.SEE_FAMILIES,
        _("Families"),
        "invitation_list",
        "people",
        ("invitation", "family", "search", "caregiver", "student", "amendment"),
    ),
    Place(
        Can.SEE_VISITS,
        _("Visits"),
        "visit_list",
        "house-heart",
        ("visit", "reflection", "safety", "week", "day"),
    ),
    Place(Can.SCHEDULE, _("Pairs"), "pair_list", "people", ("pair",)),
    Place(Can.SET_AVAILABILITY, _("Hours"), "availability", "clock", ("availability", "holiday")),
    Place(
        Can.SEE_INTERPRETERS,
        _("Interpreters"),
        "interpreter_request_list",
        "translate",
        ("interpreter", "interpreting"),
    ),
    Place(
        Can.SEE_DEBRIEFS,
        _("Debriefs"),
        "debrief_list",
        "lightbulb",
        ("debrief", "resource", "theme"),
    ),
    Place(Can.SEE_DESK, _("Messages"), "message_list", "chat-dots", ("message", "wording")),
    Place(
        Can.SEE_TRAINING,
        _("Training"),
        "cohort_list",
        "mortarboard",
        ("cohort", "session", "attendance", "certification", "certificate", "course", "training"),
    ),
    Place(Can.SEE_OWN_TRAINING, _("My training"), "own_training", "mortarboard", ("own",)),
    Place(Can.SEE_PAY, _("Pay"), "pay_list", "cash-coin", ("pay", "batch")),
    Place(Can.SEE_OWN_PAY, _("My pay"), "my_pay", "cash-coin", ("my",)),
    Place(Can.IMPORT_ROSTER, _("Rosters"), "roster_list", "file-earmark-arrow-up", ("roster",)),
    Place(Can.SEE_COVERAGE, _("Coverage"), "coverage", "bar-chart", ("coverage", "hopes")),
    Place(Can.SEE_PLANS, _("Plans"), "plan_list", "shuffle", ("plan", "asking")),
)
MORE = Place(None, _("More"), "more", "three-dots", ("more", "account", "mfa"))
LINKS = {
    "home": "home",
    "switch": "program_switch",
    "password": "account_change_password",
    "second_step": "mfa_index",
    "logout": "account_logout",
}


def navigation(request: HttpRequest) -> dict[str, object]:
    """Context for base.html: `nav`, `nav_more` (entries), `links` ("" where there is no page)."""
    user = getattr(request, "user", None)  # an early refusal comes before the middleware
    if user is None or not user.is_authenticated:
        return {"nav": [], "nav_more": [], "links": {}}
    powers: frozenset[Can] = getattr(request, "powers", frozenset())
    here = request.resolver_match.url_name if request.resolver_match else ""
    found = [
        (place, url) for place in PLACES if place.can in powers and (url := _url(place.url_name))
    ]
    nav = [_entry(place, url, here, n >= PHONE_TABS) for n, (place, url) in enumerate(found)]
    if url := _url(MORE.url_name):
        nav.append(_entry(MORE, url, here, extra=False))
    links = {key: _url(name) for key, name in LINKS.items()}
    links["search"] = _url("search") if Can.SEE_FAMILIES in powers else ""
    links["interpreting"] = _url("interpreting_mine") if Can.SEE_TODAY in powers else ""
    links["hotline"] = _url("safety_hotline") if Can.SEE_VISITS in powers else ""
    links["offline"] = _url("offline_page") if Can.LOG in powers else ""
    links["worker"] = _url("service_worker")
    if user.is_staff:
        links["admin"] = _url("admin:index")
    return {"nav": nav, "nav_more": [entry for entry in nav if entry.extra], "links": links}


def _entry(place: Place, url: str, here: str | None, extra: bool) -> Entry:
    stem = (here or "").split("_", 1)[0]
    return Entry(
        label=place.label,
        url_name=place.url_name,
        url=url,
        icon=place.icon,
        active=stem in place.stems,
        here=here == place.url_name,
        extra=extra,
    )


def _url(name: str) -> str:
    """Where a page lives, or "" in an installation that leaves it out."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
