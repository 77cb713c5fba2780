"""Whom we ask, in which order, how, and what the family answered."""

import datetime
import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext_lazy as _

from families.households import earlier_students
from families.models import children
from pthv import clock
from pthv.access import Can
from pthv.models import (
    Educator,
    Message,
    ProgramRow,
    SchoolYear,
    User,
    full_name,
    same_program,
    scoped,
    undoable,
)
from pthv.models.history import keeps_history
from pthv.models.tally import tally_triggers

from .selection import SelectionPlan
from .team import TeamMember, VisitTeam


class VisitKind(models.TextChoices):
    FIRST = "first", _("First visit")
    SECOND = "second", _("Second visit")
    ADDITIONAL = "additional", _("Additional visit")


# The family waits for a person: it wants a call, or its caregivers answered differently.
WAITS = Q(call_wanted_at__isnull=False) | Q(differing_at__isnull=False)


PARSED: dict[str, Callable[[str], object]] = {
    "asked_at": parse_datetime,
    "answered_at": parse_datetime,
    "later_on": parse_date,
    "call_wanted_at": parse_datetime,
    "differing_at": parse_datetime,
}


def has_said_no(family: str = "pk") -> Q:
    """Whether a family of a query, which `family` names, said no, or one that a child of it came
    from did: to whichever visit, in whichever year. A child moved into another household is the
    same child: its family's no goes along."""
    no = Invitation.objects.filter(state=Invitation.State.DECLINED)
    came_from = earlier_students().filter(pgh_obj__family=OuterRef(OuterRef(family)))
    moved = no.filter(family__in=came_from.exclude(family=None).values("family"))
    return Q(Exists(no.filter(family=OuterRef(family)))) | Q(Exists(moved))


class InvitationQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "InvitationQuerySet":
        """Of the program, of one's schools, or those one was given or goes on as a partner."""
        reach = user.reach(can)
        if reach.program:
            return self
        teams = TeamMember.objects.filter(educator__in=reach.educators).values("team")
        at_my_schools = Invitation.objects.filter(school__in=reach.own_schools)
        own = at_my_schools.filter(educator__in=reach.educators).values("pk")
        partner = at_my_schools.filter(team__in=teams).values("pk")
        allowed = Q(pk__in=own.union(partner)) if reach.educators else Q(pk__in=[])
        if reach.schools:
            allowed |= Q(school__in=reach.schools)
        return self.filter(allowed)

    def of_year(self, on: datetime.date) -> "InvitationQuerySet":
        """Of the school year that people mean on this date."""
        return self.filter(school_year__in=SchoolYear.objects.at_hand(on).values("pk"))

    def invite_next(self, educators: Iterable[int], on: datetime.date) -> "InvitationQuerySet":
        """Whom these educators may ask on a date, in the plan's order."""
        may_ask = Q(state__in=[Invitation.State.NOT_ASKED, Invitation.State.ASKED]) | Q(
            state=Invitation.State.LATER, later_on__lte=on
        )
        return (
            self.of_year(on)
            .filter(may_ask, educator__in=educators)
            .without_a_no()
            .select_related("family", "school")
            .order_by("pk")
        )

    def without_a_no(self) -> "InvitationQuerySet":
        """Of families that no no keeps us from asking, as `invitations.no_blockers` says."""
        return self.exclude(has_said_no("family_id"))

    def without_a_time(self) -> "InvitationQuerySet":
        """The family said yes, and no visit stands; whoever has waited longest first."""
        return (
            self.filter(state=Invitation.State.ACCEPTED, visited_at=None)
            .exclude(visits__occupies=True)
            .without_a_no()
            .order_by("answered_at", "pk")
        )

    def waiting_for_us(self) -> "InvitationQuerySet":
        """The family wants a call, or its caregivers answered differently."""
        return self.filter(WAITS)

    def counts(self) -> dict[str, int]:
        """How many there are, and how many were asked, said yes, were visited."""
        return self.aggregate(
            planned=models.Count("pk"),
            asked=models.Count("asked_at"),
            accepted=models.Count("pk", filter=Q(state=Invitation.State.ACCEPTED)),
            visited=models.Count("visited_at"),
        )

    def for_list(self) -> "InvitationQuerySet":
        """With the little that a list shows: the family and its children, whether it `said_no`,
        and as words `asker`, `school_name` and `year_name`. Rows of five tables would cost twice
        as much."""
        return (
            self.select_related("family")
            .annotate(
                said_no=has_said_no("family_id"),
                asker=full_name("educator__user__"),
                school_name=F("school__name"),
                year_name=F("school_year__name"),
            )
            .prefetch_related(children("family__"))
        )


@keeps_history()
@undoable
class Invitation(ProgramRow):
    """One family asked to one visit of the year: a question it is free to answer.

    A visit exists only after `state` is accepted. Declined is final and needs no reason.
    """

    class State(models.TextChoices):
        NOT_ASKED = "not_asked", _("Not asked yet")
        ASKED = "asked", _("Asked")
        ACCEPTED = "accepted", _("Said yes")
        DECLINED = "declined", _("Said no thank you")
        LATER = "later", _("Asked us to come back later")
        UNREACHABLE = "unreachable", _("Not reached")

    class Place(models.TextChoices):
        HOME = "home", _("At home")
        ELSEWHERE = "elsewhere", _("Somewhere else")
        VIDEO = "video", _("By video")

    OPEN = (State.NOT_ASKED, State.ASKED, State.LATER)
    # What an attempt or an answer may change, and taking it back restores.
    RECORDED = (
        "state",
        "asked_at",
        "answered_at",
        "answered_by_id",
        "answered_caregiver_id",
        "later_on",
        "place_wanted",
        "interpreter_wanted",
        "times",
        "call_wanted_at",
        "differing_at",
    )

    plan = models.ForeignKey(
        SelectionPlan,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="invitations",
        help_text=_("Empty for a second visit, which follows from the first."),
    )
    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    family = models.ForeignKey(
        "families.Family", models.PROTECT, db_constraint=False, related_name="invitations"
    )
    kind = models.CharField(max_length=10, choices=VisitKind, default=VisitKind.FIRST)
    educator = models.ForeignKey(
        Educator,
        models.PROTECT,
        db_constraint=False,
        related_name="invitations",
        help_text=_("Who asks: the teacher of the class."),
    )
    team = models.ForeignKey(
        VisitTeam,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="invitations",
    )
    state = models.CharField(max_length=12, choices=State, default=State.NOT_ASKED)
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Who recorded the answer; empty: the family gave it itself."),
    )
    answered_caregiver = models.ForeignKey(
        "families.Caregiver",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text=_("Who of the family answered, if that is known."),
    )
    place_wanted = models.CharField(
        max_length=10, choices=Place, blank=True, default="", db_default=""
    )
    interpreter_wanted = models.BooleanField(default=False, db_default=False)
    times = ArrayField(
        models.CharField(max_length=16),
        default=list,
        blank=True,
        db_default=[],
        help_text=_("When it suits them, such as tue-evening."),
    )
    call_wanted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when they wait for a call.")
    )
    differing_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when two caregivers answer differently.")
    )
    later_on = models.DateField(null=True, blank=True)
    visited_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When its visit was completed.")
    )

    objects: ClassVar[Any] = scoped(InvitationQuerySet)
    visits: Any
    _people: tuple[int | None, list[Educator]] = (None, [])

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "invitation",
                plan="visits.SelectionPlan",
                school="pthv.School",
                school_year="pthv.SchoolYear",
                family="families.Family",
                educator="pthv.Educator",
                team="visits.VisitTeam",
                answered_caregiver="families.Caregiver",
            ),
            models.UniqueConstraint(
                fields=["program", "school_year", "family", "kind"],
                condition=~Q(kind="additional"),
                name="family_asked_once",
            ),
            models.CheckConstraint(
                name="invitation_answered_at_with_by",
                condition=(
                    Q(state__in=["accepted", "declined", "later"], answered_at__isnull=False)
                    & (Q(answered_by__isnull=False) | Q(answered_caregiver__isnull=False))
                )
                | (
                    ~Q(state__in=["accepted", "declined", "later"])
                    & Q(answered_at=None, answered_by=None, answered_caregiver=None)
                ),
            ),
            models.CheckConstraint(
                name="invitation_later_has_its_date",
                condition=Q(state="later", later_on__isnull=False)
                | (~Q(state="later") & Q(later_on=None)),
            ),
            models.CheckConstraint(
                name="invitation_asked_at_with_state",
                condition=Q(state="not_asked", asked_at=None)
                | (~Q(state="not_asked") & Q(asked_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="visited_only_after_a_yes",
                condition=Q(visited_at=None) | Q(state="accepted"),
            ),
        ]
        indexes = [
            models.Index(fields=["program", "school", "id"], name="invitations_of_school"),
            models.Index(fields=["educator", "id"], name="invitations_of_educator"),
            models.Index(fields=["program", "state", "id"], name="invitations_by_state"),
            models.Index(fields=["plan", "id"], name="invitations_of_plan"),
            models.Index(
                fields=["program", "id"],
                condition=Q(state="accepted", visited_at=None),
                name="invitations_to_visit",
            ),
            models.Index(
                fields=["program", "id"], condition=WAITS, name="invitations_waiting_for_us"
            ),
        ]
        triggers = tally_triggers(
            "program_id, school_year_id, school_id, educator_id, kind, state, visited_at",
            "visits_tally",
            key=["program_id", "school_year_id", "school_id", "educator_id"],
            counts={
                "planned": "kind = 'first'",
                "asked": "kind = 'first' AND state <> 'not_asked'",
                "accepted": "kind = 'first' AND state = 'accepted'",
                "visited": "kind = 'first' AND visited_at IS NOT NULL",
                "second": "kind = 'second' AND visited_at IS NOT NULL",
            },
        )

    def __str__(self) -> str:
        return f"Invitation {self.pk}"

    def get_absolute_url(self) -> str:
        """The family's page, with this invitation's next step."""
        return f"{reverse('family_detail', args=[self.family_id])}?invitation={self.pk}"

    @property
    def named(self) -> str:
        """What messages are about that are about it."""
        return f"invitation:{self.pk}"

    def as_recorded(self) -> dict[str, Any]:
        """What was asked and answered so far, as JSON that `put_back` understands."""
        values = {name: getattr(self, name) for name in self.RECORDED}
        return {name: DjangoJSONEncoder().encode(value) for name, value in values.items()}

    def put_back(self, recorded: dict[str, Any]) -> None:
        """Make it what `as_recorded` said it was."""
        for name in self.RECORDED:
            value = json.loads(recorded[name])
            parse = PARSED.get(name)
            setattr(self, name, parse(value) if parse and value else value)

    @property
    def is_open(self) -> bool:
        """Whether the family may still be asked."""
        return self.state in self.OPEN

    def next_step(self, on: datetime.date, *, standing: bool, said_no: bool) -> str:
        """What it asks for on a date: ask, team, time, or nothing ("").

        `standing`: whether a visit of it stands; `said_no`: whether its family did. A no, a
        "later" before its day, and a family not reached ask for nothing.
        """
        if said_no:
            return ""
        if self.state == self.State.ACCEPTED and not (standing or self.visited_at):
            return "time" if self.team_id else "team"
        waits = self.later_on is not None and self.later_on > on
        return "ask" if self.is_open and not waits else ""

    def people(self) -> list[Educator]:
        """The team, lead first; only the educator who asks while there is none."""
        if self.team_id is None:
            return [self.educator]
        team, found = self._people
        if team != self.team_id:
            members = TeamMember.objects.filter(team=self.team_id).select_related("educator__user")
            # A team is never changed: another one is made.
            found = [member.educator for member in members]
            self._people = self.team_id, found
        return found


@undoable
class ContactAttempt(ProgramRow):
    """One call, text or letter to a caregiver, and how it went."""

    class Channel(models.TextChoices):
        CALL = "call", _("Call")
        TEXT = "text", _("Text")
        EMAIL = "email", _("E-mail")
        IN_PERSON = "in_person", _("In person")

    class Outcome(models.TextChoices):
        REACHED = "reached", _("Reached")
        NO_ANSWER = "no_answer", _("No answer")
        LEFT_MESSAGE = "left_message", _("Left a message")
        WRONG_NUMBER = "wrong_number", _("Wrong number")
        SENT = "sent", _("Message sent")

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, db_constraint=False, related_name="attempts"
    )
    caregiver = models.ForeignKey(
        "families.Caregiver",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    channel = models.CharField(max_length=10, choices=Channel)
    outcome = models.CharField(max_length=12, choices=Outcome)
    language = models.CharField(max_length=20, blank=True, default="", db_default="")
    made_at = models.DateTimeField(default=clock.now)
    made_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text=_("Empty: a message that went out by itself."),
    )
    message = models.ForeignKey(
        Message,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("What was sent, if we sent it."),
    )
    before = models.JSONField(
        default=dict,
        db_default={},
        editable=False,
        help_text=_("What the invitation was before, for the ten seconds it can be taken back."),
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "contact_attempt",
                invitation="visits.Invitation",
                caregiver="families.Caregiver",
                message="pthv.Message",
            ),
            models.CheckConstraint(
                name="contact_attempt_by_somebody_or_a_message",
                condition=Q(made_by__isnull=False) | Q(message__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.outcome}"
