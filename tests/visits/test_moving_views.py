"""Moving, swapping and saying that one can't, each in a tap or two."""

import datetime
import re
from html import unescape

import pytest
from django.test import Client

from pthv.models import Message
from tests.conftest import at
from visits import moving, scheduling
from visits.models import Visit


@pytest.fixture
def hers(educator) -> Client:
    client = Client()
    client.force_login(educator)
    return client


def test_from_the_visit_to_another_time(hers, visit):
    page = hers.get(f"/visits/{visit.pk}/").content.decode()
    assert f'href="/visits/{visit.pk}/move/"' in page

    offered = hers.get(f"/visits/{visit.pk}/move/").content.decode()
    slots = re.findall(r'name="slot" value="([^"]+)"', offered)
    friday = at(9, 17).astimezone(datetime.UTC)
    (slot,) = (one for one in slots if one != "other" and
               datetime.datetime.fromisoformat(one) == friday)  # fmt: skip
    response = hers.post(
        f"/visits/{visit.pk}/move/", {"slot": slot, "minutes": 60, "place": "home"}
    )

    assert response["Location"] == f"/visits/{visit.pk}/"
    visit.refresh_from_db()
    assert visit.during.lower == friday
    assert "Moved. Everybody gets a message." in hers.get(f"/visits/{visit.pk}/").content.decode()


def test_its_own_time_is_offered_a_little_later_too(hers, visit):
    """4:30 to 5:30 keeps nothing away from 5:00."""
    offered = hers.get(f"/visits/{visit.pk}/move/").content.decode()

    starts = [
        datetime.datetime.fromisoformat(one)
        for one in re.findall(r'name="slot" value="([^"]+)"', offered)
        if one != "other"
    ]
    assert at(8, 17) in starts


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        ({}, 422, "Choose a day."),
        ({"slot": "other", "day": "2026-10-09", "time": "10:00"}, 409, "contract day"),
        ({"slot": "nonsense"}, 422, "Choose a time."),
        ({"slot": "9999-12-31T23:59:00+00:00"}, 422, "Choose a time."),
        ({"slot": "0001-01-01T00:30:00+00:00"}, 422, "Choose a time."),
        ({"slot": "2026-10-09T17:00"}, 422, "Choose a time."),
        ({"slot": "2026-10-09\0"}, 422, ""),
    ],
)
def test_what_does_not_work_says_why_and_nothing_moves(hers, visit, data, status, said):
    data = {"minutes": 60, "place": "home"} | data

    response = hers.post(f"/visits/{visit.pk}/move/", data)

    assert response.status_code == status and said in response.content.decode()
    visit.refresh_from_db()
    assert visit.during.lower == at(8, 16, 30)


def test_the_partner_cant_and_the_lead_finds_another(hers, visit, partner, third):
    his = Client()
    his.force_login(partner)
    assert his.post(f"/visits/{visit.pk}/decline/").status_code == 302

    page = hers.get(f"/visits/{visit.pk}/").content.decode()
    assert "Ben Lee can&#x27;t go" in page or "Ben Lee can't go" in page
    swap = hers.get(f"/visits/{visit.pk}/swap/").content.decode()
    ben, cara = partner.educators.get(), third.educators.get()
    assert re.search(rf'name="out" value="{ben.pk}" required checked', swap)
    assert "No visit yet this year" in swap

    response = hers.post(f"/visits/{visit.pk}/swap/", {"out": ben.pk, "to": cara.pk})

    assert response.status_code == 302
    assert [str(one.educator) for one in Visit.objects.get().visitors] == ["Ana Ruiz", "Cara Diaz"]


def test_nobody_chosen_and_somebody_untrained_are_refused(hers, visit, partner, colleague):
    ben = partner.educators.get().pk

    nobody = hers.post(f"/visits/{visit.pk}/swap/", {"out": ben})
    untrained = hers.post(
        f"/visits/{visit.pk}/swap/", {"out": ben, "to": colleague.educators.get().pk}
    )

    assert nobody.status_code == 422 and "Choose who goes instead." in nobody.content.decode()
    assert untrained.status_code == 409
    assert "Cara Diaz has not been trained" in untrained.content.decode()


def test_what_is_cancelled_is_not_moved(hers, visit, educator):
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    response = hers.post(
        f"/visits/{visit.pk}/move/",
        {"slot": at(9, 17).isoformat(), "minutes": 60, "place": "home"},
    )

    assert response.status_code == 409
    assert Visit.objects.get().state == "educator_cancelled"


def test_why_we_cancelled_is_for_colleagues(hers, visit, site_coordinator):
    hers.post(
        f"/visits/{visit.pk}/cancel/", {"ending": "educator_cancelled", "because": "I am ill."}
    )

    sams = Client()
    sams.force_login(site_coordinator)
    assert "I am ill." in sams.get(f"/visits/{visit.pk}/").content.decode()
    assert not Message.objects.filter(body__contains="I am ill").exists()


def test_no_familys_reason_is_kept(hers, visit):
    form = {"ending": "family_cancelled", "because": "They argued."}
    hers.post(f"/visits/{visit.pk}/cancel/", form)

    visit.refresh_from_db()
    assert (visit.state, visit.because) == ("family_cancelled", "")


def test_a_reason_as_long_as_a_letter_is_asked_to_be_shorter(hers, visit):
    form = {"ending": "educator_cancelled", "because": "x" * 201}
    page = hers.post(f"/visits/{visit.pk}/cancel/", form, follow=True).content.decode()

    visit.refresh_from_db()
    assert "Say it in fewer words." in page and visit.is_ahead


def test_the_visits_page_tells_what_changed_and_by_whom(hers, visit, educator, partner, third):
    ben, cara = partner.educators.get(), third.educators.get()
    moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)
    moving.decline(visit, by=partner)
    moving.swap(visit, ben, cara, by=educator)

    page = hers.get(f"/visits/{visit.pk}/").content.decode()
    said = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())

    told = (
        "Scheduled for Thu, Oct 8, 4:30 PM Ana Ruiz · Tue, Oct 6, 1:00 PM "
        "Moved from Thu, Oct 8, 4:30 PM to Fri, Oct 9, 5:00 PM Ana Ruiz · Tue, Oct 6, 1:00 PM "
        "Said that they can't go Ben Lee · Tue, Oct 6, 1:00 PM "
        "Cara Diaz goes instead of Ben Lee Ana Ruiz"
    )
    assert told in said


def test_where_to_meet_is_not_read_by_who_moves_it(visit, educator, site_coordinator):
    moving.move(visit, scheduling.slot(at(29, 17)), "neutral", by=educator, address="12 Elm St")
    sams = Client()
    sams.force_login(site_coordinator)

    page = sams.get(f"/visits/{visit.pk}/move/").content.decode()
    assert "12 Elm St" not in page

    form = {"slot": at(30, 17).isoformat(), "minutes": 60, "place": "neutral", "address": ""}
    sams.post(f"/visits/{visit.pk}/move/", form)
    visit.refresh_from_db()
    assert (visit.during.lower, visit.address) == (at(30, 17), "12 Elm St")
