"""What can be wrong with a file: the whole of it, or one row."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class Unreadable(Exception):
    """The file as a whole can't be trusted; str() is one sentence for the person who sent it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that is left out, where it stands, and why.

    `key` is the row's own id when it has one: a person whose row was refused
    must not be taken for a person who is missing from the file. `about` are the ids of
    others whom the row meant; a `part` of a row is one cell, and the rest was taken. `cells`
    are what the row says in our own files, so that it can be mended and sent again.
    """

    file: str
    row: int
    column: str
    reason: str
    key: str = ""
    about: tuple[str, ...] = ()
    part: bool = False
    cells: Mapping[str, str] = field(default_factory=dict)


class BadValue(ValueError):
    """A cell that can't be used; str() is the sentence a person reads."""
