"""The demo is lived through by the real actions, and comes out the same each time."""

import datetime
import re
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Sum
from django_scopes import scope, scopes_disabled

from families.models import Family, Student
from pthv import clock
from pthv.models import Educator, Message, Program, School, User
from visits import availability, debriefs
from visits.demo import bulk
from visits.demo import program as demo
from visits.models import (
    Availability,
    DebriefSession,
    FundingSource,
    InvitationAnswer,
    PayLine,
    SafetyCheck,
    SchoolHoliday,
    Tally,
    Visit,
    VisitTheme,
)

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2026, 11, 21, 13, 0, tzinfo=ZoneInfo("America/Chicago"))


def test_the_demo_program_is_full_of_life():
    program = demo.build(NOW)

    with scope(program=program):
        assert Student.objects.count() == 600
        assert Educator.objects.count() == 40
        assert 370 <= Family.objects.count() <= 400
        states = set(Visit.objects.values_list("state", flat=True))
        assert states == set(Visit.State.values)
        assert not Visit.objects.ahead().filter(during__endswith__lt=NOW).exists()
        assert set(PayLine.objects.values_list("state", flat=True)) == set(PayLine.State.values)
        assert all(fund.left >= 0 for fund in FundingSource.objects.all())
        # Nothing is sent for what is past, and nobody outside the demo is written to.
        assert not Message.objects.waiting().exists()
        ours = Message.objects.filter(about="").values_list("address", flat=True)
        assert all(address.endswith("@demo.example") for address in ours)
        families = Message.objects.to_families()
        nobodys = re.compile(r".*@family\.example|\+1\d{3}55501\d\d")
        assert all(map(nobodys.fullmatch, families.values_list("address", flat=True)))
        # Sent, answered by the family itself, and come back.
        assert families.filter(kind="invitation", state="sent").count() >= 5
        assert InvitationAnswer.objects.filter(recorded_by=None).count() == 4
        assert families.not_arrived().count() == 1
        # Most can say when they visit, and nobody has a visit planned on a holiday.
        assert 20 <= Availability.objects.values("educator").distinct().count() < 40
        assert SchoolHoliday.objects.exists()
        assert not any(availability.visits_on(one) for one in SchoolHoliday.objects.all())
        # What families hope for, and whose educators met and will meet.
        assert VisitTheme.objects.values("visit").distinct().count() >= 100
        held, planned = DebriefSession.objects.order_by("starts_at")
        assert held.attendees.count() == 7 and planned.starts_at > NOW
        with clock.at(NOW):
            assert len(debriefs.agenda(planned)) >= 3
        # Whom families may call, at numbers that are nobody's.
        phones = [str(school.phone) for school in School.objects.all()]
        assert len(set(phones)) == len(phones)
        assert all(map(nobodys.fullmatch, phones))
        # Whom a pair in need reaches; one school names nobody yet. Yesterday's pair tapped.
        contacts = [str(school.safety_phone) for school in School.objects.exclude(safety_name="")]
        assert len(contacts) == len(phones) - 1
        assert all(map(nobodys.fullmatch, contacts))
        taps = SafetyCheck.objects.get()
        assert taps.out_at < taps.arrived_at < taps.left_at < NOW and not taps.is_open
    assert User.objects.of_the_demo().count() == User.objects.count() == 45


@pytest.mark.django_db(transaction=True)
def test_large_programs_obey_every_rule_that_rested():
    bulk.build(1, NOW, say=lambda _line: None)
    large = Program.objects.get(slug="large-1")

    with scope(program=large):
        assert Student.objects.count() == 10_000
        assert Visit.objects.count() == 20_000
        planned = Tally.objects.aggregate(Sum("planned"), Sum("visited"), Sum("second"))
        assert list(planned.values()) == [12_000, 11_200, 8_400]
    with transaction.atomic(), connection.cursor() as cursor:
        # Foreign keys rested while the rows were written: made anew, each checks every row.
        cursor.execute(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f'"
            " AND conrelid::regclass::text ~ '^(pthv|families|training|visits)_'"
        )
        keys = cursor.fetchall()
        assert len(keys) > 100
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        transaction.set_rollback(True)


def test_no_demo_where_demo_log_ins_are_off(settings):
    settings.DEMO_LOGINS = False

    with pytest.raises(CommandError, match="Demo log-ins are off"):
        call_command("demo")
    with scopes_disabled():
        assert not Program.objects.exists()
