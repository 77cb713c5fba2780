"""The coordinator's desk: what needs a person, how far each school is, what is left to spend."""

import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from families import amendments
from families.models import AmendmentRequest
from pthv import audit, clock
from pthv.access import Can, requires
from pthv.models import School
from pthv.requests import Request
from visits import families, family_messages
from visits.models import FundingSource, Invitation, PayLine, Visit
from visits.reports import coverage

SHOWN = 5
COUNTED = 50  # more are "50+"
EARLIER = datetime.timedelta(hours=6)  # what began this afternoon still counts


@requires(Can.SEE_DESK)
def desk(request: Request) -> HttpResponse:
    user = request.user
    lines = PayLine.objects.open_to(user, Can.SEE_PAY).earned()
    waiting, untimed = _waiting_and_untimed(request)
    schools = coverage.by_school(
        School.objects.open_to(user, Can.SEE_DESK), on=request.program.today
    )
    total = coverage.total(schools)
    return render(
        request,
        "visits/desk.html",
        {
            **_visits(request),
            "waiting": waiting,
            "untimed": untimed,
            "flagged": _first(
                lines.exclude(flag="").select_related("payee", "visit__family").order_by("pk")
            ),
            "proposals": _proposals(request),
            "undelivered": _undelivered(request),
            "schools": schools,
            "empty": not any(school.enrolled for school in schools),
            "may_import": Can.IMPORT_ROSTER in request.powers,
            "steps": _funnel(total),
            "funnel": total,
            "funds": FundingSource.objects.paying_on(request.program.today),
        },
    )


def _first(rows: QuerySet) -> list[Any]:
    return list(_few(rows))


def _few(rows: QuerySet) -> QuerySet:
    """The first few, each with the ids of all that are `alike`, as far as they are counted."""
    alike = rows.order_by().values("pk")[: COUNTED + 1]
    return rows.annotate(alike=ArraySubquery(alike))[:SHOWN]


def _waiting_and_untimed(request: Request) -> tuple[list[Invitation], list[Invitation]]:
    """Families that wait for a person, and those whose yes has no time yet; the longest first."""
    found = Invitation.objects.open_to(request.user, Can.SEE_DESK).select_related(
        "family", "school", "educator__user"
    )
    untimed = _few(found.of_year(request.program.today).without_a_time())
    waiting = _few(found.waiting_for_us().order_by("pk"))
    # One question to the database.
    rows = untimed.annotate(waits=Value(False))
    both = list(rows.union(waiting.annotate(waits=Value(True)), all=True))
    return (
        sorted((one for one in both if one.waits), key=lambda one: one.pk),
        sorted((one for one in both if not one.waits), key=lambda one: (one.answered_at, one.pk)),
    )


def _visits(request: Request) -> dict[str, list[Any]]:
    """Soon and not confirmed, the next first; held and not written up, the oldest first; those
    of the next seven days."""
    now = clock.now()
    visits = Visit.objects.open_to(request.user, Can.SEE_DESK).select_related("family", "school")
    visits = visits.with_names().by_start()
    week = (now - EARLIER, now + datetime.timedelta(days=7))
    parts = {
        "unconfirmed": visits.unconfirmed_before(now + datetime.timedelta(days=3)),
        "unwritten": visits.held_before(now - datetime.timedelta(days=2)),
        "this_week": visits.filter(occupies=True, starts_at__range=week).order_by("starts_at"),
    }
    first, *others = (_few(rows).annotate(part=Value(name)) for name, rows in parts.items())
    found = list(first.union(*others, all=True))  # one question to the database
    found.sort(key=lambda visit: (visit.held_at or visit.during.lower, visit.pk))
    return {name: [visit for visit in found if visit.part == name] for name in parts}


def _proposals(request: Request) -> list[dict[str, Any]]:
    """What families say is wrong, old and new, for whoever decides; a look at each."""
    theirs = families.open_to(request.user, Can.EDIT_FAMILIES).values("pk")
    waiting = amendments.waiting_of(AmendmentRequest.objects.filter(family__in=theirs))
    rows = _first(families.proposals_open_to(request.user, Can.EDIT_FAMILIES, waiting))
    audit.listed([row.family for row in rows], by=request.user, reason=Can.EDIT_FAMILIES)
    return [
        {"row": row, "alike": row.alike, "corrections": amendments.corrections(row)} for row in rows
    ]


def _undelivered(request: Request) -> int:
    """How many messages to families need somebody, as far as they are counted."""
    troubled = family_messages.troubled(request.user, Can.SEE_DESK)
    return troubled.values("pk")[: COUNTED + 1].count()


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
