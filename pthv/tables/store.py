"""Where uploads wait for the worker: private files, each gone as soon as nobody needs it.

That is once it was read, unless a person may still say which of its columns is what: then once
its plan is applied or put away. None grows older than a day.

A roster bundle holds passwords and birthplaces. Its bytes are never in the database; the file
is readable by nobody else.
"""

import json
import os
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from pthv import clock

from .problems import Unreadable
from .zips import MAX_UPLOAD, MEGABYTE

# A worker that was killed is run again within minutes; what is older belongs to nobody.
FORGOTTEN_AFTER = timedelta(days=1)
EXAMPLES = ".examples"
# A spreadsheet unpacked to be read, which takes minutes; a worker that was killed leaves it.
SHEET = "sheet-"
SHEET_FORGOTTEN_AFTER = timedelta(hours=1)


def folder() -> Path:
    found = Path(settings.UPLOADS_FOLDER)
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def keep(chunks: Iterable[bytes]) -> str:
    """Write an upload into a file of its own; answers its name."""
    path = folder() / secrets.token_hex(16)
    try:
        with os.fdopen(_only_ours(path), "wb") as kept:
            size = 0
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_UPLOAD:
                    limit = {"limit": MAX_UPLOAD // MEGABYTE}
                    raise Unreadable(_("The file is larger than %(limit)s MB.") % limit)
                kept.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.name


def path(upload: str) -> Path:
    """The file of that name; of a name that leads elsewhere, nothing."""
    return folder() / Path(upload or "none").name


def forget(upload: str) -> None:
    """Remove an upload, and the examples taken from it."""
    path(upload).unlink(missing_ok=True)
    path(upload + EXAMPLES).unlink(missing_ok=True)


def keep_examples(upload: str, rows: list[list[str]]) -> None:
    """Put a few rows of an upload beside it, for the page that asks which column is what."""
    examples = path(upload + EXAMPLES)
    examples.unlink(missing_ok=True)  # a worker that was killed had written them
    with os.fdopen(_only_ours(examples), "w", encoding="utf-8") as kept:
        json.dump(rows, kept)


def examples(upload: str) -> list[list[str]]:
    """Those rows; none if the upload is gone."""
    try:
        return json.loads(path(upload + EXAMPLES).read_text("utf-8"))
    except (OSError, ValueError):
        return []


def sweep() -> int:
    """Remove what no worker came for."""
    forgotten = [found for found in folder().iterdir() if _is_forgotten(found)]
    for found in forgotten:
        found.unlink(missing_ok=True)
    return len(forgotten)


def _is_forgotten(found: Path) -> bool:
    after = SHEET_FORGOTTEN_AFTER if found.name.startswith(SHEET) else FORGOTTEN_AFTER
    return found.stat().st_mtime < (clock.now() - after).timestamp()


def _only_ours(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
