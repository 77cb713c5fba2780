"""Plans on screen: a class, a grade or a school, never a family."""

from families.models import SchoolClass
from visits.models import Invitation, SelectionPlan


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
