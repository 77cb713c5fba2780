"""What those who were trained say of it: that somebody answered, and apart from it, what."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import ProgramRow, same_program, scoped

from .cohort import Cohort
from .member import CohortMember


class Wave(models.TextChoices):
    END = "end", _("At the end")
    LATER = "later", _("Three months later")


class FeedbackRequestQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """What this person was asked; nobody sees anybody else's."""
        return self.filter(member__educator__in=user.reach(can).educators)


class FeedbackRequest(ProgramRow):
    """That a member was asked, and whether they answered; never what."""

    member = models.ForeignKey(
        CohortMember, models.PROTECT, db_constraint=False, related_name="feedback_requests"
    )
    wave = models.CharField(max_length=5, choices=Wave)
    minimum = models.PositiveSmallIntegerField(
        help_text=_("They were told that fewer answers than this are never shown.")
    )
    asked_at = models.DateTimeField(default=clock.now)
    answered = models.BooleanField(default=False)

    objects: ClassVar[Any] = scoped(FeedbackRequestQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("feedback_request", member="training.CohortMember"),
            models.UniqueConstraint(fields=["member", "wave"], name="feedback_requested_once"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.wave}"


class Feedback(ProgramRow):
    """One answer. Its random key, and no time, keep it from being matched with a person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cohort = models.ForeignKey(Cohort, models.PROTECT, db_constraint=False, related_name="feedback")
    wave = models.CharField(max_length=5, choices=Wave)
    ready = models.PositiveSmallIntegerField(help_text=_("1 to 5: feels ready to visit."))
    useful = models.PositiveSmallIntegerField(help_text=_("1 to 5: could use what was taught."))
    recommend = models.PositiveSmallIntegerField(help_text=_("1 to 5: would recommend it."))
    comment = models.TextField(blank=True, max_length=1000)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "feedback"
        constraints = [
            *same_program("feedback", cohort="training.Cohort"),
            models.CheckConstraint(
                name="feedback_from_one_to_five",
                condition=Q(ready__range=(1, 5), useful__range=(1, 5), recommend__range=(1, 5)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort_id} {self.wave}"
