"""Dates, times and lists in every language that families read."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone, translation

from pthv import clock, wording
from pthv.models import Program
from tests.conftest import at

CODES = [code for code, _name in settings.LANGUAGES]
VISIT = at(8, 16, 30)


@pytest.mark.parametrize(
    ("code", "moment", "day"),
    [
        ("en", "Thu, Oct 8, 4:30 PM", "Oct 8"),
        ("es", "jue, 8 de oct, 4:30 p.m.", "8 oct"),
        ("pt", "qui., 8 de out., 16:30", "8 de out."),
        ("vi", "16:30, Th 5, 8 thg 10", "8 thg 10"),
        ("zh-hans", "10月8日周四 16:30", "10月8日"),
        ("ar", "الخميس، 8 أكتوبر، 4:30 م", "8 أكتوبر"),
    ],
)
def test_a_moment_and_a_day_are_said_in_the_language_at_hand(code, moment, day):
    with translation.override(code):
        assert wording.moment(VISIT) == moment
        assert wording.day(VISIT.date()) == day
        assert wording.time(VISIT) in moment


@pytest.mark.parametrize(
    ("code", "moment", "until"),
    [
        ("en", "Thursday, October 8, 4:30 PM", "4:30 PM–5:30 PM"),
        ("es", "jueves, 8 de octubre, 4:30 p.m.", "4:30 p.m.–5:30 p.m."),
        ("pt", "quinta-feira, 8 de outubro, 16:30", "16:30–17:30"),
        ("vi", "16:30, Thứ Năm, 8 tháng 10", "16:30–17:30"),
        ("zh-hans", "10月8日星期四 16:30", "16:30–17:30"),
        ("ar", "الخميس، 8 أكتوبر، 4:30 م", "4:30 م–5:30 م"),
    ],
)
def test_families_read_whole_words(code, moment, until):
    with translation.override(code):
        assert wording.full_moment(VISIT) == moment
        assert wording.full_day(VISIT) in moment
        assert until in wording.full_moment(VISIT, until=at(8, 17, 30))


@pytest.mark.parametrize("code", CODES)
def test_another_year_is_named(code):
    with translation.override(code):
        for said in (wording.day, wording.weekday, wording.full_day):
            assert "2027" in said(datetime.date(2027, 10, 8))
            assert "2026" not in said(datetime.date(2026, 10, 8))
        assert "2027" in wording.moment(VISIT.replace(year=2027))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("zone", ["America/Chicago", "America/Phoenix", "Pacific/Honolulu"])
def test_a_moment_is_the_programs_on_both_sides_of_a_clock_change(code, zone):
    """On November 1, 2026, most of America's clocks go back an hour."""
    program = Program(time_zone=zone)
    for day in (
        datetime.date(2026, 10, 31),
        datetime.date(2026, 11, 1),
        datetime.date(2026, 11, 2),
    ):
        local = datetime.datetime.combine(day, datetime.time(16, 30), ZoneInfo(zone))
        with translation.override(code), timezone.override("UTC"):
            said = wording.moment(local.astimezone(datetime.UTC), program)
            assert wording.time(local.astimezone(datetime.UTC), program) in said
            assert wording.weekday(day) in said
        assert "4:30" in said or "16:30" in said


@pytest.mark.parametrize("code", CODES)
def test_an_evening_is_not_said_to_be_tomorrow(code):
    evening = at(8, 22, 15)
    assert evening.astimezone(datetime.UTC).day == 9
    with translation.override(code), clock.at(evening):
        assert wording.weekday(datetime.date(2026, 10, 8)) in wording.moment(evening)


@pytest.mark.parametrize("code", CODES)
def test_every_digit_is_a_western_one(code):
    with translation.override(code):
        said = wording.moment(VISIT.replace(year=2027))

    assert {one for one in said if one.isdigit()} <= set("0123456789")
    assert said.isprintable()


@pytest.mark.parametrize(
    ("code", "two", "three"),
    [
        ("en", "Ana and Bo", "Ana, Bo and Cy"),
        ("es", "Ana y Bo", "Ana, Bo y Cy"),
        ("pt", "Ana e Bo", "Ana, Bo e Cy"),
        ("vi", "Ana và Bo", "Ana, Bo và Cy"),
        ("zh-hans", "Ana和Bo", "Ana、Bo和Cy"),
        ("ar", "Ana وBo", "Ana وBo وCy"),
    ],
)
def test_names_are_listed_in_the_language_at_hand(code, two, three):
    with translation.override(code):
        assert wording.listed(["Ana", "Bo"]) == two
        assert wording.listed(["Ana", "Bo", "Cy"]) == three
        assert wording.listed(["Ana"]) == "Ana"
        assert wording.listed([]) == ""
