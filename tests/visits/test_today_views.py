"""An educator's Today: the next visit with its one step, whom to invite, promises."""

import pytest

from pthv import clock
from tests.conftest import at
from visits import answers, invitations, logs, reflections, scheduling, selection
from visits.models import Invitation


@pytest.fixture
def today(client):
    def page(user):
        client.force_login(user)
        response = client.get("/today/")
        assert response.status_code == 200
        return response.content.decode()

    return page


def test_today_offers_the_families_of_the_plan(today, educator, invitation):
    page = today(educator)

    assert "Ortega family\u00a0— Mateo (3)" in page
    assert 'href="tel:' in page and "Call Marta" in page
    assert f"/invitations/{invitation.pk}/attempt/" in page


def test_today_asks_the_partner_to_confirm(today, educator, partner, visit):
    assert "Confirm this time" in today(partner)
    assert "Confirm this time" not in today(educator)


def test_today_follows_the_visit_to_its_end(today, educator, partner, visit):
    with clock.at(at(8, 18)):
        assert "We visited" in today(educator)
        entry = logs.Entry(
            40, "es", 1, True, promise="A library card", promise_due_on=at(15, 0).date()
        )
        logs.write(visit, entry, by=educator)
        page = today(educator)
        assert f"/visits/{visit.pk}/reflect/" in page and "A library card" in page
        reflections.reflect(visit, reflections.Thoughts("He builds radios."), by=educator)
        assert f"/visits/{visit.pk}/reflect/" not in today(educator)
        assert f"/visits/{visit.pk}/reflect/" in today(partner)


def test_today_says_what_to_expect_when_nothing_waits(today, colleague):
    assert "No visit waits for you" in today(colleague)


def test_a_promise_is_kept_with_a_tap(client, educator, held):
    entry = logs.Entry(40, "es", 1, True, promise="A library card", promise_due_on=at(15, 0).date())
    logs.write(held, entry, by=educator)
    client.force_login(educator)

    page = client.post(f"/promises/{held.follow_ups.get().pk}/keep/", follow=True)

    assert "Kept. Thank you." in page.content.decode()
    assert "A library card" not in page.content.decode()


def test_what_comes_up_is_below_the_next_step(
    today, educator, partner, visit, add_family, school, school_year, school_class, site_coordinator
):
    add_family("Nguyen")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    later = Invitation.objects.get(family__surnames="Nguyen")
    answers.record(later, "accepted", by=educator)
    invitations.choose_team(later, [partner.educators.get()], by=educator)
    scheduling.schedule(later, scheduling.slot(at(9, 17)), "home", by=educator)

    page = today(partner)
    assert "Please confirm" in page and "Ana Ruiz" in page and "Ben Lee" not in page
    assert page.index("Ortega family") < page.index("Coming up") < page.index("Nguyen family")
    with clock.at(at(8, 18)):
        assert "Did this visit happen?" in today(partner)
        scheduling.hold(visit, by=educator)
        assert "To write up" in today(partner)


def test_each_number_leads_to_its_families(client, today, educator, completed):
    page = today(educator)

    url = "/families/?mine=1&kind=first&state=visited"
    assert url.replace("&", "&amp;") in page
    assert "Ortega family" in client.get(url).content.decode()
    second = "/families/?mine=1&kind=second&state=visited"
    assert "Ortega family" not in client.get(second).content.decode()
