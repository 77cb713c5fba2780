"""From Today to a log that is saved, with a watch in hand."""

import time

import pytest

from pthv import clock
from tests.browser import test_safety
from visits import safety
from visits.models import Visit, VisitLog

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]
school_year, visit = test_safety.school_year, test_safety.visit
TAP = 0.7  # seconds to find a button and tap it
LETTER = 0.2  # seconds: 60 words a minute; 36 are usual when typed on a phone, 150 when dictated
SAID = (
    "That he keeps asking why, reads to his sister each evening, and one day builds the bridges he "
    "draws. They would love a letter home on Fridays, and to come and see his radio work in "
    "science class."
)


@pytest.fixture
def inside(visit, educator):
    """Ana and Ben have been at the Ortegas' for most of an hour."""
    safety.arrive(visit, by=educator)
    test_safety.begins(visit, clock.now() - 50 * test_safety.MINUTE)
    return visit


class Thumb:
    """Taps as a person does, one after another, and counts them."""

    def __init__(self, page):
        self.page, self.taps = page, 0
        self.began = time.monotonic()

    def tap(self, name: str, role: str = "button") -> None:
        time.sleep(TAP)
        self.page.get_by_role(role, name=name).first.tap()
        self.taps += 1

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def test_from_today_to_logged_without_text(open_device, inside, educator):
    phone = open_device(educator, phone=True)
    phone.goto("/today/")
    thumb = Thumb(phone)

    thumb.tap("We've left")
    thumb.tap("Save the log")
    phone.get_by_text("One thing left: reflect.").wait_for()

    assert VisitLog.objects.get().visit == inside
    assert Visit.objects.get().state == Visit.State.HELD
    assert thumb.taps < 12 and thumb.seconds < 20


def test_from_today_to_logged_with_200_characters(open_device, inside, educator):
    assert len(SAID) >= 195
    phone = open_device(educator, phone=True)
    phone.goto("/today/")
    thumb = Thumb(phone)

    thumb.tap("We've left")
    thumb.tap("Hopes and dreams", "textbox")
    phone.keyboard.type(SAID, delay=LETTER * 1000)
    thumb.tap("50 min", "radio")
    thumb.tap("Save the log")
    phone.get_by_text("One thing left: reflect.").wait_for()

    assert VisitLog.objects.get().hopes == SAID and VisitLog.objects.get().minutes == 50
    assert thumb.taps < 12 and thumb.seconds < 60
