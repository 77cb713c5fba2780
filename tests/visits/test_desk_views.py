"""The coordinator's desk, and coverage."""

import re

import pytest

from pthv import clock
from tests.conftest import at
from visits import moving, scheduling


@pytest.fixture
def read(client):
    def get(url, user):
        client.force_login(user)
        response = client.get(url)
        assert response.status_code == 200
        return response.content.decode()

    return get


def test_desk_of_a_new_program_begins_with_the_roster(read, program_coordinator, school):
    desk = read("/desk/", program_coordinator)

    assert "Start here: bring your roster" in desk and "Nothing needs you now" not in desk


def test_desk_is_calm_when_nothing_needs_a_person(read, site_coordinator, school, family):
    desk = read("/desk/", site_coordinator)

    assert "Nothing needs you now" in desk
    assert "Lincoln" in desk


def test_desk_shows_a_family_that_waits_for_a_time(read, site_coordinator, accepted):
    desk = " ".join(read("/desk/", site_coordinator).split())

    assert "Said yes, no time yet" in desk and "· 1</span>" in desk
    assert "Ana Ruiz, Lincoln" in desk
    assert f"/invitations/{accepted.pk}/schedule/" in desk and "Find a time" in desk


def test_the_numbers_of_the_desk_lead_to_their_families(read, site_coordinator, accepted):
    for query, found in [
        ("?kind=first&asked=1", True),
        ("?kind=first&state=accepted", True),
        ("?waiting=1", True),
        ("?kind=first&state=visited", False),
        ("?kind=second&state=visited", False),
    ]:
        assert ("Ortega family" in read(f"/families/{query}", site_coordinator)) == found


def test_desk_shows_a_visit_to_confirm_and_then_one_to_write_up(
    read, site_coordinator, visit, educator
):
    assert f"/visits/{visit.pk}/confirm/" in read("/desk/", site_coordinator)
    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)
    with clock.at(at(12, 9)):
        assert "Held, not written up" in read("/desk/", site_coordinator)


def test_desk_says_who_cannot_go_however_far_ahead(read, site_coordinator, visit, partner):
    with clock.at(at(1, 9)):
        assert "can’t go" not in read("/desk/", site_coordinator)
        moving.decline(visit, by=partner)

        desk = read("/desk/", site_coordinator)

    assert "Ben Lee can’t go · Thu, Oct 8, 4:30 PM" in re.sub(r"<[^>]+>", "", desk)
    assert f"/visits/{visit.pk}/swap/" in desk and f"/visits/{visit.pk}/confirm/" not in desk


def test_desk_of_another_school_shows_nothing_of_it(read, other_site_coordinator, visit):
    assert "Ortega" not in read("/desk/", other_site_coordinator)


def test_coverage_counts_each_school(read, program_coordinator, school, accepted, other_school):
    coverage = read("/coverage/", program_coordinator)

    assert "Roosevelt" in coverage and "Lincoln" in coverage


def test_a_partner_sees_no_small_group(read, funder, school, other_school, accepted):
    coverage = read("/coverage/", funder)

    assert "groups under 10 are never shown" in coverage
    assert "Ortega" not in coverage
