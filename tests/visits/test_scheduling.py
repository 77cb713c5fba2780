"""Blockers, and what the database refuses on its own."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Membership, Message, School
from tests.conftest import at
from training import certification, requirements
from training.models import Certification
from visits import answers, invitations, scheduling, selection
from visits.models import (
    Availability,
    Interpreter,
    InterpreterRequest,
    Invitation,
    PayRate,
    SchoolHoliday,
    TimeOff,
    Visit,
    VisitParticipant,
)


def blocked(invitation, start=None, by=None, place="home") -> str:
    with pytest.raises(NotReady) as refused:
        scheduling.schedule(invitation, scheduling.slot(start or at(8, 16, 30)), place, by=by)
    assert not Visit.objects.standing().exists()
    return str(refused.value)


def test_a_family_that_has_not_said_yes_is_not_visited(invitation, trained, pay_rate, educator):
    sentence = blocked(invitation, by=educator)

    assert "The Ortega family has not said yes yet. Record their answer first." in sentence


def test_a_family_that_said_no_is_not_visited(accepted, educator):
    answers.record(accepted, "declined", by=educator)

    assert blocked(accepted, by=educator) == "The Ortega family said no thank you."


def test_nobody_goes_alone(accepted, educator):
    Invitation.objects.update(team=None)

    assert "Educators visit in pairs. Choose a partner first." in blocked(accepted, by=educator)


def test_training_has_to_be_current_on_the_day(accepted, educator, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 10, 7)
    )

    assert blocked(accepted, by=educator) == "Ben Lee's training ends Oct 7; renew it before Oct 8."


def test_renewing_lets_a_visit_be_scheduled(accepted, educator, partner, program_coordinator):
    Certification.objects.filter(educator__user=partner).update(
        issued_on=datetime.date(2024, 10, 8), expires_on=datetime.date(2026, 10, 7)
    )
    assert "renew it before Oct 8" in blocked(accepted, by=educator)

    ben, course = partner.educators.get(), Certification.objects.first().course
    day = datetime.date(2026, 10, 2)  # before today
    requirements.certify_by_hand(ben, course, on=day, by=program_coordinator)

    assert scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    kept = AuditEntry.objects.filter(event="certification.issued").latest("pk")
    assert (kept.by, kept.facts["backdated"]) == (program_coordinator, True)


@pytest.mark.parametrize(
    ("zone", "last_day"),
    [
        ("Pacific/Honolulu", datetime.date(2026, 10, 8)),  # 9:30 on the 9th in London
        ("America/Los_Angeles", datetime.date(2026, 11, 1)),  # the day the clocks go back
        ("America/Los_Angeles", datetime.date(2027, 3, 14)),  # and forward
    ],
)
def test_the_last_day_is_the_programs(accepted, educator, zone, last_day, program):
    program.time_zone = zone
    program.save()
    accepted.program = program
    Certification.objects.update(expires_on=last_day)
    half_past_eleven = datetime.datetime.combine(
        last_day, datetime.time(23, 30), ZoneInfo(zone)
    ).astimezone(datetime.UTC)
    day_after = half_past_eleven + datetime.timedelta(minutes=40)

    sentence = blocked(accepted, start=day_after, by=educator)
    assert "renew it before" in sentence
    assert scheduling.schedule(accepted, scheduling.slot(half_past_eleven, 25), "home", by=educator)


def test_the_last_day_of_a_certification_counts(accepted, educator, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 10, 8)
    )

    assert scheduling.schedule(accepted, scheduling.slot(at(8, 21)), "home", by=educator)


def test_an_untrained_partner_may_go_where_the_program_says_so(
    accepted, educator, partner, program
):
    Certification.objects.filter(educator__user=partner).delete()
    assert "Ben Lee has not been trained yet" in blocked(accepted, by=educator)

    program.untrained_partner_allowed = True
    program.save()

    assert scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        (at(8, 15, 14), True),
        (at(8, 15, 15), False),
        (at(8, 6, 46), True),
        (at(8, 6, 45), False),
        (at(10, 11), False),  # a Saturday
    ],
)
def test_no_visit_inside_the_contract_day(accepted, educator, start, inside):
    if not inside:
        assert scheduling.schedule(accepted, scheduling.slot(start), "home", by=educator)
        return

    assert blocked(accepted, start, by=educator) == (
        "This is inside Lincoln's contract day (7:45 AM to 3:15 PM). Pick another time."
    )


def test_the_past_is_not_scheduled(accepted, educator):
    assert (
        blocked(accepted, at(5, 16, 30), by=educator) == "This time has passed. Pick a later one."
    )


def test_no_visit_at_the_school(accepted, educator):
    assert "never at the school" in blocked(accepted, place="school", by=educator)


def test_no_visit_that_nobody_could_pay(accepted, educator):
    PayRate.objects.all().delete()

    assert "No pay rate is set for Oct 8." in blocked(accepted, by=educator)


def test_an_educator_with_another_visit_is_named(
    visit, add_family, school, school_year, school_class, educator, partner, site_coordinator
):
    other = add_family("Nguyen")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    second = Invitation.objects.get(family=other)
    answers.record(second, "accepted", by=educator)
    invitations.choose_team(second, [partner.educators.get()], by=educator)

    with pytest.raises(NotReady) as refused:
        scheduling.schedule(second, scheduling.slot(at(8, 17)), "home", by=educator)

    assert refused.value.sentences == [
        "This overlaps a visit of Ana Ruiz and Ben Lee at Thu, Oct 8, 4:30 PM. Pick another time.",
    ]
    with pytest.raises(NotReady) as refused:
        scheduling.schedule(second, scheduling.slot(at(8, 17, 40)), "home", by=educator)
    assert refused.value.sentences == [
        "This leaves less than 15 minutes between it and a visit of Ana Ruiz and Ben Lee "
        "at Thu, Oct 8, 4:30 PM. Pick another time.",
    ]
    # A quarter of an hour is enough to drive there.
    assert scheduling.schedule(second, scheduling.slot(at(8, 17, 45)), "home", by=educator)


def test_nobody_visits_on_a_holiday_or_a_day_off(
    accepted, educator, partner, program, other_school
):
    day = datetime.date(2026, 10, 8)
    days = {"program": program, "starts_on": day, "ends_on": day}
    SchoolHoliday.objects.create(**days, school=other_school, name="Elsewhere")
    SchoolHoliday.objects.create(**days, name="Snow")
    TimeOff.objects.create(**days, educator=partner.educators.get())

    with pytest.raises(NotReady) as refused:
        scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    assert refused.value.sentences == [
        "Lincoln is closed on Oct 8: Snow. Pick another day.",
        "Ben Lee is away on Oct 8. Pick another day.",
    ]
    assert scheduling.schedule(accepted, scheduling.slot(at(9, 16, 30)), "home", by=educator)


def test_whoever_interprets_then_does_not_visit(
    visit, add_family, school, school_year, school_class, educator, colleague, trained,
    site_coordinator, course, program,
):  # fmt: skip
    cara = colleague.educators.get()
    certification.issue(cara, course, on=at(1, 0).date(), by=site_coordinator)
    linh = Interpreter.objects.create(
        program=program, kind="staff", given_name="Cara", email="cara@example.org",
        languages=["vi"], educator=cara, adult_confirmed_by=site_coordinator,
    )  # fmt: skip
    InterpreterRequest.objects.create(
        program=program, visit=visit, bound=visit, during=visit.during, language="vi",
        state="covered", interpreter=linh, covered_at=clock.now(),
    )  # fmt: skip
    other = add_family("Nguyen")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    second = Invitation.objects.get(family=other)
    ana = educator.educators.get()

    reasons = scheduling.blockers(second, [ana, cara], scheduling.slot(at(8, 16)), "home")

    assert "This overlaps a visit of Ana Ruiz and Cara Diaz at Thu, Oct 8, 4:30 PM." in str(reasons)


def test_hours_are_advice(accepted, educator, program):
    Availability.objects.create(
        program=program,
        educator=educator.educators.get(),
        weekday=0,
        starts=datetime.time(16),
        ends=datetime.time(18),
    )

    assert scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)


def test_where_to_meet_is_kept_for_a_place_of_theirs_alone(accepted, educator):
    where = {"by": educator, "address": "Main library"}
    visit = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", **where)
    assert visit.address == ""

    scheduling.cancel(visit, "family_cancelled", by=educator)
    visit = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "neutral", **where)
    assert visit.address == "Main library"

    scheduling.cancel(visit, "family_cancelled", by=educator)
    visit.refresh_from_db()
    assert visit.address == ""


def test_where_they_met_is_forgotten_once_it_is_over(accepted, educator):
    visit = scheduling.schedule(
        accepted, scheduling.slot(at(8, 16, 30)), "neutral", by=educator, address="Main library"
    )
    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)

    visit.refresh_from_db()
    assert visit.address == ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM visits_visithistoryevent")
        assert cursor.rowcount and "Main library" not in str(cursor.fetchall())


def test_where_they_met_is_forgotten_though_nobody_says_how_it_went(accepted, educator):
    visit = scheduling.schedule(
        accepted, scheduling.slot(at(8, 16, 30)), "neutral", by=educator, address="Main library"
    )
    with clock.at(at(8, 17)):
        assert scheduling.forget_addresses() == 0
    with clock.at(at(8, 17, 31)):
        assert scheduling.forget_addresses() == 1

    visit.refresh_from_db()
    assert visit.address == ""


def test_the_same_time_twice_is_one_visit(visit, accepted, educator):
    again = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    assert again == visit
    assert Message.objects.filter(kind="visit_scheduled").count() == 2  # one each


def test_another_time_asks_to_cancel_first(visit, accepted, educator):
    with pytest.raises(NotReady, match="scheduled for Thu, Oct 8, 4:30 PM already"):
        scheduling.schedule(accepted, scheduling.slot(at(9, 16, 30)), "home", by=educator)


def test_a_cancelled_visit_frees_its_people_and_keeps_the_yes(visit, accepted, educator):
    scheduling.cancel(visit, "family_cancelled", by=educator)

    again = scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)

    assert again.pk != visit.pk
    assert not VisitParticipant.objects.get(visit=visit, role="lead").occupies
    assert AuditEntry.objects.filter(event="visit.cancelled").count() == 1


def test_a_visit_is_not_held_before_it_starts(visit, educator):
    with pytest.raises(NotReady, match="starts Thu, Oct 8, 4:30 PM"):
        scheduling.hold(visit, by=educator)

    with clock.at(at(8, 16, 30)):
        assert scheduling.hold(visit, by=educator).state == Visit.State.HELD


class TestTheDatabaseAlone:
    """Raw SQL, as a script at night would write it."""

    def refuse(self, sql: str, *params) -> str:
        with (
            pytest.raises(IntegrityError) as refused,
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, params)
        return str(refused.value)

    def test_refuses_two_visits_of_one_educator(self, visit, accepted):
        sql = """
            WITH other AS (
                INSERT INTO families_family (program_id, source_id, surnames, language,
                    interpreter_wanted)
                SELECT program_id, 'x', 'Other', 'en', false FROM visits_visit RETURNING *),
            asked AS (
                INSERT INTO visits_invitation (program_id, school_id, school_year_id, family_id,
                    kind, educator_id, state)
                SELECT i.program_id, i.school_id, i.school_year_id, o.id, 'first', i.educator_id,
                    'not_asked' FROM visits_invitation i, other o RETURNING *),
            visit AS (
                INSERT INTO visits_visit (program_id, invitation_id, school_id, family_id, kind,
                    place, during, state, occupies, scheduled_at, scheduled_by_id)
                SELECT v.program_id, a.id, v.school_id, a.family_id, v.kind, v.place,
                    v.during, 'scheduled', true, now(), v.scheduled_by_id
                FROM visits_visit v, asked a RETURNING *)
            INSERT INTO visits_visitparticipant (program_id, visit_id, educator_id, role, during,
                occupies)
            SELECT visit.program_id, visit.id, p.educator_id, p.role, visit.during, true
            FROM visit, visits_visitparticipant p
        """
        assert "educator_visits_one_at_a_time" in self.refuse(sql)

    def test_refuses_a_participant_at_another_time_than_the_visit(self, visit):
        message = self.refuse(
            "UPDATE visits_visitparticipant SET during = tstzrange(now(), now() + '1 hour')"
        )

        assert "visit_participant_at_its_visits_time" in message

    def test_moves_the_participants_with_the_visit(self, visit):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE visits_visit SET during = tstzrange(lower(during) + interval '1 day',"
                " upper(during) + interval '1 day')"
            )

        visit.refresh_from_db()
        assert {p.during for p in visit.participants.all()} == {visit.during}

    def test_refuses_a_school_of_another_program(self, visit, other_program):
        elsewhere = School.objects.create(program=other_program, name="Far away")

        message = self.refuse("UPDATE visits_visit SET school_id = %s", elsewhere.pk)

        assert "visit_school_same_program" in message

    def test_refuses_a_standing_visit_that_takes_nobodys_time(self, visit):
        assert "visit_occupies_while_it_stands" in self.refuse(
            "UPDATE visits_visit SET occupies = false, ended_at = now(),"
            " ended_by_id = scheduled_by_id"
        )

    def test_refuses_a_second_standing_visit_of_one_invitation(self, visit):
        message = self.refuse(
            """INSERT INTO visits_visit (program_id, invitation_id, school_id, family_id, kind,
                place, during, state, occupies, scheduled_at, scheduled_by_id)
            SELECT program_id, invitation_id, school_id, family_id, kind, place,
                tstzrange(now(), now() + '1 hour'), 'scheduled', true, now(), scheduled_by_id
            FROM visits_visit"""
        )

        assert "one_visit_an_invitation" in message


def test_who_has_left_the_school_does_not_go(accepted, educator, partner):
    Membership.objects.filter(user=partner).update(ends_on=datetime.date(2026, 10, 7))

    sentence = blocked(accepted, by=educator)

    assert "Ben Lee does not visit for Lincoln any more. Choose somebody else." in sentence


def test_a_fault_is_not_taken_for_a_race(accepted, educator, monkeypatch):
    def fail(*_args):
        raise OperationalError("the disk is full")

    monkeypatch.setattr(scheduling, "_create", fail)

    with pytest.raises(OperationalError, match="the disk is full"):
        scheduling.schedule(accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator)
