"""Two or three educators who go together."""

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from pthv.models import Educator, ProgramRow, same_program, scoped


class VisitTeamQuerySet(models.QuerySet):
    def for_the_year(self) -> "VisitTeamQuerySet":
        """Who were asked to go together all year, whatever they said."""
        return self.filter(stands=True, ended_on=None)

    def standing(self) -> "VisitTeamQuerySet":
        """Who go together all year, and nobody said no."""
        return self.for_the_year().exclude(memberships__answer="declined")

    def with_members(self) -> "VisitTeamQuerySet":
        """With who goes, the lead first, as `going`."""
        people = TeamMember.objects.select_related("educator__user")
        return self.prefetch_related(models.Prefetch("memberships", people, to_attr="going"))


class VisitTeam(ProgramRow):
    """Educators who visit together, for one family or for the whole year."""

    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    members = models.ManyToManyField(Educator, through="TeamMember", related_name="teams")
    stands = models.BooleanField(
        default=False, db_default=False, help_text=_("For the whole year, not for one family.")
    )
    ended_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = scoped(VisitTeamQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [*same_program("visit_team", school="pthv.School")]

    def __str__(self) -> str:
        return f"Team {self.pk}"


class TeamMember(ProgramRow):
    """An educator of a team; the lead is who the family hears from."""

    class Answer(models.TextChoices):
        AGREED = "agreed", _("Goes along")
        DECLINED = "declined", _("Can't")

    team = models.ForeignKey(
        VisitTeam, models.CASCADE, db_constraint=False, related_name="memberships"
    )
    educator = models.ForeignKey(Educator, models.PROTECT, db_constraint=False, related_name="+")
    is_lead = models.BooleanField(default=False)
    answer = models.CharField(
        max_length=8,
        choices=Answer,
        blank=True,
        default="",
        db_default="",
        help_text=_("What they said when asked along; empty: nothing yet."),
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-is_lead", "pk"]
        constraints = [
            *same_program("team_member", team="visits.VisitTeam", educator="pthv.Educator"),
            models.UniqueConstraint(fields=["team", "educator"], name="team_member_once"),
            models.CheckConstraint(
                name="team_member_answered_at_with_answer",
                condition=models.Q(answer="", answered_at=None)
                | ~models.Q(answer="") & models.Q(answered_at__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(is_lead=True), name="team_has_one_lead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} in {self.team_id}"
