"""The coordinator's desk: what needs a person, how far each school is, what is left to spend."""

import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pthv import clock
from pthv.access import Can, requires
from pthv.models import School
from visits.models import FundingSource, Invitation, PayLine, Visit
from visits.reports import coverage

SHOWN = 5


@requires(Can.SEE_DESK)
def desk(request: HttpRequest) -> HttpResponse:
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
            "untimed": invitations.without_a_time().select_related("family", "school")[:SHOWN],
            "flagged": lines.exclude(flag="")
            .select_related("payee", "visit__family")
            .order_by("pk")[:SHOWN],
            "schools": schools,
            "funnel": coverage.total(schools),
            "funds": FundingSource.objects.paying_on(request.program.today),
        },
    )
