"""Visits on screen: when, where and who for many; what was said for those who went."""

import pytest

from pthv import clock
from tests.conftest import at
from visits import logs, reflections

SAID = "That he loves to read."
LEARNED = "He builds radios."
PARTNERS = "They cook together."


@pytest.fixture
def read(client):
    def get(user, visit):
        client.force_login(user)
        with clock.at(at(8, 19)):
            response = client.get(f"/visits/{visit.pk}/")
        return response.status_code, response.content.decode()

    return get


@pytest.fixture
def written(held, educator):
    logs.write(held, logs.Entry(45, "es", 2, True, hopes=SAID), by=educator)
    reflections.reflect(held, reflections.Thoughts(LEARNED), by=educator)
    return held


def test_the_list_shows_visits_by_state(client, educator, visit):
    client.force_login(educator)

    assert "Ortega family" in client.get("/visits/").content.decode()
    assert "Ortega family" in client.get("/visits/?state=scheduled").content.decode()
    assert "No visit like this" in client.get("/visits/?state=completed").content.decode()


def test_who_went_reads_the_log_and_own_reflection(read, written, educator):
    status, page = read(educator, written)

    assert status == 200 and SAID in page and LEARNED in page


def test_partner_reads_the_reflection_only_after_writing_one(read, written, partner):
    _, page = read(partner, written)
    assert SAID in page and LEARNED not in page

    reflections.reflect(written, reflections.Thoughts(PARTNERS), by=partner)

    _, page = read(partner, written)
    assert LEARNED in page and PARTNERS in page


@pytest.mark.parametrize("who", ["site_coordinator", "program_coordinator"])
def test_coordinators_see_that_it_was_held_never_what_was_said(read, written, request, who):
    status, page = read(request.getfixturevalue(who), written)

    assert status == 200 and "Written up by" in page
    assert SAID not in page and LEARNED not in page


@pytest.mark.parametrize(
    ("who", "refused"), [("finance", 403), ("colleague", 404), ("funder", 403), ("outsider", 404)]
)
def test_others_do_not_open_the_visit(read, written, request, who, refused):
    status, page = read(request.getfixturevalue(who), written)

    assert status == refused
    assert SAID not in page and LEARNED not in page and "Ortega" not in page


def test_one_next_step_at_a_time(read, client, visit, educator, partner):
    client.force_login(partner)
    assert "Confirm this time" in client.get(f"/visits/{visit.pk}/").content.decode()
    client.force_login(educator)
    ahead = client.get(f"/visits/{visit.pk}/").content.decode()
    assert "Your partner was asked to confirm." in ahead and "btn-primary" not in ahead
    assert "Nobody was home" not in ahead

    _, page = read(educator, visit)

    assert "We visited" in page and page.count("btn-primary") == 1
    assert "Nobody was home" in page


def test_a_coordinator_may_confirm(client, visit, site_coordinator):
    client.force_login(site_coordinator)

    assert f"/visits/{visit.pk}/confirm/" in client.get(f"/visits/{visit.pk}/").content.decode()
