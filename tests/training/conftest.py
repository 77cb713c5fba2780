"""A cohort to fill: its sessions, its people, and who came."""

from collections.abc import Callable

import pytest

from pthv import clock
from pthv.models import Educator, Role
from tests.conftest import at
from training import attendance, cohorts, enrolment, sessions
from training.models import Attendance, Cohort, TrainingSession


@pytest.fixture
def cohort(course, program_coordinator) -> Cohort:
    return cohorts.open_cohort(course, "Fall", by=program_coordinator)


@pytest.fixture
def add_session(cohort, program_coordinator) -> Callable[..., TrainingSession]:
    def add(day: int, of: Cohort = cohort, **more) -> TrainingSession:
        return sessions.add(
            of,
            starts_at=at(day, 16),
            ends_at=at(day, 18),
            place="Library",
            by=program_coordinator,
            **more,
        )

    return add


@pytest.fixture
def enrol(cohort, program_coordinator) -> Callable[..., enrolment.Joined]:
    def enrol(*users) -> enrolment.Joined:
        people = [user.educators.get() for user in users]
        return enrolment.enrol(cohort, people, by=program_coordinator)

    return enrol


@pytest.fixture
def tick(program_coordinator) -> Callable[..., Attendance]:
    def tick(session, user, state: str) -> Attendance:
        found = session.attendances.get(educator__user=user)
        with clock.at(max(clock.now(), session.starts_at)):
            return attendance.attend(found, state, by=program_coordinator)

    return tick


@pytest.fixture
def educators(person, program, school) -> Callable[[int], list[Educator]]:
    """So many educators of Lincoln, in the order of their numbers."""

    def make(count: int) -> list[Educator]:
        people = [
            person(f"Edu N{number:02}", Role.EDUCATOR, program, school) for number in range(count)
        ]
        return list(Educator.objects.filter(user__in=people).order_by("pk"))

    return make
