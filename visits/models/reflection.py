"""What was learned on a visit, in the family's words and in the educators' own."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import (
    CompositeForeignKey,
    Educator,
    ProgramRow,
    User,
    same_program,
    scoped,
)

from .invitation import VisitKind
from .visit import Visit


class VisitLog(ProgramRow):
    """What a visit was: a few counts, hopes, strengths, one change. The family may read it.

    A first visit has no academic, behaviour or attendance field: there is none here.
    """

    class Interpreting(models.TextChoices):
        NOT_NEEDED = "not_needed", _("Not needed")
        VISITOR = "visitor", _("One of us spoke it")
        INTERPRETER = "interpreter", _("An interpreter")
        FAMILY = "family", _("An adult of the family")

    visit = models.OneToOneField(Visit, models.PROTECT, db_constraint=False, related_name="log")
    minutes = models.PositiveSmallIntegerField(default=40)
    place = models.CharField(max_length=8, choices=Visit.Place, default="home", db_default="home")
    language = models.CharField(max_length=20, default="en")
    interpreting = models.CharField(
        max_length=12,
        choices=Interpreting,
        default=Interpreting.NOT_NEEDED,
        db_default=Interpreting.NOT_NEEDED,
    )
    adults_present = models.PositiveSmallIntegerField(default=1)
    student_present = models.BooleanField(default=True)
    hopes = models.TextField(blank=True)
    strengths = models.TextField(blank=True)
    class_change = models.TextField(blank=True)
    logged_at = models.DateTimeField(default=clock.now)
    logged_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("visit_log", visit="visits.Visit"),
            models.CheckConstraint(
                name="visit_log_minutes_plausible",
                condition=Q(minutes__gte=5, minutes__lte=240),
            ),
        ]

    def __str__(self) -> str:
        return f"Log of visit {self.visit_id}"


class VisitGoals(ProgramRow):
    """What a family and its educators set out to do for the child together, from the second
    visit on: the database has no place for it on a first one."""

    visit = models.OneToOneField(Visit, models.PROTECT, db_constraint=False, related_name="goals")
    kind = models.CharField(max_length=10, choices=VisitKind, editable=False)
    shared = models.TextField(blank=True, help_text=_("What we want to reach together."))
    at_home = models.TextField(blank=True)
    at_school = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "visit goals"
        constraints = [
            *same_program("visit_goals"),
            CompositeForeignKey(
                name="visit_goals_of_their_visits_kind",
                fields=["program", "visit", "kind"],
                to="visits.Visit",
                to_fields=["program", "id", "kind"],
                on_update="CASCADE",
            ),
            models.CheckConstraint(
                name="visit_goals_not_of_a_first_visit", condition=~Q(kind="first")
            ),
        ]

    def __str__(self) -> str:
        return f"Goals of visit {self.visit_id}"


class Reflection(ProgramRow):
    """What one visitor assumed, learned and will do; seen by that visit's visitors only."""

    visit = models.ForeignKey(
        Visit, models.PROTECT, db_constraint=False, related_name="reflections"
    )
    educator = models.ForeignKey(Educator, models.PROTECT, db_constraint=False, related_name="+")
    assumed = models.TextField(blank=True)
    learned = models.TextField()
    will_do = models.TextField(blank=True)
    shared_with_debrief = models.BooleanField(default=False)
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("reflection", visit="visits.Visit", educator="pthv.Educator"),
            models.UniqueConstraint(fields=["visit", "educator"], name="reflection_once"),
            models.CheckConstraint(name="reflection_says_something", condition=~Q(learned="")),
        ]
        indexes = [
            models.Index(
                fields=["program", "written_at"],
                condition=Q(shared_with_debrief=True),
                name="reflections_for_the_debrief",
            ),
        ]

    def __str__(self) -> str:
        return f"Reflection {self.pk}"


class FollowUpQuerySet(models.QuerySet):
    def open(self) -> "FollowUpQuerySet":
        """Promised, and not kept yet."""
        return self.filter(kept_at=None)


class FollowUp(ProgramRow):
    """A promise made to a family, with a day, an owner, and what came of it."""

    class Outcome(models.TextChoices):
        KEPT = "kept", _("Kept")
        INSTEAD = "instead", _("Something else instead")
        NOT_POSSIBLE = "not_possible", _("It wasn't possible")

    visit = models.ForeignKey(Visit, models.PROTECT, db_constraint=False, related_name="follow_ups")
    owner = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="follow_ups"
    )
    promise = models.CharField(max_length=255)
    due_on = models.DateField()
    outcome = models.CharField(
        max_length=12, choices=Outcome, blank=True, default="", db_default=""
    )
    note = models.CharField(max_length=255, blank=True, default="", db_default="")
    kept_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was kept, or it was settled otherwise.")
    )
    kept_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(FollowUpQuerySet)

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            *same_program("follow_up", visit="visits.Visit", owner="pthv.Educator"),
            models.CheckConstraint(
                name="follow_up_kept_at_with_by",
                condition=Q(kept_at=None, kept_by=None)
                | Q(kept_at__isnull=False, kept_by__isnull=False),
            ),
            models.CheckConstraint(
                name="follow_up_outcome_once_settled",
                condition=Q(outcome="", note="", kept_at=None)
                | ~Q(outcome="") & Q(kept_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                F("owner"), F("due_on"), condition=Q(kept_at=None), name="promises_to_keep"
            ),
        ]

    def __str__(self) -> str:
        return f"Promise {self.pk}"
