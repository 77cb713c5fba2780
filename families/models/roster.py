"""The files that bring all of it: what came, and what it would change."""

import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import ProgramRow, User, same_program, scoped

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
        CONTACTS = "contacts", _("Family contacts (CSV)")

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        REFUSED = "refused", _("Could not be read")
        PLANNED = "planned", _("Waiting for you")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        DISCARDED = "discarded", _("Discarded")

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    file_name = models.CharField(max_length=200)
    problem = models.TextField(blank=True, help_text=_("Why the file could not be read."))
    counts = models.JSONField(default=dict)
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

    objects: ClassVar[Any] = scoped(RosterImportQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("roster_import"),
            models.CheckConstraint(
                name="roster_import_applied_at_with_by",
                condition=Q(state="applied", applied_at__isnull=False, applied_by__isnull=False)
                | (~Q(state="applied") & Q(applied_at=None, applied_by=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def working(self) -> bool:
        """The worker has it: look again soon."""
        return self.state in (self.State.READING, self.State.APPLYING)

    @property
    def stuck(self) -> bool:
        """The worker has had it for so long that it may be put away."""
        return self.working and clock.now() - self.working_since > STUCK_AFTER


class RosterChange(ProgramRow):
    """One line of an import's diff: what a row of the file would do, or why it can't."""

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
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
        indexes = [models.Index(fields=["roster_import", "kind", "id"], name="changes_of_import")]

    def __str__(self) -> str:
        return f"{self.kind} {self.table} {self.source_id}"
