"""A week on one page: by the clock on the wall, and nobody's but one's own to see."""

import datetime
import re

import pytest
from django.test import Client

from tests.conftest import at
from visits import scheduling, week
from visits.models import Visit

MONDAY = datetime.date(2026, 10, 5)


def page(user, url: str) -> str:
    client = Client()
    client.force_login(user)
    response = client.get(url)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_each_visit_stands_on_its_day(visit, educator):
    days = week.by_day(Visit.objects.all(), MONDAY, 7, visit.program.zone)

    assert [len(day.visits) for day in days] == [0, 0, 0, 1, 0, 0, 0]
    assert days[3].visits == [visit] and days[3].date == datetime.date(2026, 10, 8)


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (23, 30)])
def test_the_day_begins_and_ends_where_the_program_is(accepted, educator, hour, minute):
    """In Chicago; in Greenwich it is another day."""
    start = at(10, hour, minute)
    scheduling.schedule(accepted, scheduling.slot(start, 30), "home", by=educator)

    days = week.by_day(Visit.objects.all(), MONDAY, 7, accepted.program.zone)

    assert [len(day.visits) for day in days] == [0, 0, 0, 0, 0, 1, 0]


def test_the_day_of_25_hours_is_one_day(accepted, educator):
    scheduling.schedule(accepted, scheduling.slot(at(1, 23, 15, month=11), 30), "home", by=educator)

    days = week.by_day(Visit.objects.all(), datetime.date(2026, 10, 26), 7, accepted.program.zone)

    assert len(days[6].visits) == 1


def test_a_cancelled_visit_is_gone(visit, educator):
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    assert not any(
        day.visits for day in week.by_day(Visit.objects.all(), MONDAY, 7, visit.program.zone)
    )


def test_a_program_is_counted_by_school_and_day(visit, program_coordinator, other_school):
    (row,) = week.by_school(Visit.objects.all(), MONDAY, visit.program.zone)

    assert (row.name, row.counts, row.total) == ("Lincoln", [0, 0, 0, 1, 0, 0, 0], 1)
    said = page(program_coordinator, "/visits/week/?on=2026-10-08")
    assert "Lincoln · · · 1 · · · 1" in said and "Ortega" not in said


def test_a_person_sees_their_own(visit, educator, colleague, partner):
    for user, there in ((educator, True), (partner, True), (colleague, False)):
        assert ("Ortega" in page(user, "/visits/week/?on=2026-10-08")) == there


def test_a_school_is_no_others_to_see(visit, school, site_coordinator, other_site_coordinator):
    url = f"/visits/week/?on=2026-10-08&school={school.pk}"

    assert "Ortega" in page(site_coordinator, url)
    assert "Ortega" not in page(other_site_coordinator, url)


def test_one_person_of_a_school(visit, site_coordinator, partner, colleague):
    for user, there in ((partner, True), (colleague, False)):
        url = f"/visits/week/?on=2026-10-08&educator={user.educators.get().pk}"
        assert ("Ortega" in page(site_coordinator, url)) == there


def test_the_day_sheet_has_no_address_and_no_phone(visit, family, site_coordinator):
    family.address = "12 Oak Street"
    family.save()

    said = page(site_coordinator, "/visits/day/?on=2026-10-08")

    assert "4:30 PM" in said and "Ortega" in said and "Spanish" in said
    assert "Oak Street" not in said and "555-0" not in said


@pytest.mark.parametrize("on", ["", "soon", "2026-13-45", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_today(visit, educator, on):
    assert "Thu, Oct 8" in page(educator, f"/visits/week/?on={on}")
