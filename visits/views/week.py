"""The week of a person, a school or a program, and a day on one sheet of paper."""

import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date

from pthv.access import Can, requires
from pthv.models import Educator, School
from pthv.requests import Request, id_of
from visits import week as weeks
from visits.models import Visit
from visits.models.visit import VisitQuerySet


@requires(Can.SEE_VISITS)
def week(request: Request) -> HttpResponse:
    """Seven days; of a program without a school chosen, a row for each school."""
    on = date_of(request)
    monday = weeks.monday_of(on)
    schools = list(School.objects.open_to(request.user, Can.SEE_VISITS))
    visits, school, person = _narrowed(request, schools)
    zone = request.program.zone
    by_school = bool(schools) and school is None and person is None
    context = {
        "monday": monday,
        "sunday": monday + datetime.timedelta(days=6),
        "before": monday - datetime.timedelta(days=7),
        "after": monday + datetime.timedelta(days=7),
        "today": request.program.today,
        "dates": [monday + datetime.timedelta(days=number) for number in range(7)],
        "schools": schools,
        "school": school,
        "person": person,
        "by_school": weeks.by_school(visits, monday, zone) if by_school else [],
        "days": [] if by_school else weeks.by_day(visits, monday, 7, zone),
        "board": by_school,
        "may_move": school is not None and Can.CLOSE_SCHOOL in request.powers,
        "mine": bool(request.user.reach(Can.SEE_VISITS).educators),
    }
    return render(request, "visits/week.html", context)


@requires(Can.SEE_VISITS)
def day_sheet(request: Request) -> HttpResponse:
    """The visits of a day, to print and pin to a wall: when, who, which language; no address."""
    on = date_of(request)
    schools = list(School.objects.open_to(request.user, Can.SEE_VISITS))
    visits, school, _person = _narrowed(request, schools)
    (day,) = weeks.by_day(visits, on, 1, request.program.zone)
    return render(request, "visits/day_sheet.html", {"day": day, "school": school})


def date_of(request: Request) -> datetime.date:
    """The day that the address names, else today."""
    try:
        named = parse_date(request.GET.get("on", ""))
    except ValueError:
        named = None
    sensible = named is not None and 2000 <= named.year <= 2100
    return named if named and sensible else request.program.today


def school_of(request: Request, schools: list[School]) -> School | None:
    """The one of these that the address names, or the only one there is."""
    wanted = id_of(request.GET.get("school", ""))
    return next((one for one in schools if one.pk == wanted or len(schools) == 1), None)


def _narrowed(
    request: Request, schools: list[School]
) -> tuple[VisitQuerySet, School | None, Educator | None]:
    """What one may see, of the school or the person that the address names."""
    visits = Visit.objects.open_to(request.user, Can.SEE_VISITS)
    school = school_of(request, schools)
    person = None
    if wanted := id_of(request.GET.get("educator", "")):
        people = Educator.objects.open_to(request.user, Can.SEE_VISITS).select_related("user")
        person = people.filter(pk=wanted).first()
    if school:
        visits = visits.filter(school=school)
    if person:
        visits = visits.filter(participants__educator=person)
    return visits, school, person
