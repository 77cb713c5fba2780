"""A family's own pages: what they show, what they change, and that looking changes nothing."""

import contextvars
import datetime
import gzip
import io
import logging
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings as project
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from families import people
from families.models import Caregiver, Enrollment, Family, Student
from pthv import clock
from pthv.models import AuditEntry, Message
from tests.conftest import NOW, at
from tests.pthv.test_headers import CSP, headers
from tests.snapshot import database
from visits import answers, links, safety, scheduling
from visits.models import FamilyLink, Invitation, InvitationAnswer, Visit
from visits.views import family_page

pytestmark = pytest.mark.django_db
QUERIES = 8
BYTES = 30_000
LONG = os.environ.get("PTHV_LONG") == "1"


@pytest.fixture(autouse=True)
def _nobody_tried_before(db):
    cache.clear()


@pytest.fixture
def mother(family) -> Caregiver:
    return family.caregivers.get()


@pytest.fixture
def father(family, mother, educator) -> Caregiver:
    name = {"given_name": "Luis", "family_name": "Ortega", "language": "en"}
    return people.add_caregiver(family, name, by=educator)


@pytest.fixture
def link(invitation, mother, educator) -> FamilyLink:
    return links.mint(invitation, mother, by=educator)


@pytest.fixture
def door(link) -> str:
    """Where the link's message leads."""
    return path_of(link)


@pytest.fixture
def phone(door) -> Client:
    """The mother's, on which she opened her link; she reads English today."""
    client = Client()
    assert client.get(door).status_code == 302
    return client


def path_of(link: FamilyLink) -> str:
    return links.url(link).removeprefix(project.SITE_URL)


def text_of(response: HttpResponse) -> str:
    """What stands on the page, without its markup and the white space of it."""
    body = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", " ", response.content.decode())
    return " ".join(body.replace("&#x27;", "'").split())


def page(client: Client, lang: str = "en") -> str:
    return text_of(client.get(reverse("family_invitation", args=[lang])))


def send(client: Client, answer: str, lang: str = "en", **data) -> HttpResponse:
    return client.post(reverse("family_answer", args=[lang, answer]), opened(client) | data)


def cancel(client: Client, visit: Visit | None = None) -> HttpResponse:
    data = opened(client) | ({"visit": visit.pk} if visit else {})
    return client.post(reverse("family_cancel", args=["en"]), data)


def opened(client: Client) -> dict[str, str]:
    """What every form on this phone says: which link it was shown for."""
    cookie = client.cookies.get(project.FAMILY_COOKIE_NAME)
    pk = cookie.value.partition(":")[0] if cookie else "0"
    return {"opened": family_page.OPENED.sign(pk)}


def answered(invitation: Invitation) -> str:
    invitation.refresh_from_db()
    return invitation.state


# What it shows.


def test_the_link_leads_to_a_clean_address_in_the_familys_language(door):
    client = Client()

    response = client.get(door)

    assert response["Location"] == "/invitation/es/"
    token = door.split("/")[2]
    assert token not in str(client.cookies) + response.content.decode()


def test_an_address_that_lost_its_slash_opens_it_all_the_same(door):
    """No redirect that a browser would keep, with the token in it."""
    response = Client().get(door.removesuffix("/"))

    assert response["Location"] == "/invitation/es/"
    assert "no-store" in response["Cache-Control"]
    assert Client().get("/f/nothing").status_code == 404
    assert Client().get("/f/nothing/more").status_code == 404


def test_where_the_caregivers_language_is_not_offered_the_familys_is(door, mother):
    mother.language = "so"
    mother.save()

    assert Client().get(door)["Location"] == "/invitation/es/"


def test_it_shows_the_school_first_names_and_that_nobody_is_in_trouble(phone):
    said = page(phone)

    assert "Lincoln" in said
    assert "Ana would like to get to know you" in said
    assert "Your child is not in trouble. We'd love to hear your hopes for Mateo." in said


def test_it_shows_nothing_else_of_anybody(phone, family, add_family, visit, link, mother, partner):
    """Among all that the database has of this family and of another, only what it needs."""
    family.address = "1 Main Street"
    family.save()
    mother.email = "marta@example.org"
    mother.save()
    add_family("Vega", "Lucia")
    paths = [reverse("family_invitation", args=["en"]), reverse("family_cancel", args=["en"])]
    paths += [reverse("family_answer", args=["en", answer]) for answer in family_page.ANSWERS]

    seen = "".join(phone.get(path).content.decode() for path in paths)
    seen = re.sub(r'name="(csrfmiddlewaretoken|opened)" value="[^"]+"', "", seen)

    assert "Ana and Ben" in seen
    for hidden in (
        "Ortega", "Marta", "Ruiz", "Lee", "Vega", "Lucia", "5550142", "555-0142", "Main Street",
        "marta@", "@example.org", "Grade", "3A", "Willow Creek", link.nonce, link.token_hash,
    ):  # fmt: skip
        assert hidden not in seen, hidden


def test_it_names_the_children_at_that_school_alone(
    phone, family, program, school, other_school, school_class
):
    for name, at_school, left in (
        ("Lucía", school, None), ("Sofía", other_school, None), ("Diego", school, at(1, 0).date()),
    ):  # fmt: skip
        Student.objects.create(
            program=program, school=at_school, family=family, source_id=name, given_name=name,
            family_name="Ortega", left_on=left,
        )  # fmt: skip

    said = page(phone)

    assert (
        "Your children are not in trouble. We'd love to hear your hopes for Mateo and Lucía."
        in said
    )
    assert "Sofía" not in said
    assert "Diego" not in said


def test_it_reads_well_where_no_child_is_at_that_school_any_more(phone, family):
    Student.objects.update(left_on=at(1, 0).date())

    assert "Your child is not in trouble. We'd love to hear your hopes." in page(phone)


def test_four_answers_stand_there_with_the_same_weight(phone):
    body = phone.get("/invitation/en/").content.decode()

    choices = re.search(r'<ul class="choices">(.*?)</ul>', body, re.S)[1]
    shapes = re.findall(r"<li>(.*?)</li>", choices, re.S)
    assert len(shapes) == 4
    plain = {re.sub(r">[^<]+<|/(yes|no|later|call)/", "><", shape) for shape in shapes}
    assert len(plain) == 1


def test_every_language_of_the_program_is_one_tap_away_by_its_own_name(phone, program):
    program.languages_offered = ["en", "es", "ar"]
    program.save()

    body = phone.get("/invitation/es/").content.decode()

    for code, name in (("en", "English"), ("es", "Español"), ("ar", "العربية")):
        assert re.search(rf'href="/invitation/{code}/" lang="{code}"[^>]*>{name}', body), code
    assert "/invitation/vi/" not in body
    assert '<html lang="es" dir="ltr">' in body
    assert '<html lang="ar" dir="rtl">' in phone.get("/invitation/ar/").content.decode()
    # What the program doesn't offer is read in English.
    assert '<html lang="en"' in phone.get("/invitation/vi/").content.decode()
    assert '<html lang="en"' in phone.get("/invitation/xx/").content.decode()


def test_a_name_from_the_other_side_turns_nothing_round(phone, family):
    Student.objects.update(given_name="مريم")

    assert "\u2068مريم\u2069" in page(phone)
    Student.objects.update(given_name="Mateo")
    assert "\u2068Mateo\u2069" in page(phone, "ar")
    assert "\u2068" not in page(phone)


def test_marks_that_turn_text_round_are_left_out_of_names(phone, school, educator):
    Student.objects.update(given_name="\u202eoetaM\u2069")
    school.name, educator.given_name = "Lin\u200fcoln\u2066", "\u2067Ana\u202c"
    school.save()
    educator.save()

    for lang in ("en", "ar"):
        said = page(phone, lang)
        assert "Lincoln" in said
        assert "oetaM" in said
        found = set(re.findall("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", said))
        assert found == ({"\u2068", "\u2069"} if lang == "ar" else set())


def test_a_name_that_looks_like_an_address_leads_nowhere(phone, school):
    Student.objects.update(given_name="http://evil.example")
    school.name = "https://evil.example"
    school.save()

    body = phone.get("/invitation/en/").content.decode()

    assert "http://evil.example" in body
    assert not re.search(r'href="[^"]*evil', body)


@pytest.mark.parametrize(
    ("given", "family_name", "said"),
    [("", "Ruiz", "Ruiz would like"), ("", "", "a teacher would like")],
)
def test_nobody_is_called_by_an_address(given, family_name, said, phone, educator):
    educator.given_name, educator.family_name = given, family_name
    educator.save()

    assert said in page(phone)
    assert "@" not in page(phone)


def test_the_schools_own_phone_stands_below_where_there_is_one(phone, school):
    assert "Questions?" not in page(phone)

    school.phone = "+13125550100"
    school.save()

    assert "Questions? Call Lincoln: (312) 555-0100" in page(phone)


# What its buttons do.


def test_yes_with_where_when_and_an_interpreter(phone, invitation, mother, link):
    times = ["tue-evening", "sat-morning"]
    response = send(phone, "yes", place_wanted="elsewhere", interpreter_wanted="on", times=times)

    assert response["Location"] == "/invitation/en/"
    assert answered(invitation) == "accepted"
    assert (invitation.place_wanted, invitation.interpreter_wanted) == ("elsewhere", True)
    assert invitation.times == times
    assert (invitation.answered_by, invitation.answered_caregiver) == (None, mother)
    given = InvitationAnswer.objects.get()
    assert (given.link, given.caregiver, given.language) == (link, mother, "en")
    said = page(phone)
    for words in (
        "You said: Yes, we'd like a visit", "Somewhere else", "With an interpreter",
        "Tuesday: evening", "Saturday: morning", "Change our answer",
    ):  # fmt: skip
        assert words in said


def test_yes_alone_is_enough(phone, invitation):
    send(phone, "yes", place_wanted="home")

    assert answered(invitation) == "accepted"
    assert invitation.times == []


@pytest.mark.parametrize(("wait", "day"), [("14", (10, 20)), ("30", (11, 5)), ("91", (1, 5))])
def test_not_now_has_a_day_from_which_they_may_be_asked(phone, invitation, wait, day):
    send(phone, "later", wait=wait)

    assert answered(invitation) == "later"
    assert (invitation.later_on.month, invitation.later_on.day) == day
    assert "You said: Not now" in page(phone)


def test_no_thank_you_needs_no_reason_and_can_be_taken_back(phone, invitation):
    asked = text_of(phone.get(reverse("family_answer", args=["en", "no"])))
    assert "you need no reason" in asked
    assert "?" not in asked
    send(phone, "no")

    assert answered(invitation) == "declined"
    assert "Thank you for telling us You said: No, thank you We won't ask again." in page(phone)
    assert "We changed our mind" in page(phone)
    assert "May we visit you?" not in page(phone)

    send(phone, "yes", place_wanted="video")
    assert answered(invitation) == "accepted"


def test_call_us_instead(phone, invitation):
    send(phone, "call", times=["mon-morning", "mon-evening"])

    assert answered(invitation) == "asked"
    assert invitation.call_wanted_at is not None
    assert "You said: Please call us instead We call you soon. Monday: morning and evening" in page(
        phone
    )


def test_the_educator_is_told(phone, educator):
    send(phone, "yes", place_wanted="home")

    assert [m.address for m in Message.objects.filter(kind="family_answered")] == [educator.email]


def test_sent_twice_it_is_one(phone, invitation):
    for _tap in range(2):
        send(phone, "yes", place_wanted="home")

    assert InvitationAnswer.objects.count() == 1


def test_what_is_not_offered_is_refused_and_nothing_is_lost(phone, invitation):
    response = send(phone, "yes", place_wanted="moon", times=["sat-evening", "sun-midnight"])

    assert response.status_code == 422
    assert 'value="sat-evening" id="id_times' in response.content.decode()
    assert answered(invitation) == "not_asked"
    assert send(phone, "later").status_code == 422
    assert send(phone, "call", times=["sun-evening"]).status_code == 422
    assert not InvitationAnswer.objects.exists()


def test_nobody_is_offered_a_visit_within_the_contract_day(phone):
    body = phone.get(reverse("family_answer", args=["en", "yes"])).content.decode()

    assert 'value="mon-afternoon"' in body
    assert 'value="mon-morning"' not in body
    assert 'value="sat-morning"' in body


def test_what_they_said_before_is_marked_when_they_change_it(phone, family, invitation):
    family.interpreter_wanted = True
    family.save()
    yes = reverse("family_answer", args=["en", "yes"])
    assert re.search(r'name="interpreter_wanted"[^>]* checked', phone.get(yes).content.decode())

    send(phone, "yes", place_wanted="video", times=["fri-evening"])

    marked = re.findall(r'value="([\w-]+)"[^>]* checked', phone.get(yes).content.decode())
    assert marked == ["video", "fri-evening"]


def test_two_caregivers_who_differ_are_told_that_somebody_will_ask(
    phone, invitation, father, educator
):
    fathers = Client()
    fathers.get(path_of(links.mint(invitation, father, by=educator)))
    send(fathers, "no")
    send(phone, "yes", place_wanted="home")

    assert answered(invitation) == "declined"
    assert "You said: Yes, we'd like a visit We got more than one answer" in page(phone)
    assert "You said: No, thank you" in page(fathers)


# A visit that is scheduled.


@pytest.fixture
def guest(visit, mother, educator) -> Client:
    """The mother's phone, while Ana and Ben are coming on Thursday."""
    client = Client()
    client.get(path_of(links.mint(visit.invitation, mother, by=educator)))
    return client


def test_it_shows_when_and_where_the_visit_is(guest):
    said = page(guest)

    assert "Your visit Thursday, October 8, 4:30 PM–5:30 PM At your home With Ana and Ben" in said
    assert "That day doesn't suit us: cancel this visit" in said


def test_the_family_cancels_and_both_educators_hear_of_it(guest, visit, educator, partner):
    assert "Thursday, October 8, 4:30 PM" in text_of(guest.get("/invitation/en/cancel/"))
    visit.refresh_from_db()
    assert visit.is_ahead

    for _tap in range(2):
        response = cancel(guest, visit)
        assert response["Location"] == "/invitation/en/"

    visit.refresh_from_db()
    assert (visit.state, visit.ended_by) == ("family_cancelled", None)
    told = Message.objects.filter(kind="visit_cancelled").values_list("address", flat=True)
    assert sorted(told) == [educator.email, partner.email]
    assert answered(visit.invitation) == "accepted"
    said = page(guest)
    assert said.index("The visit on Thursday, October 8 is cancelled We have told Ana and Ben.") < (
        said.index("You said: Yes")
    )
    assert "If you still want a visit, we will find a new time with you." in said
    assert "Your visit" not in said

    # Until they answer anew, or there is another visit.
    with clock.at(at(6, 18)):
        send(guest, "yes", place_wanted="video")
        assert "cancelled" not in page(guest)


@pytest.mark.parametrize("step", [safety.out, safety.arrive])
def test_a_visit_to_which_they_are_on_the_way_is_not_cancelled_by_link(
    guest, visit, educator, step
):
    said = "Your visitors are on their way, or with you already."
    with clock.at(visit.during.lower - datetime.timedelta(minutes=10)):
        step(visit, by=educator)
        response = cancel(guest, visit)
        assert response.status_code == 409 and said in text_of(response)
        visit.refresh_from_db()
        assert visit.is_ahead and not Message.objects.filter(kind="visit_cancelled").exists()

        safety.leave(visit, by=educator, early=True)
        assert cancel(guest, visit).status_code == 302


def test_a_no_counts_though_they_are_on_the_way_and_they_stay_watched(guest, visit, educator):
    with clock.at(visit.during.lower - datetime.timedelta(minutes=10)):
        safety.arrive(visit, by=educator)
        send(guest, "no")
    visit.refresh_from_db()
    assert visit.state == "family_cancelled"
    with clock.at(visit.during.upper + datetime.timedelta(minutes=16)):
        assert safety.watch(visit.program) == 1


def test_a_visit_that_we_cancelled_is_not_told_to_us_by_them(guest, visit, educator):
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    said = page(guest)

    assert "The visit on Thursday, October 8 is cancelled" in said
    assert "We have told" not in said


def test_who_cancelled_it_is_kept(guest, visit, mother):
    cancel(guest, visit)

    facts = AuditEntry.objects.get(event="visit.cancelled").facts
    assert facts["caregiver"] == mother.pk
    assert facts["link"] == FamilyLink.objects.get().pk


def test_what_is_cancelled_while_they_press_the_button_is_said(
    guest, visit, educator, mother, monkeypatch
):
    real = answers.cancel

    def held(found, *, link):
        Visit.objects.update(state="held", held_at=NOW, held_by=educator)
        return real(found, link=link)

    def ended(found, *, link):
        people.end_caregiver(mother, because="The court said so.", by=educator)
        return real(found, link=link)

    for meanwhile, status in ((ended, 404), (held, 409)):
        Caregiver.objects.update(ended_on=None)
        monkeypatch.setattr(answers, "cancel", meanwhile)
        response = cancel(guest, visit)
        assert response.status_code == status
        assert not Visit.objects.filter(state="family_cancelled").exists()
        Caregiver.objects.update(ended_on=None)
    assert "Only a visit that lies ahead can be cancelled." in text_of(response)


@pytest.mark.parametrize(("answer", "typed"), [("later", {"wait": "30"}), ("no", {})])
def test_an_answer_that_cancels_the_visit_says_so_before_and_after(guest, answer, typed):
    cancels = "This cancels your visit on Thursday, October 8."
    path = reverse("family_answer", args=["en", answer])
    body = guest.get(path).content.decode()
    assert body.index(cancels) < body.index("<button")
    assert cancels not in text_of(guest.get(reverse("family_answer", args=["en", "yes"])))
    assert cancels not in text_of(guest.get(reverse("family_answer", args=["en", "call"])))

    send(guest, answer, **typed)

    assert "The visit on Thursday, October 8 is cancelled We have told Ana and Ben." in page(guest)
    assert cancels not in text_of(guest.get(path))


def test_a_not_now_that_leaves_the_others_visit_standing_does_not_say_that_it_cancels(
    visit, mother, father, educator
):
    Invitation.objects.update(answered_caregiver=mother)
    fathers = Client()
    fathers.get(path_of(links.mint(visit.invitation, father, by=educator)))

    asked = fathers.get(reverse("family_answer", args=["en", "later"]))
    send(fathers, "later", wait="30")

    assert "This cancels" not in text_of(asked)
    visit.refresh_from_db()
    assert visit.is_ahead


PERSUADES = ("?", "would like to get to know you", "We'd love", "It is up to you")


@pytest.mark.parametrize(
    ("answer", "typed", "first"),
    [
        ("yes", {"place_wanted": "home"}, "Thank you! You said: Yes, we'd like a visit"),
        ("call", {}, "Thank you! You said: Please call us instead"),
        ("later", {"wait": "30"}, "Thank you for telling us You said: Not now"),
        ("no", {}, "Thank you for telling us You said: No, thank you"),
    ],
)
def test_who_has_answered_is_thanked_and_not_persuaded(phone, answer, typed, first):
    assert all(words in page(phone) for words in PERSUADES)

    send(phone, answer, **typed)

    said = page(phone)
    assert f"Lincoln {first}" in said
    assert [words for words in PERSUADES if words in said] == []


def test_with_a_visit_ahead_the_visit_stands_first_and_nobody_is_persuaded(guest):
    said = page(guest)

    assert "Lincoln Your visit Thursday" in said
    assert [words for words in PERSUADES if words in said] == []


def test_only_the_visit_they_saw_is_cancelled(guest, visit, educator):
    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)
    other = scheduling.schedule(
        visit.invitation, scheduling.slot(at(9, 16, 30)), "home", by=educator
    )

    response = cancel(guest, visit)

    assert response.status_code == 409
    assert "The time has changed. Please look at it again. " in text_of(response)
    assert "Friday, October 9" in text_of(response)
    other.refresh_from_db()
    assert other.is_ahead


def test_a_visit_that_has_begun_is_not_cancelled_here(guest, visit):
    with clock.at(at(8, 16, 40)):
        assert "cancel" not in page(guest)
        response = cancel(guest, visit)

    assert response.status_code == 302
    visit.refresh_from_db()
    assert visit.is_ahead


def test_afterwards_it_says_thank_you_and_asks_nothing(guest, visit, educator):
    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)

        said = page(guest)

    assert "Thank you for having us" in said
    assert "answer" not in said


# That looking changes nothing.


def everything(client: Client, door: str) -> list[str]:
    """Every page that can be reached by following links, from the message on."""
    seen, waiting = [], [door]
    while waiting:
        path = waiting.pop()
        response = client.get(path, follow=True)
        assert response.status_code == 200, path
        seen.append(path)
        found = re.findall(r'<a [^>]*?href="(/[^"]*)"', response.content.decode())
        waiting += [one for one in dict.fromkeys(found) if one not in seen + waiting]
    return seen


def test_following_every_link_changes_nothing(door, visit):
    before = database()

    seen = everything(Client(), door)

    assert len(seen) >= 6 * 6  # in six languages: the page, four answers, the cancellation
    assert database() == before


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
def test_no_request_without_the_pages_button_changes_anything(method, door, link, visit):
    client, strict = Client(), Client(enforce_csrf_checks=True)
    paths = [door, "/invitation/en/", "/invitation/en/cancel/", "/invitation/en/yes/"]
    before = database()

    for one in (client, strict):
        one.get(door)
    answers_ = [getattr(strict, method)(path) for path in paths]
    if method != "post":
        answers_ += [getattr(client, method)(path) for path in paths]

    assert database() == before
    assert {response.status_code for response in answers_} <= {200, 302, 403, 405}


@pytest.mark.parametrize(
    "header",
    [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}],
)
def test_a_prefetch_changes_nothing(header, door):
    before, client = database(), Client(headers=header)

    assert client.get(door, follow=True).status_code == 200
    assert database() == before


def test_posting_without_the_page_is_told_kindly_and_changes_nothing(link, invitation, door):
    strict = Client(enforce_csrf_checks=True)
    strict.get(door)
    before = database()

    for data in ({}, {"csrfmiddlewaretoken": "a" * 64}):
        response = send(strict, "no", **data)
        assert response.status_code == 403
        assert "send it once more" in text_of(response)
        assert "Ana" not in text_of(response)

    assert database() == before


def test_over_tls_the_pages_own_button_works_and_nobody_elses(link, invitation, door):
    strict, path = Client(enforce_csrf_checks=True), "/invitation/en/no/"
    strict.get(door, secure=True)
    body = strict.get(path, secure=True).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', body)[1]

    def press(origin: str) -> int:
        data = {"csrfmiddlewaretoken": token} | opened(strict)
        return strict.post(path, data, secure=True, headers={"Origin": origin}).status_code

    assert [press("https://elsewhere.example"), press("null")] == [403, 403]
    assert answered(invitation) == "not_asked"
    assert press("https://testserver") == 302
    assert answered(invitation) == "declined"


def test_posting_with_the_page_and_without_the_link_changes_nothing(link, door):
    before, nobody = database(), Client()

    responses = [send(nobody, answer) for answer in family_page.ANSWERS]
    responses.append(nobody.post("/invitation/en/cancel/", {"visit": "1"}))

    assert {response.status_code for response in responses} == {404}
    assert database() == before


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_who_open_it_at_once_change_nothing(door):
    before, start = database(), threading.Barrier(4)

    def look() -> int:
        try:
            client = Client()
            start.wait(timeout=20)
            return client.get(door, follow=True).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(contextvars.copy_context().run, look) for _ in range(4)]
        assert [one.result(timeout=60) for one in looks] == [200] * 4
    assert database() == before


# Whom it lets in.


def end(mother, user, link):
    people.end_caregiver(mother, because="The court said so.", by=user)


def may_not_decide(mother, user, link):
    people.change_caregiver(mother, {"may_decide": False}, by=user)


def may_not_be_contacted(mother, user, link):
    people.change_caregiver(mother, {"may_be_contacted": False}, by=user)


def move_away(mother, user, link):
    elsewhere = Family.objects.create(program=mother.program, surnames="Vega")
    Caregiver.objects.filter(pk=mother.pk).update(family=elsewhere)


def revoke(mother, user, link):
    links.revoke(link, by=user)


def run_out(mother, user, link):
    FamilyLink.objects.update(expires_at=NOW)


@pytest.mark.parametrize(
    "ending", [end, may_not_decide, may_not_be_contacted, move_away, revoke, run_out]
)
def test_forwarded_after_the_say_ended_it_is_dead(
    ending, door, phone, link, mother, invitation, program_coordinator
):
    """Neither the link nor a page that is open already does or shows anything."""
    ending(mother, program_coordinator, link)
    before = database()
    unknown = Client().get("/f/" + "x" * 32 + "/")

    for response in (
        Client().get(door),
        phone.get("/invitation/en/"),
        phone.get("/invitation/en/yes/"),
        phone.get("/invitation/en/cancel/"),
        send(phone, "yes", place_wanted="home"),
    ):
        assert (response.status_code, response.content) == (404, unknown.content)
    said = text_of(unknown)
    assert "We close links after a while" in said
    for name in ("Lincoln", "Ana", "Mateo", "Ortega", "Marta", "Willow"):
        assert name not in said
    assert database() == before


def test_what_ends_while_they_type_is_not_taken_any_more(
    phone, mother, program_coordinator, monkeypatch
):
    """The say ends between the look at the link and the answer's own lock."""
    record = answers.record

    def meanwhile(*args, **kwargs):
        people.end_caregiver(mother, because="The court said so.", by=program_coordinator)
        return record(*args, **kwargs)

    monkeypatch.setattr(answers, "record", meanwhile)

    response = send(phone, "yes", place_wanted="home")

    assert response.status_code == 404
    assert "Ana" not in text_of(response)
    assert not InvitationAnswer.objects.exists()


def test_a_dead_link_is_read_in_any_of_our_languages():
    client = Client(headers={"Accept-Language": "ar"})
    body = client.get("/f/nothing/").content.decode()
    for code in dict(project.LANGUAGES):
        assert f'<a href="?lang={code}" lang="{code}"' in body

    for code, asked in (("es", "es"), ("zh-hans", "zh-hans"), ("ar", "xx"), ("ar", "")):
        response = client.get(f"/f/nothing/?lang={asked}")
        assert response["Content-Language"] == code
        assert f'<html lang="{code}"' in response.content.decode()
        assert not response.cookies


def test_after_an_hour_the_link_is_opened_again(phone, door, monkeypatch):
    assert phone.get("/invitation/en/").status_code == 200
    now = signing.time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + family_page.LASTS + 1)

    assert phone.get("/invitation/en/").status_code == 404
    assert phone.get(door).status_code == 302
    assert phone.get("/invitation/en/").status_code == 200


@pytest.fixture
def others(add_family, school, school_year, school_class, link, site_coordinator, educator):
    """The link of another family of the same class."""
    family = add_family("Vega", "Lucia")
    invitation = Invitation.objects.create(
        program=link.program, school=school, school_year=school_year, family=family,
        educator=educator.educators.get(),
    )  # fmt: skip
    return links.mint(invitation, family.caregivers.get(), by=educator)


def test_a_cookie_that_is_not_ours_opens_nothing(phone, others, link):
    name = project.FAMILY_COOKIE_NAME
    real = phone.cookies[name].value
    _value, stamp, signature = real.split(":")
    for made_up in (
        str(others.pk),
        f"{others.pk}:{stamp}:{signature}",
        f"{link.pk}:{stamp}:{'A' * len(signature)}",
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        signing.TimestampSigner(salt="something.else").sign(str(others.pk)),
        signing.dumps(others.pk),
        "",
        ":::",
        "\u0000",
    ):
        client = Client()
        client.cookies[name] = made_up
        assert client.get("/invitation/en/").status_code == 404, made_up
        assert send(client, "no").status_code == 404
    assert not InvitationAnswer.objects.exists()


def test_what_is_posted_belongs_to_the_link_that_was_opened(phone, others, invitation):
    """Whichever family, link or caregiver a form names."""
    data = {"family": others.invitation.family_id, "invitation": others.invitation_id}
    data |= {"link": others.pk, "caregiver": others.caregiver_id, "pk": others.pk}

    send(phone, "no", **data)

    assert answered(invitation) == "declined"
    assert answered(others.invitation) == "not_asked"


def test_nobody_cancels_another_familys_visit(guest, visit, others, educator):
    elsewhere = Client()
    elsewhere.get(path_of(others))

    response = cancel(elsewhere, visit)

    assert response["Location"] == "/invitation/en/"
    visit.refresh_from_db()
    assert visit.is_ahead


def test_the_link_opened_last_is_the_one_that_counts(phone, others, invitation):
    """A cookie that somebody planted before is replaced by the one of the link one opens."""
    phone.get(path_of(others))

    said = page(phone)
    assert "Lucia" in said
    assert "Mateo" not in said


def test_a_form_that_was_open_already_answers_for_no_other_link(phone, others, invitation):
    form = phone.get("/invitation/en/no/").content.decode()
    was = re.search(r'name="opened" value="([^"]+)"', form)[1]
    phone.get(path_of(others))
    before = database()

    for data in ({"opened": was}, {"opened": ""}, {"opened": was.replace(was[0], "9", 1)}):
        response = send(phone, "no", **data)
        assert response.status_code == 409
        assert "another invitation was opened on this phone" in text_of(response)
        assert "Nothing was sent" in text_of(response)

    assert database() == before
    assert send(phone, "no").status_code == 302
    assert (answered(invitation), answered(others.invitation)) == ("not_asked", "declined")
    phone.get(path_of(FamilyLink.objects.get(invitation=invitation)))
    assert send(phone, "no", opened=was).status_code == 302


def test_a_form_that_was_open_already_cancels_no_other_links_visit(guest, visit, others):
    was = opened(guest)
    father = people.add_caregiver(visit.family, {"given_name": "Luis"}, by=visit.scheduled_by)
    guest.get(path_of(links.mint(visit.invitation, father, by=visit.scheduled_by)))

    response = guest.post("/invitation/en/cancel/", was | {"visit": visit.pk})

    assert response.status_code == 409
    visit.refresh_from_db()
    assert visit.is_ahead


@pytest.mark.parametrize("who", ["educator", "site_coordinator", "administrator"])
def test_one_of_us_may_look_and_answers_for_nobody(who, guest, visit, request):
    guest.force_login(request.getfixturevalue(who))
    assert "Your visit" in page(guest)
    before = Invitation.objects.get().as_recorded()

    for response in (send(guest, "no"), cancel(guest, visit)):
        assert response.status_code == 409
        assert "Record what the family says on its page instead." in text_of(response)

    assert Invitation.objects.get().as_recorded() == before
    visit.refresh_from_db()
    assert visit.is_ahead


def test_a_link_that_answers_all_the_time_is_asked_to_wait(phone, invitation, father, educator):
    for turn in range(20):
        assert send(phone, "yes", place_wanted=("home", "video")[turn % 2]).status_code == 302

    response = send(phone, "no")

    assert response.status_code == 429
    assert "Please wait an hour, or call the school." in text_of(response)
    assert answered(invitation) == "accepted"
    fathers = Client()
    fathers.get(path_of(links.mint(invitation, father, by=educator)))
    assert send(fathers, "yes", place_wanted="home").status_code == 302


def test_another_programs_families_are_read_in_their_own(phone, outsider):
    """Whoever is logged in elsewhere, in the same browser."""
    phone.force_login(outsider)
    assert phone.get("/invitation/en/").status_code == 200

    send(phone, "yes", place_wanted="home")

    given = InvitationAnswer.objects.get()
    assert (given.recorded_by, given.caregiver.given_name) == (None, "Marta")


# Guessing.


def test_guesses_are_throttled_find_nothing_and_shut_nobody_out(door):
    guesses = 10_000 if LONG else 200
    client = Client(REMOTE_ADDR="203.0.113.5")
    token = door.split("/")[2]
    begun = time.monotonic()

    found = [client.get(f"/f/{number:032}/").status_code for number in range(guesses - 3)]
    near = (token[:-1], token + "A", token.swapcase())
    found += [client.get(f"/f/{guess}/").status_code for guess in near]

    minutes = int((time.monotonic() - begun) / 60) + 1  # twenty in each
    assert found[:21] == [404] * 20 + [429]
    assert set(found) == {404, 429}
    assert found.count(404) <= 20 * minutes
    for _rest in range(20):
        refused = client.get("/f/guess/")
    assert "Wait a minute" in text_of(refused)
    for address in ("203.0.113.5", "203.0.113.6"):
        visitor = Client(REMOTE_ADDR=address)
        assert visitor.get(door, follow=True).status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.6").get("/f/guess/").status_code == 404


def test_heads_and_posts_are_no_way_round_the_count():
    client = Client(REMOTE_ADDR="203.0.113.5")

    found = {client.head(f"/f/{number}/").status_code for number in range(30)}

    assert found == {404, 429}
    assert client.post("/f/guess/").status_code == 405


def test_a_token_stands_in_no_log(door, link, program_coordinator, monkeypatch):
    heard = io.StringIO()
    console = next(h for h in logging.getLogger().handlers if h.name == "console")
    monkeypatch.setattr(console, "stream", heard)
    links.revoke(link, by=program_coordinator)

    def fall_over(token):
        raise RuntimeError("a test")

    Client().get(door)
    Client().post(door)
    Client(enforce_csrf_checks=True).post(door)
    monkeypatch.setattr(links, "found", fall_over)
    Client(raise_request_exception=False).get(door)

    said = heard.getvalue()
    assert re.findall(r"(?:request|csrf) ([A-Z].+): /f/…/", said) == [
        "Not Found",
        "Method Not Allowed (POST)",
        "Forbidden (CSRF cookie not set.)",
        "Internal Server Error",
    ]
    assert door.split("/")[2] not in said


def test_the_development_servers_log_has_no_token_either(door, monkeypatch):
    heard = io.StringIO()
    log = logging.getLogger("django.server")
    handler = next(h for h in log.handlers if h.name == "server")
    monkeypatch.setattr(handler, "stream", heard)

    log.info('"%s" %s %s', f"GET {door} HTTP/1.1", 302, 0)

    assert heard.getvalue() == '"GET /f/…/ HTTP/1.1" 302 0\n'


# What goes over the wire.

PAGE = {
    "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
    "Content-Language": "es",
    "Content-Security-Policy": CSP,
    "Content-Type": "text/html; charset=utf-8",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def heads(response: HttpResponse) -> dict[str, str]:
    found = headers(response)
    found.pop("Expires")
    return found


def test_the_page_sends_these_headers(phone):
    assert heads(phone.get("/invitation/es/")) == PAGE
    assert heads(phone.get("/invitation/es/yes/")) == PAGE


def test_the_link_itself_sends_these_headers(door):
    response = Client().get(door)

    cookie = response.cookies[project.FAMILY_COOKIE_NAME]
    found = heads(response)
    assert found.pop("Location") == "/invitation/es/"
    assert (found["Referrer-Policy"], found["Cache-Control"]) == (
        "no-referrer",
        PAGE["Cache-Control"],
    )
    assert (cookie["max-age"], cookie["path"]) == (3600, "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert response.content == b""


def test_a_dead_link_sends_these_headers():
    response = Client(headers={"Accept-Language": "ar"}).get("/f/nothing/")

    assert heads(response) == PAGE | {
        "Content-Language": "ar",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language, Cookie",
    }
    assert '<html lang="ar" dir="rtl">' in response.content.decode()


def test_a_page_costs_few_queries_and_bytes_and_has_no_script(guest, door):
    """The whole of it, as a phone that comes for the first time gets it."""
    static = Path(project.BASE_DIR) / "static"
    styles = (static / "css" / "family.css").read_bytes()
    icon = (static / "icon.svg").read_bytes()
    assert len(styles) <= 6_000
    with CaptureQueriesContext(connection) as queries:
        guest.get(door)
    assert len(queries) <= QUERIES

    for lang in ("en", "es", "ar", "zh-hans"):
        for path in ("", "yes/", "later/", "no/", "call/", "cancel/"):
            with CaptureQueriesContext(connection) as queries:
                response = guest.get(f"/invitation/{lang}/{path}")
            assert response.status_code == 200
            assert len(queries) <= QUERIES, (path, len(queries))
            body = response.content
            assert b"<script" not in body
            assert body.count(b"<link") == 2
            assert b"style=" not in body
            total = sum(len(gzip.compress(part)) for part in (body, styles, icon))
            assert total <= BYTES / 3, (path, total)


def test_ten_children_and_twelve_teachers_cost_as_few_queries(
    phone, family, program, school, school_class
):
    for number in range(10):
        child = Student.objects.create(
            program=program, school=school, family=family, source_id=f"more-{number}",
            given_name=f"Child{number}", family_name="Ortega",
        )  # fmt: skip
        Enrollment.objects.create(program=program, school_class=school_class, student=child)

    with CaptureQueriesContext(connection) as queries:
        assert "Child9" in page(phone)
    assert len(queries) <= QUERIES


def test_its_colours_are_those_of_every_other_page():
    folder = Path(project.BASE_DIR) / "static" / "css"

    def tokens(name: str) -> list[dict[str, str]]:
        text = (folder / name).read_text()
        blocks = re.findall(r":root \{(.*?)\}", text, re.S)[:2]
        return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]

    for ours, all_ in zip(tokens("family.css"), tokens("pthv.css"), strict=True):
        assert ours
        assert ours.items() <= all_.items()


def test_an_invitation_after_the_visit_has_no_choice_left(guest, visit, educator, partner):
    """Even where a page of before is still open."""
    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)
        response = send(guest, "no")

    assert response.status_code == 409
    assert answered(visit.invitation) == "accepted"

    response = send(guest, "yes", place_wanted="video")

    assert response.status_code == 409
    assert "This visit took place already." in text_of(response)
