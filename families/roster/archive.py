"""A bundle of CSV files, from a zip or a folder, judged before a byte is unpacked."""

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from django.utils.translation import gettext as _

from .problems import Unreadable

MEGABYTE = 1024 * 1024
MAX_UPLOAD = 100 * MEGABYTE
MAX_UNPACKED = 600 * MEGABYTE
MAX_FILES = 60
# Rosters shrink 5 to 40 times; a file that shrinks more than this was made to hurt.
MAX_RATIO = 120
SMALL_ENOUGH_FOR_ANY_RATIO = MEGABYTE
PACKED = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz", ".tgz")
# Of zipfile's methods only these can be unpacked in small, bounded steps.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)

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


def check_size(source: str | Path | IO[bytes]) -> None:
    if isinstance(source, str | Path):
        if not Path(source).is_file():
            raise Unreadable(_("There is no file at %(path)s.") % {"path": source})
        size = Path(source).stat().st_size
    else:
        size = source.seek(0, 2)
        source.seek(0)
    if not size:
        raise Unreadable(_("The file is empty."))
    if size > MAX_UPLOAD:
        raise Unreadable(
            _("The file is larger than %(limit)s MB.") % {"limit": MAX_UPLOAD // MEGABYTE}
        )


def _folder(path: Path) -> dict[str, Opener]:
    found = {}
    for entry in sorted(path.iterdir()):
        if entry.suffix.lower() == ".csv" and entry.is_file():
            found[entry.name.lower()] = _opener(entry)
    return found


def _opener(path: Path) -> Opener:
    return lambda: path.open("rb")


def judged(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of a zip; raise Unreadable if one of them is nothing to unpack."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not entries:
        raise Unreadable(_("The zip is empty."))
    if len(entries) > MAX_FILES:
        raise Unreadable(
            _("The zip holds %(count)s files; a roster has at most %(limit)s.")
            % {"count": len(entries), "limit": MAX_FILES}
        )
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Unreadable(
            _("Unpacked, the zip is larger than %(limit)s MB.")
            % {"limit": MAX_UNPACKED // MEGABYTE}
        )
    for entry in entries:
        _check_entry(entry)
    return entries


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


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    parts = name.replace("\\", "/").split("/")
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or link:
        raise Unreadable(_("The zip holds a name that leads outside it. We don't open such files."))
    if name.lower().endswith(PACKED):
        raise Unreadable(
            _("The zip holds another packed file. Put the CSV files into it directly.")
        )
    if entry.flag_bits & ENCRYPTED:
        raise Unreadable(_("The zip is locked with a password. Send it without one."))
    if entry.compress_type not in METHODS:
        raise Unreadable(
            _("The zip is packed in an unusual way. Make it with the ordinary method.")
        )
    ratio = entry.file_size / max(entry.compress_size, 1)
    if entry.file_size > SMALL_ENOUGH_FOR_ANY_RATIO and ratio > MAX_RATIO:
        raise Unreadable(
            _("The zip unpacks to far more than a roster would. We don't open such files.")
        )
