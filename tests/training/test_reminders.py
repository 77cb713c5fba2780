"""Reminders before certifications end: the right ones, to the right people, once."""

import contextvars
import datetime
import threading
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from pthv import accounts, clock
from pthv.models import Educator, Membership, Message, Role, User
from tests.conftest import at
from training import certification, cohorts, reminders, sessions, tasks
from training.models import Certification, CertificationReminder, Course

TODAY = datetime.date(2026, 10, 6)
TO_PERSON, TO_COORDINATOR = "certification_ending", "certifications_ending"


@pytest.fixture
def ends_in(course, program_coordinator):
    """Certify somebody so that it ends so many days from now."""

    def certify(user: User, days: int, of: Course = course) -> Certification:
        educator = user.educators.get()
        issued = certification.issue(
            educator, of, on=datetime.date(2025, 1, 1), by=program_coordinator
        )
        ends_on = educator.program.today + datetime.timedelta(days=days)
        Certification.objects.filter(pk=issued.pk).update(expires_on=ends_on)
        issued.refresh_from_db()
        return issued

    return certify


def to(user: User) -> list[str]:
    return list(Message.objects.filter(to_user=user).order_by("pk").values_list("kind", flat=True))


def marked(certification: Certification) -> list[int]:
    return sorted(certification.reminders.values_list("days", flat=True))


@pytest.mark.parametrize(("days", "due"), [(61, 0), (60, 1), (59, 1), (7, 1), (0, 1), (-1, 0)])
def test_it_is_time_from_sixty_days_before_until_the_last_day(
    program, ends_in, educator, days, due
) -> None:
    ends_in(educator, days)

    assert reminders.remind(program) == due
    assert len(to(educator)) == due


def test_each_is_sent_once_however_often_it_runs(
    program, ends_in, educator, site_coordinator
) -> None:
    held = ends_in(educator, 60)

    for day in range(62):
        with clock.at(at(6, 9) + datetime.timedelta(days=day)):
            reminders.remind(program)
            reminders.remind(program)

    assert to(educator) == [TO_PERSON] * 3
    assert to(site_coordinator) == [TO_COORDINATOR] * 3
    assert marked(held) == [7, 30, 60]
    told = Message.objects.filter(to_user=educator).order_by("pk").values_list("queued_at")
    assert [(held.expires_on - when.astimezone(program.zone).date()).days for (when,) in told] == [
        60,
        30,
        7,
    ]


@pytest.mark.parametrize(("days", "passed_over"), [(31, [60]), (23, [30, 60]), (2, [7, 30, 60])])
def test_after_a_week_without_a_worker_only_the_nearest_is_sent(
    program, ends_in, educator, days, passed_over
) -> None:
    held = ends_in(educator, days)

    reminders.remind(program)

    assert to(educator) == [TO_PERSON]
    assert marked(held) == passed_over


def test_a_worker_that_dies_in_the_middle_leaves_nothing_and_the_next_sends_all(
    program, ends_in, educator, site_coordinator, monkeypatch
) -> None:
    ends_in(educator, 30)

    def killed(*_args) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit), transaction.atomic():
        patched.setattr(reminders, "_tell_coordinators", killed)
        reminders.remind(program)
    assert not Message.objects.exists()
    assert not CertificationReminder.objects.exists()

    reminders.remind(program)
    assert (to(educator), to(site_coordinator)) == ([TO_PERSON], [TO_COORDINATOR])


def test_nobody_is_reminded_who_needs_no_reminder(
    program, ends_in, educator, partner, colleague, person, school, course, program_coordinator
) -> None:
    ends_in(educator, 30)
    certification.issue(educator.educators.get(), course, on=TODAY, by=program_coordinator)
    revoked = ends_in(partner, 30)
    certification.revoke(revoked, because="A mistake", by=program_coordinator)
    ends_in(colleague, 30)
    Membership.objects.filter(user=colleague).update(ends_on=datetime.date(2026, 9, 1))
    closed = person("Dora Closed", Role.EDUCATOR, program, school)
    ends_in(closed, 30)
    accounts.deactivate(closed, by=program_coordinator)
    talk = Course.objects.create(program=program, name="Talk", hours=1, grants="")
    ends_in(person("Eva Talk", Role.EDUCATOR, program, school), 30, of=talk)

    assert reminders.remind(program) == 0
    assert not Message.objects.filter(kind__in=[TO_PERSON, TO_COORDINATOR]).exists()


def test_of_two_that_end_the_same_day_one_is_enough(program, ends_in, educator, course) -> None:
    ends_in(educator, 30)
    other = Course.objects.create(program=program, name="Refresher", hours=1)
    ends_in(educator, 30, of=other)

    assert reminders.remind(program) == 1


def test_a_coordinator_gets_one_message_about_all_of_their_school(
    program, ends_in, person, school, other_school, educator, partner,
    site_coordinator, other_site_coordinator, program_coordinator,
) -> None:  # fmt: skip
    ends_in(educator, 30)
    ends_in(partner, 7)
    rosa = person("Rosa Diaz", Role.EDUCATOR, program, other_school)
    ends_in(rosa, 60)

    reminders.remind(program)

    assert to(site_coordinator) == to(other_site_coordinator) == [TO_COORDINATOR]
    assert to(program_coordinator) == []
    digest = Message.objects.get(to_user=site_coordinator)
    assert digest.subject == "2 people's training ends soon"
    assert "- Ben Lee: Tue, Oct 13\n- Ana Ruiz: Thu, Nov 5" in digest.body
    assert "Rosa Diaz" not in digest.body


def test_where_a_school_has_no_coordinator_the_programs_is_told(
    program, ends_in, educator, other_site_coordinator, program_coordinator
) -> None:
    ends_in(educator, 30)

    reminders.remind(program)

    assert to(program_coordinator) == [TO_COORDINATOR]
    assert to(other_site_coordinator) == []


def test_a_second_digest_of_the_day_is_about_others(
    program, ends_in, educator, partner, site_coordinator
) -> None:
    ends_in(educator, 30)
    reminders.remind(program)
    ends_in(partner, 30)  # imported meanwhile

    reminders.remind(program)

    first, second = Message.objects.filter(to_user=site_coordinator).order_by("pk")
    assert ("Ana Ruiz" in first.body, "Ben Lee" in first.body) == (True, False)
    assert ("Ana Ruiz" in second.body, "Ben Lee" in second.body) == (False, True)


def test_no_subject_names_anybody(program, ends_in, educator, site_coordinator) -> None:
    ends_in(educator, 30)

    reminders.remind(program)

    assert Message.objects.count() == 2
    for subject in Message.objects.values_list("subject", flat=True):
        assert "Ana" not in subject
        assert "Ruiz" not in subject


def test_the_next_course_one_can_join_is_named(
    program, ends_in, educator, course, school, other_school, program_coordinator
) -> None:
    def cohort(name: str, day: int, **fields):
        made = cohorts.open_cohort(
            course, name, by=program_coordinator, **{"open_for_sign_up": True, **fields}
        )
        sessions.add(made, starts_at=at(day, 16), ends_at=at(day, 18), by=program_coordinator)

    cohort("Begun", 5)
    cohort("By invitation", 8, open_for_sign_up=False)
    cohort("Roosevelt's", 9, school=other_school)
    cohort("Full", 10, capacity=0)
    cohort("Later", 20)
    cohort("Lincoln's", 14, school=school)
    ends_in(educator, 30)

    reminders.remind(program)

    body = Message.objects.get(to_user=educator).body
    assert "The next course you can join is Introduction (Lincoln's)" in body
    assert "Wed, Oct 14, 4:00 PM" in body


def test_without_a_course_to_join_the_person_hears_who_will_tell(
    program, ends_in, educator, settings
) -> None:
    settings.SITE_URL = "https://visits.example"
    ends_in(educator, 30)

    reminders.remind(program)

    body = Message.objects.get(to_user=educator).body
    assert "No course is open for signing up just now." in body
    assert "https://visits.example/" in body


@pytest.mark.parametrize(("hour", "minute", "due"), [(23, 30, 0), (0, 10, 1)])
def test_in_honolulu_the_day_is_honolulus(program, ends_in, educator, hour, minute, due) -> None:
    program.time_zone = "Pacific/Honolulu"
    program.save()
    honolulu = ZoneInfo("Pacific/Honolulu")
    held = ends_in(educator, 0)
    Certification.objects.filter(pk=held.pk).update(expires_on=datetime.date(2027, 3, 31))
    day = 1 if due else 0  # 60 days before is January 30
    moment = datetime.datetime(2027, 1, 29 + day, hour, minute, tzinfo=honolulu)

    with clock.at(moment):
        assert reminders.remind(program) == due


def test_each_program_has_its_own_morning(program, other_program, ends_in, educator) -> None:
    ends_in(educator, 30)
    with clock.at(datetime.datetime(2026, 10, 6, 6, 30, tzinfo=program.zone)):
        tasks.remind_of_certifications(0)
    assert not Message.objects.exists()

    with clock.at(datetime.datetime(2026, 10, 6, 7, 30, tzinfo=program.zone)):
        tasks.remind_of_certifications(0)
    assert to(educator) == [TO_PERSON]


def test_another_programs_people_hear_nothing(
    program, other_program, ends_in, educator, outsider
) -> None:
    ends_in(educator, 30)

    with scope(program=other_program):
        assert reminders.remind(other_program) == 0
    reminders.remind(program)

    assert to(outsider) == []


def test_what_is_due_is_one_query_at_1_and_30(program, ends_in, person, school, educator) -> None:
    ends_in(educator, 30)
    for number in range(29):
        ends_in(person(f"Teo N{number}", Role.EDUCATOR, program, school), 30)

    with CaptureQueriesContext(connection) as queries:
        found = [str(held.educator) for held in reminders.due(program)]

    assert len(found) == 30
    assert len(queries) == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_once(program, ends_in, educator, site_coordinator) -> None:
    ends_in(educator, 30)
    start = threading.Barrier(2)

    def work() -> int:
        try:
            start.wait(timeout=20)
            return reminders.remind(program)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        ran = [pool.submit(contextvars.copy_context().run, work) for _worker in range(2)]
        assert sorted(job.result(timeout=30) for job in ran) == [0, 1]

    assert (to(educator), to(site_coordinator)) == ([TO_PERSON], [TO_COORDINATOR])
    assert Educator.objects.count() == 1


def test_every_training_that_allows_something_ends_with_a_reminder(
    program, ends_in, educator, site_coordinator, program_coordinator
) -> None:
    second = Course.objects.create(program=program, name="Second", hours=1, grants="second_visits")
    cohort = cohorts.open_cohort(second, "Winter", open_for_sign_up=True, by=program_coordinator)
    sessions.add(cohort, starts_at=at(9, 16), ends_at=at(9, 18), by=program_coordinator)
    for_visits, for_second = ends_in(educator, 30), ends_in(educator, 29, of=second)

    assert reminders.remind(program) == 2
    assert reminders.remind(program) == 0

    assert (marked(for_visits), marked(for_second)) == ([30, 60], [30, 60])
    seconds, visits = Message.objects.filter(to_user=educator).order_by("pk")
    assert seconds.subject == "Your training “Second” ends Wed, Nov 4"
    assert "certified in “Second” (go on second visits) until Wed, Nov 4" in seconds.body
    assert "Second (Winter)" in seconds.body
    assert "No course is open" in visits.body
    digest = Message.objects.get(to_user=site_coordinator)
    assert digest.subject == "1 person's training ends soon"
    assert "- Ana Ruiz: Wed, Nov 4 (go on second visits)\n- Ana Ruiz: Thu, Nov 5" in digest.body


def test_a_renewal_is_of_the_same_leave(program, ends_in, educator) -> None:
    refresher = Course.objects.create(
        program=program, name="Refresher", hours=1, grants="second_visits"
    )
    second = Course.objects.create(program=program, name="Second", hours=1, grants="second_visits")
    ends_in(educator, 400)  # visits, and no second ones
    ends_in(educator, 30, of=second)
    renewed = ends_in(educator, 200, of=refresher)

    assert reminders.remind(program) == 0
    certification.revoke(renewed, because="A mistake", by=educator)
    assert reminders.remind(program) == 1


@pytest.mark.parametrize("count", [30, 60])
def test_many_are_reminded_in_as_many_queries_as_few(
    program, ends_in, person, school, site_coordinator, count, django_assert_num_queries
) -> None:
    for number in range(count):
        ends_in(person(f"Teo N{number}", Role.EDUCATOR, program, school), 30)

    with django_assert_num_queries(14):
        reminders.remind(program)

    assert Message.objects.count() == count + 1
