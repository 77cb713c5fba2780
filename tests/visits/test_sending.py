"""What a phone sends again is done once."""

import datetime
import uuid

import pytest
from django.test import Client

from pthv import clock
from tests.conftest import at
from tests.visits.test_concurrency import at_once
from visits import logs, sending
from visits.models import ReceivedKey, Reflection, SafetyCheck, VisitLog

LOG = {"minutes": "40", "adults_present": "2", "student_present": "on", "language": "es"}


@pytest.fixture
def send(held):
    """Post a page of the visit as somebody's phone does."""

    def post(user, page: str = "log", key: object = None, **data):
        client = Client()
        client.force_login(user)
        headers = {"X-Send-Key": str(key or uuid.uuid4())}
        return client.post(f"/visits/{held.pk}/{page}/", data, headers=headers)

    return post


def test_a_script_reads_where_to_go_on(send, held, educator):
    response = send(educator, **LOG)

    assert (response.status_code, response.json()) == (200, {"next": f"/visits/{held.pk}/reflect/"})


def test_sent_again_it_succeeds_and_changes_nothing(send, held, educator, partner):
    key = uuid.uuid4()
    first = send(educator, key=key, hopes="Of Ana", **LOG)
    saved = logs.version(VisitLog.objects.get())
    with clock.at(at(8, 19)):
        send(partner, hopes="Of both", seen=saved, **LOG)

    again = send(educator, key=key, hopes="Of Ana", **LOG)

    assert (again.status_code, again.json()) == (200, first.json())
    assert VisitLog.objects.get().hopes == "Of both"


def test_a_refusal_uses_up_no_key(send, held, educator):
    key = uuid.uuid4()
    refused = send(educator, "reflect", key, learned="He cooks.")
    assert refused.status_code == 409 and "Log the visit first" in refused.content.decode()
    send(educator, **LOG)

    assert send(educator, "reflect", key, learned="He cooks.").status_code == 200
    assert Reflection.objects.get().learned == "He cooks."


def test_nobody_uses_up_somebody_elses_key(send, held, educator, partner):
    key = uuid.uuid4()
    send(educator, key=key, hopes="Of Ana", **LOG)

    refused = send(partner, key=key, hopes="Of Ben", **LOG)

    assert refused.status_code == 409 and "Of Ben" in refused.content.decode()


@pytest.mark.parametrize("key", ["", "1", "not-a-key", "'; drop"])
def test_without_a_key_of_ours_the_page_answers_as_ever(send, held, educator, key):
    client = Client()
    client.force_login(educator)

    response = client.post(f"/visits/{held.pk}/log/", LOG, headers={"X-Send-Key": key})

    assert response.status_code == 302
    assert not ReceivedKey.objects.exists()


def test_a_key_opens_nothing_that_is_not_ones_own(send, held, colleague, site_coordinator):
    assert send(colleague, **LOG).status_code == 404
    assert send(site_coordinator, **LOG).status_code == 403
    assert not ReceivedKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one(send, held, educator):
    key = uuid.uuid4()

    def one() -> int:
        with clock.at(at(8, 18)):
            return send(educator, key=key, hopes="Of Ana", **LOG).status_code

    assert set(at_once(*[one] * 20)) == {200}
    assert ReceivedKey.objects.count() == VisitLog.objects.count() == 1


def test_keys_are_forgotten_when_no_phone_sends_them_again(send, held, educator):
    send(educator, **LOG)
    assert sending.forget() == 0

    with clock.at(clock.now() + sending.KEPT + datetime.timedelta(minutes=1)):
        assert sending.forget() == 1


def test_a_refused_tap_says_why_and_uses_up_no_key(visit, educator):
    client, key = Client(), str(uuid.uuid4())
    client.force_login(educator)

    def out(moment):
        with clock.at(moment):
            return client.post(f"/visits/{visit.pk}/out/", headers={"X-Send-Key": key})

    refused = out(at(7, 9))
    assert refused.status_code == 409 and refused.json()["said"]
    assert not ReceivedKey.objects.exists()

    assert out(at(8, 16)).status_code == 200
    assert SafetyCheck.objects.get().out_by == educator


def test_of_many_sent_at_once_the_last_one_speaks(visit, educator):
    client = Client()
    client.force_login(educator)
    with clock.at(at(8, 16, 30)):
        for step in ("out", "arrive"):
            client.post(f"/visits/{visit.pk}/{step}/", headers={"X-Send-Key": str(uuid.uuid4())})
        page = client.get("/today/").content.decode()

    assert "You are expected back by" in page and "Have a good visit" not in page
