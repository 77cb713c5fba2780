"""Every e-mail and text: queued in the caller's transaction, sent by the worker, kept.

A message exists if and only if what it tells happened. Its key ("visit.scheduled:12:4")
keeps it from being queued twice. A worker claims it before it sends it, so no two send it at
once. One that dies after the mail server took a message and before that is kept leaves it
waiting, and it goes out again: at least once, under the same Message-ID, of which a mailbox
shows one. Of a text the provider is asked first whether it has it already.

What goes to a family waits for the end of the program's quiet hours, and for what was decided
on before it for the same address.
"""

import datetime
import logging
import time
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled
from procrastinate.contrib.django import app

from pthv import audit, clock, quiet_hours, stops
from pthv.blocked import NotReady
from pthv.calendars import Guest, Invitation
from pthv.delivery import hand_over
from pthv.models import Message, Program, User
from pthv.models.audit import MessageQuerySet
from pthv.texts import Refused, Unavailable

log = logging.getLogger(__name__)
SHORTEST_GAP = datetime.timedelta(minutes=5)
LONGEST_GAP = datetime.timedelta(hours=12)
# Both must be over: a worker that was away for a week has not tried at all.
GIVE_UP_AFTER = datetime.timedelta(days=3)
LEAST_ATTEMPTS = 8
# A text provider that is down is asked at every sweep; that uses up no attempt.
OUTAGE_GAP = datetime.timedelta(minutes=4, seconds=30)
# The worker does one thing at a time, and a mail server that hangs must not keep it from the rest.
SWEEP_SECONDS = 60


class Letter(NamedTuple):
    """What one person is written: what the template is filled with, and the key it is kept by.

    `to`: one of our own people, or somebody without an account whom the program named.
    """

    to: User | Guest
    context: Mapping[str, object]
    key: str
    calendar: Invitation | None = None


def queue(
    program: Program,
    kind: str,
    to: User,
    context: Mapping[str, object],
    *,
    key: str,
    calendar: Invitation | None = None,
) -> Message | None:
    """Queue the e-mail `emails/<kind>.txt` for `to`; None if its key was queued before."""
    queued = queue_many(program, kind, [Letter(to, context, key, calendar)])
    return queued[0] if queued else None


def queue_many(program: Program, kind: str, letters: Iterable[Letter]) -> list[Message]:
    """Queue the e-mail `emails/<kind>.txt` for many at once; return those whose key is new.

    The template's first line is the subject, and holds no name of a family. Its hours are the
    program's, whoever asks from wherever. A letter's `calendar` goes with it.
    """
    wanted = {f"{kind}:{letter.key}": letter for letter in letters}
    if not wanted:
        return []
    kept = Message.objects.filter(program=program)
    before = set(kept.filter(key__in=list(wanted)).values_list("key", flat=True))
    with scope(program=program), timezone.override(program.zone):
        new = [
            _message(program, kind, key, letter)
            for key, letter in wanted.items()
            if key not in before
        ]
    if not new:
        return []
    # Whoever queued the same meanwhile was first; then it is handed over twice, and sent once.
    once = {"unique_fields": ["program", "key"], "update_fields": ["key"]}
    Message.objects.bulk_create(new, update_conflicts=True, batch_size=1000, **once)
    _hand_to_worker(*new)
    return new


def _message(program: Program, kind: str, key: str, letter: Letter) -> Message:
    context = {"program": program, "to": letter.to, "site": settings.SITE_URL, **letter.context}
    # Whoever works here reads English, whatever the family reads whose answer it tells of.
    with translation.override(settings.LANGUAGE_CODE):
        subject, body = _text(f"emails/{kind}.txt", context).split("\n", 1)
    return Message(
        program=program,
        kind=kind,
        key=key,
        to_user=letter.to if isinstance(letter.to, User) else None,
        address=letter.to.email,
        subject=subject.strip(),
        body=body.strip(),
        queued_at=clock.now(),
        calendar=letter.calendar.text if letter.calendar else "",
        calendar_method=letter.calendar.method.value if letter.calendar else "",
    )


def drafts(program: Program, kind: str, keys: Iterable[str]) -> dict[str, Message]:
    """For each key a message to a family, to be filled in and posted; none where one reached
    them, or is on its way. What never reached them is the same message once more."""
    wanted = {f"{kind}:{key}": key for key in keys}
    found = Message.objects.select_for_update(of=("self",), no_key=True)
    kept = {one.key: one for one in found.filter(program=program, key__in=list(wanted))}
    new = {"program": program, "kind": kind, "quiet": True}
    return {
        short: kept.get(key) or Message(key=key, **new)
        for key, short in wanted.items()
        if key not in kept or kept[key].never_reached
    }


def post(program: Program, messages: Iterable[Message]) -> None:
    """Queue drafts, filled in by now: in the caller's transaction, as all are.

    `{link}` in a body becomes the family's link when it is sent, and is stored nowhere.
    """
    messages = list(messages)
    now = clock.now()
    for message in messages:
        # One that was tried may be on its way at this moment.
        start = now + SHORTEST_GAP if message.attempts else now
        message.state, message.problem, message.attempts = Message.State.QUEUED, "", 0
        message.queued_at, message.sent_at = now, None
        message.next_try_at = (
            quiet_hours.ends_at(program, start) if message.quiet else None
        ) or start
    for again in [message for message in messages if message.pk]:
        again.save()
    Message.objects.bulk_create(message for message in messages if not message.pk)
    _hand_to_worker(*messages)


def came_back(message_id: int, problem: str, *, provider_id: str | None = None) -> None:
    """A text that the provider took did not arrive; `problem` is "" where it doesn't say why.

    `provider_id`: what it calls that text. An earlier copy says nothing of the one since.
    """
    with scopes_disabled():
        # The provider may say so before we have noted that it took it.
        known = Q(state__in=[Message.State.QUEUED, Message.State.SENT])
        texted = Message.objects.filter(known, pk=message_id, channel=Message.Channel.TEXT)
        if provider_id is not None:
            sent = Q(state=Message.State.SENT)
            called = Q(provider_id=provider_id)
            texted = texted.filter((sent & called) | (~sent & ~called & Q(attempts__gt=0)))
        address = texted.values_list("address", flat=True).first()
        texted.update(
            state=Message.State.BOUNCED,
            problem=problem,
            sent_at=Coalesce("sent_at", Value(clock.now())),
        )
    if address and problem == Message.Problem.STOPPED:
        stops.stop(address)


def language_of(phone: str) -> str:
    """The language of the last text to this number; English where there was none."""
    with scopes_disabled():
        texted = Message.objects.filter(channel=Message.Channel.TEXT, address=phone)
        last = texted.order_by("-pk").values_list("language", flat=True).first()
    return last or "en"


def _text(template: str, context: dict[str, object]) -> str:
    # It is read as it stands: an apostrophe is no entity here.
    plain = get_template(template).template  # type: ignore[attr-defined]
    return str(plain.render(Context(context, autoescape=False)))


@transaction.atomic
def send_again(message: Message, *, by: User, address: str = "", link_nonce: str = "") -> Message:
    """Let a message that was given up or came back be tried anew, at the address its person
    has now: one of our own people's is known here, a family's is `address`; its link, too."""
    message = Message.objects.select_for_update().get(pk=message.pk)
    if message.state not in (Message.State.FAILED, Message.State.BOUNCED):
        raise NotReady(_("Only a message that could not be sent is sent again."))
    message.state, message.attempts, message.problem = Message.State.QUEUED, 0, ""
    message.queued_at = message.next_try_at = clock.now()
    message.sent_at = None
    message.address = message.to_user.email if message.to_user else address or message.address
    message.link_nonce = link_nonce or message.link_nonce
    message.save()
    audit.record("message.queued_again", message, by=by)
    _hand_to_worker(message)
    return message


def withdraw(
    program: Program,
    *,
    about: str = "",
    recipient: str = "",
    link_nonce: str = "",
    kinds: Iterable[str] = (),
) -> int:
    """Let what waits to be sent, and is not needed any more, stay; return how much that was."""
    if not (about or recipient or link_nonce):
        raise ValueError("say what it is about, for whom, or with which link")
    found = Message.objects.waiting().filter(program=program)
    if about:
        found = found.filter(about=about)
    if recipient:
        found = found.filter(recipient=recipient)
    if link_nonce:
        found = found.filter(link_nonce=link_nonce)
    if kinds := list(kinds):
        found = found.filter(kind__in=kinds)
    return found.update(state=Message.State.WITHDRAWN)


def put_back(found: MessageQuerySet) -> None:
    """Let what was withdrawn by a slip go out after all, when it was to."""
    withdrawn = found.filter(state=Message.State.WITHDRAWN).order_by("pk")
    messages = list(withdrawn.select_for_update(of=("self",), no_key=True))
    again = Message.objects.filter(pk__in=[message.pk for message in messages])
    again.update(state=Message.State.QUEUED)
    _hand_to_worker(*messages)


def withdraw_letters(program: Program, kind: str, keys: Iterable[str]) -> int:
    """The same for letters to our own people, by the keys they were queued with."""
    waiting = Message.objects.waiting().filter(program=program)
    waiting = waiting.filter(key__in=[f"{kind}:{key}" for key in keys])
    return waiting.update(state=Message.State.WITHDRAWN)


def withdraw_all(program: Program, kinds: Iterable[str], beginning: str) -> int:
    """The same for everything of these kinds whose key begins so."""
    waiting = Message.objects.waiting().filter(program=program)
    ours = Q(pk__in=[])
    for kind in kinds:
        ours |= Q(key__startswith=f"{kind}:{beginning}")
    return waiting.filter(ours).update(state=Message.State.WITHDRAWN)


def readdress(program: Program, recipient: str, before: str, now: str) -> int:
    """Let what waits for somebody go to their new number or address; without one, stay."""
    waiting = Message.objects.waiting().filter(program=program, recipient=recipient)
    waiting = waiting.filter(address=before)
    return waiting.update(address=now) if now else waiting.update(state=Message.State.WITHDRAWN)


def _hand_to_worker(*messages: Message) -> None:
    """Queue a job for each; one that is put off is taken up when its time comes."""
    now = clock.now()
    for when, some in groupby(messages, key=lambda message: max(message.next_try_at, now)):
        later = when if when > now else None
        task = app.configure_task("send_message", queueing_lock=None, schedule_at=later)
        jobs: list[dict[str, Any]] = [{"message_id": message.pk} for message in some]
        task.batch_defer(*jobs)


def send(message_id: int) -> bool:
    """Send a message whose turn it is; False if it is not, or if it did not go out."""
    with scopes_disabled():
        message, again = _claim(message_id)
        if message is None:
            return False
        try:
            # In no transaction: a slow server holds no row and no connection's snapshot.
            provider_id = hand_over(message, again=again)
        except Refused as refused:
            _waiting(message).update(state=Message.State.FAILED, problem=refused.problem)
            if refused.problem == Message.Problem.STOPPED:
                stops.stop(message.address)  # the provider may have heard of it before us
        except Unavailable:
            _wait_for_provider(message)
        except Exception as error:
            # Whatever it was, the message stays and the others go on. Its text names people:
            # the log has only the error's kind.
            log.warning("message %s not sent: %s", message.pk, type(error).__name__)
            _give_up_if_old(message)
        else:
            _mark_sent(message, provider_id)
            return True
        return False


def _waiting(message: Message) -> MessageQuerySet:
    return Message.objects.waiting().filter(pk=message.pk)


def _mark_sent(message: Message, provider_id: str) -> None:
    # One that was withdrawn meanwhile went out all the same. That it came back may be known by now.
    withdrawn = Q(state__in=[Message.State.QUEUED, Message.State.WITHDRAWN])
    # One that has another link by now goes out once more: the old one opens nothing.
    sent = Message.objects.filter(withdrawn, pk=message.pk, link_nonce=message.link_nonce)
    sent.update(state=Message.State.SENT, sent_at=clock.now(), provider_id=provider_id, problem="")


def _wait_for_provider(message: Message) -> None:
    """It is down: ask again at the next sweep, as if it hadn't been tried."""
    _waiting(message).update(
        attempts=F("attempts") - 1,
        problem=Message.Problem.UNAVAILABLE,
        next_try_at=clock.now() + OUTAGE_GAP,
    )


@transaction.atomic
def _claim(message_id: int) -> tuple[Message | None, bool]:
    """Count an attempt and put off the next, which keeps everybody else away meanwhile; whether
    it may have been taken before."""
    due = Message.objects.due().select_for_update(of=("self",), skip_locked=True)
    message = due.select_related("program").filter(pk=message_id).first()
    if message is None or _must_wait(message):
        return None, False
    unheard, message.problem = message.problem == Message.Problem.UNAVAILABLE, ""
    again = unheard or message.attempts > 0
    quiet_until = quiet_hours.ends_at(message.program, clock.now()) if message.quiet else None
    message.next_try_at = quiet_until or clock.now() + gap_after(message.attempts)
    # What may have been taken in an outage is remembered through the night as an attempt.
    message.attempts += unheard if quiet_until else 1
    message.save(update_fields=["attempts", "next_try_at", "problem"])
    return (None, False) if quiet_until else (message, again)


def _must_wait(message: Message) -> bool:
    """Whether something of the program to the same address of a family comes first, or no text
    goes out now."""
    others = Message.objects.waiting().filter(channel=message.channel)
    earlier = others.filter(program=message.program_id, address=message.address)
    if message.recipient and earlier.filter(pk__lt=message.pk).exists():
        return True
    if message.channel != Message.Channel.TEXT:
        return False
    # Somebody has just found the provider down: nobody else waits for it to answer.
    now = clock.now()
    down = others.filter(problem=Message.Problem.UNAVAILABLE)
    down = down.filter(next_try_at__range=(now, now + OUTAGE_GAP))
    return down.exclude(pk=message.pk).exists()


def gap_after(attempts: int) -> datetime.timedelta:
    """How long to wait for the next attempt if the one after so many fails too."""
    return min(SHORTEST_GAP * 2 ** min(attempts, 16), LONGEST_GAP)


def _give_up_if_old(message: Message) -> None:
    old = clock.now() - message.queued_at >= GIVE_UP_AFTER
    if old and message.attempts >= LEAST_ATTEMPTS:
        _waiting(message).update(state=Message.State.FAILED)


def sweep() -> int:
    """Send what is due, e-mails longest due first and texts in their order, a minute for each;
    return how many went out."""
    email, text = Message.Channel.EMAIL, Message.Channel.TEXT
    return _sweep(email, "next_try_at", "pk") + _sweep(text, "pk")


def _sweep(channel: str, *order: str) -> int:
    with scopes_disabled():
        due = Message.objects.due().filter(channel=channel).order_by(*order)
        found = list(due.values_list("pk", flat=True)[:500])
    until = time.monotonic() + SWEEP_SECONDS
    sent = 0
    for pk in found:
        if time.monotonic() > until:
            break
        try:
            sent += send(pk)
        except Exception as error:
            log.warning("message %s not swept: %s", pk, type(error).__name__)
    return sent
