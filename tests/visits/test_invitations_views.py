"""Families on screen: find one, ask it, record what it answered, choose a team."""

import datetime
import re

import pytest

from pthv.models import RecordView
from tests.conftest import NOW
from visits import answers
from visits.models import Invitation


@pytest.fixture
def act(client, invitation):
    """Post something about the Ortega family, and read the page that comes back."""

    def post(action, user, **facts):
        client.force_login(user)
        response = client.post(f"/invitations/{invitation.pk}/{action}/", facts, follow=True)
        invitation.refresh_from_db()
        return response.status_code, response.content.decode()

    return post


def test_families_are_found_by_a_childs_name_and_by_state(client, educator, invitation):
    client.force_login(educator)

    def found(query):
        return "Ortega family" in client.get(f"/families/{query}").content.decode()

    assert (
        found("")
        and found("?q=mat")
        and found("?state=not_asked")
        and found("?q=ort&state=not_asked")
    )
    assert not found("?q=zoe") and not found("?state=accepted")


def test_chips_keep_what_was_typed(client, educator, invitation):
    client.force_login(educator)

    assert "?q=mat%26eo&amp;state=asked" in client.get("/families/?q=mat%26eo").content.decode()


def test_a_family_is_shown_with_its_caregivers_best_way_first(client, educator, invitation, family):
    family.caregivers.update(preferred_channel="text", email="marta@example.org")
    client.force_login(educator)

    page = client.get(f"/families/{family.pk}/").content.decode()

    assert page.index('href="sms:') < page.index('href="tel:') and 'href="mailto:marta@' in page
    assert RecordView.objects.get().by == educator


def test_an_attempt_takes_two_taps(act, educator, invitation, family):
    caregiver = family.caregivers.get().pk

    status, page = act(
        "attempt", educator, channel="call", outcome="left_message", caregiver=caregiver
    )

    assert status == 200 and invitation.state == Invitation.State.ASKED
    assert "Call · Left a message" in page and "Marta Ortega" in page


def test_whoever_was_reached_is_asked_for_an_answer(act, educator, invitation):
    _, page = act("attempt", educator, channel="call", outcome="reached", **{"from": "today"})

    assert "Recorded. What did they say?" in page
    assert page.index('value="accepted"') < page.index('name="channel"')


def test_an_attempt_from_today_returns_there(client, educator, invitation):
    client.force_login(educator)
    facts = {"channel": "call", "outcome": "no_answer", "from": "today"}

    response = client.post(f"/invitations/{invitation.pk}/attempt/", facts)

    assert response["Location"] == "/today/"


def test_a_yes_leads_to_a_partner_and_then_to_a_time(act, educator, partner, invitation):
    _, page = act("answer", educator, answer="accepted")
    assert "Who goes along?" in page and "Ben Lee" in page

    _, page = act("team", educator, partners=[str(partner.educators.get().pk), ""])

    assert "Find a time" in page and "Ana Ruiz and Ben Lee" in page


def test_three_may_go_together(act, educator, partner, colleague, invitation):
    act("answer", educator, answer="accepted")

    pks = [partner.educators.get().pk, colleague.educators.get().pk]
    _, page = act("team", educator, partners=pks)

    assert "Ana Ruiz, Ben Lee and Cara Diaz" in page


def test_a_team_needs_a_partner(act, educator, partner, invitation):
    act("answer", educator, answer="accepted")

    status, page = act("team", educator, partners="")

    assert status == 422 and "Choose a partner." in page


def test_not_now_needs_its_day(act, educator, invitation):
    status, page = act("answer", educator, answer="later")
    assert status == 422 and "<details open>" in page
    assert page.count("Choose the day from which") == 2  # above, and at the field

    day = (NOW + datetime.timedelta(days=20)).date()
    _, page = act("answer", educator, answer="later", later_on=day.isoformat())
    assert "Ask again from Mon, Oct 26" in page
    assert "Invite them" not in page


def test_a_no_is_calm_and_nothing_asks_again(act, educator, invitation):
    _, page = act("answer", educator, answer="declined")

    assert "This family said no thank you." in page
    for asking in ("Invite them", "Their answer", "How it went", "tel:", "reopen", "notice-error"):
        assert asking not in page


def test_a_family_that_declined_is_not_contacted(act, educator, invitation):
    answers.record(invitation, "declined", by=educator)

    status, page = act("attempt", educator, channel="call", outcome="reached")

    assert status == 409 and "This family said no thank you. They are not asked again." in page


def test_only_a_coordinator_can_say_the_family_opened_the_door(
    act, educator, site_coordinator, invitation
):
    answers.record(invitation, "declined", by=educator)
    status, _ = act("reopen", educator, because="They called us.")
    assert status == 403

    _, page = act("reopen", site_coordinator, because="They called us.")

    assert invitation.state == Invitation.State.ASKED and "This family&#x27;s no is lifted." in page


def test_a_colleague_does_not_find_the_family(client, colleague, invitation):
    client.force_login(colleague)

    assert client.get(f"/families/{invitation.family_id}/").status_code == 404
    assert "Ortega" not in client.get("/families/").content.decode()


def test_a_name_is_text(
    client, educator, add_family, school, school_year, school_class, site_coordinator
):
    from visits import selection

    add_family("<script>alert(1)</script>", "O'Neil {{ 7 }}")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    client.force_login(educator)

    page = client.get("/families/").content.decode()

    assert "<script>alert" not in page and "O&#x27;Neil {{ 7 }}" in page


def test_no_answer_takes_two_taps_and_can_be_taken_back(client, educator, invitation):
    client.force_login(educator)
    facts = {"channel": "call", "outcome": "no_answer", "from": "today"}

    page = client.post(f"/invitations/{invitation.pk}/attempt/", facts, follow=True)

    assert page.redirect_chain == [("/today/", 302)]
    assert "Ortega family: No answer." in page.content.decode()
    (undo,) = re.findall(r'action="(/attempts/[^"]+)"', page.content.decode())
    page = client.post(undo.replace("&amp;", "&"), follow=True)
    invitation.refresh_from_db()
    assert page.redirect_chain == [("/today/", 302)] and "Taken back." in page.content.decode()
    assert invitation.state == Invitation.State.NOT_ASKED and not invitation.attempts.exists()


def test_a_yes_on_the_phone_is_the_attempt_and_the_answer(act, educator, partner, invitation):
    _, page = act("attempt", educator, channel="call", outcome="accepted", **{"from": "today"})

    assert invitation.state == Invitation.State.ACCEPTED
    assert invitation.attempts.get().outcome == "reached" and invitation.answers.get().counted
    assert "Ortega family: Yes." in page and "Who goes along?" in page


def test_nobody_takes_back_what_a_colleague_recorded(client, attempt, partner, colleague):
    for user, says in ((partner, 404), (colleague, 404)):
        client.force_login(user)
        assert client.post(f"/attempts/{attempt.pk}/undo/").status_code == says


def test_only_what_people_record_is_taken_from_the_form(act, educator, invitation):
    status, _ = act("attempt", educator, channel="text", outcome="sent")

    assert status == 422 and not invitation.attempts.exists()


def test_not_now_is_two_taps_too(act, educator, invitation, program):
    _, page = act("attempt", educator, channel="call", outcome="later")

    assert invitation.state == Invitation.State.LATER
    assert invitation.later_on == program.today + datetime.timedelta(days=30)
    assert "Ortega family: Not now." in page


def test_whoever_likes_texts_is_recorded_as_called_unless_said_otherwise(
    client, educator, invitation, family
):
    family.caregivers.update(preferred_channel="text")
    client.force_login(educator)

    page = client.get("/today/").content.decode()

    assert re.search(r'value="call" required checked', page)
    assert page.index('href="sms:') < page.index('href="tel:')
