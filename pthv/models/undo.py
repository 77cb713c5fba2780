"""What an undoable change wrote: each row as it was, kept by the database while it happens."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock

from .tenancy import ProgramRow, same_program, scoped

# Every model whose rows can be taken back; filled by `undoable`.
UNDOABLE: list[type[models.Model]] = []
# The session setting that names the change at work, as "program:change"; empty outside of one.
SETTING = "pthv.change"


class Change(ProgramRow):
    """Something done to many rows at once that can be taken back as a whole."""

    what = models.CharField(max_length=40, help_text=_("Such as roster.applied."))
    label = models.CharField(max_length=255)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(
        "pthv.User", models.PROTECT, null=True, db_index=False, related_name="+"
    )
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        "pthv.User", models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("change"),
            models.CheckConstraint(
                name="change_undone_by_with_at",
                condition=Q(undone_at__isnull=False) | Q(undone_by=None),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class RowImage(ProgramRow):
    """One row before a change wrote it, and the mark of what the change made of it.

    Written by triggers alone. `before` is empty for a row that the change created, `after`
    (a hash of the row) for one that it deleted.
    """

    change = models.ForeignKey(
        Change, models.CASCADE, db_constraint=False, db_index=False, related_name="images"
    )
    table = models.CharField(max_length=63)
    row = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [*same_program("row_image", change="pthv.Change")]
        indexes = [models.Index(fields=["change", "table", "row", "id"], name="images_of_change")]

    def __str__(self) -> str:
        return f"{self.table} {self.row}"


def stored(model: type[models.Model]) -> list[str]:
    """The columns of a model that hold what was written, not what is computed from it."""
    return [str(field.column) for field in model._meta.concrete_fields if not field.generated]


def hashed(model: type[models.Model], row: str) -> str:
    """SQL for the mark of a row named `row`."""
    return f"hashtextextended(({_written(model, row)})::text, 0)"


def _written(model: type[models.Model], row: str) -> str:
    computed = [field.column for field in model._meta.concrete_fields if field.generated]
    names = "".join(f" - '{name}'" for name in computed)
    return f"to_jsonb({row}){names}"


# One operation a trigger, since each has transition tables of its own. A statement at a time
# is a tenth of the work of a row at a time.
OPERATIONS = {
    "insert": ({"new": "new_rows"}, "new_rows AS n"),
    "update": (
        {"old": "old_rows", "new": "new_rows"},
        "old_rows AS o JOIN new_rows AS n USING (id)",
    ),
    "delete": ({"old": "old_rows"}, "old_rows AS o"),
}


def undoable(model: type[models.Model]) -> type[models.Model]:
    """Class decorator: while a change is at work, keep each row that it writes as it was.

    Below `keeps_history`, so that the history table isn't given the triggers too.
    """
    UNDOABLE.append(model)
    for operation, (tables, rows) in OPERATIONS.items():
        keep = pgtrigger.Trigger(
            name=f"keep_image_{operation}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=getattr(pgtrigger, operation.capitalize()),
            referencing=pgtrigger.Referencing(**tables),
            condition=pgtrigger.Condition(f"current_setting('{SETTING}', true) <> ''"),
            func=_keeping(model, operation, rows),
        )
        pgtrigger.register(keep)(model)
    return model


def _keeping(model: type[models.Model], operation: str, rows: str) -> str:
    before = "NULL" if operation == "insert" else _written(model, "o")
    after = "NULL" if operation == "delete" else hashed(model, "n")
    return f"""
        INSERT INTO pthv_rowimage (program_id, change_id, "table", row, before, after)
        SELECT
            split_part(current_setting('{SETTING}'), ':', 1)::bigint,
            split_part(current_setting('{SETTING}'), ':', 2)::bigint,
            TG_TABLE_NAME, id, {before}, {after}
        FROM {rows};
        RETURN NULL;
    """
