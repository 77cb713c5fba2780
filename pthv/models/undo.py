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


def undoable(model: type[models.Model]) -> type[models.Model]:
    """Class decorator: while a change is at work, keep each row that it writes as it was.

    Below `keeps_history`, so that the history table isn't given the trigger too.
    """
    UNDOABLE.append(model)
    keep = pgtrigger.Trigger(
        name="keep_image",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        condition=pgtrigger.Condition(f"current_setting('{SETTING}', true) <> ''"),
        func=f"""
            INSERT INTO pthv_rowimage (program_id, change_id, "table", row, before, after)
            VALUES (
                split_part(current_setting('{SETTING}'), ':', 1)::bigint,
                split_part(current_setting('{SETTING}'), ':', 2)::bigint,
                TG_TABLE_NAME,
                coalesce(NEW.id, OLD.id),
                CASE WHEN TG_OP <> 'INSERT' THEN {_written(model, "OLD")} END,
                CASE WHEN TG_OP <> 'DELETE' THEN {hashed(model, "NEW")} END
            );
            RETURN NULL;
        """,
    )
    return pgtrigger.register(keep)(model)
