"""The seconds in which a tap on a phone can be taken back, as if it had not been."""

import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from families import people
from pthv import audit, clock, outbox
from pthv.blocked import raise_if
from pthv.models import Message, RowImage, User
from visits.invitations import locked
from visits.models import ContactAttempt, FamilyLink, Invitation, InvitationAnswer

# Ten seconds are offered; a slow signal may bring the page late, and the tap back later.
LASTS = datetime.timedelta(seconds=30)
KEPT = datetime.timedelta(days=1)


@transaction.atomic
def take_back(recorded: ContactAttempt | InvitationAnswer, *, by: User) -> Invitation:
    """Forget an attempt or an answer, with what the same person recorded after; twice is once."""
    invitation = locked(recorded.invitation)
    if not type(recorded).objects.filter(pk=recorded.pk).exists():
        return invitation
    at, who = _when_and_who(recorded)
    attempts = invitation.attempts.filter(made_at__gte=at)
    answers = invitation.answers.filter(given_at__gte=at)
    raise_if(_blockers(invitation, at, who, by, [*attempts, *answers]))
    for attempt in attempts.filter(outcome=ContactAttempt.Outcome.WRONG_NUMBER):
        if attempt.caregiver:
            people.revive_phone(attempt.caregiver, by=by)
    waiting = [pk for one in answers for pk in one.before.get("waiting", ())]
    answers.delete()
    attempts.delete()
    invitation.put_back(recorded.before)
    invitation.save()
    # What still brings a link that opens goes out after all.
    links = FamilyLink.objects.usable().filter(invitation=invitation)
    outbox.put_back(Message.objects.filter(pk__in=waiting, link_nonce__in=links.values("nonce")))
    audit.record("invitation.taken_back", invitation, by=by)
    return invitation


def _when_and_who(recorded: ContactAttempt | InvitationAnswer) -> tuple[datetime.datetime, object]:
    if isinstance(recorded, ContactAttempt):
        return recorded.made_at, recorded.made_by_id
    return recorded.given_at, recorded.recorded_by_id


def _blockers(
    invitation: Invitation,
    at: datetime.datetime,
    who: object,
    by: User,
    since: list[ContactAttempt | InvitationAnswer],
) -> list[str]:
    if who != by.pk:
        return [_("Only whoever recorded it can take it back.")]
    if clock.now() - at > LASTS:
        return [_("It is recorded for good by now. If it was wrong, record what is right.")]
    if any(_when_and_who(one)[1] != by.pk for one in since):
        return [_("Something else was recorded since. Look again.")]
    if any(isinstance(one, ContactAttempt) and one.message_id for one in since):
        return [_("The family was written to since. Record what is right.")]
    if invitation.visits.filter(scheduled_at__gte=at).exists():
        return [_("A visit was scheduled since. Cancel it first.")]
    return []


def forget() -> int:
    """Forget what was before taps that can't be taken back any more; return of how many.

    A row that a merge or an import wrote waits until that can't be undone any more either: it
    has to be what they made of it.
    """
    old = clock.now() - KEPT
    forgotten = 0
    for model, at in ((ContactAttempt, "made_at"), (InvitationAnswer, "given_at")):
        images = RowImage.objects.filter(table=model._meta.db_table, row=OuterRef("pk"))
        taps = model.objects.filter(~Exists(images), **{f"{at}__lt": old}).exclude(before={})
        forgotten += taps.update(before={})
    return forgotten
