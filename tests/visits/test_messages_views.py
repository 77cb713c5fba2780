"""The list of messages to families, and their wording on screen."""

import pytest
from django.urls import reverse

from families import people
from pthv import clock, outbox
from pthv.models import Message, RecordView
from tests.conftest import NOW
from visits import answers, family_messages
from visits.models import MessageWording


@pytest.fixture
def read(client):
    def get(url, user):
        client.force_login(user)
        response = client.get(url)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    return get


@pytest.fixture
def post(client):
    def post(url, user, **data):
        client.force_login(user)
        return client.post(url, data)

    return post


def test_the_list_says_what_went_out_and_what_did_not(read, unsent, site_coordinator, family):
    page = read("/messages/", site_coordinator)

    assert "Invitation · Ortega family" in page and "Marta Ortega · Text message · Spanish" in page
    assert "Could not be sent" in page and "The service did not answer" in page
    assert "Try again" in page
    assert RecordView.objects.filter(
        subject_type="family", subject_id=family.pk, by=site_coordinator
    ).exists()
    assert "Ortega" in read("/messages/?show=not_arrived", site_coordinator)
    assert "Nothing waits" in read("/messages/?show=waiting", site_coordinator)


def test_of_a_text_that_came_back_without_a_reason_nothing_else_is_said(
    read, unsent, site_coordinator
):
    Message.objects.update(state="queued", problem="")
    outbox.came_back(unsent.pk, "")

    page = read("/messages/", site_coordinator)
    assert "It did not reach their phone" in page and "did not answer" not in page


def test_messages_of_another_school_are_not_listed(read, unsent, other_site_coordinator):
    assert "No message yet" in read("/messages/", other_site_coordinator)


def test_letters_to_our_own_people_are_not_listed(read, visit, program_coordinator):
    assert Message.objects.exists()
    assert "No message yet" in read("/messages/", program_coordinator)


def test_the_desk_says_that_one_did_not_arrive(read, unsent, site_coordinator):
    assert "One message to a family didn’t arrive" in read("/desk/", site_coordinator)
    with clock.at(NOW + family_messages.LATELY * 1.1):
        assert "didn’t arrive" not in read("/desk/", site_coordinator)


def test_the_desk_says_that_some_wait_for_a_service(
    read, unsent, site_coordinator, other_site_coordinator
):
    Message.objects.update(state="queued", problem="unavailable")
    assert "didn’t arrive" not in read("/desk/", site_coordinator)
    Message.objects.update(queued_at=NOW - family_messages.LATELY)
    assert "didn’t arrive" in read("/desk/", site_coordinator)
    assert "didn’t arrive" not in read("/desk/", other_site_coordinator)


def test_one_that_did_not_arrive_is_tried_again(post, unsent, site_coordinator):
    post(f"/messages/{unsent.pk}/again/", site_coordinator)

    unsent.refresh_from_db()
    assert (unsent.state, unsent.problem) == ("queued", "")
    assert outbox.send(unsent.pk)


def test_one_that_must_not_go_out_is_not(post, unsent, site_coordinator, educator):
    answers.record(
        family_messages.attempts_of([unsent])[unsent.pk].invitation, "declined", by=educator
    )

    response = post(f"/messages/{unsent.pk}/again/", site_coordinator)

    unsent.refresh_from_db()
    assert response.status_code == 302 and unsent.state == "failed"
    page = post(response["Location"], site_coordinator)
    assert page.status_code == 200


def test_a_coordinator_rewords_a_language_and_takes_it_back(
    read, post, program_coordinator, invitation, educator
):
    url = reverse("wording_edit", args=["invitation"]) + "?language=vi"
    page = read(url, program_coordinator)
    assert "Our English" in page and 'lang="vi"' in page and "Back to our wording" not in page

    body = "Chào {caregiver}, {educators} ở {school} muốn đến thăm. {link}"
    shown = post(url, program_coordinator, subject="Xin chào", body=body, show="1")
    assert "Chào Marta, Ana" in shown.content.decode() and not MessageWording.objects.exists()
    saved = post(url, program_coordinator, subject="Xin chào", body=body, save="1")
    assert saved.status_code == 302
    assert "own words" in read("/wording/", program_coordinator)
    marta = invitation.family.caregivers.get()
    people.change_caregiver(
        marta, {"language": "vi", "preferred_channel": "text"}, by=program_coordinator
    )
    (message,) = family_messages.invite(invitation, by=educator)
    assert message.body.startswith("Chào Marta, Ana ở Lincoln muốn đến thăm. {link}")

    assert "Back to our wording" in read(url, program_coordinator)
    assert post(url, program_coordinator, ours="1").status_code == 302
    assert not MessageWording.objects.exists()


def test_words_that_cannot_work_are_refused_with_a_sentence(post, program_coordinator):
    url = reverse("wording_edit", args=["invitation"])
    refused = post(url, program_coordinator, subject="Hi", body="Come, {name}!", save="1")

    assert refused.status_code == 422
    page = refused.content.decode()
    assert "{name} can" in page and "Leave {link} in it" in page and "Come, {name}!" in page
    assert not MessageWording.objects.exists()


def test_what_a_call_says_has_no_subject(read, program_coordinator):
    page = read(reverse("wording_edit", args=["call"]), program_coordinator)

    assert "Subject of the e-mail" not in page and "text message" not in page


@pytest.mark.parametrize("url", ["/wording/nothing/", "/wording/invitation/?language=xx"])
def test_there_is_no_wording_of_what_is_not(client, program_coordinator, url):
    client.force_login(program_coordinator)

    assert client.get(url).status_code == 404


def test_what_a_program_writes_is_text(post, read, program_coordinator):
    url = reverse("wording_edit", args=["call"])
    post(url, program_coordinator, body="<script>alert(1)</script> {school}", save="1")

    page = read(url, program_coordinator)
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
