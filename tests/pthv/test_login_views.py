"""The log-in page, and the demo's people on it."""

import pytest

from pthv.models import User


@pytest.fixture
def demo_person(educator) -> User:
    User.objects.filter(pk=educator.pk).update(is_demo=True)
    return educator


def test_the_demo_offers_its_people_by_role(client, demo_person, site_coordinator, settings):
    settings.DEMO_LOGINS = True

    page = client.get("/accounts/login/").content.decode()

    assert "Look around as" in page and "ana.ruiz@example.org" in page and "Educator" in page
    assert "sam.site@example.org" not in page


def test_outside_the_demo_nobody_is_offered(client, demo_person, settings):
    settings.DEMO_LOGINS = False

    page = client.get("/accounts/login/").content.decode()

    assert "Look around as" not in page and "ana.ruiz" not in page


def test_one_tap_logs_in_as_an_invented_person_only(
    client, demo_person, site_coordinator, settings
):
    settings.DEMO_LOGINS = True

    assert client.post("/demo/login/", {"email": site_coordinator.email}).status_code == 404
    page = client.post("/demo/login/", {"email": demo_person.email}, follow=True)
    assert page.redirect_chain[-1][0] == "/today/"
