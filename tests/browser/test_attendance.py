"""The attendance grid by keyboard and by thumb, with axe."""

import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from training import cohorts, enrolment, sessions
from training.models import Attendance, Cohort

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


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


def state(pk: int) -> str:
    return Attendance.objects.with_scopes_disabled().get(pk=pk).state


@pytest.mark.parametrize("width", [360, 1280])
def test_who_came_is_ticked_without_leaving_the_place(
    page: Page, live_server, program_coordinator, cohort, educator, width
) -> None:
    client = Client()
    client.force_login(program_coordinator)
    page.context.add_cookies(
        [{"name": name, "value": cookie.value, "url": live_server.url}
         for name, cookie in client.cookies.items()]
    )  # fmt: skip
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(live_server.url + reverse("cohort_detail", args=[cohort.pk]))
    pk = Attendance.objects.of(cohort).filter(educator__user=educator).first().pk
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
