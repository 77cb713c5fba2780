"""When people can visit: weekly hours, days off, and the days on which schools are closed."""

import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from pthv.access import Can
from pthv.models import Educator, ProgramRow, User, same_program, scoped

WEEKDAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]


class OfOnePerson(ProgramRow):
    """Of an educator or of an interpreter, who may be one person as both."""

    educator = models.ForeignKey(
        Educator, models.CASCADE, null=True, blank=True, db_constraint=False, related_name="+"
    )
    interpreter = models.ForeignKey(
        "visits.Interpreter",
        models.CASCADE,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )

    class Meta:
        abstract = True


def of_one_person(table: str) -> list[models.BaseConstraint]:
    """Constraints of such a table."""
    return [
        *same_program(table, educator="pthv.Educator", interpreter="visits.Interpreter"),
        models.CheckConstraint(
            name=f"{table}_of_one_person",
            condition=Q(educator__isnull=False, interpreter=None)
            | Q(educator=None, interpreter__isnull=False),
        ),
    ]


class Availability(OfOnePerson):
    """A stretch of every week in which somebody can visit, by the clock on the program's walls."""

    weekday = models.PositiveSmallIntegerField(choices=WEEKDAYS)
    starts = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ["weekday", "starts", "pk"]
        constraints = [
            *of_one_person("availability"),
            models.CheckConstraint(name="availability_in_order", condition=Q(ends__gt=F("starts"))),
            models.CheckConstraint(name="availability_weekday", condition=Q(weekday__lte=6)),
            models.UniqueConstraint(
                fields=["educator", "interpreter", "weekday", "starts"],
                nulls_distinct=False,
                name="availability_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts:%H:%M}–{self.ends:%H:%M}"


class TimeOff(OfOnePerson):
    """Days on which somebody can't visit; the first and the last both count, and why is theirs."""

    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        ordering = ["starts_on", "pk"]
        verbose_name = _("time off")
        verbose_name_plural = _("times off")
        constraints = [
            *of_one_person("time_off"),
            models.CheckConstraint(
                name="time_off_in_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.UniqueConstraint(
                fields=["educator", "interpreter", "starts_on"],
                nulls_distinct=False,
                name="time_off_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on}–{self.ends_on}"


class SchoolHolidayQuerySet(models.QuerySet):
    def open_to(self, user: User, can: Can) -> "SchoolHolidayQuerySet":
        """Of the schools where somebody may do this; those of every school are the program's."""
        reach = user.reach(can)
        return self if reach.program else self.filter(school__in=reach.schools)

    def between(self, first: datetime.date, last: datetime.date) -> "SchoolHolidayQuerySet":
        """Those of which a day is among these."""
        return self.filter(starts_on__lte=last, ends_on__gte=first)

    def of(self, school: Any) -> "SchoolHolidayQuerySet":
        """Of this school, or of all of them."""
        return self.filter(Q(school=None) | Q(school=school))


class SchoolHoliday(ProgramRow):
    """Days on which a school, or every school, is closed, snow days too: nobody visits."""

    school = models.ForeignKey(
        "pthv.School",
        models.CASCADE,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        help_text=_("Empty: every school."),
    )
    name = models.CharField(max_length=80)
    starts_on = models.DateField()
    ends_on = models.DateField()

    objects: ClassVar[Any] = scoped(SchoolHolidayQuerySet)

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            *same_program("school_holiday", school="pthv.School"),
            models.CheckConstraint(
                name="school_holiday_in_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.UniqueConstraint(
                fields=["program", "school", "starts_on", "ends_on"],
                nulls_distinct=False,
                name="school_holiday_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
