"""A family's link: one caregiver's way to answer one invitation, without an account.

Whoever opens it is that caregiver to us, for as long as the caregiver may decide. Each look asks
anew whether they still do; opening it changes nothing.
"""

import datetime
from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from families.models import Caregiver
from families.people import ended_blockers, merged_blockers
from pthv import audit, clock, tokens
from pthv.blocked import raise_if
from pthv.models import Message, User
from visits.closing import revoke
from visits.invitations import locked, no_blockers
from visits.models import FamilyLink, Invitation

LASTS = datetime.timedelta(days=60)
SHOWN_WITH = ("program", "family", "school", "educator__user", "school_year")


@transaction.atomic
def mint(invitation: Invitation, caregiver: Caregiver, *, by: User | None) -> FamilyLink:
    """The caregiver's link to this invitation, made now if there is none that opens.

    One that is half over lasts anew: it goes out once more, in a reminder.
    """
    invitation = locked(invitation, "school_year")
    caregiver = Caregiver.objects.get(pk=caregiver.pk)
    raise_if(blockers(invitation, caregiver))
    return mint_many(invitation, [caregiver], by=by)[caregiver.pk]


def mint_many(
    invitation: Invitation, caregivers: Iterable[Caregiver], *, by: User | None
) -> dict[int, FamilyLink]:
    """The same for caregivers of a locked invitation whom nothing keeps from it; by caregiver."""
    people = {person.pk: person for person in caregivers}
    standing = FamilyLink.objects.filter(
        invitation=invitation, caregiver__in=people, revoked_at=None
    )
    found = {link.caregiver_id: link for link in standing}
    for link in found.values():
        link.caregiver = people[link.caregiver_id]
    astray = _astray(found.values())
    now = clock.now()
    for person, link in list(found.items()):
        # Another secret key than the one it was made with makes another token of it.
        ours = link.token_hash == tokens.hashed(tokens.token(link.nonce))
        if link.expires_at <= now or not ours or link.nonce in astray:
            revoke(found.pop(person), by=by)
        elif link.expires_at < now + LASTS / 2:
            link.expires_at = now + LASTS
            link.save(update_fields=["expires_at"])
    new = [_new(invitation, person, by) for pk, person in people.items() if pk not in found]
    FamilyLink.objects.bulk_create(new)
    made = [(link, {"invitation": invitation.pk, "caregiver": link.caregiver_id}) for link in new]
    audit.record_many("link.made", made, by=by)
    return found | {link.caregiver_id: link for link in new}


def _new(invitation: Invitation, caregiver: Caregiver, by: User | None) -> FamilyLink:
    nonce, now = tokens.new_nonce(), clock.now()
    return FamilyLink(
        program_id=invitation.program_id,
        invitation=invitation,
        caregiver=caregiver,
        nonce=nonce,
        token_hash=tokens.hashed(tokens.token(nonce)),
        made_at=now,
        made_by=by,
        expires_at=now + LASTS,
    )


def blockers(invitation: Invitation, caregiver: Caregiver) -> list[str]:
    """Why this caregiver gets no link to this invitation."""
    return family_blockers(invitation) + caregiver_blockers(invitation, caregiver)


def family_blockers(invitation: Invitation) -> list[str]:
    """Why nobody gets one."""
    reasons = merged_blockers(invitation.family) + no_blockers(invitation)
    if is_over(invitation):
        reasons.append(_("The school year of this invitation is over."))
    return reasons


def is_over(invitation: Invitation) -> bool:
    """Whether its school year is."""
    return invitation.school_year.ends_on < invitation.program.today


def caregiver_blockers(invitation: Invitation, caregiver: Caregiver) -> list[str]:
    """Why this caregiver doesn't."""
    reasons = ended_blockers(caregiver)
    name = {"name": caregiver}
    if caregiver.family_id != invitation.family_id:
        reasons.append(_("%(name)s is of another family.") % name)
    if not caregiver.may_be_contacted:
        reasons.append(_("%(name)s asked not to be contacted. Choose another caregiver.") % name)
    if not caregiver.may_decide:
        reasons.append(_("%(name)s may not decide about visits. Choose another caregiver.") % name)
    return reasons


def url(link: FamilyLink) -> str:
    """The whole address, as a message has it."""
    return settings.SITE_URL + reverse("link_open", args=[tokens.token(link.nonce)])


def found(token: str) -> FamilyLink | None:
    """The link that this token opens now, with all that its page shows; None if it opens none."""
    return _shown(token_hash=tokens.hashed(token))


def known(pk: int) -> FamilyLink | None:
    """The same for a link that was found a moment ago."""
    return _shown(pk=pk)


def _shown(**which: int | str) -> FamilyLink | None:
    with scopes_disabled():
        if link := _opened(**which):
            # Apart: planning one query of nine tables would take longer than both.
            shown = Invitation.objects.select_related(*SHOWN_WITH)
            shown = shown.defer("family__folded", "family__searchable")
            link.invitation = shown.get(pk=link.invitation_id)
        return link


def _opened(**which: Any) -> FamilyLink | None:
    usable = FamilyLink.objects.usable().select_related("caregiver").filter(**which)
    link = usable.defer("caregiver__folded", "caregiver__searchable").first()
    return None if link is None or _astray([link]) else link


def _astray(links: Collection[FamilyLink]) -> set[str]:
    """Whose nonces arrived at a number or address that is not, or no more, the caregiver's."""
    theirs = {}
    for link in links:
        person = link.caregiver
        phone = "" if person.phone_is_dead else str(person.phone)
        theirs[link.nonce] = (phone, "" if person.email_is_dead else person.email)
    if not theirs:
        return set()
    arrived = Message.objects.filter(
        program__in={link.program_id for link in links},
        about__in={f"invitation:{link.invitation_id}" for link in links},
        link_nonce__in=theirs,
        state=Message.State.SENT,
    ).values_list("link_nonce", "address")
    return {nonce for nonce, address in arrived if address not in theirs[nonce]}


@transaction.atomic
def revoke_all(caregiver: Caregiver, *, by: User) -> int:
    """Close every link of a caregiver; return how many there were."""
    standing = FamilyLink.objects.standing().filter(caregiver=caregiver)
    return len([revoke(link, by=by) for link in standing])
