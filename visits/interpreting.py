"""An interpreter for a visit: needed, found; and what follows when the visit changes.

Who is asked, and in which order, is in interpreter_asks, with the locks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from psycopg import Error as PsycopgError

from pthv import audit, clock, tokens
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Program, User
from visits import diaries, interpreter_messages
from visits import interpreter_asks as asks
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit
from visits.models.interpreting import IN_ONE_PLACE

State, Answer = InterpreterRequest.State, InterpreterAsk.Answer
CENT = Decimal("0.01")


@transaction.atomic
def request_for(visit: Visit, language: str, *, by: User | None) -> InterpreterRequest:
    """Ask for an interpreter at a visit; the same twice is one."""
    visit = Visit.objects.locked(visit.pk)
    standing = _standing(visit).first()
    if standing is not None:
        return standing
    if not visit.is_ahead or visit.during.lower <= clock.now():
        raise NotReady(_("This visit does not lie ahead any more."))
    team = [one.educator for one in visit.visitors]
    raise_if(asks.blockers(language, team, visit.school, visit.starts_on))
    return _request(visit, language, by=by)


def _request(
    visit: Visit, language: str, *, by: User | None, promised: InterpreterRequest | None = None
) -> InterpreterRequest:
    request = InterpreterRequest.objects.create(
        program=visit.program,
        visit=visit,
        bound=visit,
        during=visit.during,
        language=language,
        requested_at=clock.now(),
        requested_by=by,
    )
    audit.record("interpreter.requested", request, by=by, language=language)
    asks.ask_next_of(request, visit, promised=promised)
    return request


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
    visit = Visit.objects.locked(request.visit_id)
    interpreter = asks.locked_interpreter(interpreter)
    request = asks.locked_request(request)
    if ask is not None:
        ask = _still(ask)
    if request.state == State.COVERED and request.interpreter_id == interpreter.pk:
        return request
    asks.raise_unless_open(request, visit)
    if by is not None and not _may_be_asked(interpreter, request.language):
        raise NotReady(_("%(name)s is not on the rota for it.") % {"name": interpreter})
    if reason := asks.Known(request, visit, [interpreter]).conflict(interpreter):
        raise NotReady(reason)
    request.state, request.interpreter = State.COVERED, interpreter
    request.hourly_rate, request.covered_at = interpreter.hourly_rate, clock.now()
    with _taken_in_words(interpreter):
        request.save(update_fields=["state", "interpreter", "hourly_rate", "covered_at"])
    ask = ask or _their_ask(request, interpreter)
    asks.lapse(request, but=ask)
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
    visit, request = asks.locked(request)
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
        asks.ask_next_of(request, visit)
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
        found = asks.new_ask(request, interpreter, **unasked)
    found.interpreter = interpreter
    return found


def _note(ask: InterpreterAsk, answer: str, by: User | None) -> None:
    ask.answer, ask.answered_at, ask.recorded_by = answer, clock.now(), by
    ask.save(update_fields=["answer", "answered_at", "recorded_by"])


@transaction.atomic
def give_back(interpreter: Interpreter, *, by: User | None) -> int:
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


def give_back_of_leavers(program: Program) -> int:
    """The same wherever somebody interprets who has left the staff; return of how many visits."""
    coming = InterpreterRequest.objects.standing().exclude(interpreter=None)
    gone = Interpreter.objects.filter(
        educator__isnull=False, pk__in=coming.values("interpreter")
    ).exclude(educator__in=Educator.objects.staying())
    return sum(give_back(one, by=None) for one in gone.filter(program=program))


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


def let_go(visit: Visit, during: DateTimeTZRange, *, by: User | None) -> InterpreterRequest | None:
    """A locked visit is about to move: nobody's promise holds for its new time. Returns what
    stood, for `ask_anew` once the visit is saved."""
    request = _standing(visit).select_for_update(of=("self",), no_key=True).first()
    if request is None or request.during == during:
        return None
    _release(request, visit, by=by, in_vain=False, told=False)
    return request


def move_blockers(
    visit: Visit, team: Sequence[Educator], during: DateTimeTZRange, interpret: str | None
) -> list[str]:
    """Why nobody could interpret at a visit's new time; whoever covers it is asked first, and
    needs no notice of a visit that they had planned for."""
    standing = _standing(visit).first()
    if standing is None or standing.state == State.COVERED:
        return []
    if interpret == "" or standing.during == during:
        return []
    on = during.lower.astimezone(visit.program.zone).date()
    return asks.blockers(standing.language, team, visit.school, on)


def ask_anew(visit: Visit, promised: InterpreterRequest | None, *, by: User | None) -> None:
    """Ask for the new time of a visit that moved: whoever had promised to come
    before all others."""
    if promised is None:
        return
    request = _request(visit, promised.language, by=by, promised=promised)
    if not request.asks.filter(interpreter=promised.interpreter_id).exists():
        was = Visit(pk=visit.pk, program=visit.program, school=visit.school)
        was.during, was.scheduled_at = promised.during, visit.scheduled_at
        covering = promised.asks.filter(interpreter=promised.interpreter_id)
        interpreter_messages.call_off(covering, promised, was)


def goes_blockers(visit: Visit, educator: Educator) -> list[str]:
    """Why this educator can't go on a visit: they interpret at it."""
    interprets = _standing(visit).filter(interpreter__educator=educator).first()
    if interprets is None:
        return []
    return [_("%(name)s interprets at this visit. Choose somebody else.") % {"name": educator}]


def may_be_needed(visit: Visit) -> bool:
    """Whether somebody might interpret at a visit for which nobody was asked yet; its `needs`
    are at hand."""
    asked = any(request.state in InterpreterRequest.STANDING for request in visit.needs)
    ahead = visit.is_ahead and visit.during.lower > clock.now()
    return ahead and not asked and visit.family.language.split("-")[0] != "en"


def price(visit: Visit) -> tuple[bool, Decimal | None]:
    """Whether the interpreter may have to be paid even if the visit is cancelled or moved now,
    and what that is. To be said before."""
    request = next(iter(visit.needs), None)
    if request is None or request.state != State.COVERED or not visit.is_ahead:
        return False, None
    return is_late(request, visit), cost(request)


@transaction.atomic
def call_off(request: InterpreterRequest, *, by: User) -> InterpreterRequest:
    """The visit needs no interpreter after all."""
    visit, request = asks.locked(request)
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
    asks.close(request, State.WASTED if wasted else State.CANCELLED, by=by)


def is_late(request: InterpreterRequest, visit: Visit) -> bool:
    """Whether so little time is left that whoever comes may have to be paid all the same: less
    than half of their notice, in working days."""
    if request.interpreter is None:
        return False
    notice = diaries.notice(request.interpreter, request.language, visit.program)
    return visit.starts_on < asks.after((notice + 1) // 2, visit.program.today, visit.school)


def cost(request: InterpreterRequest) -> Decimal | None:
    """What the visit's time costs at the rate that was promised; None where none was."""
    if request.hourly_rate is None:
        return None
    hours = Decimal((request.during.upper - request.during.lower).total_seconds()) / 3600
    return (request.hourly_rate * hours).quantize(CENT)


def _standing(visit: Visit) -> QuerySet[InterpreterRequest]:
    found = InterpreterRequest.objects.standing().filter(visit=visit)
    return found.select_related("interpreter__educator__user")


def _may_be_asked(interpreter: Interpreter, language: str) -> bool:
    return Interpreter.objects.on_the_rota(language).filter(pk=interpreter.pk).exists()


@contextmanager
def _taken_in_words(interpreter: Interpreter) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as refused:
        cause = refused.__cause__
        if not isinstance(cause, PsycopgError):
            raise
        if cause.diag.constraint_name not in {"interpreter_one_at_a_time", IN_ONE_PLACE}:
            raise
        reason = _("%(name)s is at another visit then, or too near to it.")
        raise NotReady(reason % {"name": interpreter}) from refused


def _still(ask: InterpreterAsk) -> InterpreterAsk:
    """The ask as it is now; its link may have been closed since it was opened."""
    found = InterpreterAsk.objects.select_related("interpreter__educator__user")
    now = found.filter(pk=ask.pk, token_hash=ask.token_hash).first()
    if now is None:
        raise NotReady(_("This link is closed. Please use the one in our newest message."))
    return now
