"""A family's link in real browsers: a scanner's, which only looks, and a mother's."""

import datetime
import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation
from playwright.sync_api import Page

from families import people
from pthv import clock
from pthv.models import SchoolYear
from tests.snapshot import database
from training import certification
from visits import answers, invitations, links, scheduling
from visits.models import FamilyLink, InvitationAnswer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]
# A mail scanner watches for a while. PTHV_LONG=1 lets it watch as long as the slowest ones do.
WATCHES = 360 if os.environ.get("PTHV_LONG") == "1" else 10
ANSWERS = ("yes", "later", "no", "call")


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
def link(invitation, family, educator, live_server, settings) -> FamilyLink:
    cache.clear()
    settings.SITE_URL = live_server.url
    return links.mint(invitation, family.caregivers.get(), by=educator)


@pytest.fixture
def visit(link, invitation, course, educator, partner, pay_rate, program_coordinator):
    """The family said yes, and Ana and Ben come next Saturday at ten."""
    for user in (educator, partner):
        certification.issue(
            user.educators.get(), course, on=clock.now().date(), by=program_coordinator
        )
    answers.record(invitation, "accepted", by=educator)
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    local = clock.now().astimezone(invitation.program.zone)
    day = local + datetime.timedelta(days=(5 - local.weekday()) % 7 or 7)
    starts = day.replace(hour=10, minute=0, second=0, microsecond=0)
    return scheduling.schedule(invitation, scheduling.slot(starts), "home", by=educator)


def in_spanish(english: str) -> str:
    """What the page says for it; only what really is translated."""
    with translation.override("es"):
        said = translation.gettext(english)
    assert said != english
    return said


def linger(page: Page, seconds: float) -> None:
    """Do what a scanner's browser does that is told to behave like a person, but press."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for element in page.locator("a, button, summary, label").all():
        if element.is_visible():
            element.hover()
    page.keyboard.press("Tab")
    page.mouse.wheel(0, -2000)
    page.wait_for_timeout(seconds * 1000)


def test_a_scanner_with_scripts_changes_nothing(open_device, link, program, request):
    """Neither while there is a question, nor, on every page that it finds, with a visit ahead."""
    program.languages_offered = ["en", "es"]
    program.save()
    before = database()
    page = open_device()
    page.goto(links.url(link))
    linger(page, WATCHES)
    assert database() == before

    request.getfixturevalue("visit")
    before = database()
    seen, waiting = [], [page.url]
    while waiting:
        address = waiting.pop()
        page.goto(address)
        linger(page, 0)
        seen.append(address)
        page.evaluate(
            """() => document.querySelectorAll("a").forEach((link) => {
                const hint = document.head.appendChild(document.createElement("link"));
                Object.assign(hint, { rel: "prefetch", href: link.href });
                fetch(link.href, { method: "HEAD" });
            })"""
        )
        there = page.eval_on_selector_all("a[href^='/']", "links => links.map(one => one.href)")
        waiting += [one for one in dict.fromkeys(there) if one not in seen + waiting]
    page.wait_for_load_state("networkidle")

    assert len(seen) == 2 * (3 + len(ANSWERS))
    assert database() == before


def test_a_mother_answers_in_spanish_on_a_small_phone_without_scripts(
    open_device, link, invitation, partner
):
    page = open_device(phone=True, java_script_enabled=False)
    page.goto(links.url(link))
    assert page.locator("html").get_attribute("lang") == "es"
    assert "/f/" not in page.url
    assert page.get_by_role("heading", name=in_spanish("May we visit you?")).is_visible()
    page.get_by_role("link", name=in_spanish("Yes, we'd like a visit")).click()
    page.get_by_label(in_spanish("Somewhere else, such as a library or a park")).check()
    page.get_by_label(in_spanish("An interpreter, please")).check()
    saturday = page.get_by_role("group", name=in_spanish("Saturday"))
    saturday.get_by_label(in_spanish("Morning")).check()
    page.get_by_role("button", name=in_spanish("Send our answer")).click()
    page.wait_for_url("**/invitation/es/")
    assert page.get_by_text(in_spanish("You said: Yes, we'd like a visit")).is_visible()

    invitation.refresh_from_db()
    assert (invitation.state, invitation.place_wanted) == ("accepted", "elsewhere")
    assert (invitation.interpreter_wanted, invitation.times) == (True, ["sat-morning"])
    assert InvitationAnswer.objects.get().language == "es"

    # She thinks it over.
    page.get_by_text(in_spanish("Change our answer")).click()
    page.get_by_role("link", name=in_spanish("Not now")).click()
    page.get_by_label(in_spanish("In two weeks")).check()
    page.get_by_role("button", name=in_spanish("Send our answer")).click()
    page.wait_for_url("**/invitation/es/")

    invitation.refresh_from_db()
    assert invitation.state == "later"
    assert InvitationAnswer.objects.count() == 2


def test_she_cancels_the_visit(open_device, link, visit):
    page = open_device(phone=True, java_script_enabled=False)
    page.goto(links.url(link))
    page.locator("a[href$='/cancel/']").click()
    page.locator("button").click()
    page.wait_for_url("**/invitation/es/")

    visit.refresh_from_db()
    assert visit.state == "family_cancelled"
    assert page.locator("a[href$='/cancel/']").count() == 0


def test_forwarded_after_her_say_ended_it_is_dead(open_device, link, program_coordinator):
    page = open_device()
    page.goto(links.url(link))
    people.end_caregiver(link.caregiver, because="The court said so.", by=program_coordinator)

    assert page.goto(page.url).status == 404
    assert page.goto(links.url(link)).status == 404
    assert page.get_by_role("heading").inner_text() == "This link is not open"
    assert "Mateo" not in page.content()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(360, "light"), (360, "dark"), (1280, "light"), (180, "light")],
    ids=["360", "360-dark", "1280", "200-percent"],
)
def test_every_page_is_sound(open_device, link, visit, width, scheme):
    found: list[str] = []
    page = open_device(phone=width < 1280, color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 740})
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.goto(links.url(link))
    for lang in ("en", "ar"):
        paths = [reverse("family_invitation", args=[lang]), reverse("family_cancel", args=[lang])]
        paths += [reverse("family_answer", args=[lang, answer]) for answer in ANSWERS]
        for path in paths:
            assert page.goto(path).status == 200, path
            for summary in page.locator("summary").all():
                summary.click()
            found += [
                f"{path}: {violation['id']} {node['html'][:120]}"
                for violation in Axe().run(page).response["violations"]
                for node in violation["nodes"]
            ]
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{path} scrolls sideways"] if wide else []
            small = page.eval_on_selector_all(
                "a:not(p a), button, summary, label",
                "all => all.filter(one => one.getBoundingClientRect().height < 43.9)"
                ".map(one => one.outerHTML)",
            )
            found += [f"{path}: too small for a thumb: {one}" for one in small]

    assert found == []


def test_the_keyboard_is_enough(open_device, link, invitation):
    page = open_device()
    page.goto(links.url(link))
    page.goto(reverse("family_answer", args=["en", "no"]))
    for _tab in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Send our answer":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/invitation/en/")

    invitation.refresh_from_db()
    assert invitation.state == "declined"


def test_it_prints_without_what_only_a_screen_can_use(open_device, link, visit):
    page = open_device()
    page.goto(links.url(link))
    page.emulate_media(media="print")

    assert page.get_by_text("Lincoln", exact=True).is_visible()
    assert page.locator("time").is_visible()
    assert not page.locator("nav, summary").first.is_visible()
    assert re.match(rb"%PDF", page.pdf())
