"""What must never be kept is warned about while it is typed, on the phone alone."""

import re
import tomllib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = tomllib.loads((ROOT / "tests/visits/never_record.toml").read_text())
PAPER = (ROOT / "docs/never-record.md").read_text()


def share(page, language: str, kind: str) -> tuple[int, list[str]]:
    """How many hundredths of the examples are warned about, and which aren't."""
    texts = EXAMPLES[language][kind]
    warned = page.evaluate("texts => texts.map(one => neverRecord(one).length > 0)", texts)
    silent = [text for text, was in zip(texts, warned, strict=True) if not was]
    return round(100 * sum(warned) / len(texts)), silent


def test_examples_are_told_apart_as_the_paper_says(open_device, held, educator):
    page = open_device(educator, phone=True)
    page.goto(f"/visits/{held.pk}/log/")

    for language, name in (("en", "English"), ("es", "Spanish")):
        caught, missed = share(page, language, "warned")
        alarms, fine = share(page, language, "fine")
        assert caught >= 80, missed
        assert alarms <= 10, set(EXAMPLES[language]["fine"]) - set(fine)
        said = re.search(rf"\| {name} \| (\d+) % \| (\d+) % \|", PAPER)
        assert said and (int(said[1]), int(said[2])) == (caught, alarms)


def test_a_warning_comes_and_goes_and_no_request_carries_the_text(open_device, held, educator):
    page = open_device(educator, phone=True)
    page.goto(f"/visits/{held.pk}/log/")
    sent = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))

    page.get_by_label("Hopes and dreams").fill("Mom is undocumented, canary-4711")
    note = page.get_by_text("Please leave this out")
    note.wait_for()
    assert "Immigration, citizenship" in note.inner_text() and "undocumented" in note.inner_text()
    page.get_by_label("Hopes and dreams").fill("That he loves to read")
    note.wait_for(state="detached")

    assert not [one for one in sent if "canary" in one or "undocumented" in one]
