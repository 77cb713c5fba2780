"""Two have written at once: both texts are shown, a person chooses, and nothing is overwritten."""

import pytest

from families.models import Enrollment, Student
from pthv import clock
from tests.conftest import at
from visits import logs, reflections
from visits.models import FollowUp, Reflection, VisitLog

TAPS = {"minutes": "40", "adults_present": "2", "student_present": "on", "language": "es"}


@pytest.fixture
def saved(held, educator) -> VisitLog:
    """Ana's log, saved while Ben was writing his."""
    entry = logs.Entry(
        60, "es", 2, True, hopes="Of Ana", promise="A card", promise_due_on=at(15, 0).date()
    )
    return logs.write(held, entry, by=educator)


@pytest.fixture
def send(client, held, partner):
    def post(**data):
        client.force_login(partner)
        return client.post(f"/visits/{held.pk}/log/", TAPS | {"seen": ""} | data)

    return post


def test_each_field_that_differs_is_shown_twice_and_the_others_once(send, saved, educator):
    response = send(hopes="Of Ben", strengths="Chess")

    page = response.content.decode()
    assert response.status_code == 409
    found = {one.field.name: (one.theirs, one.mine) for one in response.context["differences"]}
    assert found == {
        "minutes": (60, 40),
        "hopes": ("Of Ana", "Of Ben"),
        "strengths": ("", "Chess"),
        "promise": ("A card", ""),
        "promise_due_on": (at(15, 0).date(), None),
        "promise_owner": (educator.educators.get().pk, None),
    }
    assert "Ana saved" in page and "Of Ana" in page and "Of Ben" in page
    assert page.count('name="language"') == 1
    assert f'name="seen" value="{logs.version(saved)}"' in page
    assert VisitLog.objects.get().hopes == "Of Ana"


def test_as_it_is_offered_both_texts_are_kept_and_the_saved_facts(send, saved):
    offered = send(hopes="Of Ben", strengths="Chess").context["differences"]
    choices = {one.name: one.chosen for one in offered}

    response = send(
        hopes="Of Ben", strengths="Chess", promise="", seen=logs.version(saved), **choices
    )

    log = VisitLog.objects.get()
    assert response.status_code == 302
    assert (log.hopes, log.strengths, log.minutes) == ("Of Ana\nOf Ben", "Chess", 60)
    assert (FollowUp.objects.get().promise, FollowUp.objects.get().due_on.day) == ("A card", 15)


@pytest.mark.parametrize(("choice", "kept"), [("theirs", "Of Ana"), ("mine", "Of Ben")])
def test_one_of_the_two_is_kept_where_a_person_says_so(send, saved, choice, kept):
    send(hopes="Of Ben", keep_hopes=choice, seen=logs.version(saved))

    assert VisitLog.objects.get().hopes == kept


@pytest.mark.parametrize(("choice", "kept"), [("theirs", True), ("mine", False)])
def test_a_box_that_is_not_ticked_is_a_choice_too(send, saved, choice, kept):
    send(student_present="False", keep_student_present=choice, seen=logs.version(saved))

    assert VisitLog.objects.get().student_present is kept


def test_saved_once_more_while_choosing_is_shown_once_more(send, saved, held, educator):
    before = logs.version(saved)
    with clock.at(at(8, 19)):
        entry = logs.Entry(60, "es", 2, True, hopes="Of Ana, corrected")
        logs.write(held, entry, by=educator, seen=before)

    response = send(hopes="Of Ben", keep_hopes="theirs", seen=before)

    (hopes,) = [one for one in response.context["differences"] if one.field.name == "hopes"]
    assert response.status_code == 409
    assert (hopes.theirs, hopes.mine) == ("Of Ana, corrected", "Of Ben")


def test_both_that_are_too_long_together_are_refused_with_every_word(send, saved):
    response = send(promise="B" * 252, keep_promise="both", seen=logs.version(saved))

    assert response.status_code == 422
    assert "A card; BBB" in response.content.decode()


def test_two_pages_of_ones_own_reflection_are_chosen_from_too(client, saved, held, educator):
    client.force_login(educator)
    url = f"/visits/{held.pk}/reflect/"
    first = client.get(url).context["instead_of"]
    client.post(url, {"learned": "He cooks.", "instead_of": first})

    refused = client.post(url, {"learned": "She builds.", "instead_of": first})

    page = refused.content.decode()
    assert refused.status_code == 409 and "You saved this on another page." in page
    assert "He cooks." in page and "She builds." in page
    assert Reflection.objects.get().learned == "He cooks."

    choice = {"learned": "She builds.", "keep_learned": "both"}
    client.post(url, choice | {"instead_of": refused.context["instead_of"]})
    assert Reflection.objects.get().learned == "He cooks.\nShe builds."


def test_the_same_reflection_from_two_pages_is_one(client, saved, held, educator):
    client.force_login(educator)

    for _page in range(2):
        sent = {"learned": "He cooks.", "instead_of": ""}
        assert client.post(f"/visits/{held.pk}/reflect/", sent).status_code == 302

    assert reflections.version(Reflection.objects.get())


@pytest.fixture
def lucia(family, program, school, school_class) -> Student:
    """Mateo's sister, in the same class."""
    facts = {"program": program, "school": school, "family": family, "source_id": "lucia"}
    found = Student.objects.create(**facts, given_name="Lucía", family_name="Ortega", grade="1")
    Enrollment.objects.create(program=program, school_class=school_class, student=found)
    return found


def test_what_was_said_of_each_child_is_chosen_apart(lucia, held, educator, send):
    mateo, lucia_there = held.visit_students.order_by("pk")
    of_both = (logs.OfAChild(mateo.pk, hopes="Of Ana"), logs.OfAChild(lucia_there.pk))
    saved = logs.write(held, logs.Entry(40, "es", 2, True, children=of_both), by=educator)
    sent = {f"{one.pk}-was_there": "on" for one in (mateo, lucia_there)}
    sent[f"{mateo.pk}-hopes"], sent[f"{lucia_there.pk}-strengths"] = "Of Ben", "Chess"

    refused = send(**sent)

    found = {one.field.name: (one.theirs, one.mine) for one in refused.context["differences"]}
    assert found[f"{mateo.pk}-hopes"] == ("Of Ana", "Of Ben")
    assert found[f"{lucia_there.pk}-strengths"] == ("", "Chess")
    choices = {one.name: one.chosen for one in refused.context["differences"]}
    assert send(**sent, **choices, seen=logs.version(saved)).status_code == 302
    mateo.refresh_from_db()
    lucia_there.refresh_from_db()
    assert (mateo.hopes, lucia_there.strengths) == ("Of Ana\nOf Ben", "Chess")
