"""What closes a family's link for good."""

from django.db import transaction

from families import people
from families.models import Caregiver
from pthv import audit, clock, outbox
from pthv.models import Message, User
from visits.models import FamilyLink


@transaction.atomic
def revoke(link: FamilyLink, *, by: User | None) -> FamilyLink:
    """Close a link for good, and keep back what would still bring it; twice is once."""
    found = FamilyLink.objects.select_for_update(of=("self",), no_key=True)
    link = found.select_related("program", "invitation").get(pk=link.pk)
    if link.revoked_at is None:
        link.revoked_at, link.revoked_by = clock.now(), by
        link.save(update_fields=["revoked_at", "revoked_by"])
        outbox.withdraw(link.program, about=link.invitation.named, link_nonce=link.nonce)
        audit.record("link.revoked", link, by=by)
    return link


@transaction.atomic
def mark_dead(
    caregiver: Caregiver, *, phone: str = "", email: str = "", by: User | None = None
) -> Caregiver:
    """Their number or address leads nowhere; nor do the links that may have been written there
    by hand. Of the others it is known where they went."""
    caregiver = people.mark_dead(caregiver, phone=phone, email=email, by=by)
    standing = FamilyLink.objects.standing().filter(caregiver=caregiver).order_by("pk")
    for link in standing.select_related("invitation"):
        sent = Message.objects.filter(program=link.program_id, about=link.invitation.named)
        if not sent.filter(link_nonce=link.nonce).exists():
            revoke(link, by=by)
    return caregiver
