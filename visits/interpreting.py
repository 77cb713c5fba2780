"""An interpreter for a visit: needed, asked one after another, found; and what follows when the
visit changes.

The rota is asked in its order, one at a time. The notice that somebody needs is counted from the
day of the request: that others were asked before takes nothing off it. Locks: the visit, the
educator whom an interpreter may be, the interpreter, the request.
"""

import datetime
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from psycopg import Error as PsycopgError

from pthv import audit, clock, languages, tokens, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Message, Program, School, User
from visits import diaries, interpreter_messages
from visits.diaries import Diary
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

log = logging.getLogger(__name__)
State, Answer = InterpreterRequest.State, InterpreterAsk.Answer
PATIENCE = datetime.timedelta(days=1)
# Of what is left until the visit, nobody keeps the others waiting for more.
SHARE = 4
CENT = Decimal("0.01")


# Before.


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
    earliest = _after(min(notices), program.today, school)
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


def _after(days: int, today: datetime.date, school: School) -> datetime.date:
    """The day that is so many working days of this school after today."""
    # Weekends and a winter break among them.
    until = today + diaries.DAY * (2 * days + 30)
    return diaries.working_day(today, days, diaries.closed_days(school, today, until))


@transaction.atomic
def request_for(visit: Visit, language: str, *, by: User | None) -> InterpreterRequest:
    """Ask for an interpreter at a visit; the same twice is one."""
    visit = _locked_visit(visit)
    standing = _standing(visit).first()
    if standing is not None:
        return standing
    if not visit.is_ahead or visit.during.lower <= clock.now():
        raise NotReady(_("This visit does not lie ahead any more."))
    team = [one.educator for one in visit.visitors]
    raise_if(blockers(language, team, visit.school, _day(visit)))
    return _request(visit, language, by=by)


def _request(
    visit: Visit, language: str, *, by: User | None, promised: InterpreterRequest | None = None
) -> InterpreterRequest:
    request = InterpreterRequest.objects.create(
        program=visit.program,
        visit=visit,
        during=visit.during,
        language=language,
        requested_at=clock.now(),
        requested_by=by,
    )
    audit.record("interpreter.requested", request, by=by, language=language)
    _ask_next(request, visit, promised=promised)
    return request


# Asking.


@transaction.atomic
def ask_next(request: InterpreterRequest) -> InterpreterAsk | None:
    """Ask the next who can, whoever is waited for; None where nobody is left."""
    visit, request = _locked(request)
    _raise_unless_open(request, visit)
    return _ask_next(request, visit)


def _ask_next(
    request: InterpreterRequest, visit: Visit, *, promised: InterpreterRequest | None = None
) -> InterpreterAsk | None:
    """`promised`: what stood for the time from which the visit moves: whoever had said yes to it
    is asked before all others."""
    first = promised.interpreter if promised else None
    _lapse(request)
    asked = set(request.asks.values_list("interpreter", flat=True))
    rota = [one for one in Interpreter.objects.on_the_rota(request.language) if one.pk not in asked]
    if first is not None:
        rota = [first, *(one for one in rota if one != first)]
    known = _Known(request, visit, rota)
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
    ask = _new_ask(request, interpreter)
    if request.state != State.PENDING:
        request.state = State.PENDING
        request.save(update_fields=["state"])
    audit.record("interpreter.asked", request, by=None, interpreter=interpreter.pk)
    interpreter_messages.ask(ask, request, visit, was=was)
    return ask


def _new_ask(
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


def _lapse(request: InterpreterRequest, *, but: InterpreterAsk | None = None) -> None:
    """Wait for nobody's answer any more; what was not sent yet stays here."""
    waiting = request.asks.filter(answer=Answer.WAITING)
    if but is not None:
        waiting = waiting.exclude(pk=but.pk)
    for ask in waiting:
        ask.answer, ask.answered_at = Answer.LAPSED, clock.now()
        ask.save(update_fields=["answer", "answered_at"])
        interpreter_messages.withdraw(ask)


class _Known:
    """What keeps each of these from interpreting at a visit, read of all at once."""

    def __init__(
        self, request: InterpreterRequest, visit: Visit, rota: Sequence[Interpreter]
    ) -> None:
        self.request, self.visit, self.day = request, visit, _day(visit)
        program = visit.program
        span = self.day, visit.during.upper.astimezone(program.zone).date()
        self.diaries = diaries.read([], visit.family, rota, span, program, but=visit)
        self.going = {one.educator_id for one in visit.visitors}
        self.since = request.requested_at.astimezone(program.zone).date()

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
        if not heard_before and self.day < _after(days, self.since, visit.school):
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
        if interpreter_messages.way_to(interpreter) is None:
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
    rota = list(Interpreter.objects.on_the_rota(request.language).exclude(pk__in=asked))
    known = _Known(request, visit, rota)
    return [(one, known.obstacle(one)) for one in rota]


def waits_until(ask: InterpreterAsk, visit: Visit) -> datetime.datetime:
    """When the next is asked if nobody answers: after a day that is no weekend's, sooner where
    the visit is near."""
    left = max(visit.during.lower - ask.asked_at, datetime.timedelta())
    until = ask.asked_at + min(PATIENCE, left / SHARE)
    zone = visit.program.zone
    while until.astimezone(zone).weekday() > 4 and until + diaries.DAY < visit.during.lower:
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
    visit, request = _locked(request)
    if request.state not in InterpreterRequest.OPEN:
        return 0
    if visit.during.lower <= clock.now():
        _close(request, State.CANCELLED, by=None)
        return 0
    waiting = request.asks.filter(answer=Answer.WAITING).first()
    if waiting and clock.now() < waits_until(waiting, visit) and not _came_back(waiting):
        return 0
    return 0 if _ask_next(request, visit) is None else 1


def _came_back(ask: InterpreterAsk) -> bool:
    lost = Message.objects.filter(program=ask.program_id, link_nonce=ask.nonce)
    return lost.not_arrived().exists()


# What they say.


@transaction.atomic
def accept(ask: InterpreterAsk) -> InterpreterRequest:
    """The interpreter says by their link that they come; twice is once."""
    return _cover(ask.request, ask.interpreter, ask=ask, by=None)


@transaction.atomic
def cover(request: InterpreterRequest, interpreter: Interpreter, *, by: User) -> InterpreterRequest:
    """One of us notes that somebody said yes, on the phone, asked by us or not."""
    return _cover(request, interpreter, ask=None, by=by)


def _cover(
    request: InterpreterRequest,
    interpreter: Interpreter,
    *,
    ask: InterpreterAsk | None,
    by: User | None,
) -> InterpreterRequest:
    visit = _locked_visit(Visit(pk=request.visit_id))
    interpreter = _locked_interpreter(interpreter)
    request = _locked_request(request)
    if ask is not None:
        ask = _still(ask)
    if request.state == State.COVERED and request.interpreter_id == interpreter.pk:
        return request
    _raise_unless_open(request, visit)
    if by is not None and not _may_be_asked(interpreter, request.language):
        raise NotReady(_("%(name)s is not on the rota for it.") % {"name": interpreter})
    if reason := _Known(request, visit, [interpreter]).conflict(interpreter):
        raise NotReady(reason)
    request.state, request.interpreter = State.COVERED, interpreter
    request.hourly_rate, request.covered_at = interpreter.hourly_rate, clock.now()
    with _taken_in_words(interpreter):
        request.save(update_fields=["state", "interpreter", "hourly_rate", "covered_at"])
    ask = ask or _their_ask(request, interpreter)
    _lapse(request, but=ask)
    _note(ask, Answer.ACCEPTED, by)
    # Whoever was to be paid for a time that was moved late comes at the new one.
    earlier = InterpreterRequest.objects.filter(visit=visit, interpreter=interpreter)
    earlier.filter(state=State.WASTED).update(state=State.CANCELLED)
    audit.record("interpreter.covered", request, by=by, interpreter=interpreter.pk)
    interpreter_messages.thank(ask, request, visit)
    interpreter_messages.tell_visitors("interpreter_found", request, visit)
    return request


@transaction.atomic
def decline(ask: InterpreterAsk) -> InterpreterRequest:
    """The interpreter says by their link that they can't, at once or after all."""
    return _decline(ask.request, ask.interpreter, ask=ask, by=None)


@transaction.atomic
def turn_down(
    request: InterpreterRequest, interpreter: Interpreter, *, by: User
) -> InterpreterRequest:
    """One of us notes that somebody can't."""
    return _decline(request, interpreter, ask=None, by=by)


def _decline(
    request: InterpreterRequest,
    interpreter: Interpreter,
    *,
    ask: InterpreterAsk | None,
    by: User | None,
) -> InterpreterRequest:
    visit, request = _locked(request)
    ask = _still(ask) if ask else _their_ask(request, interpreter)
    covered = request.state == State.COVERED and request.interpreter_id == interpreter.pk
    if ask.answer == Answer.DECLINED and not covered:
        return request
    if request.state not in InterpreterRequest.STANDING:
        raise NotReady(_("This visit needs no interpreter any more. Nothing is left to do."))
    if visit.during.lower <= clock.now():
        raise NotReady(_("This visit has begun. Please call the school."))
    waited_for = ask.answer == Answer.WAITING
    _note(ask, Answer.DECLINED, by)
    audit.record("interpreter.declined", request, by=by, interpreter=interpreter.pk)
    interpreter_messages.withdraw(ask)
    if covered:
        _uncover(request)
        interpreter_messages.take_back(ask, request, visit)
        interpreter_messages.tell_visitors("interpreter_lost", request, visit)
    if covered or waited_for:
        _ask_next(request, visit)
    return request


def _uncover(request: InterpreterRequest) -> None:
    request.state, request.interpreter = State.PENDING, None
    request.hourly_rate = request.covered_at = None
    request.save(update_fields=["state", "interpreter", "hourly_rate", "covered_at"])


def _their_ask(request: InterpreterRequest, interpreter: Interpreter) -> InterpreterAsk:
    """What they were asked; made now where they answer unasked."""
    found = request.asks.filter(interpreter=interpreter).first()
    if found is None:
        # Whoever is waited for is waited for all the same.
        unasked = {"answer": Answer.LAPSED, "answered_at": clock.now()}
        found = _new_ask(request, interpreter, **unasked)
    found.interpreter = interpreter
    return found


def _note(ask: InterpreterAsk, answer: str, by: User | None) -> None:
    ask.answer, ask.answered_at, ask.recorded_by = answer, clock.now(), by
    ask.save(update_fields=["answer", "answered_at", "recorded_by"])


@transaction.atomic
def give_back(interpreter: Interpreter, *, by: User) -> int:
    """Ask others wherever somebody who leaves the rota is to come, or is waited for."""
    theirs = InterpreterRequest.objects.filter(
        Q(state=State.COVERED, interpreter=interpreter)
        | Q(asks__interpreter=interpreter, asks__answer=Answer.WAITING),
        during__startswith__gt=clock.now(),
        state__in=InterpreterRequest.STANDING,
    )
    found = sorted(set(theirs.values_list("visit", "pk")))
    for _visit, pk in found:
        _decline(InterpreterRequest.objects.get(pk=pk), interpreter, ask=None, by=by)
    return len(found)


def send_to_new_address(interpreter: Interpreter) -> None:
    """Close the links that went to an address which was not theirs, and send them anew."""
    standing = InterpreterAsk.objects.filter(
        interpreter=interpreter,
        answer__in=[Answer.WAITING, Answer.ACCEPTED],
        request__state__in=InterpreterRequest.STANDING,
        request__during__startswith__gt=clock.now(),
    )
    for ask in standing.select_related("request__visit__program", "request__visit__school"):
        interpreter_messages.withdraw(ask)
        ask.interpreter = interpreter
        ask.nonce = tokens.new_nonce()
        ask.token_hash = tokens.hashed(tokens.token(ask.nonce))
        ask.save(update_fields=["nonce", "token_hash"])
        if ask.answer == Answer.ACCEPTED:
            interpreter_messages.thank(ask, ask.request, ask.request.visit)
        else:
            interpreter_messages.ask(ask, ask.request, ask.request.visit)


# When the visit changes.


def visit_ends(visit: Visit, *, by: User | None) -> None:
    """A locked visit was cancelled, or nobody was home: what was asked for is, too.

    Whoever came in vain, or heard of it too late, may have to be paid.
    """
    request = _standing(visit).select_for_update(of=("self",), no_key=True).first()
    if request is None:
        return
    in_vain = visit.state == Visit.State.NOT_HOME
    _release(request, visit, by=by, in_vain=in_vain, told=not in_vain)


def visit_moves(visit: Visit, *, by: User | None) -> None:
    """A locked visit has its new time, and is not saved yet: whoever was to interpret is asked
    anew before all others. Call it before the visit is saved, and with its new `sequence`."""
    request = _standing(visit).select_for_update(of=("self",), no_key=True).first()
    if request is None:
        return
    was = Visit(pk=visit.pk, program=visit.program, school=visit.school, during=request.during)
    was.scheduled_at = visit.scheduled_at
    covering = request.asks.filter(interpreter=request.interpreter_id)
    _release(request, was, by=by, in_vain=False, told=False)
    new = _request(visit, request.language, by=by, promised=request)
    if not new.asks.filter(interpreter=request.interpreter_id).exists():
        interpreter_messages.call_off(covering, request, was)


@transaction.atomic
def call_off(request: InterpreterRequest, *, by: User) -> InterpreterRequest:
    """The visit needs no interpreter after all."""
    visit, request = _locked(request)
    if request.state in InterpreterRequest.STANDING:
        if visit.during.lower <= clock.now():
            raise NotReady(_("This visit has begun."))
        _release(request, visit, by=by, in_vain=False, told=True)
    return request


def _release(
    request: InterpreterRequest, visit: Visit, *, by: User | None, in_vain: bool, told: bool
) -> None:
    covered = request.state == State.COVERED
    wasted = covered and (in_vain or is_late(request, visit))
    if told:
        answers = [Answer.WAITING, Answer.ACCEPTED]
        interpreter_messages.call_off(request.asks.filter(answer__in=answers), request, visit)
    _close(request, State.WASTED if wasted else State.CANCELLED, by=by)


def _close(request: InterpreterRequest, state: str, *, by: User | None) -> None:
    request.state, request.ended_at = state, clock.now()
    request.save(update_fields=["state", "ended_at"])
    audit.record("interpreter.cancelled", request, by=by, state=state)
    _lapse(request)


def is_late(request: InterpreterRequest, visit: Visit) -> bool:
    """Whether so little time is left that whoever comes may have to be paid all the same: less
    than half of their notice, in working days."""
    if request.interpreter is None:
        return False
    notice = diaries.notice(request.interpreter, request.language, visit.program)
    return _day(visit) < _after((notice + 1) // 2, visit.program.today, visit.school)


def cost(request: InterpreterRequest) -> Decimal | None:
    """What the visit's time costs at the rate that was promised; None where none was."""
    if request.hourly_rate is None:
        return None
    hours = Decimal((request.during.upper - request.during.lower).total_seconds()) / 3600
    return (request.hourly_rate * hours).quantize(CENT)


# Locks.


def _standing(visit: Visit) -> QuerySet[InterpreterRequest]:
    found = InterpreterRequest.objects.standing().filter(visit=visit)
    return found.select_related("interpreter__educator__user")


def _day(visit: Visit) -> datetime.date:
    return visit.during.lower.astimezone(visit.program.zone).date()


def _may_be_asked(interpreter: Interpreter, language: str) -> bool:
    return Interpreter.objects.on_the_rota(language).filter(pk=interpreter.pk).exists()


def _raise_unless_open(request: InterpreterRequest, visit: Visit) -> None:
    if request.state == State.COVERED:
        raise NotReady(_("Somebody else interprets at this visit by now. Thank you all the same!"))
    if request.state not in InterpreterRequest.OPEN or not visit.is_ahead:
        raise NotReady(_("This visit needs no interpreter any more. Thank you all the same!"))
    if visit.during.lower <= clock.now():
        raise NotReady(_("This visit has begun. Please call the school."))


@contextmanager
def _taken_in_words(interpreter: Interpreter) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        cause = refused.__cause__
        if not isinstance(cause, PsycopgError):
            raise
        if cause.diag.constraint_name != "interpreter_one_at_a_time":
            raise
        reason = _("%(name)s is at another visit then, or too near to it.")
        raise NotReady(reason % {"name": interpreter}) from refused


def _locked(request: InterpreterRequest) -> tuple[Visit, InterpreterRequest]:
    """Both as they are now, kept from others until the action is done."""
    visit_id = InterpreterRequest.objects.values_list("visit", flat=True).get(pk=request.pk)
    visit = _locked_visit(Visit(pk=visit_id))
    return visit, _locked_request(request)


def _locked_visit(visit: Visit) -> Visit:
    found = Visit.objects.select_for_update(of=("self",)).select_related("program", "school")
    return found.select_related("program", "school__program", "family").get(pk=visit.pk)


def _locked_interpreter(interpreter: Interpreter) -> Interpreter:
    if interpreter.educator_id:
        Educator.objects.select_for_update(no_key=True).get(pk=interpreter.educator_id)
    found = Interpreter.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("educator__user").get(pk=interpreter.pk)


def _locked_request(request: InterpreterRequest) -> InterpreterRequest:
    found = InterpreterRequest.objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("interpreter__educator__user").get(pk=request.pk)


def _still(ask: InterpreterAsk) -> InterpreterAsk:
    """The ask as it is now; its link may have been closed since it was opened."""
    found = InterpreterAsk.objects.select_related("interpreter__educator__user")
    now = found.filter(pk=ask.pk, token_hash=ask.token_hash).first()
    if now is None:
        raise NotReady(_("This link is closed. Please use the one in our newest message."))
    return now
