"""Drafts: kept while one writes, for one's own eyes, and never in place of what was saved."""

import datetime
import uuid

import pytest
from django.test import Client

from pthv import clock
from pthv.models import AuditEntry
from tests.conftest import at
from visits import drafts, logs, reflections
from visits.models import LogDraft, VisitLog

TAPS = {"minutes": "60", "adults_present": "2", "student_present": "on", "language": "es"}
CANARY = "canary-of-a-draft"


def logged_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def keep(held):
    def post(user, what: str = "log", key: object = None, **data):
        data = {"key": str(key or uuid.uuid4()), "seen": "", "instead_of": ""} | data
        return logged_in(user).post(f"/visits/{held.pk}/draft/{what}/", data)

    return post


@pytest.fixture
def page(held):
    def get(user, what: str = "log", **query) -> str:
        return logged_in(user).get(f"/visits/{held.pk}/{what}/", query).content.decode()

    return get


def test_a_draft_comes_back_as_it_was_left(keep, page, educator):
    taps = TAPS | {"hopes": CANARY, "promise_due_on": "2026-10-20"}
    del taps["student_present"]

    assert keep(educator, **taps).status_code == 200

    shown = page(educator)
    assert "This is your draft of" in shown and CANARY in shown
    assert 'value="60" checked' in shown and 'value="2026-10-20"' in shown
    assert 'name="student_present" checked' not in shown


def test_saving_it_ends_it(keep, page, held, educator):
    key = uuid.uuid4()
    keep(educator, key=key, hopes=CANARY)

    logged_in(educator).post(f"/visits/{held.pk}/log/", TAPS | {"hopes": CANARY, "draft": str(key)})

    assert VisitLog.objects.get().hopes == CANARY
    assert not LogDraft.objects.exists()
    assert "draft of" not in page(educator)


def test_one_page_keeps_one_draft_and_two_pages_two(keep, page, educator):
    first, second = uuid.uuid4(), uuid.uuid4()
    keep(educator, key=first, hopes="First")
    keep(educator, key=first, hopes="First, longer")
    with clock.at(at(8, 18, 5)):
        keep(educator, key=second, hopes="Second")

    shown = page(educator)
    assert LogDraft.objects.count() == 2
    assert "Second" in shown and "There is another draft" in shown
    assert "First, longer" in page(educator, draft=str(first))


def test_what_a_page_began_with_is_replaced_by_what_stands_there_now(keep, educator):
    first = uuid.uuid4()
    keep(educator, key=first, hopes="First")

    keep(educator, draft=str(first), hopes="First, on another phone")

    assert LogDraft.objects.get().data["hopes"] == ["First, on another phone"]


def test_a_draft_from_before_what_was_saved_is_offered_and_never_replayed(
    keep, page, held, educator, partner
):
    key = uuid.uuid4()
    keep(educator, key=key, hopes="Older")
    with clock.at(at(8, 18, 30)):
        logs.write(held, logs.Entry(60, "es", 2, True, hopes="Saved"), by=partner)

        shown = page(educator)
        assert "Saved" in shown and "Older" not in shown and "There is another draft" in shown
        chosen = page(educator, draft=str(key))
        assert "Older" in chosen and 'name="seen" id' in chosen.replace('type="hidden" ', "")

        answer = logged_in(educator).post(
            f"/visits/{held.pk}/log/", TAPS | {"seen": "", "hopes": "Older", "draft": str(key)}
        )
    assert answer.status_code == 409
    assert "Older" in answer.content.decode() and "Saved" in answer.content.decode()
    assert LogDraft.objects.exists()


def test_a_draft_begun_before_and_kept_after_saving_ends_in_a_choice(
    keep, page, held, educator, partner
):
    logs.write(held, logs.Entry(60, "es", 2, True, hopes="Saved"), by=partner)
    with clock.at(at(8, 18, 30)):
        keep(educator, hopes="Typed on", seen="")
        shown = page(educator)

    version = logs.version(VisitLog.objects.get())
    assert "Typed on" in shown and version not in shown


@pytest.mark.parametrize("what", ["log", "reflect"])
def test_nobody_else_reads_it(keep, page, held, educator, partner, what):
    logs.write(held, logs.Entry(60, "es", 2, True), by=partner)
    keep(educator, "log" if what == "log" else "reflection", hopes=CANARY, learned=CANARY)
    key = LogDraft.objects.get().key

    assert CANARY in page(educator, what, draft=str(key))
    assert CANARY not in page(partner, what) + page(partner, what, draft=str(key))


def test_nobody_else_throws_it_away(keep, held, educator, partner):
    key = uuid.uuid4()
    keep(educator, key=key, hopes=CANARY)

    logged_in(partner).post(f"/visits/{held.pk}/draft/log/drop/", {"draft": str(key)})
    assert LogDraft.objects.count() == 1
    logged_in(educator).post(f"/visits/{held.pk}/draft/log/drop/", {"draft": str(key)})
    assert not LogDraft.objects.exists()


def test_the_same_key_of_two_people_is_two_drafts(keep, educator, partner):
    key = uuid.uuid4()
    keep(educator, key=key, hopes="Ana")
    keep(partner, key=key, hopes="Ben")

    assert LogDraft.objects.count() == 2


def test_no_trace_is_kept_of_what_was_typed(keep, educator):
    keep(educator, "reflection", learned=CANARY)

    assert CANARY not in str(list(AuditEntry.objects.values()))
    assert not hasattr(LogDraft, "pgh_event_model")


def test_only_fields_of_the_form_are_kept(keep, educator):
    keep(educator, hopes="To read", status="undocumented")

    assert LogDraft.objects.get().data == {"hopes": ["To read"]}


def test_a_draft_has_an_end(keep, educator):
    assert keep(educator, hopes="x" * 20_001).status_code == 409
    for _page in range(25):
        keep(educator, hopes="To read")
    assert LogDraft.objects.count() == drafts.MANY

    assert drafts.forget() == 0
    with clock.at(clock.now() + drafts.KEPT + datetime.timedelta(minutes=1)):
        assert drafts.forget() == drafts.MANY


def test_a_reflection_is_drafted_too(keep, page, held, educator):
    logs.write(held, logs.Entry(60, "es", 2, True), by=educator)
    keep(educator, "reflection", learned=CANARY, shared_with_debrief="on")

    shown = page(educator, "reflect")

    assert CANARY in shown and 'name="shared_with_debrief" checked' in shown
    assert reflections.version(None) == ""


def test_another_kind_of_draft_there_is_not(keep, educator):
    assert keep(educator, "letter").status_code == 404
