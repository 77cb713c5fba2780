"""The part of a plan about families: households, their children and caregivers."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import F, QuerySet

from families.models import Caregiver, Family, RosterChange, Student
from pthv.models import Program

from . import family_keys, progress
from .barred import caregiver_id
from .copying import change_rows, copy_new
from .family_state import UNSAID_LANGUAGE
from .states import Data, Table

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
    "relation",
    "phone",
    "email",
    "language",
    "preferred_channel",
    "may_be_contacted",
    "may_decide",
    "may_read",
)
# Somebody new of whom the file doesn't say it.
NEW: dict[str, object] = dict.fromkeys(CAREGIVER_FIELDS, "") | {
    "language": UNSAID_LANGUAGE,
    "preferred_channel": Caregiver.Channel.CALL.value,
    "may_be_contacted": True,
    "may_decide": True,
    "may_read": True,
}


def apply(program: Program, changes: QuerySet[RosterChange]) -> None:
    for chunk in progress.steps(changes.filter(table=Table.FAMILY)):
        _children(program, _families(program, chunk), chunk)
    for chunk in progress.steps(changes.filter(table=Table.CAREGIVER)):
        _caregivers(program, chunk)


def _families(program: Program, changes: list[RosterChange]) -> dict[str, Family]:
    keys = [change.source_id for change in changes]
    found = {family_keys.key(one): one for one in family_keys.families(keys)}
    new: list[Family] = []
    old: dict[int, Data] = {}
    for change in changes:
        family = found.get(change.source_id)
        said = {name: change.after[name] for name in FAMILY_FIELDS if name in change.after}
        if "household" in change.after:
            said["source_id"] = change.after["household"]
        if family is None:
            family = Family(program=program, **{"source_id": change.source_id} | said)
            found[change.source_id] = family
            new.append(family)
        elif said:
            old[family.pk] = said
    change_rows(Family, old)
    Family.objects.bulk_create(new)
    return found


def _children(program: Program, families: dict[str, Family], changes: list[RosterChange]) -> None:
    household = {
        student: families[change.source_id].pk
        for change in changes
        for student in change.after.get("students", ())
    }
    # By their own ids: joined by the files' ids, ever more dead rows are read from chunk to chunk.
    rows = Student.objects.filter(source_id__in=household).values_list("pk", "source_id")
    students = dict(rows)
    table = Student._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET family_id = said.family"  # noqa: S608
            " FROM unnest(%s::bigint[], %s::bigint[]) AS said(student, family)"
            f" WHERE {table}.id = said.student AND {table}.program_id = %s",
            [list(students), [household[key] for key in students.values()], program.pk],
        )


def _caregivers(program: Program, changes: list[RosterChange]) -> None:
    households = {_household(change) for change in changes}
    families = _of_households(households)
    held = _held(families.values())
    new: list[dict[str, object]] = []
    old: dict[int, Data] = {}
    gone: list[int] = []
    for change in changes:
        family = families[_household(change)]
        person = held.get((family, change.source_id))
        if person is not None:
            told = {name: change.after[name] for name in CAREGIVER_FIELDS if name in change.after}
            if "ended_on" in change.after and change.before["ended_on"] == f"{person.ended_on}":
                told["ended_on"] = None
            old[person.pk] = told | {"source_id": change.source_id}
            gone += [] if change.after else [person.pk]
        elif change.after:
            said = {name: change.after.get(name, NEW[name]) for name in CAREGIVER_FIELDS}
            own = {"program": program.pk, "family": family, "source_id": change.source_id}
            new.append(said | own)
    change_rows(Caregiver, old)
    Caregiver.objects.filter(pk__in=gone, ended_on=None).update(ended_on=program.today)
    copy_new(Caregiver, new)


def _of_households(households: set[str]) -> dict[str, int]:
    """The family of each; one that had no household when it was planned may have one by now."""
    found: dict[str, int] = {}
    for family in family_keys.families(households):
        found[f"{family_keys.UNNAMED}{family.pk}"] = found[family_keys.key(family)] = family.pk
    return found


def _household(change: RosterChange) -> str:
    return (change.after or change.before)["household"]


def _held(families: Iterable[int]) -> dict[tuple[int, str], Caregiver]:
    """The caregivers of these families, by family and by the id that a file knows them by."""
    people = Caregiver.objects.filter(family__in=list(families)).defer("folded", "searchable")
    # Of two with one name, the one who is still there.
    in_order = people.order_by(F("ended_on").asc(nulls_last=True), "-pk")
    return {
        # One added by hand is known by the name that the file would use.
        (one.family_id, one.source_id or caregiver_id(one.given_name, one.family_name)): one
        for one in in_order
    }
