"""What stands in people's diaries: weekly hours, days off, visits; and when a school is closed.

Read of everybody at once, in three queries, however many people and days there are.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, Q, QuerySet, Value
from django.utils.translation import gettext as _

from families.models import Family
from pthv import clock, wording
from pthv.clock import Stretch
from pthv.models import Educator, Program, School
from visits.models import (
    Availability,
    Interpreter,
    InterpreterRequest,
    SchoolHoliday,
    TimeOff,
    Visit,
    VisitKind,
    VisitParticipant,
)

DAY = datetime.timedelta(days=1)
EVENINGS_END = datetime.time(20)
WEEKENDS = datetime.time(9), datetime.time(18)
SIGNED = {"ase", "bfi", "bzs", "csl", "csn", "fcs", "fsl", "mfs", "prl", "psr", "sgn"}

Key = tuple[str, int]  # ("educator", 7)
Window = tuple[datetime.time, datetime.time]
Days = tuple[datetime.date, datetime.date]


@dataclass
class Diary:
    """One person's, or the family's."""

    name: str
    windows: dict[int, list[Window]] = field(default_factory=dict)  # by weekday
    away: list[Days] = field(default_factory=list)
    visits: list[tuple[Stretch, str]] = field(default_factory=list)  # with their kind
    travel: datetime.timedelta = datetime.timedelta()

    def is_away(self, day: datetime.date) -> bool:
        return any(first <= day <= last for first, last in self.away)

    def hours(self, day: datetime.date, school: School, program: Program) -> list[Stretch]:
        """When they can visit on a day; where nobody has said anything, when most people can."""
        windows = self.windows.get(day.weekday(), [])
        if not self.windows:
            after_school = school.contract_day_ends, max(EVENINGS_END, school.contract_day_ends)
            windows = [after_school if day.weekday() < 5 else WEEKENDS]
        return _joined(
            hours for window in windows for hours in clock.stretches(day, *window, program.zone)
        )

    def visit_at(self, starts: datetime.datetime, ends: datetime.datetime) -> int | None:
        """Which of their visits is in the way then, or too near; if any."""
        for number, ((begins, over), _kind) in enumerate(self.visits):
            if starts < over + self.travel and begins - self.travel < ends:
                return number
        return None

    def has_visit(self, number: int, program: Program) -> str:
        """Which visit that is, in words; never whose."""
        (begins, _over), kind = self.visits[number]
        facts = {"name": self.name, "time": wording.time(begins, program)}
        if kind == VisitKind.FIRST:
            return _("%(name)s has a first visit at %(time)s.") % facts
        if kind == VisitKind.SECOND:
            return _("%(name)s has a second visit at %(time)s.") % facts
        return _("%(name)s has a visit at %(time)s.") % facts


def contract_hours(school: School, day: datetime.date, program: Program) -> list[Stretch]:
    """When a school's educators are at work on a day, and visit nobody."""
    if day.weekday() > 4:
        return []
    return clock.stretches(day, school.contract_day_starts, school.contract_day_ends, program.zone)


def closed_days(
    school: School, first: datetime.date, last: datetime.date
) -> dict[datetime.date, str]:
    """The days among these on which a school is closed, each with the holiday's name."""
    found = {}
    for holiday in SchoolHoliday.objects.of(school).between(first, last):
        day = max(holiday.starts_on, first)
        while day <= min(holiday.ends_on, last):
            found[day] = holiday.name
            day += DAY
    return found


def working_day(
    today: datetime.date, number: int, closed: Collection[datetime.date]
) -> datetime.date:
    """The day that is so many working days after today: no weekends, and no holidays."""
    day = today
    while number > 0:
        day += DAY
        if day.weekday() < 5 and day not in closed:
            number -= 1
    return day


def notice(interpreter: Interpreter, language: str, program: Program) -> int:
    """How many working days ahead an interpreter is asked."""
    if language.split("-", maxsplit=1)[0] in SIGNED:
        return program.interpreter_notice_sign
    if interpreter.kind == Interpreter.Kind.OUTSIDE:
        return program.interpreter_notice_outside
    return program.interpreter_notice


def read(
    team: Sequence[Educator],
    family: Family,
    interpreters: Sequence[Interpreter],
    days: Days,
    program: Program,
    *,
    but: Visit | None = None,
) -> dict[Key, Diary]:
    """Everybody's diary of these days; less the visit `but`."""
    educators = [one.pk for one in team] + [
        one.educator_id for one in interpreters if one.educator_id
    ]
    whose = Q(educator__in=educators) | Q(interpreter__in=interpreters)
    travel = datetime.timedelta(minutes=program.travel_minutes)
    begins, ends = (clock.day_of(day, program.zone)[n] for n, day in enumerate(days))
    span = DateTimeTZRange(begins - travel, ends + travel)
    hours, away = _hours_of(whose), _days_off_of(whose, days)
    visits = _visits_of(educators, family, interpreters, span, but)

    def diary(name: str, *keys: Key, travel: datetime.timedelta = travel) -> Diary:
        return Diary(
            name,
            # Whoever interprets at other hours than they visit has some of their own.
            windows=next((hours[key] for key in keys if hours[key]), {}),
            away=[off for key in keys for off in away[key]],
            visits=[visit for key in keys for visit in visits[key]],
            travel=travel,
        )

    theirs: Key = ("family", family.pk)
    diaries = {theirs: diary(_("The family"), theirs, travel=datetime.timedelta())}
    for educator in team:
        key: Key = ("educator", educator.pk)
        diaries[key] = diary(str(educator), key)
    for interpreter in interpreters:
        key = ("interpreter", interpreter.pk)
        visiting = [("educator", interpreter.educator_id)] if interpreter.educator_id else []
        diaries[key] = diary(str(interpreter), key, *visiting)
    return diaries


def _joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order; those that touch or overlap are one."""
    joined: list[Stretch] = []
    for begins, ends in sorted(stretches):
        if joined and begins <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(ends, joined[-1][1])
        else:
            joined.append((begins, ends))
    return joined


def _key(educator: int | None, interpreter: int | None) -> Key:
    return ("educator", educator) if educator else ("interpreter", interpreter or 0)


def _hours_of(whose: Q) -> dict[Key, dict[int, list[Window]]]:
    hours: dict[Key, Any] = defaultdict(lambda: defaultdict(list))
    fields = ("educator", "interpreter", "weekday", "starts", "ends")
    found = Availability.objects.filter(whose).order_by().values_list(*fields)
    for educator, interpreter, weekday, starts, ends in found:
        hours[_key(educator, interpreter)][weekday].append((starts, ends))
    return hours


def _days_off_of(whose: Q, days: Days) -> dict[Key, list[Days]]:
    away: dict[Key, list[Days]] = defaultdict(list)
    first, last = days
    off = TimeOff.objects.filter(whose, starts_on__lte=last, ends_on__gte=first).order_by()
    fields = ("educator", "interpreter", "starts_on", "ends_on")
    for educator, interpreter, starts_on, ends_on in off.values_list(*fields):
        away[_key(educator, interpreter)].append((starts_on, ends_on))
    return away


def _visits_of(
    educators: Iterable[int],
    family: Family,
    interpreters: Sequence[Interpreter],
    span: DateTimeTZRange,
    but: Visit | None,
) -> dict[Key, list[tuple[Stretch, str]]]:
    """Whose time is taken when: that of whoever goes, interprets or is visited."""
    then: dict[str, Any] = {"occupies": True, "during__overlap": span}
    goes = VisitParticipant.objects.filter(educator__in=educators, **then)
    visited = Visit.objects.filter(family=family, **then)
    covered = InterpreterRequest.objects.filter(state=InterpreterRequest.State.COVERED, **then)
    if but is not None:
        goes, covered = goes.exclude(visit=but), covered.exclude(visit=but)
        visited = visited.exclude(pk=but.pk)
    asked = covered.filter(interpreter__in=interpreters)
    as_both = covered.filter(interpreter__educator__in=educators)
    found = _taken(goes, "educator", "educator").union(
        _taken(visited, "family", "family", "kind"),
        _taken(asked, "interpreter", "interpreter"),
        _taken(as_both, "educator", "interpreter__educator"),
        all=True,
    )
    visits: dict[Key, list[tuple[Stretch, str]]] = defaultdict(list)
    for kind, pk, during, of in found:
        visits[kind, pk].append(((during.lower, during.upper), of))
    return visits


def _taken(found: QuerySet[Any], kind: str, who: str, of: str = "visit__kind") -> QuerySet[Any]:
    return found.order_by().values_list(Value(kind), F(who), "during", of)
