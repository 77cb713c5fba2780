"""Two thumbs, two workers, a worker that dies, mail that is down: each alert comes once."""

import datetime
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from pthv import clock, outbox
from pthv.models import AuditEntry, Message, School
from tests.conftest import at
from tests.visits.test_concurrency import at_once
from visits import moving, safety, scheduling, tasks
from visits.models import SafetyCheck, Visit

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
MINUTE = datetime.timedelta(minutes=1)
START, END = at(8, 16, 30), at(8, 17, 30)


class Killed(BaseException):
    """The worker is gone, whatever it was doing."""


@pytest.fixture
def there(visit, educator, program_coordinator, school) -> Visit:
    """Ana and Ben are at a family's; Vera Cole is Lincoln's contact."""
    School.objects.filter(pk=school.pk).update(
        safety_name="Vera Cole", safety_email="vera@example.org", safety_phone="+13125550177"
    )
    with clock.at(START):
        safety.arrive(visit, by=educator)
    return visit


def alerts() -> Counter[tuple[str, str]]:
    found = Message.objects.filter(kind__in=["safety_overdue", "safety_alert"])
    return Counter(found.values_list("kind", "address"))


@contextmanager
def dying(step: int) -> Iterator[list[int]]:
    """Die before or after this question to the database."""
    taken = [0]

    def tick() -> None:
        taken[0] += 1
        if taken[0] == step:
            raise Killed

    def asked(execute, sql, params, many, context):
        tick()
        found = execute(sql, params, many, context)
        tick()
        return found

    with connection.execute_wrapper(asked):
        yield taken


@pytest.mark.parametrize("attempt", range(10))
def test_two_partners_tapping_at_once_are_one_pair(visit, educator, partner, attempt):
    with clock.at(START):
        at_once(
            *[lambda by=by: safety.arrive(visit, by=by) for by in (educator, partner)] * 2,
            lambda: safety.out(visit, by=partner),
        )
        seen = SafetyCheck.objects.get().expected_end
    with clock.at(END):
        results = at_once(
            *[
                lambda by=by: safety.longer(visit, 15, by=by, seen=seen)
                for by in (educator, partner)
            ]
        )
        assert SafetyCheck.objects.get().expected_end == END + 15 * MINUTE
        results += at_once(
            *[lambda by=by: safety.leave(visit, by=by) for by in (educator, partner)] * 2,
            lambda: safety.ask_help(visit, by=partner),
        )
    assert not [result for result in results if isinstance(result, Exception)], results
    check = SafetyCheck.objects.get()
    assert (check.arrived_at, check.left_at, check.watched) == (START, END, False)
    counted = Counter(AuditEntry.objects.values_list("event", flat=True))
    for event in ("arrived", "left", "held", "longer", "help_asked"):
        assert counted[f"visit.{event}"] == 1, event


def test_the_same_page_tapped_twenty_times_is_one_tap(visit, educator, partner):
    sessions = []
    for user in (educator, partner):
        client = Client()
        client.force_login(user)
        sessions.append(client.cookies["sessionid"].value)

    def tap(session: str, step: str) -> int:
        client = Client()
        client.cookies["sessionid"] = session
        return client.post(f"/visits/{visit.pk}/{step}/").status_code

    with clock.at(END):
        for step in ("arrive", "leave"):
            jobs = [lambda one=one, step=step: tap(one, step) for one in sessions]
            assert set(at_once(*jobs * 10)) == {302}

    counted = Counter(AuditEntry.objects.values_list("event", flat=True))
    assert counted["visit.arrived"] == counted["visit.left"] == counted["visit.held"] == 1


def test_workers_at_once_tell_everybody_once(there, program, educator, partner):
    for minutes in (16, 31, 46, 47):
        with clock.at(END + minutes * MINUTE):
            at_once(*[lambda: tasks.watch_visits(0)] * 4)

    assert SafetyCheck.objects.get().alerted == 3
    assert set(alerts().values()) == {1} and len(alerts()) == 6


def test_a_worker_and_a_thumb_at_once_leave_one_truth(there, program, educator, partner):
    """Whoever is first: an alert of a pair that has left is followed by word that it is well."""
    with clock.at(END + 31 * MINUTE):
        at_once(
            lambda: safety.watch(program),
            lambda: safety.leave(there, by=educator),
            lambda: safety.all_well(there, by=partner),
            lambda: safety.watch(program),
        )
        assert safety.watch(program) == 0

    check = SafetyCheck.objects.get()
    assert check.left_at and not check.is_open and not check.watched
    well = Message.objects.filter(kind="safety_well").count()
    assert well == (2 if check.alerted >= 2 else 0)


def test_moving_and_setting_out_at_once_leaves_nobody_missed_at_the_old_time(
    visit, program, educator, partner
):
    with clock.at(START - 30 * MINUTE):
        at_once(
            lambda: safety.out(visit, by=partner),
            lambda: moving.move(
                visit, scheduling.slot(START + 24 * 60 * MINUTE), "home", by=educator
            ),
        )
    with clock.at(END + 60 * MINUTE):
        assert safety.watch(program) == 0
    assert not alerts()


def test_a_worker_killed_at_any_step_is_followed_by_one_that_tells_each_once(
    there, program, educator
):
    with clock.at(END + 16 * MINUTE), dying(0) as taken:
        assert safety.watch(program) == 1
    steps = taken[0]
    assert steps > 10
    for step in range(1, steps + 1):
        Message.objects.all().delete()
        SafetyCheck.objects.update(alerted=0, alerted_at=None)
        with clock.at(END + 16 * MINUTE):
            with pytest.raises(Killed), dying(step):
                safety.watch(program)
            again = safety.watch(program)
            check = SafetyCheck.objects.get()
        assert check.alerted == 1 and again in (0, 1), step
        assert set(alerts().values()) == {1} and len(alerts()) == 2, step
        with connection.cursor() as cursor:  # each of them has its job
            cursor.execute(
                "SELECT count(*) FROM pthv_message m WHERE NOT EXISTS (SELECT FROM"
                " procrastinate_jobs j WHERE (j.args->>'message_id')::bigint = m.id)"
            )
            assert cursor.fetchone() == (0,)


def test_with_mail_down_it_waits_stands_on_the_desk_and_arrives_once(
    there, program, educator, partner, site_coordinator, program_coordinator, mail_server, settings
):
    up, settings.EMAIL_PORT = settings.EMAIL_PORT, 1  # nobody listens there
    Message.objects.update(state="sent", sent_at=START)
    for minutes in (16, 31):
        with clock.at(END + minutes * MINUTE):
            assert safety.watch(program) == 1
    with clock.at(END + 46 * MINUTE):
        assert safety.watch(program) == 1
        outbox.sweep()
        mail = Message.objects.filter(channel="email", kind__startswith="safety")
        assert mail.count() == 5 and set(mail.values_list("state", flat=True)) == {"queued"}
        client = Client()
        client.force_login(site_coordinator)
        page = client.get("/desk/").content.decode()
        assert "Needs a person now" in page and "Ana Ruiz and Ben Lee" in page

    settings.EMAIL_PORT = up
    for minutes in (55, 60, 90):
        with clock.at(END + minutes * MINUTE):
            safety.watch(program)
            outbox.sweep()

    arrived = Counter(mail["To"] for mail in mail_server.arrived)
    people = [educator, partner, site_coordinator, program_coordinator]
    assert arrived == {"vera@example.org": 1, **{person.email: 1 for person in people}}


def test_an_alarm_that_mail_held_back_is_not_sent_once_all_is_well(
    there, program, educator, mail_server, settings
):
    up, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    Message.objects.update(state="sent", sent_at=START)
    for minutes in (16, 31, 46):
        with clock.at(END + minutes * MINUTE):
            safety.watch(program)
            outbox.sweep()
    with clock.at(END + 50 * MINUTE):
        safety.leave(there, by=educator)
    settings.EMAIL_PORT = up

    with clock.at(END + 60 * MINUTE):
        outbox.sweep()

    assert {mail["Subject"] for mail in mail_server.arrived} == {"All is well"}
    assert "vera@example.org" in {mail["To"] for mail in mail_server.arrived}
