"""The words to ask with: in the family's language, sent once, or from one's own phone."""

import html
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from families.models import Caregiver
from pthv import clock, stops
from pthv.models import Message, School
from tests.conftest import at
from visits import answers, links
from visits.models import FamilyLink, Invitation, MessageWording


@pytest.fixture
def mother(invitation):
    person = invitation.family.caregivers.get()
    person.language, person.preferred_channel = "es", "text"
    person.save()
    return person


@pytest.fixture
def page(client, educator, invitation):
    def load(query: str = "") -> str:
        client.force_login(educator)
        response = client.get(f"/invitations/{invitation.pk}/write/{query}")
        assert response.status_code == 200
        return response.content.decode()

    return load


@pytest.fixture
def post(client, educator, invitation):
    def send(**facts):
        client.force_login(educator)
        return client.post(f"/invitations/{invitation.pk}/write/", facts, follow=True)

    return send


def test_looking_at_the_words_sends_and_makes_nothing(page, mother):
    told = page()

    assert 'lang="es"' in told and "The same in English" in told and "{link}" in told
    assert not Message.objects.exists() and not FamilyLink.objects.exists()


def test_a_school_without_a_phone_is_pointed_out(page, mother, school):
    nudge = "Lincoln has no phone number here"
    assert nudge in page()

    school.phone = "+13125550100"
    school.save()
    assert nudge not in page()


def test_sending_twice_is_once(post, mother, invitation):
    post()
    told = post().content.decode()

    (message,) = Message.objects.all()
    invitation.refresh_from_db()
    assert (message.channel, message.language) == ("text", "es")
    assert invitation.state == Invitation.State.ASKED
    assert "Nothing was sent twice" in told


def test_ones_own_phone_gets_the_words_with_the_link(post, page, mother, invitation):
    told = post(how="own", caregiver=mother.pk).content.decode()

    link = FamilyLink.objects.get()
    assert links.url(link) in told and re.search(r'href="sms:\+1\d+\?body=', told)
    post(how="own", caregiver=mother.pk)
    assert FamilyLink.objects.count() == 1


def test_a_number_that_asked_for_no_texts_is_not_texted_by_hand(post, mother):
    stops.stop(str(mother.phone))

    told = post(how="own", caregiver=mother.pk).content.decode()

    assert "sms:" not in told
    assert "Marta asked for no more texts at this number." in told


def test_an_address_adds_nobody_to_an_e_mail(post, mother):
    Caregiver.objects.update(email="marta?bcc=x&cc=y@example.org")
    School.objects.update(name="Lincoln & Sons?\r\nBcc: x@y.example")

    told = html.unescape(post(how="own", caregiver=mother.pk).content.decode())

    found = urlsplit(re.search(r'href="(mailto:[^"]+)"', told)[1])
    assert unquote(found.path) == "marta?bcc=x&cc=y@example.org"
    assert set(parse_qs(found.query)) == {"subject", "body"}
    assert "\r" not in unquote(found.query)
    mother.refresh_from_db()
    assert "?" not in dict(mother.ways)["email"]


def test_a_link_is_closed(post, page, mother):
    post(how="own", caregiver=mother.pk)

    told = post(how="close", caregiver=mother.pk).content.decode()

    assert "Nobody can answer by that link" in told
    assert FamilyLink.objects.get().revoked_at and "/f/" not in page()


def test_a_family_that_said_no_gets_no_words(page, post, mother, invitation, educator):
    answers.record(invitation, "declined", by=educator)

    assert "They are not asked again" in page()
    post()
    post(how="own", caregiver=mother.pk)
    assert not Message.objects.exists() and not FamilyLink.objects.exists()


def test_whoever_may_not_decide_or_be_contacted_gets_none(page, post, mother):
    mother.may_decide = False
    mother.save()

    assert "Nobody of this family may be contacted, or decide" in page()
    post(how="own", caregiver=mother.pk)
    assert not FamilyLink.objects.exists() and not Message.objects.exists()


def test_who_likes_calls_is_left_to_people(page, post, mother):
    mother.preferred_channel = "call"
    mother.save()

    assert "They like calls best" in page()
    post()
    assert not Message.objects.exists()


def test_at_night_it_says_when_it_goes_out(post, mother):
    with clock.at(at(6, 22)):
        told = post().content.decode()

    assert "1 message goes out Wed, Oct 7, 8:00 AM: not in the quiet hours." in told


def test_a_programs_own_words_are_nobodys_draft(page, mother, program, educator):
    assert "A machine drafted these words" in page()
    for kind in ("call", "invitation"):
        MessageWording.objects.create(
            program=program, kind=kind, language="es", body="Hola {link}", changed_by=educator
        )

    assert "A machine drafted these words" not in page()
