"""What a program trains for, what that takes, and what it allows."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, same_program, scoped


class Grant(models.TextChoices):
    """What somebody may do who holds a current certification of a course."""

    NOTHING = "", _("Nothing by itself")
    VISITS = "visits", _("Go on visits")
    SECOND_VISITS = "second_visits", _("Go on second visits")
    DEBRIEFS = "debriefs", _("Lead group debriefs")
    TRAINING = "training", _("Train others")


class Course(ProgramRow):
    """Something a program trains for, and how long it counts."""

    name = models.CharField(max_length=120)
    hours = models.DecimalField(max_digits=4, decimal_places=1)
    validity_months = models.PositiveSmallIntegerField(
        default=24, help_text=_("How long a certification lasts.")
    )
    grants = models.CharField(
        max_length=13,
        choices=Grant,
        default=Grant.VISITS,
        blank=True,
        help_text=_("What whoever completes it may do."),
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            *same_program("course"),
            models.UniqueConstraint(fields=["program", "name"], name="course_named_once"),
            models.CheckConstraint(
                name="course_certification_lasts", condition=Q(validity_months__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CourseRequirement(ProgramRow):
    """One thing a course asks for before it certifies; all of them have to be met."""

    class Kind(models.TextChoices):
        EVERY_PART = "every_part", _("Every part attended")
        SESSIONS = "sessions", _("Sessions attended")
        HOURS = "hours", _("Hours attended")
        HOLDS = "holds", _("Another course completed before")
        FIRST_VISITS = "first_visits", _("First visits made")
        SECOND_VISITS = "second_visits", _("Second visits made")
        DEBRIEFS = "debriefs", _("Group debriefs held")

    course = models.ForeignKey(
        Course, models.CASCADE, db_constraint=False, related_name="requirements"
    )
    kind = models.CharField(max_length=13, choices=Kind)
    amount = models.DecimalField(
        max_digits=4, decimal_places=1, default=1, help_text=_("How many, or how many hours.")
    )
    held = models.ForeignKey(
        Course,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("The other course."),
    )

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("course_requirement", course="training.Course", held="training.Course"),
            models.UniqueConstraint(
                fields=["course", "kind", "held"],
                nulls_distinct=False,
                name="course_requirement_once",
            ),
            models.CheckConstraint(
                name="course_requirement_names_what_is_held",
                condition=Q(kind="holds", held__isnull=False) | (~Q(kind="holds") & Q(held=None)),
                violation_error_message=_(
                    "Choose the other course for a certification, and only then."
                ),
            ),
            models.CheckConstraint(
                name="course_requirement_asks_for_something", condition=Q(amount__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def in_words(self) -> str:
        """ "Introduction completed before", "hours attended: 3"."""
        if self.kind == self.Kind.HOLDS:
            return _("%(course)s completed before") % {"course": self.held}
        if self.kind == self.Kind.EVERY_PART:
            return self.get_kind_display().lower()
        return f"{self.get_kind_display().lower()}: {self.amount.normalize():f}"


class TrainingFact(ProgramRow):
    """Something an educator did elsewhere that a course may ask for, told by the room it
    happened in."""

    class Kind(models.TextChoices):
        FIRST_VISIT = "first_visit", _("First visit made")
        SECOND_VISIT = "second_visit", _("Second visit made")
        DEBRIEF = "debrief", _("Group debrief held")

    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="training_facts"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    happened_on = models.DateField()
    key = models.CharField(max_length=60, help_text=_("What it must not be counted twice for."))
    recorded_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("training_fact", educator="pthv.Educator"),
            models.UniqueConstraint(
                fields=["program", "educator", "key"], name="training_fact_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.happened_on}"
