"""Asking on one page: zero rows first, who waits for a person, contacts that lead nowhere."""

import datetime

import pytest

from families import people
from families.models import SchoolClass
from tests.conftest import NOW
from visits import answers, invitations, selection
from visits.models import Invitation, SelectionPlan
from visits.reports import asking


@pytest.fixture
def other_class(program, school, school_year) -> SchoolClass:
    return SchoolClass.objects.create(
        program=program, school=school, school_year=school_year, source_id="C9", title="1A"
    )


def page(client, user, query: str = "") -> str:
    client.force_login(user)
    response = client.get(f"/asking/{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_a_class_counts_its_families_and_nobody_asked_comes_first(
    invitation, educator, add_family, school, school_class, other_class
):
    invitations.record_attempt(invitation, "call", "no_answer", by=educator)
    add_family("Nguyen", "Lan")

    rows = asking.by_class(school, on=NOW.date())

    assert [(row.name, row.enrolled, row.planned, row.asked) for row in rows] == [
        ("1A", 0, 0, 0),
        (school_class.title, 2, 1, 1),
    ]


def test_a_family_with_two_children_in_a_class_counts_once(
    add_family, school, school_year, site_coordinator, school_class, educator
):
    add_family("Ortega", "Mateo", "Lucía")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)

    (row,) = asking.by_class(school, on=NOW.date())

    assert (row.enrolled, row.planned, row.asked) == (2, 1, 0)


def test_what_came_of_a_plan(invitation, educator, school, site_coordinator, client):
    answers.record(invitation, "accepted", by=educator)
    SelectionPlan.objects.update(ask_by=NOW.date() - datetime.timedelta(days=3))

    (row,) = asking.by_plan(school, on=NOW.date())

    assert (row.planned, row.asked, row.accepted, row.visited) == (1, 1, 1, 0)
    assert "1 of 1 families asked" in page(client, site_coordinator)


def test_who_is_late_is_said_of_a_plan_never_of_a_family(invitation, client, site_coordinator):
    SelectionPlan.objects.update(ask_by=NOW.date() - datetime.timedelta(days=3))

    assert "all were planned by Sat, Oct 3" in page(client, site_coordinator)


def test_a_family_that_wants_a_call_waits_for_us(invitation, client, site_coordinator, educator):
    Invitation.objects.update(state="asked", asked_at=NOW, call_wanted_at=NOW)

    assert "would like a call, since Tue, Oct 6, 1:00 PM" in page(client, site_coordinator)
    client.force_login(educator)
    assert "Ortega" in client.get("/families/?waits=1").content.decode()
    assert "Ortega" not in client.get("/families/?dead=1").content.decode()


def test_a_contact_that_leads_nowhere_is_shown_until_it_is_put_right(
    invitation, client, site_coordinator, educator
):
    mother = invitation.family.caregivers.get()
    people.mark_dead(mother, phone=str(mother.phone))

    assert "wrong number" in page(client, site_coordinator)
    assert "Ortega" in client.get("/families/?dead=1").content.decode()

    people.change_caregiver(mother, {"phone": "+15035550177"}, by=site_coordinator)
    assert "wrong number" not in page(client, site_coordinator)


def test_a_family_that_said_no_is_nobodys_work(invitation, client, site_coordinator, educator):
    mother = invitation.family.caregivers.get()
    people.mark_dead(mother, phone=str(mother.phone))
    answers.record(invitation, "declined", by=educator)

    told = page(client, site_coordinator)

    assert "Ortega" not in told and "wrong number" not in told
    assert "Ortega" not in client.get("/families/?dead=1").content.decode()


def test_another_school_is_not_there(invitation, client, other_site_coordinator, school):
    told = page(client, other_site_coordinator, f"?school={school.pk}")

    assert "Lincoln" not in told and "Ortega" not in told


def test_a_draw_counts_whom_it_drew_whoever_asks_them(
    invitation, educator, school, school_year, site_coordinator
):
    invitations.record_attempt(invitation, "call", "no_answer", by=educator)
    selection.draw(school, school_year, 1, by=site_coordinator)

    drawn, everyone = asking.by_plan(school, on=NOW.date())

    assert (drawn.planned, drawn.asked) == (everyone.planned, everyone.asked) == (1, 1)


def test_one_schools_page_has_its_own_families_alone(
    invitation, client, program_coordinator, other_school
):
    Invitation.objects.update(state="asked", asked_at=NOW, call_wanted_at=NOW)
    mother = invitation.family.caregivers.get()
    people.mark_dead(mother, phone=str(mother.phone))

    assert "Ortega" in page(client, program_coordinator)
    assert "Ortega" not in page(client, program_coordinator, f"?school={other_school.pk}")
