"""The rows of one file of a bundle as records, or why a row is refused."""

from collections.abc import Callable, Iterator
from sys import intern
from typing import TypeVar

from django.utils.translation import gettext as _

from pthv.tables.problems import BadValue, Refused
from pthv.tables.rows import Row, rows
from pthv.tables.values import quoted

from .archive import Bundle

STATUSES = {"": False, "active": False, "inactive": True, "tobedeleted": True}
# What databases write for nothing at all. Never a name: there are people called Null.
NOTHING = frozenset(["NULL", "null", "\\N"])
ID = "sourcedId"

Value = TypeVar("Value")
Record = TypeVar("Record")


class BadCell(BadValue):
    """A value that can't be used, and the column it stands in."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def records(
    bundle: Bundle,
    name: str,
    build: Callable[[Row], Record],
    *,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
    about: tuple[str, ...] = (),
    once: bool = True,
) -> Iterator[Record | Refused]:
    """Each row as `build` makes it. `about` are the columns that say whom a refused row means;
    unless `once`, several rows may bear one id."""
    required = (ID, *required)
    columns = (*required, "status", *optional)
    taken: dict[str, int] = {}
    with bundle.open(name) as stream:
        for row in rows(stream, name, columns=columns, required=required, key=ID):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                record = build(row)
                if once and (earlier := taken.setdefault(row[ID], row.number)) != row.number:
                    reason = _("Line %(line)s already has this id.") % {"line": earlier}
                    raise BadCell(ID, reason)
            except BadCell as bad:
                meant = tuple(row[column] for column in about)
                yield Refused(name, row.number, bad.column, str(bad), row[ID], meant)
            else:
                yield record


def base(row: Row) -> tuple[int, str, bool]:
    """The line, the id, and whether the row says that it is no more."""
    status = said(row, "status").casefold()
    if status not in STATUSES:
        reason = _("“%(status)s” is not a status of OneRoster.")
        raise BadCell("status", reason % {"status": quoted(status)})
    return row.number, filled(row, ID), STATUSES[status]


def said(row: Row, column: str) -> str:
    """A cell that is no name."""
    text = row[column]
    return "" if text in NOTHING else text


def filled(row: Row, column: str, longest: int = 0) -> str:
    text = limited(row, column, longest)
    if not text:
        raise BadCell(column, _("It is empty."))
    return text


def limited(row: Row, column: str, longest: int) -> str:
    text = row[column]
    if longest and len(text) > longest:
        raise BadCell(column, _("It is longer than %(limit)s characters.") % {"limit": longest})
    return text


def cell(row: Row, column: str, parse: Callable[[str], Value]) -> Value:
    try:
        return parse(said(row, column))
    except BadValue as bad:
        raise BadCell(column, str(bad)) from bad


def ids(text: str) -> tuple[str, ...]:
    """A list of ids; they stand in many rows, and are kept once."""
    if text in NOTHING or not text:
        return ()
    parts = (part.strip(" {}[]\"'") for part in text.replace(";", ",").split(","))
    return tuple(intern(part) for part in parts if part)
