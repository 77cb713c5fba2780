"""Whom a school invites: everyone of a class, a grade or the school, or some drawn by lot."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import ProgramRow, User, same_program, scoped


class SelectionPlanQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "SelectionPlanQuerySet":
        reach = user.reach(can)
        return self if reach.program else self.filter(school__in=reach.schools)


class SelectionPlan(ProgramRow):
    """Whom a school invites: everyone of a class, a grade or the school, or some drawn by lot.

    Never a hand-picked few: there is no field by which a family could be singled out.
    """

    class Kind(models.TextChoices):
        EVERYONE = "everyone", _("Everyone")
        DRAW = "draw", _("A random draw")

    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.EVERYONE)
    school_class = models.ForeignKey(
        "families.SchoolClass",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    grade = models.CharField(max_length=12, blank=True)
    ask_by = models.DateField(
        null=True, blank=True, help_text=_("Until when all of them should have been asked.")
    )
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    students_without_family = models.PositiveIntegerField(
        default=0, help_text=_("Students whose household no contacts file has named yet.")
    )
    families_said_no_before = models.PositiveIntegerField(
        default=0, help_text=_("Families who declined in an earlier plan, and are not asked again.")
    )

    objects: ClassVar[Any] = scoped(SelectionPlanQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "selection_plan",
                school="pthv.School",
                school_year="pthv.SchoolYear",
                school_class="families.SchoolClass",
            ),
            models.UniqueConstraint(
                fields=["program", "school", "school_year", "kind", "school_class", "grade"],
                nulls_distinct=False,
                name="selection_plan_once",
            ),
            models.CheckConstraint(
                name="selection_plan_one_scope",
                condition=Q(school_class=None) | Q(grade=""),
            ),
        ]

    def __str__(self) -> str:
        whom = "A random draw" if self.kind == self.Kind.DRAW else "Everyone"
        if self.school_class_id:
            return f"{whom} in {self.school_class}"
        return f"{whom} in grade {self.grade}" if self.grade else f"{whom} in the school"


class Draw(ProgramRow):
    """Families drawn by lot: everything that is needed to draw the same ones again.

    Each family of `population` is put in the order of sha256("seed:family"); the first `size`
    are drawn. The seed comes from the system and is never chosen.
    """

    plan = models.ForeignKey(
        SelectionPlan, models.PROTECT, db_constraint=False, related_name="draws"
    )
    number = models.PositiveSmallIntegerField(help_text=_("1 for the plan's first draw."))
    seed = models.CharField(max_length=32)
    size = models.PositiveIntegerField()
    population = ArrayField(models.BigIntegerField(), help_text=_("Ids of families."))
    drawn = ArrayField(models.BigIntegerField(), help_text=_("Ids of families, as drawn."))
    because = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why more were drawn before all of the earlier ones were asked."),
    )
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        ordering = ["plan", "number"]
        constraints = [
            *same_program("draw", plan="visits.SelectionPlan"),
            models.UniqueConstraint(fields=["plan", "number"], name="draw_once"),
            models.CheckConstraint(
                name="draw_not_more_than_there_are",
                condition=Q(drawn__len__lte=F("size")) & Q(drawn__contained_by=F("population")),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"Draw {self.number} of {self.plan_id}"
