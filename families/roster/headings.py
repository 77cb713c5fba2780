"""What a file calls its columns: looked at, guessed, or remembered from an earlier file."""

import re
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from families.models import RosterImport
from pthv.search import fold
from pthv.tables.columns import missing
from pthv.tables.problems import Unreadable
from pthv.tables.sheets import open_sheet

from . import columns

KINDS = (RosterImport.Kind.CONTACTS, RosterImport.Kind.ATTRIBUTES)
EXAMPLES = 3
# A title that is no title: an address, or digits without a letter, such as an id or a telephone.
DATA = re.compile(r"\S@\S|\A[\W\d_]*\d[\W\d_]*\Z")
# Columns that nobody may choose, and whose cells no page shows.
PRIVATE = re.compile(
    r"passw|contrasen|social security|seguro social|birth|geburt|nacimiento|lunch|disabilit"
    r"|\b(?:pass ?code|pin|pwd|ssn|dob|iep|504)\b"
)
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
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
        if any(map(DATA.search, sheet.headings)):
            raise Unreadable(_("The first line must name the columns. It holds somebody’s data."))
        private = {place for place, title in enumerate(sheet.headings) if is_private(title)}
        rows = [_shown(row or [], private) for _number, row in islice(sheet.lines, EXAMPLES)]
    roster_import.headings = sheet.headings
    known = ["" if place in private else title for place, title in enumerate(sheet.headings)]
    roster_import.columns = columns.match(known, ours)
    return rows


def is_private(title: str) -> bool:
    """Whether a column of this title is none of ours, whatever anybody chooses."""
    return bool(PRIVATE.search(fold(WORDS.sub(" ", title))))


def _shown(cells: list[str], private: set[int]) -> list[str]:
    """A row as a page can show it, also where the file's bytes are no text."""
    return [
        "" if place in private else cell.encode(errors="replace").decode()
        for place, cell in enumerate(cells)
    ]


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
    if missing(places, ours):
        return False
    roster_import.columns = places
    return True


def settle(roster_import: RosterImport, path: Path) -> None:
    """Choose the columns of a file without asking anybody; raise Unreadable if one is missing."""
    look(roster_import, path)
    remember(roster_import)
    ours = columns.of(roster_import.kind, roster_import.program)
    if lacking := missing(roster_import.columns, ours):
        names = ", ".join(column.name for column in lacking)
        sentence = _("No column of the file is clearly %(columns)s. Name it so in the first line.")
        raise Unreadable(sentence % {"columns": names})
    roster_import.save(update_fields=["headings", "columns"])
