"""An invitation, read back as a calendar reads it."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Timezone

from pthv import calendars, clock
from pthv.models import Program, User
from tests.conftest import NOW

ANA = User(email="ana.ruiz@example.org", given_name="Ana", family_name='Ruiz; "la profe", MA')


def program(zone: str) -> Program:
    return Program(name="Willow: Creek, CA", slug="willow-creek", time_zone=zone)


def appointment(starts_at: datetime.datetime, **fields) -> calendars.Appointment:
    return calendars.Appointment(
        uid="training-session-12@willow-creek.pthv.invalid",
        sequence=3,
        title="Introduction, part 1; evenings",
        starts_at=starts_at,
        ends_at=starts_at + datetime.timedelta(hours=2),
        **fields,
    )


def read(invitation: calendars.Invitation) -> tuple[Calendar, dict, Timezone]:
    calendar = Calendar.from_ical(invitation.text)
    (event,), (zone,) = calendar.events, calendar.timezones
    return calendar, event, zone


def test_a_calendar_reads_when_where_and_who_asks_whom(settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Home visits <visits@district.example>"
    starts_at = datetime.datetime(2027, 1, 12, 16, tzinfo=ZoneInfo("America/Chicago"))
    told = {"place": "Library,\nroom 2", "link": "https://meet.example/1", "text": "Línea 1\nDos"}

    invitation = calendars.invitation(
        appointment(starts_at, **told), program("America/Chicago"), ANA
    )
    calendar, event, _zone = read(invitation)

    assert (calendar["METHOD"], invitation.method) == ("REQUEST", "REQUEST")
    assert event["UID"] == "training-session-12@willow-creek.pthv.invalid"
    assert (event["SEQUENCE"], event["STATUS"]) == (3, "CONFIRMED")
    assert event["DTSTAMP"].dt == NOW
    assert (event.start, event.end) == (starts_at, starts_at + datetime.timedelta(hours=2))
    assert event["SUMMARY"] == "Introduction, part 1; evenings"
    assert (event["LOCATION"], event["DESCRIPTION"]) == ("Library,\nroom 2", "Línea 1\nDos")
    assert event["URL"] == "https://meet.example/1"
    assert event["ORGANIZER"] == "mailto:visits@district.example"
    assert event["ORGANIZER"].params["CN"] == "Willow: Creek, CA"
    assert event["ATTENDEE"] == "mailto:ana.ruiz@example.org"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert all(len(line.encode()) <= 75 for line in invitation.text.split("\r\n"))


def test_a_cancellation_says_so_twice() -> None:
    calendar, event, _zone = read(
        calendars.invitation(
            appointment(NOW), program("America/Chicago"), ANA, calendars.Method.CANCEL
        )
    )

    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")


def test_a_session_online_is_at_its_link() -> None:
    online = appointment(NOW, link="https://meet.example/1")

    _calendar, event, _zone = read(calendars.invitation(online, program("UTC"), ANA))

    assert event["LOCATION"] == "https://meet.example/1"


@pytest.mark.parametrize(
    ("month", "day", "hour", "offset"),
    [
        (1, 1, 0, -8),
        (3, 13, 16, -8),
        (3, 14, 1, -8),  # the clocks go from 2 to 3
        (3, 14, 3, -7),
        (3, 15, 16, -7),
        (11, 6, 16, -7),
        (11, 8, 16, -8),
        (12, 31, 23, -8),  # ends in the next year
    ],
)
def test_los_angeles_keeps_its_hour_when_the_clocks_change(month, day, hour, offset) -> None:
    starts_at = datetime.datetime(2027, month, day, hour, tzinfo=ZoneInfo("America/Los_Angeles"))

    _calendar, event, zone = read(
        calendars.invitation(appointment(starts_at), program("America/Los_Angeles"), ANA)
    )

    assert event["DTSTART"].params["TZID"] == zone["TZID"] == "America/Los_Angeles"
    # A calendar that doesn't know the zone's name goes by the changes written beside it.
    told = zone.to_tz(lookup_tzid=False)
    meant = datetime.datetime(2027, month, day, hour)
    assert told.utcoffset(meant) == datetime.timedelta(hours=offset)
    assert event.start == starts_at


def test_honolulu_has_one_clock_all_year() -> None:
    honolulu = ZoneInfo("Pacific/Honolulu")
    late = datetime.datetime(2027, 3, 15, 23, 30, tzinfo=honolulu)  # tomorrow already in UTC

    _calendar, event, zone = read(
        calendars.invitation(appointment(late), program("Pacific/Honolulu"), ANA)
    )

    assert event.start.date() == datetime.date(2027, 3, 15)
    assert zone.daylight == []
    assert zone.to_tz(lookup_tzid=False).utcoffset(datetime.datetime(2027, 7, 1, 12)) == (
        datetime.timedelta(hours=-10)
    )


def test_the_stamp_is_the_moment_in_utc() -> None:
    moment = datetime.datetime(2027, 3, 14, 23, 30, tzinfo=ZoneInfo("Pacific/Honolulu"))
    with clock.at(moment):
        text = calendars.invitation(appointment(NOW), program("Pacific/Honolulu"), ANA).text

    assert "DTSTAMP:20270315T093000Z\r\n" in text


def test_two_programs_never_share_an_event() -> None:
    first, second = Program(slug="willow-creek"), Program(slug="elsewhere")

    known = {calendars.uid(p, "training-session", 12) for p in (first, second)}

    assert len(known) == 2
    assert calendars.uid(first, "training-session", 12) in known
