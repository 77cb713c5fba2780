"""Finding a time, and what stands in its way: a sentence on the page."""

import datetime
import re

import pytest

from pthv import clock
from pthv.models import Educator
from tests.conftest import CHICAGO, at
from training.models import Certification
from visits import answers, finding, invitations, scheduling, selection
from visits.free_times import FreeDay
from visits.models import Availability, Interpreter, Invitation, TimeOff, Visit

THURSDAY = {"day": "2026-10-08", "time": "16:30", "minutes": "60", "place": "home"}


@pytest.fixture
def schedule(client, accepted, educator):
    def post(**changes):
        client.force_login(educator)
        url = f"/invitations/{accepted.pk}/schedule/"
        response = client.post(url, THURSDAY | changes, follow=True)
        return response.status_code, response.content.decode()

    return post


def test_no_time_is_looked_for_before_a_yes(client, invitation, educator):
    client.force_login(educator)

    page = client.get(f"/invitations/{invitation.pk}/schedule/", follow=True)

    assert page.redirect_chain == [(invitation.get_absolute_url(), 302)]
    assert "has not said yes yet. Record their answer first." in page.content.decode()


def test_a_time_is_scheduled(schedule):
    status, page = schedule()

    assert status == 200 and "Scheduled. Your partner gets a message to confirm." in page
    assert "Thu, Oct 8, 4:30 PM" in page
    assert Visit.objects.get().during.lower == at(8, 16, 30)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time": "10:00"}, "This is inside Lincoln&#x27;s contract day (7:45 AM to 3:15 PM)."),
        ({"day": "2026-10-05"}, "This time has passed. Pick a later one."),
    ],
)
def test_a_time_that_cannot_be_is_refused_on_the_page(schedule, changes, sentence):
    status, page = schedule(**changes)

    assert status == 409 and sentence in page
    assert not Visit.objects.exists()


@pytest.mark.parametrize("time", ["04:30", "21:30"])
def test_a_time_at_night_is_taken_for_a_slip(schedule, time):
    status, page = schedule(time=time)

    assert status == 422 and "Choose a time between 6 AM and 9 PM." in page


def test_an_interpreter_for_another_language_is_not_left_out_silently(schedule):
    status, page = schedule(interpret="vi")

    assert status == 422 and "choose again whether somebody interprets" in page
    assert not Visit.objects.exists()


def test_an_untrained_partner_is_named(schedule, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 9, 1)
    )

    status, page = schedule()

    assert status == 409 and "Ben Lee" in page and "training" in page


def test_a_family_that_said_no_gets_no_visit(schedule, accepted, educator):
    answers.record(accepted, "declined", by=educator)

    status, page = schedule()

    assert status == 409 and "The Ortega family said no thank you." in page


def test_what_was_typed_stays(schedule):
    _, page = schedule(time="10:00", minutes="45")

    assert 'value="10:00"' in page
    assert '<input type="hidden" name="minutes" value="45">' in page
    assert 'href="?minutes=45&amp;interpret=" aria-current="true"' in page


def test_an_empty_form_says_what_is_missing(schedule):
    status, page = schedule(day="", time="")

    assert status == 422 and "Choose a day." in page and "Choose a time." in page


def test_partner_confirms_and_the_visit_is_held_after_its_time(client, visit, educator, partner):
    client.force_login(partner)
    page = client.post(f"/visits/{visit.pk}/confirm/", follow=True).content.decode()
    assert "Confirmed." in page

    client.force_login(educator)
    early = client.post(f"/visits/{visit.pk}/hold/", follow=True).content.decode()
    assert "This visit starts Thu, Oct 8, 4:30 PM. Log it afterwards." in early
    with clock.at(at(8, 18)):
        assert (
            "Log this visit"
            in client.post(f"/visits/{visit.pk}/hold/", follow=True).content.decode()
        )


def test_a_cancelled_visit_leaves_the_yes(client, visit, educator, accepted):
    client.force_login(educator)

    page = client.post(f"/visits/{visit.pk}/cancel/", {"ending": "family_cancelled"}, follow=True)

    assert "Cancelled by the family" in page.content.decode()
    assert "Find a time" in client.get(f"/families/{accepted.family_id}/").content.decode()


def test_a_visit_ends_in_one_of_three_ways(client, visit, educator):
    client.force_login(educator)

    page = client.post(f"/visits/{visit.pk}/cancel/", {"ending": "completed"}, follow=True)

    assert "choose one of the three" in page.content.decode()
    visit.refresh_from_db()
    assert visit.is_ahead


def test_what_the_family_would_like_is_at_hand(client, accepted, educator):
    Invitation.objects.update(
        place_wanted="elsewhere", interpreter_wanted=True, times=["tue-evening", "tue-afternoon"]
    )
    client.force_login(educator)

    for url in (f"/invitations/{accepted.pk}/schedule/", f"/families/{accepted.family_id}/"):
        page = client.get(url).content.decode()
        assert "They would like:" in page and "Somewhere else" in page
        assert "With an interpreter" in page and "Tuesday: afternoon and evening" in page
    page = client.get(f"/invitations/{accepted.pk}/schedule/").content.decode()
    assert re.search(r'value="neutral"[^>]*checked', page)


# The times that are offered.


@pytest.fixture
def find(client, accepted, educator):
    def page(query: str = "", by=educator):
        client.force_login(by)
        response = client.get(f"/invitations/{accepted.pk}/schedule/{query}")
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    return page


def values(page: str) -> list[str]:
    return re.findall(r'name="slot" value="(2026[^"]+)"', page)


def test_a_time_that_is_offered_takes_one_tap(find, schedule):
    page = find()
    tapped = values(page)[1]
    assert re.search(r'name="place" value="home"[^>]* checked', page)

    status, page = schedule(slot=tapped, day="", time="")

    assert status == 200 and "Scheduled." in page
    assert Visit.objects.get().during.lower.isoformat() == tapped


def test_a_time_that_is_tapped_counts_before_one_that_was_typed(find, schedule):
    tapped = values(find())[1]

    schedule(slot=tapped)

    assert Visit.objects.get().during.lower.isoformat() == tapped


def test_another_time_is_typed(schedule):
    status, _page = schedule(slot="other")

    assert status == 200 and Visit.objects.get().during.lower == at(8, 16, 30)


@pytest.mark.parametrize("slot", ["soon", "2026-13-01T00:00", "9999-12-31T23:59-23:00"])
def test_a_time_that_nobody_offered_is_refused(schedule, slot):
    status, page = schedule(slot=slot)

    assert status == 422 and "Choose a time." in page


def test_how_long_decides_which_times_there_are(find, accepted, educator):
    Availability.objects.create(
        program=accepted.program,
        educator=educator.educators.get(),
        weekday=3,
        starts=datetime.time(16),
        ends=datetime.time(16, 50),
    )

    assert values(find()) == [] and "no time in the next six weeks" in find()
    assert "Ana Ruiz has no hours on a Friday." in find()
    assert "Ana Ruiz&#x27;s hours leave no time outside the contract day." in find()
    assert len(values(find("?minutes=45"))) == len(values(find("?minutes=x&minutes=45"))) == 2


def test_later_weeks_are_a_tap_away_and_looked_at_by_themselves_where_they_must_be(find, schedule):
    soon, whole = values(find()), values(find("?weeks=all"))
    assert whole[: len(soon)] == soon and max(soon) < at(20, 5).isoformat() < max(whole)
    assert "weeks=all" in find() and "weeks=all" not in find("?weeks=all")

    status, page = schedule(slot=whole[-1], place="nowhere")
    assert status == 422 and f'value="{whole[-1]}" checked' in page

    TimeOff.objects.create(
        program=Invitation.objects.get().program,
        educator=Invitation.objects.get().educator,
        starts_on=datetime.date(2026, 10, 1),
        ends_on=datetime.date(2026, 10, 30),
    )
    assert min(values(find())) > at(30, 5).isoformat() and "weeks=all" not in find()


def test_what_suits_the_family_comes_first(find):
    Invitation.objects.update(times=["sat-morning"])

    page = find()

    first = datetime.datetime.fromisoformat(values(page)[0])
    assert first == at(10, 9) and "Suits the family, and everybody is free" in page
    assert "Other times in the week of Mon, Oct 5" in page


def test_a_day_that_is_out_says_why_and_nobody_elses_family(
    find, add_family, school, school_year, school_class, site_coordinator, educator, partner
):
    other = add_family("Nguyen")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    second = Invitation.objects.get(family=other)
    answers.record(second, "accepted", by=educator)
    invitations.choose_team(second, [partner.educators.get()], by=educator)
    scheduling.schedule(second, scheduling.slot(at(8, 17)), "home", by=educator)
    Availability.objects.create(
        program=second.program,
        educator=partner.educators.get(),
        weekday=3,
        starts=datetime.time(16, 30),
        ends=datetime.time(18),
    )

    page = find()

    assert "Thu, Oct 8</b>" in page and "Ana Ruiz has a first visit at 5:00 PM." in page
    assert "Nguyen" not in page


def test_days_after_a_training_has_ended_are_out(find, partner):
    Certification.objects.filter(educator__user=partner).update(
        expires_on=datetime.date(2026, 10, 12)
    )

    page = find()

    last = datetime.datetime.fromisoformat(values(page)[-1]).astimezone(CHICAGO)
    assert last.date() == datetime.date(2026, 10, 12)
    assert "Ben Lee&#x27;s training ends Oct 12; renew it before Oct 13." in page


def test_where_to_meet_is_shown_from_the_day_before(client, schedule, educator, site_coordinator):
    schedule(place="neutral", address="Main library, 2nd floor")
    visit = Visit.objects.get()

    def shown(by) -> bool:
        client.force_login(by)
        return "Main library" in client.get(f"/visits/{visit.pk}/").content.decode()

    assert not shown(educator)
    with clock.at(at(7, 8)):
        assert shown(educator) and not shown(site_coordinator)
    with clock.at(at(8, 18)):
        assert not shown(educator)


def test_an_interpreter_is_offered_where_one_is_wished_or_needed(
    find, accepted, educator, partner, program_coordinator
):
    Interpreter.objects.create(
        program=accepted.program,
        kind="staff",
        given_name="Lucía",
        email="lucia@example.org",
        languages=["es"],
        adult_confirmed_by=program_coordinator,
    )
    page = find()  # the family speaks Spanish, and nobody of the team
    assert "With an interpreter (Spanish)" in page and 'name="interpret" value=""' in page
    assert values(page)[0].startswith("2026-10-06")

    Invitation.objects.update(interpreter_wanted=True)
    page = find()
    assert 'name="interpret" value="es"' in page and "<small>Lucía</small>" in page
    assert values(page)[0].startswith("2026-10-13")
    assert "Lucía is asked 5 working days ahead: Tue, Oct 13 or later." in page
    assert 'name="interpret" value=""' in find("?interpret=")

    Invitation.objects.update(interpreter_wanted=False)
    Educator.objects.filter(user=partner).update(languages=["en", "es"])
    assert "With an interpreter" not in find("?interpret=es")


def test_times_are_offered_though_nobody_interprets_the_language_yet(
    find, program, partner, program_coordinator
):
    Invitation.objects.update(interpreter_wanted=True)
    Interpreter.objects.create(
        program=program,
        kind="staff",
        given_name="Ben, who goes along",
        email="ben@example.org",
        languages=["es"],
        educator=partner.educators.get(),
        adult_confirmed_by=program_coordinator,
    )

    page = find()

    assert "Nobody who may be asked interprets Spanish yet" in page and values(page)


def test_days_on_end_that_are_out_for_one_reason_share_a_line():
    monday = at(5, 0).date()
    out = [
        FreeDay(monday + datetime.timedelta(days=n), why_not=why)
        for n, why in [(0, "Ben is away."), (1, "Ben is away."), (3, "Ben is away."), (4, "Late.")]
    ]

    reasons = finding.Offer([], [], out, nobody_interprets=False).reasons

    assert [(first.day, last.day, why) for first, last, why in reasons] == [
        (5, 6, "Ben is away."),
        (8, 8, "Ben is away."),
        (9, 9, "Late."),
    ]
