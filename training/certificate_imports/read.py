"""A list of certificates from before: its columns, and what each line says."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pthv.tables import columns, values
from pthv.tables.columns import Column
from pthv.tables.problems import BadValue, Refused, Unreadable
from pthv.tables.sheets import open_sheet

FILE = "certificates"
MOST_LINES = 20_000
EMAIL, ISSUED, EXPIRES = "email", "issued_on", "expires_on"
COLUMNS = (
    Column(
        EMAIL,
        gettext_lazy("E-mail"),
        gettext_lazy("The address the educator is known by here."),
        ("e mail", "email address", "e mail address", "mail", "work email", "staff email",
         "educator email", "teacher email", "user name", "login", "correo", "correo electronico"),
        ("ana.ruiz@example.org", "ben.lee@example.org"),
        required=True,
    ),
    Column(
        "name",
        gettext_lazy("Name"),
        gettext_lazy("For you to read; people are found by their address."),
        ("full name", "educator", "educator name", "teacher", "teacher name", "staff", "staff name",
         "participant", "attendee", "nombre"),
        ("Ana Ruiz", ""),
    ),
    Column(
        "course",
        gettext_lazy("Course"),
        gettext_lazy("Its name as it stands here, in small or capital letters."),
        ("course name", "training", "training name", "workshop", "class", "title", "certificate",
         "certification", "curso", "taller"),
        ("Introduction", "Introduction"),
        required=True,
    ),
    Column(
        ISSUED,
        gettext_lazy("Issued on"),
        gettext_lazy("The day the training ended, such as 2024-08-20 or 8/20/2024."),
        ("issued", "issue date", "date issued", "date", "training date", "date of training",
         "completed", "completed on", "completion date", "date completed", "certified on",
         "certified from", "valid from", "start date", "from", "fecha"),
        ("2024-08-20", "8/20/2024"),
        required=True,
    ),
    Column(
        EXPIRES,
        gettext_lazy("Expires on"),
        gettext_lazy("The last day it counts. Without one, as long as the course says."),
        ("expires", "expiry", "expiry date", "expiration", "expiration date", "valid until",
         "valid to", "valid through", "end date", "ends on", "until", "renewal date", "vence"),
        ("2026-08-19", ""),
    ),
    Column(
        "evidence",
        gettext_lazy("Evidence"),
        gettext_lazy("Where the paper lies: a certificate number, a binder, a note."),
        ("notes", "note", "comment", "comments", "remarks", "certificate number", "number",
         "certificate no", "certificate id", "reference", "proof", "source", "location", "file",
         "binder", "notas"),
        ("Binder 3, no. 114", "Sign-in sheet of the union"),
    ),
)  # fmt: skip
# Days in letters are read as well: nobody can take one for another.
IN_LETTERS = ("%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y")
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})(?:[T ].*)?", re.ASCII)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Said:
    """One line: its cells by our columns' names, or what is wrong with it as a whole."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def read(path: Path) -> list[Said]:
    """Every line of the list; raise Unreadable for a file that can't be trusted as a whole."""
    with open_sheet(path, FILE) as sheet:
        places = columns.match(sheet.headings, COLUMNS)
        if lacking := columns.missing(places, COLUMNS):
            names = ", ".join(f"“{column.label}”" for column in lacking)
            sentence = _("No column is clearly %(columns)s. Name it so in the first line.")
            raise Unreadable(sentence % {"columns": names})
        found: list[Said] = []
        for row in sheet.rows(places, EMAIL):
            if len(found) == MOST_LINES:
                limit = {"limit": f"{MOST_LINES:,}"}
                raise Unreadable(_("The list has more than %(limit)s lines. Split it.") % limit)
            found.append(_line(row) if isinstance(row, Refused) else Said(row.number, row.cells))
    if not found:
        raise Unreadable(_("The list has no line below the names of its columns."))
    return _without_days_first(found)


def _line(refused: Refused) -> Said:
    label = next((column.label for column in COLUMNS if column.name == refused.column), "")
    problem = f"{label}: {refused.reason}" if label else refused.reason
    return Said(refused.row, {EMAIL: refused.key}, problem)


def _without_days_first(lines: list[Said]) -> list[Said]:
    """Refuse 3/4/2019 in a list that writes the day before the month elsewhere: it may be
    either day there."""
    slashed = [one for line in lines for one in _slashed(line.cells)]
    if not any(int(first) > MONTHS for _text, first, _second in slashed):
        return lines
    return [_unless_ambiguous(line) for line in lines]


def _unless_ambiguous(line: Said) -> Said:
    for text, first, second in _slashed(line.cells):
        if first != second and int(first) <= MONTHS and int(second) <= MONTHS:
            sentence = _("“%(text)s” may be either of two days. Write it as 2024-08-20.")
            return Said(line.number, line.cells, sentence % {"text": text})
    return line


def _slashed(cells: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in (ISSUED, EXPIRES):
        if found := SLASHED.fullmatch(cells.get(name, "")):
            yield found[0], found[1], found[2]


def day(text: str) -> datetime.date | None:
    """A day as people write it; one with two digits for the year is refused."""
    if (slashed := SLASHED.fullmatch(text)) and len(slashed[3]) == 2:
        sentence = _("“%(text)s” doesn't say which century. Write it as 2024-08-20.")
        raise BadValue(sentence % {"text": text})
    for pattern in IN_LETTERS:
        try:
            return datetime.datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return values.day(text)
