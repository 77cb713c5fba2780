"""The coordinator's desk: what needs a person, how far each school is, what is left to spend."""

import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from pthv import clock
from pthv.access import Can, requires
from pthv.models import School
from pthv.requests import Request
from visits.models import FundingSource, Invitation, PayLine, Visit
from visits.reports import coverage

SHOWN = 5
EARLIER = datetime.timedelta(hours=6)  # what began this afternoon still counts


@requires(Can.SEE_DESK)
def desk(request: Request) -> HttpResponse:
    user, now = request.user, clock.now()
    visits = Visit.objects.open_to(user, Can.SEE_DESK).select_related("family", "school")
    invitations = Invitation.objects.open_to(user, Can.SEE_DESK)
    lines = PayLine.objects.open_to(user, Can.SEE_PAY).earned()
    schools = coverage.by_school(
        School.objects.open_to(user, Can.SEE_DESK), on=request.program.today
    )
    return render(
        request,
        "visits/desk.html",
        {
            "unconfirmed": visits.unconfirmed_before(now + datetime.timedelta(days=3))[:SHOWN],
            "unwritten": visits.held_before(now - datetime.timedelta(days=2))[:SHOWN],
            "untimed": invitations.of_year(request.program.today)
            .without_a_time()
            .select_related("family", "school")[:SHOWN],
            "flagged": lines.exclude(flag="")
            .select_related("payee", "visit__family")
            .order_by("pk")[:SHOWN],
            "this_week": visits.by_start()
            .filter(
                occupies=True,
                starts_at__range=(now - EARLIER, now + datetime.timedelta(days=7)),
            )
            .order_by("starts_at", "pk")[:SHOWN],
            "schools": schools,
            "steps": _funnel(coverage.total(schools)),
            "funnel": coverage.total(schools),
            "funds": FundingSource.objects.paying_on(request.program.today),
        },
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
