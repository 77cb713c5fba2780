"""An upload on its way to a plan: who sent it, which of its columns is what, and then the diff.

Its bytes wait in a private file (store.py), and go when the plan is made or the file refused.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from django_scopes import scope
from procrastinate.contrib.django import app

from families.models import RosterImport
from pthv import audit, clock
from pthv.blocked import NotReady
from pthv.models import Program, User
from pthv.tables import store
from pthv.tables.columns import Places, missing
from pthv.tables.problems import Unreadable

from . import columns, headings
from .plan import plan, refuse

log = logging.getLogger(__name__)
State = RosterImport.State
LONGEST_FILE_NAME = 200


def receive(
    kind: str, name: str, chunks: Iterable[bytes], *, program: Program, by: User
) -> RosterImport:
    """Keep an upload for the worker and start an import of it."""
    upload = store.keep(chunks)
    try:
        with transaction.atomic():
            roster_import = start(kind, name, program=program, by=by, upload=upload)
            _hand_over(roster_import)
    except BaseException:
        store.forget(upload)
        raise
    return roster_import


def start(kind: str, name: str, *, program: Program, by: User, upload: str = "") -> RosterImport:
    """A new import, not read yet."""
    roster_import = RosterImport.objects.create(
        program=program,
        kind=kind,
        file_name=Path(name).name[:LONGEST_FILE_NAME],
        upload=upload,
        uploaded_at=clock.now(),
        uploaded_by=by,
    )
    audit.record("roster.uploaded", roster_import, by=by, kind=kind)
    return roster_import


def _hand_over(roster_import: RosterImport) -> None:
    app.configure_task("plan_roster").defer(
        program_id=roster_import.program_id,
        import_id=roster_import.pk,
        upload=roster_import.upload,
    )


def read(program_id: int, import_id: int, upload: str) -> None:
    """Plan an upload that was kept, or ask first which of its columns is what.

    It is removed whatever came of it, unless somebody is asked. A killed worker leaves the
    file, so that the next one can begin again.
    """
    path = store.path(upload)
    program = Program.objects.get(pk=program_id)
    with scope(program=program):
        roster_import = RosterImport.objects.get(pk=import_id)
        if roster_import.state != State.READING:
            return
        waits = False
        try:
            if path.is_file():
                waits = _read(roster_import, path)
            else:
                refuse(roster_import, _("The file is gone; send it again."))
        except Unreadable as unreadable:
            refuse(roster_import, str(unreadable))
        except Exception as error:
            # No traceback: its variables are rows of the file.
            log.error("import %s failed: %s", import_id, type(error).__name__)
            refuse(roster_import, _("Something unexpected stands in the file. Nothing changed."))
        finally:
            if not waits:
                forget(roster_import)


def give_up(program_id: int, import_id: int) -> None:
    """End an import whose file killed every worker that read it."""
    with scope(program=Program.objects.get(pk=program_id)):
        roster_import = RosterImport.objects.get(pk=import_id)
        refuse(roster_import, _("The file couldn't be read. Save it again, or as CSV UTF-8."))
        if roster_import.state == State.REFUSED:
            forget(roster_import)


def _read(roster_import: RosterImport, path: Path) -> bool:
    """Whether the file is to wait: for an answer, or for another one than was given before."""
    if roster_import.kind not in headings.KINDS or roster_import.columns:
        plan(roster_import, path)
        return False
    store.keep_examples(roster_import.upload, headings.look(roster_import, path))
    found = {"headings": roster_import.headings, "columns": roster_import.columns}
    known = headings.remember(roster_import)
    if known:
        roster_import.save(update_fields=["headings", "columns"])
        plan(roster_import, path)
        return roster_import.state == State.PLANNED
    # At once with the state: columns of a file that is being read were confirmed.
    reading = RosterImport.objects.filter(pk=roster_import.pk, state=State.READING)
    return bool(reading.update(state=State.COLUMNS, **found))


def forget(roster_import: RosterImport) -> None:
    """Remove the file that waited."""
    store.forget(roster_import.upload)
    RosterImport.objects.filter(pk=roster_import.pk).update(upload="")


def confirm(roster_import: RosterImport, places: Places, *, by: User) -> None:
    """Somebody said which column is what: let the worker read the file. A second tap is nothing."""
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state == State.READING and held.columns == places:
            return
        if sentences := confirm_blockers(held, places):
            raise NotReady(*sentences)
        held.columns, held.state, held.working_since = places, State.READING, clock.now()
        held.save(update_fields=["columns", "state", "working_since"])
        audit.record("roster.columns_confirmed", held, by=by)
        _hand_over(held)


def confirm_blockers(roster_import: RosterImport, places: Places) -> list[str]:
    """Why the file can't be read with these columns, in sentences."""
    if roster_import.state != State.COLUMNS:
        return [_("This file isn't waiting for its columns.")]
    if not store.path(roster_import.upload).is_file():
        return [_("The file waited for more than a day and was removed. Send it again.")]
    ours = columns.of(roster_import.kind, roster_import.program)
    lacking = [
        _("Choose the column that holds “%(column)s”.") % {"column": column.label}
        for column in missing(places, ours)
    ]
    if len(set(places.values())) < len(places):
        lacking.append(_("Two of ours can't be the same column of the file."))
    return lacking


def ask_again(roster_import: RosterImport, *, by: User) -> None:
    """Put a plan aside that was made with columns remembered from before, to choose others."""
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state == State.COLUMNS:
            return
        if not may_ask_again(held):
            raise NotReady(_("The file was read and removed. Send it again to choose columns."))
        held.changes.all().delete()
        held.state, held.counts = State.COLUMNS, {}
        held.save(update_fields=["state", "counts"])
        audit.record("roster.columns_reopened", held, by=by)


def may_ask_again(roster_import: RosterImport) -> bool:
    waits = roster_import.state == State.PLANNED and roster_import.upload
    return bool(waits) and store.path(roster_import.upload).is_file()


def sweep() -> int:
    """Remove uploads that nobody came for, and end what waited for them."""
    oldest = clock.now() - store.FORGOTTEN_AFTER
    late = RosterImport.objects.with_scopes_disabled().filter(uploaded_at__lt=oldest)
    late.filter(state=State.COLUMNS).update(
        state=State.REFUSED,
        headings=[],
        problem=_("The file waited for more than a day and was removed. Send it again."),
    )
    late.exclude(upload="").exclude(state=State.READING).update(upload="")
    return store.sweep()
