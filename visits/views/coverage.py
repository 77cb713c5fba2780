"""Coverage by school: counts only."""

from django.http import HttpResponse
from django.shortcuts import render

from pthv.access import Can, requires
from pthv.models import School
from pthv.requests import Request
from visits.reports import coverage as report


@requires(Can.SEE_COVERAGE)
def coverage(request: Request) -> HttpResponse:
    """Each school's funnel: in full where one works, without small groups elsewhere."""
    rows = report.by_school(
        School.objects.open_to(request.user, Can.SEE_COVERAGE), on=request.program.today
    )
    minimum = request.program.minimum_cell
    # Whoever is a partner and works at a school too is a partner to the other schools.
    desk = request.user.reach(Can.SEE_DESK)
    inside = desk.program or all(row.school_id in desk.schools for row in rows)
    shown = (
        report.in_full(rows)
        if inside
        else report.for_partners(rows, minimum=minimum, own=desk.schools)
    )
    return render(
        request,
        "visits/coverage.html",
        {
            "rows": shown.rows,
            "total": shown.total,
            "minimum": minimum,
            "systematic": sum(row.is_systematic for row, hidden in shown.rows if not hidden),
        },
    )
