"""When most of the invented educators can visit, and when their schools are closed."""

import datetime

from pthv import clock
from pthv.models import Educator, Program, User
from visits import availability

AFTER_SCHOOL = datetime.time(15, 15), datetime.time(17)
EVENING = datetime.time(17), datetime.time(20)
MORNING = datetime.time(9), datetime.time(12)
WEEKS = [
    [(day, *AFTER_SCHOOL) for day in range(4)] + [(day, *EVENING) for day in range(4)],
    [(day, *EVENING) for day in (0, 1, 3)] + [(5, *MORNING)],
    [(day, *AFTER_SCHOOL) for day in range(5)],
    [],  # who hasn't said yet
]
PLANNED = datetime.timedelta(days=21)  # the demo's visits lie no further ahead


def give(program: Program, year: datetime.date, now: datetime.datetime) -> None:
    """Give them hours and, where nobody has planned a visit yet, the breaks of the year."""
    coordinator = User.objects.get(email="program@demo.example")
    with clock.at(now):
        for number, educator in enumerate(Educator.objects.select_related("user").order_by("pk")):
            availability.set_week(educator, WEEKS[number % len(WEEKS)], by=educator.user)
        for name, first, last in _breaks(year.year):
            if first > program.today + PLANNED:
                availability.close(program, None, name, first, last, by=coordinator)


def _breaks(year: int) -> list[tuple[str, datetime.date, datetime.date]]:
    thursday = 22 + (3 - datetime.date(year, 11, 22).weekday()) % 7  # the fourth Thursday
    return [
        ("Thanksgiving", datetime.date(year, 11, thursday), datetime.date(year, 11, thursday + 1)),
        ("Winter break", datetime.date(year, 12, 21), datetime.date(year + 1, 1, 1)),
        ("Spring break", datetime.date(year + 1, 3, 15), datetime.date(year + 1, 3, 19)),
    ]
