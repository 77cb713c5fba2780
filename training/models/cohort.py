"""Groups that go through a course together, who trains them, and when they meet."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, User, same_program, scoped

from .course import Course


class Trainer(ProgramRow):
    """Somebody who trains: a colleague, or a parent who knows visits from the other side."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("Staff")
        PARENT = "parent", _("Parent co-trainer")

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.STAFF)
    user = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Their account, if they have one."),
    )
    is_active = models.BooleanField(default=True, help_text=_("May be chosen for new cohorts."))

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["name"]
        constraints = [
            *same_program("trainer"),
            models.UniqueConstraint(fields=["program", "name"], name="trainer_named_once"),
        ]

    def __str__(self) -> str:
        return self.name


class CohortQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Cohorts of the program, or those that somebody of this person's schools attends."""
        reach = user.reach(can)
        if reach.program:
            return self
        ours = Cohort.objects.filter(members__educator__in=Educator.objects.open_to(user, can))
        return self.filter(Q(school__in=reach.schools) | Q(pk__in=ours.values("pk")))

    def locked(self, cohort):
        """A cohort (or the one with this id) as it is now, and nobody else's until the
        transaction ends: whoever changes its people or sessions has to hold it."""
        rows = self.select_for_update(of=("self",), no_key=True).select_related("course", "program")
        return rows.get(pk=getattr(cohort, "pk", cohort))

    def with_sessions_in_brief(self) -> "CohortQuerySet":
        """With `session_count`, and their first, next and last times."""
        sessions = TrainingSession.objects.standing().filter(cohort=OuterRef("pk")).order_by()
        ahead = sessions.filter(ends_at__gt=clock.now()).order_by("starts_at")
        brief = sessions.values("cohort").annotate(
            n=Count("pk"), first=Min("starts_at"), last=Max("ends_at")
        )
        return self.annotate(
            session_count=Coalesce(Subquery(brief.values("n")), 0),
            first_starts_at=Subquery(brief.values("first")),
            last_ends_at=Subquery(brief.values("last")),
            next_starts_at=Subquery(ahead.values("starts_at")[:1]),
        )


class Cohort(ProgramRow):
    """Educators who go through a course together."""

    course = models.ForeignKey(Course, models.PROTECT, db_constraint=False, related_name="cohorts")
    school = models.ForeignKey(
        "pthv.School",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("Empty: open to every school."),
    )
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=20, default="en", help_text=_("As a tag such as es."))
    capacity = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("How many places there are; empty: no limit.")
    )
    open_for_sign_up = models.BooleanField(
        default=False, help_text=_("Educators may take a place themselves.")
    )
    host = models.ForeignKey(
        "pthv.PartnerOrganization",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("The organization that runs it for the program."),
    )
    cost = models.DecimalField(
        max_digits=9, decimal_places=2, null=True, blank=True, help_text=_("In dollars, all of it.")
    )
    funding = models.CharField(
        max_length=120, blank=True, help_text=_("Who pays, such as Title I or the union.")
    )
    trainers = models.ManyToManyField(Trainer, through="CohortTrainer", related_name="cohorts")
    enrolled = models.PositiveIntegerField(db_default=0, default=0, editable=False)
    waiting = models.PositiveIntegerField(db_default=0, default=0, editable=False)
    completed_at = models.DateTimeField(null=True, blank=True, editable=False)
    completed_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )

    objects: ClassVar[Any] = scoped(CohortQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "cohort",
                course="training.Course",
                school="pthv.School",
                host="pthv.PartnerOrganization",
            ),
            models.UniqueConstraint(fields=["program", "course", "name"], name="cohort_named_once"),
            models.CheckConstraint(
                name="cohort_completed_at_with_by",
                condition=Q(completed_at=None, completed_by=None)
                | Q(completed_at__isnull=False, completed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="cohort_within_its_places",
                condition=Q(capacity=None) | Q(enrolled__lte=F("capacity")),
            ),
            models.CheckConstraint(
                name="cohort_cost_not_below_nothing", condition=Q(cost=None) | Q(cost__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def places_left(self) -> int | None:
        """How many more may join; None: as many as like."""
        return None if self.capacity is None else max(0, self.capacity - self.enrolled)


class CohortTrainer(ProgramRow):
    """A trainer of a cohort."""

    cohort = models.ForeignKey(Cohort, models.CASCADE, db_constraint=False, related_name="+")
    trainer = models.ForeignKey(Trainer, models.PROTECT, db_constraint=False, related_name="+")

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("cohort_trainer", cohort="training.Cohort", trainer="training.Trainer"),
            models.UniqueConstraint(fields=["cohort", "trainer"], name="cohort_trainer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.trainer_id} of {self.cohort_id}"


class TrainingSessionQuerySet(models.QuerySet):
    def standing(self) -> "TrainingSessionQuerySet":
        """Not cancelled."""
        return self.filter(cancelled_at=None)


class TrainingSession(ProgramRow):
    """One meeting of a cohort."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, db_constraint=False, related_name="sessions")
    part = models.PositiveSmallIntegerField(
        default=1,
        help_text=_("Which part of the course it is; a make-up session has the part it makes up."),
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    place = models.CharField(max_length=160, blank=True)
    link = models.URLField(blank=True, help_text=_("Where to join it by video."))
    sequence = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text=_("How often its calendar invitation was changed.")
    )
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    cancelled_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
    )

    objects: ClassVar[Any] = scoped(TrainingSessionQuerySet)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            *same_program("training_session", cohort="training.Cohort"),
            models.CheckConstraint(
                name="training_session_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="training_session_part", condition=Q(part__gte=1)),
            models.CheckConstraint(
                name="training_session_cancelled_at_with_by",
                condition=Q(cancelled_at=None, cancelled_by=None)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort_id} {self.starts_at:%Y-%m-%d}"

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)
