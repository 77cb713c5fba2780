"""Whoever searches finds the families they may see, and nobody else's."""

import csv

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from families.models import Caregiver, Enrollment, Family, SchoolClass, Student
from pthv.models import AuditEntry
from visits.models import Invitation

pytestmark = pytest.mark.django_db
URL = reverse("search")


def found(client, user, typed, **more) -> str:
    client.force_login(user)
    response = client.get(URL, {"q": typed}, **more)
    assert response.status_code == 200
    return response.text


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("educator", True),
        ("partner", False),
        ("colleague", False),
        ("site_coordinator", True),
        ("other_site_coordinator", False),
        ("program_coordinator", True),
        ("outsider", False),
    ],
)
def test_everybody_finds_only_whom_they_may_see(request, client, invitation, who, sees):
    family = invitation.family
    Caregiver.objects.filter(family=family).update(phone="+15035554567")
    child = family.students.first()

    for typed in (child.given_name, family.surnames[:4], "4567"):
        shown = found(client, request.getfixturevalue(who), typed)
        assert (reverse("family_detail", args=[family.pk]) in shown) == sees


def test_whoever_teaches_a_child_finds_it_without_an_invitation(client, educator, family):
    assert family.surnames in found(client, educator, family.surnames)


def test_as_one_types_only_the_list_comes(client, educator, invitation):
    name = invitation.family.surnames
    headers = {"HX-Request": "true", "HX-Target": "found"}

    shown = found(client, educator, name, headers=headers)

    assert "<html" not in shown
    assert name in shown


def test_nothing_typed_asks_for_nobody(client, educator, invitation):
    assert "Nobody found" not in found(client, educator, "")


def test_it_costs_as_much_for_many_as_for_one(client, educator, add_family):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(URL, {"q": "Ortega"})
        return len(queries)

    add_family("Ortega", "Ana")
    client.force_login(educator)
    one = cost()
    for number in range(12):
        add_family(f"Ortega{number}", "Ana")

    assert cost() == one <= 9


class TestTheListNarrowed:
    @pytest.fixture
    def families(self, program, school, other_school, add_family, invitation):
        second = add_family("Second", "Bo")
        Family.objects.filter(pk=second.pk).update(language="vi")
        Student.objects.filter(family=second).update(grade="05")
        Student.objects.filter(family=invitation.family).update(grade="03")
        Invitation.objects.create(
            program=program,
            school=school,
            school_year=invitation.school_year,
            family=second,
            educator=invitation.educator,
        )
        return invitation.family, second

    def shown(self, client, user, **filters) -> list[bool]:
        client.force_login(user)
        response = client.get(reverse("invitation_list"), filters)
        assert response.status_code == 200
        return [name in response.text for name in ("Ortega family", "Second family")]

    def test_by_grade_language_and_class(self, client, families, site_coordinator, school_class):
        assert self.shown(client, site_coordinator) == [True, True]
        assert self.shown(client, site_coordinator, grade="05") == [False, True]
        assert self.shown(client, site_coordinator, grade="03") == [True, False]
        assert self.shown(client, site_coordinator, language="vi") == [False, True]
        Enrollment.objects.filter(student__family=families[1]).delete()
        class_of = {"school_class": str(school_class.pk)}
        assert self.shown(client, site_coordinator, **class_of) == [True, False]

    def test_by_school(self, client, families, program_coordinator, school, other_school):
        assert self.shown(client, program_coordinator, school=str(school.pk)) == [True, True]
        other = {"school": str(other_school.pk)}
        assert self.shown(client, program_coordinator, **other) == [False, False]
        assert self.shown(client, program_coordinator, school=school.name[:4]) == [True, True]

    def test_what_is_no_choice_finds_nobody(self, client, families, site_coordinator):
        for bad in (
            {"grade": "99"},
            {"language": "'"},
            {"school_class": "x"},
            {"school": "9" * 30},
        ):
            assert self.shown(client, site_coordinator, **bad) == [False, False]

    def test_the_classes_offered_are_of_the_school_one_may_see(
        self, client, families, program, site_coordinator, other_school, school_class
    ):
        elsewhere = SchoolClass.objects.create(
            program=program,
            school=other_school,
            school_year=school_class.school_year,
            source_id="E",
            title="Elsewhere",
        )
        client.force_login(site_coordinator)
        text = client.get(reverse("invitation_list"), {"filter": 1}).text

        assert school_class.title in text
        assert elsewhere.title not in text

    def test_as_a_file_without_contact_data_or_a_no(
        self, client, families, site_coordinator, educator
    ):
        Caregiver.objects.update(phone="+15035550199", email="secret@example.org")
        Invitation.objects.filter(family=families[1]).update(
            state="declined",
            asked_at="2026-10-01T12:00Z",
            answered_at="2026-10-01T12:00Z",
            answered_by=educator,
        )
        client.force_login(site_coordinator)

        response = client.post(reverse("invitation_csv") + "?grade=03")

        text = b"".join(response.streaming_content).decode("utf-8-sig")
        rows = list(csv.DictReader(text.splitlines()))
        assert [row["family"] for row in rows] == [families[0].surnames]
        assert "550199" not in text
        assert "secret" not in text
        entry = AuditEntry.objects.get(event="families.exported")
        assert (entry.by, entry.facts) == (site_coordinator, {"filters": {"grade": "03"}})

    def test_the_file_is_of_whom_the_page_found(self, client, families, site_coordinator):
        client.force_login(site_coordinator)
        asked = "?q=mateo&state=not_asked&secret=1&page=2"

        response = client.post(reverse("invitation_csv") + asked)

        text = b"".join(response.streaming_content).decode("utf-8-sig")
        assert len(text.splitlines()) == 2 and families[0].surnames in text
        entry = AuditEntry.objects.get(event="families.exported")
        assert entry.facts == {"filters": {"state": "not_asked", "q": True}}
