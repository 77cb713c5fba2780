"""A teacher asks a family by phone: each record is two taps, and a slip is taken back."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from visits.models import Invitation

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_no_answer_then_a_yes_in_two_taps_each(open_device, invitation, educator, partner):
    page = open_device(educator, phone=True)
    page.goto("/today/")

    def record(outcome: str) -> None:
        page.get_by_text("Record how it went").tap()
        page.get_by_role("button", name=outcome).tap()
        page.get_by_text(
            f"Ortega family: {outcome.removeprefix('They said ').capitalize()}"
        ).wait_for()

    record("No answer")
    assert page.url.endswith("/today/")
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("button", name="Undo").tap()
    page.get_by_text("Taken back.").wait_for()
    assert Invitation.objects.get().state == Invitation.State.NOT_ASKED

    record("No answer")
    page.get_by_role("button", name="Undo").wait_for(state="detached", timeout=12_000)
    record("They said yes")

    asked = Invitation.objects.get()
    assert asked.state == Invitation.State.ACCEPTED
    assert [one.outcome for one in asked.attempts.all()] == ["no_answer", "reached"]
    page.get_by_role("heading", name="Who goes along?").wait_for()
    assert Axe().run(page).response["violations"] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
