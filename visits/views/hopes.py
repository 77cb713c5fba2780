"""Hopes over time: counts of themes, small groups suppressed for everybody."""

from django.http import HttpResponse
from django.shortcuts import render

from pthv.access import Can, requires
from pthv.models import SchoolYear
from pthv.requests import Request
from visits.reports import hopes as report


@requires(Can.SEE_COVERAGE)
def hopes(request: Request) -> HttpResponse:
    """What families hoped for and educators learned in a term, by school."""
    program = request.program
    terms = report.terms(SchoolYear.objects.all(), program.today)
    term = next((one for one in terms if one.key == request.GET.get("term")), None)
    term = term or next(iter(terms), None)
    parts = []
    if term:
        parts = [report.of_families(program, term), report.of_educators(program, term)]
        reach = request.user.reach(Can.SEE_COVERAGE)
        if not reach.program:
            parts = [part.of(reach.schools) for part in parts]
    families, educators = parts or (None, None)
    return render(
        request,
        "visits/hopes.html",
        {
            "terms": terms,
            "term": term,
            "families": families,
            "educators": educators,
            "minimum": program.minimum_cell,
            "may_set_themes": Can.SET_THEMES in request.powers,
        },
    )
