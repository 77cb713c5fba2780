"""Reflecting on screen."""

import pytest

from pthv import clock
from tests.conftest import at
from visits import logs, reflections
from visits.models import PayLine, Reflection, Visit, VisitLog


@pytest.fixture
def logged(held, educator):
    logs.write(held, logs.Entry(45, "es", 2, True, hopes="That he loves to read."), by=educator)
    return held


def test_one_line_is_enough_and_the_second_completes_the_visit(client, logged, educator, partner):
    for user in (educator, partner):
        client.force_login(user)
        assert (
            "A family may ask to read it."
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


def test_a_log_corrected_after_somebody_reflected_is_looked_at_again(
    client, logged, educator, partner
):
    def post(user, page, **facts):
        client.force_login(user)
        return client.post(f"/visits/{logged.pk}/{page}/", facts, follow=True).content.decode()

    taps = {"minutes": "50", "adults_present": "2", "student_present": "on", "language": "es"}
    post(educator, "reflect", learned="He builds radios.")
    seen = logs.version(logged.log)
    with clock.at(at(8, 19)):
        page = post(partner, "log", **taps, hopes="That she loves to read.", seen=seen)
    assert "One thing left: reflect." in page
    post(partner, "reflect", learned="They cook together.")
    logged.refresh_from_db()
    assert logged.state == Visit.State.HELD and not PayLine.objects.exists()

    client.force_login(educator)
    assert "Ben changed the log after you had reflected." in client.get("/today/").content.decode()
    page = client.get(f"/visits/{logged.pk}/").content.decode()
    assert "Ben changed the log. Is it still right?" in page
    assert "Looks at the log again" in page
    assert "Please read it again." in post(educator, "attest", seen=seen)
    page = post(educator, "attest", seen=logs.version(VisitLog.objects.get()))

    assert "Thank you. That is all for this visit." in page
    logged.refresh_from_db()
    assert logged.state == Visit.State.COMPLETED
    assert sorted(line.payee.email for line in PayLine.objects.all()) == [
        "ana.ruiz@example.org",
        "ben.lee@example.org",
    ]


def test_who_corrects_after_reflecting_hears_who_is_asked(client, logged, educator):
    reflections.reflect(logged, reflections.Thoughts("He builds radios."), by=educator)
    client.force_login(educator)
    taps = {"minutes": "50", "adults_present": "2", "student_present": "on", "language": "es"}

    page = client.post(
        f"/visits/{logged.pk}/log/", taps | {"seen": logs.version(logged.log)}, follow=True
    )

    assert page.redirect_chain == [(f"/visits/{logged.pk}/", 302)]
    assert "Saved. Ben gets asked to look at it again." in page.content.decode()


@pytest.mark.parametrize(
    ("page", "said"),
    [("log", "Log it afterwards."), ("reflect", "It has not been held yet.")],
)
def test_a_visit_ahead_is_not_written_up(client, visit, educator, page, said):
    client.force_login(educator)

    response = client.get(f"/visits/{visit.pk}/{page}/", follow=True)

    assert response.redirect_chain == [(f"/visits/{visit.pk}/", 302)]
    assert said in response.content.decode()


def test_a_cancelled_or_complete_visit_is_not_logged(client, completed, educator):
    client.force_login(educator)

    response = client.get(f"/visits/{completed.pk}/log/", follow=True)

    assert "This visit is complete." in response.content.decode()
