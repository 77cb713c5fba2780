"""The worker's tasks for messages to families: each a thin shell around an idempotent function."""

from django_scopes import scope
from procrastinate.contrib.django import app

from pthv.models import Program
from visits import family_messages


@app.periodic(cron="11 * * * *")
@app.task(name="remind_families", queueing_lock="remind_families")
def remind_families(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            family_messages.remind(program)


@app.periodic(cron="*/5 * * * *")
@app.task(name="settle_messages", queueing_lock="settle_messages")
def settle_messages(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            family_messages.settle(program)
