"""When somebody can visit: hours of every week, days off; and when schools are closed."""

import datetime
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady
from pthv.models import Educator, Program, School, User
from visits.diaries import DAY
from visits.models import (
    Availability,
    Interpreter,
    InterpreterRequest,
    SchoolHoliday,
    TimeOff,
    Visit,
)

Person = Educator | Interpreter
Window = tuple[int, datetime.time, datetime.time]  # 0 is Monday
LONGEST = datetime.timedelta(days=366)


def kind_of(person: Person) -> str:
    """What rows about somebody call them."""
    return "interpreter" if isinstance(person, Interpreter) else "educator"


def week_of(person: Person) -> list[Window]:
    """Somebody's hours, in order; none: they haven't said."""
    rows = Availability.objects.filter(**_of(person)).values_list("weekday", "starts", "ends")
    return joined(rows)


def days_off(person: Person) -> list[TimeOff]:
    """Those that aren't over."""
    off = TimeOff.objects.filter(**_of(person), ends_on__gte=person.program.today)
    return list(off)


@transaction.atomic
def set_week(person: Person, windows: Iterable[Window], *, by: User) -> list[Window]:
    """Somebody's hours from now on; those that touch or overlap are one."""
    _lock(person)
    wanted = joined(windows)
    if wanted == week_of(person):
        return wanted
    Availability.objects.filter(**_of(person)).delete()
    Availability.objects.bulk_create(
        Availability(
            program_id=person.program_id,
            weekday=weekday,
            starts=starts,
            ends=ends,
            **_of(person),
        )
        for weekday, starts, ends in wanted
    )
    audit.record("availability.set", person, by=by, windows=len(wanted))
    return wanted


def joined(windows: Iterable[Window]) -> list[Window]:
    """The same hours in order, with one window where two touch or overlap."""
    found: list[Window] = []
    for weekday, starts, ends in sorted(windows):
        if found and found[-1][0] == weekday and starts <= found[-1][2]:
            found[-1] = weekday, found[-1][1], max(found[-1][2], ends)
        else:
            found.append((weekday, starts, ends))
    return found


@transaction.atomic
def add_time_off(
    person: Person, starts_on: datetime.date, ends_on: datetime.date, *, by: User
) -> TimeOff:
    """Days on which somebody can't visit; visits that are planned then still stand."""
    _raise_unless_days(person.program, starts_on, ends_on)
    _lock(person)
    time_off, created = TimeOff.objects.get_or_create(
        program_id=person.program_id,
        starts_on=starts_on,
        defaults={"ends_on": ends_on},
        **_of(person),
    )
    if not created and time_off.ends_on != ends_on:
        time_off.ends_on = ends_on
        time_off.save(update_fields=["ends_on"])
    audit.record("time_off.added", person, by=by, **_days(time_off))
    return time_off


def not_this_week(person: Person, *, by: User) -> TimeOff:
    """From today until Sunday."""
    today = person.program.today
    return add_time_off(person, today, today + (6 - today.weekday()) * DAY, by=by)


@transaction.atomic
def remove_time_off(time_off: TimeOff, *, by: User) -> None:
    """They can visit on these days after all."""
    of = time_off.educator or time_off.interpreter
    audit.record("time_off.removed", of or time_off, by=by, **_days(time_off))
    time_off.delete()


def visits_during(person: Person, days: TimeOff) -> list[Visit]:
    """What somebody has planned on days that they have off now."""
    first, last = _instants(person.program, days.starts_on, days.ends_on)
    goes = Q(participants__educator=person)
    if isinstance(person, Interpreter):
        covered = InterpreterRequest.objects.standing().filter(interpreter=person)
        goes = Q(pk__in=covered.values("visit"))
    visits = Visit.objects.ahead().by_start().filter(goes, starts_at__gte=first, starts_at__lt=last)
    return list(visits.order_by("starts_at"))


@transaction.atomic
def close(
    program: Program,
    school: School | None,
    name: str,
    starts_on: datetime.date,
    ends_on: datetime.date,
    *,
    by: User,
) -> SchoolHoliday:
    """Close a school, or all of them: nobody visits. What is planned then waits to be moved."""
    _raise_unless_days(program, starts_on, ends_on)
    holiday, created = SchoolHoliday.objects.get_or_create(
        program=program,
        school=school,
        starts_on=starts_on,
        ends_on=ends_on,
        defaults={"name": name},
    )
    if created:
        audit.record("school.closed", holiday, by=by, school=school and school.pk, **_days(holiday))
    return holiday


@transaction.atomic
def reopen(holiday: SchoolHoliday, *, by: User) -> None:
    """The school is open on these days after all."""
    audit.record("school.reopened", holiday, by=by, school=holiday.school_id, **_days(holiday))
    holiday.delete()


def visits_on(holiday: SchoolHoliday) -> int:
    """How many visits are planned on days on which the school is closed."""
    first, last = _instants(holiday.program, holiday.starts_on, holiday.ends_on)
    visits = Visit.objects.ahead().by_start().filter(starts_at__gte=first, starts_at__lt=last)
    return (visits.filter(school=holiday.school_id) if holiday.school_id else visits).count()


def _of(person: Person) -> dict[str, Person]:
    return {kind_of(person): person}


def _lock(person: Person) -> None:
    list(type(person).objects.select_for_update(no_key=True).filter(pk=person.pk))


def _days(row: TimeOff | SchoolHoliday) -> dict[str, str]:
    return {"starts_on": row.starts_on.isoformat(), "ends_on": row.ends_on.isoformat()}


def _instants(
    program: Program, first: datetime.date, last: datetime.date
) -> tuple[datetime.datetime, datetime.datetime]:
    return clock.day_of(first, program.zone)[0], clock.day_of(last, program.zone)[1]


def _raise_unless_days(program: Program, first: datetime.date, last: datetime.date) -> None:
    if not all(2000 <= day.year <= 2100 for day in (first, last)):
        raise NotReady(_("Choose days of this school year or the next."))
    if last < first:
        raise NotReady(_("The last day comes before the first. Choose them again."))
    if last < program.today:
        raise NotReady(
            _("%(day)s has passed. Choose a later day.") % {"day": wording.day(last, program.today)}
        )
    if last - first > LONGEST:
        raise NotReady(_("That is more than a year. Choose an earlier last day."))
