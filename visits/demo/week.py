"""When most of the invented educators can visit, and when their schools are closed."""

import datetime

from pthv import clock
from pthv.models import Educator, Program, School, User
from visits import availability

FIVE, EIGHT = datetime.time(17), datetime.time(20)
SATURDAY = (5, datetime.time(9), datetime.time(12))
PLANNED = datetime.timedelta(days=21)  # the demo's visits lie no further ahead


def give(program: Program, year: datetime.date, now: datetime.datetime) -> None:
    """Give them hours and, where nobody has planned a visit yet, the breaks of the year."""
    coordinator = User.objects.get(email="program@demo.example")
    with clock.at(now):
        number = 0
        for school in School.objects.order_by("pk"):
            weeks = _weeks(school.contract_day_ends)
            for educator in Educator.objects.at(school).select_related("user").order_by("pk"):
                availability.set_week(educator, weeks[number % len(weeks)], by=educator.user)
                number += 1
        for name, first, last in _breaks(year.year):
            if first > program.today + PLANNED:
                availability.close(program, None, name, first, last, by=coordinator)


def _weeks(home: datetime.time) -> list[list[availability.Window]]:
    """Weeks as people tap them, after a day that ends at `home`; some say nothing."""
    return [
        [(day, home, EIGHT) for day in range(4)],
        [(day, FIVE, EIGHT) for day in (0, 1, 3)] + [SATURDAY],
        [(day, home, FIVE) for day in range(5)],
        [],
    ]


def _breaks(year: int) -> list[tuple[str, datetime.date, datetime.date]]:
    thursday = 22 + (3 - datetime.date(year, 11, 22).weekday()) % 7  # the fourth Thursday
    return [
        ("Thanksgiving", datetime.date(year, 11, thursday), datetime.date(year, 11, thursday + 1)),
        ("Winter break", datetime.date(year, 12, 21), datetime.date(year + 1, 1, 1)),
        ("Spring break", datetime.date(year + 1, 3, 15), datetime.date(year + 1, 3, 19)),
    ]
