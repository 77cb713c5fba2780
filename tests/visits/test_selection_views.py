"""Plans on screen: a class, a grade or a school, or a draw, never a family."""

import datetime

import pytest

from families.models import SchoolClass
from pthv.models import AuditEntry
from tests.conftest import NOW
from visits import answers, invitations, selection
from visits.models import Draw, Invitation, SelectionPlan


def test_a_coordinator_plans_a_class(client, site_coordinator, school, school_class, family):
    client.force_login(site_coordinator)
    form = client.get("/plans/new/").content.decode()
    assert "Grade 3A" in form and "Ortega" not in form

    page = client.post(
        "/plans/new/", {"school": school.pk, "scope": f"class:{school_class.pk}"}, follow=True
    )

    assert page.redirect_chain[-1][0] == f"/plans/{SelectionPlan.objects.get().pk}/"
    assert "Ortega family\u00a0— Mateo (3)" in page.content.decode()
    assert Invitation.objects.get().family == family


def test_an_empty_class_is_refused_with_its_sentence(
    client, site_coordinator, school, school_class
):
    client.force_login(site_coordinator)

    page = client.post("/plans/new/", {"school": school.pk, "scope": f"class:{school_class.pk}"})

    assert page.status_code == 409
    assert "No student of the roster is in this plan." in page.content.decode()


def test_a_scope_nobody_offered_is_refused(client, site_coordinator, school, school_class):
    client.force_login(site_coordinator)

    page = client.post("/plans/new/", {"school": school.pk, "scope": "family:1"})

    assert page.status_code == 422
    assert not SelectionPlan.objects.exists()


def test_another_schools_classes_show_once_it_is_chosen(
    client, program_coordinator, school, other_school, school_class
):
    client.force_login(program_coordinator)

    assert "Grade 3A" in client.get(f"/plans/new/?school={school.pk}").content.decode()
    assert "Grade 3A" not in client.get(f"/plans/new/?school={other_school.pk}").content.decode()


def test_the_list_names_each_plan(client, site_coordinator, invitation):
    client.force_login(site_coordinator)

    assert "Everyone in Grade 3A" in client.get("/plans/").content.decode()


def test_the_first_plan_is_invited(client, site_coordinator):
    client.force_login(site_coordinator)

    assert "Make the first plan" in client.get("/plans/").content.decode()


def test_more_classes_than_are_shown_are_told_and_found_by_their_beginning(
    client, site_coordinator, program, school, school_year, school_class, family, monkeypatch
):
    monkeypatch.setattr("visits.forms.selection.CLASSES_SHOWN", 2)
    for title in ("Art", "Band", "Chess"):
        SchoolClass.objects.create(
            program=program, school=school, school_year=school_year, source_id=title, title=title
        )
    client.force_login(site_coordinator)
    told = "There are more classes than are shown here."

    first = client.get("/plans/new/").content.decode()
    found = client.get("/plans/new/?q=grade+3").content.decode()

    assert told in first and "Grade 3A" not in first and 'id="q"' in first
    assert told not in found and "Grade 3A" in found and ">Art<" not in found
    assert 'value="grade 3"' in found
    scope = {"school": school.pk, "scope": f"class:{school_class.pk}"}
    assert client.post("/plans/new/", scope).status_code == 422
    assert client.post("/plans/new/", scope | {"q": "grade 3"}).status_code == 302
    assert Invitation.objects.get().family == family


def test_few_classes_need_no_filter(client, site_coordinator, school_class):
    client.force_login(site_coordinator)

    page = client.get("/plans/new/").content.decode()

    assert 'id="q"' not in page
    assert client.get("/plans/new/?q=%00").status_code == 200


@pytest.fixture
def drawn(add_family, school, school_year, school_class, site_coordinator) -> SelectionPlan:
    """Two of five families of the class."""
    for number in range(5):
        add_family(f"Family{number}")
    return selection.draw(
        school, school_year, 2, school_class=school_class, by=site_coordinator,
        ask_by=datetime.date(2026, 10, 15),
    )  # fmt: skip


def test_a_coordinator_draws_some_of_a_class(
    client, site_coordinator, school, school_class, add_family
):
    for number in range(5):
        add_family(f"Family{number}")
    client.force_login(site_coordinator)
    typed = {
        "school": school.pk,
        "scope": f"class:{school_class.pk}",
        "kind": "draw",
        "size": "2",
        "ask_by": "2026-10-15",
        "seed": "f" * 32,
    }

    page = client.post("/plans/new/", typed, follow=True).content.decode()

    made = Draw.objects.get()
    assert "Draw 1: 2 of 5 families" in page
    assert made.seed in page and made.seed != typed["seed"]
    assert "0 of 2 asked; planned by Thu, Oct 15." in page
    assert Invitation.objects.count() == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind": "draw"}, "Say how many families to draw."),
        ({"kind": "draw", "size": "0"}, "greater than or equal to 1"),
        ({"kind": "draw", "size": "x"}, "Enter a whole number."),
        ({"ask_by": "2026-10-05"}, "This day is over."),
        ({"kind": "handpicked"}, "Select a valid choice."),
    ],
)
def test_a_plan_that_says_too_little_is_refused(
    client, site_coordinator, school, school_class, family, typed, said
):
    client.force_login(site_coordinator)
    scope = {"school": school.pk, "scope": f"class:{school_class.pk}"}

    page = client.post("/plans/new/", scope | typed)

    assert page.status_code == 422
    assert said in page.content.decode()
    assert not SelectionPlan.objects.exists()


def test_anybody_who_sees_the_plan_draws_it_again_and_compares(client, site_coordinator, drawn):
    client.force_login(site_coordinator)
    url = f"/plans/{drawn.pk}/"
    same = "Drawn again from the record: the same 2 families, in the same order."

    assert same not in client.get(url).content.decode()
    assert same in client.get(url, {"check": 1}).content.decode()
    part = client.get(url, {"check": 1}, headers={"HX-Request": "true", "HX-Target": "draws"})
    assert same in part.content.decode() and "<html" not in part.content.decode()
    assert client.get(url, {"check": "9\x00"}).status_code == 200


def test_what_does_not_match_is_said(client, site_coordinator, drawn, monkeypatch):
    client.force_login(site_coordinator)
    monkeypatch.setattr(selection, "lot", lambda _seed, population, size: population[:size][::-1])

    page = client.get(f"/plans/{drawn.pk}/?check=1").content.decode()

    assert "Drawn again, it is not what the record says." in page


def test_its_record_holds_ids_alone_and_taking_it_is_kept(client, site_coordinator, drawn):
    client.force_login(site_coordinator)

    url = f"/draws/{drawn.draws.get().pk}/draw.json"

    taken = client.post(url)

    assert selection.redraw(taken.content) == taken.content
    assert "Family" not in taken.content.decode() and "Ruiz" not in taken.content.decode()
    assert AuditEntry.objects.get(event="plan.record_taken").by == site_coordinator
    assert client.get(url).status_code == 405


def test_more_are_drawn_once_however_often_the_button_is_tapped(client, site_coordinator, drawn):
    client.force_login(site_coordinator)
    url, form = f"/plans/{drawn.pk}/draw/", {"size": "2", "after": "1", "because": "More teachers"}

    first = client.post(url, form, follow=True).content.decode()
    again = client.post(url, form, follow=True).content.decode()

    assert "Drawn. Their teacher can invite them now." in first
    assert "Somebody drew in the meantime." in again
    assert "Draw 2: 2 of 3 families" in again
    assert Invitation.objects.count() == 4
    too_many = client.post(
        url, {"size": "2", "after": "2", "because": "More"}, follow=True
    ).content.decode()
    assert "There is 1 family to draw from." in too_many
    assert "Say how many" in client.post(url, {"after": "2"}, follow=True).content.decode()


def test_the_plan_says_how_often_was_drawn_and_why(client, site_coordinator, drawn):
    client.force_login(site_coordinator)
    url = f"/plans/{drawn.pk}/"
    page = client.get(url).content.decode()
    assert "Drawn by lot, once" in page and "2 drawn families are not asked yet." in page
    assert 'name="because"' in page

    said = client.post(f"{url}draw/", {"size": "1", "after": "1"}, follow=True).content.decode()
    assert "Ask them first, or say why not." in said and Draw.objects.count() == 1
    why = {"size": "1", "after": "1", "because": "Cara is back."}
    page = client.post(f"{url}draw/", why, follow=True).content.decode()

    assert "Drawn by lot, 2 times" in page
    assert "Before all of the earlier ones were asked: Cara is back." in page
    Invitation.objects.update(state="asked", asked_at=NOW)
    assert 'name="because"' not in client.get(url).content.decode()


def test_the_list_says_how_far_each_plan_is_and_begins_with_those_nobody_began(
    client, site_coordinator, school, school_year, drawn
):
    selection.plan_everyone(school, school_year, by=site_coordinator)
    yes, no = drawn.invitations.all()
    answers.record(yes, "accepted", by=yes.educator.user)
    invitations.record_attempt(no, "call", "no_answer", by=no.educator.user)
    client.force_login(site_coordinator)

    page = " ".join(client.get("/plans/").content.decode().split())

    # Whom the draw asks is of everyone too, but was asked by the draw.
    everyone, some = "0 of 3 asked · 0 answered · 0 visited", "2 of 2 asked · 1 answered"
    assert page.index(everyone) < page.index(some)
    first = SelectionPlan.objects.get(kind="everyone")
    for query, shown in (
        (f"after={first.pk}~1", [drawn]),
        (f"before={drawn.pk}~0", [first]),
        (f"after={drawn.pk}~0", []),
        (f"after={drawn.pk}~x", [first, drawn]),
    ):
        assert client.get(f"/plans/?{query}").context["page"].rows == shown, query


def test_those_on_another_plan_are_counted(client, site_coordinator, school, school_year, drawn):
    selection.plan_everyone(school, school_year, by=site_coordinator)
    selection.draw_more(drawn, 3, after=1, by=site_coordinator, because="More")
    client.force_login(site_coordinator)

    page = client.get(f"/plans/{drawn.pk}/").content.decode()

    assert "3 families that were drawn are on another plan of this year too" in page


def test_a_plan_of_everyone_shows_no_lot(client, site_coordinator, invitation):
    client.force_login(site_coordinator)

    assert "Drawn by lot" not in client.get(f"/plans/{invitation.plan_id}/").content.decode()


def test_nobody_draws_more_of_everyone(client, site_coordinator, invitation):
    client.force_login(site_coordinator)

    drawn = client.post(f"/plans/{invitation.plan_id}/draw/", {"size": "1", "after": "1"})

    assert drawn.status_code == 404
