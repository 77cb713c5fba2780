"""Whom we may invite: families, their children, the classes these are in, and the roster."""

import datetime
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

from pthv import clock
from pthv.access import Can
from pthv.models import Educator, ProgramRow, User, same_program, scoped
from pthv.models.history import keeps_history
from pthv.models.tally import tally_triggers

from .search import Folded, prefix_query

# The largest roster takes minutes.
STUCK_AFTER = datetime.timedelta(hours=1)


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


class SchoolTally(ProgramRow):
    """How many students a school has: the denominator of its coverage.

    Kept by triggers on Student; never written by hand.
    """

    school = models.ForeignKey(
        "pthv.School", models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    enrolled = models.IntegerField(db_default=0)

    class Meta:
        verbose_name_plural = "school tallies"
        constraints = [
            *same_program("school_tally", school="pthv.School"),
            models.UniqueConstraint(fields=["program", "school"], name="school_tally_once"),
        ]

    def __str__(self) -> str:
        return f"{self.enrolled} enrolled"


class SchoolClass(ProgramRow):
    """A class as the roster names it, in one school year."""

    school = models.ForeignKey(
        "pthv.School", models.PROTECT, db_constraint=False, db_index=False, related_name="classes"
    )
    school_year = models.ForeignKey(
        "pthv.SchoolYear", models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    source_id = models.CharField(max_length=255)
    title = models.CharField(max_length=160)
    left_on = models.DateField(null=True, blank=True)
    teachers = models.ManyToManyField(Educator, through="ClassTeacher", related_name="classes")

    class Meta:
        verbose_name_plural = "school classes"
        ordering = ["title", "pk"]
        constraints = [
            *same_program("school_class", school="pthv.School", school_year="pthv.SchoolYear"),
            models.UniqueConstraint(
                fields=["program", "school_year", "source_id"], name="school_class_source_id_once"
            ),
        ]
        indexes = [models.Index(fields=["program", "school", "title"], name="classes_of_school")]

    def __str__(self) -> str:
        return self.title


class ClassTeacher(ProgramRow):
    """An educator who teaches a class, and may therefore invite its families."""

    school_class = models.ForeignKey(SchoolClass, models.CASCADE, db_constraint=False)
    educator = models.ForeignKey(Educator, models.CASCADE, db_constraint=False)
    is_primary = models.BooleanField(default=False)

    class Meta:
        ordering = ["-is_primary", "pk"]
        constraints = [
            *same_program(
                "class_teacher", school_class="families.SchoolClass", educator="pthv.Educator"
            ),
            models.UniqueConstraint(fields=["school_class", "educator"], name="class_teacher_once"),
        ]

    def __str__(self) -> str:
        return f"{self.educator_id} in {self.school_class_id}"


class Enrollment(ProgramRow):
    """A student in a class."""

    school_class = models.ForeignKey(
        SchoolClass, models.CASCADE, db_constraint=False, related_name="enrollments"
    )
    student = models.ForeignKey(
        Student, models.CASCADE, db_constraint=False, related_name="enrollments"
    )
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            *same_program(
                "enrollment", school_class="families.SchoolClass", student="families.Student"
            ),
            models.UniqueConstraint(fields=["school_class", "student"], name="enrollment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.student_id} in {self.school_class_id}"


class RosterImportQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "RosterImportQuerySet":
        """A file speaks of every school at once: all of the program's imports, or none."""
        return self if user.reach(can).program else self.none()


class RosterImport(ProgramRow):
    """One file a coordinator brought: read, planned, looked at, applied or not."""

    class Kind(models.TextChoices):
        ONEROSTER = "oneroster", _("Roster (OneRoster CSV)")
        CONTACTS = "contacts", _("Family contacts (CSV)")

    class State(models.TextChoices):
        READING = "reading", _("Being read")
        REFUSED = "refused", _("Could not be read")
        PLANNED = "planned", _("Waiting for you")
        APPLYING = "applying", _("Being applied")
        APPLIED = "applied", _("Applied")
        DISCARDED = "discarded", _("Discarded")

    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    file_name = models.CharField(max_length=200)
    problem = models.TextField(blank=True, help_text=_("Why the file could not be read."))
    counts = models.JSONField(default=dict)
    rows_read = models.PositiveIntegerField(default=0)
    leaving_confirmed = models.BooleanField(default=False)
    uploaded_at = models.DateTimeField(default=clock.now)
    uploaded_by = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    working_since = models.DateTimeField(
        default=clock.now, help_text=_("When the worker was last asked to read or apply it.")
    )
    applied_at = models.DateTimeField(null=True, blank=True)
    applied_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = scoped(RosterImportQuerySet)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            *same_program("roster_import"),
            models.CheckConstraint(
                name="roster_import_applied_at_with_by",
                condition=Q(state="applied", applied_at__isnull=False, applied_by__isnull=False)
                | (~Q(state="applied") & Q(applied_at=None, applied_by=None)),
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def working(self) -> bool:
        """The worker has it: look again soon."""
        return self.state in (self.State.READING, self.State.APPLYING)

    @property
    def stuck(self) -> bool:
        """The worker has had it for so long that it may be put away."""
        return self.working and clock.now() - self.working_since > STUCK_AFTER


class RosterChange(ProgramRow):
    """One line of an import's diff: what a row of the file would do, or why it can't."""

    class Kind(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        LEFT = "left", _("Left")
        REFUSED = "refused", _("Refused")

    roster_import = models.ForeignKey(
        RosterImport, models.CASCADE, db_constraint=False, related_name="changes"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    table = models.CharField(max_length=20)
    source_id = models.CharField(max_length=255, blank=True)
    label = models.CharField(max_length=255, blank=True)
    row = models.PositiveIntegerField(null=True)
    column = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        constraints = [*same_program("roster_change", roster_import="families.RosterImport")]
        indexes = [models.Index(fields=["roster_import", "kind", "id"], name="changes_of_import")]

    def __str__(self) -> str:
        return f"{self.kind} {self.table} {self.source_id}"
