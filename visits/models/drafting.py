"""What somebody is still writing."""

from typing import Any, ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from pthv import clock
from pthv.models import Educator, ProgramRow, User, same_program, scoped

from .visit import Visit


class LogDraftQuerySet(models.QuerySet):
    def of(self, visit: Visit, user: User, what: str) -> "LogDraftQuerySet":
        """One's own drafts of a log or a reflection, the newest first."""
        found = self.filter(visit=visit, educator__user=user, what=what)
        return found.order_by("-saved_at", "-pk")


class LogDraft(ProgramRow):
    """A log or a reflection that its educator has not saved yet; nobody else ever reads it."""

    class What(models.TextChoices):
        LOG = "log"
        REFLECTION = "reflection"

    visit = models.ForeignKey(Visit, models.CASCADE, db_constraint=False, related_name="+")
    educator = models.ForeignKey(
        Educator, models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    what = models.CharField(max_length=10, choices=What)
    key = models.UUIDField(help_text="The page it is written on: two pages, two drafts.")
    data = models.JSONField(encoder=DjangoJSONEncoder, editable=False)
    instead_of = models.CharField(
        max_length=40, blank=True, help_text="The version of what was saved when it was begun."
    )
    saved_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[Any] = scoped(LogDraftQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("log_draft", visit="visits.Visit", educator="pthv.Educator"),
            models.UniqueConstraint(
                fields=["visit", "educator", "what", "key"], name="log_draft_once_a_page"
            ),
        ]
        indexes = [models.Index(fields=["saved_at"], name="log_drafts_by_age")]

    def __str__(self) -> str:
        return f"Draft {self.pk}"
