"""The worker's tasks for training: each a thin shell around a plain, idempotent function."""

from collections.abc import Callable

from django_scopes import scope
from procrastinate import JobContext
from procrastinate.contrib.django import app

from pthv.models import Program, User
from pthv.tasks import MOST_ATTEMPTS
from training import door, feedback, reminders
from training.certificate_imports import apply, plan


@app.task(name="plan_certificates", pass_context=True)
def plan_certificates(context: JobContext, program_id: int, import_id: int) -> None:
    if context.job.attempts < MOST_ATTEMPTS:
        plan.run(program_id, import_id)
    else:
        plan.give_up(program_id, import_id)


@app.task(name="apply_certificates", pass_context=True)
def apply_certificates(context: JobContext, program_id: int, import_id: int, by_id: int) -> None:
    _work(apply.run, context, program_id, import_id, by_id)


@app.task(name="undo_certificates", pass_context=True)
def undo_certificates(context: JobContext, program_id: int, import_id: int, by_id: int) -> None:
    _work(apply.run_undo, context, program_id, import_id, by_id)


def _work(
    run: Callable[..., None], context: JobContext, program_id: int, import_id: int, by_id: int
) -> None:
    program = Program.objects.get(pk=program_id)
    if context.job.attempts < MOST_ATTEMPTS:
        run(import_id, program=program, by=User.objects.get(pk=by_id))
    else:
        apply.give_up(import_id, program=program)


@app.periodic(cron="23 * * * *")
@app.task(name="remind_of_certifications", queueing_lock="remind_of_certifications")
def remind_of_certifications(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            if reminders.is_morning(program):
                reminders.remind(program)


@app.periodic(cron="43 * * * *")
@app.task(name="ask_how_it_was", queueing_lock="ask_how_it_was")
def ask_how_it_was(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            if reminders.is_morning(program):
                feedback.ask_later(program)


@app.periodic(cron="37 3 * * *")
@app.task(name="forget_the_door", queueing_lock="forget_the_door")
def forget_the_door(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            door.forget()
