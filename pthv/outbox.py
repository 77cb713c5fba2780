"""Every e-mail and text: queued in the caller's transaction, sent by the worker, kept.

A message exists if and only if what it tells happened. Its key ("visit.scheduled:12:4")
keeps it from being queued twice. A worker claims it before it sends it, so no two send it at
once. One that dies after the mail server took a message and before that is kept leaves it
waiting, and it goes out again: at least once, under the same Message-ID, of which a mailbox
shows one.
"""

import datetime
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled
from procrastinate.contrib.django import app

from pthv import audit, clock
from pthv.blocked import NotReady
from pthv.calendars import Invitation
from pthv.models import Message, Program, User

log = logging.getLogger(__name__)
SHORTEST_GAP = datetime.timedelta(minutes=5)
LONGEST_GAP = datetime.timedelta(hours=12)
# Both must be over: a worker that was away for a week has not tried at all.
GIVE_UP_AFTER = datetime.timedelta(days=3)
LEAST_ATTEMPTS = 8
# The worker does one thing at a time, and a mail server that hangs must not keep it from the rest.
SWEEP_SECONDS = 60


class Letter(NamedTuple):
    """What one person is written: what the template is filled with, and the key it is kept by."""

    to: User
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
    Message.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    queued = list(kept.filter(key__in=[message.key for message in new]).order_by("pk"))
    _hand_to_worker(*queued)
    return queued


def _message(program: Program, kind: str, key: str, letter: Letter) -> Message:
    context = {"program": program, "to": letter.to, "site": settings.SITE_URL, **letter.context}
    subject, body = _text(f"emails/{kind}.txt", context).split("\n", 1)
    return Message(
        program=program,
        kind=kind,
        key=key,
        to_user=letter.to,
        address=letter.to.email,
        subject=subject.strip(),
        body=body.strip(),
        queued_at=clock.now(),
        calendar=letter.calendar.text if letter.calendar else "",
        calendar_method=letter.calendar.method.value if letter.calendar else "",
    )


def _text(template: str, context: dict[str, object]) -> str:
    # It is read as it stands: an apostrophe is no entity here.
    plain = get_template(template).template  # type: ignore[attr-defined]
    return str(plain.render(Context(context, autoescape=False)))


@transaction.atomic
def send_again(message: Message, *, by: User) -> Message:
    """Let a message that was given up be tried anew, at the address its person has now."""
    message = Message.objects.select_for_update().get(pk=message.pk)
    if message.state != Message.State.FAILED:
        raise NotReady(_("Only a message that could not be sent is sent again."))
    message.state, message.attempts = Message.State.QUEUED, 0
    message.queued_at = message.next_try_at = clock.now()
    if message.to_user:
        message.address = message.to_user.email
    message.save(update_fields=["state", "attempts", "queued_at", "next_try_at", "address"])
    audit.record("message.queued_again", message, by=by)
    _hand_to_worker(message)
    return message


def withdraw(
    program: Program, *, about: str = "", recipient: str = "", kinds: Iterable[str] = ()
) -> int:
    """Let what waits to be sent, and is not needed any more, stay; return how much that was."""
    if not (about or recipient):
        raise ValueError("say what it is about, or for whom")
    found = Message.objects.waiting().filter(program=program)
    if about:
        found = found.filter(about=about)
    if recipient:
        found = found.filter(recipient=recipient)
    if kinds := list(kinds):
        found = found.filter(kind__in=kinds)
    return found.update(state=Message.State.WITHDRAWN)


def _hand_to_worker(*messages: Message) -> None:
    task = app.configure_task("send_message", queueing_lock=None)
    jobs: list[dict[str, Any]] = [{"message_id": message.pk} for message in messages]
    task.batch_defer(*jobs)


def send(message_id: int) -> bool:
    """Send a message whose turn it is; False if it is not, or if it did not go out."""
    with scopes_disabled():
        message = _claim(message_id)
        if message is None:
            return False
        try:
            # In no transaction: a slow mail server holds no row and no connection's snapshot.
            _mail(message).send()
        except Exception as error:
            # Whatever it was, the message stays and the others go on. Its text names people:
            # the log has only the error's kind.
            log.warning("message %s not sent: %s", message.pk, type(error).__name__)
            _give_up_if_old(message)
            return False
        Message.objects.filter(pk=message.pk).update(state=Message.State.SENT, sent_at=clock.now())
        return True


def _mail(message: Message) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        message.subject,
        message.body,
        to=[message.address],
        headers={"Message-ID": f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"},
    )
    if message.calendar:
        # Twice: some mailboxes offer an invitation only where it is another form of the text,
        # and some only where it is a file.
        method = message.calendar_method
        mail.attach_alternative(message.calendar, f"text/calendar; method={method}")
        mail.attach("invite.ics", message.calendar, "application/ics")
    return mail


@transaction.atomic
def _claim(message_id: int) -> Message | None:
    """Count an attempt and put off the next, which keeps everybody else away meanwhile."""
    due = Message.objects.due().select_for_update(skip_locked=True)
    message = due.filter(pk=message_id).first()
    if message is None:
        return None
    message.next_try_at = clock.now() + gap_after(message.attempts)
    message.attempts += 1
    message.save(update_fields=["attempts", "next_try_at"])
    return message


def gap_after(attempts: int) -> datetime.timedelta:
    """How long to wait for the next attempt if the one after so many fails too."""
    return min(SHORTEST_GAP * 2 ** min(attempts, 16), LONGEST_GAP)


def _give_up_if_old(message: Message) -> None:
    old = clock.now() - message.queued_at >= GIVE_UP_AFTER
    if old and message.attempts >= LEAST_ATTEMPTS:
        Message.objects.waiting().filter(pk=message.pk).update(state=Message.State.FAILED)


def sweep() -> int:
    """Send what is due, longest due first, for a minute; return how many went out."""
    with scopes_disabled():
        due = Message.objects.due().order_by("next_try_at", "pk")
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
