"""A cohort's way: sessions, enrolment, attendance, certification."""

import datetime

import pytest

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Membership, Role
from tests.conftest import at
from training import attendance, certification, cohorts, enrolment, sessions
from training.models import Attendance, Certification, Cohort

ATTENDED, ABSENT, EXPECTED = "attended", "absent", "expected"


def test_who_is_enrolled_is_expected_at_every_session(
    cohort, add_session, enrol, educator, partner
) -> None:
    add_session(7)
    assert enrol(educator, partner) == (2, 0)
    add_session(14)

    assert Attendance.objects.of(cohort).count() == 4
    assert set(Attendance.objects.values_list("state", flat=True)) == {EXPECTED}


def test_enrolling_twice_is_once(add_session, enrol, educator) -> None:
    add_session(7)

    assert (enrol(educator), enrol(educator)) == ((1, 0), (0, 0))
    assert AuditEntry.objects.filter(event="cohort.enrolled").count() == 1


def test_a_session_comes_first(enrol, educator) -> None:
    with pytest.raises(NotReady, match="Add a session first"):
        enrol(educator)


def test_a_session_ends_after_it_starts(cohort, program_coordinator) -> None:
    with pytest.raises(NotReady, match="end after it starts"):
        sessions.add(
            cohort, starts_at=at(7, 16), ends_at=at(7, 16), place="", by=program_coordinator
        )


def test_a_school_cohort_is_for_its_own_educators(
    cohort, add_session, enrol, educator, other_school, person, program
) -> None:
    add_session(7)
    cohort.school = other_school
    cohort.save()
    rosa = person("Rosa Diaz", Role.EDUCATOR, program, other_school)

    assert [str(found) for found in enrolment.candidates(cohort)] == ["Rosa Diaz"]
    with pytest.raises(NotReady, match="Ana Ruiz can't join"):
        enrol(educator, rosa)
    assert not Attendance.objects.exists()
    assert enrol(rosa) == (1, 0)


def test_attendance_can_be_taken_back(add_session, enrol, tick, educator) -> None:
    session = add_session(7)
    enrol(educator)

    ticked = tick(session, educator, ATTENDED)
    assert ticked.recorded_at and ticked.recorded_by
    back = tick(session, educator, EXPECTED)

    assert (back.recorded_at, back.recorded_by) == (None, None)
    assert AuditEntry.objects.filter(event="attendance.recorded").count() == 2


def test_nobody_has_come_before_the_day(add_session, enrol, educator, program_coordinator) -> None:
    session = add_session(7)
    enrol(educator)
    found = session.attendances.get()

    with pytest.raises(NotReady, match="This session is on Wed, Oct 7"):
        attendance.attend(found, ATTENDED, by=program_coordinator)
    with clock.at(at(7, 8)):
        attendance.attend(found, ATTENDED, by=program_coordinator)


def test_ticking_twice_is_once(add_session, enrol, tick, educator) -> None:
    session = add_session(7)
    enrol(educator)

    tick(session, educator, ATTENDED)
    tick(session, educator, ATTENDED)

    assert AuditEntry.objects.filter(event="attendance.recorded").count() == 1


def test_it_can_be_completed_when_its_last_session_is_over(
    cohort, add_session, program_coordinator
) -> None:
    assert cohorts.blockers(cohort) == ["This cohort has no session yet."]
    add_session(7)
    add_session(14)
    assert cohorts.blockers(cohort) == ["Its last session ends Wed, Oct 14, 6:00 PM."]
    with pytest.raises(NotReady, match="Oct 14"):
        cohorts.complete(cohort, by=program_coordinator)

    with clock.at(at(14, 18)):
        assert cohorts.blockers(cohort) == []


def test_who_came_to_every_session_is_certified(
    cohort, add_session, enrol, tick, educator, partner, colleague, program_coordinator
) -> None:
    first, second = add_session(7), add_session(14)
    enrol(educator, partner, colleague)
    for session in (first, second):
        tick(session, educator, ATTENDED)
    tick(first, partner, ATTENDED)
    tick(second, partner, ABSENT)
    tick(first, colleague, ATTENDED)  # and nobody said about the second

    with clock.at(at(20, 9)):
        issued = cohorts.complete(cohort, by=program_coordinator)

    assert [(c.educator.user, c.issued_on) for c in issued] == [
        (educator, datetime.date(2026, 10, 14))
    ]
    cohort.refresh_from_db()
    assert cohort.completed_by == program_coordinator


def test_completing_twice_certifies_once(
    cohort, add_session, enrol, tick, educator, program_coordinator
) -> None:
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)

    with clock.at(at(8, 9)):
        cohorts.complete(cohort, by=program_coordinator)
        assert cohorts.complete(cohort, by=program_coordinator) == []

    assert Certification.objects.count() == 1
    assert AuditEntry.objects.filter(event="cohort.completed").count() == 1


def test_a_course_that_grants_nothing_gives_a_certificate_with_which_nobody_may_visit(
    cohort, course, add_session, enrol, tick, educator, program_coordinator
) -> None:
    course.grants = ""
    course.save()
    session = add_session(7)
    enrol(educator)
    tick(session, educator, ATTENDED)

    with clock.at(at(8, 9)):
        (issued,) = cohorts.complete(Cohort.objects.get(), by=program_coordinator)

    ana = educator.educators.get()
    assert issued.educator == ana
    assert ana in certification.untrained([ana], on=datetime.date(2026, 10, 20))


def test_what_was_revoked_stays_revoked(
    cohort, course, add_session, enrol, tick, educator, partner, program_coordinator
) -> None:
    session = add_session(7)
    enrol(educator, partner)
    for user in (educator, partner):
        tick(session, user, ATTENDED)
    with clock.at(at(8, 9)):
        early = certification.issue(
            educator.educators.get(), course, on=at(7, 9).date(), by=program_coordinator
        )
        certification.revoke(early, because="A mistake", by=program_coordinator)

        issued = cohorts.complete(cohort, by=program_coordinator)

    assert [found.educator.user for found in issued] == [partner]


def test_a_complete_cohort_stays_as_it_is(
    cohort, add_session, enrol, tick, educator, partner, program_coordinator
) -> None:
    session = add_session(7)
    enrol(educator)
    with clock.at(at(8, 9)):
        cohorts.complete(cohort, by=program_coordinator)

        for change in (
            lambda: enrol(partner),
            lambda: add_session(21),
            lambda: tick(session, educator, ATTENDED),
        ):
            with pytest.raises(NotReady, match="complete"):
                change()


def test_somebody_who_starts_next_month_can_be_trained_before(add_session, enrol, educator) -> None:
    Membership.objects.filter(user=educator).update(starts_on=datetime.date(2026, 11, 1))
    add_session(7)

    assert enrol(educator) == (1, 0)
