"""What the training desk says: who is trained at which school, at what cost, and by whom."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Coalesce, Extract

from pthv import clock
from pthv.access import Reach
from pthv.models import Program, SchoolYear
from training.certification import ENDING_SOON, EXPIRING
from training.models import Cohort, Trainer
from training.standings import THREE_MONTHS

FEW = 8  # names of each kind
# $5,000 to $8,000 for 80 teachers is what programs report to spend.
YARDSTICK = (Decimal(5000) / 80, Decimal(8000) / 80)

# One educator counts at each school of theirs, and once in the row without a school, which also
# tells of the school year. The words mean what they mean in standings.py.
COUNTS = """
    WITH people AS (
        SELECT educator.id, array_agg(DISTINCT held.school_id) AS schools
        FROM pthv_membership AS held
        JOIN pthv_educator AS educator
            ON educator.user_id = held.user_id AND educator.program_id = held.program_id
        WHERE held.program_id = %(program)s AND held.role = 'educator'
            AND held.starts_on <= %(begun)s AND (held.ends_on IS NULL OR held.ends_on >= %(over)s)
            AND (%(everywhere)s OR held.school_id = ANY(%(schools)s))
        GROUP BY educator.id
    ), trained AS MATERIALIZED (
        SELECT educator_id AS id, min(issued_on) AS first_day, max(expires_on) AS last_day
        FROM training_certification
        WHERE program_id = %(program)s AND revoked_at IS NULL AND course_id IN (
            SELECT id FROM training_course
            WHERE program_id = %(program)s AND grants = 'visits'
        )
        GROUP BY educator_id
    ), enrolled AS (
        SELECT DISTINCT member.educator_id AS id
        FROM training_cohort AS cohort
        JOIN training_cohortmember AS member ON member.cohort_id = cohort.id
        WHERE cohort.program_id = %(program)s AND cohort.completed_at IS NULL
            AND member.state IN ('enrolled', 'waiting')
    ), standing AS MATERIALIZED (
        SELECT id, schools,
            coalesce(last_day >= %(today)s, false) AS current,
            coalesce(last_day >= %(today)s AND last_day < %(days_30)s, false) AS expiring,
            coalesce(last_day >= %(today)s AND last_day < %(days_60)s, false) AS ending,
            coalesce(last_day >= %(today)s AND last_day < %(days_90)s, false) AS later,
            last_day IS NULL AS never, last_day IS NULL AND enrolled.id IS NULL AS nowhere, last_day
        FROM people LEFT JOIN trained USING (id) LEFT JOIN enrolled USING (id)
    ), counted AS (
        SELECT school_id, count(*) AS educators,
            count(*) FILTER (WHERE current) AS current,
            count(*) FILTER (WHERE expiring) AS expiring,
            count(*) FILTER (WHERE ending) AS ending, count(*) FILTER (WHERE later) AS later,
            count(*) FILTER (WHERE NOT current AND NOT never) AS ended,
            count(*) FILTER (WHERE never) AS never, count(*) FILTER (WHERE nowhere) AS nowhere
        FROM standing, unnest(schools) AS school_id GROUP BY school_id
        UNION ALL
        SELECT NULL, count(*), count(*) FILTER (WHERE current), count(*) FILTER (WHERE expiring),
            count(*) FILTER (WHERE ending), count(*) FILTER (WHERE later),
            count(*) FILTER (WHERE NOT current AND NOT never),
            count(*) FILTER (WHERE never), count(*) FILTER (WHERE nowhere)
        FROM standing
    ), school AS (
        SELECT id, name FROM pthv_school
        WHERE program_id = %(program)s AND (%(everywhere)s OR id = ANY(%(schools)s))
    )
    SELECT school.id, coalesce(name, ''), coalesce(educators, 0), coalesce(current, 0),
        coalesce(expiring, 0), coalesce(ending, 0), coalesce(later, 0), coalesce(ended, 0),
        coalesce(never, 0), coalesce(nowhere, 0),
        CASE WHEN school.id IS NULL THEN
            ARRAY(SELECT id FROM standing WHERE later ORDER BY last_day, id LIMIT %(few)s) END,
        CASE WHEN school.id IS NULL THEN ARRAY(
            SELECT last_day FROM standing WHERE later ORDER BY last_day, id LIMIT %(few)s
        ) END,
        CASE WHEN school.id IS NULL THEN
            ARRAY(SELECT id FROM standing WHERE nowhere ORDER BY id LIMIT %(few)s) END,
        CASE WHEN school.id IS NULL THEN (
            SELECT count(*) FROM trained WHERE first_day BETWEEN %(year_starts)s AND %(year_ends)s
            AND (%(everywhere)s OR id IN (SELECT id FROM people))
        ) END,
        CASE WHEN school.id IS NULL THEN (
            SELECT count(DISTINCT trained.id)
            FROM training_certification AS earned
            JOIN trained ON trained.id = earned.educator_id AND first_day = earned.issued_on
            JOIN training_cohortmember AS member ON member.id = earned.member_id
            JOIN training_cohort AS cohort ON cohort.id = member.cohort_id
            WHERE earned.program_id = %(program)s AND earned.revoked_at IS NULL
                AND earned.member_id IS NOT NULL AND cohort.cost IS NOT NULL
                AND cohort.completed_at >= %(year_begins)s AND cohort.completed_at < %(year_over)s
                AND earned.course_id IN (
                    SELECT id FROM training_course
                    WHERE program_id = %(program)s AND grants = 'visits'
                )
        ) END,
        CASE WHEN school.id IS NULL THEN (
            SELECT ARRAY[count(*), count(cost), coalesce(sum(cost), 0)] FROM training_cohort
            WHERE program_id = %(program)s
                AND completed_at >= %(year_begins)s AND completed_at < %(year_over)s
                AND course_id IN (
                    SELECT id FROM training_course
                    WHERE program_id = %(program)s AND grants = 'visits'
                )
        ) END
    FROM school FULL JOIN counted ON counted.school_id = school.id
"""


@dataclass(frozen=True)
class Standings:
    """How the educators of one school stand; of all, once each, where it names no school."""

    school_id: int | None = None
    school: str = ""
    educators: int = 0
    current: int = 0
    expiring: int = 0
    ending: int = 0
    later: int = 0
    ended: int = 0
    never: int = 0
    nowhere: int = 0
    # A few of all: whose last day comes next, and who has been enrolled nowhere for longest.
    next: Sequence[int] | None = None
    next_days: Sequence[datetime.date] | None = None
    first: Sequence[int] | None = None
    # Who was newly trained this school year, and in one of its complete cohorts with a cost.
    newly_trained: int | None = 0
    through: int | None = 0
    # The year's complete cohorts for visits, those with a cost, and their dollars.
    spent: Sequence[Decimal] | None = None

    @property
    def share(self) -> float:
        """Of the educators, who may visit today: 0 to 1."""
        return self.current / (self.educators or 1)


def standings(
    program: Program, reach: Reach, year: SchoolYear | None
) -> tuple[Standings, list[Standings]]:
    """All of them, and school by school: where nobody may visit first, then where few may."""
    now, today = clock.now(), program.today
    begins, over = _instants(program, year) if year else (now, now)
    facts: dict[str, Any] = {
        "program": program.pk,
        "today": today,
        "days_30": today + EXPIRING,
        "days_60": today + ENDING_SOON,
        "days_90": today + THREE_MONTHS,
        # As memberships count: whoever is about to come is of the program, not yet of a school.
        "over": (now - datetime.timedelta(hours=12)).date(),
        "begun": datetime.date.max
        if reach.program
        else (now + datetime.timedelta(hours=14)).date(),
        "few": FEW,
        "year_starts": year.starts_on if year else datetime.date.max,
        "year_ends": year.ends_on if year else datetime.date.max,
        "year_begins": begins,
        "year_over": over,
        "everywhere": reach.program,
        "schools": list(reach.schools),
    }
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, facts)
        rows = [Standings(*row) for row in cursor.fetchall()]
    schools = [row for row in rows if row.school_id is not None]
    schools.sort(key=lambda row: (row.current > 0, row.educators == 0, row.share, row.school))
    return next((row for row in rows if row.school_id is None), Standings()), schools


@dataclass(frozen=True)
class Cost:
    """What the complete cohorts for visits of a school year cost, as far as it was entered."""

    cohorts: int
    priced: int
    dollars: Decimal
    # Who was newly trained in one of those with a cost.
    through: int

    @property
    def unpriced(self) -> int:
        return self.cohorts - self.priced

    @property
    def each(self) -> Decimal | None:
        """Dollars for each who was newly trained; None where no cost was entered, or nobody was."""
        return self.dollars / self.through if self.priced and self.through else None

    @property
    def side(self) -> str:
        """Below, within or above the yardstick."""
        if self.each is None:
            return ""
        least, most = YARDSTICK
        return "below" if self.each < least else "above" if self.each > most else "within"


def cost(total: Standings) -> Cost:
    """What it cost to train somebody for the first time."""
    cohorts, priced, dollars = total.spent or (0, 0, Decimal(0))
    return Cost(int(cohorts), int(priced), dollars, total.through or 0)


def completed(program: Program, year: SchoolYear | None) -> QuerySet[Cohort]:
    """Cohorts that were completed in a school year."""
    if year is None:
        return Cohort.objects.none()
    begins, ends = _instants(program, year)
    return Cohort.objects.filter(completed_at__gte=begins, completed_at__lt=ends)


def trainers(program: Program, year: SchoolYear | None) -> QuerySet[Trainer]:
    """Who trains, with the `sessions` and `hours` of this year's; first those who have none."""
    if year is None:
        return Trainer.objects.none()
    begins, ends = _instants(program, year)
    this_year = Q(
        cohorts__sessions__cancelled_at=None,
        cohorts__sessions__starts_at__gte=begins,
        cohorts__sessions__starts_at__lt=ends,
    )
    length = ExpressionWrapper(
        F("cohorts__sessions__ends_at") - F("cohorts__sessions__starts_at"),
        output_field=DurationField(),
    )
    return (
        Trainer.objects.filter(is_active=True)
        .annotate(
            sessions=Count("cohorts__sessions", filter=this_year),
            hours=Coalesce(
                Extract(Sum(length, filter=this_year), "epoch") / 3600.0,
                0.0,
                output_field=FloatField(),
            ),
        )
        .order_by("sessions", "name")
    )


def _instants(program: Program, year: SchoolYear) -> tuple[datetime.datetime, datetime.datetime]:
    """From when until when a school year is, where the program is."""
    days = (year.starts_on, year.ends_on + datetime.timedelta(days=1))
    begins, ends = (datetime.datetime.combine(day, datetime.time.min, program.zone) for day in days)
    return begins, ends
