"""Putting people right by hand: names, numbers, permissions. Audited, and nobody is deleted."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from families.households import families_ever
from families.models import Caregiver, Family, Student
from families.roster.barred import ADDRESSES, described, same_name, taken
from families.roster.ended import by_people
from pthv import audit, outbox
from pthv.blocked import NotReady, raise_if
from pthv.models import ProgramRow, User

FAMILY_FIELDS = (
    "surnames",
    "language",
    "interpreter_wanted",
    "address",
    "address_confidential",
)
CAREGIVER_FIELDS = (
    "given_name",
    "family_name",
    "preferred_name",
    "display_name",
    "relation",
    "phone",
    "email",
    "language",
    "preferred_channel",
    "may_be_contacted",
    "may_decide",
    "may_read",
)
STUDENT_FIELDS = ("preferred_name", "display_name")

Wanted = Mapping[str, Any]
Row = TypeVar("Row", bound=ProgramRow)


@transaction.atomic
def change_family(family: Family, wanted: Wanted, *, by: User) -> Family:
    """Correct what a family is called, speaks and where it lives."""
    family = _locked(family)
    raise_if(merged_blockers(family))
    return _change(family, wanted, FAMILY_FIELDS, "family.changed", by)


@transaction.atomic
def change_student(student: Student, wanted: Wanted, *, by: User) -> Student:
    """Correct what a child is called; the rest comes with the roster."""
    return _change(_locked(student), wanted, STUDENT_FIELDS, "student.changed", by)


@transaction.atomic
def change_caregiver(caregiver: Caregiver, wanted: Wanted, *, by: User) -> Caregiver:
    """Correct a caregiver, and what they may: be contacted, decide, read."""
    caregiver = _locked(caregiver)
    raise_if(ended_blockers(caregiver))
    new = {name: value for name, value in wanted.items() if getattr(caregiver, name) != value}
    raise_if(taken_blockers(caregiver.family, new, caregiver.pk))
    before = {name: str(getattr(caregiver, name)) for name in ADDRESSES}
    changed = _change(caregiver, wanted, CAREGIVER_FIELDS, "caregiver.changed", by)
    if not (changed.may_decide and changed.may_be_contacted):
        outbox.withdraw(caregiver.program, recipient=caregiver.named)
    for name in new.keys() & before:
        now = str(getattr(changed, name))
        outbox.readdress(caregiver.program, caregiver.named, before[name], now)
    return changed


@transaction.atomic
def add_caregiver(family: Family, wanted: Wanted, *, by: User) -> Caregiver:
    """Add somebody who looks after the children; the same twice is one.

    Nobody who was ended, here or where the children were before, comes back this way.
    """
    family = _locked(family)
    raise_if(merged_blockers(family))
    caregiver = Caregiver(program_id=family.program_id, family=family, **_allowed(wanted))
    for known in Caregiver.objects.filter(family__in=_ever(family)).order_by("-ended_on", "pk"):
        if not same_name(described(caregiver), described(known)):
            continue
        raise_if(ended_blockers(known, called=str(caregiver)))
        if known.family_id != family.pk:
            continue
        if all(getattr(known, name) == value for name, value in wanted.items()):
            return known
        raise NotReady(_("%(name)s is here already. Change that entry.") % {"name": known})
    raise_if(taken_blockers(family, wanted))
    caregiver.save()
    audit.record("caregiver.added", caregiver, by=by, family=family.pk)
    return caregiver


@transaction.atomic
def end_caregiver(caregiver: Caregiver, *, because: str, by: User) -> Caregiver:
    """From today on this person has no say, and nothing is shown to them or of them.

    Whom a file left out is ended for good by this: no file brings them back.
    """
    because = because.strip()
    if not because:
        raise NotReady(_("Say why this person has no say any more."))
    caregiver = _locked(caregiver)
    said = by_people(caregiver.program).filter(subject_id=caregiver.pk).first()
    if caregiver.ended_on is None:
        caregiver.ended_on = caregiver.program.today
        caregiver.save(update_fields=["ended_on"])
        outbox.withdraw(caregiver.program, recipient=caregiver.named)
    elif said and (said.by, said.facts.get("because")) == (by, because):
        return caregiver  # a second tap
    audit.record("caregiver.ended", caregiver, by=by, because=because)
    return caregiver


@transaction.atomic
def mark_dead(
    caregiver: Caregiver, *, phone: str = "", email: str = "", by: User | None = None
) -> Caregiver:
    """This number or address leads nowhere: it is offered no more until another one is given."""
    caregiver = _locked(caregiver)
    found = {
        dead: value
        for dead, value, now in (
            ("dead_phone", phone, caregiver.phone),
            ("dead_email", email, caregiver.email),
        )
        if value and now == value and getattr(caregiver, dead) != value
    }
    if found:
        for dead, value in found.items():
            setattr(caregiver, dead, value)
        caregiver.save(update_fields=list(found))
        audit.record("caregiver.unreachable", caregiver, by=by, fields=sorted(found))
    return caregiver


@transaction.atomic
def revive_phone(caregiver: Caregiver, *, by: User) -> Caregiver:
    """The number leads to them after all."""
    caregiver = _locked(caregiver)
    if caregiver.dead_phone:
        caregiver.dead_phone = ""
        caregiver.save(update_fields=["dead_phone"])
        audit.record("caregiver.reachable", caregiver, by=by)
    return caregiver


def ended_blockers(caregiver: Caregiver, *, called: str = "") -> list[str]:
    """Why nothing can be changed about somebody who was ended; `called`: as the sentence says."""
    if caregiver.ended_on is None:
        return []
    return [
        _("%(name)s has had no say since %(day)s. An administrator can bring them back.")
        % {"name": called or caregiver, "day": date_format(caregiver.ended_on)}
    ]


def taken_blockers(family: Family, new: Wanted, who: int | None = None) -> list[str]:
    """Why a phone or e-mail can't be one more caregiver's, or `who`'s."""
    people = Caregiver.objects.filter(family__in=_ever(family))
    if not any(new.get(name) for name in ADDRESSES) or not taken(new, list(people), who):
        return []
    return [_("The phone or e-mail is of somebody who was ended or must not be contacted.")]


def merged_blockers(family: Family) -> list[str]:
    """Why nothing can be changed about a family that was made one with another."""
    if family.merged_into_id is None:
        return []
    return [_("This family was merged with another. Open that one.")]


def _ever(family: Family) -> set[int]:
    """The family, and those its children came from."""
    found = families_ever(Student.objects.filter(family=family))
    return {family.pk}.union(*found.values())


def _allowed(wanted: Wanted, allowed: tuple[str, ...] = CAREGIVER_FIELDS) -> Wanted:
    if strange := wanted.keys() - set(allowed):
        raise ValueError(f"not to be changed by hand: {sorted(strange)}")
    return wanted


def _change(row: Row, wanted: Wanted, allowed: tuple[str, ...], event: str, by: User) -> Row:
    """Write what differs; the audit tells which fields, and of the yes-or-no ones what now."""
    _allowed(wanted, allowed)
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        row.save(update_fields=list(changed))
        permissions = {name: value for name, value in changed.items() if isinstance(value, bool)}
        audit.record(event, row, by=by, fields=sorted(changed), **permissions)
    return row


def _locked(row: Row) -> Row:
    """The row as it is now, kept from others until the action is done."""
    found = type(row).objects.select_for_update(of=("self",), no_key=True)
    return found.select_related("program").get(pk=row.pk)
