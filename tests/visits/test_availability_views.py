"""Hours, days off and holidays as people tap them."""

import datetime
import re

import pytest

from pthv.models import School
from visits import availability as hours
from visits.models import Availability, Interpreter, SchoolHoliday, TimeOff

WEEKDAYS = range(5)
AFTER_SCHOOL = (datetime.time(15, 15), datetime.time(17))
EVENING = (datetime.time(17), datetime.time(20))


@pytest.fixture
def tap(client, educator):
    """Post to a page of hours as Ana, or as somebody else."""

    def post(data: dict, url: str = "/availability/", by=educator):
        client.force_login(by)
        response = client.post(url, data, follow=True)
        return response.status_code, response.content.decode()

    return post


def test_a_week_in_two_taps(tap, ana):
    status, page = tap({"0": ["after_school", "evening"], "5": "morning", "copy": "1"})

    assert status == 200 and "Saved. Only times within these hours are offered." in page
    week = hours.week_of(ana)
    assert [(day, AFTER_SCHOOL[0], EVENING[1]) for day in WEEKDAYS] == week[:5]
    assert week[5:] == [(5, datetime.time(9), datetime.time(12))]
    assert page.count('value="after_school" checked') == 5
    assert page.count('value="morning" checked') == 1


def test_other_hours_are_typed(tap, ana):
    status, page = tap(
        {"2": "evening", "from-2": "18:00", "to-2": "21:15", "from-3": "", "to-3": ""}
    )

    assert status == 200
    assert hours.week_of(ana) == [(2, EVENING[0], datetime.time(21, 15))]
    assert 'name="from-2" value="17:00"' in page and 'name="to-2" value="21:15"' in page
    assert 'value="evening" checked' not in page


def test_several_other_hours_of_a_day_stay_apart(tap, client, ana, educator):
    for starts in (6, 21):
        Availability.objects.create(
            program=ana.program,
            educator=ana,
            weekday=6,
            starts=datetime.time(starts),
            ends=datetime.time(starts + 1),
        )
    client.force_login(educator)
    page = client.get("/availability/").content.decode()

    shown = re.findall(r'name="((?:from|to)-6)" value="([\d:]+)"', page)
    tap({"from-6": ["06:00", "21:00"], "to-6": ["07:00", "22:00"]})

    assert [value for _name, value in shown] == ["06:00", "07:00", "21:00", "22:00"]
    assert len(hours.week_of(ana)) == 2


@pytest.mark.parametrize(("starts", "ends"), [("19:00", "18:00"), ("19:00", ""), ("x", "20:00")])
def test_hours_that_cannot_be_are_refused(tap, ana, starts, ends):
    status, page = tap({"1": "evening", "from-3": starts, "to-3": ends})

    assert status == 422 and "Thursday: type from when until when" in page
    assert 'value="evening" checked' in page
    assert not hours.week_of(ana)


def test_a_school_that_ends_late_offers_evenings_alone(client, educator):
    School.objects.update(contract_day_ends=datetime.time(18))
    client.force_login(educator)

    page = client.get("/availability/").content.decode()

    assert "After school" not in page and "6:00–8:00" in page


def test_not_this_week_is_one_tap(tap, ana):
    _, page = tap({"week": "1", "educator": ana.pk}, "/availability/off/")

    assert "Saved. No times are offered on these days." in page
    assert "Tue, Oct 6 – Sun, Oct 11" in page
    _, page = tap({}, f"/availability/off/{TimeOff.objects.get().pk}/remove/")
    assert "Removed." in page and not TimeOff.objects.exists()


def test_days_off_say_which_visits_still_stand(tap, ana, visit):
    _, page = tap(
        {"educator": ana.pk, "starts_on": "2026-10-08", "ends_on": ""}, "/availability/off/"
    )

    assert "The visit on Thu, Oct 8, 4:30 PM still stands." in page
    assert TimeOff.objects.get().ends_on == datetime.date(2026, 10, 8)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        ({"starts_on": ""}, "Choose the first day."),
        ({"starts_on": "2026-10-09", "ends_on": "2026-10-08"}, "comes before the first"),
    ],
)
def test_days_off_that_cannot_be_are_refused(tap, ana, days, sentence):
    _, page = tap({"educator": ana.pk} | days, "/availability/off/")

    assert sentence in page and not TimeOff.objects.exists()


def test_coordinators_set_the_hours_of_their_educators(
    tap, client, ana, site_coordinator, other_site_coordinator, colleague
):
    client.force_login(site_coordinator)
    page = client.get("/availability/").content.decode()
    assert "Everybody's hours" in page and f"/availability/?educator={ana.pk}" in page

    url = f"/availability/?educator={ana.pk}"
    status, page = tap({"0": "evening"}, url, by=site_coordinator)
    assert status == 200 and "When can Ana Ruiz visit?" in page
    assert hours.week_of(ana) == [(0, *EVENING)]
    for stranger in (other_site_coordinator, colleague):
        assert tap({"0": []}, url, by=stranger)[0] == 404
        data = {"week": "1", "educator": ana.pk}
        assert tap(data, "/availability/off/", by=stranger)[0] == 404
    assert hours.week_of(ana) == [(0, *EVENING)] and not TimeOff.objects.exists()


def test_nobody_removes_the_days_off_of_others(tap, ana, educator, colleague):
    off = hours.not_this_week(ana, by=educator)

    assert tap({}, f"/availability/off/{off.pk}/remove/", by=colleague)[0] == 404
    assert TimeOff.objects.exists()


def test_the_hours_of_an_interpreter_are_set_by_whoever_runs_the_rota(
    tap, client, program, program_coordinator, site_coordinator
):
    linh = Interpreter.objects.create(
        program=program,
        kind="outside",
        given_name="Linh",
        email="linh@example.org",
        languages=["vi"],
        adult_confirmed_by=program_coordinator,
    )
    url = f"/availability/?interpreter={linh.pk}"
    client.force_login(program_coordinator)
    assert url in client.get(f"/interpreters/{linh.pk}/").content.decode()

    status, page = tap({"0": "evening"}, url, by=program_coordinator)
    assert status == 200 and "When can Linh interpret?" in page
    assert hours.week_of(linh) == [(0, *EVENING)]
    week = {"week": "1", "interpreter": linh.pk}
    _, page = tap(week, "/availability/off/", by=program_coordinator)
    assert "When can Linh interpret?" in page and "Tue, Oct 6 – Sun, Oct 11" in page
    off = f"/availability/off/{TimeOff.objects.get().pk}/remove/"
    assert tap({"0": []}, url, by=site_coordinator)[0] == 404
    assert tap(week, "/availability/off/", by=site_coordinator)[0] == 404
    assert tap({}, off, by=site_coordinator)[0] == 404
    _, page = tap({}, off, by=program_coordinator)
    assert "Removed." in page and not TimeOff.objects.exists()


def test_whoever_has_no_hours_is_found(client, ana, educator, partner, site_coordinator):
    hours.set_week(ana, [(0, *EVENING)], by=educator)
    client.force_login(site_coordinator)

    without = client.get("/availability/people/?show=without").content.decode()
    named = client.get("/availability/people/?q=ruiz").content.decode()

    assert "Ben Lee" in without and "Ana Ruiz" not in without
    assert "Ana Ruiz" in named and "Ben Lee" not in named and "Hours given" in named


def test_today_asks_for_hours_until_they_are_given(client, ana, educator):
    client.force_login(educator)
    assert "Give your hours" in client.get("/today/").content.decode()

    hours.set_week(ana, [(0, *EVENING)], by=educator)

    assert "Give your hours" not in client.get("/today/").content.decode()


SNOW = {"name": "Snow", "starts_on": "2026-10-08", "ends_on": "2026-10-09", "school": ""}


def test_a_school_is_closed(tap, client, school, site_coordinator, visit):
    _, page = tap(SNOW | {"school": school.pk}, "/holidays/", by=site_coordinator)

    assert "Saved. Nobody is offered a time on these days." in page
    assert "1 visit is planned on these days." in page
    assert f"/visits/day/move/{school.pk}/?on=2026-10-08" in page  # the week that it lies in
    holiday = SchoolHoliday.objects.get()
    listed = client.get("/holidays/").content.decode()
    assert holiday.school == school and "Thu, Oct 8 – Fri, Oct 9" in listed
    _, page = tap({}, f"/holidays/{holiday.pk}/remove/", by=site_coordinator)
    assert "Removed." in page and not SchoolHoliday.objects.exists()


def test_every_school_is_closed_by_the_program_alone(
    tap, client, other_school, site_coordinator, program_coordinator
):
    for school in ("", other_school.pk):
        status, _page = tap(SNOW | {"school": school}, "/holidays/", by=site_coordinator)
        assert status == 422
    tap(SNOW, "/holidays/", by=program_coordinator)

    everywhere = SchoolHoliday.objects.get()
    assert everywhere.school is None
    client.force_login(site_coordinator)
    page = client.get("/holidays/").content.decode()
    assert "Snow" in page and "every school" in page and "Remove" not in page
    url = f"/holidays/{everywhere.pk}/remove/"
    assert tap({}, url, by=site_coordinator)[0] == 404


def test_holidays_that_cannot_be_are_refused(tap, school, site_coordinator):
    backwards = SNOW | {"school": school.pk, "ends_on": "2026-10-07"}

    status, page = tap(backwards, "/holidays/", by=site_coordinator)

    assert status == 409 and "The last day comes before the first." in page


def test_holidays_of_other_years_and_schools_are_not_listed(
    client, program, school_year, other_school, site_coordinator
):
    for day, school in (
        (datetime.date(2026, 10, 9), other_school),
        (datetime.date(2026, 6, 1), None),
    ):
        SchoolHoliday.objects.create(
            program=program, school=school, name="Fair", starts_on=day, ends_on=day
        )
    client.force_login(site_coordinator)

    assert "Fair" not in client.get("/holidays/").content.decode()


@pytest.mark.parametrize("url", ["/holidays/", "/availability/off/"])
def test_a_day_of_another_age_is_refused(client, url, school, site_coordinator, educator):
    client.force_login(site_coordinator if url == "/holidays/" else educator)
    form = {"name": "Never", "starts_on": "9999-12-31", "school": school.pk}

    response = client.post(url, form, follow=True)

    assert "Choose days of this school year or the next." in response.content.decode()
    assert not SchoolHoliday.objects.exists() and not TimeOff.objects.exists()
