"""An interpreter's link in real browsers: one can't, the next is asked and comes; who goes, and
who coordinates, sees it."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Page, expect

from pthv import clock, tokens
from pthv.models import SchoolYear
from training import certification
from visits import answers, interpreting, invitations, scheduling
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest

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
def rota(program, program_coordinator) -> None:
    """Lan is asked first, then Eva."""
    for position, name in enumerate(("Lan", "Eva")):
        Interpreter.objects.create(
            program=program,
            kind="staff",
            given_name=name,
            email=f"{name.lower()}@example.org",
            languages=["es"],
            hourly_rate=45,
            position=position,
            adult_confirmed_by=program_coordinator,
        )


@pytest.fixture
def needed(
    invitation, course, educator, partner, pay_rate, program_coordinator, rota
) -> InterpreterRequest:
    """On a Saturday in three weeks."""
    cache.clear()
    for user in (educator, partner):
        certification.issue(
            user.educators.get(), course, on=clock.now().date(), by=program_coordinator
        )
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    local = clock.now().astimezone(invitation.program.zone)
    day = local + datetime.timedelta(days=14 + (5 - local.weekday()) % 7)
    starts = day.replace(hour=10, minute=0, second=0, microsecond=0)
    visit = scheduling.schedule(invitation, scheduling.slot(starts), "home", by=educator)
    return interpreting.request_for(visit, "es", by=educator)


def door(name: str) -> str:
    ask = InterpreterAsk.objects.get(interpreter__given_name=name)
    return f"/i/{tokens.token(ask.nonce)}/"


def opened(page: Page, name: str, title: str) -> None:
    page.goto(door(name))
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scripts", [True, False])
def test_one_cannot_and_the_next_comes(open_device, needed, educator, site_coordinator, scripts):
    lan = open_device(phone=True)
    opened(lan, "Lan", "Can you interpret?")
    eva = open_device(phone=True, java_script_enabled=scripts)

    lan.get_by_role("button", name="I can’t").tap()
    expect(lan.get_by_role("heading", name="You said that you can’t")).to_be_visible()
    eva.goto(door("Eva"))
    eva.get_by_role("button", name="I’ll come").tap()
    expect(eva.get_by_role("heading", name="You interpret at this visit")).to_be_visible()
    expect(eva.get_by_text("Ana Ruiz and Ben Lee")).to_be_visible()
    lan.reload()
    expect(lan.get_by_role("heading", name="Somebody else comes")).to_be_visible()

    teacher = open_device(educator, phone=True)
    teacher.goto(f"/visits/{needed.visit_id}/")
    expect(teacher.get_by_text("Eva", exact=True)).to_be_visible()
    desk = open_device(site_coordinator)
    desk.goto("/interpreters/requests/")
    expect(desk.get_by_text("Covered")).to_be_visible()


def test_the_rota_is_filled_on_a_phone(open_device, program_coordinator, school_year):
    page = open_device(program_coordinator, phone=True)
    page.goto("/more/")
    page.get_by_role("link", name="Interpreters").last.tap()
    page.get_by_role("link", name="Rota").first.tap()
    page.get_by_role("link", name="Add somebody").tap()
    page.get_by_label("Given name").fill("Thu")
    page.get_by_label("Languages").fill("vietnamese")
    page.get_by_label("E-mail").fill("thu@example.org")
    page.get_by_role("button", name="Save").tap()
    expect(page.get_by_text("Only adults interpret.").first).to_be_visible()
    page.get_by_label("This person is an adult").check()
    page.get_by_role("button", name="Save").tap()

    expect(page.get_by_role("heading", name="Vietnamese")).to_be_visible()
    assert Interpreter.objects.get().languages == ["vi"]
