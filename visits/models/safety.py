"""When a pair set out, arrived and left, and who was told that it had not. Never where it was."""

import datetime
from typing import Any, ClassVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from pthv import clock
from pthv.access import Can
from pthv.models import ProgramRow, User, full_name, same_program, scoped

from .visit import Visit, VisitParticipant

STEPS = ("out", "arrived", "left")


def _with_by(step: str) -> models.CheckConstraint:
    """A time stands with the person who said so."""
    at, by = f"{step}_at", f"{step}_by"
    return models.CheckConstraint(
        name=f"safety_check_{step}_at_with_by",
        condition=Q(**{at: None, by: None}) | Q(**{f"{at}__isnull": False, f"{by}__isnull": False}),
    )


def _said_before(step: str) -> models.CheckConstraint:
    """A phone's own time comes with ours, and is not after it."""
    phone = f"{step}_phone_at"
    return models.CheckConstraint(
        name=f"safety_check_{step}_phone_not_ahead",
        condition=Q(**{phone: None})
        | Q(**{f"{step}_at__isnull": False, f"{phone}__lte": F(f"{step}_at")}),
    )


class SafetyCheckQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "SafetyCheckQuerySet":
        """Of the visits of the program, or of one's schools."""
        reach = user.reach(can)
        return self if reach.program else self.filter(visit__school__in=reach.schools)

    def to_look_after(self, since: datetime.datetime) -> "SafetyCheckQuerySet":
        """Watched over, though the pair was expected back before then or the visit is held."""
        late, over = Q(expected_end__lt=since), Q(visit__state__in=Visit.TOOK_PLACE)
        return self.filter(late | over, watched=True)

    def calling(self, since: datetime.datetime) -> "SafetyCheckQuerySet":
        """What needs a person now: help was asked, or the pair was expected back before then,
        though the visit may have been called off meanwhile."""
        late = Q(watched=True, expected_end__lt=since) & ~Q(visit__state__in=Visit.TOOK_PLACE)
        return self.filter(late | Q(help_at__isnull=False, well_at=None))

    def with_names(self) -> "SafetyCheckQuerySet":
        """With the `visitor_names` of those who go, the lead's first."""
        going = VisitParticipant.objects.filter(visit=OuterRef("visit"), declined_at=None)
        names = going.order_by("role", "pk").values(name=full_name("educator__user__"))
        return self.annotate(visitor_names=ArraySubquery(names))


class SafetyCheck(ProgramRow):
    """The taps of the pair on its visit, and how far an alert went; times only.

    The server's clock counts. What a phone without signal said the time was is kept beside it.
    """

    class Alerted(models.IntegerChoices):
        NOBODY = 0, _("Nobody")
        PAIR = 1, _("The pair")
        CONTACT = 2, _("The school's contact")
        PROGRAM = 3, _("The program")

    visit = models.OneToOneField(
        Visit, models.CASCADE, db_constraint=False, related_name="safety_check"
    )
    out_at = models.DateTimeField(null=True, blank=True)
    out_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    out_phone_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    arrived_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    arrived_phone_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    left_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    left_phone_at = models.DateTimeField(null=True, blank=True)
    left_early = models.BooleanField(default=False)
    expected_end = models.DateTimeField(help_text=_("When they are expected to have left."))
    watched = models.BooleanField(
        default=False, help_text=_("Whether somebody is told if they don't say that they left.")
    )
    alerted = models.PositiveSmallIntegerField(
        choices=Alerted, default=Alerted.NOBODY, help_text=_("Who was told last.")
    )
    alerted_at = models.DateTimeField(null=True, blank=True)
    help_at = models.DateTimeField(null=True, blank=True)
    help_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    well_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When somebody said that all is well, after an alert.")
    )
    well_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(SafetyCheckQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("safety_check", visit="visits.Visit"),
            *map(_with_by, [*STEPS, "help", "well"]),
            *map(_said_before, STEPS),
            models.CheckConstraint(
                name="safety_check_alerted_at_with_level",
                condition=Q(alerted=0, alerted_at=None)
                | Q(alerted__range=(1, 3), alerted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="safety_check_watched_until_left",
                condition=Q(watched=False) | Q(left_at=None),
            ),
            models.CheckConstraint(
                name="safety_check_left_early_when_left",
                condition=Q(left_early=False) | Q(left_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "expected_end"],
                condition=Q(watched=True),
                name="safety_checks_watched",
            ),
            models.Index(
                fields=["program", "id"],
                condition=Q(help_at__isnull=False, well_at=None),
                name="safety_checks_with_help",
            ),
        ]

    def __str__(self) -> str:
        return f"Safety check of visit {self.visit_id}"

    @property
    def is_open(self) -> bool:
        """Whether help was asked or somebody was told, and nobody said since that all is well."""
        return self.well_at is None and bool(self.help_at or self.alerted)

    @property
    def wants_help(self) -> bool:
        """Whether help was asked, and nobody said since that all is well."""
        return self.well_at is None and self.help_at is not None

    @property
    def is_late(self) -> bool:
        """Whether they were expected back by now."""
        return self.watched and self.expected_end < clock.now()

    def has_come_to(self, step: str) -> bool:
        """Whether this step, or one after it, was tapped."""
        return any(getattr(self, f"{one}_at") for one in STEPS[STEPS.index(step) :])
