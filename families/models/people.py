"""Whom we may invite: families, the children, and the caregivers who speak for them."""

from typing import Any, ClassVar
from unicodedata import bidirectional

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, GeneratedField, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_scopes import get_scope
from phonenumber_field.modelfields import PhoneNumberField

from families.search import Folded, prefix_query
from pthv.models import ProgramRow, same_program, scoped
from pthv.models.history import keeps_history
from pthv.models.tally import tally_triggers


def children(of: str = "") -> models.Prefetch:
    """Fetch the children of each family ("family__": of each row's family) as `children`."""
    names = Student.objects.enrolled().defer("folded", "searchable")
    return models.Prefetch(f"{of}students", queryset=names, to_attr="children")


def adults(of: str = "") -> models.Prefetch:
    """Fetch the caregivers of each family as `adults`, likewise."""
    return models.Prefetch(f"{of}caregivers", to_attr="adults")


def isolated(name: str) -> str:
    """A name, kept from turning its neighbours round if it is written from right to left."""
    if name.isascii() or not any(bidirectional(letter) in {"R", "AL"} for letter in name):
        return name
    return f"\u2068{name}\u2069"


def grade_in_words(grade: str) -> str:
    """ "3" for the 03 of a roster, "K" for KG."""
    return "K" if grade == "KG" else grade.lstrip("0") or grade


@keeps_history(without=("folded",))
class Family(ProgramRow):
    """A household that may be invited: children, and the caregivers who speak for them."""

    source_id = models.CharField(
        max_length=255, blank=True, help_text=_("The household's id in the contacts file.")
    )
    surnames = models.CharField(
        max_length=160, help_text=_("The caregivers' surnames, as the family gives them.")
    )
    language = models.CharField(
        max_length=20, default="en", help_text=_("The language they like to be written to in.")
    )
    interpreter_wanted = models.BooleanField(default=False)
    folded = GeneratedField(
        expression=Folded("surnames"), output_field=models.TextField(), db_persist=True
    )

    class Meta:
        verbose_name_plural = "families"
        ordering = ["pk"]
        constraints = [
            *same_program("family"),
            models.UniqueConstraint(
                fields=["program", "source_id"],
                condition=~Q(source_id=""),
                name="family_source_id_once",
            ),
        ]
        indexes = [
            models.Index(F("program"), F("folded"), F("id"), name="family_by_surnames"),
        ]

    def __str__(self) -> str:
        return f"{self.surnames} family"

    @cached_property
    def children(self) -> "list[Student]":
        """The children on the roster, in its order."""
        return list(Student.objects.enrolled().filter(family=self))

    @cached_property
    def adults(self) -> "list[Caregiver]":
        """The caregivers, in their order."""
        return list(self.caregivers.all())

    @property
    def label(self) -> str:
        """ "Ramírez family — Mateo (3), Lucía (1)": who they are, at a glance."""
        children = ", ".join(
            f"{isolated(child.called)} ({grade_in_words(child.grade)})"
            if child.grade
            else isolated(child.called)
            for child in self.children
        )
        if not children:
            return str(self)
        return f"{isolated(self.surnames)} family\u00a0— {children}"

    @property
    def reachable(self) -> "list[Caregiver]":
        """The caregivers who may be contacted, in their order."""
        return [person for person in self.adults if person.may_be_reached]


@keeps_history()
class Caregiver(ProgramRow):
    """An adult who looks after the children of a family."""

    class Channel(models.TextChoices):
        CALL = "call", _("Phone call")
        TEXT = "text", _("Text message")
        EMAIL = "email", _("E-mail")

    family = models.ForeignKey(
        Family, models.PROTECT, db_constraint=False, related_name="caregivers"
    )
    source_id = models.CharField(max_length=255, blank=True)
    given_name = models.CharField(max_length=80, blank=True)
    family_name = models.CharField(max_length=80, blank=True)
    relation = models.CharField(max_length=40, blank=True)
    phone = PhoneNumberField(blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=20, default="en")
    preferred_channel = models.CharField(max_length=5, choices=Channel, default=Channel.CALL)
    may_be_contacted = models.BooleanField(default=True)
    ended_on = models.DateField(
        null=True, blank=True, help_text=_("Since when this person has no say any more.")
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("caregiver", family="families.Family"),
            models.UniqueConstraint(
                fields=["program", "family", "source_id"],
                condition=~Q(source_id=""),
                name="caregiver_source_id_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def may_be_reached(self) -> bool:
        return self.may_be_contacted and self.ended_on is None

    @property
    def number(self) -> str:
        """The phone number as people write it."""
        return self.phone.as_national if self.phone and self.phone.country_code else str(self.phone)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Each channel with its link, the one they like best first."""
        links = {}
        if self.phone:
            links[self.Channel.CALL] = f"tel:{self.phone}"
            links[self.Channel.TEXT] = f"sms:{self.phone}"
        if self.email:
            links[self.Channel.EMAIL] = f"mailto:{self.email}"
        return sorted(links.items(), key=lambda way: way[0] != self.preferred_channel)

    @property
    def best_way(self) -> list[tuple[str, str]]:
        """The way they like best alone; empty without phone and e-mail."""
        return self.ways[:1]


class StudentQuerySet(models.QuerySet):
    def named(self, typed: str) -> "StudentQuerySet":
        """Whose name has every word of `typed` as a beginning, accents and case aside."""
        program = get_scope().get("program")
        query = prefix_query(typed, program and program.pk)
        return self.none() if query is None else self.filter(searchable=query)

    def enrolled(self) -> "StudentQuerySet":
        """Not marked as left."""
        return self.filter(left_on=None)


@keeps_history(without=("folded", "searchable"))
class Student(ProgramRow):
    """A child on the roster."""

    source_id = models.CharField(max_length=255, help_text=_("Their id in the roster files."))
    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="students"
    )
    family = models.ForeignKey(
        Family,
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="students",
        help_text=_("Empty until a contacts file names the household."),
    )
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80)
    preferred_name = models.CharField(max_length=80, blank=True)
    grade = models.CharField(max_length=12, blank=True)
    left_on = models.DateField(null=True, blank=True)
    folded = GeneratedField(
        expression=Folded("given_name", "preferred_name", "family_name"),
        output_field=models.TextField(),
        db_persist=True,
    )
    searchable = GeneratedField(
        expression=Folded("given_name", "preferred_name", "family_name", as_vector=True),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects: ClassVar[Any] = scoped(StudentQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("student", school="pthv.School", family="families.Family"),
            models.UniqueConstraint(fields=["program", "source_id"], name="student_source_id_once"),
        ]
        indexes = [
            GinIndex(fields=["searchable"], name="student_searchable"),
            models.Index(
                fields=["program", "school"],
                condition=Q(left_on=None),
                name="students_enrolled",
            ),
        ]
        triggers = tally_triggers(
            "program_id, school_id, left_on",
            "families_schooltally",
            key=["program_id", "school_id"],
            counts={"enrolled": "left_on IS NULL"},
        )

    def __str__(self) -> str:
        return f"{self.called} {self.family_name}"

    @property
    def called(self) -> str:
        return self.preferred_name or self.given_name
