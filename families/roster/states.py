"""One shape for what a file says and what the roster holds, so that they compare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pthv.tables.problems import Refused

Data = dict[str, Any]


class Table(StrEnum):
    """What a line of a diff is about, in the order in which lines are applied."""

    YEAR = "year"
    SCHOOL = "school"
    CLASS = "class"
    EDUCATOR = "educator"
    STUDENT = "student"
    ATTRIBUTES = "attributes"
    HOUSEHOLD = "household"
    CAREGIVER = "caregiver"
    FAMILY = "family"
    MOVE = "move"


@dataclass(slots=True)
class Entry:
    """One person or thing: how a reader knows it, what is held of it, where it stands."""

    label: str
    data: Data
    row: int | None = None


Entries = dict[str, Entry]


@dataclass
class State:
    """Entries of each table by their id in the files."""

    tables: dict[Table, Entries] = field(default_factory=lambda: {table: {} for table in Table})

    def __getitem__(self, table: Table) -> Entries:
        return self.tables[table]


@dataclass
class Wanted(State):
    """What a file asks for, the rows it was refused, and what these leave in doubt."""

    refused: list[Refused] = field(default_factory=list)
    # Whom, and which classes, a refused enrollment may have meant: nobody leaves these by it.
    doubtful_people: set[str] = field(default_factory=set)
    doubtful_classes: set[str] = field(default_factory=set)
    every_enrollment_in_doubt: bool = False

    def refuse(
        self,
        file: str,
        row: int,
        column: str,
        reason: str,
        key: str = "",
        cells: Mapping[str, str] | None = None,
    ) -> None:
        self.refused.append(Refused(file, row, column, reason, key, cells=cells or {}))

    def refused_keys(self, file: str) -> set[str]:
        return {refused.key for refused in self.refused if refused.file == file and refused.key}

    def in_doubt(self, file: str) -> bool:
        """A refused row doesn't say whose it is: then nobody can be called missing."""
        return any(not refused.key for refused in self.refused if refused.file == file)


@dataclass(slots=True)
class Difference:
    """An entry that the file would add (no `before`), change, or let leave (no `after`)."""

    key: str
    label: str
    row: int | None
    before: Data
    after: Data
