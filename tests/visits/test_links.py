"""A family's link: whose it is, how long it opens, and what closes it."""

import datetime
import re

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from families import people
from families.models import Caregiver, Family
from pthv import clock, tokens
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import NOW, at
from visits import answers, invitations, links
from visits.models import FamilyLink

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def mother(family) -> Caregiver:
    return family.caregivers.get()


@pytest.fixture
def link(invitation, mother, educator) -> FamilyLink:
    return links.mint(invitation, mother, by=educator)


def token_of(link: FamilyLink) -> str:
    return links.url(link).rstrip("/").rpartition("/")[2]


def opens(link: FamilyLink) -> bool:
    found = links.found(token_of(link))
    assert found is None or found.pk == link.pk
    return found is not None


def test_it_opens_what_it_was_made_for(link, invitation, mother, settings):
    found = links.found(token_of(link))

    assert (found.invitation, found.caregiver) == (invitation, mother)
    assert links.known(link.pk) == link
    assert links.url(link) == f"{settings.SITE_URL}/f/{token_of(link)}/"


def test_a_token_is_long_and_stands_nowhere_in_the_database(link):
    token = token_of(link)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row::text FROM visits_familylink AS row")
        stored = cursor.fetchone()[0]

    assert re.fullmatch(r"[\w-]{32}", token)  # 192 bits
    assert token not in stored
    assert tokens.hashed(token) in stored


def test_nobody_finds_it_by_what_the_database_has(link):
    assert [links.found(guess) for guess in (link.nonce, link.token_hash, "", str(link.pk))] == [
        None
    ] * 4


def test_with_another_secret_key_there_is_another_link(
    link, invitation, mother, educator, settings
):
    token = token_of(link)

    settings.SECRET_KEY = "another one" * 5

    assert token_of(link) != token
    new = links.mint(invitation, mother, by=educator)
    assert new != link
    assert opens(new)
    assert links.found(token) is None


def test_the_same_caregiver_has_one_that_lasts_as_often_as_it_is_asked_for(
    link, invitation, mother, partner
):
    again = links.mint(invitation, mother, by=partner)
    with clock.at(NOW + 40 * DAY):
        reminded = links.mint(invitation, mother, by=None)
        assert reminded.expires_at == clock.now() + links.LASTS

    assert again == reminded == link
    assert (again.nonce, again.expires_at) == (link.nonce, link.expires_at)
    assert AuditEntry.objects.filter(event="link.made").count() == 1


def test_one_that_ran_out_is_followed_by_another(link, invitation, mother, educator):
    with clock.at(NOW + links.LASTS):
        assert not opens(link)
        new = links.mint(invitation, mother, by=educator)

        assert new.nonce != link.nonce
        assert opens(new)
        assert not opens(link)


def test_a_revoked_one_is_closed_for_good(link, invitation, mother, educator):
    links.revoke(link, by=educator)
    first = FamilyLink.objects.get().revoked_at
    with clock.at(NOW + DAY):
        links.revoke(link, by=educator)

    assert not opens(link)
    assert FamilyLink.objects.get().revoked_at == first
    assert AuditEntry.objects.filter(event="link.revoked").count() == 1
    assert links.mint(invitation, mother, by=educator) != link


def test_a_coordinator_closes_what_went_to_somebody_else(link, mother, site_coordinator, client):
    waiting = sent(link, str(mother.phone), state="queued")
    client.force_login(site_coordinator)
    page = reverse("caregiver_edit", args=[mother.pk])
    assert "until Sat, Dec 5" in client.get(page).content.decode()

    response = client.post(reverse("link_revoke", args=[mother.pk]), follow=True)

    assert "The link of Marta Ortega is closed." in response.content.decode()
    assert "Whoever holds the link" not in response.content.decode()
    assert not opens(link)
    assert FamilyLink.objects.get().revoked_by == site_coordinator
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"


def end(mother, user):
    people.end_caregiver(mother, because="The court said so.", by=user)


def may_not_decide(mother, user):
    people.change_caregiver(mother, {"may_decide": False}, by=user)


def may_not_be_contacted(mother, user):
    people.change_caregiver(mother, {"may_be_contacted": False}, by=user)


def move_away(mother, user):
    elsewhere = Family.objects.create(program=mother.program, surnames="Vega")
    Caregiver.objects.filter(pk=mother.pk).update(family=elsewhere)


def merge(mother, user):
    into = Family.objects.create(program=mother.program, surnames="Vega")
    Family.objects.filter(pk=mother.family_id).update(merged_into=into)


ENDS = [end, may_not_decide, may_not_be_contacted, move_away, merge]


@pytest.mark.parametrize("ending", ENDS)
def test_it_closes_when_its_caregivers_say_ends(ending, link, mother, program_coordinator):
    assert opens(link)

    ending(mother, program_coordinator)

    assert not opens(link)
    assert links.known(link.pk) is None


@pytest.mark.parametrize("ending", ENDS)
def test_whoever_has_no_say_gets_none(ending, invitation, mother, program_coordinator):
    ending(mother, program_coordinator)

    with pytest.raises(NotReady):
        links.mint(invitation, mother, by=program_coordinator)
    assert not FamilyLink.objects.exists()


def test_a_family_that_said_no_gets_none_and_keeps_what_it_has(
    link, invitation, family, mother, educator
):
    father = people.add_caregiver(
        family, {"given_name": "Luis", "family_name": "Ortega"}, by=educator
    )
    answers.record(invitation, "declined", link=link)

    for caregiver in (mother, father):
        with pytest.raises(NotReady, match="said no thank you"):
            links.mint(invitation, caregiver, by=educator)
    assert opens(link)  # by it they may change their mind


def test_nobody_of_another_family_gets_one(invitation, add_family, educator):
    stranger = add_family("Vega").caregivers.get()

    with pytest.raises(NotReady, match="of another family"):
        links.mint(invitation, stranger, by=educator)


def test_it_closes_with_the_school_year(link, invitation, mother, educator, school_year):
    school_year.ends_on = at(20, 0).date()
    school_year.save()

    with clock.at(at(20, 23)):
        assert opens(link)
    with clock.at(at(22, 1)):
        assert not opens(link)
        with pytest.raises(NotReady, match="school year"):
            links.mint(invitation, mother, by=educator)


def test_it_is_found_from_outside_any_program_and_whatever_program_asks(link, other_program):
    with scope(program=other_program):
        assert opens(link)
    with scopes_disabled():
        assert opens(link)


def sent(link: FamilyLink, address: str, state: str = "sent") -> Message:
    """The link went out in a message to that address."""
    return Message.objects.create(
        program=link.program,
        kind="invitation",
        key=f"invitation:{address}",
        channel="email" if "@" in address else "text",
        address=address,
        about=link.invitation.named,
        link_nonce=link.nonce,
        state=state,
        sent_at=timezone.now() if state in {"sent", "bounced"} else None,
    )


def test_it_closes_once_the_number_it_was_sent_to_is_found_wrong(
    link, invitation, mother, educator, program_coordinator
):
    sent(link, str(mother.phone))
    assert opens(link)

    people.change_caregiver(mother, {"phone": "+13125550177"}, by=program_coordinator)

    assert not opens(link)
    new = links.mint(invitation, mother, by=educator)
    assert new != link
    assert opens(new)


def test_it_closes_once_somebody_else_answers_that_number(link, mother, educator):
    sent(link, str(mother.phone))

    people.mark_dead(mother, phone=str(mother.phone), by=educator)

    assert not opens(link)


def test_what_was_written_by_hand_to_a_wrong_number_closes(link, invitation, mother, educator):
    with clock.at(NOW + DAY):
        invitations.record_attempt(
            invitation, "text", "wrong_number", by=educator, caregiver=mother
        )

        assert not opens(link)
        assert AuditEntry.objects.filter(event="link.revoked").count() == 1
        assert opens(links.mint(invitation, mother, by=educator))


def test_what_was_sent_elsewhere_stays_open_when_a_number_is_wrong(
    link, invitation, mother, educator
):
    mother.email = "marta@example.org"
    mother.save()
    sent(link, mother.email)

    invitations.record_attempt(invitation, "call", "wrong_number", by=educator, caregiver=mother)

    assert opens(link)


def test_what_came_back_was_in_nobodys_hands(link, mother, educator):
    mother.email = "marta@example.org"
    mother.save()
    sent(link, mother.email, state="bounced")
    sent(link, str(mother.phone))

    people.mark_dead(mother, email=mother.email, by=educator)

    assert opens(link)


def test_a_new_address_beside_the_old_closes_nothing(link, mother, program_coordinator):
    sent(link, str(mother.phone))

    people.change_caregiver(mother, {"email": "marta@example.org"}, by=program_coordinator)

    assert opens(link)
