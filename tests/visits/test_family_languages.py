"""Whatever a family can be shown is in its own language: nothing in English slips through."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

from families import people
from families.models import Caregiver
from pthv import catalogues, clock, wording
from pthv.models import Message, School
from tests.conftest import at
from tests.visits.test_family_page import opened
from visits import answers, family_wording, invitations, links, scheduling

pytestmark = pytest.mark.django_db
CODES = catalogues.TRANSLATED
# People and places, and what languages are called by those who read them.
NAMES = re.compile(r"\b(Lincoln|Mateo|Ana|Ben|English|Español|Português|Tiếng Việt)\b")


@pytest.fixture(autouse=True)
def _nobody_tried_before(db) -> None:
    cache.clear()


@pytest.fixture
def untranslated(monkeypatch) -> set[str]:
    """Every sentence of ours or Django's that was asked for, and its language lacks."""
    found: set[str] = set()
    real = translation._trans

    def listen(name: str) -> None:
        spoken = getattr(real, name)

        def heard(*args):
            code = translation.get_language() or "en"
            if not code.startswith("en"):
                context = name.startswith("p")
                asked = args[1] if context else args[0]
                key = f"{args[0]}{trans_real.CONTEXT_SEPARATOR}{asked}" if context else asked
                catalog = trans_real.translation(code)._catalog
                if asked and key not in catalog and (key, 0) not in catalog:
                    found.add(str(asked))
            return spoken(*args)

        monkeypatch.setattr(real, name, heard)

    for name in ("gettext", "ngettext", "pgettext", "npgettext"):
        listen(name)
    return found


@pytest.fixture
def open_link(invitation, educator) -> Callable[[Caregiver], Client]:
    """The phone on which a caregiver opened their link."""

    def open_(caregiver: Caregiver) -> Client:
        phone = Client()
        link = links.mint(invitation, caregiver, by=educator)
        assert phone.get(links.url(link).removeprefix(settings.SITE_URL)).status_code == 302
        return phone

    return open_


GIVEN = {
    "call": {"times": ["fri-evening"]},
    "later": {"wait": "30"},
    "no": {},
    "yes": {
        "place_wanted": "elsewhere",
        "interpreter_wanted": "on",
        "times": ["mon-evening", "sat-morning", "sun-afternoon"],
    },
}
REFUSED = [
    ("yes", {"place_wanted": "moon", "times": ["never"]}),
    ("yes", {}),
    ("later", {"wait": "x"}),
    ("call", {"times": ["x"]}),
]


def answering(phone: Client, code: str) -> Iterator[str]:
    """The question, each answer's page, what is wrong with it, and what was said."""
    shown = reverse("family_invitation", args=[code])
    paths = {answer: reverse("family_answer", args=[code, answer]) for answer in GIVEN}
    yield phone.get(shown).content.decode()
    for path in paths.values():
        yield phone.get(path).content.decode()
    for answer, typed in REFUSED:
        refused = phone.post(paths[answer], opened(phone) | typed)
        assert refused.status_code == 422
        yield refused.content.decode()
    for answer, typed in GIVEN.items():
        assert phone.post(paths[answer], opened(phone) | typed).status_code == 302
        yield phone.get(shown).content.decode()


def visited(phone: Client, code: str) -> Iterator[str]:
    """A visit ahead, cancelling it or another that is no more, and what is left of one held."""
    shown, cancel = (reverse(name, args=[code]) for name in ("family_invitation", "family_cancel"))
    for path in (shown, cancel):
        yield phone.get(path).content.decode()
    yield phone.post(cancel, opened(phone) | {"visit": "0"}).content.decode()
    yield phone.post(cancel, {"visit": "0"}).content.decode()
    with clock.at(at(8, 18)):
        yield phone.get(shown).content.decode()


def around(code: str) -> Iterator[str]:
    """What stands in the way of a page: no link, too many tries, an old form."""
    stranger = Client(headers={"Accept-Language": code})
    yield stranger.get(reverse("family_invitation", args=[code])).content.decode()
    for _try in range(32):
        page = stranger.get("/f/nothing/")
    assert page.status_code == 429
    yield page.content.decode()
    cache.clear()
    refused = Client(enforce_csrf_checks=True).post(reverse("family_answer", args=[code, "yes"]))
    assert refused.status_code == 403
    yield refused.content.decode()


@pytest.fixture
def pages(
    open_link, invitation, family, educator, partner, trained, pay_rate, school
) -> Callable[[str], list[str]]:
    """Every page in every state, in a language; what was done for it is taken back."""
    School.objects.filter(pk=school.pk).update(phone="+13125550100")

    def every(code: str) -> Iterator[str]:
        mother = open_link(family.caregivers.get())
        yield from answering(mother, code)
        father = people.add_caregiver(family, {"given_name": "Luis"}, by=educator)
        his = open_link(father)
        his.post(reverse("family_answer", args=[code, "later"]), opened(his) | GIVEN["later"])
        yield his.get(reverse("family_invitation", args=[code])).content.decode()
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
        scheduling.schedule(invitation, scheduling.slot(at(8, 16, 30)), "neutral", by=educator)
        yield from visited(mother, code)
        yield from around(code)

    def shown(code: str) -> list[str]:
        undo = transaction.savepoint()
        found = list(every(code))
        transaction.savepoint_rollback(undo)
        return found

    return shown


def texts(page: str) -> list[str]:
    """What stands on a page, bit by bit, and what is read out of it."""
    body = re.sub(r"(?s)<(script|style).*?</\1>", "", page)
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', body)
    return [" ".join(bit.split()) for bit in [*re.split(r"<[^>]*>", body), *spoken] if bit.strip()]


@pytest.mark.parametrize("code", CODES)
def test_every_page_is_in_its_language_alone(code, pages, untranslated) -> None:
    theirs, english = pages(code), pages("en")

    assert len(theirs) == len(english) == 22
    # Nothing is asked for that the language lacks …
    assert untranslated == set()
    # … and nothing that nobody marked to be translated is the same in both.
    same = {bit for page in english for bit in texts(page)}
    said = [bit for page in theirs for bit in texts(page)]
    words = {bit: re.findall("[A-Za-z]{2,}", NAMES.sub("", bit)) for bit in said if bit in same}
    assert {bit: found for bit, found in words.items() if found} == {}
    assert len(said) > 200
    direction = "rtl" if code == "ar" else "ltr"
    assert [p for p in theirs if f'<html lang="{code}" dir="{direction}">' not in p] == []


@pytest.mark.parametrize("code", CODES)
def test_who_works_here_is_told_in_english_what_a_family_answered(
    code, open_link, visit, family
) -> None:
    phone = open_link(family.caregivers.get())

    phone.post(reverse("family_cancel", args=[code]), opened(phone) | {"visit": visit.pk})
    phone.post(reverse("family_answer", args=[code, "later"]), opened(phone) | GIVEN["later"])

    told = Message.objects.filter(to_user__isnull=False)
    cancelled = told.filter(kind="visit_cancelled").first()
    answered = told.filter(kind="family_answered").last()
    assert "Thu, Oct 8, 4:30 PM" in cancelled.body
    assert "“Not now”" in answered.body


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", family_wording.NAMES)
def test_every_message_is_in_its_language_alone(code, kind, visit, family, untranslated) -> None:
    mother = family.caregivers.get()

    def said(language: str) -> tuple[str, str]:
        words = family_wording.compose(
            kind, visit.invitation, mother, language=language, visit=visit
        )
        return words.subject, family_wording.as_text(words.body, language)

    (subject, body), (english_subject, english) = said(code), said("en")

    assert untranslated == set()
    assert subject != english_subject or kind == "call"
    # What is filled in is there, and nothing else that English says.
    filled = [name for name in ("Lincoln", "Ana", "Mateo", "Marta") if name in english]
    assert "Lincoln" in filled and len(filled) > 2
    assert [name for name in filled if name not in body] == []
    assert ("{link}" in body) == ("{link}" in english)
    words = [set(re.findall(r"\b[a-z]{5,}\b", one)) for one in (english, body)]
    assert words[0] & words[1] == set()
    if kind in family_wording.TIMED:
        with translation.override(code):
            assert wording.full_moment(visit.during.lower) in body
    assert "STOP" in body or kind == "call"
