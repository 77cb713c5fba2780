"""What went out to families of late: answered by their links, waited for, and come back."""

import datetime
from typing import Any

from django.db.models import F

from families.models import Caregiver
from pthv import clock, outbox
from pthv.models import Message, Program, School
from visits import answers, family_messages
from visits.models import Invitation

ASKED = 9
# What the first ones answer by their links, in their order; the others have not yet.
ANSWERS: list[tuple[str, dict[str, Any]]] = [
    ("accepted", {"wishes": answers.Wishes("home", True, ("tue-evening", "sat-morning"))}),
    ("accepted", {"wishes": answers.Wishes("elsewhere", False, ("thu-evening",))}),
    ("call", {}),
    ("later", {"later": 40}),
]


def delivered() -> None:
    """What waits was sent when it was queued."""
    Message.objects.waiting().update(state=Message.State.SENT, sent_at=F("queued_at"))


def write(program: Program, now: datetime.datetime) -> None:
    """Invite some families of the first school by text and e-mail, and let a few answer."""
    school = School.objects.order_by("pk")[0]
    not_asked = Invitation.objects.filter(school=school, state=Invitation.State.NOT_ASKED)
    likes_words = Caregiver.objects.exclude(preferred_channel=Caregiver.Channel.CALL)
    found = not_asked.filter(family__in=likes_words.values("family"))
    asked = list(found.select_related("educator__user").order_by("-pk")[:ASKED])
    sent: list[Message] = []
    for number, invitation in enumerate(asked):
        with clock.at(_ago(program, now, days=6 - number % 5)):
            sent += family_messages.invite(invitation, by=invitation.educator.user)
    delivered()
    for invitation, (answer, more) in zip(asked, ANSWERS, strict=False):
        with clock.at(_ago(program, now, days=1)):
            _answer(program, invitation, answer, **more)
    texts = [message for message in sent if message.channel == Message.Channel.TEXT]
    with clock.at(now):
        for message in texts[-1:]:
            outbox.came_back(message.pk, Message.Problem.REFUSED)
        family_messages.settle(program)


def _answer(program: Program, invitation: Invitation, answer: str, **more: Any) -> None:
    link = invitation.links.select_related("caregiver").first()
    if link is None:
        return
    later = more.pop("later", 0)
    day = program.today + datetime.timedelta(days=later) if later else None
    answers.record(invitation, answer, link=link, later_on=day, **more)


def _ago(program: Program, now: datetime.datetime, *, days: int) -> datetime.datetime:
    day = (now - datetime.timedelta(days=days)).astimezone(program.zone)
    return day.replace(hour=11, minute=20, second=0, microsecond=0)
