"""Finding a time, and what stands in its way: a sentence on the page."""

import datetime
import re

import pytest

from pthv import clock
from tests.conftest import at
from training.models import Certification
from visits import answers
from visits.models import Invitation, Visit

THURSDAY = {"day": "2026-10-08", "time": "16:30", "minutes": "60", "place": "home"}


@pytest.fixture
def schedule(client, accepted, educator):
    def post(**changes):
        client.force_login(educator)
        url = f"/invitations/{accepted.pk}/schedule/"
        response = client.post(url, THURSDAY | changes, follow=True)
        return response.status_code, response.content.decode()

    return post


def test_no_time_is_looked_for_before_a_yes(client, invitation, educator):
    client.force_login(educator)

    page = client.get(f"/invitations/{invitation.pk}/schedule/", follow=True)

    assert page.redirect_chain == [(invitation.get_absolute_url(), 302)]
    assert "has not said yes yet. Record their answer first." in page.content.decode()


def test_a_time_is_scheduled(schedule):
    status, page = schedule()

    assert status == 200 and "Scheduled. Your partner gets a message to confirm." in page
    assert "Thu, Oct 8, 4:30 PM" in page
    assert Visit.objects.get().during.lower == at(8, 16, 30)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time": "10:00"}, "This is inside Lincoln&#x27;s contract day (7:45 AM to 3:15 PM)."),
        ({"day": "2026-10-05"}, "This time has passed. Pick a later one."),
    ],
)
def test_a_time_that_cannot_be_is_refused_on_the_page(schedule, changes, sentence):
    status, page = schedule(**changes)

    assert status == 409 and sentence in page
    assert not Visit.objects.exists()


def test_an_untrained_partner_is_named(schedule, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 9, 1)
    )

    status, page = schedule()

    assert status == 409 and "Ben Lee" in page and "training" in page


def test_a_family_that_said_no_gets_no_visit(schedule, accepted, educator):
    answers.record(accepted, "declined", by=educator)

    status, page = schedule()

    assert status == 409 and "The Ortega family said no thank you." in page


def test_what_was_typed_stays(schedule):
    _, page = schedule(time="10:00", minutes="45")

    assert 'value="10:00"' in page
    assert 'value="45" checked' in " ".join(page.split())


def test_an_empty_form_says_what_is_missing(schedule):
    status, page = schedule(day="", time="")

    assert status == 422 and "Choose a day." in page and "Choose a time." in page


def test_partner_confirms_and_the_visit_is_held_after_its_time(client, visit, educator, partner):
    client.force_login(partner)
    page = client.post(f"/visits/{visit.pk}/confirm/", follow=True).content.decode()
    assert "Confirmed." in page

    client.force_login(educator)
    early = client.post(f"/visits/{visit.pk}/hold/", follow=True).content.decode()
    assert "This visit starts Thu, Oct 8, 4:30 PM. Log it afterwards." in early
    with clock.at(at(8, 18)):
        assert (
            "Log this visit"
            in client.post(f"/visits/{visit.pk}/hold/", follow=True).content.decode()
        )


def test_a_cancelled_visit_leaves_the_yes(client, visit, educator, accepted):
    client.force_login(educator)

    page = client.post(f"/visits/{visit.pk}/cancel/", {"ending": "family_cancelled"}, follow=True)

    assert "Cancelled by the family" in page.content.decode()
    assert "Find a time" in client.get(f"/families/{accepted.family_id}/").content.decode()


def test_a_visit_ends_in_one_of_three_ways(client, visit, educator):
    client.force_login(educator)

    page = client.post(f"/visits/{visit.pk}/cancel/", {"ending": "completed"}, follow=True)

    assert "choose one of the three" in page.content.decode()
    visit.refresh_from_db()
    assert visit.is_ahead


def test_what_the_family_would_like_is_at_hand(client, accepted, educator):
    Invitation.objects.update(
        place_wanted="elsewhere", interpreter_wanted=True, times=["tue-evening", "tue-afternoon"]
    )
    client.force_login(educator)

    for url in (f"/invitations/{accepted.pk}/schedule/", f"/families/{accepted.family_id}/"):
        page = client.get(url).content.decode()
        assert "They would like:" in page and "Somewhere else" in page
        assert "With an interpreter" in page and "Tuesday: afternoon and evening" in page
    page = client.get(f"/invitations/{accepted.pk}/schedule/").content.decode()
    assert re.search(r'value="neutral"[^>]*checked', page)
