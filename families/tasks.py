"""The worker's tasks for rosters: each a thin shell around a plain, idempotent function."""

from django_scopes import scope
from procrastinate import JobContext
from procrastinate.contrib.django import app

from families.roster import apply, attributes
from families.roster import upload as uploads
from pthv.models import Program, User
from pthv.tasks import MOST_ATTEMPTS


@app.task(name="plan_roster", pass_context=True)
def plan_roster(context: JobContext, program_id: int, import_id: int, upload: str) -> None:
    if context.job.attempts < MOST_ATTEMPTS:
        uploads.read(program_id, import_id, upload)
    else:
        uploads.give_up(program_id, import_id)


@app.task(name="apply_roster")
def apply_roster(program_id: int, import_id: int, by_id: int) -> None:
    apply.run(
        import_id,
        program=Program.objects.get(pk=program_id),
        by=User.objects.get(pk=by_id),
    )


@app.task(name="undo_roster")
def undo_roster(program_id: int, import_id: int, by_id: int) -> None:
    apply.run_undo(
        import_id,
        program=Program.objects.get(pk=program_id),
        by=User.objects.get(pk=by_id),
    )


@app.periodic(cron="17 * * * *")
@app.task(name="sweep_uploads", queueing_lock="sweep_uploads")
def sweep_uploads(timestamp: int) -> None:
    uploads.sweep()


@app.periodic(cron="29 3 * * *")
@app.task(name="sweep_attributes", queueing_lock="sweep_attributes")
def sweep_attributes(timestamp: int) -> None:
    for program in Program.objects.all():
        with scope(program=program):
            attributes.forget(program)
