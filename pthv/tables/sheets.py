"""A list that somebody keeps, as CSV in any of its spellings or as a spreadsheet: rows of text."""

import csv
import datetime
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from . import store
from .encodings import text_lines
from .extent import Extent, damaged
from .problems import BadValue, Refused, Unreadable
from .rows import DELIMITERS, SEPARATOR_LINE, STRAY_QUOTE, Row, clean, cleaned, records, wrong_width
from .zips import DAMAGE, check_size, judged

VISIBLE = SheetVisibleEnum.Visible
ZIP_MARK = b"PK\x03\x04"  # a zip, and so an .xlsx, begins with it
OLE_MARK = b"\xd0\xcf\x11\xe0"  # an .xls of before 2007, and an .xlsx with a password
# A few lines above the titles may say what the list is and of which day.
TITLES_WITHIN = 10
MOST_COLUMNS = 100
# How our own exports keep a phone number from being taken for a sum.
QUOTED_FORMULA = re.compile(r"\A'(?=[=+\-@])")
COPIED = 1024 * 1024
LONGEST_LINES_OF_A_CELL = 3

# None where a stray quote leaves no cells.
Record = tuple[int, list[str] | None]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list: what its first line names, and each line below with the number it has there."""

    name: str
    headings: list[str]
    lines: Iterator[Record]
    # About how many there are, to tell how far one is.
    total: int

    def rows(self, columns: dict[str, int], key: str) -> Iterator[Row | Refused]:
        """The cells of these columns alone, line by line, or why a line is refused."""
        width = len(self.headings)
        for number, record in self.lines:
            if record is None:
                yield Refused(self.name, number, "", str(STRAY_QUOTE))
            elif not any(cell.strip() for cell in record):
                continue
            elif len(record) < width or any(cell.strip() for cell in record[width:]):
                yield wrong_width(self.name, number, record, width)
            else:
                cells = {name: QUOTED_FORMULA.sub("", record[at]) for name, at in columns.items()}
                yield cleaned(self.name, number, cells, key, LONGEST_LINES_OF_A_CELL)


@contextmanager
def open_sheet(path: Path, name: str) -> Iterator[Sheet]:
    """Open a CSV or an .xlsx; raise Unreadable for what can't be trusted as a whole."""
    check_size(path)
    with path.open("rb") as stream:
        start = stream.read(len(ZIP_MARK))
        stream.seek(0)
        if start == OLE_MARK:
            raise Unreadable(
                _("This is an old spreadsheet, or one with a password. Save it as .xlsx or CSV.")
            )
        if start == ZIP_MARK:
            with _unpacked(path) as plain:
                total, lines = _spreadsheet(plain)
                yield _titled(lines, name, total)
        else:
            yield _titled(_csv(stream, name), name, _line_ends(path))


def _line_ends(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(part.count(b"\n") for part in iter(lambda: stream.read(COPIED), b""))


def _titled(lines: Iterator[Record], name: str, total: int) -> Sheet:
    """The list below its titles: the first line with two of them or more."""
    for _number, record in islice(lines, TITLES_WITHIN):
        headings = [_heading(cell) for cell in record or ()]
        while headings and not headings[-1]:
            headings.pop()
        if len(headings) > MOST_COLUMNS:
            limit = {"limit": MOST_COLUMNS}
            raise Unreadable(_("The list has more than %(limit)s columns.") % limit)
        if len(list(filter(None, headings))) > 1:
            return Sheet(name, headings, lines, total)
    raise Unreadable(_("The list is empty. Its first line must name the columns."))


def _heading(cell: str) -> str:
    try:
        return clean(cell)
    except BadValue:
        return ""


# CSV


def _csv(stream: IO[bytes], name: str) -> Iterator[Record]:
    lines = text_lines(stream, name)
    first = list(islice(lines, TITLES_WITHIN))
    said = SEPARATOR_LINE.fullmatch(first[0]) if first else None
    if said and said[1] in DELIMITERS:
        delimiter = said[1]
        first[0] = "\n"  # a line still, so that the numbers of the others stay
    else:
        delimiter = max(DELIMITERS, key=lambda mark: max(_counted(first, mark), default=0))
    reader = csv.reader(chain(first, lines), delimiter=delimiter, strict=True)
    yield from records(reader, name)


def _counted(lines: list[str], mark: str) -> list[int]:
    return [line.count(mark) for line in lines]


# Spreadsheets


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The text of a spreadsheet in a zip that packs nothing, by a hand that counts what comes out.

    What reads spreadsheets believes whatever a zip says of itself, and spreads two cells that
    stand far apart over all the memory between them.
    """
    with tempfile.NamedTemporaryFile(dir=store.folder(), prefix=store.SHEET) as plain:
        try:
            with zipfile.ZipFile(path) as archive, zipfile.ZipFile(plain, "w") as copy:
                for entry in judged(archive):
                    if entry.filename.endswith((".xml", ".rels")):
                        _copy(archive, entry, copy)
        except (*DAMAGE, ValueError, NotImplementedError) as error:
            raise damaged() from error
        plain.flush()
        yield Path(plain.name)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, copy: zipfile.ZipFile) -> None:
    extent = Extent()
    with archive.open(entry) as packed, copy.open(entry.filename, "w", force_zip64=True) as plain:
        while part := packed.read(COPIED):
            extent.feed(part)
            plain.write(part)
        extent.feed(b"", last=True)


def _spreadsheet(path: Path) -> tuple[int, Iterator[Record]]:
    """How many rows the first sheet has that is not hidden, and these."""
    with _reading(), CalamineWorkbook.from_path(path) as book:
        shown = [one.name for one in book.sheets_metadata if one.visible == VISIBLE]
        if not shown:
            raise Unreadable(_("The spreadsheet has no sheet to read."))
        sheet = book.get_sheet_by_name(shown[0])
    return sheet.height, _rows(sheet)


def _rows(sheet: CalamineSheet) -> Iterator[Record]:
    above = sheet.start[0] if sheet.start else 0
    with _reading():
        for number, cells in enumerate(sheet.iter_rows(), start=above + 1):
            yield number, [text(cell) for cell in cells]


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except (CalamineError, ValueError) as error:
        raise damaged() from error
    except BaseException as error:
        # Where its reader itself gives up, it does so with something that is no Exception.
        if type(error).__name__ == "PanicException":
            raise damaged() from None
        raise


def text(cell: Any) -> str:
    """What a person sees in a cell: 42 and not 42.0, a day as 2026-09-01."""
    if isinstance(cell, str):
        return cell.replace("\r", "")
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        whole_day = cell.time() == datetime.time.min
        return cell.date().isoformat() if whole_day else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)
