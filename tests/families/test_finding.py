"""A family is found by anybody's name in it, however it is typed, and by a phone's last digits."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from families.finding import SHOWN, digits, find
from families.models import Caregiver, Family, Student

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(program, school):
    def add(surnames, child="", caregiver="", phone="", family=True, **more):
        held = Family.objects.create(program=program, surnames=surnames) if family else None
        if child:
            given, _space, last = child.partition(" ")
            Student.objects.create(
                program=program,
                school=school,
                source_id=f"S{Student.objects.count()}",
                given_name=given,
                family_name=last,
                family=held,
                **more,
            )
        if caregiver or phone:
            given, _space, last = caregiver.partition(" ")
            Caregiver.objects.create(
                program=program, family=held, given_name=given, family_name=last, phone=phone
            )
        return held

    return add


def found(program, typed, among=None):
    return [row.family.surnames for row in find(typed, program, among).rows]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("nunez", "Núñez"),
        ("NÚÑEZ", "Núñez"),
        ("nun jo", "Núñez"),
        ("o'br", "O'Brien"),
        ("obrien", "O'Brien"),
        ("o’brien", "O'Brien"),
        ("nguyen", "Nguyễn"),
        ("duc", "Nguyễn"),
        ("王", "王"),
        ("مح", "محمود"),
        ("garcia-lopez", "García-López"),
        ("lopez", "García-López"),
    ],
)
def test_names_are_found_by_their_beginnings_accents_and_case_aside(program, add, typed, name):
    add("Núñez", child="José Núñez")
    add("O'Brien", child="Liam O'Brien")
    add("Nguyễn", child="Đức Nguyễn")
    add("王", child="小明 王")
    add("محمود", child="علي محمود")
    add("García-López", child="Ana García-López")

    assert found(program, typed) == [name]


@pytest.mark.parametrize("typed", ["4567", "123-4567", "(503) 123-4567", "+1 503 123 4567"])
def test_a_phone_is_found_by_its_last_digits(program, add, typed):
    add("Ortega", child="Mateo Ortega", phone="+15031234567")
    add("Lee", child="Kim Lee", phone="+15034567123")

    rows = find(typed, program).rows

    assert [row.family.surnames for row in rows] == ["Ortega"]
    assert rows[0].because == f"A phone ends in {digits(typed)[-4:]}"


@pytest.mark.parametrize(
    "typed", ["", " ", "a", "12", "567", "%", "_", "'", "&|!:*", "\\", "%%%", "((("]
)
def test_too_little_finds_nobody(program, add, typed):
    add("Ortega", child="Ana Ortega", phone="+15031234512")

    assert found(program, typed) == []


def test_a_caregiver_leads_to_the_family_and_is_named(program, add):
    add("Ortega", child="Mateo Ortega", caregiver="Inés Quispe")

    (row,) = find("quis", program).rows

    assert (row.family.surnames, row.because) == ("Ortega", "Inés Quispe")


def test_nobody_is_found_by_a_caregiver_who_has_no_say_any_more(program, add):
    add("Ortega", child="Mateo Ortega", caregiver="Iván Quispe", phone="+15031234567")
    Caregiver.objects.update(ended_on="2026-01-01")

    assert found(program, "quispe") == found(program, "4567") == []


def test_a_phone_that_must_not_be_called_finds_nobody(program, add):
    add("Ortega", child="Mateo Ortega", caregiver="Iván Quispe", phone="+15031234567")
    Caregiver.objects.update(may_be_contacted=False)

    assert found(program, "4567") == []
    assert found(program, "quispe") == ["Ortega"]


def test_a_child_who_left_and_a_family_that_was_merged_are_not_found(program, add):
    kept = add("Kept", child="Lucía Kept")
    gone = add("Gone", child="Mateo Gone", left_on="2026-01-01")
    Family.objects.filter(pk=gone.pk).update(merged_into=kept)

    assert found(program, "gone") == []


def test_a_child_without_a_family_is_found_alone(program, add):
    add("", child="Solo Wanderer", family=False)

    (row,) = find("wander", program).rows

    assert (row.family, str(row.student)) == (None, "Solo Wanderer")
    assert find("wander", program, among=[1]).rows == []


def test_only_among_those_one_may_see(program, add):
    mine, other = add("Ortega", child="Ana Ortega"), add("Ortega", child="Eva Ortega")

    assert [row.family for row in find("ortega", program, [mine.pk]).rows] == [mine]
    assert len(find("ortega", program).rows) == 2
    assert find("ortega", program, []).rows == []
    assert other


def test_another_program_is_never_found(program, other_program, add):
    with scope(program=other_program):
        Family.objects.create(program=other_program, surnames="Elsewhere")

    assert found(program, "elsewhere") == []


def test_whole_words_come_first_and_the_rest_is_said_to_be_more(program, add):
    for number in range(SHOWN + 5):
        add(f"Leeward{number}", child=f"A{number} Leeward")
    add("Lee", child="Kim Lee")

    finds = find("lee", program)

    assert finds.more
    assert len(finds.rows) == SHOWN
    assert finds.rows[0].family.surnames == "Lee"


def test_it_costs_the_same_for_one_and_for_many(program, add):
    add("Ortega0", child="Ana Ortega", caregiver="Eva Ortega")
    with CaptureQueriesContext(connection) as one:
        find("ortega", program)
    for number in range(1, 15):
        add(f"Ortega{number}", child="Ana Ortega", caregiver="Eva Ortega")
    with CaptureQueriesContext(connection) as many:
        find("ortega", program)

    assert len(one) == len(many) <= 4
