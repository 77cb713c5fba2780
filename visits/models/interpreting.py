"""Interpreters, what they are asked, and the visits they interpret at."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.db import models
from django.db.models import Case, F, Func, OuterRef, Q, Value, When
from django.db.models.functions import Concat, JSONObject
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from pthv import clock
from pthv.access import Can
from pthv.models import (
    CompositeForeignKey,
    Educator,
    ProgramRow,
    User,
    same_program,
    scoped,
)
from pthv.models.history import keeps_history

from .visit import Visit, VisitParticipant, one_at_a_time

# How the database names what it refuses to somebody who both visits and interprets.
IN_ONE_PLACE = "visitor_or_interpreter_at_a_time"


def _in_one_place(
    person: str, elsewhere: str, *, changed: tuple[str, ...], condition: Any
) -> pgtrigger.Trigger:
    """Refuse a row whose educator (`person`, in SQL) is `elsewhere` at its time in the other role:
    no exclusion constraint spans two tables. Whoever holds the educator's row sees the other's."""
    return pgtrigger.Trigger(
        name="in_one_place",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(*changed, "during", "occupies"),
        condition=condition,
        declare=[("person", "bigint")],
        func=f"""
            person := {person};
            PERFORM FROM pthv_educator WHERE id = person FOR NO KEY UPDATE;
            IF EXISTS ({elsewhere}) THEN
                RAISE EXCEPTION 'This person visits or interprets elsewhere at that time.'
                USING ERRCODE = 'exclusion_violation', CONSTRAINT = '{IN_ONE_PLACE}';
            END IF;
            RETURN NULL;
        """,
    )


class InterpreterQuerySet(models.QuerySet):
    def on_the_rota(self, language: str) -> "InterpreterQuerySet":
        """Who may be asked to interpret this language, in the order in which they are; of those
        who visit, too, whoever has not left."""
        spoken = language.split("-", maxsplit=1)[0].lower()
        asked = self.filter(ended_on=None, willing=True, languages__contains=[spoken])
        here = Q(educator=None) | Q(educator__in=Educator.objects.staying())
        return asked.filter(here).order_by("position", "pk")

    def open_to(self, user: User, can: Can) -> "InterpreterQuerySet":
        """All of the program: schools share them."""
        reach = user.reach(can)
        return self if reach.program or reach.schools else self.none()


@keeps_history()
class Interpreter(ProgramRow):
    """An adult who interprets at visits, of the staff or from outside; never a student.

    Whoever visits, too, has an educator's row beside: their hours as one keep them from being
    asked as the other.
    """

    class Kind(models.TextChoices):
        STAFF = "staff", _("Staff")
        OUTSIDE = "outside", _("From outside")

    kind = models.CharField(max_length=8, choices=Kind)
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    phone = PhoneNumberField(blank=True)
    languages = ArrayField(
        models.CharField(max_length=20), help_text=_("Tags such as es, vi, ase.")
    )
    educator = models.ForeignKey(
        Educator,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("Who they are as a visitor, if they visit too."),
    )
    willing = models.BooleanField(
        default=True, help_text=_("Whether they may be asked; who speaks a language need not.")
    )
    hourly_rate = models.DecimalField(
        max_digits=7, decimal_places=2, null=True, blank=True, help_text=_("Paid an hour.")
    )
    position = models.PositiveIntegerField(default=0, help_text=_("Who is asked first."))
    adult_confirmed_at = models.DateTimeField(default=clock.now)
    adult_confirmed_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    ended_on = models.DateField(null=True, blank=True)

    objects: ClassVar[Any] = scoped(InterpreterQuerySet)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            *same_program("interpreter", educator="pthv.Educator"),
            models.CheckConstraint(
                name="interpreter_can_be_asked", condition=~Q(email="") | ~Q(phone="")
            ),
            models.CheckConstraint(
                name="interpreter_rate_not_negative",
                condition=Q(hourly_rate=None) | Q(hourly_rate__gte=0),
            ),
            models.CheckConstraint(
                name="interpreter_speaks_a_language", condition=~Q(languages=[])
            ),
            models.UniqueConstraint(
                fields=["program", "educator"], name="interpreter_educator_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def named(self) -> str:
        """How a message says whom it is for."""
        return f"interpreter:{self.pk}"


def interpreted(visit: str) -> models.Subquery:
    """What the visit of a row needs interpreted, for `needs` to read; `visit`: the row's field."""
    names = {name: f"interpreter__{name}" for name in ("given_name", "family_name")}
    asked = InterpreterRequest.objects.standing().filter(visit=OuterRef(visit)).order_by()
    told = JSONObject(state="state", language="language", **names)
    return models.Subquery(asked.values(told=told)[:1])


def needs(told: dict[str, str] | None) -> "list[InterpreterRequest]":
    """The request that `interpreted` told of, as a visit's `needs` have it."""
    if told is None:
        return []
    given_name, family_name = told.pop("given_name"), told.pop("family_name")
    request = InterpreterRequest(**told)
    if given_name:
        request.interpreter = Interpreter(given_name=given_name, family_name=family_name)
    return [request]


class InterpreterRequestQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "InterpreterRequestQuerySet":
        """Of the visits of the program, or of one's schools."""
        if user.reach(can).program:
            return self
        return self.filter(visit__in=Visit.objects.open_to(user, can).values("pk"))

    def open(self) -> "InterpreterRequestQuerySet":
        """Still looking for somebody, or in vain."""
        return self.filter(state__in=InterpreterRequest.OPEN)

    def by_need(self) -> "InterpreterRequestQuerySet":
        """With `need`, by which those come first that nobody can do, the soonest first."""
        rank = Case(
            When(state="no_resource", then=Value("0")),
            When(state="pending", then=Value("1")),
            default=Value("2"),
        )
        starts = Func(
            Func(F("during"), function="lower"),
            Value("YYYYMMDDHH24MISS"),
            function="to_char",
            output_field=models.CharField(),
        )
        return self.annotate(need=Concat(rank, starts, output_field=models.CharField()))

    def unmet(self) -> "InterpreterRequestQuerySet":
        """Nobody on the rota can: somebody has to see to it."""
        # Spelled as the index has it.
        return self.filter(state__in=["pending", "no_resource"], state="no_resource")

    def standing(self) -> "InterpreterRequestQuerySet":
        """Neither cancelled nor in vain because the visit wasn't."""
        return self.filter(state__in=InterpreterRequest.STANDING)


@keeps_history()
class InterpreterRequest(ProgramRow):
    """What a visit needs interpreted, and by whom.

    While it stands, `during` and the visit's `occupies` follow it by a foreign key over `bound`,
    so that nobody interprets at two visits at a time. One that ended keeps the time it was for,
    and what that costs.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Looking for an interpreter")
        COVERED = "covered", _("Covered")
        NO_RESOURCE = "no_resource", _("Nobody can")
        CANCELLED = "cancelled", _("Cancelled")
        WASTED = "wasted", _("Came in vain")

    OPEN = (State.PENDING, State.NO_RESOURCE)
    STANDING = (State.PENDING, State.COVERED, State.NO_RESOURCE)

    visit = models.ForeignKey(
        Visit, models.CASCADE, db_constraint=False, related_name="interpreter_requests"
    )
    bound = models.ForeignKey(
        Visit,
        models.CASCADE,
        null=True,
        editable=False,
        db_constraint=False,
        related_name="+",
        help_text=_("The visit again, as long as it follows its time."),
    )
    during = DateTimeRangeField(editable=False)
    occupies = models.BooleanField(default=True, editable=False)
    language = models.CharField(max_length=20)
    state = models.CharField(max_length=12, choices=State, default=State.PENDING)
    interpreter = models.ForeignKey(
        Interpreter, models.PROTECT, null=True, blank=True, db_constraint=False, related_name="+"
    )
    hourly_rate = models.DecimalField(
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Theirs on the day they said yes."),
    )
    requested_at = models.DateTimeField(default=clock.now)
    requested_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    covered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = scoped(InterpreterRequestQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program(
                "interpreter_request", visit="visits.Visit", interpreter="visits.Interpreter"
            ),
            CompositeForeignKey(
                name="interpreter_request_at_its_visits_time",
                fields=["program", "bound", "during", "occupies"],
                to="visits.Visit",
                to_fields=["program", "id", "during", "occupies"],
                on_update="CASCADE",
            ),
            models.CheckConstraint(
                name="interpreter_request_bound_while_it_stands",
                condition=Q(state__in=["pending", "covered", "no_resource"], bound=F("visit"))
                | Q(state__in=["cancelled", "wasted"], bound=None),
            ),
            models.UniqueConstraint(
                fields=["visit"],
                condition=Q(state__in=["pending", "covered", "no_resource"]),
                name="one_interpreter_request_a_visit",
            ),
            models.CheckConstraint(
                name="interpreter_request_covered_by_somebody",
                condition=Q(state__in=["covered", "wasted"])
                & Q(interpreter__isnull=False, covered_at__isnull=False)
                | Q(state__in=["pending", "no_resource"]) & Q(interpreter=None, covered_at=None)
                | Q(state="cancelled"),
            ),
            models.CheckConstraint(
                name="interpreter_request_ended_at_with_state",
                condition=Q(state__in=["cancelled", "wasted"], ended_at__isnull=False)
                | ~Q(state__in=["cancelled", "wasted"]) & Q(ended_at=None),
            ),
            one_at_a_time(
                "interpreter_id",
                "interpreter_one_at_a_time",
                _("This interpreter is at another visit at that time."),
                state="covered",
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "id"],
                condition=Q(state__in=["pending", "no_resource"]),
                name="interpreter_requests_open",
            ),
        ]
        triggers = [
            _in_one_place(
                "(SELECT educator_id FROM visits_interpreter WHERE id = NEW.interpreter_id)",
                "SELECT FROM visits_visitparticipant WHERE educator_id = person AND occupies"
                " AND during && NEW.during",
                changed=("interpreter_id", "state"),
                condition=pgtrigger.Q(new__state="covered", new__occupies=True),
            )
        ]

    def __str__(self) -> str:
        return f"Interpreter request {self.pk}"


class InterpreterAsk(ProgramRow):
    """One interpreter who was asked, and what they said by their link, or to one of us.

    The token itself is nowhere; pthv/tokens.py makes it from the nonce when a message goes out.
    """

    class Answer(models.TextChoices):
        WAITING = "waiting", _("No answer yet")
        ACCEPTED = "accepted", _("Yes")
        DECLINED = "declined", _("No")
        LAPSED = "lapsed", _("Not needed any more")

    request = models.ForeignKey(
        InterpreterRequest, models.CASCADE, db_constraint=False, related_name="asks"
    )
    interpreter = models.ForeignKey(
        Interpreter, models.CASCADE, db_constraint=False, related_name="asks"
    )
    nonce = models.CharField(max_length=40, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    asked_at = models.DateTimeField(default=clock.now)
    answer = models.CharField(max_length=8, choices=Answer, default=Answer.WAITING)
    answered_at = models.DateTimeField(null=True, blank=True)
    recorded_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        help_text=_("Empty: the interpreter's own link."),
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "interpreter_ask",
                request="visits.InterpreterRequest",
                interpreter="visits.Interpreter",
            ),
            models.UniqueConstraint(
                fields=["request", "interpreter"], name="interpreter_asked_once"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(answer="waiting"), name="one_interpreter_at_a_time"
            ),
            models.CheckConstraint(
                name="interpreter_ask_answered_at_with_answer",
                condition=Q(answer="waiting", answered_at=None)
                | ~Q(answer="waiting") & Q(answered_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Ask {self.pk}"


# Declared here, since a visit knows nothing of interpreters.
pgtrigger.register(
    _in_one_place(
        "NEW.educator_id",
        "SELECT FROM visits_interpreterrequest AS request"
        " JOIN visits_interpreter AS interpreter ON interpreter.id = request.interpreter_id"
        " WHERE interpreter.educator_id = person AND request.state = 'covered'"
        " AND request.occupies AND request.during && NEW.during",
        changed=("educator_id",),
        condition=pgtrigger.Q(new__occupies=True),
    )
)(VisitParticipant)
