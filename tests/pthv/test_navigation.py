"""Where each role can go."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.http import HttpRequest
from django.urls import path

from pthv.access import Can
from pthv.navigation import PLACES, navigation

SPRITE = Path(settings.BASE_DIR) / "static" / "vendor" / "icons" / "icons.svg"


def _page(request: HttpRequest) -> None:
    """A page that is never opened: only its name is looked up."""


urlpatterns = [
    path(f"{name}/", _page, name=name)
    for name in [*(place.url_name for place in PLACES), "more", "family_detail", "home"]
]


@pytest.fixture(autouse=True)
def _own_urls(settings) -> None:
    settings.ROOT_URLCONF = __name__


def _request(*powers: Can, at: str = "", staff: bool = False) -> HttpRequest:
    request = HttpRequest()
    request.user = SimpleNamespace(is_authenticated=True, is_staff=staff)
    request.powers = frozenset(powers)
    request.resolver_match = SimpleNamespace(url_name=at)
    return request


def _labels(request: HttpRequest) -> list[str]:
    return [str(entry.label) for entry in navigation(request)["nav"]]


def test_educator_sees_four_tabs() -> None:
    request = _request(Can.SEE_TODAY, Can.SEE_FAMILIES, Can.SEE_VISITS)

    assert _labels(request) == ["Today", "Families", "Visits", "More"]
    assert navigation(request)["nav_more"] == []


def test_coordinator_finds_the_rest_under_more() -> None:
    request = _request(
        Can.SEE_DESK, Can.SEE_FAMILIES, Can.SEE_VISITS, Can.SEE_TRAINING, Can.SEE_PAY
    )

    tabs = [str(entry.label) for entry in navigation(request)["nav"] if not entry.extra]

    assert tabs == ["Desk", "Families", "Visits", "More"]
    assert [str(e.label) for e in navigation(request)["nav_more"]] == [
        "Messages",
        "Training",
        "Pay",
    ]


def test_page_of_a_family_lights_its_section() -> None:
    nav = navigation(_request(Can.SEE_FAMILIES, Can.SEE_VISITS, at="family_detail"))["nav"]

    assert [(entry.url_name, entry.here) for entry in nav if entry.active] == [
        ("invitation_list", False)
    ]


def test_section_without_a_page_is_left_out(settings) -> None:
    settings.ROOT_URLCONF = tuple(route for route in urlpatterns if route.name != "cohort_list")

    assert _labels(_request(Can.SEE_TRAINING, Can.SEE_PAY)) == ["Pay", "More"]


def test_nobody_logged_in_gets_nothing() -> None:
    request = HttpRequest()  # an early refusal: no user, no resolver match

    assert navigation(request) == {"nav": [], "nav_more": [], "links": {}}


def test_every_section_has_its_icon() -> None:
    symbols = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text()))

    assert {place.icon for place in PLACES} <= symbols


def test_navigation_asks_the_database_nothing(django_assert_num_queries, db) -> None:
    with django_assert_num_queries(0):
        navigation(_request(*Can, staff=True))
