"""The one clock: every action asks it, so that a demo year or a test can be lived through."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

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


@contextmanager
def at(moment: datetime.datetime) -> Iterator[None]:
    """Live the block as if it were `moment` (an aware datetime)."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)
