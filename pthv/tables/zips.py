"""A zip, judged before a byte of it is unpacked."""

import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO

from django.utils.translation import gettext as _

from .problems import Unreadable

MEGABYTE = 1024 * 1024
MAX_UPLOAD = 100 * MEGABYTE
MAX_UNPACKED = 600 * MEGABYTE
MAX_FILES = 60
# Lists shrink 5 to 40 times; a file that shrinks more than this was made to hurt.
MAX_RATIO = 120
SMALL_ENOUGH_FOR_ANY_RATIO = MEGABYTE
PACKED = (".zip", ".gz", ".7z", ".rar", ".tar", ".bz2", ".xz", ".tgz")
# Of zipfile's methods only these can be unpacked in small, bounded steps.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)


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


def judged(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of a zip; raise Unreadable if one of them is nothing to unpack."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not entries:
        raise Unreadable(_("The zip is empty."))
    if len(entries) > MAX_FILES:
        raise Unreadable(
            _("The zip holds %(count)s files; at most %(limit)s are opened.")
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
            _("The zip unpacks to far more than a list would. We don't open such files.")
        )
