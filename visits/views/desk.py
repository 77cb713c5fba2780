"""The coordinator's desk: what needs a person, how far each school is, what is left to spend."""

import datetime
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
from pthv.models import Program, School
from pthv.requests import Request
from visits import families, family_messages
from visits.models import FundingSource, InterpreterRequest, Invitation, PayLine, Visit
from visits.models.visit import VisitQuerySet
from visits.reports import coverage

SHOWN = 5
FUND = ("name", "budget", "used", "ends_on")
COUNTED = 50  # more are "50+"
EARLIER = datetime.timedelta(hours=6)  # what began this afternoon still counts


@requires(Can.SEE_DESK)
def desk(request: Request) -> HttpResponse:
    user, now = request.user, clock.now()
    visits = Visit.objects.open_to(user, Can.SEE_DESK).select_related("family", "school")
    visits = visits.with_names()
    invitations = Invitation.objects.open_to(user, Can.SEE_DESK)
    lines = PayLine.objects.open_to(user, Can.SEE_PAY).earned()
    unconfirmed, unwritten = _unconfirmed_and_unwritten(visits.by_start(), now)
    schools = coverage.by_school(
        School.objects.open_to(user, Can.SEE_DESK), on=request.program.today
    )
    total = coverage.total(schools)
    return render(
        request,
        "visits/desk.html",
        {
            "unconfirmed": unconfirmed,
            "unwritten": unwritten,
            "untimed": _first(
                invitations.of_year(request.program.today)
                .without_a_time()
                .select_related("family", "school", "educator__user")
            ),
            "flagged": _first(
                lines.exclude(flag="").select_related("payee", "visit__family").order_by("pk")
            ),
            "this_week": visits.by_start()
            .filter(
                occupies=True,
                starts_at__range=(now - EARLIER, now + datetime.timedelta(days=7)),
            )
            .order_by("starts_at", "pk")[:SHOWN],
            "proposals": _proposals(request),
            **_at_a_glance(request),
            "schools": schools,
            "empty": not any(school.enrolled for school in schools),
            "may_import": Can.IMPORT_ROSTER in request.powers,
            "steps": _funnel(total),
            "funnel": total,
        },
    )


def _first(rows: QuerySet) -> list[Any]:
    return list(_few(rows))


def _few(rows: QuerySet) -> QuerySet:
    """The first few, each with the ids of all that are `alike`, as far as they are counted."""
    alike = rows.order_by().values("pk")[: COUNTED + 1]
    return rows.annotate(alike=ArraySubquery(alike))[:SHOWN]


def _unconfirmed_and_unwritten(
    visits: VisitQuerySet, now: datetime.datetime
) -> tuple[list[Visit], list[Visit]]:
    """Soon and not confirmed, the next first; held and not written up, the oldest first."""
    soon = _few(visits.unconfirmed_before(now + datetime.timedelta(days=3)))
    held = _few(visits.held_before(now - datetime.timedelta(days=2)))
    found = list(soon.union(held, all=True))  # one question to the database
    unconfirmed = [visit for visit in found if visit.held_at is None]
    unwritten = [visit for visit in found if visit.held_at is not None]
    unconfirmed.sort(key=lambda visit: (visit.during.lower, visit.pk))
    unwritten.sort(key=lambda visit: (visit.held_at, visit.pk))
    return unconfirmed, unwritten


def _proposals(request: Request) -> list[dict[str, Any]]:
    """What families say is wrong, old and new, for whoever decides; a look at each."""
    theirs = families.open_to(request.user, Can.EDIT_FAMILIES).values("pk")
    waiting = amendments.waiting_of(AmendmentRequest.objects.filter(family__in=theirs))
    rows = _first(families.proposals_open_to(request.user, Can.EDIT_FAMILIES, waiting))
    audit.listed([row.family for row in rows], by=request.user, reason=Can.EDIT_FAMILIES)
    return [
        {"row": row, "alike": row.alike, "corrections": amendments.corrections(row)} for row in rows
    ]


def _at_a_glance(request: Request) -> dict[str, Any]:
    """How many families wait for a person, how many messages to families did not arrive, and at
    how many visits nobody interprets, as far as they are counted; and what is left to spend."""
    counted = {
        "waiting": Invitation.objects.open_to(request.user, Can.SEE_DESK).waiting_for_us(),
        "undelivered": family_messages.troubled(request.user, Can.SEE_DESK),
        "uninterpreted": InterpreterRequest.objects.open_to(request.user, Can.SEE_DESK)
        .unmet()
        .filter(during__startswith__gt=clock.now()),
    }
    funds = FundingSource.objects.paying_on(request.program.today)
    # One question to the database.
    rows = Program.objects.values(
        funds=ArraySubquery(funds.values(told=JSONObject(**{name: name for name in FUND}))),
        **{
            name: ArraySubquery(which.order_by().values("pk")[: COUNTED + 1])
            for name, which in counted.items()
        },
    )
    found = cast(dict[str, Any], rows.get(pk=request.program.pk))
    return {
        "funds": [_fund(**told) for told in found["funds"]],
        **{name: len(found[name]) for name in counted},
    }


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
