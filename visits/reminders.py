"""Two days and two hours before a visit everybody who comes is reminded, and the family."""

import datetime
import logging

from django.db import transaction
from django.db.models import Q

from pthv import clock, quiet_hours
from pthv.models import Program
from visits import family_messages, interpreter_messages, scheduling, telling
from visits.models import InterpreterAsk, InterpreterRequest, Visit

log = logging.getLogger(__name__)
HOUR = datetime.timedelta(hours=1)
# How many hours before; and who was told of the time so lately before that needs no reminder.
STEPS = {48: 12 * HOUR, 2: 4 * HOUR}


def remind(program: Program) -> int:
    """Remind of each visit that is near, once for each step; return of how many.

    Late, only of the nearest step. What goes wrong with one visit stays with it.
    """
    now = clock.now()
    near = Visit.objects.ahead().by_start().filter(program=program, starts_at__gt=now)
    near = near.filter(starts_at__lte=now + max(STEPS) * HOUR)
    waiting = near.filter(Q(reminded=None) | Q(reminded__gt=min(STEPS)))
    count = 0
    for pk in list(waiting.order_by("starts_at", "pk").values_list("pk", flat=True)):
        try:
            count += _remind(pk)
        except Exception as error:
            log.warning("visit %s not reminded of: %s", pk, type(error).__name__)
    return count


@transaction.atomic
def _remind(pk: int) -> bool:
    invitation = scheduling.locked_invitation_of(Visit.objects.get(pk=pk))
    visit = Visit.objects.locked(pk)
    visit.invitation = invitation
    left = visit.during.lower - clock.now()
    step = min((hours for hours in STEPS if left <= hours * HOUR), default=None)
    # Whoever came second finds nothing due any more.
    if step is None or not visit.is_ahead or left <= 0 * HOUR:
        return False
    if visit.reminded is not None and visit.reminded <= step:
        return False
    Visit.objects.filter(pk=pk).update(reminded=step)
    known_since = visit.timed_at or visit.scheduled_at
    if known_since > visit.during.lower - step * HOUR - STEPS[step]:
        return False
    going = [one.educator for one in visit.visitors if one.declined_at is None]
    telling.tell(visit, "visit_reminder", going, by=None, which=step)
    _tell_interpreter(visit, step)
    quiet_until = quiet_hours.ends_at(visit.program, clock.now())
    if quiet_until is None or quiet_until < visit.during.lower:
        family_messages.tell_soon(visit, step)
    return True


def _tell_interpreter(visit: Visit, step: int) -> None:
    covered = InterpreterRequest.objects.filter(visit=visit, state="covered").first()
    if covered is None:
        return
    asked = InterpreterAsk.objects.filter(request=covered, interpreter=covered.interpreter_id)
    for one in asked.select_related("interpreter__educator__user", "request__program"):
        interpreter_messages.remind(one, covered, visit, step)
