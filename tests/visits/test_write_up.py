"""A kind word the morning after, another after five days, and then no more."""

import datetime

import pytest

from pthv import clock
from pthv.models import Membership, Message
from tests.conftest import at
from visits import logs, reflections, scheduling, tasks, write_up

MORNING, FIFTH = at(9, 7, 30), at(13, 7, 30)  # the visit ends on Thursday the 8th, 5:30 PM
ENTRY = logs.Entry(45, "es", 2, True)


def remind(program, moment: datetime.datetime) -> int:
    with clock.at(moment):
        return write_up.remind(program)


def written() -> list[tuple[str, str]]:
    found = Message.objects.filter(kind="visit_write_up").order_by("pk")
    return [(message.address.split(".")[0], message.subject) for message in found]


def test_the_morning_after_and_once_more(visit, program, educator, partner):
    assert remind(program, at(8, 18)) == remind(program, at(9, 6, 30)) == 0
    assert remind(program, MORNING) == 2
    assert remind(program, MORNING) == remind(program, at(12, 20)) == 0
    assert remind(program, FIFTH) == 2
    for day in range(14, 31):
        assert remind(program, at(day, 9)) == 0

    assert (
        written()
        == [("ana", "A minute to log your visit"), ("ben", "A minute to log your visit")] * 2
    )
    body = Message.objects.filter(kind="visit_write_up").order_by("pk").last().body
    assert "won't write about this visit again" in body
    assert "Ortega" not in body and "Mateo" not in body


def test_a_worker_that_was_away_writes_once(visit, program):
    assert remind(program, at(15, 9)) == 2
    assert remind(program, at(16, 9)) == 0


def test_what_is_long_ago_stands_on_the_desk_alone(visit, program):
    assert remind(program, at(24, 9)) == 0


def test_each_hears_what_is_left_for_them(held, program, educator, partner):
    logs.write(held, ENTRY, by=educator)
    reflections.reflect(held, reflections.Thoughts("Much."), by=educator)

    assert remind(program, MORNING) == 1

    assert written() == [("ben", "A minute to reflect on your visit")]


def test_a_log_changed_since_is_looked_at_again(held, program, educator, partner):
    logs.write(held, ENTRY, by=educator)
    for user in (educator, partner):
        thoughts = reflections.Thoughts("Much.")
        if user == educator:
            reflections.reflect(held, thoughts, by=user)
    logs.write(
        held,
        logs.Entry(50, "es", 2, True),
        by=partner,
        seen=logs.version(held.log),
    )
    reflections.reflect(held, reflections.Thoughts("Much."), by=partner)

    remind(program, MORNING)

    assert written() == [("ana", "Please look at the log again")]


def test_who_is_done_is_left_in_peace(completed, program):
    assert remind(program, MORNING) == remind(program, FIFTH) == 0


def test_of_a_cancelled_visit_nobody_hears(visit, program, educator):
    scheduling.cancel(visit, "family_cancelled", by=educator)

    assert remind(program, MORNING) == 0


@pytest.mark.parametrize("why", ["declined", "left", "closed"])
def test_who_declined_or_left_is_not_reminded(visit, program, partner, why):
    if why == "declined":
        visit.participants.filter(educator__user=partner).update(declined_at=at(8, 9))
    elif why == "left":
        Membership.objects.filter(user=partner).update(ends_on=at(7, 0).date())
    else:
        partner.is_active = False
        partner.save()

    remind(program, MORNING)

    assert [who for who, _subject in written()] == ["ana"]


def test_the_worker_does_it_for_every_program(visit, program, other_program):
    with clock.at(MORNING):
        tasks.remind_to_write_up(0)
        tasks.remind_to_write_up(0)

    assert len(written()) == 2
