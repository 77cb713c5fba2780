"""The one clock: every action asks it, so that a demo year or a test can be lived through."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from itertools import groupby

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

Stretch = tuple[datetime.datetime, datetime.datetime]  # in UTC; its end is not part of it

_moment: ContextVar[datetime.datetime | None] = ContextVar("moment", default=None)


def now() -> datetime.datetime:
    """The present instant, in UTC."""
    return _moment.get() or timezone.now()


def instant(day: datetime.date, time: datetime.time, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant that somebody in `zone` means by a day and a time; a refusal where none is."""
    meant = datetime.datetime.combine(day, time)
    try:
        found = timezone.make_aware(meant, zone)
        # A time that the clocks skip comes back as another one.
        back = found.astimezone(datetime.UTC).astimezone(zone)
    except OverflowError:
        raise ValidationError(_("Choose a day of this school year.")) from None
    if back.replace(tzinfo=None) != meant:
        raise ValidationError(
            _("The clocks change that night and this time doesn't exist. Pick another.")
        )
    return found


def day_of(day: datetime.date, zone: datetime.tzinfo) -> Stretch:
    """A day of 23, 24 or 25 hours where `zone` is."""
    begins, ends = (
        datetime.datetime.combine(midnight, datetime.time(), zone).astimezone(datetime.UTC)
        for midnight in (day, day + datetime.timedelta(days=1))
    )
    return begins, ends


def stretches(
    day: datetime.date, starts: datetime.time, ends: datetime.time, zone: datetime.tzinfo
) -> list[Stretch]:
    """When, on a day, the clocks on the walls show a time from `starts` until before `ends`.

    One stretch; where clocks change that day, there may be two of them, or none.
    """
    found: list[Stretch] = []
    for begins, over, offset in _offsets(day, zone):
        first = max(begins, datetime.datetime.combine(day, starts, datetime.UTC) - offset)
        last = min(over, datetime.datetime.combine(day, ends, datetime.UTC) - offset)
        if first < last:
            found.append((first, last))
    return found


@lru_cache(maxsize=1024)
def _offsets(
    day: datetime.date, zone: datetime.tzinfo
) -> list[tuple[datetime.datetime, datetime.datetime, datetime.timedelta]]:
    """How far the clocks of a zone are from UTC's, from when until when on a day."""
    begins, ends = day_of(day, zone)
    minute = datetime.timedelta(minutes=1)

    def offset(instant: datetime.datetime) -> datetime.timedelta:
        return instant.astimezone(zone).utcoffset() or datetime.timedelta()

    if offset(begins) == offset(ends - minute):
        return [(begins, ends, offset(begins))]
    minutes = (begins + n * minute for n in range((ends - begins) // minute))
    found = []
    for shown, together in groupby(minutes, offset):
        first, *more = together
        found.append((first, (more[-1] if more else first) + minute, shown))
    return found


@contextmanager
def at(moment: datetime.datetime) -> Iterator[None]:
    """Live the block as if it were `moment` (an aware datetime)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
