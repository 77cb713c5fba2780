"""The worker's tasks: each a thin shell around a plain, idempotent function."""

import logging

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from pthv import outbox, undo

log = logging.getLogger(__name__)
# What kills every worker that takes it up must not do so for ever.
MOST_ATTEMPTS = 3


@app.task(name="send_message")
def send_message(message_id: int) -> None:
    outbox.send(message_id)


@app.periodic(cron="*/5 * * * *")
@app.task(name="sweep_outbox", queueing_lock="sweep_outbox", pass_context=False)
def sweep_outbox(timestamp: int) -> None:
    outbox.sweep()


@app.periodic(cron="41 3 * * *")
@app.task(name="sweep_images", queueing_lock="sweep_images", pass_context=False)
def sweep_images(timestamp: int) -> None:
    undo.sweep()


@app.periodic(cron="7 4 * * *")
@app.task(name="forget_jobs", queueing_lock="forget_jobs", pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:
    """A job each minute fills a table: a week of what is done is enough to look at."""
    await context.app.job_manager.delete_old_jobs(nb_hours=24 * 7)


@app.periodic(cron="*/2 * * * *")
@app.task(name="rescue_stalled", queueing_lock="rescue_stalled", pass_context=True)
async def rescue_stalled(context: JobContext, timestamp: int) -> None:
    """Give jobs of a killed worker to the next one; every task can bear to run twice."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=60):
        try:
            # One more than tries: the last may say on a page that it is over.
            if job.attempts > MOST_ATTEMPTS:
                log.error("job %s given up after %s attempts", job.id, job.attempts)
                await manager.finish_job(job, Status.FAILED, delete_job=False)
            else:
                await manager.retry_job(job)
        except Exception as error:
            # Such as a job whose like is queued already: the others are rescued all the same.
            log.warning("job %s not rescued: %s", job.id, type(error).__name__)
