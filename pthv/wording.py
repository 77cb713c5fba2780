"""Dates, times and lists the way people say them: "Tue, Oct 6, 4:30 PM"."""

import datetime
from collections.abc import Iterable

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from pthv import clock
from pthv.models import Program


def moment(instant: datetime.datetime, program: Program | None = None) -> str:
    """ "Tue, Oct 6, 4:30 PM", in the program's zone or the one at hand; like every date,
    with the year where it isn't this one."""
    local = timezone.localtime(instant, program.zone if program else None)
    return f"{weekday(local)}, {date_format(local, 'g:i A')}"


def time(instant: datetime.datetime, program: Program | None = None) -> str:
    """ "4:30 PM"."""
    return date_format(timezone.localtime(instant, program.zone if program else None), "g:i A")


def day(date: datetime.date, today: datetime.date | None = None) -> str:
    """ "Oct 6"; `today`: the program's, or that of the zone at hand."""
    today = today or timezone.localtime(clock.now()).date()
    return date_format(date, "M j" if date.year == today.year else "M j, Y")


def weekday(date: datetime.date) -> str:
    """ "Tue, Oct 6"."""
    return f"{date_format(date, 'D')}, {day(date)}"


def listed(names: Iterable[object]) -> str:
    """ "Ana, Bo and Cy"."""
    *most, last = [str(name) for name in names] or [""]
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last} if most else last
