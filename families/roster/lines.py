"""The lines of a plan on their way into the database: many at once, none kept in memory."""

import json
from collections import Counter
from typing import Any

from families.models import RosterChange, RosterImport
from pthv.tables.problems import Refused

from .chunks import CHUNK
from .copying import copy_rows
from .states import Difference, Table

Kind = RosterChange.Kind
# What applying keeps beside the diff, such as the ids that a vendor gives to enrollments.
# No person reads these lines; their table says what they hold.
BESIDE = "beside"
ENROLLMENT_IDS, SESSIONS = "enrollment_ids", "sessions"
COLUMNS = (
    "program_id",
    "roster_import_id",
    "kind",
    "table",
    "source_id",
    "label",
    "row",
    "column",
    "reason",
    "before",
    "after",
)


class Lines:
    """Counts the lines of one import's plan and writes them in chunks."""

    def __init__(self, roster_import: RosterImport) -> None:
        self.roster_import = roster_import
        self.tally: dict[str, Counter[str]] = {kind: Counter() for kind in Kind}
        self.waiting: list[tuple[Any, ...]] = []
        self.enrollment_ids: list[tuple[str, str, str, str]] = []

    def add(self, table: Table, found: Difference) -> None:
        kind = Kind.CHANGED if found.before else Kind.NEW
        if not found.after:
            kind = Kind.LEFT
        elif table == Table.MOVE or (table == Table.STUDENT and "school" in found.before):
            kind = Kind.MOVED
        self.tally[kind][table] += 1
        self._write(
            kind.value,
            table.value,
            found.key,
            label=found.label[:255],
            row=found.row,
            before=found.before,
            after=found.after,
        )

    def refuse(self, refused: Refused) -> None:
        self.tally[Kind.REFUSED][refused.file] += 1
        self._write(
            Kind.REFUSED.value,
            refused.file,
            refused.key,
            row=refused.row,
            column=refused.column,
            reason=refused.reason[:255],
            after=dict(refused.cells),
        )

    def enrollment_id(self, table: Table, person: str, school_class: str, key: str) -> None:
        """Keep the id under which the vendor may take this enrollment back."""
        self.enrollment_ids.append((table.value, person, school_class, key))
        if len(self.enrollment_ids) >= CHUNK:
            self._write_ids()

    def sessions(self, years: dict[str, str]) -> None:
        """Keep which school year each academic session of the files belongs to."""
        if years:
            self._write(BESIDE, SESSIONS, "", after=years)

    def close(self) -> None:
        """Write what still waits."""
        self._write_ids()
        self._flush()

    def _write_ids(self) -> None:
        if self.enrollment_ids:
            self._write(BESIDE, ENROLLMENT_IDS, "", after={"ids": self.enrollment_ids})
            self.enrollment_ids = []

    def _write(
        self,
        kind: str,
        table: str,
        key: str,
        *,
        label: str = "",
        row: int | None = None,
        column: str = "",
        reason: str = "",
        before: object = None,
        after: object = None,
    ) -> None:
        held = [json.dumps(data or {}, ensure_ascii=False) for data in (before, after)]
        one = self.roster_import
        self.waiting.append(
            (one.program_id, one.pk, kind, table, key, label, row, column, reason, *held)
        )
        if len(self.waiting) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        copy_rows(RosterChange._meta.db_table, COLUMNS, self.waiting)
        self.waiting = []
