"""Large programs for measuring, written by the database itself in a few statements.

Each program has 10,000 students in 6,000 families, 500 educators at 20 schools, 400
classes, and two years of visits: 20,000, of which 19,000 are completed and paid. Rows
are what the actions would leave behind; triggers and foreign keys rest meanwhile, and
the totals are counted once at the end.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction

from pthv.models import Program

from .people import PASSWORD

STUDENTS, FAMILIES, EDUCATORS, SCHOOLS, CLASSES = 10_000, 6_000, 500, 20, 400
GIVEN = "Mateo Lucía Jada Elijah An Linh Amina Zakaria Nkauj Teng Nour Adam Yi Hao Inês".split()
FAMILY = (
    "Ramírez Johnson Nguyễn Abdi Vang Khoury Chen Silva Tesfaye Baptiste Reyes O’Brien "
    "Ortega Baker Trần Warsame Xiong Saleh Wang Barros Bekele Toussaint Santos Núñez"
).split()


@dataclass(frozen=True)
class Size:
    """Where one program's rows begin, so that ids can be computed instead of looked up."""

    program: int
    number: int
    base: dict[str, int]


def build(programs: int, now: datetime.datetime, *, say: Callable[[str], object]) -> None:
    """Add so many programs of 10,000 students, as of `now`."""
    password = make_password(PASSWORD)
    present = Program.objects.filter(slug__startswith="large-").count()
    for number in range(present + 1, present + programs + 1):
        with transaction.atomic(), connection.cursor() as cursor:
            # Needs a role that may do so: the embedded PostgreSQL's, or a measuring machine's.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL synchronous_commit = off")
            _program(cursor, number, now, password)
        if number % 10 == 0 or number == present + programs:
            say(f"{number} large programs …")
    _count_and_analyze()


def _program(cursor, number: int, now: datetime.datetime, password: str) -> None:
    program = Program.objects.create(
        name=f"Large district {number}", slug=f"large-{number}", is_demo=True
    )
    today = now.date()
    august = datetime.date(today.year if today.month >= 8 else today.year - 1, 8, 1)
    facts = {
        "program": program.pk,
        "number": number,
        "now": now,
        "this_year": august,
        "last_year": august.replace(year=august.year - 1),
        "password": password,
        "given": GIVEN,
        "family": FAMILY,
        "students": STUDENTS,
        "families": FAMILIES,
        "educators": EDUCATORS,
        "schools": SCHOOLS,
        "classes": CLASSES,
    }
    for statement in STATEMENTS:
        cursor.execute(statement, facts)


# Every id of a program is found by its place: rows are inserted in order, and the
# temporary table `base` keeps the first id of each kind.
STATEMENTS = [
    "DROP TABLE IF EXISTS base",
    """
    CREATE TEMPORARY TABLE base ON COMMIT DROP AS SELECT
        (SELECT coalesce(max(id), 0) FROM pthv_user) AS users,
        (SELECT coalesce(max(id), 0) FROM pthv_educator) AS educators,
        (SELECT coalesce(max(id), 0) FROM pthv_school) AS schools,
        (SELECT coalesce(max(id), 0) FROM pthv_schoolyear) AS years,
        (SELECT coalesce(max(id), 0) FROM families_schoolclass) AS classes,
        (SELECT coalesce(max(id), 0) FROM families_family) AS families,
        (SELECT coalesce(max(id), 0) FROM families_student) AS students,
        (SELECT coalesce(max(id), 0) FROM training_course) AS courses,
        (SELECT coalesce(max(id), 0) FROM visits_visitteam) AS teams,
        (SELECT coalesce(max(id), 0) FROM visits_selectionplan) AS plans,
        (SELECT coalesce(max(id), 0) FROM visits_invitation) AS invitations,
        (SELECT coalesce(max(id), 0) FROM visits_visit) AS visits,
        (SELECT coalesce(max(id), 0) FROM visits_payrate) AS rates,
        (SELECT coalesce(max(id), 0) FROM visits_fundingsource) AS funds,
        (SELECT coalesce(max(id), 0) FROM visits_paybatch) AS batches
    """,
]


def _count_and_analyze() -> None:
    """Count the totals that resting triggers did not keep, move sequences on, and analyze."""
