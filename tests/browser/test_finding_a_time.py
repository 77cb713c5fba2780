"""Hours in a minute and a time in a few taps, on a phone; without scripts, too."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pthv import clock
from pthv.models import SchoolYear
from training import certification
from visits import answers, availability, invitations
from visits.free_times import wish_of
from visits.models import Interpreter, Invitation, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def school_year(program) -> SchoolYear:
    """The one that holds today, whenever that is: the server's threads know no other."""
    return SchoolYear.objects.create(
        program=program,
        name="This one",
        starts_on=program.today - datetime.timedelta(days=100),
        ends_on=program.today + datetime.timedelta(days=200),
    )


@pytest.fixture
def yes(invitation, course, educator, partner, pay_rate, program_coordinator) -> Invitation:
    """The family said yes, would like an interpreter and Saturday mornings; Ana goes with Ben."""
    for user in (educator, partner):
        certification.issue(
            user.educators.get(), course, on=clock.now().date(), by=program_coordinator
        )
    wishes = answers.Wishes(place="elsewhere", interpreter=True, times=("sat-morning",))
    answers.record(invitation, "accepted", by=educator, wishes=wishes)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    Interpreter.objects.create(
        program=invitation.program,
        kind="staff",
        given_name="Lucía",
        email="lucia@example.org",
        languages=["es"],
        adult_confirmed_by=program_coordinator,
    )
    return invitation


@pytest.mark.parametrize("scripts", [True, False])
def test_a_teacher_finds_a_time_in_three_taps(open_device, yes, educator, scripts):
    page = open_device(educator, phone=True, java_script_enabled=scripts)
    page.goto(f"/families/{yes.family_id}/")

    page.get_by_role("link", name="Find a time").tap()
    expect(page.get_by_role("heading", name="Find a time")).to_be_visible()
    if scripts:
        assert Axe().run(page).response["violations"] == []
    page.get_by_text("10:00 AM").first.tap()
    page.get_by_role("button", name="Schedule this visit").tap()

    expect(page.get_by_text("Scheduled. Your partner gets a message to confirm.")).to_be_visible()
    visit = Visit.objects.get()
    assert wish_of(visit.during.lower, yes.program) == "sat-morning"
    assert visit.place == Visit.Place.NEUTRAL
    assert visit.during.lower - clock.now() > datetime.timedelta(days=5)  # Lucía's notice


def test_another_time_appears_when_it_is_asked_for(open_device, yes, educator):
    page = open_device(educator, phone=True)
    page.goto(f"/invitations/{yes.pk}/schedule/")
    day = page.get_by_label("Day", exact=True)

    expect(day).to_be_hidden()
    page.get_by_text("Another time").tap()
    expect(day).to_be_visible()
    page.get_by_text("At home").tap()
    expect(page.get_by_label("Where to meet")).to_be_hidden()
    page.get_by_text("A place the family chose").tap()
    expect(page.get_by_label("Where to meet")).to_be_visible()


def test_a_week_of_hours_in_five_taps(open_device, educator):
    page = open_device(educator, phone=True)
    page.goto("/today/")

    page.get_by_role("link", name="Give your hours").tap()
    expect(page.get_by_role("heading", name="When can you visit?")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("After school").first.tap()
    page.get_by_label("Evening").first.tap()
    page.get_by_role("button", name="every weekday like Monday").tap()
    page.get_by_role("button", name="Not this week").tap()

    expect(page.get_by_text("Saved. No times are offered on these days.")).to_be_visible()
    week = availability.week_of(educator.educators.get())
    hours = (datetime.time(15, 15), datetime.time(20))
    assert week == [(day, *hours) for day in range(5)]
