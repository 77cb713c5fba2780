"""Which school year people mean on a date."""

import datetime

import pytest

from pthv.models import SchoolYear


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2026-10-06", "2026–27"),
        ("2026-09-01", "2026–27"),
        ("2027-06-15", "2026–27"),
        ("2027-07-20", "2027–28"),  # in summer, the one that comes
        ("2028-08-01", "2027–28"),  # or the last, while no other is there
        ("2025-01-01", "2026–27"),
    ],
)
def test_the_school_year_at_hand(program, date, name):
    for year in (2026, 2027):
        SchoolYear.objects.create(
            program=program,
            name=f"{year}–{year - 1999}",
            starts_on=datetime.date(year, 9, 1),
            ends_on=datetime.date(year + 1, 6, 15),
        )

    found = SchoolYear.objects.at_hand(datetime.date.fromisoformat(date)).get()

    assert found.name == name
