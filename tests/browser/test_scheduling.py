"""From a yes to a time that holds, and what may come between, as people do it with their thumbs."""

import datetime
from decimal import Decimal

import pytest
from django.core.cache import cache
from playwright.sync_api import Page

from pthv import clock, tokens
from pthv.models import Role, SchoolYear, User
from training import certification
from visits import answers, links, rota
from visits.models import FamilyLink, InterpreterAsk, Invitation, PayRate, Visit

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
def third(person, program, school) -> User:
    return person("Cara Diaz", Role.EDUCATOR, program, school)


@pytest.fixture
def yes(
    invitation, family, educator, partner, third, course, program, program_coordinator
) -> Invitation:
    """The Ortega family said yes, and would like an interpreter; three of the school may go."""
    for user in (educator, partner, third):
        certification.issue(
            user.educators.get(), course, on=clock.now().date(), by=program_coordinator
        )
    PayRate.objects.create(
        program=program, kind="first", amount=Decimal(40), starts_on=program.today
    )
    wishes = answers.Wishes(place="home", interpreter=True)
    answers.record(invitation, "accepted", by=educator, wishes=wishes)
    return invitation


@pytest.fixture
def two_interpreters(program, program_coordinator) -> None:
    """Lan is asked first, then Minh; both are asked a day ahead."""
    program.interpreter_notice = 1
    program.save()
    for name in ("Lan", "Minh"):
        facts = {
            "kind": "staff",
            "given_name": name,
            "family_name": "Tran",
            "email": f"{name.lower()}@example.org",
            "phone": "",
            "languages": ["es"],
            "hourly_rate": Decimal(45),
        }
        rota.add(program, facts, by=program_coordinator)


@pytest.fixture
def link(invitation, family, educator, live_server, settings) -> FamilyLink:
    cache.clear()
    settings.SITE_URL = live_server.url
    return links.mint(invitation, family.caregivers.get(), by=educator)


class Thumb:
    """Taps, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def tap(self, what) -> None:
        what.click()
        self.taps += 1


def choose_first_time(page: Page) -> str:
    """Tap the first time that is offered; return what it stands for."""
    first = page.locator("label:has([name=slot])").first
    value = first.locator("[name=slot]").get_attribute("value")
    first.click()
    return value


def test_a_time_with_a_partner_and_an_interpreter_in_under_six_taps(
    open_device, yes, educator, two_interpreters
):
    phone = open_device(educator, phone=True)
    phone.goto(f"/families/{yes.family_id}/")
    thumb = Thumb(phone)

    thumb.tap(phone.locator("label", has_text="Ben Lee"))
    thumb.tap(phone.get_by_role("button", name="Go together"))
    thumb.tap(phone.get_by_role("link", name="Find a time"))
    thumb.tap(phone.locator("label:has([name=slot])").first)
    thumb.tap(phone.get_by_role("button", name="Schedule this visit"))
    phone.wait_for_url("**/visits/*/")

    assert thumb.taps < 6
    visit = Visit.objects.get()
    assert [str(one.educator) for one in visit.visitors] == ["Ana Ruiz", "Ben Lee"]
    assert visit.interpreter_requests.get().state == "pending"
    assert InterpreterAsk.objects.get().interpreter.given_name == "Lan"


@pytest.fixture
def scheduled(open_device, yes, educator, partner, two_interpreters) -> Visit:
    phone = open_device(educator, phone=True)
    phone.goto(f"/families/{yes.family_id}/")
    phone.locator("label", has_text="Ben Lee").click()
    phone.get_by_role("button", name="Go together").click()
    phone.get_by_role("link", name="Find a time").click()
    choose_first_time(phone)
    phone.get_by_role("button", name="Schedule this visit").click()
    phone.wait_for_url("**/visits/*/")
    return Visit.objects.get()


def test_an_interpreter_declines_and_the_next_is_asked(open_device, scheduled):
    lan = open_device(phone=True, java_script_enabled=False)
    lan.goto(f"/i/{tokens.token(InterpreterAsk.objects.get().nonce)}")
    assert "Ortega" not in lan.inner_text("body")
    lan.get_by_role("button", name="I can’t").click()

    asked = InterpreterAsk.objects.order_by("pk")
    assert [(one.interpreter.given_name, one.answer) for one in asked] == [
        ("Lan", "declined"),
        ("Minh", "waiting"),
    ]

    minh = open_device(phone=True)
    minh.goto(f"/i/{tokens.token(asked.last().nonce)}")
    minh.get_by_role("button", name="I’ll come").click()
    request = scheduled.interpreter_requests.get()
    assert (request.state, request.interpreter.given_name) == ("covered", "Minh")


def test_the_partner_cant_and_somebody_else_goes(open_device, scheduled, partner, educator, third):
    his = open_device(partner, phone=True)
    his.goto(f"/visits/{scheduled.pk}/")
    his.get_by_text("Something changed?").click()
    his.get_by_role("button", name="I can't go").click()
    assert "Who else goes was told" in his.inner_text("main")

    hers = open_device(educator, phone=True)
    hers.goto(f"/visits/{scheduled.pk}/")
    hers.get_by_role("link", name="Choose who goes instead").click()
    hers.locator("label", has_text="Cara Diaz").click()
    hers.get_by_role("button", name="Swap").click()
    hers.wait_for_url("**/visits/*/")

    going = Visit.objects.get().visitors
    assert [str(one.educator) for one in going] == ["Ana Ruiz", "Cara Diaz"]


def test_the_family_moves_it_from_its_link_without_scripts(open_device, link, scheduled):
    was = scheduled.during.lower
    phone = open_device(phone=True, java_script_enabled=False)
    phone.goto(links.url(link))
    phone.goto("/invitation/en/")
    phone.get_by_role("link", name="Choose another time").click()
    times = phone.locator("label:has([name=slot])")
    last = times.nth(times.count() - 1)
    chosen = last.locator("[name=slot]").get_attribute("value")
    last.click()
    phone.get_by_role("button", name="Choose this time").click()
    phone.wait_for_url("**/invitation/en/")

    scheduled.refresh_from_db()
    assert scheduled.during.lower == datetime.datetime.fromisoformat(chosen) != was
    assert "Your visit" in phone.inner_text("h1")


def test_it_snows_and_the_day_moves_at_once(open_device, scheduled, school, site_coordinator):
    was = scheduled.during.lower
    day = was.astimezone(school.program.zone).date()
    desk = open_device(site_coordinator)
    desk.goto("/holidays/")
    desk.get_by_label("What for").fill("Snow")
    desk.get_by_label("First day").fill(day.isoformat())
    desk.get_by_role("button", name="Close school on these days").click()
    desk.wait_for_url("**/visits/day/move/**")
    desk.get_by_role("button", name="Move them all").click()
    desk.wait_for_url("**/visits/week/**")

    assert "1 visit changed. Everybody was told." in desk.inner_text("main")
    scheduled.refresh_from_db()
    assert scheduled.is_ahead
    assert scheduled.during.lower.astimezone(school.program.zone).date() != day
