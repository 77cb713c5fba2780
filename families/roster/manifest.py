"""What a bundle says of itself: its version, and of each file whether it is whole or a change."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from django.utils.translation import gettext as _

from pthv.tables.encodings import text_lines
from pthv.tables.problems import Refused, Unreadable
from pthv.tables.rows import rows
from pthv.tables.values import quoted

from .archive import Bundle

FILE = "manifest.csv"
VERSION = re.compile(r"v?1\.[012](?:\.\d+)*", re.IGNORECASE)
NEEDED = ("orgs.csv", "academicSessions.csv", "classes.csv", "users.csv", "enrollments.csv")
# A vendor's manifest is often one for all its districts: this file may be promised in vain.
OPTIONAL = "demographics.csv"
NEEDED_FILES = {name.lower(): name for name in NEEDED}
FILES = NEEDED_FILES | {"roles.csv": "roles.csv", "demographics.csv": "demographics.csv"}


class Mode(StrEnum):
    """How a file of a bundle is meant."""

    BULK = "bulk"  # it names all there is: what it leaves out has left
    DELTA = "delta"  # it names what changed: what it leaves out stays
    ABSENT = "absent"  # it isn't there: what it would speak of stays


SPELLINGS = {"bulk": Mode.BULK, "full": Mode.BULK, "delta": Mode.DELTA, "absent": Mode.ABSENT}


@dataclass(frozen=True)
class Manifest:
    """The mode of each file by its name in lower case."""

    modes: dict[str, Mode] = field(default_factory=dict)

    def mode(self, name: str) -> Mode:
        return self.modes.get(name.lower(), Mode.ABSENT)

    def bulk(self, name: str) -> bool:
        return self.mode(name) == Mode.BULK

    def read(self, name: str) -> bool:
        return self.mode(name) != Mode.ABSENT

    @property
    def whole(self) -> bool:
        """Nothing in it leans on what the roster holds already."""
        return all(self.bulk(name) for name in NEEDED_FILES)


def manifest(bundle: Bundle) -> Manifest:
    """The bundle's modes; Unreadable where it contradicts itself or can't be meant for us."""
    said = _said(bundle) if FILE in bundle else {}
    version = said.get("oneroster.version") or "1.1"
    if not VERSION.fullmatch(version):
        raise Unreadable(
            _("This is OneRoster %(version)s. Export it as OneRoster 1.1 or 1.2 CSV.")
            % {"version": quoted(version)}
        )
    told = {
        f"{name.removeprefix('file.').removesuffix('.csv')}.csv": _mode(name, mode)
        for name, mode in said.items()
        if name.startswith("file.")
    }
    some_changes = Mode.DELTA in told.values()
    names = {*bundle.files, *told, *NEEDED_FILES}
    found = {}
    for name in names:
        unsaid = Mode.BULK if name in bundle else Mode.ABSENT
        found[name] = told.get(name, unsaid)
        if name not in bundle and name == OPTIONAL:
            found[name] = Mode.ABSENT
        elif name in FILES:
            _check(bundle, name, found[name], by_word=name in told or some_changes)
    return Manifest(found)


def _check(bundle: Bundle, name: str, mode: Mode, *, by_word: bool) -> None:
    """Raise Unreadable unless a file is here if it should be; `by_word` it may be absent."""
    here, file = name in bundle, {"file": FILES[name]}
    if not here and mode != Mode.ABSENT:
        raise Unreadable(
            _("manifest.csv promises %(file)s, and the bundle has no such file.") % file
        )
    if not here and name in NEEDED_FILES and not by_word:
        raise Unreadable(_("The bundle has no %(file)s.") % file)
    if here and mode == Mode.ABSENT and _rows(bundle, name):
        raise Unreadable(_("manifest.csv says that %(file)s is absent, and yet it is here.") % file)


def _said(bundle: Bundle) -> dict[str, str]:
    columns = ("propertyName", "value")
    said = {}
    with bundle.open(FILE) as stream:
        for row in rows(stream, FILE, columns=columns, required=columns, key="propertyName"):
            if isinstance(row, Refused):
                # It may be the line that says that a file holds changes only.
                where = {"line": row.row}
                raise Unreadable(_("Line %(line)s of manifest.csv can't be read.") % where)
            said[row["propertyName"].casefold()] = row["value"]
    return said


def _rows(bundle: Bundle, name: str) -> bool:
    """Whether a file holds more than its first line."""
    with bundle.open(name) as stream:
        return any(line.strip() for line in islice(text_lines(stream, name), 1, None))


def _mode(name: str, text: str) -> Mode:
    mode = SPELLINGS.get(text.casefold() or "absent")
    if mode is None:
        known = {"name": quoted(name), "mode": quoted(text)}
        raise Unreadable(
            _("manifest.csv says “%(mode)s” of %(name)s: not bulk, delta or absent.") % known
        )
    return mode
