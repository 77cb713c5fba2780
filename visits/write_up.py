"""A visit that is not written up: a kind word the morning after, one more, and then no more."""

import datetime
from typing import Any

from django.db.models import QuerySet

from pthv import outbox
from pthv.models import Educator, Program
from pthv.outbox import Letter
from training.reminders import is_morning
from visits.models import VisitParticipant

DAYS = (1, 5)
LAST = 14  # days after it; what is older stands on the desk alone
# Whoever set out and tapped no more is asked, too, whether it took place.
ASKS = {"leave": "hold", "hold": "hold", "log": "log", "reflect": "reflect", "attest": "attest"}


def remind(program: Program) -> int:
    """Write to each who has something left to do after a visit; return to how many.

    Once each: a message's key is its visit's, its person's and its day's. Late, only the later.
    """
    if not is_morning(program):
        return 0
    letters = []
    for mine in _unfinished(program):
        step = ASKS.get(mine.next_step(mine.visit, reflected=mine.reflected))
        over_on = mine.during.upper.astimezone(program.zone).date()
        since = (program.today - over_on).days
        days = max((days for days in DAYS if days <= since), default=None)
        if days is None or since > LAST or step is None:
            continue
        context = {"visit": mine.visit, "step": step, "last": days == DAYS[-1]}
        letters.append(Letter(mine.educator.user, context, f"{mine.visit_id}:{days}:{mine.pk}"))
    return len(outbox.queue_many(program, "visit_write_up", letters))


def _unfinished(program: Program) -> QuerySet[Any]:
    """Who still works here and was to go, where a visit of the last two weeks is over."""
    staying = Educator.objects.staying().filter(program=program, user__is_active=True)
    oldest = program.today - datetime.timedelta(days=LAST + 1)
    first = datetime.datetime.combine(oldest, datetime.time(), program.zone)
    today = datetime.datetime.combine(program.today, datetime.time(), program.zone)
    return (
        VisitParticipant.objects.unfinished(staying.values("pk"))
        .filter(program=program, declined_at=None, occupies=True)
        .filter(during__startswith__gte=first, during__endswith__lt=today)
        .select_related("educator__user")
    )
