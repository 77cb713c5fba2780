"""A bundle of CSV files, from a zip or a folder."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from django.utils.translation import gettext as _

from pthv.tables.problems import Unreadable
from pthv.tables.zips import DAMAGE, check_size, judged

Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Bundle:
    """CSV files by lower-case name without folder: {"users.csv": opener}."""

    files: dict[str, Opener]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.files

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            opener = self.files[name.lower()]
        except KeyError:
            raise Unreadable(_("The bundle has no %(file)s.") % {"file": name}) from None
        try:
            with opener() as stream:
                yield stream
        except DAMAGE as damaged:
            raise Unreadable(
                _("%(file)s is damaged inside the zip. Export it again.") % {"file": name}
            ) from damaged


@contextmanager
def open_bundle(source: str | Path | IO[bytes]) -> Iterator[Bundle]:
    """Open a zip (path or binary file) or a folder; raise Unreadable for what we won't touch."""
    if isinstance(source, str | Path) and Path(source).is_dir():
        yield Bundle(_folder(Path(source)))
        return
    check_size(source)
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as damaged:
        raise Unreadable(
            _("This is not a zip file. Send the OneRoster bundle as one .zip.")
        ) from damaged
    with archive:
        yield Bundle(_members(archive))


def _folder(path: Path) -> dict[str, Opener]:
    found = {}
    for entry in sorted(path.iterdir()):
        if entry.suffix.lower() == ".csv" and entry.is_file():
            found[entry.name.lower()] = _opener(entry)
    return found


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def _members(archive: zipfile.ZipFile) -> dict[str, Opener]:
    found: dict[str, Opener] = {}
    for entry in judged(archive):
        path = PurePosixPath(entry.filename)
        if path.suffix.lower() != ".csv" or _is_litter(path):
            continue
        if path.name.lower() in found:
            raise Unreadable(_("The zip holds %(file)s twice.") % {"file": path.name})
        found[path.name.lower()] = _member_opener(archive, entry)
    return found


def _member_opener(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Opener:
    return lambda: archive.open(entry)


def _is_litter(path: PurePosixPath) -> bool:
    """What macOS adds beside every file it zips."""
    return "__MACOSX" in path.parts or path.name.startswith(".")
