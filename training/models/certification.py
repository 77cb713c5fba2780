"""Leave to do something, from one date to another."""

import base64
import secrets
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, User, same_program, scoped, undoable
from pthv.models.history import keeps_history
from pthv.models.tenancy import CompositeForeignKey

from .course import Course, Grant
from .member import CohortMember


def new_code() -> str:
    """26 letters and digits that nobody can guess: 128 bits."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")


def code_in_groups(code: str) -> str:
    """A code as people copy it: "ABCD EFGH …"."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


class CertificationQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Of the program, or of one's schools' educators."""
        if user.reach(can).program:
            return self
        return self.filter(educator__in=Educator.objects.open_to(user, can))

    def certifying(self) -> "CertificationQuerySet":
        """Of courses after which one may visit, and not revoked."""
        return self.filter(course__grants=Grant.VISITS, revoked_at=None)


@keeps_history()
@undoable
class Certification(ProgramRow):
    """An educator's leave to go on visits, from one date to another."""

    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="certifications"
    )
    course = models.ForeignKey(Course, models.PROTECT, db_constraint=False, related_name="+")
    member = models.ForeignKey(
        CohortMember,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_constraint=False,
        related_name="certifications",
        help_text=_("The membership of a cohort it was earned by, if it was."),
    )
    code = models.CharField(
        max_length=26,
        unique=True,
        default=new_code,
        editable=False,
        help_text=_("Printed on the certificate: who holds it can have it verified."),
    )
    evidence = models.CharField(
        max_length=255,
        blank=True,
        help_text=_("Where the proof lies of a training that was not recorded here."),
    )
    issued_on = models.DateField()
    expires_on = models.DateField(help_text=_("The last day it counts."))
    issued_at = models.DateTimeField(default=clock.now, editable=False)
    issued_by = models.ForeignKey(
        User, models.PROTECT, editable=False, db_index=False, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )
    revoked_because = models.CharField(max_length=255, blank=True)

    objects: ClassVar[Any] = scoped(CertificationQuerySet)

    class Meta:
        ordering = ["-expires_on", "-pk"]
        constraints = [
            *same_program("certification", educator="pthv.Educator", course="training.Course"),
            CompositeForeignKey(
                name="certification_member_is_theirs",
                fields=["program", "member", "educator"],
                to="training.CohortMember",
                to_fields=["program", "id", "educator"],
            ),
            models.UniqueConstraint(
                fields=["educator", "course", "issued_on"], name="certification_once"
            ),
            models.UniqueConstraint(fields=["member"], name="certification_earned_once"),
            models.CheckConstraint(
                name="certification_in_order", condition=Q(expires_on__gte=F("issued_on"))
            ),
            models.CheckConstraint(
                name="certification_revoked_with_by_and_reason",
                condition=Q(revoked_at=None, revoked_by=None, revoked_because="")
                | (Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoked_because="")),
            ),
        ]
        indexes = [
            models.Index(fields=["program", "expires_on", "id"], name="certifications_by_expiry"),
            models.Index(fields=["educator", "-expires_on"], name="certifications_of_educator"),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} until {self.expires_on}"


class CertificationReminder(ProgramRow):
    """That people were told so many days before a certification ends; each is told once."""

    certification = models.ForeignKey(
        Certification, models.CASCADE, db_constraint=False, related_name="reminders"
    )
    days = models.PositiveSmallIntegerField(help_text=_("How many days before."))
    made_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("certification_reminder", certification="training.Certification"),
            models.UniqueConstraint(
                fields=["certification", "days"], name="certification_reminder_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.days}"
