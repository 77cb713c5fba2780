"""The log, one screen."""

import pytest

from tests.conftest import at
from visits import logs
from visits.models import FollowUp, VisitLog

TAPS = {"minutes": "40", "adults_present": "2", "student_present": "on", "language": "es"}


@pytest.fixture
def write(client, held, educator):
    def post(user=educator, **words):
        client.force_login(user)
        response = client.post(f"/visits/{held.pk}/log/", TAPS | words, follow=True)
        return response.status_code, response.content.decode()

    return post


def test_the_form_is_ready_to_save(client, held, educator):
    client.force_login(educator)

    page = " ".join(client.get(f"/visits/{held.pk}/log/").content.decode().split())

    assert 'value="40" id="' in page or 'value="40" checked' in page
    assert '<option value="es" selected>' in page
    assert page.index("The family may read this.") < page.index('name="hopes"')


def test_taps_alone_make_a_log_and_reflecting_comes_next(write, held):
    status, page = write()

    assert status == 200 and "One thing left: reflect." in page
    assert VisitLog.objects.get().minutes == 40


def test_words_and_a_promise_are_kept(write, held):
    write(hopes="That he loves to read.", promise="A library card", promise_due_on="2026-10-15")

    assert VisitLog.objects.get().hopes == "That he loves to read."
    assert FollowUp.objects.get().due_on == at(15, 0).date()


def test_a_promise_needs_its_day_and_nothing_typed_is_lost(write):
    status, page = write(hopes="That he loves to read.", promise="A library card")

    assert status == 422 and "By when? Pick a day." in page
    assert "That he loves to read." in page and "A library card" in page


def test_two_who_write_at_once_both_keep_their_words(write, held, educator, partner):
    logs.write(held, logs.Entry(30, "es", 1, True, hopes="Of Ana"), by=educator)

    status, page = write(partner, hopes="Of Ben", seen="")

    assert status == 409 and "This log was saved while you were writing." in page
    assert "Of Ana" in page and "Of Ben" in page
    assert VisitLog.objects.get().hopes == "Of Ana"


def test_a_coordinator_cannot_log(client, held, site_coordinator):
    client.force_login(site_coordinator)

    assert client.get(f"/visits/{held.pk}/log/").status_code == 403
