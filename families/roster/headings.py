"""What a file calls its columns: looked at, guessed, or remembered from an earlier file."""

from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from families.models import RosterImport

from . import columns
from .problems import Unreadable
from .sheets import open_sheet

KINDS = (RosterImport.Kind.CONTACTS, RosterImport.Kind.ATTRIBUTES)
EXAMPLES = 3
TAKEN = (RosterImport.State.APPLIED, RosterImport.State.UNDOING, RosterImport.State.UNDONE)


def look(roster_import: RosterImport, path: Path) -> list[list[str]]:
    """Note the columns of a file, and which we take each for; answers its first rows."""
    ours = columns.of(roster_import.kind, roster_import.program)
    if len(ours) < 2:
        raise Unreadable(
            _("This program keeps no attributes of its students, so there is nothing to read. "
              "An administrator can turn them on.")
        )  # fmt: skip
    with open_sheet(path, roster_import.kind) as sheet:
        rows = [_shown(row or []) for _number, row in islice(sheet.lines, EXAMPLES)]
    roster_import.headings = sheet.headings
    roster_import.columns = columns.match(sheet.headings, ours)
    return rows


def _shown(cells: list[str]) -> list[str]:
    """A row as a page can show it, also where the file's bytes are no text."""
    return [cell.encode(errors="replace").decode() for cell in cells]


def remember(roster_import: RosterImport) -> bool:
    """Take the columns as they were confirmed for a file that was applied; False if none was."""
    earlier = RosterImport.objects.filter(
        program=roster_import.program,
        kind=roster_import.kind,
        headings=roster_import.headings,
        state__in=TAKEN,
    ).exclude(columns={})
    found = earlier.order_by("-pk").first()
    if found is None:
        return False
    ours = columns.of(roster_import.kind, roster_import.program)
    places = {one.name: found.columns[one.name] for one in ours if one.name in found.columns}
    if columns.missing(places, ours):
        return False
    roster_import.columns = places
    return True


def settle(roster_import: RosterImport, path: Path) -> None:
    """Choose the columns of a file without asking anybody; raise Unreadable if one is missing."""
    look(roster_import, path)
    remember(roster_import)
    ours = columns.of(roster_import.kind, roster_import.program)
    if lacking := columns.missing(roster_import.columns, ours):
        names = ", ".join(column.name for column in lacking)
        sentence = _("No column of the file is clearly %(columns)s. Name it so in the first line.")
        raise Unreadable(sentence % {"columns": names})
    roster_import.save(update_fields=["headings", "columns"])
