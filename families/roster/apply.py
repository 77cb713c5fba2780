"""Apply a planned diff, or take it back: all of it or nothing, once."""

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_scopes import scope
from procrastinate.contrib.django import app

from families.models import Caregiver, RosterChange, RosterImport
from pthv import audit, clock, undo
from pthv.blocked import NotReady, raise_if
from pthv.models import Change, Program, User

from . import apply_families, apply_people, apply_schools, attributes, progress
from .ended import ENDED, KEPT_AWAY, by_people

State = RosterImport.State


def blockers(roster_import: RosterImport, *, leaving_confirmed: bool) -> list[str]:
    """Why not yet, in sentences; an import that was applied has none left to say."""
    if roster_import.state not in (State.PLANNED, State.APPLYING):
        return [_("This import isn't waiting to be applied.")]
    came = roster_import.uploaded_at
    since = Change.objects.filter(
        Q(made_at__gt=came) | Q(undone_at__gt=came), program=roster_import.program
    )
    if since.exists():
        return [
            _("Something was imported, merged or undone after this file came. Send the file again.")
        ]
    if by_people(roster_import.program, ENDED | KEPT_AWAY).filter(at__gt=came).exists():
        return [_("Somebody was ended after this file came. Send the file again.")]
    if not leaving_confirmed:
        return [leaving_sentence(leaving) for leaving in roster_import.counts.get("leaving", [])]
    return []


def leaving_sentence(leaving: dict) -> str:
    sentence = _("%(left)s of %(of)s teachers would leave. Confirm that first.")
    if leaving.get("who") == "guardians":
        sentence = _("%(left)s of %(of)s guardians would be ended. Confirm that first.")
    if leaving.get("who") == "caregivers":
        sentence = _("%(left)s of %(of)s caregivers would be ended. Confirm that first.")
    if leaving["school"]:
        sentence = _("%(left)s of %(of)s students would leave %(school)s. Confirm that first.")
    return sentence % leaving


def begin(roster_import: RosterImport, *, leaving_confirmed: bool) -> bool:
    """Hand a plan to the worker; False if it was handed over before (a second tap)."""
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state in (State.APPLYING, State.APPLIED):
            return False
        if sentences := blockers(held, leaving_confirmed=leaving_confirmed):
            raise NotReady(*sentences)
        held.state, held.leaving_confirmed, held.problem = State.APPLYING, leaving_confirmed, ""
        held.working_since = clock.now()
        held.save(update_fields=["state", "leaving_confirmed", "problem", "working_since"])
        progress.begin(held, total=_to_apply(held).count())
        return True


def hand_over(roster_import: RosterImport, *, leaving_confirmed: bool, by: User) -> None:
    """Let the worker apply a plan that a coordinator looked at."""
    with transaction.atomic():
        if begin(roster_import, leaving_confirmed=leaving_confirmed):
            app.configure_task("apply_roster").defer(
                program_id=roster_import.program_id, import_id=roster_import.pk, by_id=by.pk
            )


def discard_blockers(roster_import: RosterImport) -> list[str]:
    """Why an import can't be put away, in sentences."""
    if roster_import.applied_at:
        return [_("This import was applied already.")]
    if roster_import.working and not roster_import.stuck:
        return [_("The file is being worked on. Look again in a while.")]
    return []


def discard(roster_import: RosterImport, *, by: User) -> None:
    """Put an import away; its lines go with it, for they hold names that nobody asked to keep."""
    with transaction.atomic():
        # A row that is locked is not stuck: a worker applies it right now.
        free = RosterImport.objects.select_for_update(skip_locked=True)
        held = free.filter(pk=roster_import.pk).first()
        if held is None:
            raise NotReady(_("The file is being worked on. Look again in a while."))
        if sentences := discard_blockers(held):
            raise NotReady(*sentences)
        if held.state == State.DISCARDED:
            return
        held.changes.all().delete()
        held.state, held.headings = State.DISCARDED, []
        held.save(update_fields=["state", "headings"])
        audit.record("roster.discarded", held, by=by)


def run(roster_import_id: int, *, program: Program, by: User) -> None:
    """Apply a plan; should it fail, say so on its page and leave the roster as it was."""
    try:
        with progress.shown(roster_import_id):
            apply(roster_import_id, program=program, by=by)
    except Exception:
        with scope(program=program):
            RosterImport.objects.filter(pk=roster_import_id, state=State.APPLYING).update(
                state=State.PLANNED,
                problem=_("It could not be applied, and nothing changed. Send the file again."),
            )
        raise


def apply(roster_import_id: int, *, program: Program, by: User) -> None:
    """Write the plan into the roster, in one transaction; once is as good as many times."""
    with scope(program=program), transaction.atomic():
        # One at a time in a program: NO KEY leaves other people's inserts alone.
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        roster_import = RosterImport.objects.select_for_update().get(pk=roster_import_id)
        if roster_import.state != State.APPLYING:
            return
        if sentences := blockers(roster_import, leaving_confirmed=roster_import.leaving_confirmed):
            roster_import.state, roster_import.problem = State.PLANNED, " ".join(sentences)
            roster_import.save(update_fields=["state", "problem"])
            return
        changes, label = _to_apply(roster_import), roster_import.file_name
        with undo.recorded("roster.applied", program=program, by=by, label=label) as change:
            if roster_import.kind == RosterImport.Kind.ATTRIBUTES:
                attributes.apply(program, changes)
            elif roster_import.kind == RosterImport.Kind.CONTACTS:
                apply_families.apply(program, changes)
            else:
                apply_schools.apply(program, changes)
                apply_people.apply(program, changes, roster_import.counts["years"])
        roster_import.state, roster_import.change = State.APPLIED, change
        roster_import.applied_at, roster_import.applied_by = clock.now(), by
        roster_import.save(update_fields=["state", "change", "applied_at", "applied_by"])
        audit.record("roster.applied", roster_import, by=by, counts=roster_import.counts)


def _to_apply(roster_import: RosterImport) -> QuerySet[RosterChange]:
    return roster_import.changes.exclude(kind=RosterChange.Kind.REFUSED)


def undo_blockers(roster_import: RosterImport) -> list[str]:
    """Why an import can't be undone, as far as it can be said without trying."""
    if roster_import.state not in (State.APPLIED, State.UNDOING) or roster_import.change is None:
        return [_("This import can't be undone.")]
    if reasons := undo.blockers(roster_import.change):
        return reasons
    # Whoever had been ended by this file already has no other row than it wrote.
    ended = by_people(roster_import.program).filter(at__gt=roster_import.applied_at)
    rows = roster_import.change.images.filter(table=Caregiver._meta.db_table)
    if rows.filter(row__in=list(ended.values_list("subject_id", flat=True))).exists():
        return [_("This can't be undone: it would bring back somebody who was ended since.")]
    return []


def hand_over_undo(roster_import: RosterImport, *, by: User) -> None:
    """Let the worker take back an import that was applied; a second tap changes nothing."""
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state in (State.UNDOING, State.UNDONE):
            return
        if sentences := undo_blockers(held):
            raise NotReady(*sentences)
        held.state, held.problem, held.working_since = State.UNDOING, "", clock.now()
        held.save(update_fields=["state", "problem", "working_since"])
        progress.begin(held, total=undo.size(held.change))
        app.configure_task("undo_roster").defer(
            program_id=held.program_id, import_id=held.pk, by_id=by.pk
        )


def run_undo(roster_import_id: int, *, program: Program, by: User) -> None:
    """Take an import back; should it fail, say so on its page and leave the roster as it is."""
    try:
        with progress.shown(roster_import_id):
            take_back(roster_import_id, program=program, by=by)
    except Exception as failed:
        why = _("It could not be undone, and nothing changed.")
        if isinstance(failed, NotReady):
            why = " ".join(failed.sentences)
        with scope(program=program):
            RosterImport.objects.filter(pk=roster_import_id, state=State.UNDOING).update(
                state=State.APPLIED, problem=why
            )
        if not isinstance(failed, NotReady):
            raise


def take_back(roster_import_id: int, *, program: Program, by: User) -> None:
    """Put every row back as it was before the import; once is as good as many times."""
    with scope(program=program), transaction.atomic():
        Program.objects.select_for_update(no_key=True).get(pk=program.pk)
        roster_import = RosterImport.objects.select_for_update().get(pk=roster_import_id)
        if roster_import.state != State.UNDOING:
            return
        raise_if(undo_blockers(roster_import))
        undo.take_back(roster_import.change, by=by, progress=progress.advance)
        roster_import.state = State.UNDONE
        roster_import.save(update_fields=["state"])
        audit.record("roster.undone", roster_import, by=by)
