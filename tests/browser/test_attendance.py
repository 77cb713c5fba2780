"""The attendance grid by keyboard, by thumb and on a tablet, and the door; with axe."""

import datetime
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from training import cohorts, enrolment, sessions
from training.models import Attendance, Cohort, TrainingSession

pytestmark = [pytest.mark.browser, pytest.mark.real_clock, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def cohort(course, educator, partner, program_coordinator) -> Cohort:
    cohort = cohorts.open_cohort(course, "Fall evenings", by=program_coordinator)
    for days in (8, 1):
        starts_at = timezone.now() - datetime.timedelta(days=days)
        sessions.add(
            cohort,
            starts_at=starts_at,
            ends_at=starts_at + datetime.timedelta(hours=2),
            place="Library",
            by=program_coordinator,
        )
    people = [educator.educators.get(), partner.educators.get()]
    enrolment.enrol(cohort, people, by=program_coordinator)
    return cohort


@pytest.fixture
def tonight(cohort, program, program_coordinator) -> TrainingSession:
    """A session that goes on now, whatever the hour is where the tests run."""
    now = timezone.now().astimezone(program.zone)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return sessions.add(
        cohort,
        starts_at=max(midnight, now - datetime.timedelta(minutes=10)),
        ends_at=now + datetime.timedelta(hours=2),
        by=program_coordinator,
    )


def state(pk: int) -> str:
    return Attendance.objects.with_scopes_disabled().get(pk=pk).state


def of(cohort: Cohort, user) -> list[int]:
    found = Attendance.objects.of(cohort).filter(educator__user=user)
    return list(found.order_by("session__starts_at").values_list("pk", flat=True))


@pytest.mark.parametrize("phone", [True, False])
def test_who_came_is_ticked_without_leaving_the_place(
    open_device, program_coordinator, cohort, educator, phone
) -> None:
    page = open_device(program_coordinator, phone=phone)
    page.goto(reverse("cohort_detail", args=[cohort.pk]))
    pk = of(cohort, educator)[0]
    came, absent = page.locator(f"#a{pk}-attended"), page.locator(f"#a{pk}-absent")

    came.focus()
    page.keyboard.press("Enter")
    expect(came).to_have_attribute("aria-pressed", "true")
    expect(came).to_be_focused()
    assert state(pk) == "attended"
    absent.click()
    expect(absent).to_have_attribute("aria-pressed", "true")
    expect(came).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    expect(absent).to_have_attribute("aria-pressed", "false")

    assert state(pk) == "expected"
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_grid_goes_by_keys_alone(
    open_device, program_coordinator, cohort, educator, partner
) -> None:
    page = open_device(program_coordinator)
    page.goto(reverse("cohort_detail", args=[cohort.pk]))
    ben, ana = of(cohort, partner), of(cohort, educator)
    expect(page.get_by_text("By keyboard: arrows move")).to_be_visible()

    page.locator(f"#a{ben[0]}-attended").focus()  # Lee stands above Ruiz
    page.keyboard.press("c")
    expect(page.locator(f"#a{ben[0]}-attended")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#a{ana[0]}-attended")).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator(f"#a{ana[0]}-absent")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowRight")
    expect(page.locator(f"#a{ana[1]}-attended")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("p")
    expect(page.locator(f"#m{ben[1]}")).to_have_value("60")
    page.locator(f"#m{ben[1]}").fill("45")
    page.keyboard.press("Enter")
    expect(page.locator(f"#m{ben[1]}")).to_have_value("45")
    assert [state(pk) for pk in (*ben, *ana)] == ["attended", "partial", "absent", "expected"]

    page.locator(f"#a{ben[0]}-attended").focus()
    page.keyboard.press("Delete")
    expect(page.locator(f"#a{ben[0]}-attended")).to_have_attribute("aria-pressed", "false")
    assert state(ben[0]) == "expected"
    # One stop of the Tab key for the whole grid, not one for each button.
    stops = page.locator("[data-cell] button[tabindex='0']")
    assert stops.count() == 3
    assert Axe().run(page).response["violations"] == []


def test_on_a_tablet_by_touch_with_ten_seconds_to_undo(
    open_device, program_coordinator, cohort, educator
) -> None:
    page = open_device(program_coordinator, phone=True)
    page.set_viewport_size({"width": 768, "height": 1024})
    page.goto(reverse("cohort_detail", args=[cohort.pk]))
    pk = of(cohort, educator)[0]
    came, absent = page.locator(f"#a{pk}-attended"), page.locator(f"#a{pk}-absent")
    box = came.bounding_box()
    assert min(box["width"], box["height"]) >= 44

    absent.tap()
    expect(absent).to_have_attribute("aria-pressed", "true")
    came.tap()
    expect(came).to_have_attribute("aria-pressed", "true")
    offer = page.locator("#attendance-undo")
    expect(offer).to_contain_text("Ana Ruiz")
    expect(offer).to_contain_text("Came")
    offer.get_by_role("button", name="Undo").tap()

    expect(absent).to_have_attribute("aria-pressed", "true")
    assert state(pk) == "absent"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_everybody_came_and_did_not(open_device, program_coordinator, cohort) -> None:
    page = open_device(program_coordinator, phone=True)
    page.goto(reverse("cohort_detail", args=[cohort.pk]))

    page.get_by_role("button", name="Everybody came").first.tap()
    page.wait_for_url(re.compile(r"undo="))
    assert Attendance.objects.of(cohort).filter(state="attended").count() == 2
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_text("It is as it was before.")).to_be_visible()

    assert not Attendance.objects.of(cohort).exclude(state="expected").exists()


def test_the_code_at_the_door_changes_and_lets_one_in(
    open_device, program_coordinator, tonight, educator
) -> None:
    tablet, phone = open_device(program_coordinator), open_device(educator, phone=True)
    other = open_device(phone=True)
    tablet.goto(reverse("session_door", args=[tonight.pk]))
    link = tablet.locator("#door-code a")
    first = link.get_attribute("href")
    expect(tablet.locator("#door-code svg")).to_be_visible()
    expect(link).not_to_have_attribute("href", first, timeout=10_000)
    assert Axe().run(tablet).response["violations"] == []

    number = tablet.locator(".door-number b")
    pictured, fresh = number.inner_text(), link.get_attribute("href")
    phone.goto(fresh)
    phone.get_by_label("The number on the screen now").fill(pictured)
    phone.get_by_role("button", name="I'm here").tap()
    again = phone.get_by_text("The screen shows another number by now. Type that one.", exact=True)
    expect(again).to_be_visible()
    assert Axe().run(phone).response["violations"] == []
    expect(number).not_to_have_text(pictured, timeout=10_000)
    phone.get_by_label("The number on the screen now").fill(number.inner_text())
    phone.get_by_role("button", name="I'm here").tap()
    expect(phone.get_by_text("It is recorded that you came.")).to_be_visible()
    expect(tablet.get_by_text("1 of 2 are here")).to_be_visible(timeout=10_000)

    other.goto(fresh)  # the photograph
    other.get_by_label("Your name").fill("Eve")
    other.get_by_label("Your school e-mail").fill("eve@example.org")
    other.get_by_label("The number on the screen now").fill(number.inner_text())
    other.get_by_role("button", name="I'm here").tap()
    expect(other.get_by_text("Somebody else used this code.")).to_be_visible()
    assert Axe().run(other).response["violations"] == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_menu_leaves_the_screen(open_device, program_coordinator, cohort, width) -> None:
    page = open_device(program_coordinator)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(reverse("cohort_detail", args=[cohort.pk]))

    summaries = page.locator("main .menu > summary")
    for number in range(summaries.count()):
        summaries.nth(number).click()
        box = page.locator("main .menu[open] .menu-list").nth(0).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        summaries.nth(number).click()
    assert summaries.count() == 3
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_tablet_shows_todays_column_first(open_device, program_coordinator, cohort) -> None:
    for days in range(-4, 0):
        starts_at = timezone.now() - datetime.timedelta(days=days)
        sessions.add(
            cohort,
            starts_at=starts_at,
            ends_at=starts_at + datetime.timedelta(hours=2),
            by=program_coordinator,
        )
    page = open_device(program_coordinator)
    page.set_viewport_size({"width": 768, "height": 1024})
    page.goto(reverse("cohort_detail", args=[cohort.pk]))

    now = page.locator("[data-attendance-now]").bounding_box()
    names = page.locator("[data-attendance] thead th").first.bounding_box()
    assert abs(now["x"] - names["x"] - names["width"]) < now["width"] / 4
    assert now["x"] + now["width"] <= 768
