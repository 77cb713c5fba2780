"""Where: the program, its partners, schools and school years."""

import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from pthv import clock

from .exclusion import dates_overlap, same
from .tenancy import ProgramRow, same_program, scoped
from .undo import undoable

# What to do about a worry for a child, until the program says it in its own words. The first
# two numbers are those of the United States.
HOTLINE = """\
If somebody is in danger now, call 911.

If you believe that a child is being hurt or neglected, report it yourself, today. Telling a \
supervisor is not enough. Call your state's child abuse hotline. If you don't know its number, \
call Childhelp, 1-800-422-4453, day or night.

Say what you saw and heard, in your own words. You need no proof, and you don't question the child.

Then tell the person whom your district names for this. Write nothing about it in this app, in an \
e-mail or in a text message."""


# What a program may choose to keep of each student, apart from the student, to count by.
ATTRIBUTES = ("home_language", "english_learner", "race_ethnicity", "sex")


def _all_languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if value not in available_timezones():
        raise ValidationError(_("Choose a time zone such as America/Chicago."))


class ProgramQuerySet(models.QuerySet):
    def demo(self) -> "ProgramQuerySet":
        """The invented program that anybody may walk through."""
        return self.filter(is_demo=True)

    def real(self) -> "ProgramQuerySet":
        """Programs of real families."""
        return self.filter(is_demo=False)


class Program(models.Model):
    """One district's home visit program: the tenant every other row belongs to."""

    class Model(models.TextChoices):
        RELATIONAL = "relational", _("Relational (PTHV)")
        TARGETED = "targeted", _("Targeted (never pooled with PTHV)")

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    model = models.CharField(max_length=12, choices=Model, default=Model.RELATIONAL)
    time_zone = models.CharField(
        max_length=64, default="America/Chicago", validators=[validate_time_zone]
    )
    phone_region = models.CharField(
        max_length=2, default="US", help_text=_("Country of phone numbers written without +.")
    )
    untrained_partner_allowed = models.BooleanField(
        default=False, help_text=_("An untrained partner may go with a trained lead.")
    )
    school_as_place_allowed = models.BooleanField(
        default=False, help_text=_("Visits may take place at the school itself.")
    )
    attempts_before_unreachable = models.PositiveSmallIntegerField(default=3)
    remind_after_days = models.PositiveSmallIntegerField(
        default=5,
        db_default=5,
        help_text=_("Days after an invitation without an answer; 0: nobody is reminded."),
    )
    languages_offered = ArrayField(
        models.CharField(max_length=12),
        default=_all_languages,
        db_default=_all_languages(),
        help_text=_("What families are written to in; English is always there."),
    )
    quiet_from = models.TimeField(
        default=datetime.time(20),
        db_default=datetime.time(20),
        help_text=_("Families get no message from then on."),
    )
    quiet_until = models.TimeField(default=datetime.time(8), db_default=datetime.time(8))
    travel_minutes = models.PositiveSmallIntegerField(
        default=15,
        db_default=15,
        help_text=_("Minutes kept free between two visits of one person."),
    )
    interpreter_notice = models.PositiveSmallIntegerField(
        default=5,
        db_default=5,
        help_text=_("Working days that an interpreter of the staff needs to plan."),
    )
    interpreter_notice_outside = models.PositiveSmallIntegerField(
        default=10, db_default=10, help_text=_("The same, from outside.")
    )
    interpreter_notice_sign = models.PositiveSmallIntegerField(
        default=20, db_default=20, help_text=_("The same, for sign language.")
    )
    debriefs_train = models.BooleanField(
        default=True,
        db_default=True,
        help_text=_("Coming to a group debrief counts for courses that ask for debriefs."),
    )
    overdue_after = models.PositiveSmallIntegerField(
        default=15,
        db_default=15,
        help_text=_(
            "Minutes after a visit's expected end until the pair is asked whether all is well; "
            "after as many more the school's contact is told, and then the program."
        ),
    )
    hotline = models.TextField(
        default=HOTLINE,
        db_default=HOTLINE,
        help_text=_("What to do, and whom to call, about a worry for a child's safety."),
    )
    minimum_cell = models.PositiveSmallIntegerField(
        default=10, help_text=_("Groups smaller than this are never shown.")
    )
    keeps_home_language = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Keep each student's home language, to count by it."),
    )
    keeps_english_learner = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("Keep who is learning English, to count by it."),
    )
    keeps_race_ethnicity = models.BooleanField(
        default=False, db_default=False, help_text=_("Keep race and ethnicity, to count by them.")
    )
    keeps_sex = models.BooleanField(
        default=False, db_default=False, help_text=_("Keep the sex, to count by it.")
    )
    never_record = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        blank=True,
        editable=False,
        help_text=_("Its own words that are warned about while typing, by topic and language."),
    )
    is_demo = models.BooleanField(default=False, editable=False)

    objects = ProgramQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="program_minimum_cell_protects", condition=Q(minimum_cell__gte=5)
            ),
            models.CheckConstraint(
                name="program_overdue_after_plausible",
                condition=Q(overdue_after__gte=5, overdue_after__lte=120),
                violation_error_message=_("Choose 5 to 120 minutes until a visit is overdue."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which this program's days and clocks are meant."""
        return ZoneInfo(self.time_zone)

    @property
    def attributes_kept(self) -> frozenset[str]:
        """What this program stores of its students to count by: "home_language", "sex" …"""
        return frozenset(name for name in ATTRIBUTES if getattr(self, f"keeps_{name}"))

    @property
    def today(self) -> datetime.date:
        """The date it is now where the program is."""
        return clock.now().astimezone(self.zone).date()


class PartnerOrganization(ProgramRow):
    """A union, community organisation or funder that runs the program with the district."""

    class Kind(models.TextChoices):
        DISTRICT = "district", _("District")
        UNION = "union", _("Union")
        COMMUNITY = "community", _("Community organisation")
        FUNDER = "funder", _("Funder")

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)

    class Meta:
        ordering = ["name"]
        constraints = [
            *same_program("partner"),
            models.UniqueConstraint(fields=["program", "name"], name="partner_named_once"),
        ]

    def __str__(self) -> str:
        return self.name


class SchoolQuerySet(models.QuerySet):
    def open_to(self, user, can):
        """Schools in which this person may do this today."""
        reach = user.reach(can)
        return self if reach.program else self.filter(pk__in=reach.schools)


@undoable
class School(ProgramRow):
    """A school whose educators visit, with the hours they are already paid for."""

    name = models.CharField(max_length=120)
    source_id = models.CharField(
        max_length=255, blank=True, help_text=_("Its id in the roster files.")
    )
    contract_day_starts = models.TimeField(default=datetime.time(7, 45))
    contract_day_ends = models.TimeField(default=datetime.time(15, 15))
    phone = PhoneNumberField(
        blank=True, default="", db_default="", help_text=_("How families reach the school.")
    )
    safety_name = models.CharField(
        _("safety contact"),
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Who at the school is told when a pair on a visit needs help, or doesn't say that it "
            "left. Whoever it is can be reached when visits are made."
        ),
    )
    safety_phone = PhoneNumberField(
        _("safety contact's phone"), blank=True, default="", db_default=""
    )
    safety_email = models.EmailField(
        _("safety contact's e-mail"), blank=True, default="", db_default=""
    )

    objects: ClassVar[Any] = scoped(SchoolQuerySet)

    class Meta:
        ordering = ["name"]
        constraints = [
            *same_program("school"),
            models.UniqueConstraint(
                fields=["program", "source_id"],
                condition=~Q(source_id=""),
                name="school_source_id_once",
            ),
            models.CheckConstraint(
                name="school_contract_day_in_order",
                condition=Q(contract_day_ends__gt=F("contract_day_starts")),
            ),
            models.CheckConstraint(
                name="school_safety_contact_can_be_reached",
                condition=Q(safety_name="", safety_phone="", safety_email="")
                | ~Q(safety_name="") & (~Q(safety_phone="") | ~Q(safety_email="")),
                violation_error_message=_(
                    "A safety contact has a name, and a phone number or an e-mail address."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_safety_contact(self) -> bool:
        """Whether somebody here is named to be told when a pair needs help."""
        return bool(self.safety_name)


class SchoolYearQuerySet(models.QuerySet):
    def on(self, date: datetime.date) -> "SchoolYearQuerySet":
        """The year that holds this date."""
        return self.filter(starts_on__lte=date, ends_on__gte=date)

    def at_hand(self, date: datetime.date) -> "SchoolYearQuerySet":
        """The year that people mean on a date, alone: the one that holds it, in summer the next
        one if its roster is there, else the last one."""
        holds = Q(starts_on__lte=date, ends_on__gte=date)
        rank = Case(When(holds, then=0), When(starts_on__gt=date, then=1), default=2)
        upcoming = Case(When(starts_on__gt=date, then=F("starts_on")))
        return self.order_by(rank, upcoming, "-starts_on")[:1]


@undoable
class SchoolYear(ProgramRow):
    """A year of visits; first and last day both count, and years never overlap."""

    name = models.CharField(max_length=40)
    starts_on = models.DateField()
    ends_on = models.DateField()
    second_visits_from = models.DateField(
        null=True,
        blank=True,
        help_text=_("From then on, families that were visited once are asked to a second visit."),
    )

    objects: ClassVar[Any] = scoped(SchoolYearQuerySet)

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            *same_program("school_year"),
            models.CheckConstraint(
                name="school_year_in_order", condition=Q(ends_on__gt=F("starts_on"))
            ),
            ExclusionConstraint(
                name="school_years_apart",
                expressions=[same("program_id"), dates_overlap("starts_on", "ends_on")],
                violation_error_message=_("This school year overlaps another one."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
