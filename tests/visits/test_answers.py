"""What a family answers: each answer kept, the more careful one counts, a no is final."""

import datetime

import pytest
from django_scopes import scopes_disabled

from families import people
from pthv import clock, tokens
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import NOW, at
from visits import answers, family_messages, invitations, scheduling, selection, taking_back, tasks
from visits.models import ContactAttempt, FamilyLink, Invitation, InvitationAnswer, Visit

SOON = NOW.date() + datetime.timedelta(days=14)


@pytest.fixture
def link(invitation):
    """Make a link for somebody of the Ortega family, by their given name."""
    return lambda name="Marta": link_of(invitation, name)


def link_of(invitation: Invitation, name: str) -> FamilyLink:
    """A link for a caregiver of the invited family, whom it may not know yet."""
    family = invitation.family
    person = family.caregivers.filter(given_name=name).first() or family.caregivers.create(
        program=invitation.program, given_name=name, family_name="Ortega"
    )
    nonce = tokens.new_nonce()
    return FamilyLink.objects.create(
        program=invitation.program,
        invitation=invitation,
        caregiver=person,
        nonce=nonce,
        token_hash=tokens.hashed(tokens.token(nonce)),
        expires_at=NOW + datetime.timedelta(days=30),
    )


def give(link: FamilyLink, answer: str, **more) -> Invitation:
    answers.record(link.invitation, answer, link=link, **more)
    return Invitation.objects.get(pk=link.invitation_id)


def told() -> list[str]:
    return list(Message.objects.filter(kind="family_answered").values_list("body", flat=True))


def test_a_yes_brings_how_they_would_like_it(link):
    wishes = answers.Wishes("video", interpreter=True, times=("tue-evening", "sat-morning"))

    found = give(link(), "accepted", wishes=wishes, language="es")

    assert (found.state, found.place_wanted, found.interpreter_wanted, found.times) == (
        "accepted",
        "video",
        True,
        ["tue-evening", "sat-morning"],
    )
    assert found.answered_by is None and found.answered_caregiver.given_name == "Marta"
    given = found.answers.get()
    assert (given.language, given.counted, given.recorded_by) == ("es", True, None)


def test_the_same_answer_twice_is_one(link):
    mother = link()
    one = answers.record(mother.invitation, "accepted", link=mother)
    again = answers.record(mother.invitation, "accepted", link=mother)

    assert one == again and InvitationAnswer.objects.count() == 1 and len(told()) == 1


@pytest.mark.parametrize("first", ["accepted", "declined", "later"])
@pytest.mark.parametrize("second", ["accepted", "declined", "later"])
def test_of_two_caregivers_the_more_careful_counts_in_either_order(link, first, second):
    careful = ["accepted", "later", "declined"]

    def when(answer):
        return SOON if answer == "later" else None

    give(link(), first, later_on=when(first))
    found = give(link("Luis"), second, later_on=when(second))

    assert found.state == max(first, second, key=careful.index)
    assert found.answers.count() == 2
    assert bool(found.differing_at) == (first != second)
    assert ("answered differently" in told()[0] + told()[-1]) == (first != second)


def test_a_person_settles_what_two_caregivers_say(link, educator):
    give(link(), "accepted")
    give(link("Luis"), "later", later_on=SOON)

    answers.record(Invitation.objects.get(), "accepted", by=educator)

    found = Invitation.objects.get()
    assert found.state == "accepted" and found.differing_at is None


def test_a_no_is_taken_back_by_whoever_said_it_and_nobody_else(link, educator):
    mother, father = link(), link("Luis")
    give(mother, "declined")
    assert give(father, "accepted").state == "declined"
    with pytest.raises(NotReady, match="Only they can open the door"):
        answers.record(mother.invitation, "accepted", by=educator)

    assert give(mother, "accepted").state == "accepted"

    entry = AuditEntry.objects.get(event="invitation.reopened")
    assert entry.by is None and entry.facts["caregiver"] == mother.caregiver_id


def test_a_no_that_one_of_us_wrote_down_for_nobody_in_particular_only_a_person_reopens(
    link, educator, site_coordinator
):
    mother = link()
    answers.record(mother.invitation, "declined", by=educator)

    found = give(mother, "accepted")

    assert found.state == "declined" and found.differing_at
    assert [one.counted for one in found.answers.order_by("pk")] == [True, False]
    assert "answered differently" in told()[0]
    assert list(Invitation.objects.waiting_for_us()) == [found]
    answers.reopen(found, because="Both of them told me", by=site_coordinator)
    assert give(mother, "call").state == "asked"
    assert give(mother, "accepted").state == "accepted"


def test_a_yes_opens_no_no_of_somebody_else_to_another_invitation(link, educator):
    mother = link()
    other = Invitation.objects.get()
    other.pk, other.kind = None, "second"
    other.save()
    answers.record(other, "declined", by=educator)

    found = give(mother, "accepted")

    other.refresh_from_db()
    assert (found.state, other.state) == ("accepted", "declined")
    assert found.differing_at


def test_the_other_parent_hears_that_a_no_called_the_visit_off(visit):
    father = visit.family.caregivers.create(program=visit.program, given_name="Luis")
    for person in (father, visit.family.caregivers.get(given_name="Marta")):
        person.preferred_channel, person.email = "email", f"{person.given_name}@example.org"
        person.save()
    family_messages.tell_time(visit)
    Message.objects.filter(kind="visit_time").update(state="sent", sent_at=NOW)

    give(FamilyLink.objects.get(caregiver__given_name="Marta"), "declined")

    waiting = Message.objects.to_families().filter(state="queued")
    assert [(one.kind, one.address) for one in waiting] == [("visit_cancelled", "Luis@example.org")]


def test_of_many_answers_they_are_told_the_last_that_is_not_sent_yet(link, educator, partner):
    mother = link()
    give(mother, "accepted", wishes=answers.Wishes("home"))
    Message.objects.update(state="sent", sent_at=NOW)
    for place in ("video", "elsewhere", "home"):
        give(mother, "accepted", wishes=answers.Wishes(place))

    letters = Message.objects.filter(kind="family_answered").order_by("pk")
    assert [one.state for one in letters] == ["sent", "withdrawn", "withdrawn", "queued"]


def test_a_no_calls_the_visit_off(visit, link, educator):
    found = give(link(), "declined")

    assert found.state == "declined"
    assert Visit.objects.get().state == Visit.State.FAMILY_CANCELLED
    assert Message.objects.filter(kind="visit_cancelled").count() == 2


def test_another_caregivers_not_now_leaves_the_visit_and_tells(visit, link):
    mother = link()
    give(mother, "accepted", wishes=answers.Wishes("home"))

    found = give(link("Luis"), "later", later_on=SOON)

    assert found.state == "accepted" and found.differing_at
    assert Visit.objects.get().is_ahead


def test_a_wish_for_a_call_waits_for_a_person(link, educator):
    found = give(link(), "call", wishes=answers.Wishes(times=("mon-evening",)))

    assert found.state == "asked" and found.call_wanted_at
    assert list(Invitation.objects.waiting_for_us()) == [found]
    invitations.record_attempt(found, "call", "reached", by=educator)
    assert not Invitation.objects.waiting_for_us()


@pytest.mark.parametrize(
    "ends",
    [
        {"ended_on": NOW.date()},
        {"may_decide": False},
        {"may_be_contacted": False},
    ],
)
def test_a_link_dies_while_they_type(link, ends):
    mother = link()
    for name, value in ends.items():
        setattr(mother.caregiver, name, value)
    mother.caregiver.save()

    with pytest.raises(NotReady, match="doesn’t work any more"):
        give(mother, "accepted")

    assert not InvitationAnswer.objects.exists()


def test_a_link_answers_its_own_invitation_alone(invitation, link, add_family, educator):
    add_family("Nguyen", "Lan")
    selection.plan_everyone(invitation.school, invitation.school_year, by=invitation.plan.made_by)
    other = Invitation.objects.exclude(pk=invitation.pk).get()

    with pytest.raises(NotReady, match="link"):
        answers.record(other, "accepted", link=link())

    assert not InvitationAnswer.objects.exists()


def test_an_answer_after_the_visit_changes_nothing(completed, link):
    mother = link()

    for answer in ("declined", "accepted", "call"):
        with pytest.raises(NotReady, match="took place already"):
            give(mother, answer)


def test_ten_seconds_to_take_a_tap_back(invitation, educator):
    before = invitation.as_recorded()
    with clock.at(NOW):
        attempt = answers.reached(invitation, "call", "declined", by=educator)
    with clock.at(NOW + datetime.timedelta(seconds=9)):
        found = taking_back.take_back(attempt, by=educator)
        again = taking_back.take_back(attempt, by=educator)

    assert found.as_recorded() == again.as_recorded() == before
    assert not ContactAttempt.objects.exists() and not InvitationAnswer.objects.exists()
    assert AuditEntry.objects.filter(event="invitation.taken_back").count() == 1


def test_a_second_thought_restores_the_answer_before_it(invitation, educator):
    answers.record(invitation, "later", by=educator, later_on=SOON)
    stood = Invitation.objects.get().as_recorded()
    with clock.at(NOW + datetime.timedelta(minutes=3)):
        given = answers.record(invitation, "accepted", by=educator)
        taking_back.take_back(given, by=educator)

    assert Invitation.objects.get().as_recorded() == stood
    assert InvitationAnswer.objects.count() == 1


def test_a_number_marked_wrong_by_a_slip_is_right_again(invitation, educator, family):
    mother = family.caregivers.get()
    attempt = invitations.record_attempt(
        invitation, "call", "wrong_number", by=educator, caregiver=mother
    )
    mother.refresh_from_db()
    assert mother.phone_is_dead and mother.ways == []

    taking_back.take_back(attempt, by=educator)

    mother.refresh_from_db()
    assert not mother.phone_is_dead


def test_a_new_number_is_alive(invitation, educator, family):
    mother = people.mark_dead(family.caregivers.get(), phone=str(family.caregivers.get().phone))
    assert mother.phone_is_dead

    mother = people.change_caregiver(mother, {"phone": "+15035550199"}, by=educator)

    assert not mother.phone_is_dead


def test_what_cant_be_taken_back(invitation, educator, partner, site_coordinator):
    with clock.at(NOW):
        first = invitations.record_attempt(invitation, "call", "no_answer", by=educator)
        with pytest.raises(NotReady, match="Only whoever recorded it"):
            taking_back.take_back(first, by=partner)
    with clock.at(NOW + datetime.timedelta(seconds=5)):
        invitations.record_attempt(invitation, "text", "no_answer", by=site_coordinator)
        with pytest.raises(NotReady, match="Something else was recorded since"):
            taking_back.take_back(first, by=educator)
    later = clock.at(NOW + datetime.timedelta(seconds=31))
    with later, pytest.raises(NotReady, match="recorded for good"):
        taking_back.take_back(first, by=educator)

    assert ContactAttempt.objects.count() == 2


def test_what_was_before_a_tap_is_forgotten_after_a_day(invitation, educator):
    answers.reached(invitation, "call", "declined", by=educator)
    attempt, answer = invitation.attempts.get(), invitation.answers.get()

    for hours, kept in ((23, True), (25, False)):
        with clock.at(NOW + datetime.timedelta(hours=hours)), scopes_disabled():
            tasks.forget_taps.func(0)
        for row in (attempt, answer):
            row.refresh_from_db()
            assert bool(row.before) is kept


def test_a_yes_with_a_visit_stays(accepted, educator):
    given = accepted.answers.last()
    scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    with pytest.raises(NotReady, match="A visit was scheduled since"):
        taking_back.take_back(given, by=educator)
