"""Who signed in at the door of a session with a code from the screen there."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, same_program, scoped

from .cohort import TrainingSession


class DoorSignIn(ProgramRow):
    """One code that was used: by somebody who is known, or by whom a coordinator has to confirm."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for you")
        RECORDED = "recorded", _("Recorded")
        REFUSED = "refused", _("Refused")

    session = models.ForeignKey(
        TrainingSession, models.PROTECT, db_constraint=False, related_name="sign_ins"
    )
    nonce_hash = models.CharField(max_length=64, help_text=_("Of the code, which serves once."))
    educator = models.ForeignKey(
        Educator,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("Who it was, if they were logged in or are confirmed."),
    )
    name = models.CharField(max_length=160, blank=True, help_text=_("As they typed it."))
    email = models.EmailField(blank=True, help_text=_("As they typed it."))
    signed_in_at = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "door_sign_in", session="training.TrainingSession", educator="pthv.Educator"
            ),
            models.UniqueConstraint(fields=["nonce_hash"], name="door_code_serves_once"),
            models.CheckConstraint(
                name="door_sign_in_says_who",
                condition=Q(educator__isnull=False) | ~Q(email=""),
            ),
        ]
        indexes = [models.Index(fields=["session", "state", "id"], name="door_sign_ins")]

    def __str__(self) -> str:
        return f"{self.session_id} {self.state}"
