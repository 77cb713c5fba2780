"""The plan: what applying a file would do, written as a diff and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import transaction
from django_scopes import scope

from families.models import RosterChange, RosterImport
from pthv.models import SchoolYear

from .archive import open_bundle, open_lone_file
from .asked import Asked
from .bundle_state import BundleState
from .compare import Comparison
from .contacts import FILE
from .contacts_state import ContactsState
from .known import Known, known
from .lines import Lines
from .manifest import manifest
from .problems import Unreadable
from .roster_state import family_state
from .states import Difference, Table, Wanted, differences

Kind = RosterChange.Kind
Found = Iterator[tuple[Table, Difference]]


def plan(roster_import: RosterImport, path: Path) -> None:
    """Read the file at `path` and write the diff; for an import that was planned, nothing.

    What can't be read leaves one sentence in `problem` and no line of a diff.
    """
    with scope(program=roster_import.program):
        if roster_import.state != RosterImport.State.READING:
            return
        try:
            if roster_import.kind == RosterImport.Kind.CONTACTS:
                _plan_contacts(roster_import, path)
            else:
                _plan_roster(roster_import, path)
        except Unreadable as unreadable:
            refuse(roster_import, str(unreadable))


def refuse(roster_import: RosterImport, problem: str) -> None:
    """End an import that couldn't be read, with the sentence that says why.

    One that was planned or put away in the meantime stays what it is.
    """
    reading = RosterImport.objects.filter(pk=roster_import.pk, state=RosterImport.State.READING)
    if reading.update(state=RosterImport.State.REFUSED, problem=problem):
        roster_import.state, roster_import.problem = RosterImport.State.REFUSED, problem


def _progress(roster_import: RosterImport) -> Callable[[int], None]:
    def progress(rows: int) -> None:
        RosterImport.objects.filter(pk=roster_import.pk).update(rows_read=rows)

    return progress


def _plan_contacts(roster_import: RosterImport, path: Path) -> None:
    with open_lone_file(path, FILE) as bundle:
        contacts = ContactsState(bundle, roster_import.program, _progress(roster_import))
        wanted = contacts.build()
    roster_import.rows_read = contacts.rows_read
    lines = Lines(roster_import)
    write(roster_import, lines, _family_differences(contacts, wanted), wanted)


def _plan_roster(roster_import: RosterImport, path: Path) -> None:
    wanted = _asked(roster_import, path)
    lines = Lines(roster_import)
    comparison = Comparison(roster_import.program, wanted, lines)

    def counts() -> dict[str, object]:
        return {"leaving": comparison.leaving(), "years": sorted(wanted.years)}

    write(roster_import, lines, comparison.differences(), wanted, counts)


def _asked(roster_import: RosterImport, path: Path) -> Asked:
    program = roster_import.program
    years = SchoolYear.objects.values_list("starts_on", "ends_on")
    with open_bundle(path) as bundle:
        held = Known() if manifest(bundle).whole else known(program)
        state = BundleState(
            bundle,
            years,
            program.today,
            _progress(roster_import),
            known=held,
            region=program.phone_region,
            kept=program.attributes_kept,
        )
        wanted = state.build()
    roster_import.rows_read = state.rows_read
    return wanted


def _family_differences(contacts: ContactsState, wanted: Wanted) -> Found:
    """Families of the file only: a household that it leaves out stays as it is."""
    present = family_state(wanted[Table.FAMILY])
    for key, held in present.items():
        said = wanted[Table.FAMILY][key].data
        stay = {one for one in held.data["students"] if contacts.stays(one, key)}
        said["students"] = sorted(stay.union(said["students"]))
        if key in contacts.in_doubt or "" in contacts.in_doubt:
            listed = {person["id"] for person in said["caregivers"]}
            kept = [person for person in held.data["caregivers"] if person["id"] not in listed]
            said["caregivers"] = sorted([*said["caregivers"], *kept], key=lambda one: one["id"])
            said["surnames"] = held.data["surnames"]
    for found in contacts.moves():
        yield Table.MOVE, found
    for found in differences(wanted[Table.FAMILY], present):
        yield Table.FAMILY, found


def write(
    roster_import: RosterImport,
    lines: Lines,
    found: Found,
    wanted: Wanted,
    more: Callable[[], dict[str, object]] = dict,
) -> None:
    """Write the diff as it is found, all of it or nothing; `more` is counted when it is over."""
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state != RosterImport.State.READING:
            return  # another worker was faster
        for table, difference in found:
            lines.add(table, difference)
        for refused in wanted.refused:
            lines.refuse(refused)
        if isinstance(wanted, Asked):
            lines.sessions(wanted.sessions)
        lines.close()
        roster_import.counts = {kind: counter.total() for kind, counter in lines.tally.items()} | {
            "tables": {kind: dict(counter) for kind, counter in lines.tally.items() if counter},
            "leaving": [],
            "years": [],
            **more(),
        }
        roster_import.state = RosterImport.State.PLANNED
        roster_import.save(update_fields=["state", "counts", "rows_read"])
