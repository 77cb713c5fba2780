"""What a family's page hides is hidden one address further, too."""

import pytest
from django.urls import reverse

from families import amendments
from families.models import Caregiver, Family, Student
from pthv.models import RecordView
from visits.models import Invitation

pytestmark = pytest.mark.django_db
PHONE, SHOWN, ADDRESS = "+15035550142", "503) 555-0142", "7 Hidden Lane"


@pytest.fixture
def marta(invitation) -> Caregiver:
    Family.objects.filter(pk=invitation.family_id).update(address=ADDRESS)
    found = Caregiver.objects.get(family=invitation.family)
    Caregiver.objects.filter(pk=found.pk).update(phone=PHONE)
    found.refresh_from_db()
    return found


@pytest.fixture
def pages(marta):
    family = marta.family_id
    return [
        reverse("family_detail", args=[family]),
        reverse("amendment_new", args=[family]),
        reverse("amendment_new", args=[family]) + f"?caregiver={marta.pk}",
    ]


def shown(client, user, urls) -> str:
    client.force_login(user)
    responses = [client.get(url) for url in urls]
    assert {response.status_code for response in responses} == {200}
    return "".join(response.text for response in responses)


def test_a_phone_that_may_be_called_is_there(client, educator, marta, pages):
    text = shown(client, educator, pages)

    assert PHONE in text and ADDRESS in text
    assert RecordView.objects.filter(subject_type="family.address").exists()


def test_a_phone_that_must_not_be_called_is_not(client, educator, marta, pages):
    Caregiver.objects.filter(pk=marta.pk).update(may_be_contacted=False)
    amendments.propose(marta.family, {"phone": "(503) 555-0199"}, by=educator, caregiver=marta)

    text = shown(client, educator, pages)

    assert PHONE not in text and SHOWN not in text
    assert "555-0199" not in text


def decline(invitation, user) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(
        state="declined",
        asked_at="2026-10-01T12:00Z",
        answered_at="2026-10-01T12:00Z",
        answered_by=user,
    )


def test_of_a_family_that_said_no_nothing_is(
    client, educator, site_coordinator, invitation, marta, pages
):
    decline(invitation, educator)

    for user in (educator, site_coordinator):
        text = shown(client, user, pages)
        assert PHONE not in text and SHOWN not in text and ADDRESS not in text
    edit = [reverse("family_edit", args=[marta.family_id])]
    assert ADDRESS not in shown(client, site_coordinator, edit)
    client.post(edit[0], {"surnames": "Ortega", "language": "es", "address": ""})
    assert Family.objects.get(pk=marta.family_id).address == ADDRESS


def test_a_teacher_finds_no_family_that_said_no_by_its_phone(
    client, educator, site_coordinator, invitation, marta
):
    url, page = reverse("search"), reverse("family_detail", args=[marta.family_id])
    client.force_login(educator)
    assert page in client.get(url, {"q": "0142"}).text

    decline(invitation, educator)

    assert page not in client.get(url, {"q": "0142"}).text
    client.force_login(site_coordinator)
    assert page in client.get(url, {"q": "0142"}).text


def test_a_correction_about_a_child_at_another_school_is_not_this_coordinator_s(
    client, program, other_school, site_coordinator, program_coordinator, invitation
):
    sibling = Student.objects.create(
        program=program,
        school=other_school,
        source_id="S-77",
        given_name="Elsewhere",
        family_name="Secretname",
        family=invitation.family,
    )
    proposal = amendments.propose(
        invitation.family, {"display_name": "Secretname Whole"}, student=sibling
    )
    approve = reverse("amendment_approve", args=[proposal.pk])
    client.force_login(site_coordinator)

    page = client.get(reverse("family_detail", args=[invitation.family_id])).text
    desk = client.get(reverse("desk")).text

    assert "Secretname" not in page + desk
    assert client.post(approve).status_code == 404
    client.force_login(program_coordinator)
    assert client.post(approve).status_code == 302


def test_an_id_that_is_no_id_is_nobody(client, educator, invitation):
    client.force_login(educator)
    url = reverse("amendment_new", args=[invitation.family_id])

    assert client.get(url, {"caregiver": "9" * 5000}).status_code == 404
