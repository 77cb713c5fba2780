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
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Coalesce, Extract

from pthv import clock
from pthv.access import Reach
from pthv.models import Program, SchoolYear
from training.certification import ENDING_SOON, EXPIRING
from training.models import Certification, Cohort, Grant, Trainer
from training.standings import THREE_MONTHS

FEW = 8  # names of each kind
# $5,000 to $8,000 for 80 teachers is what programs report to spend.
YARDSTICK = (Decimal(5000) / 80, Decimal(8000) / 80)

# One educator counts at each school of theirs, and once in the row without a school. The words
# mean what they mean in standings.py.
COUNTS = """
    WITH people AS MATERIALIZED (
        SELECT DISTINCT held.school_id, educator.id
        FROM pthv_membership AS held
        JOIN pthv_educator AS educator
            ON educator.user_id = held.user_id AND educator.program_id = held.program_id
        WHERE held.program_id = %(program)s AND held.role = 'educator'
            AND held.starts_on <= %(begun)s AND (held.ends_on IS NULL OR held.ends_on >= %(over)s)
            AND (%(everywhere)s OR held.school_id = ANY(%(schools)s))
    ), trained AS (
        SELECT educator_id AS id, max(expires_on) AS last_day
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
        SELECT id, last_day, enrolled.id IS NOT NULL AS enrolled
        FROM (SELECT DISTINCT id FROM people) AS each
        LEFT JOIN trained USING (id) LEFT JOIN enrolled USING (id)
    ), counted AS (
        SELECT school_id,
            count(*) AS educators,
            count(*) FILTER (WHERE last_day >= %(today)s) AS current,
            count(*) FILTER (WHERE last_day >= %(today)s AND last_day < %(days_30)s) AS expiring,
            count(*) FILTER (WHERE last_day >= %(today)s AND last_day < %(days_60)s) AS ending,
            count(*) FILTER (WHERE last_day >= %(today)s AND last_day < %(days_90)s) AS later,
            count(*) FILTER (WHERE last_day < %(today)s) AS ended,
            count(*) FILTER (WHERE last_day IS NULL) AS never,
            count(*) FILTER (WHERE last_day IS NULL AND NOT enrolled) AS nowhere,
            (array_agg(id ORDER BY last_day, id) FILTER (WHERE school_id IS NULL
                AND last_day >= %(today)s AND last_day < %(days_90)s))[:%(few)s] AS next,
            (array_agg(id ORDER BY id) FILTER (WHERE school_id IS NULL
                AND last_day IS NULL AND NOT enrolled))[:%(few)s] AS first
        FROM (SELECT school_id, id FROM people UNION ALL SELECT NULL, id FROM standing) AS each
        JOIN standing USING (id)
        GROUP BY school_id
    ), school AS (
        SELECT id, name FROM pthv_school
        WHERE program_id = %(program)s AND (%(everywhere)s OR id = ANY(%(schools)s))
    )
    SELECT school.id, coalesce(name, ''), coalesce(educators, 0), coalesce(current, 0),
        coalesce(expiring, 0), coalesce(ending, 0), coalesce(later, 0), coalesce(ended, 0),
        coalesce(never, 0), coalesce(nowhere, 0), coalesce(next, '{}'), coalesce(first, '{}')
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
    next: Sequence[int] = ()
    first: Sequence[int] = ()

    @property
    def share(self) -> float:
        """Of the educators, who may visit today: 0 to 1."""
        return self.current / (self.educators or 1)


def standings(program: Program, reach: Reach) -> tuple[Standings, list[Standings]]:
    """All of them, and school by school: where nobody may visit first, then where few may."""
    now, today = clock.now(), program.today
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
class Year:
    """Who was trained first in a school year, and what its completed cohorts cost, as entered."""

    newly_trained: int = 0
    cohorts: int = 0
    priced: int = 0
    dollars: Decimal = Decimal(0)
    # Of those newly trained, who was in one of the cohorts with a cost.
    through: int = 0

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


def of_year(educators: QuerySet, program: Program, year: SchoolYear | None) -> Year:
    """What these educators and the program's cohorts for visits came to; two queries."""
    if year is None:
        return Year()
    cohorts = completed(program, year).filter(course__grants=Grant.VISITS)
    priced = cohorts.filter(cost__isnull=False)
    certifications = Certification.objects.certifying()
    earlier = certifications.filter(
        educator=OuterRef("educator"), issued_on__lt=OuterRef("issued_on")
    )
    this_year = Q(issued_on__range=(year.starts_on, year.ends_on))
    through = Q(member__cohort__in=priced)
    trained = certifications.filter(this_year | through, ~Exists(earlier.order_by()))
    people = trained.order_by().aggregate(
        newly_trained=Count(
            "educator", distinct=True, filter=this_year & Q(educator__in=educators.order_by())
        ),
        through=Count("educator", distinct=True, filter=through),
    )
    spent = cohorts.order_by().aggregate(
        cohorts=Count("pk"), priced=Count("cost"), dollars=Coalesce(Sum("cost"), Decimal(0))
    )
    return Year(**people, **spent)


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
