"""What a course asks for, who still needs what, and certifying by rule."""

import datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Message
from tests.conftest import at
from training import attendance, certification, cohorts, courses, enrolment, facts, requirements
from training.models import (
    Attendance,
    Certification,
    Cohort,
    CohortMember,
    Course,
    CourseRequirement,
    Grant,
    TrainingSession,
)

ATTENDED = "attended"


@pytest.fixture
def ask(course, program):
    """Let the course ask for this, and for nothing else that was asked before."""

    def ask(*asked: tuple[str, str] | str, also: bool = False, held: Course | None = None) -> None:
        if not also:
            course.requirements.all().delete()
        for one in asked:
            kind, amount = (one, "1") if isinstance(one, str) else one
            CourseRequirement.objects.create(
                program=program, course=course, kind=kind, amount=Decimal(amount), held=held
            )

    return ask


@pytest.fixture
def needs(cohort):
    """What each member still needs, by their given name."""

    def needs() -> dict[str, list[str]]:
        members = CohortMember.objects.filter(cohort=cohort)
        names = dict(members.values_list("pk", "educator__user__given_name"))
        return {names[pk]: words for pk, words in requirements.lacking(members).items()}

    return needs


@pytest.fixture
def complete(cohort, program_coordinator):
    def complete() -> list[Certification]:
        with clock.at(at(30, 9)):
            return cohorts.complete(Cohort.objects.get(pk=cohort.pk), by=program_coordinator)

    return complete


def test_who_still_needs_what_is_two_queries_for_however_many(
    ask,
    needs,
    add_session,
    enrol,
    tick,
    educator,
    partner,
    colleague,
    django_assert_num_queries,
    cohort,
) -> None:
    first, second, third = (add_session(day) for day in (7, 14, 21))
    enrol(educator, partner, colleague)
    for session in (first, second, third):
        tick(session, educator, ATTENDED)
    tick(first, partner, ATTENDED)
    ask("every_part", ("hours", "4"), ("first_visits", "2"))
    facts_of(educator, 2)
    facts_of(partner, 1)

    members = CohortMember.objects.filter(cohort=cohort)
    with django_assert_num_queries(2):
        requirements.lacking(members)

    assert needs() == {
        "Ben": ["2 parts of the course", "2 more hours", "1 more first visit"],
        "Cara": ["3 parts of the course", "4 more hours", "2 more first visits"],
    }


def facts_of(user, count: int, kind: str = "first_visit", day: int = 10) -> None:
    for number in range(count):
        facts.record(
            [user.educators.get()],
            kind,
            on=datetime.date(2026, 10, day + number),
            key=f"{kind}:{number}",
            by=user,
        )


def test_a_part_of_a_session_counts_by_its_minutes(
    ask, needs, add_session, enrol, educator, program_coordinator
) -> None:
    session = add_session(7)
    enrol(educator)
    session.attendances.update(
        state="partial", minutes=45, recorded_at=clock.now(), recorded_by=program_coordinator
    )
    ask(("hours", "1.5"), "sessions")

    assert needs() == {"Ana": ["0.75 more hours", "1 more session"]}


def test_a_cancelled_session_is_asked_of_nobody(needs, add_session, enrol, educator) -> None:
    session = add_session(7)
    add_session(14)
    enrol(educator)
    TrainingSession.objects.filter(pk=session.pk).update(
        cancelled_at=clock.now(), cancelled_by=educator
    )

    assert needs() == {"Ana": ["1 part of the course"]}


def test_a_part_made_up_elsewhere_counts(
    needs,
    course,
    cohort,
    add_session,
    enrol,
    tick,
    complete,
    educator,
    program_coordinator,
    program,
) -> None:
    first, second = add_session(7), add_session(14)
    enrol(educator)
    tick(first, educator, ATTENDED)
    tick(second, educator, "absent")
    assert complete() == []
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    make_up = add_session(28, of=winter, part=2)
    ana = educator.educators.get()
    Attendance.objects.create(
        program=program,
        session=make_up,
        educator=ana,
        member=cohort.members.get(),
        state=ATTENDED,
        recorded_at=at(28, 18),
        recorded_by=program_coordinator,
    )
    assert needs() == {}

    with clock.at(at(29, 9)):
        (issued,) = requirements.settle(ana, by=program_coordinator)

    assert (issued.issued_on, issued.member) == (datetime.date(2026, 10, 28), cohort.members.get())


def test_the_last_thing_that_was_missing_certifies(
    ask, add_session, enrol, tick, complete, educator, partner
) -> None:
    ask("every_part", ("first_visits", "2"))
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)
    assert complete() == []

    with clock.at(at(13, 9)):
        facts_of(educator, 1)
        assert not Certification.objects.exists()
        facts_of(educator, 2)
        facts_of(educator, 2)

    issued = Certification.objects.get()
    assert issued.issued_on == datetime.date(2026, 10, 11)
    assert issued.issued_by == educator


def test_what_came_before_the_cohort_was_complete_counts_too(
    ask, add_session, enrol, tick, complete, educator
) -> None:
    ask("every_part", "debriefs")
    session = add_session(7)
    enrol(educator)
    facts_of(educator, 1, kind="debrief", day=2)
    tick(session, educator, ATTENDED)
    assert not Certification.objects.exists()

    (issued,) = complete()

    assert issued.issued_on == datetime.date(2026, 10, 7)
    (told,) = Message.objects.filter(kind="certification_issued")
    assert (told.to_user, told.subject) == (educator, "You are certified")
    assert "Oct 6, 2028" in told.body


def test_another_course_comes_first(
    ask, needs, program, add_session, enrol, tick, complete, educator, program_coordinator
) -> None:
    basics = Course.objects.create(program=program, name="Basics", hours=1)
    ask("holds", held=basics)
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)
    assert needs() == {"Ana": ["Basics first"]}
    assert complete() == []

    with clock.at(at(30, 10)):
        requirements.certify_by_hand(
            educator.educators.get(), basics, on=datetime.date(2026, 10, 20), by=program_coordinator
        )

    earned = Certification.objects.exclude(course=basics).get()
    assert earned.issued_on == datetime.date(2026, 10, 20)


def test_who_gave_up_their_place_is_not_certified(
    add_session, enrol, tick, complete, cohort, educator
) -> None:
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)
    with clock.at(at(8, 9)):
        enrolment.withdraw(cohort.members.get(), by=educator)

    assert complete() == []


def test_a_course_that_asks_for_nothing_certifies_nobody(
    ask, add_session, enrol, complete, educator
) -> None:
    ask()
    add_session(7)
    enrol(educator)

    with pytest.raises(NotReady, match="asks for nothing yet"):
        complete()


def test_a_second_visit_asks_once_there_is_a_course_for_it(
    trained, program, educator, partner, program_coordinator
) -> None:
    ana, ben = educator.educators.get(), partner.educators.get()
    on = datetime.date(2026, 10, 20)
    assert certification.untrained([ana, ben], on=on, second_visit=True) == {}
    more = Course.objects.create(
        program=program, name="Second visits", hours=2, grants=Grant.SECOND_VISITS
    )
    certification.issue(ana, more, on=datetime.date(2026, 10, 1), by=program_coordinator)

    assert certification.untrained([ana, ben], on=on) == {}
    assert certification.untrained([ana, ben], on=on, second_visit=True) == {
        ben: "Ben Lee has not been trained yet; they need training for second visits first."
    }
    assert certification.current(ana, on=on, grant=Grant.SECOND_VISITS).course == more
    assert certification.current(ben, on=on, grant=Grant.SECOND_VISITS) is None


def test_two_cohorts_of_one_course_on_one_day_certify_once(
    ask, course, cohort, add_session, enrol, tick, complete, educator, program_coordinator
) -> None:
    ask("first_visits")
    twin = cohorts.open_cohort(course, "Fall, mornings", by=program_coordinator)
    ana = educator.educators.get()
    for group in (cohort, twin):
        add_session(7, of=group)
        enrolment.enrol(group, [ana], by=program_coordinator)
        with clock.at(at(30, 9)):
            cohorts.complete(Cohort.objects.get(pk=group.pk), by=program_coordinator)

    with clock.at(at(31, 9)):
        facts_of(educator, 1)
        facts_of(educator, 2)

    assert Certification.objects.count() == 1
    assert Message.objects.filter(kind="certification_issued").count() == 1


def test_what_was_certified_by_hand_for_the_very_day_is_not_told_again(
    course, cohort, add_session, enrol, tick, complete, educator, program_coordinator
) -> None:
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)
    with clock.at(at(8, 9)):
        by_hand = certification.issue(
            educator.educators.get(), course, on=datetime.date(2026, 10, 7), by=program_coordinator
        )

    assert complete() == []
    by_hand.refresh_from_db()
    assert by_hand.member == cohort.members.get()
    assert not Message.objects.filter(kind="certification_issued").exists()


def test_what_is_asked_no_more_certifies_whoever_lacked_only_this(
    ask, course, add_session, enrol, tick, complete, educator, program_coordinator
) -> None:
    ask("every_part", "first_visits")
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)
    assert complete() == []

    with clock.at(at(31, 9)):
        courses.save(course, {}, {"every_part": Decimal(1)}, by=program_coordinator)

    assert Certification.objects.get().issued_on == datetime.date(2026, 10, 7)


def test_courses_never_ask_for_each_other(course, program, program_coordinator) -> None:
    more = Course(program=program)
    fields = {"name": "More", "hours": 1, "validity_months": 12, "grants": ""}
    courses.save(more, fields, {}, held=course, by=program_coordinator)

    for held in (course, more):
        with pytest.raises(NotReady, match="ask for each other"):
            courses.save(course, {}, {"every_part": Decimal(1)}, held=held, by=program_coordinator)


def test_a_cohort_whose_sessions_are_gone_certifies_nobody(
    ask, needs, cohort, add_session, enrol, educator
) -> None:
    session = add_session(7)
    enrol(educator)
    TrainingSession.objects.filter(pk=session.pk).update(
        cancelled_at=clock.now(), cancelled_by=educator
    )

    assert needs() == {"Ana": ["1 part of the course"]}


def test_a_mistaken_tick_that_certified_is_taken_back_on_that_day_only(
    course, cohort, add_session, enrol, tick, complete, educator, program, program_coordinator
) -> None:
    first, second = add_session(7), add_session(14)
    enrol(educator)
    tick(first, educator, ATTENDED)
    tick(second, educator, "absent")
    complete()
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    make_up = add_session(29, of=winter, part=2)
    cell = Attendance.objects.create(
        program=program,
        session=make_up,
        educator=educator.educators.get(),
        member=cohort.members.get(),
    )

    with clock.at(at(30, 12)):
        attendance.attend(cell, ATTENDED, by=program_coordinator)
        assert Certification.objects.count() == 1
        attendance.attend(cell, "absent", by=program_coordinator)
        assert not Certification.objects.exists()
        attendance.attend(cell, ATTENDED, by=program_coordinator)
    with clock.at(at(31, 12)), pytest.raises(NotReady, match="Revoke that certification first"):
        attendance.attend(cell, "absent", by=program_coordinator)

    cell.refresh_from_db()
    assert cell.state == ATTENDED


def test_everybody_came_certifies_who_made_up_a_part_here(
    course, cohort, add_session, enrol, tick, complete, educator, program, program_coordinator
) -> None:
    first, second = add_session(7), add_session(14)
    enrol(educator)
    tick(first, educator, ATTENDED)
    tick(second, educator, "absent")
    complete()
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    make_up = add_session(29, of=winter, part=2)
    Attendance.objects.create(
        program=program,
        session=make_up,
        educator=educator.educators.get(),
        member=cohort.members.get(),
    )

    with clock.at(at(30, 12)):
        change = attendance.everybody_came(make_up, by=program_coordinator)
        assert Certification.objects.get().member == cohort.members.get()
        attendance.take_back(change, by=program_coordinator)

    assert not Certification.objects.exists()


def test_certifying_many_costs_as_much_as_a_few(
    course, add_session, educators, program_coordinator, cohort
) -> None:
    def complete_with(people: list) -> int:
        group = cohorts.open_cohort(course, f"Of {len(people)}", by=program_coordinator)
        session = add_session(7, of=group)
        enrolment.enrol(group, people, by=program_coordinator)
        with clock.at(at(8, 9)):
            attendance.everybody_came(session, by=program_coordinator)
            with CaptureQueriesContext(connection) as queries:
                issued = cohorts.complete(Cohort.objects.get(pk=group.pk), by=program_coordinator)
        assert len(issued) == len(people)
        return len(queries)

    everybody = educators(33)

    few, many = complete_with(everybody[:11]), complete_with(everybody[11:])
    assert many <= few <= 50
