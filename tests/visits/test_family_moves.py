"""The family chooses another time by its own link: one at which everybody who comes is free."""

import datetime
import re

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from families import people
from pthv import clock
from pthv.models import Message
from tests.conftest import at
from tests.snapshot import database
from tests.visits.test_family_page import BYTES, opened, page, path_of, text_of
from visits import answers, invitations, links, moving, safety, scheduling
from visits import selection as plans
from visits.models import Invitation, Visit

pytestmark = pytest.mark.django_db
URL = "/invitation/en/move/"
QUERIES = 22


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


@pytest.fixture
def mother(family):
    return family.caregivers.get()


@pytest.fixture
def guest(visit, mother, educator) -> Client:
    """The mother's phone; the visit is on Thursday at 4:30 PM."""
    client = Client()
    client.get(path_of(links.mint(visit.invitation, mother, by=educator)))
    return client


def offered(client: Client) -> list[str]:
    return re.findall(r'name="slot" value="([^"]+)"', client.get(URL).content.decode())


def choose(client: Client, slot: str, visit: Visit, **more):
    data = {"slot": slot, "visit": f"{visit.pk}-{visit.sequence}"} | opened(client) | more
    return client.post(URL, data)


def starts_of(visit: Visit) -> datetime.datetime:
    return Visit.objects.get(pk=visit.pk).during.lower


def test_a_visit_to_which_they_are_on_the_way_is_not_moved_by_link(guest, visit, educator):
    slot, was = offered(guest)[0], visit.during.lower
    with clock.at(was - datetime.timedelta(minutes=10)):
        safety.out(visit, by=educator)
        response = choose(guest, slot, visit)

    assert response.status_code == 409
    assert "on their way, or with you already" in text_of(response)
    assert starts_of(visit) == was


def test_looking_changes_nothing(guest):
    before = database()

    assert "Choose another time" in page(guest)
    assert "it stays: Thursday, October 8, 4:30 PM–5:30 PM" in text_of(guest.get(URL))

    assert database() == before


def test_another_time_is_two_taps_and_everybody_hears(guest, visit, educator, partner):
    slots = offered(guest)
    friday = at(9, 17).astimezone(datetime.UTC)
    assert friday in map(datetime.datetime.fromisoformat, slots)

    response = choose(guest, friday.isoformat(), visit)

    assert response["Location"] == "/invitation/en/"
    assert starts_of(visit) == friday
    said = page(guest)
    assert "This is your new time. Ana and Ben know it. Friday, October 9, 5:00 PM–6:00 PM" in said
    told = Message.objects.filter(kind="visit_moved").values_list("address", flat=True)
    assert sorted(told) == sorted([educator.email, partner.email])


def test_none_is_offered_for_today_or_in_the_contract_day(guest):
    starts = [datetime.datetime.fromisoformat(slot) for slot in offered(guest)]

    assert starts
    for start in starts:
        local = start.astimezone(at(6, 12).tzinfo)
        assert local.date() > at(6, 12).date()
        assert local.weekday() > 4 or local.time() >= datetime.time(15, 15)


@pytest.mark.parametrize("slot", ["2026-10-09T03:00:00-05:00", "2026-10-06T18:00:00-05:00"])
def test_a_time_that_was_not_offered_is_none(guest, visit, slot):
    response = choose(guest, slot, visit)

    assert response.status_code == 409
    assert "This time is not free any more. Please choose another." in text_of(response)
    assert starts_of(visit) == at(8, 16, 30)


@pytest.mark.parametrize("slot", ["", "soon", "9999-12-31T23:59:59+14:00", "2026-10-09"])
def test_what_is_no_time_asks_for_one(guest, visit, slot):
    response = choose(guest, slot, visit)

    assert response.status_code == 409
    assert starts_of(visit) == at(8, 16, 30)


def test_a_time_that_was_taken_meanwhile_says_so(guest, visit, educator, said_yes):
    slot = at(9, 17)
    other = said_yes("Nguyen")
    scheduling.schedule(other, scheduling.slot(slot), "home", by=educator)

    response = choose(guest, slot.isoformat(), visit)

    assert response.status_code == 409 and "not free any more" in text_of(response)
    assert "Nguyen" not in text_of(response)
    assert starts_of(visit) == at(8, 16, 30)


@pytest.fixture
def said_yes(add_family, school, school_year, educator, partner, site_coordinator):
    """Another family that said yes to the same two."""

    def said_yes(surname: str) -> Invitation:
        family = add_family(surname)
        plans.plan_everyone(school, school_year, by=site_coordinator)
        invitation = Invitation.objects.get(family=family)
        Invitation.objects.filter(pk=invitation.pk).update(educator=educator.educators.get())
        invitation.refresh_from_db()
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
        return Invitation.objects.get(pk=invitation.pk)

    return said_yes


def test_a_form_that_was_open_before_a_change_says_so(guest, visit, educator):
    moving.move(visit, scheduling.slot(at(10, 11)), "home", by=educator)

    response = choose(guest, at(9, 17).isoformat(), visit)

    assert response.status_code == 409
    assert "The time has changed. Please look at it again." in text_of(response)
    assert starts_of(visit) == at(10, 11)


def test_whose_say_ended_moves_nothing(guest, visit, mother, site_coordinator):
    data = opened(guest) | {"slot": at(9, 17).isoformat(), "visit": f"{visit.pk}-0"}
    people.end_caregiver(mother, because="Moved away", by=site_coordinator)

    assert guest.post(URL, data).status_code == 404
    assert starts_of(visit) == at(8, 16, 30)


def test_a_visit_that_has_begun_is_not_moved(guest, visit):
    with clock.at(at(8, 17)):
        assert guest.get(URL).status_code == 302


def test_it_is_light_and_asks_little(guest):
    with CaptureQueriesContext(connection) as queries:
        response = guest.get(URL)

    assert len(response.content) <= BYTES
    assert len(queries) <= QUERIES


@pytest.mark.parametrize(("lang", "words"), [("es", "Otra hora para su visita"), ("ar", "وقت آخر")])
def test_it_is_in_their_language(guest, lang, words):
    response = guest.get(f"/invitation/{lang}/move/")

    assert words in text_of(response)
    assert ("rtl" in response.content.decode()) == (lang == "ar")
