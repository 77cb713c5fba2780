"""A relational visit: when, where, who; kept from overlapping by the database."""

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import (
    DateTimeRangeField,
    RangeOperators,
)
from django.db import models
from django.db.models import DateTimeField, Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Greatest, JSONObject
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from families.models import children
from pthv import clock
from pthv.access import Can
from pthv.models import (
    CompositeForeignKey,
    Educator,
    ProgramRow,
    User,
    full_name,
    same_program,
    scoped,
    undoable,
)
from pthv.models.exclusion import same
from pthv.models.history import keeps_history

from .invitation import Invitation, VisitKind
from .theme import TO_TAP, Theme

if TYPE_CHECKING:
    from .safety import SafetyCheck


# From then on the pair may say that it is on its way; so soon before, the visit comes first.
OUT_BEFORE, SOON = datetime.timedelta(hours=3), datetime.timedelta(hours=1)


def one_at_a_time(field: str, name: str, message: Any, **which: Any) -> ExclusionConstraint:
    """Refuse two rows of the same `field` (an id) whose `during` overlap, while they occupy."""
    return ExclusionConstraint(
        name=name,
        expressions=[same(field), ("during", RangeOperators.OVERLAPS)],
        condition=Q(occupies=True, **which),
        violation_error_message=message,
    )


def visitors() -> models.Prefetch:
    """Fetch who goes on each visit, with their names, as `visitors`."""
    people = VisitParticipant.objects.select_related("educator__user")
    return models.Prefetch("participants", people, to_attr="visitors")


def _names() -> models.QuerySet:
    """Of those who go on the visit of a row, the lead's first."""
    people = VisitParticipant.objects.filter(visit=OuterRef("pk")).order_by("role", "pk")
    return people.values(name=full_name("educator__user__"))


class VisitQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "VisitQuerySet":
        """Of the program, of one's schools, or those one goes on."""
        reach = user.reach(can)
        if reach.program:
            return self
        allowed = Q(pk__in=[])
        if reach.educators:
            mine = VisitParticipant.objects.filter(educator__in=reach.educators)
            # At another school now: only what is still to be written up stays one's own.
            still = Q(school__in=reach.own_schools) | Q(state=Visit.State.HELD)
            allowed |= Q(pk__in=mine.values("visit")) & still
        if reach.schools:
            allowed |= Q(school__in=reach.schools)
        return self.filter(allowed)

    def locked(self, pk: int) -> Any:
        """One as it is now, kept from others until the action is done."""
        kept = self.select_for_update(of=("self",))
        return kept.select_related("program", "school__program", "family").get(pk=pk)

    def standing(self) -> "VisitQuerySet":
        """Not cancelled, and nobody was left waiting at a door."""
        return self.filter(occupies=True)

    def ahead(self) -> "VisitQuerySet":
        """Scheduled or confirmed."""
        return self.filter(state__in=Visit.AHEAD)

    def by_start(self) -> "VisitQuerySet":
        """With `starts_at`, which lists are ordered by."""
        return self.annotate(
            starts_at=Func(F("during"), function="lower", output_field=DateTimeField())
        )

    def unconfirmed_before(self, instant: datetime.datetime) -> "VisitQuerySet":
        """Not confirmed yet though they start before then, the next first."""
        waiting = self.by_start().filter(state=Visit.State.SCHEDULED, starts_at__lt=instant)
        return waiting.order_by("starts_at", "pk")

    def one_short(self) -> "VisitQuerySet":
        """Ahead, and somebody said that they can't go, the next first."""
        away = VisitParticipant.objects.filter(occupies=True).exclude(declined_at=None)
        ahead = self.by_start().filter(state=Visit.State.SCHEDULED, pk__in=away.values("visit"))
        return ahead.order_by("starts_at", "pk")

    def held_before(self, instant: datetime.datetime) -> "VisitQuerySet":
        """Held before then and still not written up by everybody, the oldest first."""
        return self.held().filter(held_at__lt=instant).order_by("held_at", "pk")

    def held(self) -> "VisitQuerySet":
        """Held, with something still to write."""
        return self.filter(state=Visit.State.HELD)

    def for_list(self) -> "VisitQuerySet":
        """With the little that a list shows: the family and its children, and the
        `visitor_names`, the lead's first."""
        shown = ("during", "state", "place", "family__surnames", "family__language")
        found = self.with_names().select_related("family").only(*shown)
        return found.prefetch_related(children("family__"))

    def with_names(self) -> "VisitQuerySet":
        """With the `visitor_names`, the lead's first."""
        return self.annotate(visitor_names=ArraySubquery(_names()))

    def with_away(self) -> "VisitQuerySet":
        """With the `away_names` of those who said that they can't go."""
        return self.annotate(away_names=ArraySubquery(_names().exclude(declined_at=None)))

    def for_writing(self) -> "VisitQuerySet":
        """With people, log and goals, whether it is about `has_siblings`, and `hopes_offered`."""
        children = VisitStudent.objects.filter(visit=OuterRef("pk")).order_by()
        counted = children.values("visit").values(n=models.Count("pk"))
        several = GreaterThan(models.Subquery(counted), 1)
        tapped = Visit.objects.filter(
            pk=OuterRef(OuterRef("pk")), visit_themes__theme=OuterRef("pk")
        )
        hopes = Theme.objects.hopes().to_tap(Exists(tapped)).filter(program=OuterRef("program"))
        found = self.with_people().annotate(
            has_siblings=several,
            hopes_offered=ArraySubquery(hopes.values(told=JSONObject(**{n: n for n in TO_TAP}))),
        )
        return found.select_related("family", "school", "log__logged_by", "goals")

    def with_people(self) -> "VisitQuerySet":
        """With what a list shows, at a fixed number of queries."""
        return self.select_related("family", "school").prefetch_related(
            children("family__"), visitors()
        )


# The one is dropped after the visit, the other is a note of the worker's.
@keeps_history(without=("address", "reminded"))
@undoable
class Visit(ProgramRow):
    """One trip of a team to a family that said yes."""

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("Scheduled")
        CONFIRMED = "confirmed", _("Confirmed")
        HELD = "held", _("Held")
        COMPLETED = "completed", _("Completed")
        NOT_HOME = "not_home", _("Nobody home")
        FAMILY_CANCELLED = "family_cancelled", _("Cancelled by the family")
        EDUCATOR_CANCELLED = "educator_cancelled", _("Cancelled by us")

    AHEAD = (State.SCHEDULED, State.CONFIRMED)
    TOOK_PLACE = (State.HELD, State.COMPLETED)
    STANDING = (State.SCHEDULED, State.CONFIRMED, State.HELD, State.COMPLETED)

    class Place(models.TextChoices):
        HOME = "home", _("At home")
        NEUTRAL = "neutral", _("A place the family chose")
        VIRTUAL = "virtual", _("By video")
        SCHOOL = "school", _("At the school")

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, db_constraint=False, related_name="visits"
    )
    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    family = models.ForeignKey(
        "families.Family", models.PROTECT, db_constraint=False, related_name="visits"
    )
    kind = models.CharField(max_length=10, choices=VisitKind)
    place = models.CharField(max_length=8, choices=Place, default=Place.HOME)
    during = DateTimeRangeField()
    state = models.CharField(max_length=20, choices=State, default=State.SCHEDULED)
    occupies = models.BooleanField(
        default=True, editable=False, help_text=_("Whether it takes up its people's time.")
    )
    address = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where to meet, if not at home; kept until the visit is over."),
    )
    sequence = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text=_("How often calendars were told of a change."),
    )
    timed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when it has this time, if it was moved.")
    )
    reminded = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("How many hours before it everybody was reminded last."),
    )
    scheduled_at = models.DateTimeField(default=clock.now)
    scheduled_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    held_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    completed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it was cancelled or found nobody home.")
    )
    ended_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    because = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why we cancelled it; a family is never asked."),
    )

    objects: ClassVar[Any] = scoped(VisitQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "visit",
                invitation="visits.Invitation",
                school="pthv.School",
                family="families.Family",
            ),
            # Participants copy `during` and `occupies`; this is what their key points at.
            models.UniqueConstraint(
                fields=["program", "id", "during", "occupies"], name="visit_time_nameable"
            ),
            # Goals are set from the second visit on; this is what their key points at.
            models.UniqueConstraint(fields=["program", "id", "kind"], name="visit_kind_nameable"),
            one_at_a_time(
                "family_id",
                "family_visited_one_at_a_time",
                _("This family has another visit at that time."),
            ),
            models.UniqueConstraint(
                fields=["invitation"], condition=Q(occupies=True), name="one_visit_an_invitation"
            ),
            models.CheckConstraint(
                name="visit_occupies_while_it_stands",
                condition=Q(
                    occupies=True, state__in=["scheduled", "confirmed", "held", "completed"]
                )
                | Q(
                    occupies=False,
                    state__in=["not_home", "family_cancelled", "educator_cancelled"],
                ),
            ),
            models.CheckConstraint(
                name="visit_during_is_bounded",
                condition=Q(
                    during__isempty=False,
                    during__lower_inf=False,
                    during__upper_inf=False,
                    during__lower_inc=True,
                    during__upper_inc=False,
                ),
            ),
            models.CheckConstraint(
                name="visit_confirmed_at_with_by",
                condition=Q(confirmed_at=None, confirmed_by=None)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False),
            ),
            models.CheckConstraint(
                name="visit_held_at_with_by",
                condition=Q(state__in=["held", "completed"], held_at__isnull=False)
                & Q(held_by__isnull=False)
                | (~Q(state__in=["held", "completed"]) & Q(held_at=None, held_by=None)),
            ),
            models.CheckConstraint(
                name="visit_completed_at_with_state",
                condition=Q(state="completed", completed_at__isnull=False)
                | (~Q(state="completed") & Q(completed_at=None)),
            ),
            models.CheckConstraint(
                name="visit_address_of_a_place_ahead",
                condition=Q(address="") | Q(place="neutral", state__in=["scheduled", "confirmed"]),
            ),
            models.CheckConstraint(
                name="visit_because_is_ours",
                condition=Q(because="") | Q(state="educator_cancelled"),
            ),
            models.CheckConstraint(
                name="visit_ended_at_with_by",
                condition=Q(occupies=True, ended_at=None, ended_by=None)
                | Q(occupies=False, ended_at__isnull=False, ended_by__isnull=False)
                # By its own link, which is nobody of us.
                | Q(state="family_cancelled", ended_at__isnull=False, ended_by=None),
            ),
        ]
        indexes = [
            models.Index(
                F("program"), Func(F("during"), function="lower"), F("id"), name="visits_by_start"
            ),
            models.Index(
                F("program"),
                F("school"),
                Func(F("during"), function="lower"),
                F("id"),
                name="visits_of_school_by_start",
            ),
            models.Index(
                F("program"),
                Func(F("during"), function="lower"),
                F("id"),
                condition=Q(state="scheduled"),
                name="visits_to_be_confirmed",
            ),
            models.Index(
                fields=["program", "school", "id"],
                condition=Q(state="held"),
                name="visits_to_be_written_up",
            ),
            models.Index(
                fields=["program", "id"],
                condition=~Q(address=""),
                name="visits_with_an_address",
            ),
        ]

    def __str__(self) -> str:
        return f"Visit {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("visit_detail", args=[self.pk])

    @cached_property
    def visitors(self) -> "list[VisitParticipant]":
        """Who goes, the lead first."""
        return list(self.participants.select_related("educator__user"))

    @cached_property
    def hopes_offered(self) -> list[dict[str, Any]]:
        """The hopes that can be tapped, each with whether it `is_tapped`."""
        tapped = self.visit_themes.filter(theme=OuterRef("pk"))
        return list(Theme.objects.hopes().to_tap(Exists(tapped)).values(*TO_TAP))

    @property
    def hopes_tapped(self) -> list[str]:
        """What the family hopes for, in the words of the program's list."""
        return [one["name"] for one in self.hopes_offered if one["is_tapped"]]

    @property
    def tapped(self) -> frozenset[int]:
        """The ids of those words."""
        return frozenset(one["pk"] for one in self.hopes_offered if one["is_tapped"])

    @cached_property
    def needs(self) -> list[Any]:
        """What is interpreted at it, and by whom, the latest request first."""
        asked = self.interpreter_requests.exclude(state="cancelled").order_by("-pk")
        return list(asked.select_related("interpreter"))

    @cached_property
    def several(self) -> "list[VisitStudent]":
        """The children it is about, where there are several; an only one is not written of
        apart."""
        if getattr(self, "has_siblings", True) is False:
            return []
        found = list(self.visit_students.select_related("student").order_by("pk"))
        return found if len(found) > 1 else []

    @property
    def interpreted_in(self) -> str:
        """The language for which an interpreter is wanted now; "" where none is."""
        asked = (one for one in self.needs if one.state != "wasted")
        return next((one.language for one in asked), "")

    def others(self, user: User) -> "list[VisitParticipant]":
        """Who goes with this person; nobody if they don't go themselves."""
        others = [person for person in self.visitors if person.educator.user_id != user.pk]
        return others if len(others) < len(self.visitors) else []

    @property
    def minutes(self) -> int:
        """How long it is meant to be."""
        return int((self.during.upper - self.during.lower).total_seconds() // 60)

    @property
    def starts_on(self) -> datetime.date:
        """Its day, where the program is."""
        return self.during.lower.astimezone(self.program.zone).date()

    @property
    def is_ahead(self) -> bool:
        return self.state in self.AHEAD

    @property
    def took_place(self) -> bool:
        return self.state in self.TOOK_PLACE

    @property
    def is_near(self) -> bool:
        """Whether it stands, and is near: from the day before it starts, where the program is,
        until it ends."""
        day_before = self.starts_on - datetime.timedelta(days=1)
        near = day_before <= self.program.today and clock.now() < self.during.upper
        return near and self.occupies

    @property
    def safety(self) -> "SafetyCheck | None":
        """What was tapped on the way, there and back; None before the first tap."""
        return getattr(self, "safety_check", None)

    @property
    def sets_out_from(self) -> datetime.datetime:
        """From when on its people may be on their way."""
        return self.during.lower - OUT_BEFORE

    @property
    def is_under_way(self) -> bool:
        """Whether its people are on the way, there, or should be about now."""
        taps, now = self.safety, clock.now()
        if self.took_place or (taps and taps.left_at):
            return False
        if taps and taps.watched:
            return True  # though it may have been called off meanwhile
        return self.is_ahead and self.during.lower - SOON <= now < self.during.upper

    @property
    def goes_home_soon(self) -> bool:
        """Whether it is near, and goes to the family's home."""
        return self.is_near and self.place == self.Place.HOME


class VisitParticipantQuerySet(models.QuerySet):
    def unfinished(self, educators: Iterable[int]) -> "VisitParticipantQuerySet":
        """Where these educators have a step to take, the earliest visit first; each row knows
        whether its educator has `reflected`. Whoever is under way may still say that they left,
        though the visit was called off."""
        reflections = Visit.objects.filter(
            pk=OuterRef("visit"), reflections__educator=OuterRef("educator")
        )
        stands = Q(occupies=True, visit__state__in=[*Visit.AHEAD, Visit.State.HELD])
        out = Q(occupies=False, declined_at=None, visit__safety_check__watched=True)
        return (
            self.filter(stands | out, educator__in=educators)
            .annotate(reflected=Exists(reflections))
            # Whoever reflected has a step left only where the log was changed since.
            .filter(Q(reflected=False) | Q(attested_at=None))
            .select_related(
                "educator",
                "visit__family",
                "visit__school",
                "visit__log__logged_by",
                "visit__safety_check",
            )
            .order_by(Func(F("during"), function="lower"), "visit")
        )

    def nearest(self) -> "VisitParticipantQuerySet":
        """What is closest to now first, gone by or still to come."""
        now = Value(clock.now())
        starts = Func(F("during"), function="lower", output_field=models.DateTimeField())
        away = Greatest(starts - now, now - starts, output_field=models.DurationField())
        return self.order_by(away, "visit")


class VisitStudent(ProgramRow):
    """A child whom a visit is about; siblings share one trip.

    What is written here is about one of several; about an only child, the log itself says it.
    """

    visit = models.ForeignKey(
        Visit, models.CASCADE, db_constraint=False, related_name="visit_students"
    )
    student = models.ForeignKey(
        "families.Student", models.PROTECT, db_constraint=False, related_name="+"
    )
    was_there = models.BooleanField(default=True, db_default=True)
    hopes = models.TextField(blank=True, default="", db_default="")
    strengths = models.TextField(blank=True, default="", db_default="")
    class_change = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("visit_student", visit="visits.Visit", student="families.Student"),
            models.UniqueConstraint(fields=["visit", "student"], name="visit_student_once"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id} on {self.visit_id}"


class VisitParticipant(ProgramRow):
    """An educator on a visit; `during` and `occupies` follow the visit by foreign key."""

    class Role(models.TextChoices):
        LEAD = "lead", _("Lead")
        PARTNER = "partner", _("Partner")

    visit = models.ForeignKey(
        Visit, models.CASCADE, db_constraint=False, related_name="participants"
    )
    educator = models.ForeignKey(
        Educator, models.PROTECT, db_constraint=False, related_name="participations"
    )
    role = models.CharField(max_length=8, choices=Role)
    during = DateTimeRangeField(editable=False)
    occupies = models.BooleanField(default=True, editable=False)
    declined_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When they said that they can't go after all.")
    )
    attested_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When they said the log is right.")
    )

    objects: ClassVar[Any] = scoped(VisitParticipantQuerySet)

    class Meta:
        ordering = ["role", "pk"]
        constraints = [
            *same_program("visit_participant", educator="pthv.Educator"),
            CompositeForeignKey(
                name="visit_participant_at_its_visits_time",
                fields=["program", "visit", "during", "occupies"],
                to="visits.Visit",
                to_fields=["program", "id", "during", "occupies"],
                on_update="CASCADE",
            ),
            models.UniqueConstraint(fields=["visit", "educator"], name="visit_participant_once"),
            one_at_a_time(
                "educator_id",
                "educator_visits_one_at_a_time",
                _("An educator has another visit at that time."),
            ),
        ]
        indexes = [
            models.Index(
                F("educator"),
                Func(F("during"), function="lower"),
                F("visit"),
                name="participations_by_start",
            ),
            models.Index(
                fields=["program", "visit"],
                condition=Q(declined_at__isnull=False, occupies=True),
                name="visitors_who_cannot_go",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} on {self.visit_id}"

    def next_step(self, visit: Visit, *, reflected: bool = False) -> str:
        """What the visit asks of this visitor now, or nothing (""): confirm; say that they are
        out, arrive, leave, or hold if nobody did; log, reflect, or attest a log that was changed
        after they had reflected."""
        if visit.is_ahead:
            return self._step_ahead(visit)
        if not visit.occupies:
            watched = visit.safety is not None and visit.safety.watched
            return "leave" if watched and self.declined_at is None else ""
        if visit.state == Visit.State.HELD and not hasattr(visit, "log"):
            return "log"
        if visit.state != Visit.State.HELD:
            return ""
        if not reflected:
            return "reflect"
        return "" if self.attested_at else "attest"

    def _step_ahead(self, visit: Visit) -> str:
        now, begun = clock.now(), visit.during.lower <= clock.now()
        goes = self.declined_at is None and visit.place != Visit.Place.VIRTUAL
        taps = visit.safety
        if taps and taps.left_at:
            return "hold" if begun else ""
        if taps and goes and (taps.arrived_at or taps.out_at):
            there = taps.arrived_at or visit.during.upper <= now
            return "leave" if there else "arrive"
        if begun:
            return "arrive" if goes and now < visit.during.upper else "hold"
        waits = visit.state == Visit.State.SCHEDULED and self.declined_at is None
        if waits and self.educator.user_id != visit.scheduled_by_id:
            return "confirm"
        return "out" if goes and visit.sets_out_from <= now else ""
