"""The words that are warned about: ours, or a program's own."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from pthv.models import AuditEntry
from tests.visits.test_family_page import text_of
from visits import never_record

pytestmark = pytest.mark.django_db
PAGE = "/never-record/"


@pytest.fixture
def coordinator(program_coordinator) -> Client:
    client = Client()
    client.force_login(program_coordinator)
    return client


def words_on(user, visit) -> str:
    client = Client()
    client.force_login(user)
    page = client.get(reverse("visit_log", args=[visit.pk])).content.decode()
    found = re.search(r'<script id="never-record" type="application/json">(.*?)</script>', page)
    assert found
    return found[1]


def test_a_program_changes_them_and_goes_back(coordinator, program, held, educator):
    said = {"topic": "home", "en": "carpet stains, carpet stains", "es": "alfombra*"}

    assert "Saved." in text_of(coordinator.post(PAGE, said, follow=True))

    program.refresh_from_db()
    assert never_record.words(program, "home", "en") == ["carpet stains"]
    given = words_on(educator, held)
    assert "carpet stains" in given and "roach*" not in given
    assert AuditEntry.objects.filter(event="program.never_record").exists()
    coordinator.post(PAGE, {"topic": "home", "ours": "1"})
    program.refresh_from_db()
    assert "roach*" in words_on(educator, held) and not never_record.is_own(program, "home")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("x" * 61, "each of up to 60 letters"),
        (", ".join(f"word{n}" for n in range(81)), "Up to 80 words"),
        ("*", "is too short to look for"),
        ("a*", "is too short to look for"),
        ("e*e*e*z", "the * must end its word"),
        ("*ism", "the * must end its word"),
    ],
)
def test_what_would_warn_of_everything_is_refused(coordinator, program, typed, sentence):
    response = coordinator.post(PAGE, {"topic": "home", "en": typed, "es": ""})

    assert response.status_code == 409 and sentence in text_of(response)
    program.refresh_from_db()
    assert program.never_record == {}


def test_stars_in_a_row_are_one():
    assert never_record.listed("depress****, sick  child***") == ["depress*", "sick child*"]


def test_a_script_in_a_word_stays_a_word(coordinator, held, educator):
    coordinator.post(PAGE, {"topic": "home", "en": "</script><b>x", "es": ""})

    given = words_on(educator, held)

    assert "<b>" not in given and "</script><b>x" in json.dumps(json.loads(given))


def test_every_topic_of_ours_has_words_in_each_language():
    for topic in never_record.TOPICS:
        for language in never_record.LANGUAGES:
            found = never_record.listed(never_record.OURS[topic][language])
            assert found and len(found) <= never_record.MOST
            assert all(len(word) <= never_record.LONGEST for word in found)
