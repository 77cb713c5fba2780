"""What interpreters are sent, by e-mail or else by text, and what visitors hear of them.

No family, no child and no address stands in it: whoever interprets finds them behind their link.
Interpreters read English.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pthv import calendars, clock, languages, outbox, stops, texts, wording
from pthv.calendars import Appointment, Method
from pthv.models import Message
from visits.family_wording import as_text
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

ASK = "interpreter_ask"


class Way(NamedTuple):
    """How somebody is written to, and where."""

    channel: str
    address: str


def ways_to(interpreters: Iterable[Interpreter]) -> dict[int, Way]:
    """By e-mail, or by text where we have only a number that wants them; without whoever is
    reached by neither."""
    ways, phones = {}, {}
    for one in interpreters:
        # Whoever visits, too, is written to where they log in.
        if address := one.educator.user.email if one.educator else one.email:
            ways[one.pk] = Way(Message.Channel.EMAIL, address)
        elif one.phone and texts.offered():
            phones[one.pk] = str(one.phone)
    stopped = stops.stopped(phones.values()) if phones else set()
    texted = {pk: Way(Message.Channel.TEXT, to) for pk, to in phones.items() if to not in stopped}
    return ways | texted


def ask(
    one: InterpreterAsk,
    request: InterpreterRequest,
    visit: Visit,
    *,
    was: InterpreterRequest | None = None,
) -> None:
    """Ask somebody to come, by a link behind which they answer.

    `was`: what they had said yes to before the visit was moved; that leaves their calendar.
    """
    with _in(visit):
        facts = _facts(one, request, visit)
        key = f"{one.pk}:{one.token_hash[:12]}"
        if was is None:
            subject = _("Please answer: can you interpret on %(day)s?") % facts
            body = (
                _(
                    "Hello %(name)s, can you interpret %(language)s at a home visit of "
                    "%(school)s on %(when)s? Please answer here: {link}"
                )
                % facts
            )
            _post(ASK, one, subject, body, key=key)
        else:
            facts["was"] = wording.moment(was.during.lower)
            subject = _("Moved, please answer: can you interpret on %(day)s?") % facts
            body = (
                _(
                    "Hello %(name)s, the home visit of %(school)s on %(was)s, at which you "
                    "interpret, moves to %(when)s. Can you come then? Please answer here: {link}"
                )
                % facts
            )
            _post(ASK, one, subject, body, key=key, entry=(visit, Method.CANCEL))


def thank(one: InterpreterAsk, request: InterpreterRequest, visit: Visit) -> None:
    """Say that it is settled, with the entry for their calendar."""
    with _in(visit):
        facts = _facts(one, request, visit)
        subject = _("Thank you: you interpret on %(day)s") % facts
        body = (
            _(
                "Thank you, %(name)s. You interpret %(language)s at a home visit of %(school)s "
                "on %(when)s. The way there, and a button if you can't come after all, are "
                "here: {link}"
            )
            % facts
        )
        key = f"{one.pk}:{_second(one)}:{one.token_hash[:12]}"
        _post("interpreter_covered", one, subject, body, key=key, entry=(visit, Method.REQUEST))


def remind(one: InterpreterAsk, request: InterpreterRequest, visit: Visit, hours: int) -> None:
    """Say again when and where, that many hours before at most."""
    with _in(visit):
        facts = _facts(one, request, visit)
        subject = _("You interpret on %(day)s") % facts
        body = (
            _(
                "Hello %(name)s, a reminder: you interpret %(language)s at a home visit of "
                "%(school)s on %(when)s. The way there, and a button if you can't come after "
                "all, are here: {link}"
            )
            % facts
        )
        _post("interpreter_reminder", one, subject, body, key=f"{one.pk}:{hours}")


def take_back(one: InterpreterAsk, request: InterpreterRequest, visit: Visit) -> None:
    """Whoever had said yes can't after all: it leaves their calendar."""
    with _in(visit):
        facts = _facts(one, request, visit)
        subject = _("You don't interpret on %(day)s") % facts
        body = (
            _(
                "Thank you for telling us, %(name)s. You don't interpret at the home visit of "
                "%(school)s on %(when)s; we ask somebody else."
            )
            % facts
        )
        key = f"{one.pk}:{_second(one)}"
        _post("interpreter_left", one, subject, body, key=key, entry=(visit, Method.CANCEL))


def call_off(asks: QuerySet[InterpreterAsk], request: InterpreterRequest, visit: Visit) -> None:
    """Tell whoever was to come, or was asked and heard of it, that nobody needs to."""
    for one in asks.select_related("interpreter__educator__user"):
        covers = one.interpreter_id == request.interpreter_id
        if withdraw(one) and not covers:
            continue
        with _in(visit):
            facts = _facts(one, request, visit)
            subject = _("No interpreter is needed on %(day)s") % facts
            body = (
                _(
                    "Hello %(name)s, the home visit of %(school)s on %(when)s needs no "
                    "interpreter any more. You need not come. Thank you all the same!"
                )
                % facts
            )
            entry = (visit, Method.CANCEL) if covers else None
            _post("interpreter_off", one, subject, body, key=f"{one.pk}", entry=entry)


def withdraw(one: InterpreterAsk) -> int:
    """Let a question that was not sent yet stay."""
    return outbox.withdraw(one.request.program, link_nonce=one.nonce, kinds=[ASK])


def tell_visitors(kind: str, request: InterpreterRequest, visit: Visit) -> None:
    """Those who go hear that somebody interprets, doesn't any more, or that nobody can."""
    context = {"visit": visit, "request": request, "language": languages.name(request.language)}
    asks = request.asks.count()
    at = f"{request.pk}:{asks}:{request.asks.exclude(answer='waiting').count()}"
    if request.covered_at:
        at += f":{request.covered_at:%Y%m%d%H%M%S}"
    outbox.queue_many(
        visit.program,
        kind,
        [
            outbox.Letter(person.educator.user, context, f"{at}:{person.educator_id}")
            for person in visit.visitors
        ],
    )


@contextmanager
def _in(visit: Visit) -> Iterator[None]:
    """In English, by the clock on the program's walls."""
    english = translation.override(settings.LANGUAGE_CODE)
    with english, timezone.override(visit.program.zone):
        yield


def _facts(one: InterpreterAsk, request: InterpreterRequest, visit: Visit) -> dict[str, str]:
    during = visit.during
    return {
        "name": one.interpreter.given_name or str(one.interpreter),
        "language": languages.name(request.language),
        "school": visit.school.name,
        "day": wording.weekday(timezone.localtime(during.lower)),
        "when": f"{wording.moment(during.lower)}–{wording.time(during.upper)}",
    }


def _second(one: InterpreterAsk) -> str:
    return f"{one.answered_at:%Y%m%d%H%M%S%f}"


def _post(
    kind: str,
    one: InterpreterAsk,
    subject: str,
    body: str,
    *,
    key: str,
    entry: tuple[Visit, Method] | None = None,
) -> None:
    way = ways_to([one.interpreter]).get(one.interpreter_id)
    if way is None:
        return
    program = one.request.program
    drafts = outbox.drafts(program, kind, [key])
    text = way.channel == Message.Channel.TEXT
    for message in drafts.values():
        message.channel, message.address = way
        message.subject = "" if text else subject
        message.body = as_text(body, settings.LANGUAGE_CODE) if text else body
        message.recipient = one.interpreter.named
        message.language, message.link_nonce = settings.LANGUAGE_CODE, one.nonce
        if entry and not text:
            visit, method = entry
            guest = calendars.Guest(str(one.interpreter), way.address)
            invitation = calendars.invitation(_appointment(visit), program, guest, method)
            message.calendar, message.calendar_method = invitation.text, method.value
    outbox.post(program, drafts.values())


def _appointment(visit: Visit) -> Appointment:
    """The visit as an interpreter's calendar knows it: no family, no child, no address."""
    age = clock.now() - visit.scheduled_at
    return Appointment(
        uid=calendars.uid(visit.program, "interpreting", visit.pk),
        # Of one visit they may hear more often than it changes: yes, no, and yes again.
        sequence=max(0, int(age.total_seconds())),
        title=_("Home visit"),
        starts_at=visit.during.lower,
        ends_at=visit.during.upper,
    )
