"""Two families are made one and made two again, by mouse and by thumb."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from families.models import Caregiver, Family, Student
from pthv.models import Change

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def twin(family, add_family) -> Family:
    """The Ortegas once more, with Lucía and an uncle."""
    found = add_family("Ortega", "Lucía")
    Caregiver.objects.create(
        program=found.program, family=found, given_name="Raúl", family_name="Ortega"
    )
    return found


@pytest.mark.parametrize("phone", [True, False], ids=["360", "1280"])
def test_two_families_are_merged_looked_at_split_and_put_back(
    open_device, family, twin, program_coordinator, phone
):
    page = open_device(program_coordinator, phone=phone)
    page.goto(reverse("family_detail", args=[family.pk]))

    # The page says so itself: a caregiver has the same phone.
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link", name="Compare").click()
    assert "Mateo Ortega, Lucía Ortega" in page.inner_text("main")
    page.get_by_role("button", name="Merge").click()
    page.wait_for_url(f"**{reverse('family_detail', args=[family.pk])}")
    assert page.get_by_role("heading", level=1).inner_text().endswith("Mateo (3), Lucía (3)")
    assert "You can undo it for 30 days." in page.inner_text("main")
    assert {str(person) for person in family.caregivers.all()} == {"Marta Ortega", "Raúl Ortega"}

    # They are two after all: Lucía goes with her uncle, Marta is of both.
    page.get_by_role("link", name="Split into two").click()
    page.get_by_role("group", name="Lucía").get_by_text("Goes").click()
    page.get_by_role("group", name="Raúl").get_by_text("Goes").click()
    page.get_by_role("group", name="Marta").get_by_text("Of both").click()
    page.get_by_role("button", name="Make two families").click()
    page.get_by_text("They are two families now.").wait_for()
    new = Family.objects.latest("pk")
    assert page.url.endswith(reverse("family_detail", args=[new.pk]))
    assert [child.given_name for child in new.students.all()] == ["Lucía"]

    # And all of it is put back, the last change first.
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone: everything is as it was before.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone: everything is as it was before.").wait_for()
    assert Student.objects.get(given_name="Lucía").family == twin
    assert not Change.objects.filter(undone_at=None).exists()
    assert Family.objects.count() == 2


def test_a_family_is_put_right_without_scripts(open_device, family, educator, site_coordinator):
    marta = family.caregivers.get()
    told = open_device(educator, phone=True, java_script_enabled=False)
    told.goto(reverse("family_detail", args=[family.pk]))
    told.get_by_role("link", name="Something changed Marta Ortega").click()
    told.get_by_label("Phone", exact=True).fill("312 555 0199")
    told.get_by_role("button", name="Send").click()
    assert "Sent to your coordinator." in told.inner_text("main")

    desk = open_device(site_coordinator, java_script_enabled=False)
    desk.goto("/desk/")
    desk.get_by_role("button", name="Change it").click()

    marta.refresh_from_db()
    assert str(marta.phone) == "+13125550199"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [True, False], ids=["360", "1280"])
def test_the_pages_about_a_family_are_sound(
    open_device, family, twin, proposal, site_coordinator, phone, scheme
):
    Family.objects.filter(pk=family.pk).update(address="4 Quiet Court", address_confidential=True)
    for number in range(12):
        Student.objects.create(
            program=family.program, school=family.students.get(given_name="Mateo").school,
            family=family, source_id=f"S{number}", grade="05", family_name="Featherstonehaugh",
            given_name="محمد عبد الرحمن" if number % 2 else "Wilhelmina-Alexandra-Konstantina",
        )  # fmt: skip
    page = open_device(site_coordinator, phone=phone, color_scheme=scheme)
    caregiver = family.caregivers.get().pk
    paths = [
        reverse("family_detail", args=[family.pk]),
        reverse("family_edit", args=[family.pk]),
        reverse("family_merge", args=[family.pk]),
        f"{reverse('family_merge', args=[family.pk])}?other={twin.pk}",
        reverse("family_split", args=[family.pk]),
        reverse("caregiver_new", args=[family.pk]),
        reverse("caregiver_edit", args=[caregiver]),
        reverse("student_edit", args=[family.students.first().pk]),
        f"{reverse('amendment_new', args=[family.pk])}?caregiver={caregiver}",
        reverse("desk"),
    ]

    found = []
    for path in paths:
        assert page.goto(path).status == 200, path
        violations = Axe().run(page).response["violations"]
        found += [
            f"{path}: {violation['id']} {node['html'][:120]}"
            for violation in violations
            for node in violation["nodes"]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found += [f"{path} scrolls sideways"] if wide else []

    assert found == []
