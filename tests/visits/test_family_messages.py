"""Families are written to once, in their language, by whom they like, and never against a no."""

import datetime

import pytest
from django_scopes import scopes_disabled

from families import people
from families.models import Caregiver
from pthv import clock, outbox, stops, tokens
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import NOW, at
from visits import (
    answers,
    family_messages,
    family_wording,
    invitations,
    links,
    scheduling,
    selection,
    taking_back,
    tasks,
)
from visits.family_words import OURS, Words, ours
from visits.models import ContactAttempt, Invitation, MessageWording, Visit

DAY, MINUTE = datetime.timedelta(days=1), datetime.timedelta(minutes=1)


@pytest.fixture
def marta(invitation) -> Caregiver:
    """Marta Ortega, who speaks Spanish and likes texts."""
    caregiver = invitation.family.caregivers.get()
    caregiver.preferred_channel = "text"
    caregiver.save()
    return caregiver


@pytest.fixture
def carlos(invitation, program) -> Caregiver:
    """Her husband, who likes e-mails in English."""
    return Caregiver.objects.create(
        program=program,
        family=invitation.family,
        given_name="Carlos",
        family_name="Ortega",
        email="carlos@example.org",
        language="en",
        preferred_channel="email",
    )


@pytest.fixture
def two_asked(
    invitation, marta, educator, add_family, school, school_year, school_class, site_coordinator
) -> list[Invitation]:
    """Two families that were sent an invitation."""
    add_family("Nguyen", "Linh")
    Caregiver.objects.update(preferred_channel="text")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    found = list(Invitation.objects.order_by("pk"))
    for one in found:
        family_messages.invite(one, by=educator)
        deliver()
    return found


def sent(**fields) -> list[Message]:
    return list(Message.objects.to_families().filter(**fields).order_by("pk"))


def deliver(moment: datetime.datetime = NOW) -> None:
    with clock.at(moment):
        for message in sent(state="queued"):
            assert outbox.send(message.pk)


def test_everybody_who_decides_is_asked_once(invitation, marta, carlos, educator):
    first = family_messages.invite(invitation, by=educator)
    again = family_messages.invite(invitation, by=educator)

    assert [(m.channel, m.address, m.recipient) for m in first] == [
        ("text", "+13125550142", f"caregiver:{marta.pk}"),
        ("email", "carlos@example.org", f"caregiver:{carlos.pk}"),
    ]
    assert again == []
    text, mail = first
    assert (text.subject, mail.subject) == ("", "Would you like a home visit?")
    assert text.body.endswith("STOP to end.") or "STOP" in text.body
    assert "Ana of Lincoln" in mail.body and "Mateo" in mail.body and "{link}" in mail.body
    assert "Your child is not in trouble" in mail.body and "STOP" not in mail.body
    assert all(message.about == f"invitation:{invitation.pk}" for message in first)
    assert all(message.quiet and message.link_nonce for message in first)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.asked_at) == ("asked", NOW)
    story = invitation.attempts.order_by("pk")
    assert [(a.channel, a.outcome, a.message, a.caregiver, a.made_by) for a in story] == [
        ("text", "sent", text, marta, educator),
        ("email", "sent", mail, carlos, educator),
    ]


def test_each_reads_their_own_language_the_familys_or_english(invitation, marta, carlos, educator):
    family = invitation.family
    assert family_wording.language_of(invitation, marta) == "es"
    marta.language = "es-MX"
    assert family_wording.language_of(invitation, marta) == "es"
    marta.language = "so"
    assert family_wording.language_of(invitation, marta) == "es"
    family.language = "so"
    assert family_wording.language_of(invitation, marta) == "en"
    invitation.program.languages_offered = ["en", "vi"]
    marta.language, family.language = "es", "vi"
    assert family_wording.language_of(invitation, marta) == "vi"
    assert family_wording.language_of(invitation, None) == "vi"


def who_is_written_to(invitation) -> list[str]:
    return [to.address for to in family_messages.recipients(invitation)]


@pytest.mark.parametrize(
    "change",
    [
        {"preferred_channel": "call"},
        {"preferred_channel": "email"},  # and has none
        {"phone": ""},
        {"dead_phone": "+13125550142"},
        {"may_decide": False},
        {"may_be_contacted": False},
        {"ended_on": NOW.date()},
    ],
    ids=str,
)
def test_who_cannot_or_must_not_be_written_to_is_left_to_people(
    invitation, marta, educator, change
):
    assert who_is_written_to(invitation) == ["+13125550142"]
    Caregiver.objects.filter(pk=marta.pk).update(**change)

    assert who_is_written_to(invitation) == []
    assert family_messages.invite(invitation, by=educator) == []
    invitation.refresh_from_db()
    assert invitation.state == "not_asked"


def test_nobody_is_texted_who_said_stop_or_where_no_texts_are_offered(invitation, marta, settings):
    stops.stop(str(marta.phone))
    assert who_is_written_to(invitation) == []
    stops.lift(str(marta.phone))
    settings.TEXT_URL = ""
    assert who_is_written_to(invitation) == []


def test_a_family_that_said_no_is_never_written_to(invitation, marta, carlos, educator):
    family_messages.invite(invitation, by=educator)
    answers.record(invitation, "declined", by=educator)

    assert {message.state for message in sent()} == {"withdrawn"}
    with pytest.raises(NotReady):
        family_messages.invite(invitation, by=educator)
    with clock.at(NOW + 20 * DAY):
        assert family_messages.remind(invitation.program) == 0


def test_a_no_to_another_invitation_counts_too(invitation, marta, educator, school_year):
    invitation.pk, earlier = None, invitation.pk
    invitation.kind = "additional"
    invitation.save()
    answers.record(type(invitation).objects.get(pk=earlier), "declined", by=educator)

    with pytest.raises(NotReady, match="no thank you"):
        family_messages.invite(invitation, by=educator)


def test_not_before_the_day_they_named_and_then_anew(invitation, marta, educator):
    family_messages.invite(invitation, by=educator)
    deliver()
    answers.record(invitation, "later", by=educator, later_on=at(20, 0).date())
    with pytest.raises(NotReady, match="Oct 20"):
        family_messages.invite(invitation, by=educator)

    with clock.at(at(20, 12)):
        assert len(family_messages.invite(invitation, by=educator)) == 1
        assert family_messages.invite(invitation, by=educator) == []


def test_a_yes_is_not_asked_again(invitation, marta, educator):
    answers.record(invitation, "accepted", by=educator)

    with pytest.raises(NotReady, match="yes already"):
        family_messages.invite(invitation, by=educator)


def test_whoever_has_not_answered_is_reminded_once(invitation, marta, carlos, educator, program):
    family_messages.invite(invitation, by=educator)
    deliver()
    with clock.at(NOW + 4.9 * DAY):
        assert family_messages.remind(program) == 0
    with clock.at(NOW + 5 * DAY):
        assert family_messages.remind(program) == 2
        assert family_messages.remind(program) == 0
        deliver(NOW + 5 * DAY)
    with clock.at(NOW + 12 * DAY):
        assert family_messages.remind(program) == 0

    reminders = sent(kind="please_answer")
    assert [message.recipient for message in reminders] == [
        f"caregiver:{marta.pk}",
        f"caregiver:{carlos.pk}",
    ]
    assert "Please answer" in reminders[1].subject
    asked = sent(kind="invitation")
    assert [m.link_nonce for m in reminders] == [m.link_nonce for m in asked]
    told = ContactAttempt.objects.filter(message__in=reminders)
    assert {attempt.made_by for attempt in told} == {None}


def answered(invitation, educator):
    answers.record(invitation, "accepted", by=educator)


def said_no(invitation, educator):
    answers.record(invitation, "declined", by=educator)


def reached(invitation, educator):
    invitations.record_attempt(invitation, "call", "reached", by=educator)


def link_closed(invitation, educator):
    links.revoke(invitation.links.get(), by=educator)


def may_not_decide(invitation, educator):
    person = invitation.family.caregivers.get()
    people.change_caregiver(person, {"may_decide": False}, by=educator)


def stopped(invitation, educator):
    stops.stop("+13125550142")


def asks_for_a_call(invitation, educator):
    answers.record(invitation, "call", link=invitation.links.get())


def nobody_reminds(invitation, educator):
    program = invitation.program
    program.remind_after_days = 0
    program.save()


def year_is_over(invitation, educator):
    year = invitation.school_year
    year.ends_on = NOW.date() + 2 * DAY
    year.save()


@pytest.mark.parametrize(
    "meanwhile",
    [
        answered,
        said_no,
        reached,
        link_closed,
        may_not_decide,
        stopped,
        asks_for_a_call,
        nobody_reminds,
        year_is_over,
    ],
)
def test_no_reminder_after(invitation, marta, educator, meanwhile):
    family_messages.invite(invitation, by=educator)
    deliver()
    with clock.at(NOW + DAY):
        meanwhile(invitation, educator)

    invitation.program.refresh_from_db()
    with clock.at(NOW + 6 * DAY):
        assert family_messages.remind(invitation.program) == 0


def test_an_invitation_that_never_went_out_is_not_followed_by_a_reminder(
    invitation, marta, educator, program
):
    family_messages.invite(invitation, by=educator)

    with clock.at(NOW + 6 * DAY):
        assert family_messages.remind(program) == 0


def test_what_waits_is_withdrawn_when_a_permission_ends(invitation, marta, carlos, educator):
    family_messages.invite(invitation, by=educator)

    people.end_caregiver(marta, because="The court said so.", by=educator)
    assert [message.state for message in sent()] == ["withdrawn", "queued"]
    people.change_caregiver(carlos, {"may_be_contacted": False}, by=educator)
    assert [message.state for message in sent()] == ["withdrawn", "withdrawn"]


def test_what_waits_goes_to_the_new_address(invitation, carlos, educator):
    family_messages.invite(invitation, by=educator)

    people.change_caregiver(carlos, {"email": "new@example.org"}, by=educator)
    assert [(m.address, m.state) for m in sent()] == [("new@example.org", "queued")]
    people.change_caregiver(carlos, {"email": ""}, by=educator)
    assert [message.state for message in sent()] == ["withdrawn"]


@pytest.mark.parametrize(
    "ended", [{"may_decide": False}, {"may_be_contacted": False}, {"ended_on": NOW.date()}], ids=str
)
def test_what_waits_is_withdrawn_when_a_roster_ends_a_say(
    invitation, marta, carlos, educator, program, ended
):
    family_messages.invite(invitation, by=educator)
    Caregiver.objects.filter(pk=marta.pk).update(**ended)

    family_messages.settle(program)

    assert [message.state for message in sent()] == ["withdrawn", "queued"]


def test_an_answer_withdraws_what_still_asks(invitation, marta, carlos, educator):
    family_messages.invite(invitation, by=educator)

    answers.record(invitation, "accepted", by=educator)

    assert {message.state for message in sent()} == {"withdrawn"}


def test_a_yes_by_the_link_is_thanked_for_once(invitation, marta, carlos, educator):
    family_messages.invite(invitation, by=educator)
    deliver()
    link = invitation.links.get(caregiver=marta)
    answers.record(invitation, "accepted", link=link, language="es")
    later = answers.Wishes(place="elsewhere")
    answers.record(invitation, "accepted", link=link, wishes=later, language="es")

    (thanks,) = sent(kind="thank_you")
    assert thanks.recipient == f"caregiver:{marta.pk}"


def test_a_no_by_the_link_is_not_thanked_for(invitation, marta, educator):
    family_messages.invite(invitation, by=educator)
    deliver()
    link = invitation.links.get()
    answer = answers.record(invitation, "declined", link=link, language="es")

    assert family_messages.thank(answer) is None
    assert sent(kind="thank_you") == []


@pytest.fixture
def texted(accepted) -> Caregiver:
    """The caregiver of the family that said yes, who likes texts in English."""
    caregiver = accepted.family.caregivers.get()
    caregiver.preferred_channel, caregiver.language = "text", "en"
    caregiver.save()
    accepted.family.language = "en"
    accepted.family.save()
    return caregiver


def test_the_family_is_told_the_time_in_its_zone_and_that_it_is_cancelled(
    accepted, texted, educator
):
    visit = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    (time,) = sent()
    assert time.kind == "visit_time"
    assert "Ana and Ben of Lincoln" in time.body
    assert "Thursday, October 8, 4:30 PM, at your home" in time.body
    deliver()

    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)
    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)

    assert [message.kind for message in sent()] == ["visit_time", "visit_cancelled"]
    assert "on Thursday, October 8, 4:30 PM is cancelled" in sent()[1].body

    deliver()
    scheduling.schedule(accepted, scheduling.slot(at(9, 16, 30)), "home", by=educator)
    assert "Friday, October 9" in sent()[2].body


def test_a_family_on_real_servers_hears_each_thing_once_in_its_language_and_zone(
    accepted, program, educator, mail_server, stand_in
):
    program.time_zone = "America/Los_Angeles"
    program.save()
    parents = {"program": program, "family": accepted.family, "family_name": "Ortega"}
    Caregiver.objects.update(preferred_channel="text", language="vi")
    Caregiver.objects.create(
        **parents,
        given_name="Carlos",
        email="carlos@example.org",
        language="es-MX",
        preferred_channel="email",
    )
    start = at(8, 20, 30)  # half past six there
    visit = scheduling.schedule(accepted, scheduling.slot(start), "home", by=educator)
    deliver()
    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)
    deliver()
    outbox.sweep()

    theirs = [mail for mail in mail_server.arrived if mail["To"] == "carlos@example.org"]
    assert [mail["Content-Language"] for mail in theirs] == ["es", "es"]
    assert [mail["Subject"] for mail in theirs] == [
        ours("visit_time", "es").subject,
        ours("visit_cancelled", "es").subject,
    ]
    said = [mail.get_content() for mail in theirs]
    assert all("jueves, 8 de octubre, 6:30" in body for body in said)
    assert all("18:30" in body and "Lincoln" in body for body in stand_in.bodies)
    assert len(stand_in.bodies) == 2 and len(set(mail_server.ids)) == len(mail_server.ids)
    link = tokens.token(accepted.links.get(caregiver__given_name="Carlos").nonce)
    assert all(f"/f/{link}/" in body for body in said)


def test_whom_the_time_never_reached_hears_nothing_of_its_end(accepted, texted, educator):
    visit = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)

    assert [(m.kind, m.state) for m in sent()] == [("visit_time", "withdrawn")]


def test_the_time_of_a_visit_that_began_is_not_told_any_more(accepted, texted, educator, program):
    scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    with clock.at(at(8, 16, 29)):
        family_messages.settle(program)
        assert [message.state for message in sent()] == ["queued"]

    with clock.at(at(8, 16, 31)):
        family_messages.settle(program)
    assert [message.state for message in sent()] == ["withdrawn"]


def test_a_link_that_was_closed_is_not_made_anew_by_asking_twice(invitation, marta, educator):
    family_messages.invite(invitation, by=educator)
    deliver()
    links.revoke(invitation.links.get(), by=educator)

    assert family_messages.invite(invitation, by=educator) == []
    assert not invitation.links.filter(revoked_at=None).exists()


def closed_by_a_coordinator(invitation, marta, educator):
    links.revoke(invitation.links.get(revoked_at=None), by=educator)


def not_contacted_and_again(invitation, marta, educator):
    for may in (False, True):
        people.change_caregiver(marta, {"may_be_contacted": may}, by=educator)


def stop_and_start(invitation, marta, educator):
    stops.stop(str(marta.phone))
    stops.lift(str(marta.phone))


def test_what_a_wrong_tap_kept_back_goes_out_after_all(invitation, marta, carlos, educator):
    family_messages.invite(invitation, by=educator)
    outbox.withdraw(invitation.program, about=invitation.named, recipient=carlos.named)
    with clock.at(NOW + MINUTE):
        no = answers.record(invitation, "declined", by=educator)
        assert [message.state for message in sent()] == ["withdrawn", "withdrawn"]
        taking_back.take_back(no, by=educator)
        # Nobody had kept it back by this tap, and nobody asked for it since.
        assert [message.state for message in sent()] == ["queued", "withdrawn"]
        assert outbox.send(sent()[0].pk)


@pytest.mark.parametrize("meanwhile", [closed_by_a_coordinator, stop_and_start])
def test_what_others_keep_back_too_stays(invitation, marta, educator, meanwhile):
    family_messages.invite(invitation, by=educator)
    with clock.at(NOW + MINUTE):
        no = answers.record(invitation, "declined", by=educator)
        meanwhile(invitation, marta, educator)
        if meanwhile is stop_and_start:
            stops.stop(str(marta.phone))
        taking_back.take_back(no, by=educator)
        for message in sent(state="queued"):
            assert not outbox.send(message.pk)

    assert [message.state for message in sent()] in (["withdrawn"], ["failed"])


def test_a_tap_after_which_the_family_was_written_to_is_not_taken_back(invitation, marta, educator):
    called = invitations.record_attempt(invitation, "call", "no_answer", by=educator)
    with clock.at(NOW + datetime.timedelta(seconds=5)):
        family_messages.invite(invitation, by=educator)

        with pytest.raises(NotReady, match="was written to since"):
            taking_back.take_back(called, by=educator)

    assert invitation.attempts.count() == 2


KEPT_BACK = [closed_by_a_coordinator, not_contacted_and_again, stop_and_start]


@pytest.mark.parametrize("meanwhile", KEPT_BACK)
def test_what_was_kept_back_before_it_left_is_sent_after_all(
    invitation, marta, educator, partner, meanwhile
):
    (first,) = family_messages.invite(invitation, by=educator)
    meanwhile(invitation, marta, educator)
    assert [message.state for message in sent()] == ["withdrawn"]
    people.change_caregiver(marta, {"language": "en"}, by=educator)

    with clock.at(at(7, 22)):
        (again,) = family_messages.invite(invitation, by=partner)
        assert family_messages.invite(invitation, by=partner) == []

    assert again.pk == first.pk and [m.body[:12] for m in sent()] == ["Hello Marta."]
    assert (again.state, again.problem, again.next_try_at) == ("queued", "", at(8, 8))
    assert again.link_nonce == invitation.links.get(revoked_at=None).nonce
    (told,) = invitation.attempts.all()
    assert (told.made_at, told.made_by, told.message) == (at(7, 22), partner, first)
    deliver(at(8, 8))
    assert [message.state for message in sent()] == ["sent"]


def test_a_text_that_a_stop_kept_from_arriving_is_sent_after_a_start(invitation, marta, educator):
    (first,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(first.pk, "stopped")
    assert family_messages.invite(invitation, by=educator) == []
    stops.lift(str(marta.phone))

    assert family_messages.invite(invitation, by=educator) == [first]
    assert [(message.state, message.sent_at) for message in sent()] == [("queued", None)]


def test_one_withdrawn_while_it_went_out_with_a_closed_link_goes_out_with_another(
    invitation, marta, educator, monkeypatch
):
    (first,) = family_messages.invite(invitation, by=educator)
    hand_over = outbox.hand_over

    def slowly(message, **kwargs):
        closed_by_a_coordinator(invitation, marta, educator)
        family_messages.invite(invitation, by=educator)
        return hand_over(message, **kwargs)

    monkeypatch.setattr(outbox, "hand_over", slowly)
    outbox.send(first.pk)
    monkeypatch.setattr(outbox, "hand_over", hand_over)

    assert [message.state for message in sent()] == ["queued"]
    assert not outbox.send(first.pk)  # it may be on its way at this moment
    deliver(NOW + 5 * MINUTE)


@pytest.mark.parametrize("meanwhile", [not_contacted_and_again, stop_and_start])
def test_a_reminder_that_was_kept_back_comes_later(invitation, marta, educator, program, meanwhile):
    family_messages.invite(invitation, by=educator)
    deliver()
    with clock.at(NOW + 6 * DAY):
        assert family_messages.remind(program) == 1
    with clock.at(NOW + 6 * DAY + MINUTE):
        meanwhile(invitation, marta, educator)
        assert family_messages.remind(program) == 1
        assert family_messages.remind(program) == 0

    assert [(m.kind, m.state) for m in sent()] == [
        ("invitation", "sent"),
        ("please_answer", "queued"),
    ]
    assert invitation.attempts.count() == 2


def test_what_is_sent_again_has_a_link_that_opens(invitation, marta, educator, site_coordinator):
    (message,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(message.pk, "unavailable")
    closed_by_a_coordinator(invitation, marta, educator)

    again = family_messages.send_again(message, by=site_coordinator)

    assert links.found(tokens.token(again.link_nonce))


def test_what_goes_wrong_with_one_family_keeps_no_other_from_its_reminder(
    two_asked, program, monkeypatch, caplog
):
    first, other = two_asked
    look = family_messages.recipients

    def fails_for_one(invitation):
        if invitation.pk == first.pk:
            raise ValueError("Marta")
        return look(invitation)

    monkeypatch.setattr(family_messages, "recipients", fails_for_one)
    with clock.at(NOW + 6 * DAY):
        assert family_messages.remind(program) == 1

    assert [message.about for message in sent(kind="please_answer")] == [other.named]
    assert caplog.messages == [f"invitation {first.pk} not reminded of: ValueError"]


def test_an_answer_given_while_others_are_reminded_counts(
    two_asked, program, educator, monkeypatch
):
    first, other = two_asked
    read = family_messages.locked

    def then_the_other_says_no(invitation, *more):
        found = read(invitation, *more)
        if found.pk == first.pk:
            answers.record(other, "declined", by=educator)
        return found

    monkeypatch.setattr(family_messages, "locked", then_the_other_says_no)
    with clock.at(NOW + 6 * DAY):
        assert family_messages.remind(program) == 1

    assert [message.about for message in sent(kind="please_answer")] == [first.named]


def test_what_goes_wrong_in_one_program_keeps_no_other_waiting(
    program, other_program, monkeypatch, caplog
):
    done = []

    def fails(one):
        done.append(one)
        raise ValueError("Marta")

    monkeypatch.setattr(family_messages, "settle", fails)
    monkeypatch.setattr(family_messages, "remind", fails)
    with scopes_disabled():
        tasks.settle_messages(0)
        tasks.remind_families(0)

    assert done.count(program) == done.count(other_program) == 2
    assert len(caplog.messages) == 4 and "Marta" not in caplog.text


def test_the_worker_reminds_and_settles_every_program(invitation, marta, educator, program):
    family_messages.invite(invitation, by=educator)
    deliver()
    with clock.at(NOW + 5 * DAY), scopes_disabled():
        tasks.remind_families(0)
        Caregiver.objects.update(may_decide=False)
        tasks.settle_messages(0)

    assert [(m.kind, m.state) for m in sent()] == [
        ("invitation", "sent"),
        ("please_answer", "withdrawn"),
    ]


def test_a_family_that_was_not_home_gets_no_message(accepted, texted, educator):
    visit = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    deliver()

    with clock.at(at(8, 17)):
        scheduling.cancel(visit, Visit.State.NOT_HOME, by=educator)

    assert [message.kind for message in sent()] == ["visit_time"]


def test_a_refused_number_is_marked_and_not_used_again(invitation, marta, educator, program):
    (message,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(message.pk, "refused")

    assert family_messages.settle(program) == 1
    assert family_messages.settle(program) == 0

    marta.refresh_from_db()
    assert marta.phone_is_dead and who_is_written_to(invitation) == []
    assert AuditEntry.objects.filter(event="caregiver.unreachable", by=None).count() == 1


def test_a_phone_that_was_off_is_not_dead(invitation, marta, educator, program):
    (message,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(message.pk, "unavailable")

    assert family_messages.settle(program) == 0


def test_a_message_that_came_back_goes_to_the_corrected_number(
    invitation, marta, educator, program, site_coordinator
):
    (message,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(message.pk, "refused")
    family_messages.settle(program)
    with pytest.raises(NotReady, match="Correct the phone"):
        family_messages.send_again(message, by=site_coordinator)

    people.change_caregiver(marta, {"phone": "+13125550177"}, by=site_coordinator)
    again = family_messages.send_again(message, by=site_coordinator)

    assert (again.address, again.state, again.problem) == ("+13125550177", "queued", "")
    assert outbox.send(again.pk)


def test_what_came_back_is_not_sent_again_after_a_no(invitation, marta, educator):
    (message,) = family_messages.invite(invitation, by=educator)
    deliver()
    outbox.came_back(message.pk, "unavailable")
    answers.record(invitation, "declined", by=educator)

    with pytest.raises(NotReady, match="no thank you"):
        family_messages.send_again(message, by=educator)


@pytest.mark.parametrize("kind", sorted(OURS))
def test_our_words_say_where_they_come_from_and_that_nobody_is_in_trouble(kind, program):
    words = family_wording.preview(ours(kind, "en"), "en", program)

    assert "Lincoln School" in words.body and "Ana and Ben" in words.body
    assert "Your child is not in trouble" in words.body
    assert len(words.body) + len(" Reply STOP to end.") <= 320
    assert not {"Mateo", "Marta"} & set(words.subject.split())
    assert "{" not in words.body + words.subject


def test_a_name_is_never_read_as_a_placeholder(invitation, marta, program):
    marta.given_name = "{link}\n{school}"
    marta.save()

    words = family_messages.compose("invitation", invitation, marta, language="en")

    assert words.body.startswith("Hello (link) (school).")
    assert words.body.count("{link}") == 1


def test_a_nameless_caregiver_leaves_no_hole(invitation, marta):
    marta.given_name = ""
    words = family_messages.compose("invitation", invitation, marta, language="en")

    assert words.body.startswith("Hello. Ana of Lincoln")


def test_names_do_not_turn_an_arabic_sentence_round(invitation, marta):
    words = family_messages.compose("invitation", invitation, marta, language="ar")

    assert "\u2068Lincoln\u2069" in words.body and "{link}" in words.body
    assert "\u2068Ana\u2069" in words.body and "\u2068\u2068" not in words.body


def test_a_program_rewords_a_language_and_sees_it_used(
    invitation, marta, educator, program, program_coordinator
):
    own = Words("Xin chào", "Chào {caregiver}, {educators} ở {school} muốn đến thăm: {link}")
    family_wording.reword(program, "invitation", "vi", own, by=program_coordinator)
    marta.language = "vi"
    marta.save()

    (message,) = family_messages.invite(invitation, by=educator)

    assert message.language == "vi"
    assert message.body.startswith("Chào Marta, Ana ở Lincoln muốn đến thăm: {link}")
    family_wording.back_to_ours(program, "invitation", "vi", by=program_coordinator)
    assert not MessageWording.objects.exists()
    assert family_wording.of_program("invitation", "vi") == ours("invitation", "vi")
    events = AuditEntry.objects.filter(subject_type="messagewording").order_by("pk")
    assert [entry.event for entry in events] == ["wording.changed", "wording.given_up"]


def test_the_same_words_as_ours_are_no_words_of_ones_own(program, program_coordinator):
    words = ours("invitation", "en")

    assert family_wording.reword(program, "invitation", "en", words, by=program_coordinator) is None
    assert not MessageWording.objects.exists()


@pytest.mark.parametrize(
    ("kind", "words", "said"),
    [
        ("invitation", Words("Hello", "Come: {lnk}"), "{lnk} can't be filled in"),
        ("invitation", Words("Hello", "Come"), "Leave {link} in it"),
        ("invitation", Words("Hello", "Come {link"), "{ can't be filled in"),
        ("invitation", Words("Hello", "{0.__class__} {link}"), "can't be filled in"),
        ("invitation", Words("For {child}", "Come: {link}"), "locked phones"),
        ("invitation", Words("", "Come: {link}"), "subject"),
        ("invitation", Words("Hello", ""), "Write what"),
        ("thank_you", Words("Hello", "On {when}"), "{when} can't be filled in"),
        ("call", Words("", "See {link}"), "{link} can't be filled in"),
    ],
)
def test_words_that_cannot_work_are_refused(program, program_coordinator, kind, words, said):
    with pytest.raises(NotReady) as refused:
        family_wording.reword(program, kind, "en", words, by=program_coordinator)

    assert any(said in sentence for sentence in refused.value.sentences)
    assert not MessageWording.objects.exists()


def test_a_call_has_no_subject_and_no_link(program, program_coordinator):
    words = Words("", "Hello, {educators} of {school} here, about {child}.")

    assert family_wording.reword(program, "call", "en", words, by=program_coordinator)
