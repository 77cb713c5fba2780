"""Slips that no page shows until somebody opens it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

TEMPLATES = Path(settings.BASE_DIR) / "templates"
PAGES = sorted(
    str(path.relative_to(TEMPLATES))
    for path in TEMPLATES.rglob("*.html")
    if path.parts[-2] != "emails"
)
SPRITE = Path(settings.BASE_DIR) / "static" / "vendor" / "icons" / "icons.svg"
ICONS = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text()))


@pytest.mark.parametrize("name", PAGES)
def test_template_compiles(name: str) -> None:
    assert engines["django"].get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_template_keeps_to_the_content_security_policy(name: str) -> None:
    source = (TEMPLATES / name).read_text()

    assert not re.search(
        r"\sstyle=|\son(click|change|submit|load|input)=|<style|javascript:", source
    )
    for attributes in re.findall(r"<script\b([^>]*)>", source):
        assert "src=" in attributes or "application/json" in attributes


@pytest.mark.parametrize("name", PAGES)
def test_template_names_icons_that_exist(name: str) -> None:
    source = (TEMPLATES / name).read_text()
    named = set(re.findall(r'{% icon "([\w-]+)"', source))
    named |= set(re.findall(r'empty\.html" with [^%]*?icon="([\w-]+)"', source))

    assert named <= ICONS


@pytest.mark.parametrize("name", PAGES)
def test_template_shows_no_comment_to_the_reader(name: str) -> None:
    # {# … #} ends with its line; a longer one would be printed on the page.
    for line in (TEMPLATES / name).read_text().splitlines():
        assert line.count("{#") == line.count("#}")


def test_facts_are_text_in_a_sentence_and_beside_a_bar():
    source = '{% say _("{who} of {n}") who=who n=3 %}{% bar 1 3 who %}'

    shown = engines["django"].from_string(source).render({"who": "<b>{n}"})

    assert shown == (
        "&lt;b&gt;{n} of 3"
        '<progress class="bar" max="3" value="1" aria-label="&lt;b&gt;{n}"></progress>'
    )
