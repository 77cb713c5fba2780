"""What a list would bring: line by line, new, here already, or why not."""

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _
from django_scopes import scope
from procrastinate.contrib.django import app

from pthv import audit
from pthv.models import Program, User
from pthv.tables import store
from pthv.tables.problems import Unreadable
from training.models import CertificateImport, CertificateLine

from .ledger import Ledger
from .read import Said, read

log = logging.getLogger(__name__)
State = CertificateImport.State
CHUNK = 2000
LONGEST_FILE_NAME = 200


def receive(name: str, chunks: Iterable[bytes], *, program: Program, by: User) -> CertificateImport:
    """Keep an upload for the worker, which plans it."""
    upload = store.keep(chunks)
    try:
        with transaction.atomic():
            found = CertificateImport.objects.create(
                program=program,
                file_name=Path(name).name[:LONGEST_FILE_NAME],
                upload=upload,
                uploaded_by=by,
            )
            audit.record("certificate_import.uploaded", found, by=by)
            app.configure_task("plan_certificates").defer(program_id=program.pk, import_id=found.pk)
    except BaseException:
        store.forget(upload)
        raise
    return found


def run(program_id: int, import_id: int) -> None:
    """Plan a list that was kept, or say why it can't be read; its file goes either way."""
    with scope(program=Program.objects.get(pk=program_id)):
        found = CertificateImport.objects.select_related("program").get(pk=import_id)
        if found.state != State.READING:
            return
        try:
            path = store.path(found.upload)
            if not path.is_file():
                raise Unreadable(_("The file is gone; send it again."))
            plan(found, read(path))
        except Unreadable as unreadable:
            refuse(found, str(unreadable))
        except Exception as error:
            # No traceback: its variables are lines of the file.
            log.error("certificate import %s failed: %s", import_id, type(error).__name__)
            refuse(found, _("Something unexpected stands in the file. Nothing changed."))
        store.forget(found.upload)


def give_up(program_id: int, import_id: int) -> None:
    """End an import whose file ended every worker that read it."""
    with scope(program=Program.objects.get(pk=program_id)):
        found = CertificateImport.objects.get(pk=import_id)
        store.forget(found.upload)
        refuse(found, _("The file couldn't be read. Save it again, or as CSV UTF-8."))


def refuse(found: CertificateImport, problem: str) -> None:
    """End an import that couldn't be read, with the sentence that says why."""
    reading = CertificateImport.objects.filter(pk=found.pk, state=State.READING)
    reading.update(state=State.REFUSED, problem=problem, upload="")


@transaction.atomic
def plan(found: CertificateImport, lines: Iterable[Said]) -> None:
    """Write what each line would bring, all of it or nothing, once."""
    held = CertificateImport.objects.select_for_update().get(pk=found.pk)
    if held.state != State.READING:
        return  # another worker was faster, or it was put away
    ledger = Ledger(found.program)
    CertificateLine.objects.bulk_create(
        (
            CertificateLine(
                program_id=found.program_id,
                certificate_import=found,
                number=line.number,
                **ledger.judge(line)._asdict(),
            )
            for line in lines
        ),
        batch_size=CHUNK,
    )
    held.state, held.upload, held.counts = State.PLANNED, "", counted(held)
    held.save(update_fields=["state", "upload", "counts"])


def counted(found: CertificateImport) -> dict[str, int]:
    """How many lines there are of each kind."""
    return dict(Counter(found.lines.values_list("kind", flat=True)))
