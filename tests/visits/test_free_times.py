"""Times at which everybody is free: against an oracle that looks at every single minute."""

import datetime
from contextlib import suppress
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from families.models import Family
from pthv import clock
from pthv.models import Educator, School
from tests.conftest import at
from visits import interpreter_asks, scheduling
from visits.free_times import free_times, wish_of
from visits.models import (
    Availability,
    Interpreter,
    InterpreterRequest,
    Invitation,
    SchoolHoliday,
    TimeOff,
    Visit,
    VisitParticipant,
)

MINUTE = datetime.timedelta(minutes=1)
DAYS = 4
HERE, HAWAII = "America/Los_Angeles", "Pacific/Honolulu"
SPRING, FALL = datetime.date(2027, 3, 12), datetime.date(2027, 11, 5)  # two days before
DINNER = datetime.date(2026, 10, 8)  # a Thursday


@pytest.fixture
def team(educator, partner) -> list[Educator]:
    return [educator.educators.get(), partner.educators.get()]


@pytest.fixture
def times(team, family, school, program):
    """The days from Thursday on, by their number in the month."""

    def find(**how) -> dict:
        facts = {"minutes": 60, "first_day": DINNER, "days": 5} | how
        days = free_times(team, family, school=school, program=program, **facts)
        return {day.date.day: day for day in days}

    return find


@pytest.fixture
def hours(program):
    """Give somebody hours: `hours(ana, 3, 16, 18)` is Thursdays from 4 to 6."""

    def give(whom, weekday: int, starts: int, ends: int) -> None:
        Availability.objects.create(
            program=program,
            weekday=weekday,
            starts=datetime.time(starts),
            ends=datetime.time(ends),
            **whose(whom),
        )

    return give


def whose(person) -> dict:
    return {"interpreter" if isinstance(person, Interpreter) else "educator": person}


@pytest.fixture
def interpreter_of(program, program_coordinator):
    def make(name: str = "Linh", kind: str = "staff", **facts) -> Interpreter:
        return Interpreter.objects.create(
            program=program,
            kind=kind,
            given_name=name,
            family_name="Tran",
            email=f"{name.lower()}@example.org",
            languages=["vi"],
            adult_confirmed_by=program_coordinator,
            **facts,
        )

    return make


@pytest.fixture
def busy(program, school, school_year, educator):
    """Put a visit to another family into somebody's week: one of ours, or an interpreter."""

    def add(starts, minutes=60, *, people=(), interpreter=None, family=None, kind="additional"):
        family = family or Family.objects.create(program=program, surnames="Other")
        lead = educator.educators.get()
        during = scheduling.slot(starts, minutes)
        of = {"program": program, "school": school, "family": family, "kind": kind}
        invitation = Invitation.objects.create(
            **of, school_year=school_year, educator=lead, state="asked", asked_at=clock.now()
        )
        visit = Visit.objects.create(
            **of, invitation=invitation, during=during, scheduled_by=educator
        )
        for person in people:
            VisitParticipant.objects.create(
                program=program, visit=visit, educator=person, role="partner", during=during
            )
        if interpreter:
            InterpreterRequest.objects.create(
                program=program,
                visit=visit,
                bound=visit,
                during=during,
                language="vi",
                state="covered",
                interpreter=interpreter,
                covered_at=clock.now(),
            )
        return visit

    return add


def shown(day) -> list[str]:
    """ "16:30" for each time, in Chicago."""
    local = (time.during.lower.astimezone(ZoneInfo("America/Chicago")) for time in day.times)
    return [f"{start:%-H:%M}" for start in local]


# What everybody's hours leave.


def test_whoever_has_no_hours_yet_is_free_in_evenings_and_at_weekends(times):
    days = times()

    assert shown(days[8])[0] == "15:30" and shown(days[8])[-1] == "19:00"
    assert shown(days[10])[0] == "9:00" and shown(days[10])[-1] == "17:00"


def test_a_time_lies_in_the_hours_of_everybody(times, hours, team):
    ana, ben = team
    hours(ana, 3, 16, 19)
    hours(ben, 3, 17, 18)
    hours(ben, 3, 18, 20)

    days = times()

    assert shown(days[8]) == ["17:00", "17:30", "18:00"]
    assert days[9].why_not == "Ana Ruiz has no hours on a Friday."


def test_hours_that_do_not_meet_are_named(times, hours, team):
    ana, ben = team
    hours(ana, 3, 16, 17)
    hours(ben, 3, 18, 20)
    hours(ana, 4, 9, 15)  # at work

    days = times()

    assert days[8].why_not == "Ben Lee's hours and those of Ana Ruiz don't meet."
    assert days[9].why_not == "Ana Ruiz's hours leave no time outside the contract day."


def test_no_day_off_and_no_holiday_is_offered(times, team, program, school, other_school):
    _ana, ben = team
    TimeOff.objects.create(
        program=program, educator=ben, starts_on=DINNER, ends_on=datetime.date(2026, 10, 9)
    )
    for day, of, name in [(10, school, "Fall fair"), (11, None, "Snow"), (12, other_school, "No")]:
        date = datetime.date(2026, 10, day)
        SchoolHoliday.objects.create(
            program=program, school=of, name=name, starts_on=date, ends_on=date
        )

    days = times()

    assert days[8].why_not == days[9].why_not == "Ben Lee is away."
    assert days[10].why_not == "Lincoln is closed: Fall fair."
    assert days[11].why_not == "Lincoln is closed: Snow."
    assert days[12].times


def test_the_past_is_not_offered(times):
    with clock.at(at(8, 18, 30)):
        assert shown(times()[8]) == ["19:00"]
    with clock.at(at(8, 19)):
        assert times()[8].why_not == "It is too late for today."


# What visits leave.


def test_a_visit_keeps_its_time_and_the_way_there_free(times, busy, team):
    busy(at(8, 17), people=team[:1])

    assert shown(times()[8]) == ["15:30", "18:30", "19:00"]


def test_who_has_which_visit_says_why_not(times, busy, hours, team):
    hours(team[0], 3, 16, 18)
    busy(at(8, 16, 30), people=team[1:], kind="second")

    assert times()[8].why_not == "Ben Lee has a second visit at 4:30 PM."


def test_a_family_is_not_visited_twice_at_once(times, busy, hours, team, family):
    hours(team[0], 3, 16, 18)
    busy(at(8, 16), 120, family=family)

    assert times()[8].why_not == "The family has a visit at 4:00 PM."


def test_a_visit_to_be_moved_takes_no_time(times, busy, team):
    visit = busy(at(8, 17), people=team)

    assert "17:00" in shown(times(but=visit)[8])


def test_whoever_interprets_elsewhere_does_not_visit(times, busy, hours, team, interpreter_of):
    hours(team[0], 3, 17, 18)
    busy(at(8, 17), interpreter=interpreter_of(educator=team[1]))

    assert times()[8].why_not == "Ben Lee has a visit at 5:00 PM."


# With an interpreter.


def test_an_interpreter_has_to_be_free_and_is_named(times, busy, hours, interpreter_of):
    linh, minh = interpreter_of(), interpreter_of("Minh")
    hours(linh, 4, 16, 18)
    busy(at(16, 17), interpreter=minh)

    day = times(interpreters=[linh, minh], language="vi", first_day=datetime.date(2026, 10, 16))
    found = {
        time: able.interpreters for time, able in zip(shown(day[16]), day[16].times, strict=True)
    }

    assert found["15:30"] == (minh,) and found["16:00"] == found["17:00"] == (linh,)
    assert found["18:30"] == (minh,) and "17:30" not in found


@pytest.mark.parametrize(
    ("kind", "language", "first"), [("staff", "vi", 13), ("outside", "vi", 20), ("staff", "ase", 3)]
)
def test_interpreters_are_asked_working_days_ahead(times, interpreter_of, kind, language, first):
    days = times(interpreters=[interpreter_of(kind=kind)], language=language, days=27)

    assert next(number for number, day in days.items() if day.times) == first


def test_a_holiday_is_no_working_day(times, interpreter_of, program):
    day = datetime.date(2026, 10, 12)
    SchoolHoliday.objects.create(program=program, name="A", starts_on=day, ends_on=day)

    days = times(interpreters=[interpreter_of()], language="vi", days=7)

    assert days[13].why_not == (
        "No interpreter is free. Linh Tran is asked 5 working days ahead: Wed, Oct 14 or later."
    )
    assert days[14].times


def test_each_interpreter_says_why_not(times, busy, hours, program, interpreter_of):
    linh, minh, nga = (interpreter_of(name) for name in ("Linh", "Minh", "Nga"))
    day = datetime.date(2026, 10, 16)
    TimeOff.objects.create(program=program, interpreter=linh, starts_on=day, ends_on=day)
    hours(minh, 4, 17, 18)
    hours(nga, 0, 17, 18)
    busy(at(16, 17), interpreter=minh)

    (found,) = times(interpreters=[linh, minh, nga], language="vi", first_day=day, days=1).values()

    assert found.why_not == (
        "No interpreter is free. Linh Tran is away. Minh Tran has a visit at 5:00 PM. "
        "Nga Tran has no hours on a Friday."
    )


def test_who_goes_does_not_interpret(times, team, interpreter_of):
    days = times(
        interpreters=[interpreter_of(educator=team[0])], language="vi", first_day=at(20, 1).date()
    )

    assert {day.why_not for day in days.values()} == {"No interpreter is free."}


# What suits the family.


def test_what_suits_the_family_is_marked_and_nothing_is_left_out(times):
    found = times(wishes=["thu-evening", "sat-morning"])

    suiting = [number for number, day in found.items() for time in day.times if time.suits]
    assert set(suiting) == {8, 10} and shown(found[9])
    first = next(time for time in found[8].times if time.suits)
    assert first.during.lower == at(8, 17)


@pytest.mark.parametrize(
    ("hour", "wish"), [(11, "thu-morning"), (12, "thu-afternoon"), (17, "thu-evening")]
)
def test_the_parts_of_a_day(program, hour, wish):
    assert wish_of(at(8, hour), program) == wish


# The oracle.

clocks = st.integers(0, 95).map(lambda quarters: quarters * 15)
windows = st.tuples(st.integers(0, 6), clocks, clocks).filter(lambda w: w[1] < w[2])
ALL_WEEK = [(day, 9 * 60, 22 * 60) for day in range(7)]
IN_TWO = [(day, *part) for day in range(7) for part in ((900, 1080), (1080, 1230), (60, 150))]
weeks = st.sampled_from([[], ALL_WEEK, ALL_WEEK, IN_TWO]) | st.lists(windows, max_size=9)
# When visits are, mostly: on one of the days, between 3 and 9 in the evening.
visit_at = st.builds(
    lambda day, number, minutes: (day * 24 * 12 + number, minutes),
    st.integers(0, DAYS - 1),
    st.integers(15 * 12, 21 * 12),
    st.sampled_from([5, 30, 60, 95]),
)
away = st.sampled_from([[], [], [], [0], [2]])
person = st.fixed_dictionaries(
    {"windows": weeks, "away": away, "visits": st.lists(visit_at, max_size=4)}
)
scenes = st.fixed_dictionaries(
    {
        "zone": st.sampled_from([HERE, HAWAII, "America/Chicago"]),
        "first": st.sampled_from([SPRING, FALL, DINNER]),
        "now": st.integers(-30, 22),  # hours after the first midnight
        "minutes": st.sampled_from([30, 45, 60, 90]),
        "travel": st.sampled_from([0, 15, 20, 45]),
        "team": st.lists(person, min_size=2, max_size=2),
        "family": st.lists(visit_at, max_size=3),
        "closed": away,
        "interpreters": st.none() | st.lists(person, max_size=2),
        "notice": st.integers(0, 3),
    }
)
NIGHT = [(day, 0, 8 * 60) for day in range(7)]
ANYBODY = {"windows": NIGHT, "away": [], "visits": [(12 * 49, 30)]}
BY_NIGHT = {
    "now": -30,
    "minutes": 60,
    "travel": 15,
    "team": [ANYBODY, ANYBODY | {"windows": [(day, 90, 200) for day in range(7)], "visits": []}],
    "family": [],
    "closed": [],
    "interpreters": None,
    "notice": 1,
}


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(scene=BY_NIGHT | {"zone": HERE, "first": SPRING})
@example(scene=BY_NIGHT | {"zone": HERE, "first": FALL})
@example(scene=BY_NIGHT | {"zone": HAWAII, "first": SPRING})
@example(scene=BY_NIGHT | {"zone": HAWAII, "first": FALL})
@given(scene=scenes)
def test_every_free_time_is_offered_and_no_other(
    scene, program, school, team, family, busy, interpreter_of, pay_rate, trained, accepted
):
    with transaction.atomic():
        asked = _set_up(scene, program, team, family, busy, interpreter_of)
        zone = ZoneInfo(scene["zone"])
        first = datetime.datetime.combine(scene["first"], datetime.time(), zone)
        with clock.at(first.astimezone(datetime.UTC) + datetime.timedelta(hours=scene["now"])):
            assume(clock.now().astimezone(zone).date() <= scene["first"])
            days = free_times(
                team,
                family,
                school=school,
                program=program,
                minutes=scene["minutes"],
                first_day=scene["first"],
                days=DAYS,
                interpreters=asked,
                language="vi",
            )
            expected = _oracle(scene, school, team, family, asked, zone)
            _agrees(days, expected, zone)
            _schedule_without_blockers(days, Invitation.objects.get(pk=accepted.pk), team, asked)
        transaction.set_rollback(True)


def _agrees(days, expected, zone) -> None:
    found = {time.during.lower: set(time.interpreters) for day in days for time in day.times}
    assert found == expected
    for day in days:
        assert bool(day.times) != bool(day.why_not)
        for time in day.times:
            assert time.during.lower.astimezone(zone).date() == day.date


def _schedule_without_blockers(days, invitation, team, asked) -> None:
    offered = [(day.date, time.during) for day in days for time in day.times]
    for date, during in {*offered[:2], *offered[-2:]}:
        assert scheduling.blockers(invitation, team, during, Visit.Place.HOME) == []
        if asked is not None:
            assert interpreter_asks.blockers("vi", team, invitation.school, date) == []


def _set_up(scene, program, team, family, busy, interpreter_of) -> list[Interpreter] | None:
    program.time_zone, program.travel_minutes = scene["zone"], scene["travel"]
    program.interpreter_notice = scene["notice"]
    program.save()
    midnight = datetime.datetime.combine(scene["first"], datetime.time(), program.zone)
    midnight = midnight.astimezone(datetime.UTC)
    interpreters = None
    if scene["interpreters"] is not None:
        interpreters = [interpreter_of(f"I{n}") for n in range(len(scene["interpreters"]))]
    people = zip(team, scene["team"], strict=True)
    for who, facts in [*people, *zip(interpreters or [], scene["interpreters"] or [], strict=True)]:
        for weekday, starts, ends in set(facts["windows"]):
            with suppress(IntegrityError), transaction.atomic():
                Availability.objects.create(
                    program=program,
                    weekday=weekday,
                    starts=datetime.time(*divmod(starts, 60)),
                    ends=datetime.time(*divmod(ends, 60)),
                    **whose(who),
                )
        for number in facts["away"]:
            day = scene["first"] + datetime.timedelta(days=number)
            TimeOff.objects.create(program=program, starts_on=day, ends_on=day, **whose(who))
        for begins, minutes in facts["visits"]:
            starts = midnight + begins * 5 * MINUTE
            goes = {"interpreter": who} if isinstance(who, Interpreter) else {"people": [who]}
            with suppress(IntegrityError), transaction.atomic():
                busy(starts, minutes, **goes)
    for begins, minutes in scene["family"]:
        with suppress(IntegrityError), transaction.atomic():
            busy(midnight + begins * 5 * MINUTE, minutes, family=family)
    for number in scene["closed"]:
        day = scene["first"] + datetime.timedelta(days=number)
        SchoolHoliday.objects.create(program=program, name="Snow", starts_on=day, ends_on=day)
    return interpreters


def _oracle(scene, school: School, team, family, asked, zone) -> dict:
    """Every half hour by the wall from which on each minute is free, for everybody asked."""
    minute = datetime.datetime.combine(scene["first"], datetime.time(), zone)
    minute = minute.astimezone(datetime.UTC)
    over = scene["first"] + datetime.timedelta(days=DAYS)
    closed = {holiday.starts_on for holiday in SchoolHoliday.objects.all()}
    minds = {who: _mind(who, scene["travel"]) for who in [*team, *(asked or [])]}
    theirs = [visit.during for visit in Visit.objects.filter(family=family)]
    starts, everybody, free = [], set(), {who: set() for who in minds}
    while (wall := minute.astimezone(zone)).date() < over:
        if wall.minute in (0, 30):
            starts.append(minute)
        at_work = wall.weekday() < 5 and (
            school.contract_day_starts <= wall.time() < school.contract_day_ends
        )
        being_visited = any(one.lower <= minute < one.upper for one in theirs)
        if not (at_work or being_visited or wall.date() in closed):
            everybody.add(minute)
        for who, is_free in minds.items():
            if is_free(minute, wall, school):
                free[who].add(minute)
        minute += MINUTE
    today = clock.now().astimezone(zone).date()

    def able(who, start) -> bool:
        return all(start + n * MINUTE in free[who] for n in range(scene["minutes"]))

    def in_time(start) -> bool:
        days, day = 0, start.astimezone(zone).date()
        while day > today:
            days += day.weekday() < 5 and day not in closed
            day -= datetime.timedelta(days=1)
        return days >= scene["notice"]

    found = {}
    for start in starts:
        if start <= clock.now() or not all(able(who, start) for who in team):
            continue
        if not all(start + n * MINUTE in everybody for n in range(scene["minutes"])):
            continue
        who = {one for one in asked or [] if able(one, start) and in_time(start)}
        if asked is None or who:
            found[start] = who
    return found


def _mind(who, travel: int):
    """Whether one minute suits somebody."""
    rows = [(w.weekday, w.starts, w.ends) for w in Availability.objects.filter(**whose(who))]
    off = {row.starts_on for row in TimeOff.objects.filter(**whose(who))}
    taken = (
        InterpreterRequest.objects.filter(interpreter=who)
        if isinstance(who, Interpreter)
        else VisitParticipant.objects.filter(educator=who)
    )
    visits = [row.during for row in taken]

    def is_free(minute, wall, school) -> bool:
        if wall.date() in off:
            return False
        for visit in visits:
            if visit.lower - travel * MINUTE <= minute < visit.upper + travel * MINUTE:
                return False
        if not rows and wall.weekday() > 4:
            return 9 <= wall.hour < 18
        if not rows:
            return school.contract_day_ends <= wall.time() and wall.hour < 20
        return any(
            weekday == wall.weekday() and starts <= wall.time() < ends
            for weekday, starts, ends in rows
        )

    return is_free
