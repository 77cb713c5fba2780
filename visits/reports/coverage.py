"""Coverage: of everybody enrolled, whom we asked, who said yes, whom we visited.

`visit_rate = visited ÷ enrolled`; a school is *systematic* at 10 % or more (the threshold
of the 2018 Johns Hopkins study). Families are counted, not yet students one by one: with
siblings the rate is a little too low, never too high.
"""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject

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

    @property
    def cells(self) -> dict[str, int]:
        """Each count, and each difference of two: 90 asked and 89 yeses make one no."""
        counts = {name: getattr(self, name) for name in ("enrolled", *COUNTS)}
        between = {
            f"{more} - {less}": counts[more] - counts[less]
            for more, less in combinations(counts, 2)
        }
        return counts | between

    def small(self, minimum: int) -> set[str]:
        """The cells so small that somebody could be recognised by them."""
        return {name for name, count in self.cells.items() if 0 < count < minimum}

    def hidden(self, minimum: int) -> bool:
        """Whether this school is not for an outside partner's eyes."""
        return self.enrolled < minimum or bool(self.small(minimum))


@dataclass(frozen=True)
class Shown:
    """Schools, each with whether its counts are hidden, and the total if it may be known."""

    rows: list[tuple[SchoolCoverage, bool]]
    total: SchoolCoverage | None


def by_school(schools: QuerySet[School], *, on: datetime.date) -> list[SchoolCoverage]:
    """Each school's counts in the school year at hand on a date, the least visited first."""
    year = SchoolYear.objects.at_hand(on).values("pk")
    tallies = Tally.objects.filter(school=OuterRef("pk"), school_year__in=year)
    # All sums of a school in one subquery, rather than each in one of its own.
    sums = JSONObject(**{name: Sum(name) for name in COUNTS})
    enrolled = SchoolTally.objects.filter(school=OuterRef("pk")).values("enrolled")
    rows = schools.values_list(
        "pk",
        "name",
        Coalesce(Subquery(enrolled), 0),
        Subquery(tallies.order_by().values("school").values(sums=sums)),
    )
    nothing = dict.fromkeys(COUNTS, 0)
    found = [
        SchoolCoverage(school_id=pk, name=name, enrolled=enrolled, **(counts or nothing))
        for pk, name, enrolled, counts in rows
    ]
    return sorted(found, key=lambda row: (row.visit_rate or 0, row.name))


def total(rows: Iterable[SchoolCoverage], name: str = "") -> SchoolCoverage:
    """The sum of these schools."""
    rows = list(rows)
    sums = {count: sum(getattr(row, count) for row in rows) for count in ("enrolled", *COUNTS)}
    return SchoolCoverage(school_id=None, name=name, **sums)


def in_full(rows: Iterable[SchoolCoverage]) -> Shown:
    """All that there is, for whoever works with these schools."""
    rows = list(rows)
    return Shown([(row, False) for row in rows], total(rows))


def for_partners(
    rows: Iterable[SchoolCoverage], *, minimum: int, own: Collection[int] = ()
) -> Shown:
    """The rows as an outside partner may see them; of the `own` schools, everything.

    The total less what is seen tells the sum of what is hidden. So schools are hidden until
    each cell of that sum is 0 or large enough. Where no school can make it so, the total is
    hidden instead: then there is nothing to subtract from. The rows are in the order of their
    names, because a place among rates would tell a rate.
    """
    rows = sorted(rows, key=lambda row: (row.name, row.school_id or 0))
    theirs = [row for row in rows if row.school_id not in own]
    small = [row for row in theirs if row.hidden(minimum)]
    others = [row for row in theirs if not row.hidden(minimum)]
    covered = _covered(small, others, minimum)
    hidden = {row.school_id for row in (small if covered is None else covered)}
    everybody = None if covered is None else total(rows)
    return Shown([(row, row.school_id in hidden) for row in rows], everybody)


def _covered(
    small: list[SchoolCoverage], others: list[SchoolCoverage], minimum: int
) -> list[SchoolCoverage] | None:
    """The small schools with as many of the smallest others as it takes; None if too few are."""
    hidden = list(small)
    by_size = sorted(others, key=lambda row: (row.asked, row.enrolled, row.school_id or 0))
    while lacking := total(hidden).small(minimum):
        # A school that is 0 there would hide nothing.
        more = next((row for row in by_size if any(row.cells[name] for name in lacking)), None)
        if more is None:
            return None
        by_size.remove(more)
        hidden.append(more)
    return hidden
