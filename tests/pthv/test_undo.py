"""A change of many rows is taken back whole, byte for byte, or not at all."""

import datetime

import pytest
from django.db import connection

from families.models import Caregiver, Enrollment, Family, SchoolClass, Student
from pthv import clock, undo
from pthv.blocked import NotReady
from pthv.models import Change, RowImage, School
from pthv.models.undo import UNDOABLE

pytestmark = pytest.mark.django_db


def snapshot() -> dict[str, list]:
    """Every undoable table, each row with all of its columns as text."""
    found = {}
    with connection.cursor() as cursor:
        for model in UNDOABLE:
            table = model._meta.db_table
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


@pytest.fixture
def household(program, school, school_year):
    family = Family.objects.create(program=program, surnames="Núñez")
    Caregiver.objects.create(
        program=program, family=family, given_name="Inés", phone="+15035550100"
    )
    room = SchoolClass.objects.create(
        program=program, school=school, school_year=school_year, source_id="C-9", title="Room 9"
    )
    child = Student.objects.create(
        program=program,
        school=school,
        source_id="S-9",
        given_name="Ñusta",
        family_name="O'Núñez",
        family=family,
    )
    Enrollment.objects.create(program=program, school_class=room, student=child)
    return family


def test_created_changed_and_deleted_rows_come_back(
    program, school, household, program_coordinator
):
    before = snapshot()

    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        new = Family.objects.create(program=program, surnames="Other")
        child = Student.objects.get(source_id="S-9")
        child.family, child.given_name = new, "Second"
        child.save()
        child.given_name = "Third"
        child.save()
        Enrollment.objects.filter(student=child).delete()
        Caregiver.objects.filter(family=household).update(family=new)
    assert snapshot() != before

    undo.take_back(change, by=program_coordinator)

    assert snapshot() == before
    assert change.undone_by == program_coordinator


def test_nothing_is_kept_outside_of_a_change(household):
    household.surnames = "Nobody's"
    household.save()

    assert not RowImage.objects.exists()


def test_a_row_created_and_deleted_in_one_change_stays_away(
    program, program_coordinator, household
):
    before = snapshot()
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        Family.objects.create(program=program, surnames="Short").delete()

    undo.take_back(change, by=program_coordinator)

    assert snapshot() == before


def test_what_was_changed_since_is_not_overwritten(program, program_coordinator, household):
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        Family.objects.filter(pk=household.pk).update(surnames="By the change")
    Family.objects.filter(pk=household.pk).update(language="vi")
    after = snapshot()

    with pytest.raises(NotReady, match="changed since then were 1 family"):
        undo.take_back(change, by=program_coordinator)

    assert snapshot() == after
    assert Change.objects.get(pk=change.pk).undone_at is None


def test_what_others_stand_on_by_now_stays(program, program_coordinator, household):
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        new = Family.objects.create(program=program, surnames="New")
    Caregiver.objects.create(program=program, family=new, given_name="Ana")
    after = snapshot()

    with pytest.raises(NotReady, match="there are caregivers by now"):
        undo.take_back(change, by=program_coordinator)

    assert snapshot() == after


def test_a_school_that_was_counted_by_goes_too(program, program_coordinator):
    before = snapshot()
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        new = School.objects.create(program=program, name="Newly built")
        Student.objects.create(program=program, school=new, source_id="S-1", given_name="A")

    undo.take_back(change, by=program_coordinator)

    assert snapshot() == before


def test_it_is_undone_once(program, program_coordinator, household):
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        Family.objects.filter(pk=household.pk).update(surnames="By the change")
    undo.take_back(change, by=program_coordinator)

    with pytest.raises(NotReady, match="already"):
        undo.take_back(change, by=program_coordinator)


def test_after_thirty_days_the_images_go_and_nothing_can_be_undone(
    program, program_coordinator, household
):
    with undo.recorded("test.done", program=program, by=program_coordinator) as change:
        Family.objects.filter(pk=household.pk).update(surnames="By the change")

    assert undo.sweep() == 0
    with clock.at(clock.now() + datetime.timedelta(days=31)):
        assert undo.sweep() == 1
        with pytest.raises(NotReady, match="30 days"):
            undo.take_back(change, by=program_coordinator)


def test_a_change_that_fails_leaves_no_name_behind(program, program_coordinator, household):
    with (
        pytest.raises(RuntimeError),
        undo.recorded("test.done", program=program, by=program_coordinator),
    ):
        raise RuntimeError

    household.surnames = "After"
    household.save()
    assert not RowImage.objects.exists()
