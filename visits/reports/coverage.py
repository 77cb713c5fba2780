"""Coverage: of everybody enrolled, whom we asked, who said yes, whom we visited.

`visit_rate = visited ÷ enrolled`; a school is *systematic* at 10 % or more (the threshold
of the 2018 Johns Hopkins study). Families are counted, not yet students one by one: with
siblings the rate is a little too low, never too high.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from families.models import SchoolTally
from pthv.models import School, SchoolYear
from visits.models import Tally

SYSTEMATIC = 0.10
COUNTS = ("planned", "asked", "accepted", "visited", "second")


@dataclass(frozen=True)
class SchoolCoverage:
    """One school's counts of the year."""

    school_id: int | None
    name: str
    enrolled: int
    planned: int
    asked: int
    accepted: int
    visited: int
    second: int

    @property
    def visit_rate(self) -> float | None:
        """Visited ÷ enrolled, 0 to 1; None for a school without students."""
        return self.visited / self.enrolled if self.enrolled else None

    @property
    def percent(self) -> int:
        return round(100 * (self.visit_rate or 0))

    @property
    def is_systematic(self) -> bool:
        return (self.visit_rate or 0) >= SYSTEMATIC

    def hidden(self, minimum: int) -> bool:
        """Whether a count here is so small that somebody could be recognised by it."""
        counts = (self.asked, self.accepted, self.visited, self.second)
        return self.enrolled < minimum or any(0 < count < minimum for count in counts)


def by_school(schools: QuerySet[School], *, on: datetime.date) -> list[SchoolCoverage]:
    """Each school's counts in the school year at hand on a date, the least visited first."""
    year = SchoolYear.objects.at_hand(on).values("pk")
    tallies = Tally.objects.filter(school=OuterRef("pk"), school_year__in=year)
    tallies = tallies.order_by().values("school")
    enrolled = SchoolTally.objects.filter(school=OuterRef("pk")).values("enrolled")
    totals = {
        name: Coalesce(Subquery(tallies.annotate(total=Sum(name)).values("total")), 0)
        for name in COUNTS
    }
    rows = schools.annotate(enrolled=Coalesce(Subquery(enrolled), 0), **totals)
    found = [
        SchoolCoverage(**row) for row in rows.values("name", "enrolled", *COUNTS, school_id=F("pk"))
    ]
    return sorted(found, key=lambda row: (row.visit_rate or 0, row.name))


def total(rows: Iterable[SchoolCoverage], name: str = "") -> SchoolCoverage:
    """The sum of these schools."""
    rows = list(rows)
    sums = {count: sum(getattr(row, count) for row in rows) for count in ("enrolled", *COUNTS)}
    return SchoolCoverage(school_id=None, name=name, **sums)


def for_partners(
    rows: Iterable[SchoolCoverage], *, minimum: int
) -> list[tuple[SchoolCoverage, bool]]:
    """The rows as an outside partner may see them: each with whether its counts are hidden.

    One hidden school could be worked out from the total, so a second one, the smallest of
    the others, is hidden with it.
    """
    rows = list(rows)
    hidden = {row.school_id for row in rows if row.hidden(minimum)}
    others = sorted((row for row in rows if row.school_id not in hidden), key=lambda r: r.asked)
    if len(hidden) == 1 and others:
        hidden.add(others[0].school_id)
    return [(row, row.school_id in hidden) for row in rows]
