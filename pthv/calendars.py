"""The text of a calendar: an invitation to one event for one person, or all that one has.

Only who is invited stands in it: no other guest's address, and nothing about a family.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import STATUS, Calendar, Event, Timezone, vCalAddress

from pthv import clock
from pthv.models import Program, User

# How often a feed is worth looking at.
OFTEN = datetime.timedelta(hours=1)


class Method(StrEnum):
    """What a calendar shall do with it: put it in, or change what it has; take it out."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True)
class Appointment:
    """Something that happens at a time, as calendars know it.

    Calendars recognise it by `uid`, whatever else changes, and believe the highest `sequence`.
    """

    uid: str
    sequence: int
    title: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    place: str = ""
    link: str = ""
    text: str = ""


@dataclass(frozen=True)
class Invitation:
    """What goes with an e-mail."""

    text: str
    method: Method


@dataclass(frozen=True)
class Guest:
    """Somebody without an account who is invited."""

    name: str
    email: str

    def __str__(self) -> str:
        return self.name


def uid(program: Program, kind: str, pk: int) -> str:
    """What calendars know a row by: the same for everybody who is invited to it."""
    return f"{kind}-{pk}@{program.slug}.pthv.invalid"


def invitation(
    appointment: Appointment, program: Program, to: User | Guest, method: Method = Method.REQUEST
) -> Invitation:
    """Ask `to` to come, tell of a change, or say that nothing comes of it."""
    event = _event(
        appointment,
        program,
        status=STATUS.CANCELLED if method == Method.CANCEL else STATUS.CONFIRMED,
        organizer=_address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], program.name),
        # Nobody reads answers: whoever can't come tells the coordinator.
        attendees=[_address(to.email, str(to), ROLE="REQ-PARTICIPANT", RSVP="FALSE")],
    )
    calendar = _calendar(program, [event])
    calendar.add("method", method.value)
    return Invitation(calendar.to_ical().decode(), method)


def feed(appointments: Iterable[Appointment], program: Program, name: str) -> str:
    """All of these, for a calendar that looks again and again: what is gone is taken out."""
    events = [_event(one, program, status=STATUS.CONFIRMED) for one in appointments]
    calendar = _calendar(program, events)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", OFTEN, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", OFTEN)
    return calendar.to_ical().decode()


def _event(appointment: Appointment, program: Program, **more: Any) -> Event:
    return Event.new(
        uid=appointment.uid,
        sequence=appointment.sequence,
        stamp=clock.now(),
        summary=appointment.title,
        start=appointment.starts_at.astimezone(program.zone),
        end=appointment.ends_at.astimezone(program.zone),
        location=appointment.place or appointment.link or None,
        url=appointment.link or None,
        description=appointment.text or None,
        **more,
    )


def _calendar(program: Program, events: Sequence[Event]) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//pthv//EN")
    calendar.add("version", "2.0")
    years = [event.start.year for event in events]
    if years:
        calendar.add_component(_zone(program.time_zone, min(years), max(years)))
    for event in events:
        calendar.add_component(event)
    return calendar


def _address(email: str, name: str, **parameters: str) -> vCalAddress:
    return vCalAddress(f"mailto:{email}", params={"CN": name, **parameters})


@lru_cache(maxsize=64)
def _zone(name: str, first: int, last: int) -> Timezone:
    """A zone's clock changes of some years; the library looks at every hour for them."""
    zone = Timezone.from_tzinfo(
        ZoneInfo(name),
        name,
        # In a range of a few days the library finds no offset at all.
        first_date=datetime.date(first, 1, 1),
        last_date=datetime.date(last + 1, 1, 1),
    )
    zone.pop("COMMENT", None)  # "only works from … to …": the standard knows none here
    for onset in zone.daylight:
        # By the clock that ends, as the standard wants it; the library takes the new one.
        onset.DTSTART -= onset.TZOFFSETTO - onset.TZOFFSETFROM
    return zone
