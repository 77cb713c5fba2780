"""Group debriefs: educators of a school or a cohort talk over what their visits taught them."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import Educator, ProgramRow, User, same_program, scoped
from training.models import Cohort, CohortMember


class DebriefSessionQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "DebriefSessionQuerySet":
        """Of the program, of one's schools, or where one is expected oneself."""
        reach = user.reach(can)
        if reach.program:
            return self
        allowed = Q(school__in=reach.schools | reach.own_schools)
        allowed |= Q(cohort__school__in=reach.schools)
        if reach.educators:
            mine = CohortMember.objects.filter(educator__in=reach.educators, state="enrolled")
            allowed |= Q(cohort__in=mine.values("cohort"))
        return self.filter(allowed)

    def planned(self) -> "DebriefSessionQuerySet":
        """To come, or still to be written up, the next first."""
        return self.filter(state=DebriefSession.State.PLANNED).order_by("starts_at", "pk")

    def held(self) -> "DebriefSessionQuerySet":
        """Held."""
        return self.filter(state=DebriefSession.State.HELD)


class DebriefSession(ProgramRow):
    """One meeting of the educators of a school, or of a cohort."""

    class State(models.TextChoices):
        PLANNED = "planned", _("Planned")
        HELD = "held", _("Held")
        CANCELLED = "cancelled", _("Cancelled")

    school = models.ForeignKey(
        "pthv.School",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    cohort = models.ForeignKey(
        Cohort, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )
    starts_at = models.DateTimeField()
    place = models.CharField(max_length=200, blank=True)
    led_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    state = models.CharField(max_length=9, choices=State, default=State.PLANNED)
    decisions = models.TextField(blank=True)
    planned_at = models.DateTimeField(default=clock.now)
    planned_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    held_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was first written up.")
    )
    held_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(DebriefSessionQuerySet)

    class Meta:
        ordering = ["-starts_at", "-pk"]
        constraints = [
            *same_program("debrief", school="pthv.School", cohort="training.Cohort"),
            models.CheckConstraint(
                name="debrief_of_a_school_or_a_cohort",
                condition=Q(school=None, cohort__isnull=False)
                | Q(school__isnull=False, cohort=None),
            ),
            models.CheckConstraint(
                name="debrief_held_at_with_by",
                condition=Q(state="held", held_at__isnull=False, held_by__isnull=False)
                | (~Q(state="held") & Q(held_at=None, held_by=None, decisions="")),
            ),
            models.CheckConstraint(
                name="debrief_cancelled_at_with_by",
                condition=Q(state="cancelled", cancelled_at__isnull=False)
                & Q(cancelled_by__isnull=False)
                | (~Q(state="cancelled") & Q(cancelled_at=None, cancelled_by=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["program", "starts_at"], name="debriefs_by_start"),
            models.Index(fields=["program", "school", "starts_at"], name="debriefs_of_school"),
        ]

    def __str__(self) -> str:
        return f"Debrief {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("debrief_detail", args=[self.pk])

    @property
    def whose(self) -> str:
        """The school or the cohort that meets."""
        return self.school.name if self.school else self.cohort.name  # type: ignore[union-attr]

    @property
    def is_planned(self) -> bool:
        return self.state == self.State.PLANNED

    @property
    def is_held(self) -> bool:
        return self.state == self.State.HELD

    @property
    def has_begun(self) -> bool:
        return self.starts_at <= clock.now()


class DebriefAttendee(ProgramRow):
    """Somebody who came."""

    debrief = models.ForeignKey(
        DebriefSession, models.CASCADE, db_constraint=False, related_name="attendees"
    )
    educator = models.ForeignKey(Educator, models.PROTECT, db_constraint=False, related_name="+")

    objects: ClassVar[Any] = scoped()

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "debrief_attendee", debrief="visits.DebriefSession", educator="pthv.Educator"
            ),
            models.UniqueConstraint(fields=["debrief", "educator"], name="debrief_attendee_once"),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} at {self.debrief_id}"


class ResourceAskQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "ResourceAskQuerySet":
        """Of the program, or of one's schools; those of a cohort are the program's."""
        reach = user.reach(can)
        return self if reach.program else self.filter(school__in=reach.schools)

    def open(self) -> "ResourceAskQuerySet":
        """Not found yet, the oldest first; what was asked in one week by its words, not in the
        order in which it came."""
        return self.filter(found_at=None).order_by("asked_in", "what", "pk")


class ResourceAsk(ProgramRow):
    """Something that would help educators, asked for by nobody in particular.

    Its random key, and the week alone, keep it from being matched with a reflection.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    school = models.ForeignKey(
        "pthv.School",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text=_("Where it is wanted; empty: a cohort asked for it."),
    )
    what = models.CharField(max_length=300)
    asked_in = models.DateField(help_text=_("The Monday of the week."))
    debrief = models.ForeignKey(
        DebriefSession,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="asks",
    )
    found_at = models.DateTimeField(null=True, blank=True)
    found_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    found = models.CharField(max_length=300, blank=True, help_text=_("What was found, and where."))

    objects: ClassVar[Any] = scoped(ResourceAskQuerySet)

    class Meta:
        ordering = ["asked_in", "what", "pk"]
        constraints = [
            *same_program("resource_ask", school="pthv.School", debrief="visits.DebriefSession"),
            models.UniqueConstraint(
                fields=["program", "school", "what"],
                condition=Q(found_at=None),
                nulls_distinct=False,
                name="resource_asked_once",
            ),
            models.CheckConstraint(name="resource_ask_says_what", condition=~Q(what="")),
            models.CheckConstraint(
                name="resource_ask_found_at_with_by",
                condition=Q(found_at=None, found_by=None, found="")
                | Q(found_at__isnull=False, found_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["program", "school", "asked_in"], name="asks_of_school")]

    def __str__(self) -> str:
        return "Asked for"
