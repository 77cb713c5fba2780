"""The part of a plan about families: households, their children and caregivers."""

from django.db.models import QuerySet

from families.models import Caregiver, Family, RosterChange, Student
from pthv.models import Program

from .apply_people import chunks
from .barred import caregiver_id
from .states import Table

FAMILY_FIELDS = ("surnames", "language")
CAREGIVER_FIELDS = (
    "given_name",
    "family_name",
    "relation",
    "phone",
    "email",
    "language",
    "preferred_channel",
)


def apply(program: Program, changes: QuerySet[RosterChange]) -> None:
    for chunk in chunks(changes.filter(table=Table.FAMILY)):
        families = _families(program, chunk)
        _children(families, chunk)
        _caregivers(program, families, chunk)


def _families(program: Program, changes: list[RosterChange]) -> dict[str, Family]:
    keys = [change.source_id for change in changes]
    found = {one.source_id: one for one in Family.objects.filter(source_id__in=keys)}
    new = []
    for change in changes:
        family = found.get(change.source_id)
        if family is None:
            family = Family(program=program, source_id=change.source_id)
            found[change.source_id] = family
            new.append(family)
        for name in FAMILY_FIELDS:
            setattr(family, name, change.after.get(name, getattr(family, name)))
    old = [family for family in found.values() if family.pk]
    Family.objects.bulk_update(old, FAMILY_FIELDS, batch_size=500)
    Family.objects.bulk_create(new)
    return found


def _children(families: dict[str, Family], changes: list[RosterChange]) -> None:
    household = {
        student: families[change.source_id]
        for change in changes
        for student in change.after.get("students", ())
    }
    students = list(Student.objects.filter(source_id__in=list(household)))
    for student in students:
        student.family = household[student.source_id]
    Student.objects.bulk_update(students, ["family"], batch_size=500)


def _caregivers(program: Program, families: dict[str, Family], changes: list[RosterChange]) -> None:
    held: dict[int, dict[str, Caregiver]] = {family.pk: {} for family in families.values()}
    for person in Caregiver.objects.filter(family__in=list(held)):
        # One added by hand is known by the name that the file would use.
        held[person.family_id][
            person.source_id or caregiver_id(person.given_name, person.family_name)
        ] = person
    new: list[Caregiver] = []
    old: list[Caregiver] = []
    for change in changes:
        if "caregivers" not in change.after:
            continue
        family = families[change.source_id]
        missing = {key for key, person in held[family.pk].items() if person.source_id}
        for said in change.after["caregivers"]:
            missing.discard(said["id"])
            known = held[family.pk].get(said["id"])
            person = known or Caregiver(program=program)
            (old if known else new).append(person)
            person.family, person.source_id = family, said["id"]
            for name in CAREGIVER_FIELDS:
                setattr(person, name, said[name])
        for key in missing:
            person = held[family.pk][key]
            person.ended_on = person.ended_on or program.today
            old.append(person)
    Caregiver.objects.bulk_update(old, ["source_id", "ended_on", *CAREGIVER_FIELDS], batch_size=500)
    Caregiver.objects.bulk_create(new, batch_size=2000)
