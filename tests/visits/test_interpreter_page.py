"""An interpreter's page behind a link: what it shows, what it changes, whom it lets in."""

import datetime

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from pthv import clock, delivery, tokens
from pthv.models import AuditEntry, Membership, Message
from tests.conftest import at
from tests.snapshot import database
from tests.visits.test_family_page import text_of
from visits import interpreting, moving, rota, scheduling
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


@pytest.fixture
def ask(interpreter_request) -> InterpreterAsk:
    interpreter_request.visit.family.address = "12 Elm Street"
    interpreter_request.visit.family.save()
    return interpreter_request.asks.get()


@pytest.fixture
def door(ask) -> str:
    return reverse("interpreter_page", args=[tokens.token(ask.nonce)])


def page(door: str) -> str:
    response = Client().get(door)
    assert response.status_code == 200
    return text_of(response)


def say(door: str, answer: str, **more) -> int:
    return Client(enforce_csrf_checks=True, **more).post(door, {"answer": answer}).status_code


def state() -> str:
    return InterpreterRequest.objects.latest("pk").state


def test_the_message_has_the_link_that_opens_it(ask, door):
    (message,) = Message.objects.filter(kind="interpreter_ask")

    assert f"http://127.0.0.1:8000{door}" in delivery.filled(message)


def test_it_shows_when_where_what_and_the_rate_and_nothing_of_the_family(door, visit, family):
    said = page(door)

    for words in ("Thu, Oct 8, 4:30 PM–5:30 PM", "Lincoln", "Spanish", "$45.00 an hour"):
        assert words in said
    assert "At the family’s home" in said
    body = Client().get(door).content.decode()
    child = family.students.get().given_name
    for secret in ("Ortega", child, "Elm", "Marta", "0142", "Ana Ruiz"):
        assert secret not in body


def test_looking_changes_nothing_and_is_not_kept_nor_passed_on(door):
    before = database()

    response = Client().get(door)
    Client().head(door)

    assert database() == before
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    assert not response.cookies


def test_yes_and_cannot_after_all(door, ask):
    assert say(door, "yes") == 302
    assert state() == "covered"
    assert "You interpret at this visit" in page(door) and "Ana Ruiz and Ben Lee" in page(door)

    assert say(door, "no") == 302
    assert state() == "no_resource"
    assert "You said that you can’t" in page(door)

    assert say(door, "yes") == 302
    assert state() == "covered"


def test_a_browser_that_sends_no_origin_may_answer(door):
    """Under no-referrer, that is what they send."""
    assert say(door, "yes", headers={"origin": "null"}) == 302


def test_a_no_needs_no_reason(door):
    assert say(door, "no") == 302
    assert InterpreterAsk.objects.get().answer == "declined"


@pytest.mark.parametrize("answer", ["", "maybe", "yes\x00"])
def test_another_word_changes_nothing(door, answer):
    before = state()

    assert say(door, answer) == 422
    assert state() == before


def test_the_address_stands_there_the_day_before_and_only_for_who_comes(door, visit):
    with clock.at(at(7, 9)):
        assert "Elm" not in page(door)
        say(door, "yes")
        assert "12 Elm Street" in page(door)
        looked = AuditEntry.objects.filter(event="interpreter.address_seen")
        assert looked.count() == 1
    with clock.at(at(6, 23)):
        assert "Elm" not in page(door)
    with clock.at(visit.during.upper):
        assert "Elm" not in page(door)


def test_a_place_the_family_chose_is_told_the_day_before(door, visit):
    Visit.objects.filter(pk=visit.pk).update(place="neutral", address="Library, Room 2")
    say(door, "yes")
    assert "Room 2" not in page(door)

    with clock.at(at(7, 9)):
        assert "Library, Room 2" in page(door)


def test_who_comes_too_late_reads_it(door, ask, interpreter_request, educator, program_coordinator):
    facts = {name: getattr(ask.interpreter, name) for name in rota.FIELDS}
    eva = rota.add(
        ask.program, facts | {"given_name": "Eva", "email": "eva@example.org"},
        by=program_coordinator,
    )  # fmt: skip
    interpreting.cover(interpreter_request, eva, by=educator)

    assert "Somebody else comes" in page(door) and "Eva" not in page(door)
    assert say(door, "yes") == 409
    assert InterpreterRequest.objects.get().interpreter == eva


def test_after_a_cancellation_it_says_so_and_takes_nothing(door, visit, educator):
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    assert "No interpreter is needed any more" in page(door)
    assert say(door, "yes") == 409
    assert state() == "cancelled"


def test_the_link_of_an_earlier_time_sends_to_the_newer_one(door, visit, educator):
    say(door, "yes")
    moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)

    said = page(door)

    assert "This visit has another time now" in said and "our newest message" in said
    assert "Thu, Oct 8" in said and "Fri, Oct 9" not in said
    assert "No interpreter is needed" not in said


def test_it_closes_when_they_leave_the_staff_and_others_are_asked(
    door, ask, colleague, program, visit
):
    ask.interpreter.educator = colleague.educators.get()
    ask.interpreter.save()
    say(door, "yes")
    assert state() == "covered"
    Membership.objects.filter(user=colleague).update(ends_on=at(4, 0).date())

    with clock.at(at(7, 9)):
        assert Client().get(door).status_code == 404
        assert interpreting.give_back_of_leavers(program) == 1
        assert interpreting.give_back_of_leavers(program) == 0
    assert state() == "no_resource"


@pytest.mark.parametrize("token", ["", "x", "x" * 32, "..", "%00"])
def test_a_forged_link_opens_nothing(ask, token):
    response = Client().get(f"/i/{token}/")

    assert response.status_code == 404
    assert "Spanish" not in response.content.decode()


def test_a_families_link_opens_no_interpreters_page(ask, invitation, family, educator):
    assert Client().get(f"/f/{tokens.token(ask.nonce)}/").status_code == 404


def test_it_closes_a_day_after_the_visit(door, visit):
    with clock.at(visit.during.upper + datetime.timedelta(hours=25)):
        assert Client().get(door).status_code == 404
        assert say(door, "yes") == 404


def test_it_closes_when_they_leave_the_rota(door, ask, program_coordinator):
    rota.end(ask.interpreter, by=program_coordinator)

    assert Client().get(door).status_code == 404
    assert say(door, "yes") == 404 and state() == "no_resource"


def test_a_wrong_address_closes_its_link_and_the_right_one_gets_another(
    door, ask, program_coordinator
):
    facts = {name: getattr(ask.interpreter, name) for name in rota.FIELDS}

    rota.change(ask.interpreter, facts | {"email": "lan.tran@example.org"}, by=program_coordinator)

    assert Client().get(door).status_code == 404
    ask.refresh_from_db()
    new = Message.objects.get(kind="interpreter_ask", link_nonce=ask.nonce)
    assert new.address == "lan.tran@example.org"
    assert "Can you interpret?" in page(reverse("interpreter_page", args=[tokens.token(ask.nonce)]))


def test_guesses_are_counted_and_nobody_else_is_shut_out(door):
    client = Client(REMOTE_ADDR="203.0.113.5")
    found = [client.get(f"/i/{number:032}/").status_code for number in range(25)]

    assert found[:3] == [404] * 3 and found[-1] == 429
    assert client.get(door).status_code == 200


def test_answers_by_one_link_are_counted(door):
    got = {say(door, "maybe") for _ in range(25)}

    assert got == {422, 429}


def test_it_opens_whoever_is_logged_in(door, outsider):
    client = Client()
    client.force_login(outsider)

    assert client.get(door).status_code == 200


def test_long_names_and_many_links_at_once(door, ask, educator, interpreter_request):
    """Several can be open in one browser: each answers for itself."""
    client = Client()
    client.get(door)
    client.get("/i/another/")

    assert client.post(door, {"answer": "yes"}).status_code == 302
    assert Interpreter.objects.count() == 1
