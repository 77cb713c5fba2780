"""The rota: who is on it, in which order, and whose say it is."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from pthv.blocked import NotReady
from pthv.models import AuditEntry, Membership
from tests.conftest import at
from tests.visits.test_family_page import text_of
from visits import interpreting, rota
from visits.models import Interpreter, InterpreterRequest

pytestmark = pytest.mark.django_db
FACTS = {
    "kind": "outside",
    "given_name": "Mai",
    "family_name": "Vo",
    "email": "mai@example.org",
    "phone": "",
    "languages": ["vi"],
    "hourly_rate": None,
}
TYPED = {
    "kind": "outside",
    "given_name": "Mai",
    "family_name": "Vo",
    "languages": "Vietnamese, es-MX",
    "email": "mai@example.org",
    "phone": "",
    "hourly_rate": "52.50",
}


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def names(language: str) -> list[str]:
    return [one.given_name for one in Interpreter.objects.on_the_rota(language)]


# Never a student.


def test_whoever_is_called_like_a_student_is_refused(family, program, program_coordinator):
    student = family.students.get()
    facts = FACTS | {"given_name": student.given_name.upper(), "family_name": student.family_name}

    with pytest.raises(NotReady, match="A student never interprets"):
        rota.add(program, facts, by=program_coordinator)

    assert not Interpreter.objects.exists()


def test_an_adult_of_the_same_name_is_added_by_a_second_word_that_is_kept(
    family, program, program_coordinator
):
    facts = FACTS | {"given_name": "Mateo", "family_name": "Ortega"}

    rota.add(program, facts, by=program_coordinator, namesake=True)

    assert AuditEntry.objects.get(event="interpreter.added").facts == {"namesake": True}


def test_the_form_asks_for_an_adult_and_about_a_namesake(family, program_coordinator):
    client, url = client_of(program_coordinator), reverse("interpreter_new")
    typed = TYPED | {"given_name": "Mateo", "family_name": "Ortega"}

    without = client.post(url, typed)
    like = client.post(url, typed | {"adult": "on"})

    assert without.status_code == 422 and "Only adults interpret" in text_of(without)
    assert "An adult who happens to be called like" not in text_of(without)
    assert like.status_code == 409 and "A student here is called Mateo Ortega" in text_of(like)
    assert "An adult who happens to be called like" in text_of(like)
    assert client.post(url, typed | {"adult": "on", "namesake": "on"}).status_code == 302
    assert Interpreter.objects.get().adult_confirmed_by == program_coordinator


def test_a_caregiver_may_interpret(family, program, program_coordinator):
    caregiver = family.caregivers.get()

    rota.add(program, FACTS | {"phone": str(caregiver.phone)}, by=program_coordinator)

    assert Interpreter.objects.get().phone == caregiver.phone


# The form.


def test_languages_are_typed_by_name(program_coordinator):
    response = client_of(program_coordinator).post(
        reverse("interpreter_new"), TYPED | {"adult": "on"}
    )

    assert response.status_code == 302
    mai = Interpreter.objects.get()
    assert (mai.languages, mai.hourly_rate) == (["vi", "es"], Decimal("52.50"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"languages": "Klingonisch!"}, "Languages"),
        ({"languages": " , "}, "Languages"),
        ({"email": ""}, "Give an e-mail address or a phone number"),
        ({"email": "nobody"}, "E-mail"),
        ({"hourly_rate": "-1"}, "Dollars an hour"),
    ],
)
def test_what_is_wrong_is_said(program_coordinator, wrong, sentence):
    response = client_of(program_coordinator).post(
        reverse("interpreter_new"), TYPED | {"adult": "on"} | wrong
    )

    assert response.status_code in {409, 422} and sentence in text_of(response)
    assert not Interpreter.objects.exists()


def test_one_address_is_one_persons(lan, program, program_coordinator):
    with pytest.raises(NotReady, match="Lan Tran is on the rota with that address"):
        rota.add(program, FACTS | {"email": "LAN@example.org"}, by=program_coordinator)


# Rates.


def test_only_who_runs_the_rota_sees_rates(lan, program_coordinator, site_coordinator):
    url = reverse("interpreter_list")

    assert "$45.00" in text_of(client_of(program_coordinator).get(url))
    seen = text_of(client_of(site_coordinator).get(url))
    assert "Lan Tran" in seen and "45" not in seen and "Ask sooner" not in seen


# The order.


@pytest.fixture
def three(lan, program, program_coordinator) -> None:
    rota.add(program, FACTS, by=program_coordinator)
    tri = {"given_name": "Tri", "email": "tri@example.org", "languages": ["vi", "es"]}
    rota.add(program, FACTS | tri, by=program_coordinator)


def test_up_and_down_changes_who_is_asked_first(three, program_coordinator):
    assert names("vi") == ["Lan", "Mai", "Tri"]
    tri = Interpreter.objects.get(given_name="Tri")
    client, url = client_of(program_coordinator), reverse("interpreter_move", args=[tri.pk])

    client.post(url, {"language": "vi", "way": "up"})
    assert names("vi") == ["Lan", "Tri", "Mai"]
    client.post(url, {"language": "vi", "way": "up"})
    assert names("vi") == ["Tri", "Lan", "Mai"] and names("es") == ["Tri", "Lan"]
    client.post(url, {"language": "vi", "way": "up"})
    assert names("vi") == ["Tri", "Lan", "Mai"]
    client.post(url, {"language": "es", "way": "down"})
    assert names("es") == ["Lan", "Tri"]


def test_whoever_leaves_gives_their_visits_back(
    lan, interpreter_request, program, program_coordinator
):
    mai = rota.add(program, FACTS | {"languages": ["es"], "kind": "staff"}, by=program_coordinator)
    interpreting.accept(interpreter_request.asks.get())

    client_of(program_coordinator).post(reverse("interpreter_end", args=[lan.pk]))

    assert names("es") == ["Mai"]
    request = InterpreterRequest.objects.get()
    assert request.state == "pending" and request.asks.get(answer="waiting").interpreter == mai


# Educators' own say.


def test_an_educator_says_themselves_that_they_may_be_asked(partner):
    client, url = client_of(partner), reverse("interpreting_mine")

    assert client.post(url, {"willing": "on", "languages": "Spanish"}).status_code == 302
    assert names("es") == ["Ben"]
    assert Interpreter.objects.get().email == partner.email

    client.post(url, {"languages": "Spanish"})
    assert names("es") == []


def test_it_asks_for_the_languages(partner):
    response = client_of(partner).post(reverse("interpreting_mine"), {"willing": "on"})

    assert response.status_code == 409 and "Say which languages" in text_of(response)


def test_nobody_says_it_for_them(ana, partner, program, program_coordinator):
    for somebody in (partner, program_coordinator):
        with pytest.raises(NotReady, match="Only Ana Ruiz can say so"):
            rota.be_asked(ana, True, by=somebody, languages=["es"])
    with pytest.raises(NotReady, match="Ana Ruiz visits families"):
        rota.add(program, FACTS | {"email": ana.user.email.upper()}, by=program_coordinator)

    assert not Interpreter.objects.exists()


def test_a_coordinator_does_not_change_what_an_educator_said(partner, program_coordinator):
    mine = rota.be_asked(partner.educators.get(), True, by=partner, languages=["es"])
    url = reverse("interpreter_edit", args=[mine.pk])

    response = client_of(program_coordinator).post(
        url, TYPED | {"languages": "Hmong", "adult": "on", "hourly_rate": "40"}
    )

    assert response.status_code == 302
    mine.refresh_from_db()
    assert (mine.languages, mine.hourly_rate, mine.given_name) == (["es"], 40, "Ben")


def test_another_programs_rota_is_out_of_reach(lan, outsider, person, other_program):
    page = client_of(outsider).get(reverse("interpreter_list"))

    assert "Lan" not in text_of(page) and "Nobody interprets yet" in text_of(page)


def test_an_educator_who_left_is_asked_no_more(partner, program):
    rota.be_asked(partner.educators.get(), True, by=partner, languages=["es"])
    assert names("es") == ["Ben"]

    Membership.objects.filter(user=partner).update(ends_on=at(5, 0).date())

    assert names("es") == []
