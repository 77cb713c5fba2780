"""A NUL, which the database can't hold, is answered like any other thing that isn't there."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from families.models import RosterImport
from visits.models import ContactAttempt, Invitation

NAMES = (
    "q",
    "state",
    "kind",
    "school",
    "year",
    "step",
    "team",
    "after",
    "before",
    "page",
    "week",
    "invitation",
    "other",
)


@pytest.mark.parametrize(
    "page",
    [
        "/families/",
        "/families/{family}/",
        "/visits/",
        "/plans/",
        "/plans/new/",
        "/coverage/",
        "/desk/",
        "/pay/",
        "/rosters/",
        "/rosters/{roster_import}/",
    ],
)
def test_a_nul_in_an_address_is_nothing(
    client, program_coordinator, invitation, roster_import, page
) -> None:
    client.force_login(program_coordinator)
    url = page.format(family=invitation.family_id, roster_import=roster_import.pk)

    for name in NAMES:
        for value in ("%00", "Ort%00ega", "1%00"):
            answer = client.get(f"{url}?{name}={value}", follow=True)
            assert answer.status_code in (200, 403, 404), (name, value)


def test_a_nul_inside_a_name_finds_as_two_words(client, program_coordinator, invitation) -> None:
    client.force_login(program_coordinator)

    assert "Ortega family" in client.get("/families/?q=Mateo%00Ort").content.decode()
    assert "Ortega family" not in client.get("/families/?q=Ort%00zzz").content.decode()


def test_a_nul_in_what_is_sent_changes_nothing(
    client, program_coordinator, educator, invitation, school
) -> None:
    for who, url, sent in [
        (
            educator,
            f"/invitations/{invitation.pk}/attempt/",
            {"channel": "call\0", "outcome": "reached\0"},
        ),
        (
            educator,
            f"/invitations/{invitation.pk}/answer/",
            {"answer": "declined\0", "later_on": "\0"},
        ),
        (educator, f"/invitations/{invitation.pk}/team/", {"partners": "1\0"}),
        (educator, f"/invitations/{invitation.pk}/schedule/", {"slot": "\0", "place": "home\0"}),
        (program_coordinator, "/plans/new/", {"school": f"{school.pk}\0", "scope": "grade:3\0"}),
        (
            program_coordinator,
            "/rosters/upload/",
            {"kind": "contacts\0", "file": SimpleUploadedFile("a.csv", b"x")},
        ),
    ]:
        client.force_login(who)
        assert client.post(url, sent).status_code in (404, 409, 422), url

    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.NOT_ASKED
    assert not ContactAttempt.objects.exists()
    assert not RosterImport.objects.exists()
