"""The log-in page, and the demo's people on it."""

import pytest

from pthv.models import Program, User


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


@pytest.fixture
def production(settings) -> None:
    """A site for the demo, outside development."""
    settings.DEV, settings.DEMO_LOGINS = False, True


@pytest.fixture
def demo_program(program) -> Program:
    Program.objects.filter(pk=program.pk).update(is_demo=True)
    return program


def one_tap(client, person: User) -> int:
    return client.post("/demo/login/", {"email": person.email}).status_code


def test_outside_development_a_demo_alone_lets_its_people_in(
    client, production, demo_program, demo_person
):
    assert "ana.ruiz@example.org" in client.get("/accounts/login/").content.decode()
    assert one_tap(client, demo_person) == 302
    assert client.get("/today/").status_code == 200


def test_beside_real_families_nobody_invented_gets_in(
    client, production, demo_program, demo_person, settings
):
    demo_person.set_password("a known password")
    demo_person.save(update_fields=["password"])
    known = {"email": demo_person.email, "password": "a known password"}
    assert client.login(**known)
    Program.objects.create(name="Real", slug="real")

    # Not by password, not by one tap, and whoever was in is out.
    assert client.get("/today/").status_code == 302
    assert not client.login(**known)
    assert one_tap(client, demo_person) == 404
    assert "ana.ruiz" not in client.get("/accounts/login/").content.decode()

    settings.DEV = True
    assert one_tap(client, demo_person) == 302


@pytest.mark.parametrize("development", [True, False])
def test_the_demos_administrator_gets_in_in_development_only(
    client, production, demo_program, administrator, settings, development
):
    settings.DEV = development
    User.objects.filter(pk=administrator.pk).update(is_demo=True)

    assert one_tap(client, administrator) == (302 if development else 404)
    known = {"email": administrator.email, "password": "a long password"}
    assert client.login(**known) is development


def test_real_people_log_in_whatever_the_demo_may(client, production, administrator):
    assert client.login(email=administrator.email, password="a long password")
