"""One CSV file as rows: strict about damage, forgiving about order and extra columns."""

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .encodings import text_lines
from .problems import BadValue, Refused, Unreadable

DELIMITERS = ",;\t"
# What a spreadsheet writes before the first line, to tell itself how to read the rest.
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
MAX_CELL = 250
CONTROL, SURROGATE = "Cc", "Cs"
STRAY_QUOTE = gettext_lazy("A quote in it stands where none can.")
LINE_BREAK = gettext_lazy("It holds a line break; perhaps a quote opens in it and never closes.")

Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells we asked for, by column name, and the line the row begins on."""

    number: int
    cells: Cells

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def rows(
    stream: IO[bytes],
    name: str,
    *,
    columns: Iterable[str],
    required: Iterable[str],
    key: str,
    match: Callable[[str], str] = str.casefold,
    delimiters: str = DELIMITERS,
) -> Iterator[Row | Refused]:
    """Yield each row's wanted cells, or why the row is refused.

    Only `columns` are taken out of a line: what else it holds (passwords, birthplaces) is
    dropped with the line. `match` turns a header as written into one comparable with
    `match(column)`. Damage that could hide rows behind it raises Unreadable.
    """
    reader, header = _opened(stream, name, delimiters)
    places = _places(header, name, columns, required, match)
    width = len(header)
    for number, record in records(reader, name):
        if record is None:
            yield Refused(name, number, "", str(STRAY_QUOTE))
        if not record or not any(record):
            continue
        if reader.line_num > number and _swallowed(record, reader.dialect.delimiter):
            yield Refused(name, number, "", _("A quote opens in it and never closes."))
            continue
        # Spreadsheets add delimiters behind the last column that was ever touched.
        if len(record) == width or (len(record) > width and not any(record[width:])):
            yield cleaned(name, number, {column: record[at] for column, at in places}, key)
        else:
            yield wrong_width(name, number, record, width)


def _swallowed(record: list[str], delimiter: str) -> bool:
    """A cell holds what looks like another row: whose that was can't be said any more."""
    return any("\n" in cell and cell.count(delimiter) >= len(record) - 1 for cell in record)


def titles(stream: IO[bytes], name: str, delimiters: str = DELIMITERS) -> list[str]:
    """The names of a file's columns as its first line has them."""
    return [title.strip() for title in _opened(stream, name, delimiters)[1]]


def _opened(stream: IO[bytes], name: str, delimiters: str) -> tuple[Any, list[str]]:
    """A reader that stands behind the first line, and that line's cells."""
    lines = text_lines(stream, name)
    first = next(lines, "")
    said = SEPARATOR_LINE.fullmatch(first)
    if said and said[1] in delimiters:
        delimiter = said[1]
    else:
        delimiter = max(delimiters, key=first.count)
        lines = _put_back(first, lines)
    if not first.strip():
        raise Unreadable(_("%(file)s is empty.") % {"file": name})
    if any(letter == "\0" or unicodedata.category(letter) == SURROGATE for letter in first):
        raise Unreadable(
            _("The first line of %(file)s is not UTF-8 text. Save it as CSV UTF-8.")
            % {"file": name}
        )
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    header = next(records(reader, name), (1, []))[1]
    if header is None:
        raise _damage("", name, 1)
    if not header:
        raise Unreadable(_("%(file)s is empty.") % {"file": name})
    return reader, header


def _put_back(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def records(reader: Any, name: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each record with the line it begins on, None for one with a stray quote; csv's other
    complaints become sentences."""
    while True:
        begins = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "expected after" not in str(error):
                raise _damage(str(error), name, begins) from error
            record = None
        yield begins, record


def _damage(error: str, name: str, line: int) -> Unreadable:
    where = {"file": name, "line": line}
    if "field larger than" in error:
        return Unreadable(
            _("%(file)s, from line %(line)s: a cell is far too long, or its quote never closes.")
            % where
        )
    if "new-line" in error:
        return Unreadable(
            _("%(file)s, line %(line)s: a line ends as no other does. Save it as CSV UTF-8.")
            % where
        )
    return Unreadable(_("%(file)s, line %(line)s: a quote opens and never closes.") % where)


def _places(
    header: list[str],
    name: str,
    columns: Iterable[str],
    required: Iterable[str],
    match: Callable[[str], str],
) -> list[tuple[str, int]]:
    titles = [match(title.strip()) for title in header]
    named = [title for title in titles if title]
    twice = sorted({title for title in named if named.count(title) > 1})
    if twice:
        raise Unreadable(
            _("%(file)s has the column %(column)s twice.") % {"file": name, "column": twice[0]}
        )
    missing = [column for column in required if match(column) not in titles]
    if missing:
        raise Unreadable(
            _("%(file)s has no column %(columns)s. Its first line must name the columns.")
            % {"file": name, "columns": ", ".join(missing)}
        )
    return [(column, titles.index(match(column))) for column in columns if match(column) in titles]


def wrong_width(name: str, number: int, record: list[str], width: int) -> Refused:
    reason = _("The row has %(cells)s cells where the first line names %(columns)s.")
    return Refused(name, number, "", reason % {"cells": len(record), "columns": width})


def cleaned(name: str, number: int, cells: Cells, key: str, line_breaks: int = 0) -> Row | Refused:
    """A row, or why it is refused; a cell may hold so many line breaks."""
    for column, cell in cells.items():
        if max(cell.count("\n"), cell.count("\r")) > line_breaks:
            # The mark of a quote that swallowed other rows: whose they were can't be said.
            return Refused(name, number, column, str(LINE_BREAK))
        try:
            cells[column] = clean(cell)
        except BadValue as bad:
            return Refused(name, number, column, str(bad), identity(cells.get(key, "")))
    return Row(number, cells)


def identity(cell: str) -> str:
    """Whose row it is; empty if that can't be read."""
    try:
        return clean(cell)
    except BadValue:
        return ""


def clean(cell: str) -> str:
    """One spelling for equal texts: composed letters, single spaces, no control characters."""
    if cell.isascii() and cell.isprintable():
        text = cell.strip()
        if "  " in text:
            text = " ".join(text.split())
    else:
        text = " ".join(unicodedata.normalize("NFC", cell).split())
        found = {unicodedata.category(character) for character in text}
        if SURROGATE in found:
            raise BadValue(_("It is not UTF-8 text. Save the file as CSV UTF-8."))
        if CONTROL in found:
            raise BadValue(_("It holds a character that can't be shown."))
    if len(text) > MAX_CELL:
        raise BadValue(_("It is longer than %(limit)s characters.") % {"limit": MAX_CELL})
    return text
