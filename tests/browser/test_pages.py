"""Every page as people see it: small and large, light and dark, with nothing for axe to find."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse

from pthv import catalogues, languages
from visits.models import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = {
    "anonymous": ["account_login", "account_request_login_code", "account_reset_password"],
    "educator": ["today", "invitation_list", "visit_list", "my_pay", "more"],
    "site_coordinator": ["desk", "plan_list", "plan_new", "coverage", "pay_list"],
    "program_coordinator": [
        "roster_list",
        "roster_guide",
        "cohort_list",
        "certification_list",
        "cohort_new",
    ],
    "finance": ["pay_list", "batch_list"],
    "funder": ["coverage"],
}


@pytest.fixture
def of_rows(request) -> dict[str, list[tuple[str, int]]]:
    """Pages about a row, by whom: a visit that is over, and one that lies ahead."""
    batch = request.getfixturevalue("batch")
    invitation = request.getfixturevalue("invitation")
    visit = Visit.objects.get()
    return {
        "educator": [
            ("family_detail", invitation.family_id),
            ("visit_schedule", invitation.pk),
            ("visit_detail", visit.pk),
            ("visit_log", visit.pk),
            ("visit_reflect", visit.pk),
        ],
        "site_coordinator": [("plan_detail", invitation.plan_id)],
        "program_coordinator": [
            ("roster_detail", request.getfixturevalue("roster_import").pk),
            ("cohort_detail", request.getfixturevalue("cohort").pk),
        ],
        "finance": [("batch_detail", batch.pk)],
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [True, False], ids=["360", "1280"])
def test_every_page_is_sound(open_device, request, of_rows, phone, scheme):
    found: list[str] = []

    def complain(message) -> None:
        if message.type == "error":
            found.append(message.text)

    for person, names in PAGES.items():
        user = None if person == "anonymous" else request.getfixturevalue(person)
        page = open_device(user, phone=phone, color_scheme=scheme, reduced_motion="reduce")
        page.on("console", complain)
        paths = [reverse(name) for name in names]
        paths += [reverse(name, args=[pk]) for name, pk in of_rows.get(person, [])]
        for path in paths:
            response = page.goto(path)
            assert response.status == 200, path
            violations = Axe().run(page).response["violations"]
            found += [
                f"{path}: {violation['id']} {node['html'][:120]}"
                for violation in violations
                for node in violation["nodes"]
            ]
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{path} scrolls sideways"] if wide else []

    assert found == []


def test_the_log_is_written_with_the_keyboard_alone(open_device, held, educator):
    page = open_device(educator)
    page.goto(reverse("visit_log", args=[held.pk]))
    page.get_by_label("Hopes and dreams").focus()
    page.keyboard.type("To sing")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == "Save the log":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/reflect/")

    held.log.refresh_from_db()
    assert held.log.hopes == "To sing"


def test_everything_works_without_scripts(open_device, held, educator):
    page = open_device(educator, phone=True, java_script_enabled=False)
    page.goto(reverse("visit_log", args=[held.pk]))
    page.get_by_role("button", name="Save the log").click()
    page.get_by_label("What did you learn?").fill("Much.")
    page.get_by_role("button", name="Save and finish").click()

    assert page.get_by_text("Thank you.").is_visible()


def test_a_double_tap_is_one_attempt(open_device, invitation, educator):
    page = open_device(educator, phone=True)
    page.goto(reverse("family_detail", args=[invitation.family_id]))
    page.get_by_role("button", name="No answer").dblclick(no_wait_after=True)
    page.wait_for_load_state("networkidle")

    assert invitation.attempts.count() == 1


def test_a_refusal_is_read_out_and_nothing_typed_is_lost(open_device, visit, accepted, educator):
    page = open_device(educator, phone=True)
    page.goto(reverse("visit_schedule", args=[accepted.pk]))
    page.get_by_text("Another time").click()
    page.get_by_label("Day", exact=True).fill("2099-10-09")
    page.get_by_label("Time", exact=True).fill("17:00")
    page.get_by_role("button", name="Schedule this visit").click()

    assert "already. Cancel it to choose another time." in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Day", exact=True).input_value() == "2099-10-09"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("phone", [True, False], ids=["360", "1280"])
def test_signing_off_a_language_is_sound(open_device, administrator, phone, scheme):
    read = catalogues.fingerprint("vi")
    languages.sign_off("vi", speaker="Lan Nguyen", read=read, by=administrator)
    page = open_device(administrator, phone=phone, color_scheme=scheme)
    for path in (
        reverse("admin:pthv_languagereview_changelist"),
        reverse("admin:pthv_languagereview_read", args=["es"]),
        reverse("admin:pthv_languagereview_read", args=["vi"]),
    ):
        page.goto(path)
        violations = Axe().run(page).response["violations"]
        found = [(one["id"], node["html"][:120]) for one in violations for node in one["nodes"]]
        assert found == [], path
