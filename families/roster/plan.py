"""The plan: what applying a file would do, written as a diff and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import transaction
from django_scopes import scope

from families.models import RosterImport
from pthv.models import SchoolYear
from pthv.tables.problems import Unreadable
from pthv.tables.sheets import open_sheet

from . import headings, progress
from .archive import open_bundle
from .asked import Asked
from .attributes_file import AttributesState
from .bundle_state import BundleState
from .compare import Comparison
from .contacts_state import ContactsState
from .known import Known, known
from .lines import Lines
from .manifest import manifest
from .states import Difference, Table, Wanted

Kinds = RosterImport.Kind
Found = Iterator[tuple[Table, Difference]]


def plan(roster_import: RosterImport, path: Path) -> None:
    """Read the file at `path` and write the diff; for an import that was planned, nothing.

    What can't be read leaves one sentence in `problem` and no line of a diff.
    """
    with scope(program=roster_import.program):
        if roster_import.state != RosterImport.State.READING:
            return
        try:
            if roster_import.kind == Kinds.ONEROSTER:
                _plan_roster(roster_import, path)
            else:
                _plan_list(roster_import, path)
        except Unreadable as unreadable:
            refuse(roster_import, str(unreadable))


def refuse(roster_import: RosterImport, problem: str) -> None:
    """End an import that couldn't be read, with the sentence that says why.

    One that was planned or put away in the meantime stays what it is.
    """
    reading = RosterImport.objects.filter(pk=roster_import.pk, state=RosterImport.State.READING)
    # What it called its columns may be somebody's data, where the first line was a row.
    if reading.update(state=RosterImport.State.REFUSED, problem=problem, headings=[]):
        roster_import.state, roster_import.problem = RosterImport.State.REFUSED, problem


def _progress(roster_import: RosterImport) -> Callable[[int], None]:
    def told(rows: int) -> None:
        RosterImport.objects.filter(pk=roster_import.pk).update(rows_read=rows)

    return told


def _plan_list(roster_import: RosterImport, path: Path) -> None:
    """One of our own lists; nobody was asked about its columns if none are known yet."""
    if not roster_import.columns:
        headings.settle(roster_import, path)
    program, columns = roster_import.program, roster_import.columns
    kind = ContactsState if roster_import.kind == Kinds.CONTACTS else AttributesState
    with open_sheet(path, roster_import.kind) as sheet, progress.shown(roster_import.pk):
        # Each line is read, and then compared.
        progress.begin(roster_import, total=2 * sheet.total)
        state = kind(sheet, columns, program)
        wanted = state.read()
        roster_import.rows_read = state.rows_read

        def counts() -> dict[str, object]:
            return {"leaving": state.leaving()}

        write(roster_import, Lines(roster_import), state.differences(), wanted, counts)


def _plan_roster(roster_import: RosterImport, path: Path) -> None:
    wanted, held = _asked(roster_import, path)
    lines = Lines(roster_import)
    comparison = Comparison(roster_import.program, wanted, held, lines)

    def counts() -> dict[str, object]:
        return {
            "leaving": comparison.leaving(),
            "years": sorted(wanted.years),
            "sides": comparison.sides,
        }

    write(roster_import, lines, comparison.differences(), wanted, counts)


def _asked(roster_import: RosterImport, path: Path) -> tuple[Asked, Known]:
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
    return wanted, held


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
            "nobody_left": _nobody_left(wanted),
            "years": [],
            **more(),
        }
        roster_import.state = RosterImport.State.PLANNED
        roster_import.save(update_fields=["state", "counts", "rows_read"])


def _nobody_left(wanted: Wanted) -> dict[str, object]:
    """The first row that doesn't say whose it is, for which nobody counts as missing."""
    files = ("users.csv", str(RosterImport.Kind.CONTACTS))
    found = (one for one in wanted.refused if one.file in files and not one.key)
    first = next(found, None)
    return {"file": first.file, "row": first.row} if first else {}
