"""Two families that are one, and one that is two: the children and caregivers of both.

What was asked and visited goes along with visits/merging.py, which is what people call.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from families.models import AmendmentRequest, Caregiver, Family, Student, joined
from families.roster.barred import described, same_address, same_name
from families.roster.family_keys import SPLIT
from pthv.search import fold

# What was said of somebody, and how files know them: where one entry is silent, the other speaks.
TOLD = ("preferred_name", "display_name", "relation", "phone", "email")
IDS = ("source_id", "roster_id")


@dataclass
class Together:
    """How the caregivers of two families become those of one."""

    stay: list[Caregiver] = field(default_factory=list)
    come: list[Caregiver] = field(default_factory=list)
    same: list[tuple[Caregiver, Caregiver]] = field(default_factory=list)  # stays, and who it is

    @property
    def standing(self) -> list[Caregiver]:
        """Who has a say in the merged family, before anything is written."""
        ended = {one.pk for pair in self.same if any(p.ended_on for p in pair) for one in pair}
        return [
            person
            for person in [*self.stay, *self.come]
            if person.ended_on is None and person.pk not in ended
        ]


def blockers(keep: Family, gone: Family) -> list[str]:
    """Why these two can't become one, as far as children and caregivers know."""
    if keep.pk == gone.pk:
        return [_("Choose another family.")]
    if keep.merged_into_id or gone.merged_into_id:
        return [_("One of them was merged with another family already. Look again.")]
    who = together(keep, gone)
    everybody = [*who.stay, *who.come, *(other for _known, other in who.same)]
    return [
        _("%(name)s has the phone or e-mail of somebody who was ended. Settle that first.")
        % {"name": person}
        for person in who.standing
        if _reaches_ended(person, everybody)
    ]


def _reaches_ended(person: Caregiver, everybody: list[Caregiver]) -> bool:
    """Whether an entry of the other family was ended and is reached as this person is, and as
    nobody who has a say there."""
    alike = [one for one in everybody if same_address(described(person), described(one))]
    there = [one for one in alike if one.family_id != person.family_id]
    return bool(there) and all(one.ended_on for one in there)


def together(keep: Family, gone: Family) -> Together:
    """Who is who: the same name is the same person; more or less of it, the same address too."""
    found = Together(stay=list(keep.caregivers.order_by("pk")))
    for person in gone.caregivers.order_by("pk"):
        here = [*found.stay, *found.come]
        known = next((one for rule in SAME for one in here if rule(one, person)), None)
        if known is None:
            found.come.append(person)
        else:
            found.same.append((known, person))
    return found


def _same_in_files(one: Caregiver, other: Caregiver) -> bool:
    return bool(one.roster_id) and one.roster_id == other.roster_id


def _same_name(one: Caregiver, other: Caregiver) -> bool:
    return described(one)["id"] == described(other)["id"] or _name(one) == _name(other)


def _same_name_and_address(one: Caregiver, other: Caregiver) -> bool:
    said, also = described(one), described(other)
    return same_name(said, also) and same_address(said, also)


SAME = (_same_in_files, _same_name, _same_name_and_address)  # the surest first


def _name(person: Caregiver) -> str:
    return " ".join(fold(f"{person.given_name} {person.family_name}").split())


def merge(keep: Family, gone: Family) -> dict[int, Caregiver]:
    """Let `keep` have everybody of `gone`; return whose entry stands for each that doesn't.

    Of two entries for one person that of `keep` stays, told what only the other knew. The
    stricter holds: who was ended, or may not, in either family, is ended, or may not.
    """
    Student.objects.filter(family=gone).update(family=keep)
    who = together(keep, gone)
    for known, other in who.same:
        _take_over(known, other, [*who.stay, *who.come])
    for person in [*who.come, *(known for known, _other in who.same)]:
        person.family = keep
        person.save()
    keep.interpreter_wanted |= gone.interpreter_wanted
    keep.address = keep.address or gone.address
    keep.address_confidential |= gone.address_confidential
    keep.save()
    gone.merged_into = keep
    gone.save(update_fields=["merged_into"])
    stands_for = {other.pk: known for known, other in who.same}
    for proposal in AmendmentRequest.objects.waiting().filter(family=gone):
        proposal.family = keep
        proposal.caregiver = stands_for.get(proposal.caregiver_id, proposal.caregiver)
        proposal.save(update_fields=["family", "caregiver"])
    return stands_for


def _take_over(known: Caregiver, other: Caregiver, everybody: list[Caregiver]) -> None:
    for name in TOLD:
        setattr(known, name, getattr(known, name) or getattr(other, name))
    for name in IDS:
        if getattr(other, name) not in {getattr(one, name) for one in everybody}:
            setattr(known, name, getattr(known, name) or getattr(other, name))
    for name in ("may_be_contacted", "may_decide", "may_read"):
        setattr(known, name, getattr(known, name) and getattr(other, name))
    if other.ended_on:
        known.ended_on = min(known.ended_on or other.ended_on, other.ended_on)


def split_blockers(
    family: Family, children: Collection[Student], leaving: Collection[Caregiver]
) -> list[str]:
    """Why these children and caregivers can't become a family of their own."""
    if family.merged_into_id:
        return [_("This family was merged with another. Open that one.")]
    here = {child.pk for child in Student.objects.enrolled().filter(family=family)}
    moving = {child.pk for child in children}
    reasons = []
    if not moving or not moving <= here:
        reasons.append(_("Choose the children who form the new family."))
    elif moving == here:
        reasons.append(_("At least one child stays. Leave that one unticked."))
    if any(person.family_id != family.pk or person.ended_on for person in leaving):
        reasons.append(_("Somebody chosen has no say in this family any more. Look again."))
    if not leaving:
        reasons.append(_("Choose at least one caregiver of the new family."))
    return reasons


def split(
    family: Family,
    children: Collection[Student],
    moving: Collection[Caregiver],
    both: Collection[Caregiver],
) -> Family:
    """Give these children a family of their own with these caregivers; return it.

    Whoever is of both families has an entry in each, with permissions of its own from now on.
    Whoever was ended, or must not be contacted, is so in both. Where they live is not told on.
    """
    named = [*moving, *both]
    surnames = filter(None, (person.family_name or person.given_name for person in named))
    new = Family.objects.create(
        program_id=family.program_id,
        surnames=joined(surnames) or family.surnames,
        language=named[0].language,
        interpreter_wanted=family.interpreter_wanted,
        address_confidential=family.address_confidential,
    )
    # Files that put these children elsewhere don't undo it (see roster/contacts_state.py).
    new.source_id = f"{SPLIT}{new.pk}"
    new.save(update_fields=["source_id"])
    Student.objects.filter(pk__in=[child.pk for child in children]).update(family=new)
    leaves = {person.pk for person in moving if person.may_be_contacted}
    shared = {person.pk for person in [*moving, *both]}
    for person in Caregiver.objects.filter(family=family).order_by("pk"):
        if person.pk in leaves:
            person.family = new
            person.save(update_fields=["family"])
        elif person.pk in shared or not person.may_be_reached:
            person.pk, person.family = None, new
            person.save(force_insert=True)
    told = Q(student__in=children) | Q(caregiver__in=leaves)
    AmendmentRequest.objects.waiting().filter(told, family=family).update(family=new)
    family.save(update_fields=["surnames"])  # nothing new: it says that this change is about it
    return new
