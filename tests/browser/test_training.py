"""A cohort from nothing to certificates: desk, tablet at the door, a phone, a stranger."""

import datetime
import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from training.models import Certification, Cohort

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]


def sound(page: Page) -> None:
    """Nothing is wrong with the page for somebody who can't see it, and nothing sticks out."""
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def open_a_cohort(desk: Page) -> Cohort:
    desk.goto(reverse("course_new"))
    desk.locator("#id_name").fill("Introduction to home visits")
    desk.get_by_label("Hours in all").fill("2")
    sound(desk)
    desk.get_by_role("button", name="Save").click()
    desk.goto(reverse("cohort_list"))
    desk.get_by_role("link", name="Open a cohort").click()
    desk.locator("#id_name").fill("Fall evenings")
    desk.get_by_label("Places").fill("12")
    desk.get_by_label("Other parent co-trainers").fill("Guadalupe Reyes")
    sound(desk)
    desk.get_by_role("button", name="Open this cohort").click()
    expect(desk.get_by_text("Guadalupe Reyes")).to_be_visible()
    cohort = Cohort.objects.get()
    desk.goto(reverse("session_add", args=[cohort.pk]))
    yesterday = timezone.now().date() - datetime.timedelta(days=2)
    desk.get_by_label("Day").fill(yesterday.isoformat())
    desk.get_by_label("Starts").fill("16:00")
    desk.get_by_label("Ends").fill("18:00")
    desk.get_by_role("button", name="Add this session").click()
    return cohort


def test_from_a_course_to_a_certificate_that_a_stranger_checks(
    open_device, program_coordinator, educator, partner
) -> None:
    desk = open_device(program_coordinator)
    cohort = open_a_cohort(desk)
    desk.goto(reverse("cohort_enrol", args=[cohort.pk]))
    desk.get_by_label("Ana Ruiz").check()
    desk.get_by_label("Ben Lee").check()
    desk.get_by_role("button", name="Enrol them").click()
    expect(desk.get_by_text("2 people enrolled.")).to_be_visible()

    door = open_device(program_coordinator, phone=True)
    door.set_viewport_size({"width": 768, "height": 1024})
    door.goto(reverse("cohort_detail", args=[cohort.pk]))
    door.get_by_role("row", name="Ana Ruiz").get_by_role("button", name="Came").tap()
    came = door.get_by_role("row", name="Ana Ruiz").get_by_role("button", name="Came")
    expect(came).to_have_attribute("aria-pressed", "true")
    door.get_by_role("row", name="Ben Lee").get_by_role("button", name="Absent").tap()
    absent = door.get_by_role("row", name="Ben Lee").get_by_role("button", name="Absent")
    expect(absent).to_have_attribute("aria-pressed", "true")
    sound(door)

    desk.goto(reverse("cohort_detail", args=[cohort.pk]))
    desk.get_by_role("button", name="Complete and certify").click()
    expect(desk.get_by_text("1 person is certified.")).to_be_visible()
    desk.get_by_role("link", name="Who needs what").click()
    expect(desk.get_by_text("1 part of the course")).to_be_visible()
    sound(desk)

    phone = open_device(educator, phone=True)
    phone.goto(reverse("own_training"))
    expect(phone.get_by_text("You may go on visits until")).to_be_visible()
    sound(phone)
    link = phone.locator(
        f'a[href*="{reverse("certificate_pdf", args=[0])[: -len("0/certificate/")]}"]'
    )
    paper = phone.request.get(link.first.get_attribute("href"))
    assert paper.headers["content-type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(paper.body()))
    words = " ".join(reader.pages[0].extract_text().split())
    assert "Ana Ruiz" in words
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]

    held = Certification.objects.get()
    assert held.code in words.replace(" ", "")
    stranger = open_device(phone=True)
    stranger.goto(reverse("certificate_verify"))
    stranger.get_by_label("Code").fill(held.code.lower())
    stranger.get_by_role("button", name="Check").click()
    expect(stranger.get_by_text("Ana Ruiz")).to_be_visible()
    sound(stranger)

    desk.goto(reverse("certification_revoke", args=[held.pk]))
    desk.get_by_label("Why").fill("Left the district")
    desk.get_by_role("button", name="Revoke it").click()
    stranger.reload()
    expect(stranger.get_by_text("It was revoked on")).to_be_visible()
    expect(stranger.get_by_text("Left the district")).to_have_count(0)
