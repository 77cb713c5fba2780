"""The project's way of writing dates, in templates."""

import datetime
from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils import timezone

from pthv import languages, wording

register = template.Library()


@register.filter
def moment(instant: datetime.datetime | None) -> str:
    """An instant as "Tue, Oct 6, 4:30 PM", in the zone at hand."""
    return wording.moment(instant) if instant else ""


@register.filter
def clock_time(instant: datetime.datetime | None) -> str:
    """An instant as "4:30 PM", in the zone at hand."""
    return wording.time(instant) if instant else ""


@register.filter
def short_day(instant: datetime.datetime | None) -> str:
    """An instant's day as "Tue, Oct 6", in the zone at hand."""
    return wording.weekday(timezone.localtime(instant)) if instant else ""


@register.filter
def day(date: datetime.date | None) -> str:
    """A date as "Tue, Oct 6", with the year where it isn't this one."""
    return wording.weekday(date) if date else ""


@register.filter
def full_moment(instant: datetime.datetime, until: datetime.datetime | None = None) -> str:
    """An instant as "Tuesday, October 6, 4:30 PM", for families."""
    return wording.full_moment(instant, until=until)


@register.filter
def full_day(instant: datetime.datetime) -> str:
    """An instant's day as "Tuesday, October 6", for families."""
    return wording.full_day(timezone.localtime(instant))


@register.filter
def full_date(date: datetime.date) -> str:
    """A date as "Tuesday, October 6", for families."""
    return wording.full_day(date)


@register.filter
def dollars(amount: Decimal | None) -> str:
    """An amount of money as "$40.00", a negative one as "−$40.00"."""
    if amount is None:
        return ""
    return f"−${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


@register.filter
def language(tag: str) -> str:
    """A language tag as "Spanish"."""
    return languages.name(tag)


@register.filter
def listed(names: Iterable[object]) -> str:
    """ "Ana, Bo and Cy"."""
    return wording.listed(names)
