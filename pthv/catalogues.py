"""The sentences that families read, in their languages: where they stand, and what they became.

Who works here reads English, so only what families read is translated. A template is theirs if
it is base_family.html, extends it, or is included by one that is theirs; a module, if its docstring
says that it is "read by families". Nothing is listed by hand.
"""

import ast
import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
FOLDER = Path(settings.LOCALE_PATHS[0])
ROOMS = ("pthv", "families", "training", "visits")
BASE = "base_family.html"
MARK = re.compile(r"\bread by\s+families\b", re.IGNORECASE)
NAMES = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z%]|\{\w+\}")
# English is what the sources are written in.
TRANSLATED = [code for code, _name in settings.LANGUAGES if code != "en"]


class Catalogue(Catalog):
    """Without the dates that would make every extraction look like a change."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]
        return [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
        ]


def templates() -> list[Path]:
    """The templates that families see."""
    folder = ROOT / "templates"
    texts = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}
    named = {
        name: set(re.findall(r"""{%\s*include\s+["']([^"']+)""", text))
        for name, text in texts.items()
    }
    found = {BASE} & set(texts)
    found |= {n for n, text in texts.items() if re.search(rf"""extends\s+["']{BASE}""", text)}
    while more := {inside for name in found for inside in named[name]} & set(texts) - found:
        found |= more
    return [folder / name for name in sorted(found)]


def modules() -> list[Path]:
    """The modules whose sentences families read."""
    return [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if path != Path(__file__) and MARK.search(_docstring(path))
    ]


def _docstring(path: Path) -> str:
    text = path.read_text()
    return (ast.get_docstring(ast.parse(text)) or "") if MARK.search(text) else ""


def _sources() -> Iterator[tuple[str, bytes]]:
    for path in modules():
        yield str(path.relative_to(ROOT)), path.read_bytes()
    for path in templates():
        code = templatize(path.read_text())
        # What is left of the markup would be indented wrongly.
        flat = "\n".join(line.strip() for line in code.splitlines())
        yield str(path.relative_to(ROOT)), flat.encode()


def extracted() -> Catalogue:
    """What the sources say today."""
    found = Catalogue(charset="utf-8")
    for name, source in _sources():
        for _line, msgid, _comments, context in extract("python", io.BytesIO(source), NAMES):
            found.add(msgid, locations=[(name, 0)], context=context)
    return found


def path_of(code: str, suffix: str = ".po") -> Path:
    return FOLDER / to_locale(code) / "LC_MESSAGES" / f"django{suffix}"


def read(code: str) -> Catalogue:
    """The committed translation of one language."""
    found = Catalogue(
        locale=Locale.parse(to_locale(code)),
        header_comment="# What families read; written by `make messages`, translated by people.",
        charset="utf-8",
        fuzzy=False,
    )
    if (path := path_of(code)).exists():
        for message in read_po(io.BytesIO(path.read_bytes()), locale=found.locale):
            if message.id:
                found[message.id] = message
    return found


def written(catalogue: Catalogue) -> bytes:
    text = io.BytesIO()
    write_po(text, catalogue, width=96, include_lineno=False, ignore_obsolete=True)
    return text.getvalue()


def compiled(catalogue: Catalogue) -> bytes:
    binary = io.BytesIO()
    write_mo(binary, catalogue)
    return binary.getvalue()


def update() -> dict[str, list[str]]:
    """Bring the committed catalogues up to the sources, and compile them; what each lacks."""
    template = extracted()
    for code in TRANSLATED:
        catalogue = read(code)
        catalogue.update(template, no_fuzzy_matching=True)
        path_of(code).parent.mkdir(parents=True, exist_ok=True)
        path_of(code).write_bytes(written(catalogue))
        path_of(code, ".mo").write_bytes(compiled(catalogue))
    return {code: problems(code, template) for code in TRANSLATED}


def problems(code: str, template: Catalogue | None = None) -> list[str]:
    """What keeps a language from being whole, a sentence each."""
    wanted = {_key(message): message for message in template or extracted() if message.id}
    here = read(code)
    held = {_key(message): message for message in here if message.id}
    found = [f"Not extracted: {key}" for key in wanted if key not in held]
    found += [f"No longer in the sources: {key}" for key in held if key not in wanted]
    for key, message in held.items():
        if message.fuzzy:
            found.append(f"Fuzzy: {key}")
        found += [f"{said}: {key}" for said in _wrong(message)]
    if not path_of(code, ".mo").exists() or path_of(code, ".mo").read_bytes() != compiled(here):
        found.append("The compiled file is not made of this one.")
    return found


def _key(message: Message) -> tuple[str, str]:
    return message.context or "", _texts(message.id)[0]


def _texts(text: str | Iterable[str] | None) -> list[str]:
    """A sentence, or the forms of one that counts."""
    return [text or ""] if isinstance(text, str | None) else list(text)


def _wrong(message: Message) -> Iterator[str]:
    english, said = _texts(message.id), _texts(message.string)
    if not all(said):
        yield "Not translated"
        return
    needed = set(PLACEHOLDER.findall(english[-1]))
    for one in said:
        has = set(PLACEHOLDER.findall(one))
        # "One time suits you" may leave the number out.
        if has - needed or (needed - has and len(english) == 1):
            yield f"Other placeholders in {one!r}"
    if len(english) > 1 and (lost := needed - set(PLACEHOLDER.findall(" ".join(said)))):
        yield f"No form has {', '.join(sorted(lost))}"


def sentences(code: str) -> list[tuple[str, list[str]]]:
    """Each sentence in English with what it became, in the order of the pages."""
    return [(_texts(m.id)[0], _texts(m.string)) for m in read(code) if m.id]


@cache
def fingerprint(code: str) -> str:
    """Of all that a language says now; another one as soon as a word changes."""
    said = [code, *sorted(map(repr, sentences(code)))]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
