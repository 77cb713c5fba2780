"""Reflecting on screen."""

import pytest

from visits import logs, reflections
from visits.models import Reflection, Visit


@pytest.fixture
def logged(held, educator):
    logs.write(held, logs.Entry(45, "es", 2, True, hopes="That he loves to read."), by=educator)
    return held


def test_one_line_is_enough_and_the_second_completes_the_visit(client, logged, educator, partner):
    for user in (educator, partner):
        client.force_login(user)
        assert (
            "The family may read this."
            in client.get(f"/visits/{logged.pk}/reflect/").content.decode()
        )
        page = client.post(f"/visits/{logged.pk}/reflect/", {"learned": "He cooks."}, follow=True)
        assert "Thank you. That is all for this visit." in page.content.decode()

    logged.refresh_from_db()
    assert logged.state == Visit.State.COMPLETED
    assert not Reflection.objects.filter(shared_with_debrief=True).exists()


def test_nothing_written_is_asked_for_kindly(client, logged, educator):
    client.force_login(educator)

    page = client.post(f"/visits/{logged.pk}/reflect/", {"assumed": "Nothing", "learned": " "})

    assert page.status_code == 422
    assert "One line is enough: what did you learn?" in page.content.decode()
    assert "Nothing" in page.content.decode()


def test_the_log_comes_first(client, held, educator):
    client.force_login(educator)

    page = client.post(f"/visits/{held.pk}/reflect/", {"learned": "He cooks."})

    assert page.status_code == 409
    assert "Log the visit first; it takes a minute." in page.content.decode()


def test_the_partners_words_are_not_on_the_form(client, logged, educator, partner):
    reflections.reflect(logged, reflections.Thoughts("He builds radios."), by=educator)
    client.force_login(partner)

    assert "He builds radios." not in client.get(f"/visits/{logged.pk}/reflect/").content.decode()
