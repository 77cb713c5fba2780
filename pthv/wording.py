"""Dates, times and lists the way people say them: "Tue, Oct 6, 4:30 PM".

In the language at hand: English in our own short form, others as Unicode's CLDR has them, with
Western digits in all of them, Arabic included.
"""

import datetime
import re
from collections.abc import Iterable
from functools import cache

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from django.utils import timezone
from django.utils.translation import get_language

from pthv import clock
from pthv.models import Program

# English, spelled out: a list of fifty rows shows fifty dates.
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The families we write to live in America, and Portuguese here is mostly Brazil's.
REGIONS = {"es": "es-us", "pt": "pt-br"}
# Where CLDR puts a mere space between a month's short name and the hour.
ORDERS = {"pt": "{1}, {0}", "vi": "{0}, {1}"}
# Marks that nobody sees, and that turn round what stands beside them.
TURNING = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def moment(instant: datetime.datetime, program: Program | None = None) -> str:
    """ "Tue, Oct 6, 4:30 PM", in the program's zone or the one at hand; like every date,
    with the year where it isn't this one."""
    local = timezone.localtime(instant, program.zone if program else None)
    return _in_order(weekday(local), time(instant, program))


def time(instant: datetime.datetime, program: Program | None = None) -> str:
    """ "4:30 PM"."""
    local = timezone.localtime(instant, program.zone if program else None)
    locale = _locale()
    if locale:
        return _time(local, locale)
    return f"{local.hour % 12 or 12}:{local.minute:02} {'AM' if local.hour < 12 else 'PM'}"


def day(date: datetime.date, today: datetime.date | None = None) -> str:
    """ "Oct 6"; `today`: the program's, or that of the zone at hand."""
    this_year = date.year == _today(today).year
    if locale := _locale():
        return format_skeleton("MMMd" if this_year else "yMMMd", _noon(date), locale=locale)
    short = f"{MONTHS[date.month - 1]} {date.day}"
    return short if this_year else f"{short}, {date.year}"


def weekday(date: datetime.date) -> str:
    """ "Tue, Oct 6"."""
    if locale := _locale():
        skeleton = "MMMEd" if date.year == _today().year else "yMMMEd"
        return format_skeleton(skeleton, _noon(date), locale=locale)
    return f"{DAYS[date.weekday()]}, {day(date)}"


def full_moment(
    instant: datetime.datetime,
    program: Program | None = None,
    until: datetime.datetime | None = None,
) -> str:
    """ "Tuesday, October 6, 4:30 PM": the same for families, in whole words."""
    local = timezone.localtime(instant, program.zone if program else None)
    end = f"–{time(until, program)}" if until else ""
    return _in_order(full_day(local), time(instant, program) + end)


def full_day(date: datetime.date) -> str:
    """ "Tuesday, October 6"."""
    locale = _locale() or _parsed("en")
    if date.year != _today().year:
        return format_date(_noon(date), "full", locale=locale)
    # CLDR has no whole words without the year: its short ones, spelled out.
    short = locale.datetime_skeletons["MMMEd"].pattern
    pattern = re.sub("E+", "EEEE", re.sub("M{3}", "MMMM", short))
    return format_date(_noon(date), pattern, locale=locale)


def upright(name: str) -> str:
    """A name without the marks that turn text round: nobody is called by them."""
    return name.translate(TURNING)


def listed(names: Iterable[object]) -> str:
    """ "Ana, Bo and Cy"."""
    if locale := _locale():
        return format_list([str(name) for name in names], locale=locale)
    *most, last = [str(name) for name in names] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _in_order(day: str, time: str) -> str:
    locale = _locale()
    if locale is None:
        return f"{day}, {time}"
    return (ORDERS.get(locale.language) or locale.datetime_formats["medium"]).format(time, day)


def _today(today: datetime.date | None = None) -> datetime.date:
    return today or timezone.localtime(clock.now()).date()


def _noon(date: datetime.date) -> datetime.datetime:
    """The day as Babel takes it, which would move an hour of a zone to UTC's."""
    return datetime.datetime(date.year, date.month, date.day, 12)


def _time(local: datetime.datetime, locale: Locale) -> str:
    # A narrow no-break space would be a box on an old phone.
    return format_time(local.time(), "short", locale=locale).replace("\u202f", " ")


def _locale() -> Locale | None:
    """Where the language at hand is another than English."""
    code = get_language() or "en"
    return None if code.startswith("en") else _parsed(code)


@cache
def _parsed(code: str) -> Locale:
    return Locale.parse(REGIONS.get(code, code), sep="-")
