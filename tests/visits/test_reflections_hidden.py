"""A reflection is for those who went: everybody else looks everywhere, and finds it nowhere.

What Ana wrote holds two rare words. Each role opens every page it can reach, searches for one of
them, takes every file, and never meets the other; the administrator asks the admin for it in
every way an address allows; and no other table of the database holds it.
"""

import re
import uuid
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from pthv.models import Message
from visits import drafts, logs, reflections, themes, write_up
from visits.models import LogDraft, Reflection, Theme, Visit

ASKED, HIDDEN = "zebrafinch", "quillwort"  # one is searched for, the other betrays a leak
CANARY = f"The {ASKED} sings {HIDDEN}"
LESSON = "Sorrel and thyme"
LEAVES = ("/accounts/logout/", "/admin/logout/", "/static/", "/demo/")
FORMS = ("/add/", "/delete/")
NARROWED = {"state", "kind", "term", "pgh_obj_id", "flagged", "mine", "educator", "school"}
MOST_PAGES = 900
FILES = ("invitation_csv", "certification_csv")
WORDS = ("assumed", "learned", "will_do")
LOOKUPS = ("", "__contains", "__startswith", "__gt")


@pytest.fixture
def lesson(program, program_coordinator) -> Theme:
    return themes.add(program, "learned", LESSON, by=program_coordinator)


@pytest.fixture
def written(held, educator, lesson) -> Visit:
    """Ana has reflected in all three boxes, and shares her theme; Ben has not written yet."""
    logs.write(held, logs.Entry(45, "es", 2, True, hopes="To read"), by=educator)
    thoughts = reflections.Thoughts(CANARY, CANARY, CANARY, True, frozenset({lesson.pk}))
    reflections.reflect(held, thoughts, by=educator)
    # Changed once: what it was before must lie nowhere either.
    reflections.reflect(held, thoughts, by=educator)
    # And she has begun to change it again.
    drafts.keep(held, "reflection", uuid.uuid4(), {"learned": [CANARY]}, by=educator)
    return held


@pytest.fixture
def completed_with_both(written, partner) -> Visit:
    reflections.reflect(written, reflections.Thoughts("Much."), by=partner)
    return written


def links(page: str, url: str) -> Iterator[str]:
    """Where a page leads to, within the site; weeks and pages have no end, so only lists that
    are narrowed are followed."""
    for attribute in re.findall(r'(?:href|hx-get|action)="([^"#]+)', page):
        found = urlsplit(urljoin(f"http://testserver{url}", unescape(attribute)))
        ours = found.netloc == "testserver" and not found.path.endswith(FORMS)
        if ours and not found.path.startswith(LEAVES):
            narrowed = found.query.split("=")[0] in NARROWED and found.query.count("=") == 1
            yield found.path + (f"?{found.query}" if narrowed else "")


def walk(client: Client, *starts: str) -> dict[str, str]:
    """Every page that can be reached from these by links, with what it shows."""
    seen: dict[str, str] = {}
    ahead = list(starts)
    while ahead and len(seen) < MOST_PAGES:
        url = ahead.pop(0)
        if url in seen:
            continue
        response = client.get(url, follow=True)
        shown = b"".join(response) if response.streaming else response.content
        seen[url] = shown.decode(errors="replace")
        if response["Content-Type"].startswith("text/html"):
            ahead += [to for to in links(seen[url], url) if to not in seen]
    assert len(seen) < MOST_PAGES, "there is more than was looked at"
    return seen


def looked(client: Client, visit: Visit) -> dict[str, str]:
    """All that somebody can see of the app: by links, by search, by address, and as files."""
    pk, family = visit.pk, visit.family_id
    addresses = [
        f"/visits/{pk}/", f"/visits/{pk}/log/", f"/visits/{pk}/reflect/", f"/families/{family}/",
        "/today/", "/desk/", "/debriefs/", "/resources/", "/coverage/", "/pay/", "/visits/",
        f"/search/?q={ASKED}", f"/families/?q={ASKED}", f"/visits/?q={ASKED}",
        f"/visits/?state={ASKED}", f"/messages/?q={ASKED}", f"/pay/?q={ASKED}",
    ]  # fmt: skip
    pages = walk(client, "/", *addresses)
    for name in FILES:
        response = client.post(reverse(name))
        pages[name] = b"".join(response).decode() if response.streaming else response.text
    return pages


OTHERS = [
    "colleague", "site_coordinator", "program_coordinator", "finance", "funder", "interpreter",
    "partner",
]  # fmt: skip


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_finds_it_on_any_page_or_file(request, client, written, who):
    """Nor the partner, who has not written yet."""
    client.force_login(request.getfixturevalue(who))

    pages = looked(client, written)

    assert len(pages) > 15
    assert [url for url, page in pages.items() if HIDDEN in page] == []


@pytest.mark.parametrize("who", ["site_coordinator", "program_coordinator"])
def test_a_coordinator_sees_that_and_not_what(request, client, written, who):
    client.force_login(request.getfixturevalue(who))

    page = client.get(f"/visits/{written.pk}/").text

    assert "Reflected" in page and "Not yet" in page
    assert HIDDEN not in page and LESSON not in page


@pytest.mark.parametrize("who", [who for who in OTHERS if who != "partner"])
def test_not_even_once_both_have_written(request, client, completed_with_both, who):
    client.force_login(request.getfixturevalue(who))

    page = client.get(f"/visits/{completed_with_both.pk}/").text

    assert HIDDEN not in page and LESSON not in page and "What we learned" not in page


def test_both_see_both_once_both_wrote(client, completed_with_both, educator, partner):
    """The pages that were looked through can show it: to those who went."""
    for user in (educator, partner):
        client.force_login(user)
        assert HIDDEN in client.get(f"/visits/{completed_with_both.pk}/").text


def test_the_administrator_finds_it_on_no_page_of_the_admin(client, written, administrator):
    client.force_login(administrator)

    pages = walk(client, "/admin/", "/", f"/visits/{written.pk}/")

    assert sum("/change/" in url for url in pages) > 40
    assert [url for url, page in pages.items() if HIDDEN in page] == []
    of_taps = [url for url in pages if "/reflectiontheme/" in url]
    assert of_taps and not [url for url in of_taps if LESSON in pages[url]]


# How the words could be reached from a list that the admin shows.
WAYS = {
    "reflection": "",
    "visit": "reflections__",
    "reflectiontheme": "reflection__",
    "logdraft": "data__",
}


@pytest.mark.parametrize("model", sorted(WAYS))
def test_nor_by_asking_the_admin_for_it(client, written, administrator, model):
    """Neither a search nor an order knows it, and a lookup is refused."""
    client.force_login(administrator)
    url = reverse(f"admin:visits_{model}_changelist")
    found = client.get(url, {"q": ASKED})
    assert found.context["cl"].result_count == 0
    for number in ("1", "2", "-1.2", "9"):
        assert HIDDEN not in client.get(url, {"o": number}, follow=True).text
    asked = [f"{WAYS[model]}{word}{lookup}" for word in WORDS for lookup in LOOKUPS]
    for field in [*asked, "theme", "theme__name__startswith", "taps__theme"]:
        assert client.get(url, {field: "The"}).status_code == 400, field


def test_no_suggestion_of_the_admin_holds_it(client, written, administrator):
    client.force_login(administrator)
    fields = [
        field
        for model in admin.site._registry
        for field in model._meta.fields
        if field.is_relation and field.related_model in {Reflection, Visit}
    ]
    assert fields
    for field in fields:
        named = {"app_label": field.model._meta.app_label, "field_name": field.name}
        asked = named | {"model_name": field.model._meta.model_name, "term": ASKED}
        response = client.get(reverse("admin:autocomplete"), asked)
        assert HIDDEN not in response.content.decode(errors="replace")


def test_no_other_table_view_or_log_of_the_database_holds_it(
    written, program, educator, partner, caplog
):
    """History, images of rows, audit, messages, jobs, sessions: all of it, as text."""
    write_up.remind(program)
    reflections.reflect(written, reflections.Thoughts("Something else."), by=educator)
    reflections.reflect(written, reflections.Thoughts(CANARY), by=educator)

    # What she is writing is hers alone; saved or forgotten, it is gone.
    assert tables_that_hold(HIDDEN) == ["visits_logdraft", "visits_reflection"]
    LogDraft.objects.all().delete()
    assert tables_that_hold(HIDDEN) == ["visits_reflection"]
    assert HIDDEN not in caplog.text


def tables_that_hold(word: str) -> list[str]:
    """The tables and views, materialized ones too, of which a row has this word somewhere."""
    relations = """
        SELECT c.oid::regclass::text FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        ORDER BY 1
    """
    with connection.cursor() as cursor:
        cursor.execute(relations)
        names = [name for (name,) in cursor.fetchall()]
        assert len(names) > 80
        found = []
        for name in names:
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {name} AS r WHERE r::text LIKE %s)",
                [f"%{word}%"],
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return found


def test_what_is_taken_back_is_gone(client, written, educator):
    client.force_login(educator)

    draft = LogDraft.objects.get()
    client.post(f"/visits/{written.pk}/reflect/", {"learned": "He cooks.", "draft": draft.key})

    assert tables_that_hold(HIDDEN) == []


def test_no_message_tells_it(written, program, partner):
    assert not Message.objects.filter(body__contains=HIDDEN).exists()
