"""Two or three educators who go together."""

from django.db import models

from pthv.models import Educator, ProgramRow, same_program


class VisitTeam(ProgramRow):
    """Educators who visit together, for one family or for the whole year."""

    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    members = models.ManyToManyField(Educator, through="TeamMember", related_name="teams")

    class Meta:
        ordering = ["pk"]
        constraints = [*same_program("visit_team", school="pthv.School")]

    def __str__(self) -> str:
        return f"Team {self.pk}"


class TeamMember(ProgramRow):
    """An educator of a team; the lead is who the family hears from."""

    team = models.ForeignKey(
        VisitTeam, models.CASCADE, db_constraint=False, related_name="memberships"
    )
    educator = models.ForeignKey(Educator, models.PROTECT, db_constraint=False, related_name="+")
    is_lead = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_lead", "pk"]
        constraints = [
            *same_program("team_member", team="visits.VisitTeam", educator="pthv.Educator"),
            models.UniqueConstraint(fields=["team", "educator"], name="team_member_once"),
            models.UniqueConstraint(
                fields=["team"], condition=models.Q(is_lead=True), name="team_has_one_lead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} in {self.team_id}"
