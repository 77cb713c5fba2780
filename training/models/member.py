"""Who is in a cohort, and when they came."""

from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.models import Educator, ProgramRow, User, same_program, scoped, undoable
from pthv.models.history import keeps_history
from pthv.models.tenancy import CompositeForeignKey

from .cohort import Cohort, TrainingSession


def _counting() -> list[pgtrigger.Trigger]:
    """Triggers that keep on each cohort how many have a place, and how many wait."""
    # Transition tables allow one operation a trigger.
    sides = {"insert": {"new": 1}, "update": {"old": -1, "new": 1}, "delete": {"old": -1}}
    return [
        pgtrigger.Trigger(
            name=f"count_{operation}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=getattr(pgtrigger, operation.capitalize()),
            referencing=pgtrigger.Referencing(**{side: f"{side}_values" for side in signs}),
            func=_adding(signs),
        )
        for operation, signs in sides.items()
    ]


def _adding(signs: dict[str, int]) -> str:
    changed = " UNION ALL ".join(
        f"SELECT cohort_id, state, {sign} AS sign FROM {side}_values"  # noqa: S608
        for side, sign in signs.items()
    )
    return f"""
        UPDATE training_cohort AS cohort
        SET enrolled = cohort.enrolled + changed.enrolled,
            waiting = cohort.waiting + changed.waiting
        FROM (
            SELECT cohort_id,
                coalesce(sum(sign) FILTER (WHERE state = 'enrolled'), 0) AS enrolled,
                coalesce(sum(sign) FILTER (WHERE state = 'waiting'), 0) AS waiting
            FROM ({changed}) AS rows GROUP BY cohort_id
        ) AS changed
        WHERE cohort.id = changed.cohort_id AND (changed.enrolled <> 0 OR changed.waiting <> 0);
        RETURN NULL;
    """  # noqa: S608


class CohortMemberQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Of the program, of one's schools' educators, or oneself."""
        if user.reach(can).program:
            return self
        return self.filter(educator__in=Educator.objects.open_to(user, can))

    def enrolled(self) -> "CohortMemberQuerySet":
        """Who has a place."""
        return self.filter(state=CohortMember.State.ENROLLED)

    def waiting(self) -> "CohortMemberQuerySet":
        """Who waits for one, in their order."""
        return self.filter(state=CohortMember.State.WAITING).order_by("joined_at", "pk")

    def there(self) -> "CohortMemberQuerySet":
        """Who has a place or waits for one."""
        return self.filter(state__in=[CohortMember.State.ENROLLED, CohortMember.State.WAITING])


@keeps_history()
class CohortMember(ProgramRow):
    """An educator in a cohort: with a place, waiting for one, or gone again."""

    class State(models.TextChoices):
        ENROLLED = "enrolled", _("Enrolled")
        WAITING = "waiting", _("Waiting for a place")
        WITHDRAWN = "withdrawn", _("Withdrew")
        TRANSFERRED = "transferred", _("Moved to another cohort")

    cohort = models.ForeignKey(Cohort, models.PROTECT, db_constraint=False, related_name="members")
    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="cohort_memberships"
    )
    state = models.CharField(max_length=11, choices=State)
    joined_at = models.DateTimeField(
        default=clock.now, help_text=_("Whoever came first is first on the waiting list.")
    )
    left_at = models.DateTimeField(null=True, blank=True)
    left_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    left_because = models.CharField(max_length=255, blank=True)

    objects: ClassVar[Any] = scoped(CohortMemberQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("cohort_member", cohort="training.Cohort", educator="pthv.Educator"),
            models.UniqueConstraint(fields=["cohort", "educator"], name="cohort_member_once"),
            models.UniqueConstraint(
                fields=["program", "id", "educator"], name="cohort_member_with_educator"
            ),
            models.CheckConstraint(
                name="cohort_member_left_at_with_by",
                condition=Q(
                    state__in=["withdrawn", "transferred"],
                    left_at__isnull=False,
                    left_by__isnull=False,
                )
                | Q(
                    state__in=["enrolled", "waiting"],
                    left_at=None,
                    left_by=None,
                    left_because="",
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["educator", "state"], name="cohorts_of_educator"),
            models.Index(
                fields=["cohort", "joined_at", "id"],
                condition=Q(state="waiting"),
                name="cohort_waiting_list",
            ),
        ]
        triggers = _counting()

    def __str__(self) -> str:
        return f"{self.educator_id} {self.state}"


class AttendanceQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Of the program, or of one's schools' educators."""
        if user.reach(can).program:
            return self
        return self.filter(educator__in=Educator.objects.open_to(user, can))

    def of(self, cohort: Cohort) -> "AttendanceQuerySet":
        """At the sessions of this cohort, guests included."""
        return self.filter(session__cohort=cohort)

    def unrecorded(self) -> "AttendanceQuerySet":
        """Of sessions that are over, where nobody said yet who came."""
        return self.filter(
            state=Attendance.State.EXPECTED,
            session__ends_at__lte=clock.now(),
            session__cancelled_at=None,
        )


@undoable
class Attendance(ProgramRow):
    """An educator expected at a session, and whether they came.

    It counts for their membership of a cohort: of this session's, or of another one of the same
    course, whose session they missed and make up for here.
    """

    class State(models.TextChoices):
        EXPECTED = "expected", _("Expected")
        ATTENDED = "attended", _("Attended")
        PARTIAL = "partial", _("Came for a part")
        ABSENT = "absent", _("Absent")

    session = models.ForeignKey(
        TrainingSession, models.PROTECT, db_constraint=False, related_name="attendances"
    )
    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="attendances"
    )
    member = models.ForeignKey(
        CohortMember,
        models.PROTECT,
        db_constraint=False,
        related_name="attendances",
        help_text=_("The membership it counts for."),
    )
    state = models.CharField(max_length=8, choices=State, default=State.EXPECTED)
    minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("How long somebody was there who came for a part.")
    )
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
            CompositeForeignKey(
                name="attendance_member_is_theirs",
                fields=["program", "member", "educator"],
                to="training.CohortMember",
                to_fields=["program", "id", "educator"],
            ),
            models.UniqueConstraint(fields=["session", "educator"], name="attendance_once"),
            models.CheckConstraint(
                name="attendance_recorded_at_with_by",
                condition=Q(state="expected", recorded_at=None, recorded_by=None)
                | (~Q(state="expected") & Q(recorded_at__isnull=False, recorded_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="attendance_minutes_of_a_part",
                condition=Q(state="partial", minutes__gte=1)
                | (~Q(state="partial") & Q(minutes=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} {self.state}"
