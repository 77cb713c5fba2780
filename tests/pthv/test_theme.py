"""Every pair of text and ground we use meets WCAG 2.2 AA, light and dark."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static" / "css" / "pthv.css").read_text()
GROUNDS = ("paper", "surface", "sunken")
TEXT = [
    *((ink, ground) for ink in ("ink", "muted", "primary", "sky", "brick") for ground in GROUNDS),
    ("marigold", "surface"),
    ("marigold", "paper"),
    ("marigold-ink", "marigold-ground"),
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    ("primary-hover", "primary-ground"),
    ("primary", "primary-ground"),
    ("ink", "primary-ground"),
    ("muted", "primary-ground"),
    ("ink", "marigold-ground"),
    ("sky", "marigold-ground"),
    ("ink", "brick-ground"),
    ("brick", "brick-ground"),
    ("sky", "brick-ground"),
    ("paper", "ink"),
]
# Edges of fields, rings, marks and bars: WCAG 1.4.11 asks 3:1.
SHAPES = [
    *((edge, ground) for edge in ("line-strong", "focus") for ground in GROUNDS),
    ("primary", "line"),
    ("marigold", "line"),
    ("marigold", "marigold-ground"),
]


def _tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


LIGHT, DARK = (
    _tokens(block)
    for block in re.search(
        r":root \{(.*?)\n\}.*?prefers-color-scheme: dark\) \{\s*:root \{(.*?)\n  \}", CSS, re.S
    ).groups()
)


def _luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_the_known_ratio() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_dark_tunes_every_token() -> None:
    assert DARK.keys() == LIGHT.keys()


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(scheme: dict[str, str], ink: str, ground: str) -> None:
    assert _contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), SHAPES)
def test_shapes_can_be_seen(scheme: dict[str, str], edge: str, ground: str) -> None:
    assert _contrast(scheme[edge], scheme[ground]) >= 3
