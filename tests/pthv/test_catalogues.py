"""What families read is whole in every language, and made of the sources as they are."""

import pytest
from django.utils import translation

from pthv import catalogues

CODES = catalogues.TRANSLATED


@pytest.fixture(scope="module")
def template() -> catalogues.Catalogue:
    return catalogues.extracted()


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_and_compiled(code, template):
    """Otherwise: `make messages`, and translate what is new in pthv/locale."""
    assert catalogues.problems(code, template) == []


def test_the_sources_say_something(template):
    assert len([message for message in template if message.id]) >= 60


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One sentence in the sources, and an empty folder for its translations."""
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)

    def sources(*messages: str | tuple[str, str]) -> catalogues.Catalogue:
        found = catalogues.Catalogue(charset="utf-8")
        for message in messages:
            found.add(message, locations=[("somewhere.py", 0)])
        monkeypatch.setattr(catalogues, "extracted", lambda: found)
        return found

    return sources


def translate(code: str, said: dict) -> None:
    catalogue = catalogues.read(code)
    for english, words in said.items():
        catalogue[english].string = words
    catalogues.path_of(code).write_bytes(catalogues.written(catalogue))
    catalogues.path_of(code, ".mo").write_bytes(catalogues.compiled(catalogue))


ASKED = "We ask %(names)s on %(day)s."


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("", "Not translated"),
        ("Preguntamos a %(names)s.", "Other placeholders"),
        ("Preguntamos a %(nombres)s el %(day)s.", "Other placeholders"),
        ("Preguntamos a %(names)s el %(day)s {link}.", "Other placeholders"),
        ("El %(day)s preguntamos a %(names)s.", None),
    ],
)
def test_what_is_missing_or_says_something_else_is_found(folder, said, problem):
    folder(ASKED)
    assert catalogues.update()["es"] == [f"Not translated: {('', ASKED)}"]

    translate("es", {ASKED: said})

    found = catalogues.problems("es")
    assert [one.split(":")[0].split(" in ")[0] for one in found] == ([problem] if problem else [])


def test_a_plural_has_as_many_forms_as_its_language(folder):
    plural = ("%(n)s time", "%(n)s times")
    folder(plural)
    catalogues.update()

    assert len(catalogues.read("ar")[plural[0]].string) == 6
    assert len(catalogues.read("zh-hans")[plural[0]].string) == 1
    translate("ar", {plural[0]: ("%(n)s", "مرة", "مرتان", "%(n)s مرات", "%(n)s مرة", "%(n)s مرة")})
    assert catalogues.problems("ar") == []


def test_a_plural_that_lost_its_placeholder_in_every_form_is_found(folder):
    plural = ("%(n)s time of %(name)s", "%(n)s times of %(name)s")
    folder(plural)
    catalogues.update()

    translate("es", {plural[0]: ("una vez", "%(n)s veces")})

    assert catalogues.problems("es") == [f"No form has %(name)s: {('', plural[0])}"]


def test_only_what_families_read_is_theirs_to_check(template):
    """Coordinators' refusals are not theirs."""
    said = {message.id for message in template}
    assert "This visit took place already." in said
    assert "Say how the family opened the door again." not in said


def test_what_came_or_went_since_is_found(folder):
    folder("Hello")
    catalogues.update()
    translate("es", {"Hello": "Hola"})
    folder("Good morning")

    assert catalogues.problems("es") == [
        "Not extracted: ('', 'Good morning')",
        "No longer in the sources: ('', 'Hello')",
    ]


def test_an_old_compiled_file_is_found(folder):
    folder("Hello")
    catalogues.update()
    translate("es", {"Hello": "Hola"})
    catalogues.path_of("es").write_text(
        catalogues.path_of("es").read_text().replace("Hola", "Buenas")
    )

    assert catalogues.problems("es") == ["The compiled file is not made of this one."]


def test_fuzzy_is_found(folder):
    folder("Hello")
    catalogues.update()
    translate("es", {"Hello": "Hola"})
    text = catalogues.path_of("es").read_text()
    catalogues.path_of("es").write_text(text.replace('msgid "Hello"', '#, fuzzy\nmsgid "Hello"'))

    assert "Fuzzy: ('', 'Hello')" in catalogues.problems("es")


def test_extracting_twice_changes_nothing(folder):
    folder("Hello", ASKED)
    catalogues.update()
    before = catalogues.path_of("ar").read_bytes()

    catalogues.update()

    assert catalogues.path_of("ar").read_bytes() == before


def test_a_template_is_the_families_if_it_stands_on_their_base():
    named = {path.name for path in catalogues.templates()}

    assert {"base_family.html", "family_invitation.html", "family_choices.html"} <= named
    # Pages for staff about a family.
    assert not {"family_detail.html", "family_edit.html", "base.html"} & named


@pytest.mark.parametrize("code", CODES)
def test_django_reads_the_compiled_file(code):
    english, said = next(
        (english, said[0]) for english, said in catalogues.sentences(code) if len(said) == 1
    )
    with translation.override(code):
        assert translation.gettext(english) == said
