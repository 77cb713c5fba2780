"""An upload on its way to the worker: kept as a private file until it was read, never longer.

A roster bundle holds passwords and birthplaces. Its bytes are never in the database; the file
is readable by nobody else, and goes when the plan is made or the file refused.
"""

import logging
import os
import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django_scopes import scope
from procrastinate.contrib.django import app

from families.models import RosterImport
from pthv import audit, clock
from pthv.models import Program, User

from .archive import MAX_UPLOAD, MEGABYTE
from .plan import plan, refuse
from .problems import Unreadable

log = logging.getLogger(__name__)
# A worker that was killed is run again within minutes; what is older belongs to nobody.
FORGOTTEN_AFTER = timedelta(days=1)
LONGEST_FILE_NAME = 200


def receive(
    kind: str, name: str, chunks: Iterable[bytes], *, program: Program, by: User
) -> RosterImport:
    """Keep an upload for the worker and start an import of it."""
    path = _keep(chunks)
    try:
        with transaction.atomic():
            roster_import = start(kind, name, program=program, by=by)
            app.configure_task("plan_roster").defer(
                program_id=program.pk, import_id=roster_import.pk, upload=path.name
            )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return roster_import


def start(kind: str, name: str, *, program: Program, by: User) -> RosterImport:
    """A new import, not read yet."""
    roster_import = RosterImport.objects.create(
        program=program,
        kind=kind,
        file_name=Path(name).name[:LONGEST_FILE_NAME],
        uploaded_at=clock.now(),
        uploaded_by=by,
    )
    audit.record("roster.uploaded", roster_import, by=by, kind=kind)
    return roster_import


def read(program_id: int, import_id: int, upload: str) -> None:
    """Plan an upload that was kept, and remove it whatever came of it.

    A killed worker leaves the file, so that the next one can begin again.
    """
    path = _folder() / Path(upload).name
    program = Program.objects.get(pk=program_id)
    with scope(program=program):
        roster_import = RosterImport.objects.get(pk=import_id)
        if not path.is_file():
            refuse(roster_import, _("The file is gone; send it again."))
            return
        try:
            plan(roster_import, path)
        except Exception as error:
            # No traceback: its variables are rows of the file.
            log.error("import %s failed: %s", import_id, type(error).__name__)
            refuse(roster_import, _("Something unexpected stands in the file. Nothing changed."))
        finally:
            path.unlink(missing_ok=True)


def sweep() -> int:
    """Remove uploads that no worker came for."""
    oldest = (clock.now() - FORGOTTEN_AFTER).timestamp()
    forgotten = [path for path in _folder().iterdir() if path.stat().st_mtime < oldest]
    for path in forgotten:
        path.unlink(missing_ok=True)
    return len(forgotten)


def _folder() -> Path:
    folder = Path(settings.UPLOADS_FOLDER)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _keep(chunks: Iterable[bytes]) -> Path:
    path = _folder() / secrets.token_hex(16)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as kept:
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
    return path
