"""Asking the rota whether somebody interprets at a visit: in its order, one at a time.

The notice that somebody needs is counted from the day of the request: that others were asked
before takes nothing off it. Locks: the visit, the educator whom an interpreter may be, the
interpreter, the request.
"""

import datetime
import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, clock, languages, tokens, wording
from pthv.blocked import NotReady
from pthv.models import Educator, Message, Program, School, User
from visits import diaries, interpreter_messages
from visits.diaries import Diary
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

log = logging.getLogger(__name__)
State, Answer = InterpreterRequest.State, InterpreterAsk.Answer
PATIENCE = datetime.timedelta(days=1)
# Of what is left until the visit, nobody keeps the others waiting for more.
SHARE = 4


def blockers(
    language: str, team: Sequence[Educator], school: School, on: datetime.date
) -> list[str]:
    """Why nobody could interpret for this team on that day."""
    program = school.program
    called = {"language": languages.name(language)}
    rota = Interpreter.objects.on_the_rota(language).exclude(educator__in=team)
    notices = [diaries.notice(one, language, program) for one in rota]
    if not notices:
        return [
            _(
                "Nobody is on the rota for %(language)s. Ask your program coordinator to add "
                "somebody, or schedule the visit without an interpreter."
            )
            % called
        ]
    earliest = after(min(notices), program.today, school)
    if on >= earliest:
        return []
    return [
        ngettext(
            "An interpreter for %(language)s needs %(n)s working day: pick %(day)s or later.",
            "An interpreter for %(language)s needs %(n)s working days: pick %(day)s or later.",
            min(notices),
        )
        % (called | {"n": str(min(notices)), "day": wording.weekday(earliest)})
    ]


def after(days: int, today: datetime.date, school: School) -> datetime.date:
    """The day that is so many working days of this school after today."""
    # Weekends and a winter break among them.
    until = today + diaries.DAY * (2 * days + 30)
    return diaries.working_day(today, days, diaries.closed_days(school, today, until))


@transaction.atomic
def ask_next(request: InterpreterRequest) -> InterpreterAsk | None:
    """Ask the next who can, whoever is waited for; None where nobody is left."""
    visit, request = locked(request)
    raise_unless_open(request, visit)
    return ask_next_of(request, visit)


def ask_next_of(
    request: InterpreterRequest, visit: Visit, *, promised: InterpreterRequest | None = None
) -> InterpreterAsk | None:
    """`promised`: what stood for the time from which the visit moves: whoever had said yes to it
    is asked before all others."""
    first = promised.interpreter if promised else None
    lapse(request)
    asked = set(request.asks.values_list("interpreter", flat=True))
    found = Interpreter.objects.on_the_rota(request.language).select_related("educator__user")
    rota = [one for one in found if one.pk not in asked]
    if first is not None and first.willing:
        rota = [first, *(one for one in rota if one != first)]
    known = Known(request, visit, rota)
    for one in rota:
        if not known.obstacle(one, heard_before=one == first):
            return _ask(request, visit, one, was=promised if one == first else None)
    if request.state != State.NO_RESOURCE:
        request.state = State.NO_RESOURCE
        request.save(update_fields=["state"])
        audit.record("interpreter.nobody", request, by=None)
        interpreter_messages.tell_visitors("interpreter_none", request, visit)
    return None


def _ask(
    request: InterpreterRequest,
    visit: Visit,
    interpreter: Interpreter,
    *,
    was: InterpreterRequest | None,
) -> InterpreterAsk:
    ask = new_ask(request, interpreter)
    if request.state != State.PENDING:
        request.state = State.PENDING
        request.save(update_fields=["state"])
    audit.record("interpreter.asked", request, by=None, interpreter=interpreter.pk)
    interpreter_messages.ask(ask, request, visit, was=was)
    return ask


def new_ask(
    request: InterpreterRequest, interpreter: Interpreter, **answered: Any
) -> InterpreterAsk:
    nonce = tokens.new_nonce()
    return InterpreterAsk.objects.create(
        program_id=request.program_id,
        request=request,
        interpreter=interpreter,
        nonce=nonce,
        token_hash=tokens.hashed(tokens.token(nonce)),
        asked_at=clock.now(),
        **answered,
    )


def lapse(request: InterpreterRequest, *, but: InterpreterAsk | None = None) -> None:
    """Wait for nobody's answer any more; what was not sent yet stays here."""
    waiting = request.asks.filter(answer=Answer.WAITING)
    if but is not None:
        waiting = waiting.exclude(pk=but.pk)
    for ask in waiting:
        ask.answer, ask.answered_at = Answer.LAPSED, clock.now()
        ask.save(update_fields=["answer", "answered_at"])
        interpreter_messages.withdraw(ask)


class Known:
    """What keeps each of these from interpreting at a visit, read of all at once."""

    def __init__(
        self, request: InterpreterRequest, visit: Visit, rota: Sequence[Interpreter]
    ) -> None:
        self.request, self.visit, self.day = request, visit, visit.starts_on
        program = visit.program
        span = self.day, visit.during.upper.astimezone(program.zone).date()
        self.diaries = diaries.read([], visit.family, rota, span, program, but=visit)
        self.going = {one.educator_id for one in visit.visitors}
        self.since = request.requested_at.astimezone(program.zone).date()
        self.closed = diaries.closed_days(visit.school, self.since, self.day)
        self.ways = interpreter_messages.ways_to(rota)

    def diary(self, interpreter: Interpreter) -> Diary:
        return self.diaries["interpreter", interpreter.pk]

    def obstacle(self, interpreter: Interpreter, *, heard_before: bool = False) -> str:
        """Why this one is not asked, in a sentence; "" where nothing is in the way.

        `heard_before`: whoever planned for the visit already needs no notice.
        """
        visit, program = self.visit, self.visit.program
        name = {"name": interpreter}
        if reason := self.conflict(interpreter):
            return reason
        days = diaries.notice(interpreter, self.request.language, program)
        if not heard_before and self.day < diaries.working_day(self.since, days, self.closed):
            return _("%(name)s is asked %(days)s working days ahead.") % (
                name | {"days": str(days)}
            )
        diary = self.diary(interpreter)
        if diary.is_away(self.day):
            return _("%(name)s is away that day.") % name
        hours = diary.hours(self.day, visit.school, program) if diary.windows else None
        starts, ends = visit.during.lower, visit.during.upper
        if hours is not None and not any(begin <= starts and ends <= end for begin, end in hours):
            return _("%(name)s has other hours.") % name
        if interpreter.pk not in self.ways:
            return _("We can't write to %(name)s. Call, and note what they say.") % name
        return ""

    def conflict(self, interpreter: Interpreter) -> str:
        """Why this one can't even if they say yes."""
        name = {"name": interpreter}
        if interpreter.ended_on is not None:
            return _("%(name)s is not on the rota any more.") % name
        if interpreter.educator_id in self.going:
            return _("%(name)s goes on this visit and can't interpret, too.") % name
        during = self.visit.during
        if self.diary(interpreter).visit_at(during.lower, during.upper) is not None:
            return _("%(name)s is at another visit then, or too near to it.") % name
        return ""


def why_not(request: InterpreterRequest, visit: Visit) -> list[tuple[Interpreter, str]]:
    """Everybody on the rota for the language who was not asked yet, with what is in the way."""
    asked = request.asks.values("interpreter")
    found = Interpreter.objects.on_the_rota(request.language).select_related("educator__user")
    rota = list(found.exclude(pk__in=asked))
    known = Known(request, visit, rota)
    return [(one, known.obstacle(one)) for one in rota]


def waits_until(ask: InterpreterAsk, visit: Visit) -> datetime.datetime:
    """When the next is asked if nobody answers: after a day that is no weekend's, sooner where
    the visit is near."""
    left = max(visit.during.lower - ask.asked_at, datetime.timedelta())
    if left / SHARE < PATIENCE:
        return ask.asked_at + left / SHARE
    until = ask.asked_at + PATIENCE
    while until.astimezone(visit.program.zone).weekday() > 4:
        until += diaries.DAY
    return until


def ask_on(program: Program) -> int:
    """Ask the next wherever an answer is late or can't come; return how often.

    One request at a time: what goes wrong with one stays with it.
    """
    count = 0
    for pk in InterpreterRequest.objects.open().order_by("pk").values_list("pk", flat=True):
        try:
            count += _ask_on(InterpreterRequest(pk=pk))
        except Exception as error:
            log.warning("interpreter request %s left out: %s", pk, type(error).__name__)
    return count


@transaction.atomic
def _ask_on(request: InterpreterRequest) -> int:
    visit, request = locked(request)
    if request.state not in InterpreterRequest.OPEN:
        return 0
    if visit.during.lower <= clock.now():
        close(request, State.CANCELLED, by=None)
        return 0
    waiting = request.asks.filter(answer=Answer.WAITING).first()
    if waiting and clock.now() < waits_until(waiting, visit) and not _came_back(waiting):
        return 0
    return 0 if ask_next_of(request, visit) is None else 1


def _came_back(ask: InterpreterAsk) -> bool:
    lost = Message.objects.filter(program=ask.program_id, link_nonce=ask.nonce)
    return lost.not_arrived().exists()


def close(request: InterpreterRequest, state: str, *, by: User | None) -> None:
    request.state, request.ended_at, request.bound = state, clock.now(), None
    request.save(update_fields=["state", "ended_at", "bound"])
    audit.record("interpreter.cancelled", request, by=by, state=state)
    lapse(request)


def raise_unless_open(request: InterpreterRequest, visit: Visit) -> None:
    if request.state == State.COVERED:
        raise NotReady(_("Somebody else interprets at this visit by now. Thank you all the same!"))
    if request.state not in InterpreterRequest.OPEN or not visit.is_ahead:
        raise NotReady(_("This visit needs no interpreter any more. Thank you all the same!"))
    if visit.during.lower <= clock.now():
        raise NotReady(_("This visit has begun. Please call the school."))


def locked(request: InterpreterRequest) -> tuple[Visit, InterpreterRequest]:
    """Both as they are now, kept from others until the action is done."""
    visit_id = InterpreterRequest.objects.values_list("visit", flat=True).get(pk=request.pk)
    visit = Visit.objects.locked(visit_id)
    return visit, locked_request(request)


def locked_interpreter(interpreter: Interpreter) -> Interpreter:
    if interpreter.educator_id:
        Educator.objects.select_for_update(no_key=True).get(pk=interpreter.educator_id)
    found = Interpreter.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("educator__user").get(pk=interpreter.pk)


def locked_request(request: InterpreterRequest) -> InterpreterRequest:
    found = InterpreterRequest.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("interpreter__educator__user").get(pk=request.pk)
