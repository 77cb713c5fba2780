"""Two days and two hours before a visit: everybody once, and nobody of what is over."""

import datetime

import pytest

from pthv import clock
from pthv.models import Message, Role, User
from tests.conftest import NOW, at
from training import certification
from visits import family_messages, moving, reminders, scheduling
from visits.models import Visit

START = at(15, 16, 30)  # nine days ahead
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def family_texts(family) -> None:
    family.caregivers.update(preferred_channel="text", language="en")


@pytest.fixture
def visit(accepted, educator, family_texts) -> Visit:
    return scheduling.schedule(accepted, scheduling.slot(START), "home", by=educator)


def remind(program, moment: datetime.datetime) -> int:
    with clock.at(moment):
        return reminders.remind(program)


def reminded() -> list[str]:
    kinds = ["visit_reminder", "visit_soon", "interpreter_reminder"]
    found = Message.objects.filter(kind__in=kinds).exclude(state="withdrawn").order_by("pk")
    return [message.recipient or message.address for message in found]


def everybody(visit: Visit, educator, partner) -> list[str]:
    return [educator.email, partner.email, visit.family.caregivers.get().named]


def test_two_days_and_two_hours_before(visit, program, educator, partner):
    people = everybody(visit, educator, partner)

    assert remind(program, START - 49 * HOUR) == 0
    assert remind(program, START - 48 * HOUR) == 1
    assert reminded() == people
    assert remind(program, START - 47 * HOUR) == 0
    assert remind(program, START - 2 * HOUR) == 1
    assert remind(program, START - 1 * HOUR) == 0
    assert remind(program, START) == 0
    assert reminded() == people * 2


def test_a_worker_that_was_away_reminds_of_the_nearest_alone(visit, program, educator, partner):
    assert remind(program, START - 1 * HOUR) == 1
    assert reminded() == everybody(visit, educator, partner)


def test_what_a_reminder_says(visit, program, educator):
    remind(program, START - 48 * HOUR)

    mail = Message.objects.filter(kind="visit_reminder").first()
    assert "home visit on Thu, Oct 15, 4:30 PM (Lincoln)" in mail.body and not mail.calendar
    text = Message.objects.get(kind="visit_soon")
    assert "Thursday, October 15, 4:30 PM" in text.body and "{link}" in text.body
    assert "Your child is not in trouble." in text.body
    for message in (mail, text):
        assert "Ortega" not in message.subject + message.body.replace("Marta", "")


@pytest.mark.parametrize(("made", "asked"), [(40, 0), (59, 0), (61, 1)])
def test_who_was_told_a_moment_ago_is_not_reminded(
    accepted, program, educator, family_texts, made, asked
):
    with clock.at(START - made * HOUR):
        scheduling.schedule(accepted, scheduling.slot(START), "home", by=educator)

    assert remind(program, START - 48 * HOUR if made > 48 else START - 39 * HOUR) == asked


def test_a_visit_that_moves_is_reminded_of_anew(visit, program, educator):
    remind(program, START - 48 * HOUR)
    later = scheduling.slot(START + datetime.timedelta(days=7))
    with clock.at(START - 47 * HOUR):
        moving.move(visit, later, "home", by=educator)

    assert remind(program, START - 2 * HOUR) == 0
    assert remind(program, later.lower - 48 * HOUR) == 1


@pytest.mark.parametrize("ending", ["family_cancelled", "educator_cancelled"])
def test_nobody_is_reminded_of_a_cancelled_visit(visit, program, educator, ending):
    scheduling.cancel(visit, ending, by=educator)

    assert remind(program, START - 48 * HOUR) == 0
    assert reminded() == []


def test_a_reminder_that_waits_for_the_morning_goes_with_the_visit(
    accepted, program, educator, family_texts
):
    """At 7:30 no family's phone rings; the visit at 9:15 is cancelled at 7:45."""
    start = at(10, 9, 15)
    visit = scheduling.schedule(accepted, scheduling.slot(start), "home", by=educator)
    remind(program, at(10, 7, 30))
    assert Message.objects.filter(kind="visit_soon", state="queued").count() == 1
    with clock.at(at(10, 7, 45)):
        scheduling.cancel(visit, "educator_cancelled", by=educator)

    assert Message.objects.get(kind="visit_soon").state == "withdrawn"


def test_one_that_would_come_after_the_visit_began_is_not_written(
    accepted, program, educator, family_texts
):
    start = at(10, 7, 30)
    scheduling.schedule(accepted, scheduling.slot(start), "home", by=educator)

    assert remind(program, at(10, 6)) == 1
    assert not Message.objects.filter(kind="visit_soon").exists()
    assert Message.objects.filter(kind="visit_reminder").count() == 2


def test_who_cant_go_is_not_reminded(visit, program, educator, partner):
    moving.decline(visit, by=partner)
    remind(program, START - 48 * HOUR)

    assert partner.email not in reminded()


def test_what_fails_with_one_visit_keeps_no_other_from_it(
    visit, program, educator, monkeypatch, caplog
):
    def fail(*args: object) -> None:
        raise RuntimeError("Ortega")

    monkeypatch.setattr(family_messages, "tell_soon", fail)

    assert remind(program, START - 48 * HOUR) == 0
    assert "not reminded of: RuntimeError" in caplog.text and "Ortega" not in caplog.text
    assert reminded() == []
    monkeypatch.undo()
    assert remind(program, START - 47 * HOUR) == 1


def test_across_the_clock_change_it_is_hours_that_count(accepted, program, educator):
    """Chicago's clocks go back on November 1: Monday 4:30 PM less 48 hours is Saturday 4:30
    PM there in summer time, 5:30."""
    start = at(2, 16, 30, month=11).astimezone(datetime.UTC)
    scheduling.schedule(accepted, scheduling.slot(start), "home", by=educator)

    assert remind(program, start - 48 * HOUR - datetime.timedelta(minutes=1)) == 0
    assert remind(program, start - 48 * HOUR) == 1


class TestTheFamilyHearsOfAChange:
    """Of a new time as such, unless the first had not reached it yet."""

    def kinds(self) -> list[str]:
        found = Message.objects.filter(recipient__gt="", state="queued").order_by("pk")
        return list(found.values_list("kind", flat=True))

    def test_whom_the_first_reached(self, visit, educator):
        Message.objects.update(state="sent", sent_at=NOW)

        moving.move(visit, scheduling.slot(at(16, 17)), "home", by=educator)

        assert self.kinds() == ["visit_moved"]
        said = Message.objects.get(kind="visit_moved", recipient__gt="").body
        assert "is now on Friday, October 16, 5:00 PM" in said

    def test_whom_it_had_not(self, visit, educator):
        moving.move(visit, scheduling.slot(at(16, 17)), "home", by=educator)

        assert self.kinds() == ["visit_time"]
        assert "Friday" in Message.objects.get(kind="visit_time", state="queued").body

    def test_there_and_back(self, visit, educator):
        Message.objects.update(state="sent", sent_at=NOW)
        moving.move(visit, scheduling.slot(at(16, 17)), "home", by=educator)
        moving.move(visit, scheduling.slot(START), "home", by=educator)

        assert self.kinds() == ["visit_moved"]
        assert (
            "Thursday"
            in Message.objects.get(kind="visit_moved", state="queued", recipient__gt="").body
        )


@pytest.mark.parametrize("kind", ["visit_soon", "visit_moved"])
def test_what_still_waits_when_the_visit_begins_is_not_sent(visit, program, educator, kind):
    Message.objects.update(state="sent", sent_at=NOW)
    with clock.at(START - HOUR):
        if kind == "visit_soon":
            family_messages.tell_soon(visit, 2)
        else:
            moving.move(visit, scheduling.slot(START + HOUR / 2), "home", by=educator)

    with clock.at(START + 2 * HOUR):
        family_messages.settle(program)

    assert Message.objects.get(kind=kind, recipient__gt="").state == "withdrawn"


class TestTheFamilyHearsWhoComes:
    @pytest.fixture
    def third(self, person, program, school, course, program_coordinator) -> User:
        user = person("Cara Diaz", Role.EDUCATOR, program, school)
        certification.issue(
            user.educators.get(), course, on=datetime.date(2026, 8, 20), by=program_coordinator
        )
        return user

    def swap(self, visit, partner, third, educator) -> None:
        out, to = partner.educators.get(), third.educators.get()
        moving.swap(visit, out, to, by=educator)

    def test_somebody_else(self, visit, partner, third, educator):
        Message.objects.update(state="sent", sent_at=NOW)

        self.swap(visit, partner, third, educator)

        said = Message.objects.get(kind="visit_swapped", recipient__gt="").body
        assert "Ana and Cara of Lincoln" in said and "Ben" not in said

    def test_what_waits_has_the_new_names(self, visit, partner, third, educator):
        self.swap(visit, partner, third, educator)

        waiting = Message.objects.get(recipient__gt="", state="queued")
        assert waiting.kind == "visit_time" and "Ana and Cara" in waiting.body
