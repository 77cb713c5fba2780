"""Whom we may invite: families, the children, and the caregivers who speak for them."""

from collections.abc import Iterable
from typing import Any, ClassVar
from unicodedata import bidirectional
from urllib.parse import quote

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, GeneratedField, Q
from django.db.models.functions import Reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django_scopes import get_scope
from phonenumber_field.modelfields import PhoneNumberField

from pthv.models import ProgramRow, same_program, scoped, undoable
from pthv.models.history import keeps_history
from pthv.models.tally import tally_triggers
from pthv.search import Folded, prefix_query


def _folded(*names: str) -> GeneratedField:
    """The named columns in one, lower-case, without accents."""
    return GeneratedField(
        expression=Folded(*names), output_field=models.TextField(), db_persist=True
    )


def _searchable(*names: str) -> GeneratedField:
    """The words of the named columns, for `prefix_query`."""
    return GeneratedField(
        expression=Folded(*names, as_vector=True),
        output_field=SearchVectorField(),
        db_persist=True,
    )


CHILD = ("family", "given_name", "family_name", "preferred_name", "display_name", "grade")


def children(of: str = "") -> models.Prefetch:
    """Fetch the children of each family ("family__": of each row's family) as `children`, with
    no more of each than who they are."""
    names = Student.objects.enrolled().only(*CHILD)
    return models.Prefetch(f"{of}students", queryset=names, to_attr="children")


def adults(of: str = "") -> models.Prefetch:
    """Fetch the caregivers of each family as `adults`, likewise."""
    people = Caregiver.objects.defer("folded", "searchable")
    return models.Prefetch(f"{of}caregivers", people, to_attr="adults")


def isolated(name: str) -> str:
    """A name, kept from turning its neighbours round if it is written from right to left."""
    if name.isascii() or not any(bidirectional(letter) in {"R", "AL"} for letter in name):
        return name
    return f"\u2068{name}\u2069"


def grade_in_words(grade: str) -> str:
    """ "3" for the 03 of a roster, "K" for KG."""
    return "K" if grade == "KG" else grade.lstrip("0") or grade


LONGEST_SURNAMES = 160


def joined(surnames: Iterable[str]) -> str:
    """What a family is called whose caregivers have these surnames: each once, in their order."""
    return " & ".join(dict.fromkeys(surnames))[:LONGEST_SURNAMES]


@keeps_history(without=("folded", "searchable"))
@undoable
class Family(ProgramRow):
    """A household that may be invited: children, and the caregivers who speak for them."""

    source_id = models.CharField(
        max_length=255, blank=True, help_text=_("The household's id in the contacts file.")
    )
    surnames = models.CharField(
        max_length=LONGEST_SURNAMES,
        help_text=_("The caregivers' surnames, as the family gives them."),
    )
    language = models.CharField(
        max_length=20, default="en", help_text=_("The language they like to be written to in.")
    )
    interpreter_wanted = models.BooleanField(default=False)
    address = models.CharField(max_length=300, blank=True, default="", db_default="")
    address_confidential = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Shown to the visitors alone, and only near a visit."),
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="merged",
        help_text=_("The family that its children and caregivers were joined with."),
    )
    folded = _folded("surnames")
    searchable = _searchable("surnames")

    class Meta:
        verbose_name_plural = "families"
        ordering = ["pk"]
        constraints = [
            *same_program("family", merged_into="families.Family"),
            models.UniqueConstraint(
                fields=["program", "source_id"],
                condition=~Q(source_id=""),
                name="family_source_id_once",
            ),
        ]
        indexes = [
            models.Index(F("program"), F("folded"), F("id"), name="family_by_surnames"),
            GinIndex(fields=["searchable"], name="family_searchable"),
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
    def standing(self) -> "list[Caregiver]":
        """The caregivers who have a say, in their order; nobody else is shown."""
        return [person for person in self.adults if person.ended_on is None]

    @property
    def reachable(self) -> "list[Caregiver]":
        """The caregivers who may be contacted, in their order."""
        return [person for person in self.adults if person.may_be_reached]


# Somebody has a phone or an e-mail address of theirs that leads nowhere, and still has it.
DEAD = Q(ended_on=None) & (
    (~Q(phone="") & Q(phone=F("dead_phone"))) | (~Q(email="") & Q(email=F("dead_email")))
)


class CaregiverQuerySet(models.QuerySet):
    def ending_in(self, digits: str) -> "CaregiverQuerySet":
        """Whose phone number ends in these digits."""
        turned = self.annotate(turned=Reverse("phone", output_field=models.TextField()))
        return turned.exclude(phone="").filter(turned__startswith=digits[::-1])

    def with_dead_ends(self) -> "CaregiverQuerySet":
        """Still speaking for their family, with a phone or e-mail that leads nowhere."""
        return self.filter(DEAD)


@keeps_history(without=("folded", "searchable"))
@undoable
class Caregiver(ProgramRow):
    """An adult who looks after the children of a family."""

    class Channel(models.TextChoices):
        CALL = "call", _("Phone call")
        TEXT = "text", _("Text message")
        EMAIL = "email", _("E-mail")

    family = models.ForeignKey(
        Family, models.PROTECT, db_constraint=False, related_name="caregivers"
    )
    source_id = models.CharField(
        max_length=255, blank=True, help_text=_("Their name, as the contacts files know them.")
    )
    roster_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        db_default="",
        help_text=_("Their id in the roster files."),
    )
    given_name = models.CharField(max_length=80, blank=True)
    family_name = models.CharField(max_length=80, blank=True)
    preferred_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    display_name = models.CharField(
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text=_("The whole name, as they write it themselves."),
    )
    relation = models.CharField(max_length=40, blank=True)
    phone = PhoneNumberField(blank=True)
    email = models.EmailField(blank=True)
    language = models.CharField(max_length=20, default="en")
    preferred_channel = models.CharField(max_length=5, choices=Channel, default=Channel.CALL)
    may_be_contacted = models.BooleanField(default=True)
    may_decide = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_("May say yes or no to a visit, and choose its time and place."),
    )
    may_read = models.BooleanField(
        default=True, db_default=True, help_text=_("May read what is written about the visits.")
    )
    ended_on = models.DateField(
        null=True, blank=True, help_text=_("Since when this person has no say any more.")
    )
    dead_phone = PhoneNumberField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The number that was found not to be theirs; another one is alive."),
    )
    dead_email = models.EmailField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("The address that messages came back from."),
    )
    folded = _folded("given_name", "preferred_name", "family_name", "display_name")
    searchable = _searchable("given_name", "preferred_name", "family_name", "display_name")

    objects: ClassVar[Any] = scoped(CaregiverQuerySet)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program("caregiver", family="families.Family"),
            models.UniqueConstraint(
                fields=["program", "family", "source_id"],
                condition=~Q(source_id=""),
                name="caregiver_source_id_once",
            ),
            models.UniqueConstraint(
                fields=["program", "family", "roster_id"],
                condition=~Q(roster_id=""),
                name="caregiver_roster_id_once",
            ),
        ]
        indexes = [
            GinIndex(fields=["searchable"], name="caregiver_searchable"),
            # People look for a phone by its last digits.
            models.Index(
                F("program"),
                OpClass(Reverse("phone"), "text_pattern_ops"),
                condition=~Q(phone=""),
                name="caregiver_by_last_digits",
            ),
            # Families that may be the same one have somebody with the same address.
            models.Index(
                fields=["program", "email"], condition=~Q(email=""), name="caregiver_by_email"
            ),
            models.Index(
                fields=["program", "id"], condition=DEAD, name="caregivers_with_dead_ends"
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or f"{self.called} {self.family_name}".strip()

    @property
    def called(self) -> str:
        return self.preferred_name or self.given_name

    @property
    def named(self) -> str:
        """For whom messages are that are for them."""
        return f"caregiver:{self.pk}"

    @property
    def may_be_reached(self) -> bool:
        return self.may_be_contacted and self.ended_on is None

    @property
    def phone_is_dead(self) -> bool:
        return bool(self.phone) and self.phone == self.dead_phone

    @property
    def email_is_dead(self) -> bool:
        return bool(self.email) and self.email == self.dead_email

    @property
    def permissions(self) -> list[str]:
        """What they may, in words; nothing where they may everything."""
        said = [] if self.may_be_contacted else [_("Not to be contacted")]
        if not self.may_decide:
            said.append(_("May not decide about visits"))
        if not self.may_read:
            said.append(_("May not read what is written"))
        return list(map(str, said))

    @property
    def number(self) -> str:
        """The phone number as people write it."""
        return self.phone.as_national if self.phone and self.phone.country_code else str(self.phone)

    @property
    def ways(self) -> list[tuple[str, str]]:
        """Each channel with its link, the one they like best first."""
        links = {}
        if self.phone and not self.phone_is_dead:
            number = quote(str(self.phone), safe="+")
            links[self.Channel.CALL] = f"tel:{number}"
            links[self.Channel.TEXT] = f"sms:{number}"
        if self.email and not self.email_is_dead:
            links[self.Channel.EMAIL] = f"mailto:{quote(self.email, safe='@')}"
        return sorted(links.items(), key=lambda way: way[0] != self.preferred_channel)

    @property
    def call_way(self) -> list[tuple[str, str]]:
        """Calling them; empty without a phone that works."""
        return [way for way in self.ways if way[0] == self.Channel.CALL]

    @property
    def best_ways(self) -> list[tuple[str, str]]:
        """The way they like best, and calling them; empty without phone and e-mail."""
        return list(dict.fromkeys([*self.ways[:1], *self.call_way]))

    @property
    def likely_channel(self) -> str:
        """How somebody who records how it went has tried them: nobody answers a text at once."""
        return self.Channel.CALL if self.call_way else self.preferred_channel


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
@undoable
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
    display_name = models.CharField(
        max_length=160,
        blank=True,
        default="",
        db_default="",
        help_text=_("The whole name, as the family writes it."),
    )
    grade = models.CharField(max_length=12, blank=True)
    left_on = models.DateField(null=True, blank=True)
    folded = _folded("given_name", "preferred_name", "family_name", "display_name")
    searchable = _searchable("given_name", "preferred_name", "family_name", "display_name")

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
        return self.display_name or f"{self.called} {self.family_name}"

    @property
    def called(self) -> str:
        return self.preferred_name or self.given_name

    @property
    def in_grade(self) -> str:
        """ "Grade 3", "Kindergarten", or nothing where the roster doesn't say."""
        if self.grade == "KG":
            return str(_("Kindergarten"))
        return _("Grade %(grade)s") % {"grade": grade_in_words(self.grade)} if self.grade else ""
