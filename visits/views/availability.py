"""When somebody can visit, in taps; and the days on which schools are closed."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import wording
from pthv.access import Can, Role, requires
from pthv.blocked import NotReady
from pthv.models import Educator, Membership, School, SchoolYear
from pthv.paging import paged
from pthv.requests import Request, id_of, post_only
from visits import availability as when
from visits.forms.availability import HolidayForm, TimeOffForm, WeekForm
from visits.models import Availability, Interpreter, SchoolHoliday, TimeOff

SET, CLOSE = Can.SET_AVAILABILITY, Can.CLOSE_SCHOOL


@requires(SET)
def availability(request: Request) -> HttpResponse:
    """Somebody's week and days off: one's own, or for whoever coordinates, that of an `educator`
    or an `interpreter`."""
    if not (request.GET.keys() & {"educator", "interpreter"} or request.user.reach(SET).educators):
        return availability_list(request)
    person = _person(request, request.GET)
    school = _school_of(person)
    form = WeekForm(request.POST or None, school=school, week=when.week_of(person))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            when.set_week(person, form.windows, by=request.user)
            messages.success(request, _("Saved. Only times within these hours are offered."))
            return redirect(_url(person, request))
        status = 422
    context = {
        "form": form,
        "days": form.days(),
        "person": person,
        "kind": when.kind_of(person),
        "is_me": _is_me(person, request),
        "off": when.days_off(person),
        "off_form": TimeOffForm(),
        "may_list": _coordinates(request),
    }
    return render(request, "visits/availability.html", context, status=status)


@requires(SET)
def availability_list(request: Request) -> HttpResponse:
    """Every educator whose hours one may set, or those who have none yet."""
    if not _coordinates(request):
        raise PermissionDenied
    hours = Availability.objects.filter(educator=OuterRef("pk"))
    away = TimeOff.objects.filter(
        educator=OuterRef("pk"),
        starts_on__lte=request.program.today,
        ends_on__gte=request.program.today,
    )
    found = Educator.objects.open_to(request.user, SET).staying().by_name()
    found = found.annotate(has_hours=Exists(hours), is_away=Exists(away))
    without = request.GET.get("show") == "without"
    if without:
        found = found.filter(has_hours=False)
    if typed := request.GET.get("q", ""):
        found = found.named(typed)
    context = {
        "page": paged(found, request, by="sort_name", descending=False),
        "typed": typed,
        "without": without,
        "may_close": CLOSE in request.powers,
    }
    return render(request, "visits/availability_list.html", context)


@post_only("availability")
@requires(SET)
def time_off_add(request: Request) -> HttpResponse:
    """Days off: until Sunday in one tap (`week`), or those that were typed."""
    person = _person(request, request.POST)
    form = TimeOffForm(request.POST)
    try:
        if "week" in request.POST:
            days = when.not_this_week(person, by=request.user)
        elif form.is_valid():
            days = when.add_time_off(person, **form.cleaned_data, by=request.user)
        else:
            raise NotReady(_("Choose the first day."))
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Saved. No times are offered on these days."))
        for visit in when.visits_during(person, days):
            moment = {"moment": wording.moment(visit.during.lower, request.program)}
            sentence = _("The visit on %(moment)s still stands. Move it or cancel it if need be.")
            messages.warning(request, sentence % moment)
    return redirect(_url(person, request))


@post_only("availability")
@requires(SET)
def time_off_remove(request: Request, pk: int) -> HttpResponse:
    theirs = Q(educator__in=_educators(request)) | Q(interpreter__in=_interpreters(request))
    off = TimeOff.objects.filter(theirs).select_related("educator", "interpreter")
    time_off = get_object_or_404(off, pk=pk)
    person = time_off.educator or time_off.interpreter
    when.remove_time_off(time_off, by=request.user)
    messages.success(request, _("Removed. Times are offered on these days again."))
    return redirect(_url(person, request))


@requires(CLOSE)
def holiday_list(request: Request) -> HttpResponse:
    """The days of the school year on which a school, or every school, is closed."""
    everywhere = request.user.reach(CLOSE).program
    schools = School.objects.open_to(request.user, CLOSE)
    form = HolidayForm(
        request.POST or None, schools=schools, program=request.program, everywhere=everywhere
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                holiday = when.close(request.program, **form.cleaned_data, by=request.user)
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                return redirect(_after_closing(request, holiday))
    context = {"form": form, "holidays": _holidays(request, schools), "everywhere": everywhere}
    return render(request, "visits/holiday_list.html", context, status=status)


@post_only("holiday_list")
@requires(CLOSE)
def holiday_remove(request: Request, pk: int) -> HttpResponse:
    holiday = get_object_or_404(SchoolHoliday.objects.open_to(request.user, CLOSE), pk=pk)
    when.reopen(holiday, by=request.user)
    messages.success(request, _("Removed. Visits can be on these days again."))
    return redirect("holiday_list")


def _holidays(request: Request, schools: Any) -> list[SchoolHoliday]:
    """Those from this school year on that one's schools have, from the earliest on."""
    found = SchoolHoliday.objects.filter(Q(school=None) | Q(school__in=schools))
    if year := SchoolYear.objects.at_hand(request.program.today).first():
        found = found.filter(ends_on__gte=year.starts_on)
    mine = SchoolHoliday.objects.open_to(request.user, CLOSE).filter(pk=OuterRef("pk"))
    return list(found.select_related("school").annotate(mine=Exists(mine)))


def _after_closing(request: Request, holiday: SchoolHoliday) -> str:
    """Where to go on: to the visits of a snow day, or to the week of those days, if there are
    some."""
    messages.success(request, _("Saved. Nobody is offered a time on these days."))
    number = when.visits_on(holiday)
    if number and holiday.school_id and holiday.starts_on == holiday.ends_on:
        day = holiday.starts_on.isoformat()
        return f"{reverse('day_move', args=[holiday.school_id])}?on={day}"
    if number:
        sentence = ngettext(
            "%(number)s visit is planned on these days. Move it or cancel it.",
            "%(number)s visits are planned on these days. Move them or cancel them.",
            number,
        )
        messages.warning(request, sentence % {"number": number})
        school = f"&school={holiday.school_id}" if holiday.school_id else ""
        return f"{reverse('week')}?on={holiday.starts_on.isoformat()}{school}"
    return reverse("holiday_list")


def _educators(request: Request) -> Any:
    return Educator.objects.open_to(request.user, SET).select_related("user", "program")


def _interpreters(request: Request) -> Any:
    """Those on the rota, for whoever runs it."""
    runs = Interpreter.objects.filter(ended_on=None).select_related("program")
    return runs if Can.RUN_INTERPRETERS in request.powers else runs.none()


def _person(request: Request, said: QueryDict) -> when.Person:
    """Whose week it is: who was named, or oneself."""
    if "interpreter" in said:
        return get_object_or_404(_interpreters(request), pk=id_of(str(said["interpreter"])))
    if "educator" in said:
        return get_object_or_404(_educators(request), pk=id_of(str(said["educator"])))
    own = request.user.reach(SET).educators
    return get_object_or_404(_educators(request), pk=min(own, default=None))


def _school_of(person: when.Person) -> School | None:
    """Where they visit, whose day is over when theirs begins; interpreters have many schools."""
    if isinstance(person, Interpreter):
        return None
    held = Membership.objects.current().filter(
        user=person.user_id, program=person.program_id, role=Role.EDUCATOR
    )
    first = held.select_related("school").order_by("pk").first()
    return first.school if first else None


def _coordinates(request: Request) -> bool:
    reach = request.user.reach(SET)
    return reach.program or bool(reach.schools)


def _is_me(person: when.Person, request: Request) -> bool:
    return isinstance(person, Educator) and person.pk in request.user.reach(SET).educators


def _url(person: when.Person, request: Request) -> str:
    url = reverse("availability")
    return url if _is_me(person, request) else f"{url}?{when.kind_of(person)}={person.pk}"
