"""A week of visits: of one person or one school by day, of a program by school and day."""

import datetime
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from visits.models import Visit
from visits.models.visit import VisitQuerySet


@dataclass(frozen=True)
class Day:
    """A date and what stands on it."""

    date: datetime.date
    visits: list[Visit] = field(default_factory=list)


@dataclass(frozen=True)
class SchoolWeek:
    """How many visits a school has on each day of a week."""

    school_id: int
    name: str
    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)


def monday_of(date: datetime.date) -> datetime.date:
    """The first day of its week."""
    return date - datetime.timedelta(days=date.weekday())


def between(
    visits: VisitQuerySet, first: datetime.date, days: int, zone: ZoneInfo
) -> VisitQuerySet:
    """Those that stand and begin on these days of the clock on the walls."""
    starts = datetime.datetime.combine(first, datetime.time(), zone)
    ends = datetime.datetime.combine(first + datetime.timedelta(days=days), datetime.time(), zone)
    stands = visits.standing().by_start()
    return stands.filter(starts_at__gte=starts, starts_at__lt=ends)


def by_day(visits: VisitQuerySet, first: datetime.date, days: int, zone: ZoneInfo) -> list[Day]:
    """Each day with its visits, the earliest first; days without one, too."""
    found = [Day(first + datetime.timedelta(days=number)) for number in range(days)]
    listed = between(visits, first, days, zone).for_list().order_by("starts_at", "pk")
    for visit in listed:
        on = visit.during.lower.astimezone(zone).date()
        found[(on - first).days].visits.append(visit)
    return found


def by_school(visits: VisitQuerySet, monday: datetime.date, zone: ZoneInfo) -> list[SchoolWeek]:
    """How many each school has on each day of a week, by name; schools without one are left out."""
    counted = (
        between(visits, monday, 7, zone)
        .order_by()
        .annotate(on=TruncDate("starts_at", tzinfo=zone))
        .values("school", "school__name", "on")
        .annotate(visits=Count("pk"))
    )
    weeks: dict[int, SchoolWeek] = {}
    for row in counted:
        week = weeks.setdefault(
            row["school"], SchoolWeek(row["school"], row["school__name"], [0] * 7)
        )
        week.counts[(row["on"] - monday).days] = row["visits"]
    return sorted(weeks.values(), key=lambda week: (week.name, week.school_id))
