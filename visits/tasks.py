"""The worker's tasks for visits and families: each a thin shell around an idempotent function."""

import logging
from collections.abc import Callable

from django_scopes import scope
from procrastinate.contrib.django import app

from pthv.models import Program
from visits import (
    drafts,
    family_messages,
    interpreter_asks,
    interpreting,
    invitations,
    reminders,
    safety,
    scheduling,
    sending,
    taking_back,
    write_up,
)

log = logging.getLogger(__name__)


@app.periodic(cron="11 * * * *")
@app.task(name="remind_families", queueing_lock="remind_families")
def remind_families(timestamp: int) -> None:
    _for_each_program(family_messages.remind)


@app.periodic(cron="*/5 * * * *")
@app.task(name="settle_messages", queueing_lock="settle_messages")
def settle_messages(timestamp: int) -> None:
    _for_each_program(family_messages.settle)


@app.periodic(cron="*/15 * * * *")
@app.task(name="ask_interpreters", queueing_lock="ask_interpreters")
def ask_interpreters(timestamp: int) -> None:
    _for_each_program(interpreting.give_back_of_leavers)
    _for_each_program(interpreter_asks.ask_on)


@app.periodic(cron="*/10 * * * *")
@app.task(name="remind_of_visits", queueing_lock="remind_of_visits")
def remind_of_visits(timestamp: int) -> None:
    _for_each_program(reminders.remind)


@app.periodic(cron="37 * * * *")
@app.task(name="remind_to_write_up", queueing_lock="remind_to_write_up")
def remind_to_write_up(timestamp: int) -> None:
    _for_each_program(write_up.remind)


@app.periodic(cron="* * * * *")
@app.task(name="watch_visits", queueing_lock="watch_visits")
def watch_visits(timestamp: int) -> None:
    _for_each_program(safety.watch)


@app.periodic(cron="23 11 * * *")
@app.task(name="open_second_visits", queueing_lock="open_second_visits")
def open_second_visits(timestamp: int) -> None:
    _for_each_program(invitations.open_seconds)


@app.periodic(cron="47 3 * * *")
@app.task(name="forget_taps", queueing_lock="forget_taps")
def forget_taps(timestamp: int) -> None:
    _for_each_program(lambda program: taking_back.forget())


@app.periodic(cron="51 3 * * *")
@app.task(name="forget_sendings", queueing_lock="forget_sendings")
def forget_sendings(timestamp: int) -> None:
    _for_each_program(lambda program: sending.forget())


@app.periodic(cron="53 3 * * *")
@app.task(name="forget_drafts", queueing_lock="forget_drafts")
def forget_drafts(timestamp: int) -> None:
    _for_each_program(lambda program: drafts.forget())


@app.periodic(cron="29 * * * *")
@app.task(name="forget_addresses", queueing_lock="forget_addresses")
def forget_addresses(timestamp: int) -> None:
    _for_each_program(lambda program: scheduling.forget_addresses())


def _for_each_program(do: Callable[[Program], object]) -> None:
    """What goes wrong in one program keeps nothing from the others."""
    for program in Program.objects.all():
        try:
            with scope(program=program):
                do(program)
        except Exception as error:
            log.warning("program %s left out: %s", program.pk, type(error).__name__)
