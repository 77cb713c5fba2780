"""A pair goes to a visit with two phones: out, there, left, logged; and one who needs help."""

import datetime
import time
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from pthv import clock
from pthv.models import SchoolYear
from training import certification
from visits import answers, invitations, safety, scheduling
from visits.models import PayRate, SafetyCheck, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]
MINUTE = datetime.timedelta(minutes=1)


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
def visit(invitation, educator, partner, course, program, program_coordinator, school) -> Visit:
    """Ana and Ben are expected at the Ortegas' in half an hour."""
    school.safety_name, school.safety_phone = "Vera Cole", "+13125550177"
    school.save()
    for user in (educator, partner):
        certification.issue(
            user.educators.get(), course, on=clock.now().date(), by=program_coordinator
        )
    PayRate.objects.create(
        program=program, kind="first", amount=Decimal(40), starts_on=program.today
    )
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    evening = (clock.now() + datetime.timedelta(days=2)).astimezone(program.zone)
    evening = evening.replace(hour=17, minute=0, second=0, microsecond=0)
    made = scheduling.schedule(invitation, scheduling.slot(evening), "home", by=educator)
    scheduling.confirm(made, by=partner)
    begins(made, clock.now() + 30 * MINUTE)
    return made


def begins(visit: Visit, start: datetime.datetime) -> None:
    """Let time pass: the visit begins then."""
    during = scheduling.slot(start)
    Visit.objects.filter(pk=visit.pk).update(during=during)
    SafetyCheck.objects.filter(visit=visit).update(expected_end=during.upper)


def tap(page: Page, label: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=label, exact=True).click()


def looks_right(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_out_there_left_and_logged_on_two_phones(open_device, visit, educator, partner, script):
    hers = open_device(educator, phone=True, java_script_enabled=script)
    his = open_device(partner, phone=True, java_script_enabled=script)
    hers.goto("/today/")
    tap(hers, "On our way")
    his.goto("/today/")
    begins(visit, clock.now() - 50 * MINUTE)
    hers.reload()

    tap(his, "We're here")
    tap(hers, "We're here")  # her page had not heard of it

    assert "notice-error" not in hers.content()
    assert SafetyCheck.objects.get().arrived_by == partner
    if script:
        looks_right(hers)
    tap(his, "15 minutes more")
    check = SafetyCheck.objects.get()
    begun = Visit.objects.get().during.lower
    assert check.expected_end > begun + 74 * MINUTE
    tap(hers, "We've left")
    hers.wait_for_url(f"**/visits/{visit.pk}/log/")
    tap(his, "We've left")
    his.wait_for_url(f"**/visits/{visit.pk}/log/")
    if script:
        looks_right(hers)
    hers.get_by_role("button", name="Save the log").click()
    hers.wait_for_url(f"**/visits/{visit.pk}/reflect/")

    visit.refresh_from_db()
    check = SafetyCheck.objects.get()
    assert visit.state == "held" and visit.log.logged_by == educator
    assert (check.out_by, check.left_by) == (educator, educator)
    his.goto("/today/")
    assert his.get_by_role("link", name="Reflect").is_visible()


def test_help_is_a_tap_away_and_ends_with_one(
    open_device, visit, educator, partner, program_coordinator
):
    begins(visit, clock.now() - 10 * MINUTE)
    hers, desk = open_device(educator, phone=True), open_device(program_coordinator)
    hers.goto("/today/")
    tap(hers, "We're here")

    tap(hers, "I need help now")

    hers.wait_for_url(f"**/visits/{visit.pk}/help/")
    looks_right(hers)
    assert hers.get_by_role("link", name="Call 911").get_attribute("href") == "tel:911"
    vera = hers.get_by_role("link", name="Call Vera Cole")
    assert vera.get_attribute("href") == "tel:+13125550177"
    desk.goto("/desk/")
    assert Axe().run(desk).response["violations"] == []
    needs = desk.get_by_role("region", name="Needs a person now")
    assert "Ana Ruiz asked for help" in needs.inner_text()
    needs.get_by_role("button", name="I reached them").click()
    desk.wait_for_load_state()
    assert desk.get_by_role("region", name="Needs a person now").count() == 0
    hers.goto("/today/")
    assert "asked for help" not in hers.inner_text("main")
    assert SafetyCheck.objects.get().well_by == program_coordinator


def test_a_call_for_help_is_not_called_back_by_a_tap_that_was_slow(open_device, visit, educator):
    """ "We're here" hangs on a bad connection; its answer comes after the call for help began."""
    begins(visit, clock.now() - 10 * MINUTE)
    phone = open_device(educator, phone=True)
    phone.goto("/today/")

    def slowly(route) -> None:
        if "/help/" in route.request.url or "/arrive/" in route.request.url:
            time.sleep(1)
        route.continue_()

    phone.route("**/visits/**", slowly)
    phone.get_by_role("button", name="We're here", exact=True).click()
    phone.get_by_role("button", name="I need help now").click(no_wait_after=True)

    phone.wait_for_url(f"**/visits/{visit.pk}/help/")
    assert "Ana asked for help" in phone.inner_text("main")
    assert SafetyCheck.objects.get().wants_help


def test_who_is_late_sees_it_and_says_so(open_device, visit, educator, program):
    begins(visit, clock.now() - 95 * MINUTE)
    SafetyCheck.objects.create(
        program=program, visit=visit, expected_end=clock.now() - 35 * MINUTE, watched=True,
        arrived_at=clock.now() - 95 * MINUTE, arrived_by=educator,
    )  # fmt: skip
    assert safety.watch(program) == 1  # the pair first; the next only later
    phone = open_device(educator, phone=True)
    phone.goto("/today/")
    assert "You were expected back by" in phone.inner_text("main")
    looks_right(phone)

    tap(phone, "We are fine")

    assert "You were expected back by" not in phone.inner_text("main")
    assert not SafetyCheck.objects.get().is_open


def test_the_hotline_is_a_tap_away(open_device, visit, educator):
    begins(visit, clock.now() - 10 * MINUTE)
    phone = open_device(educator, phone=True)
    phone.goto("/today/")
    phone.get_by_role("link", name="A worry about a child").click()
    phone.wait_for_url("**/safety/")

    looks_right(phone)
    assert phone.get_by_role("link", name="1-800-422-4453").get_attribute("href") == (
        "tel:18004224453"
    )
    assert phone.locator("main form").count() == 0
