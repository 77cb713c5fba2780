"""When a team, a family and perhaps an interpreter are all free; and if not, what is in the way.

Four queries read the diaries of the whole stretch, the rest is one pass over its days. Whoever
has no hours yet counts as free from the end of the contract day until 8 PM, and from 9 to 6 at
weekends. What a family would like is marked, and keeps nothing else from being offered.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from families.models import Family
from pthv import clock, wording
from pthv.clock import Stretch
from pthv.models import Educator, Program, School
from visits import diaries
from visits.diaries import DAY, Diary
from visits.models import Interpreter, Visit
from visits.models.availability import WEEKDAYS

EVERY = datetime.timedelta(minutes=30)
AFTERNOONS_BEGIN, EVENINGS_BEGIN = 12, 17  # as families mean it
NOTICE = 42 * DAY  # in which closed days count, whatever is looked at
NAMED = 3  # of those who can't interpret

Instants = list[datetime.datetime]


@dataclass(frozen=True, slots=True)
class FreeTime:
    """A time at which everybody is free, and who could interpret, in the order they are asked."""

    during: DateTimeTZRange
    suits: bool = False
    interpreters: tuple[Interpreter, ...] = ()

    @property
    def value(self) -> str:
        """The time as forms carry it."""
        return self.during.lower.isoformat()


@dataclass(frozen=True, slots=True)
class FreeDay:
    """A day's times, the earliest first; where there is none, `why_not` says what is in the way."""

    date: datetime.date
    times: tuple[FreeTime, ...] = ()
    why_not: str = ""


def free_times(
    team: Sequence[Educator],
    family: Family,
    *,
    school: School,
    program: Program,
    minutes: int,
    first_day: datetime.date,
    days: int = 42,
    interpreters: Sequence[Interpreter] | None = None,
    language: str = "",
    wishes: Collection[str] = (),
    but: Visit | None = None,
) -> list[FreeDay]:
    """Every day of the stretch, with its times of so many minutes, or why it has none.

    `interpreters`: one of these, who interprets `language`, has to be free too; None: nobody is
    needed. `wishes`: what suits the family, as "mon-evening". `but`: a visit that takes no
    time, since a new one is sought for it.
    """
    last_day = first_day + (days - 1) * DAY
    going = {educator.pk for educator in team}
    asked = [one for one in interpreters or [] if one.educator_id not in going]
    closed = diaries.closed_days(school, program.today, max(last_day, program.today + NOTICE))
    found = diaries.read(team, family, asked, (first_day, last_day), program, but=but)
    notices = {one.pk: diaries.notice(one, language, program) for one in asked}
    search = _Search(
        team=[found["educator", educator.pk] for educator in team],
        family=found["family", family.pk],
        interpreters=None
        if interpreters is None
        else [(one, found["interpreter", one.pk], notices[one.pk]) for one in asked],
        school=school,
        program=program,
        length=datetime.timedelta(minutes=minutes),
        closed=closed,
        wishes=wishes,
    )
    return [search.day(first_day + number * DAY) for number in range(days)]


def wish_of(start: datetime.datetime, program: Program) -> str:
    """What a family ticks to mean this time: "tue-evening"."""
    local = start.astimezone(program.zone)
    part = "morning" if local.hour < AFTERNOONS_BEGIN else "afternoon"
    if local.hour >= EVENINGS_BEGIN:
        part = "evening"
    return f"{('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')[local.weekday()]}-{part}"


@dataclass
class _Search:
    """All that is known of everybody, to look at one day after another."""

    team: list[Diary]
    family: Diary
    interpreters: list[tuple[Interpreter, Diary, int]] | None  # with their notice
    school: School
    program: Program
    length: datetime.timedelta
    closed: dict[datetime.date, str]
    wishes: Collection[str]

    def day(self, day: datetime.date) -> FreeDay:
        """What a day has to offer; why not says what its last times are lost to."""
        if day in self.closed:
            facts = {"school": self.school, "name": self.closed[day]}
            return FreeDay(day, why_not=_("%(school)s is closed: %(name)s.") % facts)
        for diary in self.team:
            if diary.is_away(day):
                return FreeDay(day, why_not=_("%(name)s is away.") % {"name": diary.name})
        starts, why_not = self._in_everybodys_hours(day)
        if starts:
            starts = [start for start in starts if start > clock.now()]
            why_not = "" if starts else _("It is too late for today.")
        if starts:
            starts, why_not = self._beside_visits(starts)
        able: dict[datetime.datetime, list[Interpreter]] = {}
        if starts and self.interpreters is not None:
            able, why_not = self._with_an_interpreter(starts, day)
            starts = [start for start in starts if start in able]
        times = (self._time(start, able.get(start, [])) for start in starts)
        return FreeDay(day, tuple(times), why_not)

    def _time(self, start: datetime.datetime, able: list[Interpreter]) -> FreeTime:
        suits = bool(self.wishes) and wish_of(start, self.program) in self.wishes
        return FreeTime(DateTimeTZRange(start, start + self.length, "[)"), suits, tuple(able))

    def _in_everybodys_hours(self, day: datetime.date) -> tuple[Instants, str]:
        """The times of a day in the hours of the whole team, outside the contract day."""
        begins, ends = clock.day_of(day, self.program.zone)
        working = diaries.contract_hours(self.school, day, self.program)
        starts = [begins + number * EVERY for number in range((ends - begins) // EVERY)]
        starts = [start for start in starts if not self._touches(start, working)]
        shared = set(starts)
        for number, diary in enumerate(self.team):
            hours = diary.hours(day, self.school, self.program)
            facts = {"name": diary.name, "weekday": WEEKDAYS[day.weekday()][1]}
            if not hours:
                return [], _("%(name)s has no hours on a %(weekday)s.") % facts
            own = {start for start in starts if self._fits(start, hours)}
            if not own:
                return [], _("%(name)s's hours leave no time outside the contract day.") % facts
            shared &= own
            if not shared:
                facts["others"] = wording.listed(other.name for other in self.team[:number])
                return [], _("%(name)s's hours and those of %(others)s don't meet.") % facts
        return sorted(shared), ""

    def _beside_visits(self, starts: Instants) -> tuple[Instants, str]:
        """Those of the times that nobody's visit is in the way of; or the visit that is in the
        way of most."""
        free, taken = [], Counter[tuple[int, int]]()
        people = [*self.team, self.family]
        for start in starts:
            visits = ((n, one.visit_at(start, start + self.length)) for n, one in enumerate(people))
            found = next(((n, visit) for n, visit in visits if visit is not None), None)
            if found is None:
                free.append(start)
            else:
                taken[found] += 1
        if free:
            return free, ""
        (who, visit), _times = taken.most_common(1)[0]
        return [], people[who].has_visit(visit, self.program)

    def _with_an_interpreter(
        self, starts: Instants, day: datetime.date
    ) -> tuple[dict[datetime.datetime, list[Interpreter]], str]:
        """Who can interpret at which of the times; or why nobody can at any."""
        reasons: list[str] = []
        able: dict[datetime.datetime, list[Interpreter]] = defaultdict(list)
        for interpreter, diary, notice in self.interpreters or []:
            free, reason = self._interpreting(diary, notice, day, starts)
            reasons.append(reason)
            for start in free:
                able[start].append(interpreter)
        if able:
            return able, ""
        reasons = list(dict.fromkeys(reasons))[:NAMED]
        return {}, " ".join([_("No interpreter is free."), *reasons])

    def _interpreting(
        self, diary: Diary, notice: int, day: datetime.date, starts: Instants
    ) -> tuple[Instants, str]:
        """When of these somebody can interpret, or why not at all."""
        earliest = diaries.working_day(self.program.today, notice, self.closed)
        facts = {"name": diary.name, "weekday": WEEKDAYS[day.weekday()][1], "days": str(notice)}
        if day < earliest:
            facts["day"] = wording.weekday(earliest)
            return [], _("%(name)s is asked %(days)s working days ahead: %(day)s or later.") % facts
        if diary.is_away(day):
            return [], _("%(name)s is away.") % facts
        hours = diary.hours(day, self.school, self.program)
        if not hours:
            return [], _("%(name)s has no hours on a %(weekday)s.") % facts
        own = [start for start in starts if self._fits(start, hours)]
        if not own:
            return [], _("%(name)s has other hours.") % facts
        visits = {start: diary.visit_at(start, start + self.length) for start in own}
        free = [start for start, visit in visits.items() if visit is None]
        return free, "" if free else diary.has_visit(visits[own[0]] or 0, self.program)

    def _fits(self, start: datetime.datetime, hours: list[Stretch]) -> bool:
        return any(begins <= start and start + self.length <= ends for begins, ends in hours)

    def _touches(self, start: datetime.datetime, hours: list[Stretch]) -> bool:
        return any(start < ends and begins < start + self.length for begins, ends in hours)
