"""Handing a message over: to the mail server, or to the provider of texts."""

import re
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from pthv import stops, texts, tokens
from pthv.models import Message
from pthv.texts import Refused

# "No such mailbox", and not "not from you" or "not now" (RFC 3463).
NO_SUCH_MAILBOX = re.compile(rb"5\.1\.\d+|5\.2\.1\b")
ENHANCED = re.compile(rb"[245]\.\d+\.\d+")


def hand_over(message: Message, *, again: bool) -> str:
    """Hand it over once; return what the provider of texts calls it, "" for an e-mail.

    `again`: it may have been taken before without our knowing. Raises `Refused` where nobody
    is there or wants it, `Unavailable` where the provider is not.
    """
    if message.channel == Message.Channel.TEXT:
        return _text(message, again=again)
    try:
        _mail(message).send()
    except SMTPRecipientsRefused as refused:
        # Of our own people an administrator decides.
        if message.recipient and all(map(_nobody_there, refused.recipients.values())):
            raise Refused(Message.Problem.REFUSED) from refused
        raise
    return ""


def _text(message: Message, *, again: bool) -> str:
    if stops.is_stopped(message.address):
        raise Refused(Message.Problem.STOPPED)
    provider = texts.provider()
    text = texts.Text(
        to=message.address,
        body=filled(message),
        reference=str(message.pk),
        asked_at=message.queued_at,
        report_to=f"{settings.SITE_URL}{reverse('text_status')}?message={message.pk}",
    )
    before = provider.found(text, _is_ours) if again else ""
    return before or provider.send(text)


def _is_ours(provider_id: str) -> bool:
    return Message.objects.filter(provider_id=provider_id).exists()


def filled(message: Message) -> str:
    """The body as it goes out: its reader's link stands in it, and nowhere else."""
    if not message.link_nonce:
        return message.body
    door = "i" if message.recipient.startswith("interpreter:") else "f"
    link = f"{settings.SITE_URL}/{door}/{tokens.token(message.link_nonce)}/"
    return message.body.replace("{link}", link)


def _nobody_there(answer: tuple[int, bytes]) -> bool:
    code, said = answer
    if code not in (550, 551, 553):
        return False
    enhanced = ENHANCED.search(said)
    return enhanced is None or bool(NO_SUCH_MAILBOX.match(enhanced[0]))


def _mail(message: Message) -> EmailMultiAlternatives:
    headers = {"Message-ID": f"<pthv-{message.program_id}-{message.pk}@pthv.invalid>"}
    if message.language:
        headers["Content-Language"] = message.language
    mail = EmailMultiAlternatives(
        message.subject, filled(message), to=[message.address], headers=headers
    )
    if message.calendar:
        # Twice: some mailboxes offer an invitation only where it is another form of the text,
        # and some only where it is a file.
        method = message.calendar_method
        mail.attach_alternative(message.calendar, f"text/calendar; method={method}")
        mail.attach("invite.ics", message.calendar, "application/ics")
    return mail
