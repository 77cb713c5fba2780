"""The files that bring all of it: what came, and what it would change."""

import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import Change, ProgramRow, User, same_program, scoped, undoable

# The largest roster takes minutes.
STUCK_AFTER = datetime.timedelta(hours=1)


class RosterImportQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "RosterImportQuerySet":
        """A file speaks of every school at once: all of the program's imports, or none."""
        return self if user.reach(can).program else self.none()


class RosterImport(ProgramRow):
    """One file a coordinator brought: read, planned, looked at, applied or not."""

    class Kind(models.TextChoices):
        ONEROSTER = "oneroster", _("Roster (OneRoster CSV)")
        CONTACTS = "contacts", _("Family contacts (CSV or Excel)")
        ATTRIBUTES = "attributes", _("Student attributes (CSV or Excel)")

    class State(models.TextChoices):
        COLUMNS = "columns", _("Which column is what?")
        READING = "reading", _("Being read")
        REFUSED = "refused", _("Could not be read")
        PLANNED = "planned", _("Waiting for you")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        DISCARDED = "discarded", _("Discarded")

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    file_name = models.CharField(max_length=200)
    problem = models.TextField(blank=True, help_text=_("Why the file could not be read."))
    counts = models.JSONField(default=dict)
    headings = models.JSONField(
        default=list, help_text=_("The columns of a contacts or attributes file, as it names them.")
    )
    columns = models.JSONField(
        default=dict, help_text=_("Which of its columns is which of ours, once confirmed.")
    )
    upload = models.CharField(
        max_length=64, blank=True, help_text=_("The private file, while it waits to be read.")
    )
    rows_read = models.PositiveIntegerField(default=0)
    leaving_confirmed = models.BooleanField(default=False)
    uploaded_at = models.DateTimeField(default=clock.now)
    uploaded_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    working_since = models.DateTimeField(
        default=clock.now, help_text=_("When the worker was last asked to read or apply it.")
    )
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    change = models.ForeignKey(
        Change, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(RosterImportQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("roster_import", change="pthv.Change"),
            models.CheckConstraint(
                name="roster_import_applied_at_with_by",
                condition=Q(
                    state__in=["applied", "undoing", "undone"],
                    applied_at__isnull=False,
                    applied_by__isnull=False,
                )
                | (
                    ~Q(state__in=["applied", "undoing", "undone"])
                    & Q(applied_at=None, applied_by=None, change=None)
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def working(self) -> bool:
        """The worker has it: look again soon."""
        return self.state in (self.State.READING, self.State.APPLYING, self.State.UNDOING)

    @property
    def stuck(self) -> bool:
        """The worker has had it for so long that it may be put away."""
        return self.working and clock.now() - self.working_since > STUCK_AFTER


class RosterProgress(ProgramRow):
    """How far the worker is; written beside the transaction that applies or undoes."""

    roster_import = models.OneToOneField(
        RosterImport, models.CASCADE, db_constraint=False, related_name="progress"
    )
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "roster progress"
        constraints = [*same_program("roster_progress", roster_import="families.RosterImport")]

    def __str__(self) -> str:
        return f"{self.done} of {self.total}"

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0


@undoable
class RosterSession(ProgramRow):
    """Which school year an academic session of the roster files belongs to.

    A file of changes alone names sessions that it doesn't bring along.
    """

    source_id = models.CharField(max_length=255)
    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("roster_session", school_year="pthv.SchoolYear"),
            models.UniqueConstraint(fields=["program", "source_id"], name="roster_session_once"),
        ]

    def __str__(self) -> str:
        return self.source_id


class RosterChange(ProgramRow):
    """One line of an import's diff: what a row of the file would do, or why it can't."""

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        MOVED = "moved", _("Moved")
        LEFT = "left", _("Left")
        REFUSED = "refused", _("Refused")

    roster_import = models.ForeignKey(
        RosterImport, models.CASCADE, db_constraint=False, related_name="changes"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    table = models.CharField(max_length=20)
    source_id = models.CharField(max_length=255, blank=True)
    label = models.CharField(max_length=255, blank=True)
    row = models.PositiveIntegerField(null=True)
    column = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        constraints = [*same_program("roster_change", roster_import="families.RosterImport")]
        indexes = [
            models.Index(fields=["roster_import", "kind", "id"], name="changes_of_import"),
            # The names of what an import itself brings: a few rows of its many.
            models.Index(
                fields=["roster_import", "table", "source_id"],
                condition=Q(table__in=["school", "class"]),
                name="named_by_import",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.table} {self.source_id}"
