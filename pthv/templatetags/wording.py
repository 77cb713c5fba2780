"""The project's way of writing dates, in templates."""

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from pthv import languages, wording

register = template.Library()
# What people write as a phone number in the United States, and what they call in need.
NUMBERS = re.compile(
    r"((?:\+?1[-. ])?(?:\(\d{3}\) ?|\b\d{3}[-. ])\d{3}[-. ]\d{4}\b|\b[29]11\b|\b988\b)"
)


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


@register.filter
def dialled(text: str) -> SafeString:
    """A text in which a tap on a phone number calls it."""
    parts = NUMBERS.split(text)  # every second one is a number
    return format_html_join(
        "",
        "{}",
        ((_call(part) if place % 2 else part,) for place, part in enumerate(parts)),
    )


def _call(number: str) -> SafeString:
    digits = "".join(letter for letter in number if letter.isdigit() or letter == "+")
    return format_html('<a href="tel:{}">{}</a>', digits, number)
