"""Lists of certificates from before: what came, and what it would change."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Change, ProgramRow, User, same_program, scoped


class CertificateImportQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """A file speaks of every school at once: all of the program's, or none."""
        return self if user.reach(can).program else self.none()


class CertificateImport(ProgramRow):
    """One list a coordinator brought: read, planned, looked at, applied or not."""

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        REFUSED = "refused", _("Could not be read")
        PLANNED = "planned", _("Waiting for you")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")
        DISCARDED = "discarded", _("Discarded")

    state = models.CharField(max_length=10, choices=State, default=State.READING)
    file_name = models.CharField(max_length=200)
    upload = models.CharField(
        max_length=64, blank=True, help_text=_("The private file, while it waits to be read.")
    )
    problem = models.TextField(blank=True, help_text=_("Why the file could not be read."))
    counts = models.JSONField(default=dict)
    uploaded_at = models.DateTimeField(default=clock.now)
    uploaded_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    change = models.ForeignKey(
        Change, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(CertificateImportQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("certificate_import", change="pthv.Change"),
            models.CheckConstraint(
                name="certificate_import_applied_at_with_by",
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


class CertificateLine(ProgramRow):
    """One row of such a list: a certification it would bring, one that is here, or why not."""

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        SAME = "same", _("Here already")
        REFUSED = "refused", _("Refused")

    certificate_import = models.ForeignKey(
        CertificateImport, models.CASCADE, db_constraint=False, related_name="lines"
    )
    number = models.PositiveIntegerField(help_text=_("The line of the file."))
    kind = models.CharField(max_length=7, choices=Kind)
    label = models.CharField(max_length=255, blank=True)
    problem = models.CharField(max_length=255, blank=True)
    data = models.JSONField(default=dict)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["number"]
        constraints = [
            *same_program("certificate_line", certificate_import="training.CertificateImport"),
        ]
        indexes = [
            models.Index(
                fields=["certificate_import", "kind", "number", "id"], name="certificate_lines"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind}"
