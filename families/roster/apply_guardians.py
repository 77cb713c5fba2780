"""The part of a roster plan about guardians: the families they form, and they themselves."""

from django.db import connection
from django.db.models import QuerySet

from families.models import Caregiver, Family, RosterChange
from pthv.models import Program

from . import progress
from .chunks import chunks
from .copying import change_rows, copy_new
from .states import Data, Table

FIELDS = ("given_name", "family_name", "preferred_name", "relation", "phone", "email")
Kind = RosterChange.Kind
JOIN = """
    UPDATE families_student AS student SET family_id = said.family
    FROM unnest(%s::text[], %s::bigint[]) AS said(key, family)
    WHERE student.program_id = %s AND student.source_id = said.key AND student.family_id IS NULL
"""


def families(program: Program, changes: QuerySet[RosterChange]) -> dict[str, int]:
    """Make the new families; answers which family each child joins by the plan, by roster id."""
    family_of: dict[str, int] = {}
    for chunk in progress.steps(changes.filter(table=Table.HOUSEHOLD)):
        new = [change for change in chunk if change.kind == Kind.NEW]
        made = Family.objects.bulk_create(
            Family(program=program, surnames=change.after["surnames"]) for change in new
        )
        for change, family in zip(new, made, strict=True):
            family_of |= dict.fromkeys(change.after["students"], family.pk)
        for change in chunk:
            if change.kind != Kind.NEW:
                joining = set(change.after["students"]) - set(change.before["students"])
                family_of |= dict.fromkeys(joining, int(change.source_id.removeprefix("#")))
    return family_of


def join(program: Program, family_of: dict[str, int]) -> None:
    """Put children who were here already into their families; nobody leaves one by a file."""
    for keys in chunks(family_of):
        with connection.cursor() as cursor:
            cursor.execute(JOIN, [keys, [family_of[key] for key in keys], program.pk])


def caregivers(
    program: Program, changes: QuerySet[RosterChange], family_of: dict[str, int]
) -> None:
    lines = changes.filter(table=Table.CAREGIVER)
    for chunk in progress.steps(lines.filter(kind=Kind.NEW)):
        copy_new(Caregiver, [_new(program, change, family_of) for change in chunk])
    for chunk in progress.steps(lines.exclude(kind=Kind.NEW)):
        _change(program, {change.before["caregiver"]: change for change in chunk})


def _new(program: Program, change: RosterChange, family_of: dict[str, int]) -> Data:
    said = change.after
    household = said["household"]
    family = (
        int(household.removeprefix("#"))
        if household.startswith("#")
        else family_of[household.removeprefix("new:")]
    )
    return {
        "program": program.pk,
        "family": family,
        "roster_id": change.source_id,
        "preferred_channel": _channel(said).value,
        **{name: said.get(name, "") for name in FIELDS},
    }


def _channel(said: Data) -> Caregiver.Channel:
    """A call, unless there is only an address to write to."""
    written = said.get("email") and not said.get("phone")
    return Caregiver.Channel.EMAIL if written else Caregiver.Channel.CALL


def _change(program: Program, said: dict[int, RosterChange]) -> None:
    fields = ("roster_id", *FIELDS)
    told = {
        pk: {name: change.after[name] for name in fields if name in change.after}
        for pk, change in said.items()
    }
    for pk, change in said.items():
        if change.kind != Kind.LEFT and "ended_on" in change.after:
            told[pk]["ended_on"] = None
    change_rows(Caregiver, told)
    left = [pk for pk, change in said.items() if change.kind == Kind.LEFT]
    Caregiver.objects.filter(pk__in=left, ended_on=None).update(ended_on=program.today)
