"""What a family says is wrong or has changed: proposals that staff approve."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import ProgramRow, User, same_program, scoped, undoable

from .people import Caregiver, Family, Student


class AmendmentRequestQuerySet(models.QuerySet):
    def waiting(self) -> "AmendmentRequestQuerySet":
        """Neither approved nor declined, the oldest first."""
        return self.filter(state=AmendmentRequest.State.PROPOSED).order_by("pk")


@undoable
class AmendmentRequest(ProgramRow):
    """New values for a family, one caregiver or one child; nothing changes until approved."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Waiting for approval")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")

    family = models.ForeignKey(
        Family, models.PROTECT, db_constraint=False, related_name="amendments"
    )
    caregiver = models.ForeignKey(
        Caregiver, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )
    before = models.JSONField(default=dict, help_text=_("The values it was proposed against."))
    wanted = models.JSONField(help_text=_("The new values, by field."))
    state = models.CharField(max_length=8, choices=State, default=State.PROPOSED)
    proposed_at = models.DateTimeField(default=clock.now)
    proposed_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text=_("Empty: the family itself."),
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(AmendmentRequestQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "amendment",
                family="families.Family",
                caregiver="families.Caregiver",
                student="families.Student",
            ),
            models.CheckConstraint(
                name="amendment_of_one_person",
                condition=Q(caregiver=None) | Q(student=None),
            ),
            models.CheckConstraint(
                name="amendment_decided_at_with_by",
                condition=Q(state="proposed", decided_at=None, decided_by=None)
                | (~Q(state="proposed") & Q(decided_at__isnull=False, decided_by__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "id"], condition=Q(state="proposed"), name="amendments_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"Amendment {self.pk}"
