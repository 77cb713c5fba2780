"""Asking: once is once, a no is a no, and not now means not now."""

import datetime

import pytest

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import RecordView
from tests.conftest import at
from visits import answers, invitations, scheduling
from visits.models import Invitation


def test_a_double_tap_is_one_attempt(invitation, educator):
    for _tap in range(4):
        invitations.record_attempt(invitation, "call", "no_answer", by=educator)
    with clock.at(clock.now() + datetime.timedelta(minutes=2)):
        invitations.record_attempt(invitation, "call", "no_answer", by=educator)

    assert invitation.attempts.count() == 2


def test_a_family_counts_as_not_reached_after_three_tries_by_two_ways(invitation, educator):
    for hours, channel in enumerate(["call", "call", "text"]):
        with clock.at(at(6, 13 + hours)):
            invitations.record_attempt(invitation, channel, "no_answer", by=educator)

    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.UNREACHABLE


def test_a_no_is_final(invitation, educator):
    answers.record(invitation, "declined", by=educator)

    for again in ("accepted", "later"):
        with pytest.raises(NotReady, match="Only they can open the door again"):
            answers.record(invitation, again, by=educator)
    with pytest.raises(NotReady, match="They are not asked again"):
        invitations.record_attempt(invitation, "call", "reached", by=educator)


def test_a_family_itself_can_open_the_door_again(invitation, educator, site_coordinator):
    answers.record(invitation, "declined", by=educator)
    with pytest.raises(NotReady, match="Say how the family opened the door"):
        answers.reopen(invitation, because=" ", by=site_coordinator)

    answers.reopen(invitation, because="The mother called us", by=site_coordinator)

    assert answers.record(invitation, "accepted", by=educator).counted
    assert Invitation.objects.get().state == "accepted"


def test_not_now_means_not_before_that_day(invitation, educator):
    with pytest.raises(NotReady, match="Choose the day"):
        answers.record(invitation, "later", by=educator)
    answers.record(invitation, "later", by=educator, later_on=at(20, 0).date())

    with pytest.raises(NotReady, match="They asked us to come back from Oct 20 on"):
        invitations.record_attempt(invitation, "call", "reached", by=educator)
    with clock.at(at(20, 9)):
        assert invitations.record_attempt(invitation, "call", "reached", by=educator)


def test_whoever_asked_not_to_be_contacted_is_not(invitation, educator, family):
    caregiver = family.caregivers.get()
    caregiver.may_be_contacted = False
    caregiver.save()

    with pytest.raises(NotReady, match="Marta Ortega asked not to be contacted"):
        invitations.record_attempt(invitation, "call", "reached", by=educator, caregiver=caregiver)
    with pytest.raises(NotReady, match="Nobody of this family may be contacted"):
        invitations.record_attempt(invitation, "call", "reached", by=educator)


def test_the_lead_does_not_confirm_alone(visit, educator, partner):
    with pytest.raises(NotReady, match="Your partner confirms this visit"):
        scheduling.confirm(visit, by=educator)

    assert scheduling.confirm(visit, by=partner).state == "confirmed"


def test_contact_data_on_a_list_counts_as_a_look(client, invitation, educator):
    client.force_login(educator)

    for page in ("/today/", "/families/"):
        client.get(page)

    looks = RecordView.objects.filter(subject_type="family", subject_id=invitation.family_id)
    assert sorted(looks.values_list("reason", flat=True)) == ["see_families", "see_today"]


class TestSecondVisits:
    """From a day of the school year on, visited families may be asked again by themselves."""

    @pytest.fixture(autouse=True)
    def _from_october_20(self, school_year):
        school_year.second_visits_from = datetime.date(2026, 10, 20)
        school_year.save()

    def seconds(self) -> list[Invitation]:
        return list(Invitation.objects.filter(kind="second"))

    @pytest.mark.parametrize(("day", "opened"), [(19, 0), (20, 1), (25, 1)])
    def test_not_before_the_day(self, completed, program, day, opened):
        with clock.at(at(day, 12)):
            assert invitations.open_seconds(program) == opened
            assert invitations.open_seconds(program) == 0

        assert [one.state for one in self.seconds()] == ["not_asked"] * opened

    def test_who_was_not_visited_is_not_asked_a_second_time(self, visit, program):
        with clock.at(at(25, 12)):
            assert invitations.open_seconds(program) == 0

    def test_who_said_no_since_is_left_alone(self, completed, program, add_family, school_year):
        Invitation.objects.create(
            program=program,
            plan=completed.invitation.plan,
            school=completed.school,
            school_year=school_year,
            family=completed.family,
            kind="additional",
            educator=completed.invitation.educator,
            state="declined",
            asked_at=at(19, 12),
            answered_at=at(19, 12),
            answered_by=completed.held_by,
        )

        with clock.at(at(25, 12)):
            assert invitations.open_seconds(program) == 0
