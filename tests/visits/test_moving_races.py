"""Fifty people who schedule, move, swap and cancel at once: threads on real PostgreSQL.

PTHV_LONG=1 makes ten thousand changes of it.
"""

import contextvars
import datetime
import os
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Role
from tests.conftest import at
from training import certification
from visits import answers, interpreting, invitations, moving, scheduling, selection
from visits.models import Interpreter, Invitation, Visit

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

THREADS = 50
CHANGES = 10_000 if os.environ.get("PTHV_LONG") else 600
OVERLAPS = """
    SELECT count(*) FROM {table} a JOIN {table} b
    ON a.{person} = b.{person} AND a.id < b.id AND a.during && b.during
    WHERE a.occupies AND b.occupies
"""
ASTRAY = """
    SELECT count(*) FROM visits_visitparticipant p JOIN visits_visit v ON v.id = p.visit_id
    WHERE p.during <> v.during OR p.occupies <> v.occupies
"""


def one(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.fixture
def crowd(
    person, program, school, school_year, school_class, add_family, educator, partner, trained,
    pay_rate, course, site_coordinator, program_coordinator,
) -> list[Invitation]:  # fmt: skip
    """Eight families who said yes, four educators, an interpreter for all."""
    for name in ("Cara Diaz", "Dan Wu"):
        more = person(name, Role.EDUCATOR, program, school).educators.get()
        certification.issue(more, course, on=datetime.date(2026, 8, 20), by=program_coordinator)
    for number in range(8):
        add_family(f"Family{number}")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    program.interpreter_notice = 1
    program.save()
    Interpreter.objects.create(
        program=program, kind="staff", given_name="Lan", email="lan@example.org",
        languages=["vi"], adult_confirmed_by=program_coordinator,
    )  # fmt: skip
    found = list(Invitation.objects.order_by("pk"))
    for invitation in found:
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    return found


class Somebody:
    """One who changes visits at random, and writes down what came of it."""

    def __init__(self, seed: int, invitations: list[Invitation], by, educators: list) -> None:
        self.dice = random.Random(seed)
        self.invitations, self.by, self.educators = invitations, by, educators
        self.interpreter = Interpreter.objects.get()
        self.came_of_it: Counter[str] = Counter()

    def work(self, changes: int) -> Counter[str]:
        for _change in range(changes):
            try:
                self.change()
            finally:
                # There are fewer connections than people: they take turns.
                connection.close()
        return self.came_of_it

    def change(self) -> None:
        what = self.dice.choices(
            [self.schedule, self.move, self.swap, self.cancel, self.cover], [4, 4, 3, 2, 2]
        )[0]
        try:
            what()
        except NotReady:
            self.came_of_it[f"{what.__name__} refused"] += 1
        except Visit.DoesNotExist:
            self.came_of_it["nothing to change"] += 1
        else:
            self.came_of_it[what.__name__] += 1

    def slot(self):
        start = at(8, 16) + datetime.timedelta(
            days=self.dice.randrange(2), minutes=30 * self.dice.randrange(8)
        )
        return scheduling.slot(start, self.dice.choice([30, 60]))

    def visit(self) -> Visit:
        family = self.dice.choice(self.invitations).family_id
        return Visit.objects.filter(family=family).latest("pk")

    def schedule(self) -> None:
        invitation = self.dice.choice(self.invitations)
        scheduling.schedule(invitation, self.slot(), "home", by=self.by)

    def move(self) -> None:
        moving.move(self.visit(), self.slot(), "home", by=self.by)

    def swap(self) -> None:
        out, to = self.dice.sample(self.educators, 2)
        moving.swap(self.visit(), out, to, by=self.by)

    def cancel(self) -> None:
        scheduling.cancel(self.visit(), "educator_cancelled", by=self.by)

    def cover(self) -> None:
        request = interpreting.request_for(self.visit(), "vi", by=self.by)
        interpreting.cover(request, self.interpreter, by=self.by)


def test_nobody_is_ever_at_two_places(crowd, educator, monkeypatch):
    # Each of the fifty with a connection of their own.
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "pool", raising=False)
    educators = list(Educator.objects.select_related("user"))
    people = [Somebody(seed, crowd, educator, educators) for seed in range(THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        jobs = [
            pool.submit(contextvars.copy_context().run, somebody.work, CHANGES // THREADS)
            for somebody in people
        ]
        came_of_it = sum((job.result(timeout=3000) for job in jobs), Counter[str]())

    assert came_of_it.total() == CHANGES
    assert min(came_of_it[what] for what in ("schedule", "move", "swap", "cancel", "cover")) > 0
    tables = {
        "visits_visitparticipant": "educator_id",
        "visits_visit": "family_id",
        "(SELECT * FROM visits_interpreterrequest WHERE state = 'covered')": "interpreter_id",
    }
    for table, person in tables.items():
        assert one(OVERLAPS.format(table=table, person=person)) == 0, table
    assert one(ASTRAY) == 0
    for visit in Visit.objects.all():
        changes = AuditEntry.objects.filter(subject_type="visit", subject_id=visit.pk)
        told = changes.filter(event__in=["visit.moved", "visit.swapped", "visit.cancelled"])
        # Nobody's change was lost beneath another's.
        assert visit.sequence == told.count()
        assert visit.participants.count() == 2
