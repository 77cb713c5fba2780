"""What is queued is sent, once if nothing breaks, and never lost without being seen."""

import asyncio
import datetime
import smtplib
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Status

from pthv import clock, outbox, tasks
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import NOW
from visits import scheduling
from visits.models import Visit

MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


class FlakyBackend(EmailBackend):
    """A mail server: `trouble` is raised for addresses in `refused`, or for all if it is None."""

    trouble: Exception | None = None
    refused: set[str] | None = None
    in_transaction: list[bool]
    meanwhile = None

    def send_messages(self, messages):
        cls = type(self)
        cls.in_transaction.append(len(connection.savepoint_ids) > 0)
        if cls.meanwhile:
            cls.meanwhile()
        if cls.trouble and (cls.refused is None or set(messages[0].to) & cls.refused):
            raise cls.trouble
        return super().send_messages(messages)


@pytest.fixture
def server(settings, monkeypatch) -> type[FlakyBackend]:
    for name, value in (("trouble", None), ("refused", None), ("meanwhile", None)):
        monkeypatch.setattr(FlakyBackend, name, value)
    monkeypatch.setattr(FlakyBackend, "in_transaction", [], raising=False)
    settings.EMAIL_BACKEND = f"{__name__}.FlakyBackend"
    return FlakyBackend


@pytest.fixture
def write(program, educator):
    def make(number: int = 1, **fields) -> Message:
        return Message.objects.create(
            program=program,
            kind="visit_scheduled",
            key=f"visit_scheduled:{number}",
            to_user=educator,
            address=f"to{number}@example.org",
            subject="Home visit",
            body="Hello",
            **fields,
        )

    return make


def keep_trying(message: Message, until: datetime.timedelta) -> list[datetime.timedelta]:
    """Sweep every five minutes, as the worker does; return when an attempt was made."""
    tried, attempts, passed = [], message.attempts, datetime.timedelta()
    start = message.queued_at
    while passed <= until and message.state == Message.State.QUEUED:
        with clock.at(start + passed):
            outbox.sweep()
        message.refresh_from_db()
        if message.attempts != attempts:
            tried.append(passed)
            attempts = message.attempts
        passed += 5 * MINUTE
    return tried


def test_a_message_is_sent_once(write, mailoutbox, server):
    message = write()

    assert outbox.send(message.pk) is True
    assert outbox.send(message.pk) is False
    assert outbox.sweep() == 0

    message.refresh_from_db()
    assert [mail.to for mail in mailoutbox] == [["to1@example.org"]]
    assert (message.state, message.sent_at, message.attempts) == ("sent", NOW, 1)


@pytest.mark.django_db(transaction=True)
def test_no_row_is_held_while_the_mail_server_is_asked(write, server):
    message = write()
    seen = []

    def look() -> None:
        seen.append((connection.in_atomic_block, Message.objects.get(pk=message.pk).attempts))

    server.meanwhile = look

    outbox.send(message.pk)

    assert seen == [(False, 1)]


def test_nobody_else_sends_what_is_being_sent(write, server, mailoutbox):
    message = write()
    others = []
    server.meanwhile = lambda: others.append(len(others) < 1 and outbox.send(message.pk))

    outbox.send(message.pk)

    assert others == [False] and len(mailoutbox) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        ConnectionRefusedError(),
        smtplib.SMTPServerDisconnected(),
        ValueError("a header"),
        UnicodeError("an address"),
        RuntimeError(),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_one_that_cannot_be_sent_does_not_keep_the_others(write, server, mailoutbox, trouble):
    first, second = write(1), write(2)
    server.trouble, server.refused = trouble, {first.address}

    assert outbox.sweep() == 1

    first.refresh_from_db()
    assert (first.state, first.attempts) == ("queued", 1)
    assert first.next_try_at == NOW + 5 * MINUTE
    assert [mail.to for mail in mailoutbox] == [[second.address]]


def test_a_sweep_outlives_what_goes_wrong_around_a_message(write, monkeypatch):
    first, second = write(1), write(2)
    send = outbox.send

    def broken(pk: int) -> bool:
        if pk == first.pk:
            raise OperationalError
        return send(pk)

    monkeypatch.setattr(outbox, "send", broken)

    assert outbox.sweep() == 1
    second.refresh_from_db()
    assert second.state == "sent"


def test_a_sweep_ends_where_the_server_hangs(write, server, monkeypatch):
    write(1), write(2), write(3)
    ticks = iter(range(0, 1000, 40))
    monkeypatch.setattr(outbox.time, "monotonic", lambda: next(ticks))

    assert outbox.sweep() == 1
    assert outbox.sweep() == 1


def test_gaps_grow_and_after_three_days_it_is_given_up(write, server):
    server.trouble = ConnectionRefusedError()
    message = write()

    tried = keep_trying(message, 10 * DAY)

    gaps = [after - before for before, after in pairwise(tried)]
    assert gaps[:4] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE]
    assert gaps == sorted(gaps) and gaps[-1] == outbox.LONGEST_GAP
    assert message.state == "failed"
    assert 3 * DAY <= tried[-1] < 3.5 * DAY
    assert len(tried) == 14


def test_a_mail_server_back_within_three_days_loses_nothing(write, server, mailoutbox):
    server.trouble = ConnectionRefusedError()
    message = write()
    keep_trying(message, 2.9 * DAY)
    assert message.state == "queued"

    server.trouble = None
    with clock.at(NOW + 3.5 * DAY):
        assert outbox.sweep() == 1
    assert len(mailoutbox) == 1


def test_a_worker_away_for_a_week_still_tries(write, server):
    server.trouble = ConnectionRefusedError()
    message = write()

    with clock.at(NOW + 7 * DAY):
        outbox.sweep()

    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 1)


def test_a_worker_killed_before_it_marked_it_sends_it_again_under_one_id(
    write, server, mailoutbox, monkeypatch
):
    message = write()
    update = Message.objects.none().__class__.update

    def killed(self, **fields):
        raise SystemExit

    monkeypatch.setattr(Message.objects.none().__class__, "update", killed)
    with pytest.raises(SystemExit):
        outbox.send(message.pk)
    monkeypatch.setattr(Message.objects.none().__class__, "update", update)

    assert outbox.sweep() == 0
    with clock.at(NOW + 5 * MINUTE):
        assert outbox.sweep() == 1
    ids = {mail.extra_headers["Message-ID"] for mail in mailoutbox}
    assert len(mailoutbox) == 2 and len(ids) == 1


def test_an_administrator_sends_a_failed_one_again_where_its_person_is_now(
    write, server, client, administrator, educator, mailoutbox
):
    failed = write(1, state="failed", attempts=13, queued_at=NOW - 4 * DAY)
    client.force_login(administrator)
    asked = {"action": "send_again", "_selected_action": [failed.pk], "_asked": "1"}

    client.post(reverse("admin:pthv_message_changelist"), asked)

    failed.refresh_from_db()
    assert (failed.state, failed.attempts, failed.queued_at) == ("queued", 0, NOW)
    assert AuditEntry.objects.filter(
        event="message.queued_again", subject_id=failed.pk, by=administrator
    ).exists()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_message'"
            " AND (args->>'message_id')::bigint = %s",
            [failed.pk],
        )
        assert cursor.fetchone() == (1,)
    assert outbox.sweep() == 1
    assert mailoutbox[0].to == [educator.email]


@pytest.mark.parametrize("state", ["queued", "sent"])
def test_only_a_failed_one_is_sent_again(write, administrator, state):
    message = write(1, state=state, sent_at=NOW if state == "sent" else None)

    with pytest.raises(NotReady):
        outbox.send_again(message, by=administrator)
    message.refresh_from_db()
    assert message.state == state


def test_an_hour_is_the_programs_though_an_administrator_is_in_utc(visit, administrator):
    with scopes_disabled(), timezone.override(datetime.UTC):
        scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=administrator)

        bodies = Message.objects.filter(kind="visit_cancelled").values_list("body", flat=True)
        assert len(bodies) == 2
        assert all("Thu, Oct 8, 4:30 PM" in body for body in bodies)


def test_one_job_that_cannot_be_rescued_does_not_keep_the_others():
    rescued, given_up = [], []

    class Manager:
        async def get_stalled_jobs(self, seconds_since_heartbeat: int):
            tried = {1: 0, 2: 0, 3: tasks.MOST_ATTEMPTS, 4: tasks.MOST_ATTEMPTS + 1}
            return [SimpleNamespace(id=one, attempts=tries) for one, tries in tried.items()]

        async def retry_job(self, job) -> None:
            if job.id == 2:
                raise RuntimeError
            rescued.append(job.id)

        async def finish_job(self, job, status, delete_job: bool) -> None:
            given_up.append((job.id, status, delete_job))

    context = SimpleNamespace(app=SimpleNamespace(job_manager=Manager()))
    with ThreadPoolExecutor(1) as thread:  # a browser test may have left a loop in this one
        thread.submit(asyncio.run, tasks.rescue_stalled.func(context, 0)).result()

    assert rescued == [1, 3]
    assert given_up == [(4, Status.FAILED, False)]


@pytest.mark.django_db(transaction=True)
def test_jobs_done_long_ago_are_forgotten(program):
    """Of six jobs, the one that was done nine days ago goes; what waits or failed stays."""
    told = [(state, days) for state in ("succeeded", "failed", "todo") for days in (9, 6)]
    with connection.cursor() as cursor:
        for state, days in told:
            cursor.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
                " VALUES ('default', %s, %s::procrastinate_job_status) RETURNING id",
                [f"{state} {days}", state],
            )
            (job,) = cursor.fetchone()
            cursor.execute(
                "INSERT INTO procrastinate_events (job_id, type) VALUES (%s, 'succeeded')", [job]
            )
            cursor.execute(
                "UPDATE procrastinate_events SET at = now() - %s * interval '1 day'"
                " WHERE job_id = %s",
                [days, job],
            )

    async def night() -> None:
        with app.replace_connector(app.connector.get_worker_connector()) as worker:
            async with worker.open_async():
                await tasks.forget_jobs.func(SimpleNamespace(app=worker), 0)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, night()).result()

    left = ProcrastinateJob.objects.values_list("task_name", flat=True)
    assert set(left) == {f"{state} {days}" for state, days in told} - {"succeeded 9"}


def test_many_are_queued_at_once_each_under_its_key(program, educator, partner):
    def letters(*keys: str) -> list[outbox.Letter]:
        return [outbox.Letter(educator, {"by": partner}, key) for key in keys]

    first = outbox.queue_many(program, "account_made", letters("1", "2", "2"))
    again = outbox.queue_many(program, "account_made", letters("2", "3"))

    assert [message.key for message in first] == ["account_made:1", "account_made:2"]
    assert [message.key for message in again] == ["account_made:3"]
    assert outbox.queue_many(program, "account_made", []) == []
    jobs = ProcrastinateJob.objects.filter(task_name="send_message").order_by("id")
    queued = [message.pk for message in [*first, *again]]
    assert [job.args["message_id"] for job in jobs] == queued


@pytest.mark.parametrize("count", [30, 60])
def test_many_take_as_many_queries_as_few(
    program, educator, partner, count, django_assert_num_queries
):
    letters = [outbox.Letter(educator, {"by": partner}, str(n)) for n in range(count)]

    with django_assert_num_queries(3):
        outbox.queue_many(program, "account_made", letters)

    assert Message.objects.count() == count


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_who_queues_the_same_at_once_queues_it_once(program, educator, partner):
    start = threading.Barrier(2)

    def work() -> None:
        try:
            with scope(program=program), clock.at(NOW):
                start.wait(timeout=20)
                letters = [outbox.Letter(educator, {"by": partner}, str(n)) for n in range(20)]
                outbox.queue_many(program, "account_made", letters)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for job in [pool.submit(work) for _worker in range(2)]:
            job.result(timeout=30)

    assert Message.objects.count() == 20
