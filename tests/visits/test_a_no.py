"""A family that said no is in no list to ask, no plan, no reminder, no export, no second visit."""

import datetime

import pytest
from django.urls import reverse

from families import people
from pthv import clock, outbox
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message, SchoolYear
from tests.conftest import NOW, at
from tests.visits.test_answers import link_of
from visits import answers, families, family_messages, invitations, links, scheduling, selection
from visits.models import ContactAttempt, Invitation, InvitationAnswer, Visit


@pytest.fixture
def mother(invitation):
    person = invitation.family.caregivers.get()
    person.preferred_channel, person.email = "email", "marta@example.org"
    person.save()
    return person


@pytest.fixture
def declined(invitation, mother, educator) -> Invitation:
    """The Ortegas were written to, and said no by their own link."""
    with clock.at(at(1, 10)):
        family_messages.invite(invitation, by=educator)
        (message,) = Message.objects.filter(kind="invitation")
        outbox.send(message.pk)
    answers.record(invitation, "declined", link=links.mint(invitation, mother, by=educator))
    invitation.refresh_from_db()
    return invitation


def test_nobody_is_offered_the_family(client, declined, educator, site_coordinator):
    ana = educator.educators.get()

    assert declined not in Invitation.objects.invite_next([ana.pk], NOW.date())
    for user in (educator, site_coordinator):
        client.force_login(user)
        for query in ("waits=1", "dead=1", "waiting=1", "state=not_asked", "state=asked"):
            assert "Ortega" not in client.get(f"/families/?{query}").content.decode(), query
    client.force_login(educator)
    assert "Ortega" not in client.get("/today/").content.decode()
    page = client.get(declined.get_absolute_url(), follow=True).content.decode()
    for way in ("tel:", "sms:", "mailto:", reverse("invitation_write", args=[declined.pk])):
        assert way not in page


def test_no_action_asks_it(declined, educator, mother):
    for asking in (
        lambda: invitations.record_attempt(declined, "call", "reached", by=educator),
        lambda: answers.record(declined, "accepted", by=educator),
        lambda: answers.record(declined, "later", by=educator, later_on=at(30, 0).date()),
        lambda: family_messages.invite(declined, by=educator),
        lambda: links.mint(declined, mother, by=educator),
    ):
        with pytest.raises(NotReady, match="said no thank you"):
            asking()

    assert ContactAttempt.objects.filter(outcome="reached").count() == 0
    assert InvitationAnswer.objects.count() == 1


def test_no_reminder_and_nothing_that_waited_goes_out(invitation, mother, educator, program):
    with clock.at(at(1, 10)):
        family_messages.invite(invitation, by=educator)
    (waiting,) = Message.objects.filter(kind="invitation")
    answers.record(invitation, "declined", by=educator)

    waiting.refresh_from_db()
    assert waiting.state == Message.State.WITHDRAWN and outbox.send(waiting.pk) is False
    for days in (5, 6, 30):
        with clock.at(at(1, 10) + datetime.timedelta(days=days)):
            assert family_messages.remind(program) == 0
    assert not Message.objects.filter(kind="please_answer").exists()


def test_a_reminder_that_was_due_does_not_go_either(declined, program):
    with clock.at(at(20, 10)):
        assert family_messages.remind(program) == 0


def test_no_other_plan_and_no_draw_asks_it(
    declined, add_family, school, school_year, site_coordinator, program
):
    add_family("Nguyen", "Lan")
    selection.plan_everyone(school, school_year, by=site_coordinator)
    plan = selection.draw(school, school_year, 1, by=site_coordinator)
    next_year = SchoolYear.objects.create(
        program=program,
        name="next",
        starts_on=school_year.ends_on + datetime.timedelta(days=1),
        ends_on=school_year.ends_on + datetime.timedelta(days=300),
    )

    assert Invitation.objects.filter(family=declined.family).count() == 1
    drawn = plan.draws.get()
    assert declined.family_id not in drawn.population and drawn.drawn
    with pytest.raises(NotReady):  # its only class is of this year
        selection.plan_everyone(school, next_year, by=site_coordinator)


def test_no_second_visit_is_opened_by_the_back_door(completed, educator, site_coordinator, mother):
    first = Invitation.objects.get(kind="first")
    second = invitations.open_second(first, by=educator)
    answers.record(second, "declined", by=educator)

    again = invitations.open_second(first, by=educator)

    assert again == second and again.state == Invitation.State.DECLINED
    with pytest.raises(NotReady, match="said no thank you"):
        family_messages.invite(again, by=educator)


def test_the_export_has_no_no(client, declined, site_coordinator):
    client.force_login(site_coordinator)

    told = b"".join(client.post("/families/families.csv").streaming_content).decode()

    assert "Ortega" not in told and "declined" not in told


def test_the_reopening_is_audited_whoever_does_it(declined, site_coordinator, educator, mother):
    answers.reopen(declined, because="They rang the school", by=site_coordinator)
    answers.record(declined, "declined", by=educator)
    Invitation.objects.update(answered_caregiver=mother)
    given = declined.answers.exclude(link=None).get()
    answers.record(declined, "accepted", link=given.link)

    by_us, by_them = AuditEntry.objects.filter(event="invitation.reopened").order_by("pk")
    assert (by_us.by, by_us.facts["because"]) == (site_coordinator, "They rang the school")
    assert (by_them.by, by_them.facts["caregiver"]) == (None, mother.pk)


def test_a_wrong_number_of_theirs_is_nobodys_work(declined, mother, client, site_coordinator):
    people.mark_dead(mother, email=mother.email)
    client.force_login(site_coordinator)

    assert "Ortega" not in client.get("/asking/").content.decode()
    assert "Ortega" not in client.get("/desk/").content.decode()
    assert "/again/" not in client.get("/messages/").content.decode()


@pytest.fixture
def sibling(declined) -> Invitation:
    """Another invitation of the Ortegas, whom nobody has asked to it yet."""
    Invitation.objects.filter(pk=declined.pk).update(kind="additional")
    declined.pk, declined.state, declined.kind = None, "not_asked", "first"
    declined.answered_at = declined.answered_caregiver = declined.asked_at = None
    declined.save()
    return declined


@pytest.fixture
def moved(declined, add_family, school, school_year, site_coordinator) -> Invitation:
    """Another household's, planned before a child of the Ortegas came to live with it."""
    ramos = add_family("Ramos", "Lucía")
    selection.plan_everyone(school, school_year, by=site_coordinator)
    ramos.caregivers.update(preferred_channel="email", email="ramos@example.org")
    (mateo,) = declined.family.students.all()
    mateo.family = ramos
    mateo.save()
    return Invitation.objects.get(family=ramos)


@pytest.mark.parametrize("whose", ["sibling", "moved"])
def test_a_no_holds_for_the_familys_other_invitations(
    whose, request, client, educator, site_coordinator, partner, trained, pay_rate
):
    invitation = request.getfixturevalue(whose)
    ana, name = educator.educators.get(), invitation.family.surnames
    person = invitation.family.caregivers.get()

    assert not Invitation.objects.invite_next([ana.pk], NOW.date())
    assert invitation.next_step(NOW.date(), standing=False, said_no=True) == ""
    client.force_login(educator)
    assert name not in client.get("/today/").content.decode()
    assert name not in client.get("/families/?state=not_asked").content.decode()
    every = client.get("/families/").content.decode()
    assert name in every and "tel:" not in every and "mailto:" not in every
    client.force_login(site_coordinator)
    told = b"".join(client.post("/families/families.csv").streaming_content).decode()
    assert name not in told
    for asking in (
        lambda: invitations.record_attempt(invitation, "call", "reached", by=educator),
        lambda: answers.record(invitation, "accepted", by=educator),
        lambda: family_messages.invite(invitation, by=educator),
        lambda: links.mint(invitation, person, by=educator),
        lambda: invitations.choose_team(invitation, [partner.educators.get()], by=educator),
    ):
        with pytest.raises(NotReady, match="said no thank you"):
            asking()
    Invitation.objects.filter(pk=invitation.pk).update(
        state="accepted", asked_at=NOW, answered_at=NOW, answered_by=educator
    )
    assert not Invitation.objects.without_a_time()
    with pytest.raises(NotReady, match="said no thank you"):
        scheduling.schedule(invitation, scheduling.slot(at(8, 16, 30)), "home", by=educator)


def test_a_visit_that_stands_goes_on_when_a_child_with_a_no_moves_in(
    accepted, visit, add_family, educator, partner
):
    person = accepted.family.caregivers.get()
    person.preferred_channel, person.email = "email", "marta@example.org"
    person.save()
    ramos = add_family("Ramos", "Lucía")
    answers.record(
        Invitation.objects.create(
            family=ramos,
            **{name: getattr(accepted, name) for name in ("program", "school", "educator")},
            school_year=accepted.school_year,
        ),
        "declined",
        by=educator,
    )
    ramos.students.update(family=accepted.family)

    scheduling.confirm(visit, by=partner)
    scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=educator)

    assert Message.objects.filter(kind="visit_cancelled").exists()  # they would wait for it
    with pytest.raises(NotReady, match="said no thank you"):
        scheduling.schedule(accepted, scheduling.slot(at(9, 16, 30)), "home", by=educator)


@pytest.mark.parametrize("by_link", [True, False])
def test_whoever_opens_the_door_opens_it_to_all_they_said_no_to(
    by_link, declined, sibling, site_coordinator, mother
):
    Invitation.objects.filter(pk=sibling.pk).update(
        state="declined", asked_at=NOW, answered_at=NOW, answered_caregiver=mother
    )
    first = Invitation.objects.get(kind="additional")
    if by_link:
        answers.record(first, "accepted", link=first.links.get())
    else:
        answers.reopen(first, because="They rang the school", by=site_coordinator)

    assert families.said_no([first.family_id]) == set()
    assert Invitation.objects.get(pk=sibling.pk).state == "asked"
    assert AuditEntry.objects.filter(event="invitation.reopened").count() == 2


def test_a_no_of_an_earlier_household_still_stands_and_is_said(moved, client, site_coordinator):
    Invitation.objects.filter(pk=moved.pk).update(
        state="declined", asked_at=NOW, answered_at=NOW, answered_by=site_coordinator
    )
    client.force_login(site_coordinator)
    url = reverse("invitation_reopen", args=[moved.pk])

    page = client.post(url, {"because": "They rang"}, follow=True).content.decode()

    assert "That no stands, so nobody asks yet." in page


def test_a_yes_beside_the_no_of_an_earlier_household_waits_for_a_person(moved):
    link = link_of(moved, "Marta")

    answers.record(moved, "accepted", link=link)

    assert list(Invitation.objects.waiting_for_us()) == [moved]
    assert not Invitation.objects.without_a_time()


def test_a_family_that_said_no_and_wants_a_call_is_called(
    declined, client, educator, site_coordinator
):
    answers.record(declined, "call", link=declined.links.get())
    declined.refresh_from_db()

    assert declined.state == "declined" and declined.call_wanted_at
    client.force_login(site_coordinator)
    assert "Ortega" in client.get("/asking/").content.decode()
    assert "Ortega" in client.get("/families/?waits=1").content.decode()
    page = client.get(declined.get_absolute_url()).content.decode()
    assert "tel:" in page and "Call them" in page and "They said yes" not in page

    invitations.record_attempt(declined, "call", "reached", by=educator)

    declined.refresh_from_db()
    assert declined.state == "declined" and declined.call_wanted_at is None
    page = client.get(declined.get_absolute_url()).content.decode()
    assert "tel:" not in page and "Call them" not in page
