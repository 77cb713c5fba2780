"""Strings that broke other programs, typed into every field and read on every page.

Each string goes through every field at once; `NAUGHTY=all` sends every string through the
fields of every page, which takes minutes; otherwise each string meets one of the pages.
"""

import json
import os
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import models, transaction
from django.test import Client
from django.urls import reverse

from families.models import Caregiver, Family, SchoolClass, Student
from pthv import outbox
from pthv.blocked import NotReady
from pthv.models import Message, School, User
from tests.conftest import at
from tests.test_access import ROWS, row_id  # noqa: F401
from training import certificates
from training.models import Cohort, Course
from visits import links, scheduling
from visits.models import Interpreter, Invitation

pytestmark = pytest.mark.django_db

STRINGS: list[str] = json.loads((Path(__file__).parent / "strings.json").read_text("utf-8"))
MARKUP = [string for string in STRINGS if "<" in string and len(string) > 8]
TYPED = {"text", "search", "email", "tel", "url", "number", "date", "time", "password", "textarea"}
# A family's own pages have a test below: nobody reaches them without a link.
PAGES = sorted(
    name for name, row in ROWS.items() if row.method == "get" and row.status == 200 and row.may
)
# What has rules of its own, which a string typed by a person can't get past.
KEPT = {
    "email",
    "password",
    "slug",
    "state",
    "kind",
    "place",
    "source_id",
    "role",
    "phone",
    "language",
    "time_zone",
    "phone_region",
    "preferred_channel",
    "model",
    "grade",
}
ALL = os.environ.get("NAUGHTY") == "all"


@dataclass
class Form:
    action: str
    method: str
    typed: list[str] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page: what one types into, and the rest as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.select = ""

    def handle_starttag(self, tag, attrs) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(said.get("action", ""), said.get("method", "get").lower()))
        if not self.found:
            return
        form, name = self.found[-1], said.get("name", "")
        if tag == "select":
            self.select = name
        elif tag == "option" and self.select and said.get("value"):
            form.given.setdefault(self.select, said["value"])
        elif tag == "textarea" or (tag == "input" and said.get("type", "text") in TYPED):
            if name:
                form.typed.append(name)
        elif tag in ("input", "button") and name and said.get("type") != "file":
            form.given.setdefault(name, said.get("value", "on"))

    def handle_endtag(self, tag) -> None:
        if tag == "select":
            self.select = ""


def forms_of(text: str) -> list[Form]:
    reader = Forms()
    reader.feed(text)
    return [form for form in reader.found if form.typed]


def person_for(name: str, request) -> User:
    may = ROWS[name].may
    chosen = next(one for one in ("program_coordinator", "educator", *sorted(may)) if one in may)
    return request.getfixturevalue(chosen)


def send(client: Client, form: Form, page: str, string: str) -> None:
    """Fill in the form and send it; what it changed is taken back."""
    data = form.given | dict.fromkeys(form.typed, string)
    data.pop("csrfmiddlewaretoken", None)
    url = page if form.action.startswith("?") or not form.action else form.action
    with transaction.atomic():
        if form.method == "post":
            response = client.post(url, data, follow=True)
        else:
            response = client.get(url, data, follow=True)
        transaction.set_rollback(True)
    assert response.status_code in (200, 400, 404, 409, 422, 429), (url, string)
    if "<" in string and len(string) > 8 and not response.streaming:
        assert string not in response.text, (url, string)


@pytest.mark.parametrize("name", PAGES)
def test_typed_into_every_field(name, request, row_id, client):  # noqa: F811
    url = reverse(name, args=[row_id(ROWS[name].of)] if ROWS[name].of else [])
    person = person_for(name, request)
    if hasattr(person, "pk") and person.pk:
        client.force_login(person)
    place = PAGES.index(name)
    strings = STRINGS if ALL else STRINGS[place :: len(PAGES)]

    for form in forms_of(text_of(client.get(url))):
        for string in strings:
            send(client, form, url, string)


def text_of(response) -> str:
    """What a page says; nothing if it is a PDF, which has a test below."""
    if response["Content-Type"] == "application/pdf":
        return ""
    return response.getvalue().decode() if response.streaming else response.text


def planted(model: type[models.Model], strings: list[str]) -> None:
    """Write the strings into every field of text of every row, as far as they fit."""
    manager = getattr(model, "all_objects", model._base_manager)
    for row in manager.all():
        for one in model._meta.concrete_fields:
            if not isinstance(one, models.CharField | models.TextField) or one.generated:
                continue
            if one.name in KEPT or one.choices:
                continue
            text = strings.pop().replace("\x00", "")
            strings.insert(0, text)
            setattr(row, one.name, text[: one.max_length or 300])
        row.save()


@pytest.mark.parametrize("turn", range(4))
def test_read_on_every_page(
    turn,
    request,
    row_id,  # noqa: F811
    client,
    interpreter_request,
    completed,
):
    urls = {
        name: reverse(name, args=[row_id(ROWS[name].of)] if ROWS[name].of else []) for name in PAGES
    }
    strings = MARKUP[turn::4] + STRINGS[turn::40]
    for model in (
        Family, Caregiver, Student, School, SchoolClass, User, Course, Cohort, Interpreter
    ):  # fmt: skip
        planted(model, strings)
    shown = ""

    for name, url in urls.items():
        person = person_for(name, request)
        if hasattr(person, "pk") and person.pk:
            client.force_login(User.objects.get(pk=person.pk))
        response = client.get(url)
        # A log that is written leads on; of some signs no certificate can be printed, and a code
        # at the door has run out by then.
        fine = (200, 409) if name in ("certificate_pdf", "door_sign_in") else (200, 302)
        assert response.status_code in fine, url
        text = text_of(response)
        assert [one for one in MARKUP if one in text] == [], url
        shown += text

    assert "&lt;" in shown


@pytest.mark.parametrize("turn", range(4))
def test_read_on_a_familys_own_pages(turn, client, invitation, visit):
    strings = MARKUP[turn::4] + STRINGS[turn::40]
    for model in (Family, Caregiver, Student, School, User):
        planted(model, strings)
    invitation = Invitation.objects.get(pk=invitation.pk)
    mother = Caregiver.objects.get()
    Caregiver.objects.update(dead_phone="", dead_email="")
    client.get(urlsplit(links.url(links.mint(invitation, mother, by=None))).path)
    shown = ""

    for name, more in [
        ("family_invitation", []),
        ("family_cancel", []),
        *(("family_answer", [answer]) for answer in ("yes", "later", "no", "call")),
    ]:
        for language in ("en", "ar"):
            response = client.get(reverse(name, args=[language, *more]))
            assert response.status_code == 200, name
            assert [one for one in MARKUP if one in response.text] == [], name
            shown += response.text

    assert "&lt;" in shown


def test_printed_on_a_certificate(certified):
    """As data, whatever it looks like; or refused with a sentence, never as boxes."""
    printed = 0
    for string in STRINGS:
        certified.educator.user.given_name = certified.course.name = string.replace("\x00", "")[:80]
        try:
            file = certificates.pdf(certified, verify_at="https://visits.example/certificates/")
        except NotReady as refused:
            assert "has no letters to print" in str(refused)
        else:
            assert file.startswith(b"%PDF")
            printed += 1

    assert printed >= len(STRINGS) * 0.9


def test_written_in_every_message(accepted, educator):
    strings = [*MARKUP, "a\r\nBcc: x@y.example", "\u202ename", *STRINGS[:40]]
    for model in (Family, Student, School, User):
        planted(model, strings)
    User.objects.update(given_name="Eve\r\nBcc: someone@example.org")
    invitation = Invitation.objects.get(pk=accepted.pk)
    by = User.objects.get(pk=educator.pk)
    Caregiver.objects.update(preferred_channel="email", email="marta@example.org", dead_email="")
    planted_name = Caregiver.objects.get()
    planted_name.given_name = "{link} {when}\r\nBcc: other@example.org <b>"
    planted_name.save()
    scheduling.schedule(invitation, scheduling.slot(at(8, 16, 30)), "home", by=by)

    for message in Message.objects.all():
        outbox.send(message.pk)

    assert Message.objects.filter(state="sent").count() == Message.objects.count() >= 2
    assert Message.objects.filter(kind="visit_time").exists()
    for sent in mail.outbox:
        assert "\n" not in sent.subject
        assert sent.recipients() == [sent.to[0]]
        assert sent.message().get_all("Bcc") is None
