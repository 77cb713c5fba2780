"""The taps of a pair on its visit: what each does, once, and who is told where one is missing."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from families.models import Caregiver
from pthv import clock, outbox, stops
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message, Program, School
from tests.conftest import at
from visits import logs, moving, safety, scheduling
from visits.models import SafetyCheck, Visit

MINUTE = datetime.timedelta(minutes=1)
START, END = at(8, 16, 30), at(8, 17, 30)  # of the visit
KINDS = ["safety_overdue", "safety_alert", "safety_help", "safety_well"]


@pytest.fixture
def contact(school) -> School:
    """Vera Cole is told at Lincoln when something is wrong."""
    school.safety_name, school.safety_phone = "Vera Cole", "+13125550177"
    school.safety_email = "vera@example.org"
    school.save()
    return school


@pytest.fixture
def there(visit, educator, program_coordinator, contact) -> Visit:
    """Ana and Ben have been there since 4:30 PM."""
    with clock.at(START):
        safety.arrive(visit, by=educator)
    return visit


def check_of(visit: Visit) -> SafetyCheck:
    return SafetyCheck.objects.get(visit=visit)


def watch(program: Program, moment: datetime.datetime) -> int:
    with clock.at(moment):
        return safety.watch(program)


def missed(program: Program, minutes: int, since: datetime.datetime = END) -> int:
    """Look each minute, as the worker does, for so long after they were expected back."""
    return sum(watch(program, since + n * MINUTE) for n in range(minutes + 1))


def told() -> list[tuple[str, str]]:
    """Everybody who was told of what, in order."""
    found = Message.objects.filter(kind__in=KINDS).order_by("pk")
    return [(message.kind, message.address) for message in found]


def events(visit: Visit) -> list[str]:
    found = AuditEntry.objects.filter(subject_type="visit", subject_id=visit.pk).order_by("pk")
    return [entry.event for entry in found]


class TestTaps:
    def test_out_arrived_and_left_are_noted_with_who_and_when(self, visit, educator, partner):
        with clock.at(START - 20 * MINUTE):
            safety.out(visit, by=educator)
        with clock.at(START):
            safety.arrive(visit, by=partner)
        with clock.at(END):
            safety.leave(visit, by=educator)

        check = check_of(visit)
        assert (check.out_at, check.out_by) == (START - 20 * MINUTE, educator)
        assert (check.arrived_at, check.arrived_by) == (START, partner)
        assert (check.left_at, check.left_by) == (END, educator)
        assert not check.left_early and not check.watched and not check.is_open
        visit.refresh_from_db()
        assert (visit.state, visit.held_by) == ("held", educator)
        assert events(visit)[-4:] == ["visit.out", "visit.arrived", "visit.left", "visit.held"]

    def test_a_tap_twice_or_by_both_is_one_and_the_first_counts(self, visit, educator, partner):
        for number, by in enumerate([educator, educator, partner]):
            with clock.at(START + number * MINUTE):
                safety.arrive(visit, by=by)
        for number, by in enumerate([partner, educator]):
            with clock.at(END + number * MINUTE):
                safety.leave(visit, by=by)

        check = check_of(visit)
        assert (check.arrived_at, check.arrived_by) == (START, educator)
        assert (check.left_at, check.left_by) == (END, partner)
        assert events(visit).count("visit.arrived") == events(visit).count("visit.left") == 1

    def test_a_step_may_be_skipped_and_an_earlier_one_comes_too_late(
        self, visit, educator, partner
    ):
        with clock.at(END):
            safety.leave(visit, by=educator)
            safety.arrive(visit, by=partner)  # her phone had no signal
            safety.out(visit, by=partner)

        check = check_of(visit)
        assert check.left_at == END and check.arrived_at is None and check.out_at is None

    def test_who_arrives_late_is_expected_to_stay_as_long_as_was_planned(self, visit, educator):
        with clock.at(START + 25 * MINUTE):
            assert safety.arrive(visit, by=educator).expected_end == END + 25 * MINUTE

    def test_who_arrives_early_is_expected_back_at_the_visits_end(self, visit, educator):
        with clock.at(START - 10 * MINUTE):
            assert safety.arrive(visit, by=educator).expected_end == END

    def test_minutes_more_are_added_once(self, there, educator, partner):
        seen = check_of(there).expected_end
        with clock.at(END):
            safety.longer(there, 15, by=educator, seen=seen)
            safety.longer(there, 15, by=partner, seen=seen)  # the same page, on another phone
        assert check_of(there).expected_end == END + 15 * MINUTE

        with clock.at(END + 40 * MINUTE):  # whoever is late already gets them from now on
            safety.longer(there, 30, by=partner, seen=END + 15 * MINUTE)
        assert check_of(there).expected_end == END + 70 * MINUTE

    def test_left_before_it_should_begin_is_not_held_until_then(self, visit, educator):
        with clock.at(START - 5 * MINUTE):
            safety.arrive(visit, by=educator)
            safety.leave(visit, by=educator, early=True)

        visit.refresh_from_db()
        assert visit.is_ahead and check_of(visit).left_early
        with clock.at(START + MINUTE):
            visit = Visit.objects.get(pk=visit.pk)
            assert visit.participants.first().next_step(visit) == "hold"

    def test_leaving_stays_said_though_somebody_had_said_no(self, there, educator, partner):
        there.participants.filter(educator__user=partner).update(declined_at=START)
        with clock.at(END):
            safety.leave(there, by=educator)

        there.refresh_from_db()
        assert check_of(there).left_at == END and there.is_ahead

    @pytest.mark.parametrize(
        ("said", "kept"),
        [
            (START - 2 * MINUTE, True),
            (at(8, 0), True),
            (START + MINUTE, False),  # in the future
            (at(7, 23, 59), False),  # before the day of the visit
        ],
    )
    def test_a_phones_time_is_kept_beside_ours_where_it_can_be_right(
        self, visit, educator, said, kept
    ):
        with clock.at(START):
            check = safety.arrive(visit, by=educator, phone_time=said)

        assert check.arrived_at == START and check.expected_end == END
        assert check.arrived_phone_at == (said if kept else None)

    def test_what_cant_be(self, visit, educator, colleague):
        with pytest.raises(NotReady, match="starts Thu, Oct 8"):
            safety.out(visit, by=educator)
        with clock.at(START), pytest.raises(NotReady, match="Only who goes"):
            safety.arrive(visit, by=colleague)
        with clock.at(END + 7 * 60 * MINUTE), pytest.raises(NotReady, match="is over"):
            safety.arrive(visit, by=educator)
        Visit.objects.filter(pk=visit.pk).update(place="virtual")
        with clock.at(START), pytest.raises(NotReady, match="by video"):
            safety.out(visit, by=educator)
        scheduling.cancel(visit, "educator_cancelled", by=educator)
        for tap in (safety.arrive, safety.leave):
            with clock.at(START), pytest.raises(NotReady, match="cancelled"):
                tap(visit, by=educator)
        assert not SafetyCheck.objects.exists()

    def test_a_visit_that_moves_is_not_under_way_any_more(
        self, visit, educator, program, program_coordinator
    ):
        with clock.at(START - 30 * MINUTE):
            safety.out(visit, by=educator)
            moving.move(visit, scheduling.slot(START + 24 * 60 * MINUTE), "home", by=educator)

        check = check_of(visit)
        assert check.out_at is None and not check.watched
        assert watch(program, END + 60 * MINUTE) == 0 and told() == []

    def test_the_steps_in_order(self, visit, educator, partner):
        ana = visit.participants.get(educator__user=educator)
        ben = visit.participants.get(educator__user=partner)

        def step(who, moment) -> str:
            with clock.at(moment):
                found = Visit.objects.select_related("safety_check").get(pk=visit.pk)
                return who.next_step(found)

        assert (step(ana, at(8, 12)), step(ben, at(8, 12))) == ("", "confirm")
        assert (step(ana, at(8, 14)), step(ben, at(8, 14))) == ("out", "confirm")
        assert (step(ana, START), step(ben, START)) == ("arrive", "arrive")
        assert step(ana, END) == "hold"  # as whoever taps nothing
        with clock.at(at(8, 16)):
            safety.out(visit, by=educator)
        assert (step(ana, at(8, 16)), step(ben, at(8, 16))) == ("arrive", "arrive")
        assert step(ben, END) == "leave"
        with clock.at(START):
            safety.arrive(visit, by=partner)
        assert (step(ana, START), step(ben, END)) == ("leave", "leave")
        with clock.at(END):
            safety.leave(visit, by=partner)
        assert (step(ana, END), step(ben, END)) == ("log", "log")

    def test_by_video_nobody_sets_out(self, visit, educator):
        Visit.objects.filter(pk=visit.pk).update(place="virtual")
        visit.refresh_from_db()
        ana = visit.participants.get(educator__user=educator)

        for moment, step in [(at(8, 16), ""), (START, "hold")]:
            with clock.at(moment):
                assert ana.next_step(visit) == step


class TestRows:
    """What only the database keeps."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"out_by": None},
            {"arrived_by": None},
            {"help_at": START},
            {"well_at": START},
            {"alerted": 1},
            {"alerted": 4, "alerted_at": START},
            {"out_phone_at": START + MINUTE},
            {"left_phone_at": START},
            {"left_early": True},
        ],
    )
    def test_half_a_fact_is_refused(self, there, educator, wrong):
        SafetyCheck.objects.update(out_at=START, out_by=educator)
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyCheck.objects.update(**wrong)

    def test_nobody_who_left_is_waited_for(self, there, educator):
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyCheck.objects.update(left_at=END, left_by=educator)

    def test_one_visit_has_one_and_no_other_programs(self, there, other_program, program):
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyCheck.objects.create(program=program, visit=there, expected_end=END)
        with pytest.raises(IntegrityError), transaction.atomic():
            SafetyCheck.objects.update(program=other_program)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @pytest.mark.parametrize(
        "wrong",
        [{"safety_name": "Vera"}, {"safety_phone": "+13125550177"}, {"safety_email": "v@x.org"}],
    )
    def test_a_contact_has_a_name_and_can_be_reached(self, school, wrong):
        with pytest.raises(IntegrityError), transaction.atomic():
            School.objects.update(**wrong)

    def test_no_place_is_kept(self):
        fields = " ".join(field.name for field in SafetyCheck._meta.get_fields())
        for word in ("lat", "lon", "place", "where", "address", "location", "geo", "point"):
            assert word not in fields


class TestOverdue:
    def test_the_pair_then_the_contact_then_the_program_once_each(
        self, there, program, educator, partner, program_coordinator, site_coordinator
    ):
        contact = [("safety_alert", "vera@example.org"), ("safety_alert", "+13125550177")]
        pair = [("safety_overdue", educator.email), ("safety_overdue", partner.email)]
        program_is = [
            ("safety_alert", one.email)
            for one in sorted([program_coordinator, site_coordinator], key=lambda one: one.pk)
        ]
        expected = []
        for minutes, more in [(15, []), (16, pair), (30, []), (31, contact), (46, program_is)]:
            expected += more
            assert watch(program, END + minutes * MINUTE) == bool(more), minutes
            assert told() == expected
        for minutes in (47, 300, 60 * 24 * 7):
            assert watch(program, END + minutes * MINUTE) == 0
        assert told() == expected
        assert check_of(there).alerted == 3 and events(there).count("visit.overdue") == 3

    def test_a_worker_that_was_away_leaves_everybody_their_time_to_act(self, there, program):
        alerts = [watch(program, END + (300 + n) * MINUTE) for n in range(60)]

        assert [n for n, count in enumerate(alerts) if count] == [0, 15, 30]
        assert len(told()) == 6 and len(set(told())) == 6
        assert [kind for kind, _to in told()[:2]] == ["safety_overdue"] * 2

    def test_without_a_contact_the_program_is_told_in_its_place(
        self, there, program, school, program_coordinator
    ):
        School.objects.update(safety_name="", safety_phone="", safety_email="")

        assert missed(program, 31) == 2
        assert ("safety_alert", program_coordinator.email) in told()

    @pytest.mark.parametrize("because", ["no texts", "a stop"])
    def test_a_contact_whom_no_message_reaches_has_the_program_told_in_its_place(
        self, there, program, school, program_coordinator, because
    ):
        School.objects.update(safety_email="")
        if because == "a stop":
            stops.stop("+13125550177")
        with override_settings(TEXT_URL="" if because == "no texts" else settings.TEXT_URL):
            assert missed(program, 31) == 2
            assert ("safety_alert", program_coordinator.email) in told()
            assert missed(program, 300) == 0

    def test_who_is_on_the_way_is_missed_too(
        self, visit, program, educator, program_coordinator, contact
    ):
        with clock.at(START - 20 * MINUTE):
            safety.out(visit, by=educator)

        assert watch(program, END + 16 * MINUTE) == 1

    def test_a_visit_without_a_tap_worries_nobody(self, visit, program, contact):
        assert watch(program, END + 300 * MINUTE) == 0 and told() == []

    def test_minutes_more_put_it_off(self, there, program, educator):
        with clock.at(END):
            safety.longer(there, 30, by=educator)

        assert watch(program, END + 45 * MINUTE) == 0
        assert watch(program, END + 46 * MINUTE) == 1
        with clock.at(END + 50 * MINUTE):  # after the pair was asked: it is asked again
            safety.longer(there, 15, by=educator)
        assert watch(program, END + 80 * MINUTE) == 0
        assert watch(program, END + 81 * MINUTE) == 1
        assert check_of(there).alerted == 1

    def test_who_stays_longer_is_well_and_missed_anew(self, there, program, educator):
        assert missed(program, 46) == 3
        before = told()
        Message.objects.filter(kind__in=KINDS).delete()
        with clock.at(END + 50 * MINUTE):
            check = safety.longer(there, 30, by=educator)
        assert not check.is_open and check.well_by == educator
        well = told()
        assert {kind for kind, _to in well} == {"safety_well"}
        assert {to for _kind, to in well} == {to for kind, to in before if kind == "safety_alert"}

        assert missed(program, 46, since=END + 80 * MINUTE) == 3
        assert told() == well + before

    def test_a_repeat_is_a_message_of_its_own(self, there, program, educator):
        missed(program, 46)
        with clock.at(END + 50 * MINUTE):
            safety.longer(there, 30, by=educator)
        missed(program, 46, since=END + 80 * MINUTE)

        kinds = [kind for kind, _to in told()]
        assert kinds.count("safety_overdue") == 4 and kinds.count("safety_alert") == 8

    def test_who_arrives_after_an_alert_is_missed_anew(
        self, visit, program, educator, contact, program_coordinator
    ):
        with clock.at(START):
            safety.out(visit, by=educator)
        missed(program, 31)
        with clock.at(END + 40 * MINUTE):
            safety.arrive(visit, by=educator)
        assert ("safety_well", "vera@example.org") in told()
        assert missed(program, 46, since=END + 100 * MINUTE) == 3

    def test_minutes_more_end_no_call_for_help(self, there, program, educator):
        missed(program, 31)
        with clock.at(END + 35 * MINUTE):
            safety.ask_help(there, by=educator)
            check = safety.longer(there, 15, by=educator)

        assert check.wants_help and "safety_well" not in dict(told())

    def test_who_sets_out_after_the_end_is_expected_to_stay_as_planned(
        self, visit, program, educator, contact, program_coordinator
    ):
        late = END + 70 * MINUTE
        with clock.at(late):
            assert safety.out(visit, by=educator).expected_end == late + 60 * MINUTE
        assert missed(program, 75, since=late) == 0
        assert watch(program, late + 76 * MINUTE) == 1

    @pytest.mark.parametrize("ending", ["family_cancelled", "educator_cancelled"])
    def test_a_pair_inside_is_missed_though_the_visit_was_cancelled(
        self, visit, program, educator, partner, contact, program_coordinator, ending
    ):
        with clock.at(START - 10 * MINUTE):
            safety.arrive(visit, by=educator)
            by = None if ending == "family_cancelled" else partner
            scheduling.cancel(visit, ending, by=by)
        assert watch(program, START) == 0 and check_of(visit).watched
        assert missed(program, 46) == 3
        with clock.at(END + 50 * MINUTE):
            calling = SafetyCheck.objects.calling(safety.overdue_since(program))
            assert calling.filter(visit=visit).exists()
            safety.longer(visit, 15, by=partner)
            safety.ask_help(visit, by=partner)
            safety.we_are_fine(visit, by=partner)
            for by in (educator, partner):
                safety.leave(visit, by=by)

        check = check_of(visit)
        assert check.left_by == educator and not check.watched and not check.is_open
        visit.refresh_from_db()
        assert visit.state == ending

    def test_the_programs_grace_counts(self, there, program):
        Program.objects.update(overdue_after=40)
        program.refresh_from_db()

        assert watch(program, END + 40 * MINUTE) == 0
        assert watch(program, END + 41 * MINUTE) == 1

    def test_leaving_ends_it_and_tells_those_who_were_told(self, there, program, educator):
        missed(program, 31)
        Message.objects.filter(kind__in=KINDS).delete()
        with clock.at(END + 35 * MINUTE):
            safety.leave(there, by=educator)

        assert told() == [
            ("safety_well", "vera@example.org"),
            ("safety_well", "+13125550177"),
        ]
        assert watch(program, END + 300 * MINUTE) == 0
        assert check_of(there).well_by == educator

    def test_leaving_in_time_tells_nobody_anything(self, there, program, educator):
        with clock.at(END):
            safety.leave(there, by=educator)

        assert watch(program, END + 300 * MINUTE) == 0 and told() == []

    def test_being_well_ends_it(self, there, program, partner):
        watch(program, END + 16 * MINUTE)
        with clock.at(END + 17 * MINUTE):
            safety.all_well(there, by=partner)
            safety.all_well(there, by=partner)

        assert watch(program, END + 300 * MINUTE) == 0
        assert [kind for kind, _to in told()] == ["safety_overdue"] * 2
        assert events(there).count("visit.all_well") == 1

    def test_a_worker_that_comes_second_finds_nothing_due(self, there, program, partner):
        watch(program, END + 16 * MINUTE)
        with clock.at(END + 46 * MINUTE):
            safety.all_well(there, by=partner)  # after the worker had read who is overdue
            assert safety._look_after(there.pk) == 0
        assert len(told()) == 2

    def test_a_visit_that_was_logged_instead_is_over(self, there, program, educator):
        missed(program, 31)
        with clock.at(END + 35 * MINUTE):
            logs.write(there, logs.Entry(40, "es", 1, True), by=educator)

        assert watch(program, END + 36 * MINUTE) == 0
        check = check_of(there)
        assert (check.watched, check.left_at, check.well_by) == (False, None, educator)
        assert ("safety_well", "vera@example.org") in told()

    def test_what_fails_with_one_visit_keeps_no_other_from_it(
        self, there, program, monkeypatch, caplog
    ):
        def fail(*args: object) -> None:
            raise RuntimeError("Ortega")

        monkeypatch.setattr(outbox, "queue_many", fail)
        assert watch(program, END + 16 * MINUTE) == 0
        assert "not looked after: RuntimeError" in caplog.text and "Ortega" not in caplog.text
        monkeypatch.undo()
        assert watch(program, END + 16 * MINUTE) == 1  # nothing of it had been kept

    def test_a_clock_that_jumps_back_tells_nobody_twice(self, there, program):
        assert watch(program, END + 16 * MINUTE) == 1
        assert watch(program, END - 60 * MINUTE) == 0
        assert watch(program, END + 16 * MINUTE) == 0

    @pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Honolulu"])
    @pytest.mark.parametrize(
        "change",
        [datetime.date(2026, 11, 1), datetime.date(2027, 3, 14)],
    )
    def test_when_clocks_change_it_is_minutes_that_count(self, there, program, zone, change):
        """A visit over the very hour, late on a Saturday night: an hour is an hour."""
        Program.objects.update(time_zone=zone)
        program.refresh_from_db()
        begins = datetime.datetime.combine(change, datetime.time(1, 30), ZoneInfo(zone))
        begins = begins.astimezone(datetime.UTC)
        ends = begins + 60 * MINUTE
        SafetyCheck.objects.all().delete()
        there.participants.all().delete()
        Visit.objects.filter(pk=there.pk).update(during=scheduling.slot(begins))
        SafetyCheck.objects.create(
            program=program, visit=there, expected_end=ends, watched=True,
            arrived_at=begins, arrived_by_id=there.scheduled_by_id,
        )  # fmt: skip

        alerts = [watch(program, begins + n * MINUTE) for n in range(180)]

        assert [n for n, count in enumerate(alerts) if count] == [76, 91, 106]
        assert check_of(there).alerted == 3


class TestHelp:
    def test_the_contact_and_the_program_hear_at_once(
        self, there, educator, partner, site_coordinator, program_coordinator
    ):
        with clock.at(START + 10 * MINUTE):
            safety.ask_help(there, by=educator)
        with clock.at(START + 11 * MINUTE):  # the other thumb
            safety.ask_help(there, by=partner)

        assert told() == [
            ("safety_help", "vera@example.org"),
            ("safety_help", "+13125550177"),
            ("safety_help", site_coordinator.email),
            ("safety_help", program_coordinator.email),
        ]
        due = Message.objects.filter(kind="safety_help")
        assert not due.filter(quiet=True).exists()
        assert all(one.next_try_at == START + 10 * MINUTE for one in due)

    def test_at_night_too(self, there, educator):
        with clock.at(at(8, 22)):
            safety.ask_help(there, by=educator)

            assert Message.objects.due().filter(kind="safety_help").count() == 4

    def test_it_may_be_asked_before_and_after_any_tap(self, visit, educator, contact):
        with clock.at(START - 60 * MINUTE):
            safety.ask_help(visit, by=educator)
            safety.all_well(visit, by=educator)
        with clock.at(END):
            safety.leave(visit, by=educator)
            safety.ask_help(visit, by=educator)

        check = check_of(visit)
        assert check.wants_help and check.help_at == END
        assert [kind for kind, _to in told()].count("safety_help") == 8

    def test_a_call_for_help_does_not_end_with_the_log_alone(self, there, program, educator):
        with clock.at(END):
            safety.ask_help(there, by=educator)
            logs.write(there, logs.Entry(40, "es", 1, True), by=educator)

        assert watch(program, END + 60 * MINUTE) == 0
        assert check_of(there).wants_help

    def test_it_does_not_end_with_we_have_left(self, there, educator, partner):
        """A phone that had no signal sends the tap only now; it was made before the call."""
        with clock.at(START + 30 * MINUTE):
            safety.ask_help(there, by=educator)
        with clock.at(START + 31 * MINUTE):
            check = safety.leave(there, by=partner, phone_time=START + 10 * MINUTE)

        assert check.left_at and not check.watched and check.wants_help
        assert "safety_well" not in dict(told())
        with clock.at(START + 40 * MINUTE):
            assert not safety.we_are_fine(there, by=educator).wants_help
        assert ("safety_well", "vera@example.org") in told()

    def test_who_said_they_cant_go_says_nothing_of_it(self, there, educator, partner):
        there.participants.filter(educator__user=partner).update(declined_at=START - 60 * MINUTE)
        with clock.at(START + 30 * MINUTE):
            safety.ask_help(there, by=educator)
            for tap in (safety.leave, safety.we_are_fine):
                with pytest.raises(NotReady, match="Only who goes"):
                    tap(there, by=partner)

        check = check_of(there)
        assert check.wants_help and check.watched and check.left_at is None

    def test_a_slip_that_was_taken_back_leaves_the_pair_watched(self, there, program, educator):
        with clock.at(START + 5 * MINUTE):
            safety.ask_help(there, by=educator)
            safety.all_well(there, by=educator)

        assert ("safety_well", "vera@example.org") in told()
        assert watch(program, END + 16 * MINUTE) == 1
        assert not check_of(there).wants_help

    def test_where_texts_are_not_sent_it_is_mail_alone(self, there, educator):
        with override_settings(TEXT_URL=""), clock.at(END):
            safety.ask_help(there, by=educator)

        assert not Message.objects.filter(kind="safety_help", channel="text").exists()


@pytest.mark.parametrize("zone", ["America/Chicago", "Pacific/Honolulu"])
def test_what_is_written_names_staff_school_and_time_and_no_child(
    there, family, program, educator, program_coordinator, zone
):
    """The family would show, if it could."""
    Program.objects.update(time_zone=zone)
    program.refresh_from_db()
    family.surnames, family.address = "Canarysurname", "77 Canary Road"
    family.save()
    Caregiver.objects.update(given_name="Canaryparent", family_name="Canarysurname")
    child = family.students.get()
    child.given_name = child.family_name = "Canarychild"
    child.save()
    missed(program, 46)
    with clock.at(END + 50 * MINUTE):
        safety.ask_help(there, by=educator)
        safety.we_are_fine(there, by=educator)

    written = Message.objects.filter(kind__in=KINDS)
    assert {one.kind for one in written} == set(KINDS)
    for message in written:
        said = message.subject + message.body
        assert "anary" not in said and "{" not in said and "555" not in said
        assert "Lincoln" in said, message.kind
        time = "5:30" if zone.endswith("Chicago") else "12:30"
        assert time in said or message.kind in {"safety_help", "safety_well"}
        if message.kind != "safety_overdue":
            assert "Ana Ruiz and Ben Lee" in said
        if "@" in message.address and message.to_user is None:
            assert "http" not in said  # whoever has no account finds nothing there
