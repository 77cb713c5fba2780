"""A day on which a school is closed after all: all of its visits find another time at once."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from pthv.blocked import NotReady
from pthv.models import School, User
from visits import finding, moving, scheduling, week
from visits.free_times import FreeTime
from visits.models import Visit

OFFERED = 8  # times of each visit


@dataclass(frozen=True)
class Proposal:
    """Times for one visit, the best first: at its hour of the day if somebody is free then."""

    visit: Visit
    times: list[FreeTime]


def ahead(school: School, day: datetime.date) -> list[Visit]:
    """The visits of a day that still lie ahead, in order."""
    visits = week.between(Visit.objects.ahead().filter(school=school), day, 1, school.program.zone)
    related = ("invitation__family", "invitation__school__program", "invitation__school_year")
    more = ("invitation__program", "invitation__answered_caregiver", "family")
    found = visits.select_related(*related, *more).with_people()
    return list(found.order_by("starts_at", "pk"))


def proposals(school: School, day: datetime.date) -> list[Proposal]:
    """For each visit of the day other times, none of which takes another's first."""
    taken: list[tuple[set[int], DateTimeTZRange]] = []
    found = []
    for visit in ahead(school, day):
        going = {one.educator_id for one in visit.visitors}
        free = [
            time
            for offered in finding.for_family(visit)
            if offered.date != day
            for time in offered.times
            if not any(going & others and _overlap(time.during, one) for others, one in taken)
        ]
        zone, hour = school.program.zone, visit.during.lower
        # The same hour of the next days first, since it suited the family.
        same = [time for time in free if _clock(time, zone) == hour.astimezone(zone).time()]
        times = same[:2] + [time for time in free if time not in same[:2]]
        # After the day rather than before it, when nobody is ready yet.
        times.sort(key=lambda time: time.during.lower < hour)
        times = times[:OFFERED]
        if times:
            taken.append((going, times[0].during))
        found.append(Proposal(visit, times))
    return found


def move_all(
    chosen: Mapping[Visit, datetime.datetime | None], *, by: User
) -> list[tuple[Visit, list[str]]]:
    """Move each of these visits to its time, or cancel it (None); return what could not be done,
    with the sentences. One that can't keeps no other."""
    refused = []
    for visit, starts_at in chosen.items():
        try:
            if starts_at is None:
                scheduling.cancel(visit, Visit.State.EDUCATOR_CANCELLED, by=by)
            else:
                during = scheduling.slot(starts_at, visit.minutes)
                moving.move(visit, during, visit.place, address=visit.address, by=by)
        except NotReady as blocked:
            refused.append((visit, blocked.sentences))
    return refused


def _overlap(one: DateTimeTZRange, other: DateTimeTZRange) -> bool:
    return one.lower < other.upper and other.lower < one.upper


def _clock(time: FreeTime, zone: datetime.tzinfo) -> datetime.time:
    return time.during.lower.astimezone(zone).time()
