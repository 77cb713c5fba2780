"""The coordinator's desk: what needs a person, how far each school is, what is left to spend."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet
from django.db.models.functions import JSONObject
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from families import amendments
from families.models import AmendmentRequest
from pthv import audit, clock
from pthv.access import Can, requires
from pthv.models import Program, School, User
from pthv.requests import Request
from visits import families, family_messages, safety, safety_messages
from visits.models import (
    FundingSource,
    InterpreterRequest,
    Invitation,
    PayLine,
    SafetyCheck,
    Visit,
)
from visits.models.visit import VisitQuerySet
from visits.reports import coverage

SHOWN = 5
OF_VISITS = ("one_short", "unconfirmed", "unwritten", "this_week")
COUNTS = ("waiting", "undelivered", "uninterpreted", "without_contact")
FUND = ("name", "budget", "used", "ends_on")
COUNTED = 50  # more are "50+"
EARLIER = datetime.timedelta(hours=6)  # what began this afternoon still counts


@dataclass(frozen=True)
class Shown:
    """The first rows of a kind, and of how many, as far as they are counted."""

    rows: list[Any]
    of: int

    def __bool__(self) -> bool:
        return bool(self.of)


@requires(Can.SEE_DESK)
def desk(request: Request) -> HttpResponse:
    ids, funds = _at_a_glance(request)
    of_visits = [ids[name][:SHOWN] for name in OF_VISITS]
    visits = _visits([pk for some in of_visits for pk in some])
    schools = coverage.by_school(
        School.objects.open_to(request.user, Can.SEE_DESK), on=request.program.today
    )
    total = coverage.total(schools)
    return render(
        request,
        "visits/desk.html",
        {
            "calling": _calling(ids["calling"]),
            **{name: _shown(ids[name], visits) for name in OF_VISITS},
            "untimed": _shown(ids["untimed"], _invitations(ids["untimed"][:SHOWN])),
            "flagged": _shown(ids["flagged"], _lines(ids["flagged"][:SHOWN])),
            "proposals": _shown(ids["proposals"], _proposals(request, ids["proposals"][:SHOWN])),
            **{name: len(ids[name]) for name in COUNTS},
            "funds": funds,
            "schools": schools,
            "empty": not any(school.enrolled for school in schools),
            "may_import": Can.IMPORT_ROSTER in request.powers,
            "steps": _funnel(total),
            "funnel": total,
        },
    )


def _at_a_glance(request: Request) -> tuple[dict[str, list[int]], list[FundingSource]]:
    """The ids of all that needs a person and of this week's visits, in their order and as far as
    they are counted, and what is left to spend: one question to the database."""
    user, program = request.user, request.program
    today = program.today
    asked = {
        **_pairs_that_need(user, program),
        **_visits_that_need(user),
        **_more_that_needs(user, today),
    }
    counted = {
        name: ArraySubquery(rows.values("pk")[: COUNTED + 1]) for name, rows in asked.items()
    }
    funds = FundingSource.objects.paying_on(today)
    told = ArraySubquery(funds.values(told=JSONObject(**{name: name for name in FUND})))
    found = cast(dict[str, Any], Program.objects.values(funds=told, **counted).get(pk=program.pk))
    found["unconfirmed"] = [pk for pk in found["unconfirmed"] if pk not in found["one_short"]]
    return found, [_fund(**fund) for fund in found.pop("funds")]


def _pairs_that_need(user: User, program: Program) -> dict[str, QuerySet]:
    """Pairs that asked for help or aren't back, straight from the rows, whatever became of the
    messages; and schools that name nobody to be told of it."""
    checks = SafetyCheck.objects.open_to(user, Can.SEE_DESK)
    schools = School.objects.open_to(user, Can.SEE_DESK)
    return {
        "calling": checks.calling(safety.overdue_since(program)),
        "without_contact": schools.filter(safety_name="").order_by(),
    }


def _visits_that_need(user: User) -> dict[str, VisitQuerySet]:
    """Those that somebody can't go on, soon and not confirmed, held and not written up, and those
    of the next seven days."""
    now = clock.now()
    visits = Visit.objects.open_to(user, Can.SEE_DESK)
    week = now - EARLIER, now + datetime.timedelta(days=7)
    return {
        "one_short": visits.one_short(),
        "unconfirmed": visits.unconfirmed_before(now + datetime.timedelta(days=3)),
        "unwritten": visits.held_before(now - datetime.timedelta(days=2)),
        "this_week": visits.by_start()
        .filter(occupies=True, starts_at__range=week)
        .order_by("starts_at", "pk"),
    }


def _more_that_needs(user: User, today: datetime.date) -> dict[str, QuerySet]:
    """Families that wait for a time or for a person, unusual pay, what families say is wrong,
    messages to them that did not arrive, and visits at which nobody interprets."""
    invitations = Invitation.objects.open_to(user, Can.SEE_DESK)
    theirs = families.open_to(user, Can.EDIT_FAMILIES).values("pk")
    proposals = amendments.waiting_of(AmendmentRequest.objects.filter(family__in=theirs))
    lines = PayLine.objects.open_to(user, Can.SEE_PAY).earned()
    unmet = InterpreterRequest.objects.open_to(user, Can.SEE_DESK).unmet()
    return {
        "untimed": invitations.of_year(today).without_a_time(),
        "waiting": invitations.waiting_for_us().order_by(),
        "flagged": lines.exclude(flag="").order_by("pk"),
        "proposals": families.proposals_open_to(user, Can.EDIT_FAMILIES, proposals),
        "undelivered": family_messages.troubled(user, Can.SEE_DESK).order_by(),
        "uninterpreted": unmet.filter(during__startswith__gt=clock.now()).order_by(),
    }


def _calling(ids: list[int]) -> list[SafetyCheck]:
    """All of them, those who asked for help first."""
    if not ids:
        return []
    found = SafetyCheck.objects.filter(pk__in=ids).with_names()
    shown = list(found.select_related("visit__school", "help_by").order_by("expected_end", "pk"))
    reached = safety_messages.reached(check.visit.school for check in shown)
    for check in shown:
        check.contact_hears = check.visit.school_id in reached
    return sorted(shown, key=lambda check: not check.wants_help)


def _shown(ids: list[int], found: dict[int, Any]) -> Shown:
    """The first few of these, of those found."""
    return Shown([found[pk] for pk in ids[:SHOWN] if pk in found], len(ids))


def _visits(ids: list[int]) -> dict[int, Visit]:
    if not ids:
        return {}
    found = Visit.objects.filter(pk__in=ids).order_by().with_names().with_away()
    words = ("family__surnames", "school__name")
    shown = found.select_related("family", "school").only("during", "state", *words)
    return {visit.pk: visit for visit in shown}


def _invitations(ids: list[int]) -> dict[int, Invitation]:
    if not ids:
        return {}
    found = Invitation.objects.filter(pk__in=ids).order_by()
    names = ("educator__user__given_name", "educator__user__family_name", "educator__user__email")
    shown = found.select_related("family", "school", "educator__user").only(
        "answered_at", "team", "family__surnames", "school__name", *names
    )
    return {invitation.pk: invitation for invitation in shown}


def _lines(ids: list[int]) -> dict[int, PayLine]:
    if not ids:
        return {}
    found = PayLine.objects.filter(pk__in=ids).order_by()
    return {line.pk: line for line in found.select_related("payee")}


def _proposals(request: Request, ids: list[int]) -> dict[int, dict[str, Any]]:
    """What families say is wrong, old and new, for whoever decides; a look at each."""
    if not ids:
        return {}
    rows = list(amendments.waiting_of(AmendmentRequest.objects.filter(pk__in=ids)))
    audit.listed([row.family for row in rows], by=request.user, reason=Can.EDIT_FAMILIES)
    return {row.pk: {"row": row, "corrections": amendments.corrections(row)} for row in rows}


def _fund(name: str, budget: float, used: float, ends_on: str) -> FundingSource:
    return FundingSource(
        name=name,
        budget=Decimal(str(budget)),
        used=Decimal(str(used)),
        ends_on=datetime.date.fromisoformat(ends_on),
    )


def _funnel(total: coverage.SchoolCoverage) -> list[dict[str, object]]:
    """Asked, said yes, visited, second visit: of the families planned."""
    families = reverse("invitation_list")
    first, second = f"{families}?kind=first", f"{families}?kind=second&state=visited"
    return [
        {"label": _("Planned"), "value": total.planned, "url": first},
        {"label": _("Asked"), "value": total.asked, "url": f"{first}&asked=1"},
        {"label": _("Said yes"), "value": total.accepted, "url": f"{first}&state=accepted"},
        {"label": _("Visited"), "value": total.visited, "url": f"{first}&state=visited"},
        {"label": _("Second visit"), "value": total.second, "url": second},
    ]
