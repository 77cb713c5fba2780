"""Coverage by school: counts only."""

from django.http import HttpResponse
from django.shortcuts import render

from pthv.access import Can, requires
from pthv.models import School
from pthv.requests import Request
from visits.reports import coverage as report


@requires(Can.SEE_COVERAGE)
def coverage(request: Request) -> HttpResponse:
    """Each school's funnel; groups below the program's minimum are never shown to partners."""
    rows = report.by_school(
        School.objects.open_to(request.user, Can.SEE_COVERAGE), on=request.program.today
    )
    outside = Can.SEE_DESK not in request.powers
    minimum = request.program.minimum_cell
    shown = (
        report.for_partners(rows, minimum=minimum) if outside else [(row, False) for row in rows]
    )
    everybody = report.total(rows)
    return render(
        request,
        "visits/coverage.html",
        {
            "rows": shown,
            "total": None if outside and everybody.hidden(minimum) else everybody,
            "minimum": minimum,
            "systematic": sum(row.is_systematic for row, hidden in shown if not hidden),
        },
    )
