"""Who may visit: courses, the cohorts that go through them, and certifications."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, User, same_program, scoped
from pthv.models.history import keeps_history


class Course(ProgramRow):
    """Something a program trains for, and how long it counts."""

    name = models.CharField(max_length=120)
    hours = models.DecimalField(max_digits=4, decimal_places=1)
    validity_months = models.PositiveSmallIntegerField(
        default=24, help_text=_("How long a certification lasts.")
    )
    certifies = models.BooleanField(
        default=True, help_text=_("Whoever completes it may go on visits.")
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


class CohortQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Cohorts of the program, or those that somebody of this person's schools attends."""
        reach = user.reach(can)
        if reach.program:
            return self
        ours = Attendance.objects.filter(educator__in=Educator.objects.open_to(user, can))
        return self.filter(Q(school__in=reach.schools) | Q(pk__in=ours.values("session__cohort")))

    def with_sessions_in_brief(self) -> "CohortQuerySet":
        """With `session_count`, their first, next and last times, and the number `enrolled`."""
        sessions = TrainingSession.objects.filter(cohort=OuterRef("pk")).order_by()
        ahead = sessions.filter(ends_at__gt=clock.now()).order_by("starts_at")
        people = Attendance.objects.filter(session__cohort=OuterRef("pk")).order_by()
        brief = sessions.values("cohort").annotate(
            n=Count("pk"), first=Min("starts_at"), last=Max("ends_at")
        )
        return self.annotate(
            session_count=Coalesce(Subquery(brief.values("n")), 0),
            first_starts_at=Subquery(brief.values("first")),
            last_ends_at=Subquery(brief.values("last")),
            next_starts_at=Subquery(ahead.values("starts_at")[:1]),
            enrolled=Coalesce(
                Subquery(
                    people.values("session__cohort")
                    .annotate(n=Count("educator", distinct=True))
                    .values("n")
                ),
                0,
            ),
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
            *same_program("cohort", course="training.Course", school="pthv.School"),
            models.UniqueConstraint(fields=["program", "course", "name"], name="cohort_named_once"),
            models.CheckConstraint(
                name="cohort_completed_at_with_by",
                condition=Q(completed_at=None, completed_by=None)
                | Q(completed_at__isnull=False, completed_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TrainingSession(ProgramRow):
    """One meeting of a cohort."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, db_constraint=False, related_name="sessions")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    place = models.CharField(max_length=160, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        constraints = [
            *same_program("training_session", cohort="training.Cohort"),
            models.CheckConstraint(
                name="training_session_in_order", condition=Q(ends_at__gt=F("starts_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cohort_id} {self.starts_at:%Y-%m-%d}"


class AttendanceQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Of the program, or of one's schools' educators."""
        if user.reach(can).program:
            return self
        return self.filter(educator__in=Educator.objects.open_to(user, can))

    def of(self, cohort: Cohort) -> "AttendanceQuerySet":
        """At the sessions of this cohort."""
        return self.filter(session__cohort=cohort)

    def unrecorded(self) -> "AttendanceQuerySet":
        """Of sessions that are over, where nobody said yet who came."""
        return self.filter(state=Attendance.State.EXPECTED, session__ends_at__lte=clock.now())


class Attendance(ProgramRow):
    """An educator expected at a session, and whether they came."""

    class State(models.TextChoices):
        EXPECTED = "expected", _("Expected")
        ATTENDED = "attended", _("Attended")
        ABSENT = "absent", _("Absent")

    session = models.ForeignKey(
        TrainingSession, models.PROTECT, db_constraint=False, related_name="attendances"
    )
    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="attendances"
    )
    state = models.CharField(max_length=8, choices=State, default=State.EXPECTED)
    recorded_at = models.DateTimeField(null=True, blank=True)
    recorded_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(AttendanceQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "attendance", session="training.TrainingSession", educator="pthv.Educator"
            ),
            models.UniqueConstraint(fields=["session", "educator"], name="attendance_once"),
            models.CheckConstraint(
                name="attendance_recorded_at_with_by",
                condition=Q(state="expected", recorded_at=None, recorded_by=None)
                | (~Q(state="expected") & Q(recorded_at__isnull=False, recorded_by__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} {self.state}"


class CertificationQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Of the program, or of one's schools' educators."""
        if user.reach(can).program:
            return self
        return self.filter(educator__in=Educator.objects.open_to(user, can))

    def certifying(self) -> "CertificationQuerySet":
        """Of courses after which one may visit, and not revoked."""
        return self.filter(course__certifies=True, revoked_at=None)


@keeps_history()
class Certification(ProgramRow):
    """An educator's leave to go on visits, from one date to another."""

    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="certifications"
    )
    course = models.ForeignKey(Course, models.PROTECT, db_constraint=False, related_name="+")
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
            models.UniqueConstraint(
                fields=["educator", "course", "issued_on"], name="certification_once"
            ),
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
