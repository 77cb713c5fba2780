"""How far each educator's invitations have come: the totals behind Today and the desk."""

import datetime
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

from pthv.models import Educator, ProgramRow, SchoolYear, same_program, scoped


class TallyQuerySet(models.QuerySet):
    def of(self, educators: Iterable[int], date: datetime.date) -> dict[str, int]:
        """The sums of these educators in the school year at hand on a date."""
        year = SchoolYear.objects.at_hand(date).values("pk")
        names = ("planned", "asked", "accepted", "visited", "second")
        return self.filter(educator__in=educators, school_year__in=year).aggregate(
            **{name: models.Sum(name, default=0) for name in names}
        )


class Tally(ProgramRow):
    """One educator's invitations of a year at one school, counted by family.

    Kept by triggers on Invitation; never written by hand.
    """

    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    school = models.ForeignKey(
        "pthv.School", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    educator = models.ForeignKey(Educator, models.CASCADE, db_constraint=False, related_name="+")
    planned = models.IntegerField(db_default=0)
    asked = models.IntegerField(db_default=0)
    accepted = models.IntegerField(db_default=0)
    visited = models.IntegerField(db_default=0)
    second = models.IntegerField(db_default=0)

    objects: ClassVar[Any] = scoped(TallyQuerySet)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            *same_program(
                "tally",
                school_year="pthv.SchoolYear",
                school="pthv.School",
                educator="pthv.Educator",
            ),
            models.UniqueConstraint(
                fields=["program", "school_year", "school", "educator"], name="tally_once"
            ),
        ]
        indexes = [models.Index(fields=["educator", "school_year"], name="tallies_of_educator")]

    def __str__(self) -> str:
        return f"{self.visited} of {self.planned}"
