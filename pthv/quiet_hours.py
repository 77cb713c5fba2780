"""The hours in which no family's phone rings: the program's, by the clock on its wall."""

import datetime

from pthv.models import Program

DAY, MINUTE = datetime.timedelta(days=1), datetime.timedelta(minutes=1)


def ends_at(program: Program, moment: datetime.datetime) -> datetime.datetime | None:
    """When the quiet hours that hold `moment` are over; None if it is in none.

    They may go over midnight, and through a night in which the clocks change. From an hour
    to the same hour there are none.
    """
    local = moment.astimezone(program.zone)
    if not _is_quiet(program, local.time()):
        return None
    day = local.date() + DAY if local.time() >= program.quiet_until else local.date()
    meant = datetime.datetime.combine(day, program.quiet_until, program.zone)
    # An hour that comes twice ends them the second time: in between it is quiet once more.
    end = max(meant.replace(fold=fold).astimezone(datetime.UTC) for fold in (0, 1))
    # An hour that the clocks skip ends them when they do.
    while not _is_quiet(program, (end - MINUTE).astimezone(program.zone).time()):
        end -= MINUTE
    return end


def _is_quiet(program: Program, time: datetime.time) -> bool:
    start, end = program.quiet_from, program.quiet_until
    if start <= end:
        return start <= time < end
    return time >= start or time < end
