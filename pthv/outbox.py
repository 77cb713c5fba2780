"""Every e-mail and text: queued in the caller's transaction, sent by the worker, kept.

A message exists if and only if what it tells happened. Its key ("visit.scheduled:12:4")
keeps it from being queued twice; a row lock keeps two workers from sending it twice.
"""

import logging

from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django_scopes import scopes_disabled
from procrastinate.contrib.django import app

from pthv import clock
from pthv.models import Message, Program, User

log = logging.getLogger(__name__)
GIVE_UP_AFTER = 8


def queue(
    program: Program, kind: str, to: User, context: dict[str, object], *, key: str
) -> Message | None:
    """Queue the e-mail `emails/<kind>.txt` for `to`; None if its key was queued before.

    The template's first line is the subject, and holds no name of a family.
    """
    text = render_to_string(f"emails/{kind}.txt", {"program": program, "to": to, **context})
    subject, body = text.split("\n", 1)
    message, created = Message.objects.get_or_create(
        program=program,
        key=f"{kind}:{key}",
        defaults={
            "kind": kind,
            "to_user": to,
            "address": to.email,
            "subject": subject.strip(),
            "body": body.strip(),
            "queued_at": clock.now(),
        },
    )
    if not created:
        return None
    app.configure_task("send_message", queueing_lock=None).defer(message_id=message.pk)
    return message


def send(message_id: int) -> bool:
    """Send one waiting message, once; False if somebody else has it or it is done."""
    with transaction.atomic(), scopes_disabled():
        message = (
            Message.objects.waiting()
            .select_for_update(skip_locked=True)
            .filter(pk=message_id)
            .first()
        )
        if message is None:
            return False
        message.attempts += 1
        try:
            EmailMessage(
                message.subject,
                message.body,
                to=[message.address],
                headers={"Message-ID": f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"},
            ).send()
        except OSError as error:
            # Mail servers come back: the sweep tries again until it gives up.
            log.warning("message %s not sent: %s", message.pk, type(error).__name__)
            if message.attempts >= GIVE_UP_AFTER:
                message.state = Message.State.FAILED
            message.save(update_fields=["attempts", "state"])
            return False
        message.state, message.sent_at = Message.State.SENT, clock.now()
        message.save(update_fields=["attempts", "state", "sent_at"])
        return True


def sweep() -> int:
    """Send what still waits, oldest first; return how many went out."""
    with scopes_disabled():
        waiting = list(Message.objects.waiting().order_by("pk").values_list("pk", flat=True)[:500])
    return sum(send(pk) for pk in waiting)
