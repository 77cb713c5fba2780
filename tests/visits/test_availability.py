"""A week in taps, days off, holidays: what is kept, and who may set it."""

import datetime

import pytest

from pthv.blocked import NotReady
from pthv.models import AuditEntry
from tests.conftest import at
from visits import availability
from visits.models import Availability, Interpreter, InterpreterRequest, SchoolHoliday, TimeOff

FOUR, FIVE, SEVEN = datetime.time(16), datetime.time(17), datetime.time(19)
MONDAY, THURSDAY = 0, 3
TODAY, SUNDAY = datetime.date(2026, 10, 6), datetime.date(2026, 10, 11)


def test_a_week_is_kept_and_replaced(ana, educator):
    availability.set_week(ana, [(MONDAY, FOUR, FIVE), (THURSDAY, FIVE, SEVEN)], by=educator)
    availability.set_week(ana, [(THURSDAY, FOUR, FIVE)], by=educator)

    assert availability.week_of(ana) == [(THURSDAY, FOUR, FIVE)]
    kept = AuditEntry.objects.filter(event="availability.set")
    assert [entry.by for entry in kept] == [educator, educator]


def test_the_same_week_twice_changes_nothing(ana, educator):
    for _time in range(2):
        availability.set_week(ana, [(MONDAY, FOUR, FIVE)], by=educator)

    assert AuditEntry.objects.filter(event="availability.set").count() == 1


def test_hours_that_touch_or_overlap_are_one(ana, educator):
    windows = [
        (MONDAY, FIVE, SEVEN),
        (MONDAY, FOUR, FIVE),
        (MONDAY, datetime.time(16, 30), datetime.time(17, 30)),
    ]

    availability.set_week(ana, windows, by=educator)

    assert availability.week_of(ana) == [(MONDAY, FOUR, SEVEN)]


def test_the_hours_of_others_stay(ana, educator, partner):
    ben = partner.educators.get()
    availability.set_week(ben, [(MONDAY, FOUR, FIVE)], by=partner)

    availability.set_week(ana, [], by=educator)

    assert availability.week_of(ben) == [(MONDAY, FOUR, FIVE)]


def test_not_this_week_is_until_sunday_and_once(ana, educator):
    for _tap in range(2):
        availability.not_this_week(ana, by=educator)

    off = TimeOff.objects.get()
    assert (off.educator, off.starts_on, off.ends_on) == (ana, TODAY, SUNDAY)


def test_days_off_from_the_same_day_are_changed(ana, educator):
    availability.not_this_week(ana, by=educator)
    off = availability.add_time_off(ana, TODAY, TODAY, by=educator)

    assert TimeOff.objects.get() == off and off.ends_on == TODAY


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (SUNDAY, TODAY, "The last day comes before the first."),
        (TODAY, datetime.date(2028, 1, 1), "more than a year"),
        (datetime.date(2026, 10, 1), datetime.date(2026, 10, 5), "Oct 5 has passed."),
    ],
)
def test_days_that_cannot_be_are_refused(ana, educator, program, first, last, sentence):
    with pytest.raises(NotReady, match=sentence):
        availability.add_time_off(ana, first, last, by=educator)
    with pytest.raises(NotReady, match=sentence):
        availability.close(program, None, "Snow", first, last, by=educator)

    assert not TimeOff.objects.exists() and not SchoolHoliday.objects.exists()


def test_what_is_planned_on_days_off_still_stands(ana, educator, visit):
    off = availability.not_this_week(ana, by=educator)

    assert availability.visits_during(ana, off) == [visit]
    availability.remove_time_off(off, by=educator)
    assert not TimeOff.objects.exists()
    assert AuditEntry.objects.filter(event="time_off.removed", subject_id=ana.pk).exists()


def test_an_interpreter_has_hours_and_days_off_too(program, program_coordinator, visit):
    linh = Interpreter.objects.create(
        program=program,
        kind="outside",
        given_name="Linh",
        email="linh@example.org",
        languages=["vi"],
        adult_confirmed_by=program_coordinator,
    )
    InterpreterRequest.objects.create(
        program=program,
        visit=visit,
        bound=visit,
        during=visit.during,
        language="vi",
        state="covered",
        interpreter=linh,
        covered_at=at(6, 12),
    )

    availability.set_week(linh, [(MONDAY, FOUR, FIVE)], by=program_coordinator)
    off = availability.not_this_week(linh, by=program_coordinator)

    assert Availability.objects.get().interpreter == off.interpreter == linh
    assert availability.visits_during(linh, off) == [visit]


def test_a_school_is_closed_once_and_opened_again(program, school, site_coordinator, visit):
    for _tap in range(2):
        day = datetime.date(2026, 10, 8)
        holiday = availability.close(program, school, "Snow", day, day, by=site_coordinator)

    assert SchoolHoliday.objects.count() == 1
    assert availability.visits_on(holiday) == 1
    availability.reopen(holiday, by=site_coordinator)
    told = AuditEntry.objects.filter(event__startswith="school.").order_by("pk")
    assert [entry.event for entry in told] == ["school.closed", "school.reopened"]


def test_a_day_that_every_school_is_closed_counts_all_visits(
    program, other_school, program_coordinator, visit
):
    day = datetime.date(2026, 10, 8)
    elsewhere = availability.close(program, other_school, "Fair", day, day, by=program_coordinator)
    everywhere = availability.close(program, None, "Snow", day, day, by=program_coordinator)

    assert availability.visits_on(elsewhere) == 0
    assert availability.visits_on(everywhere) == 1
