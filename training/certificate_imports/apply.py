"""Write a planned list into the certifications, or take it back: all of it or nothing, once."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_scopes import scope
from procrastinate.contrib.django import app

from pthv import audit, clock, undo
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Program, User
from training import requirements
from training.models import (
    CertificateImport,
    CertificateLine,
    Certification,
    CertificationReminder,
)

from .ledger import Ledger
from .plan import CHUNK, counted
from .read import Said

State = CertificateImport.State
Kind = CertificateLine.Kind


@transaction.atomic
def hand_over(found: CertificateImport, *, by: User) -> None:
    """Let the worker apply a plan that a coordinator looked at; a second tap changes nothing."""
    held = CertificateImport.objects.select_for_update().get(pk=found.pk)
    if held.state in (State.APPLYING, State.APPLIED):
        return
    if held.state != State.PLANNED or not held.counts.get(Kind.NEW):
        raise NotReady(_("This list has nothing waiting to be applied."))
    _begin(held, State.APPLYING, "apply_certificates", by)


@transaction.atomic
def hand_over_undo(found: CertificateImport, *, by: User) -> None:
    """Let the worker take back a list that was applied; a second tap changes nothing."""
    held = CertificateImport.objects.select_for_update().get(pk=found.pk)
    if held.state in (State.UNDOING, State.UNDONE):
        return
    if sentences := undo_blockers(held):
        raise NotReady(*sentences)
    _begin(held, State.UNDOING, "undo_certificates", by)


def _begin(held: CertificateImport, state: str, task: str, by: User) -> None:
    held.state, held.problem = state, ""
    held.save(update_fields=["state", "problem"])
    app.configure_task(task).defer(program_id=held.program_id, import_id=held.pk, by_id=by.pk)


def undo_blockers(found: CertificateImport) -> list[str]:
    """Why an import can't be undone, as far as it can be said without trying."""
    if found.state != State.APPLIED or found.change is None:
        return [_("This list can't be undone.")]
    return undo.blockers(found.change)


@transaction.atomic
def discard(found: CertificateImport, *, by: User) -> None:
    """Put a list away; its lines go with it, for they hold names that nobody asked to keep."""
    held = CertificateImport.objects.select_for_update().get(pk=found.pk)
    if held.state == State.DISCARDED:
        return
    if held.state not in (State.PLANNED, State.REFUSED):
        raise NotReady(_("This list was applied already, or is being worked on."))
    held.lines.all().delete()
    held.state = State.DISCARDED
    held.save(update_fields=["state"])
    audit.record("certificate_import.discarded", held, by=by)


def run(import_id: int, *, program: Program, by: User) -> None:
    """Apply a plan; should it fail, say so on its page and leave everything as it was."""
    try:
        apply(import_id, program=program, by=by)
    except Exception:
        give_up(import_id, program=program)
        raise


def apply(import_id: int, *, program: Program, by: User) -> None:
    """Write the plan in one transaction; once is as good as many times."""
    with scope(program=program), transaction.atomic():
        # One at a time in a program: NO KEY leaves other people's inserts alone.
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        found = CertificateImport.objects.select_for_update().get(pk=import_id)
        if found.state != State.APPLYING:
            return
        lines = list(found.lines.filter(kind=Kind.NEW))
        educators = sorted({line.data["educator"] for line in lines})
        # Whoever certifies one of them by hand waits, and finds what this wrote.
        list(
            Educator.objects.select_for_update(no_key=True)
            .filter(pk__in=educators)
            .order_by("pk")
            .only("pk")
        )
        if changed := _judged_again(lines, program):
            CertificateLine.objects.bulk_update(changed, ["kind", "problem", "data"], CHUNK)
            found.state, found.counts = State.PLANNED, counted(found)
            found.problem = ngettext(
                "%(n)s line means something else by now. Look at it, then apply.",
                "%(n)s lines mean something else by now. Look at them, then apply.",
                len(changed),
            ) % {"n": len(changed)}
            found.save(update_fields=["state", "counts", "problem"])
            return
        with undo.recorded(
            "certificates.imported", program=program, by=by, label=found.file_name
        ) as change:
            issued = Certification.objects.bulk_create(_certifications(lines, program, by), CHUNK)
            # It may be what another course asked for; then that goes too, should this be undone.
            requirements.settle(*educators, by=by)
        found.state, found.change = State.APPLIED, change
        found.applied_at, found.applied_by = clock.now(), by
        found.save(update_fields=["state", "change", "applied_at", "applied_by"])
        _audited(found, issued, by)


def _judged_again(lines: list[CertificateLine], program: Program) -> list[CertificateLine]:
    """Those lines that would not be new any more, as they are now."""
    ledger, changed = Ledger(program), []
    for line in lines:
        verdict = ledger.judge(Said(line.number, line.data))
        if verdict.data != line.data or verdict.kind != line.kind:
            line.kind, line.problem, line.data = verdict.kind, verdict.problem, verdict.data
            changed.append(line)
    return changed


def _certifications(
    lines: list[CertificateLine], program: Program, by: User
) -> Iterator[Certification]:
    for line in lines:
        yield Certification(
            program=program,
            educator_id=line.data["educator"],
            course_id=line.data["course_id"],
            issued_on=line.data["issued_on"],
            expires_on=line.data["expires_on"],
            evidence=line.data.get("evidence", ""),
            issued_by=by,
        )


def _audited(found: CertificateImport, issued: list[Certification], by: User) -> None:
    """What certifying by hand keeps of each, and once for all of them."""
    audit.record("certificate_import.applied", found, by=by, counts=found.counts)
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                program_id=one.program_id,
                event="certification.issued",
                subject_type=str(one._meta.model_name),
                subject_id=one.pk,
                by=by,
                facts=_facts(one, found),
            )
            for one in issued
        ),
        CHUNK,
    )


def _facts(one: Certification, found: CertificateImport) -> dict[str, Any]:
    return {
        "educator": one.educator_id,
        "issued_on": str(one.issued_on),
        "expires_on": str(one.expires_on),
        "backdated": str(one.issued_on) < found.program.today.isoformat(),
        "certificate_import": found.pk,
    }


def run_undo(import_id: int, *, program: Program, by: User) -> None:
    """Take an import back; should it fail, say so on its page and leave all as it is."""
    try:
        take_back(import_id, program=program, by=by)
    except NotReady as blocked:
        _back(import_id, program, State.UNDOING, State.APPLIED, " ".join(blocked.sentences))
    except Exception:
        give_up(import_id, program=program)
        raise


def take_back(import_id: int, *, program: Program, by: User) -> None:
    """Put every row back as it was before the import, in one transaction, once."""
    with scope(program=program), transaction.atomic():
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        found = CertificateImport.objects.select_for_update().get(pk=import_id)
        if found.state != State.UNDOING or found.change is None:
            return
        # That somebody was told of an end that never was is no reason to keep it.
        brought = found.change.images.filter(
            table=Certification._meta.db_table, before__isnull=True
        )
        CertificationReminder.objects.filter(certification__in=brought.values("row")).delete()
        undo.take_back(found.change, by=by)
        found.state = State.UNDONE
        found.save(update_fields=["state"])
        audit.record("certificate_import.undone", found, by=by)


def give_up(import_id: int, *, program: Program) -> None:
    """End what failed, or what ended every worker that took it up, with a sentence."""
    sentence = _("It could not be applied, and nothing changed. Try again later.")
    _back(import_id, program, State.APPLYING, State.PLANNED, sentence)
    sentence = _("It could not be undone, and nothing changed. Try again later.")
    _back(import_id, program, State.UNDOING, State.APPLIED, sentence)


def _back(import_id: int, program: Program, state: str, to: str, problem: str) -> None:
    with scope(program=program):
        found = CertificateImport.objects.filter(pk=import_id, state=state)
        found.update(state=to, problem=problem)
