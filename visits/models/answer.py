"""What families answer, each answer as it was given, and the links by which they give it."""

import datetime
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import ProgramRow, User, same_program, scoped, undoable

from .invitation import Invitation


class FamilyLinkQuerySet(models.QuerySet):
    def standing(self) -> "FamilyLinkQuerySet":
        """Neither revoked nor run out."""
        return self.filter(revoked_at=None, expires_at__gt=clock.now())

    def usable(self) -> "FamilyLinkQuerySet":
        """Standing, and its caregiver still speaks for the family in that school year."""
        # The year's last day counts wherever the program is.
        last_midnight = (clock.now() - datetime.timedelta(hours=12)).date()
        return self.standing().filter(
            caregiver__ended_on=None,
            caregiver__may_decide=True,
            caregiver__may_be_contacted=True,
            caregiver__family=F("invitation__family"),
            invitation__family__merged_into=None,
            invitation__school_year__ends_on__gte=last_midnight,
        )


@undoable
class FamilyLink(ProgramRow):
    """A way in without an account: for one caregiver, to answer one invitation.

    The token itself is nowhere; pthv/tokens.py makes it from the nonce when a message goes out.
    """

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, db_constraint=False, related_name="links"
    )
    caregiver = models.ForeignKey(
        "families.Caregiver", models.PROTECT, db_constraint=False, related_name="+"
    )
    nonce = models.CharField(max_length=40, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(FamilyLinkQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "family_link", invitation="visits.Invitation", caregiver="families.Caregiver"
            ),
            models.UniqueConstraint(
                fields=["invitation", "caregiver"],
                condition=Q(revoked_at=None),
                name="family_link_one_standing",
            ),
            models.CheckConstraint(
                name="family_link_revoked_by_with_at",
                condition=Q(revoked_at__isnull=False) | Q(revoked_by=None),
            ),
        ]

    def __str__(self) -> str:
        return f"Link {self.pk}"


@undoable
class InvitationAnswer(ProgramRow):
    """One answer of a family: who gave it, how, and whether it is the one that counts.

    `recorded_by` is whoever of us wrote it down; empty: the family itself, by its link.
    """

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", _("Yes")
        LATER = "later", _("Not now")
        DECLINED = "declined", _("No, thank you")
        CALL = "call", _("Please call")

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, db_constraint=False, related_name="answers"
    )
    caregiver = models.ForeignKey(
        "families.Caregiver",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    answer = models.CharField(max_length=8, choices=Answer)
    later_on = models.DateField(null=True, blank=True)
    place_wanted = models.CharField(
        max_length=10, choices=Invitation.Place, blank=True, default="", db_default=""
    )
    interpreter_wanted = models.BooleanField(default=False, db_default=False)
    times = ArrayField(models.CharField(max_length=16), default=list, blank=True, db_default=[])
    language = models.CharField(max_length=20, blank=True, default="", db_default="")
    given_at = models.DateTimeField(default=clock.now)
    recorded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    link = models.ForeignKey(
        FamilyLink,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    counted = models.BooleanField(
        default=True, db_default=True, help_text=_("Whether the invitation took it over.")
    )
    before = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        help_text=_("What the invitation was before, for the ten seconds it can be taken back."),
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "invitation_answer",
                invitation="visits.Invitation",
                caregiver="families.Caregiver",
                link="visits.FamilyLink",
            ),
            models.CheckConstraint(
                name="invitation_answer_later_has_its_date",
                condition=Q(answer="later", later_on__isnull=False)
                | (~Q(answer="later") & Q(later_on=None)),
            ),
            models.CheckConstraint(
                name="invitation_answer_by_us_or_by_link",
                condition=Q(recorded_by__isnull=False, link=None)
                | Q(recorded_by=None, link__isnull=False, caregiver__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer} to {self.invitation_id}"


class MessageWording(ProgramRow):
    """A program's own words for a message to families, in one language."""

    kind = models.CharField(max_length=20)
    language = models.CharField(max_length=12)
    subject = models.CharField(max_length=120, blank=True)
    body = models.TextField(max_length=1200)
    changed_at = models.DateTimeField(default=clock.now)
    changed_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        ordering = ["kind", "language"]
        constraints = [
            *same_program("message_wording"),
            models.UniqueConstraint(fields=["program", "kind", "language"], name="wording_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.language}"
