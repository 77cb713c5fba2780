"""The one-screen log of a visit: written by one visitor, attested by each."""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import NotReady, raise_if
from pthv.models import User
from visits import scheduling
from visits.models import FollowUp, Visit, VisitLog, VisitParticipant

FACTS = (
    "minutes",
    "language",
    "adults_present",
    "student_present",
    "hopes",
    "strengths",
    "class_change",
)


@dataclass(frozen=True)
class Entry:
    """What a visitor writes down: counts, and words the family may read."""

    minutes: int
    language: str
    adults_present: int
    student_present: bool
    hopes: str = ""
    strengths: str = ""
    class_change: str = ""
    promise: str = ""
    promise_due_on: datetime.date | None = None

    def facts(self) -> dict[str, object]:
        """The fields of the log itself."""
        return {name: getattr(self, name) for name in FACTS}


def blockers(visit: Visit) -> list[str]:
    """Why this visit can't be logged: it lies ahead, never was, or is complete."""
    if visit.state == Visit.State.COMPLETED:
        return [_("This visit is complete. Its log stays as all of you left it.")]
    return scheduling.hold_blockers(visit)


@transaction.atomic
def write(visit: Visit, entry: Entry, *, by: User, seen: str = "") -> VisitLog:
    """Write or correct the log; the visit counts as held from here on.

    `seen` is the version the writer had on the screen (`version`, "" for none): if the
    partner has saved since, NotReady, and nothing of either is lost.
    """
    visit = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    participant = visit.participants.filter(educator__user=by).first()
    if participant is None:
        raise NotReady(_("Only who was there can log a visit."))
    raise_if(blockers(visit))
    if entry.promise and not entry.promise_due_on:
        raise NotReady(_("Say until when you will keep the promise."))
    visit = scheduling.hold(visit, by=by)
    log = VisitLog.objects.filter(visit=visit).first()
    promise = FollowUp.objects.open().filter(visit=visit).first()
    if log and _says(log, promise, entry):
        return log
    if version(log) != seen:
        raise NotReady(
            _("Your partner saved this log while you were writing. Read theirs, then add yours.")
        )
    log = log or VisitLog(program_id=visit.program_id, visit=visit)
    for name, value in entry.facts().items():
        setattr(log, name, value)
    log.logged_at, log.logged_by = clock.now(), by
    log.save()
    _promise(visit, promise, participant, entry)
    # Who wrote it stands by it; a correction has to be attested anew by the partner.
    visit.participants.exclude(pk=participant.pk).update(attested_at=None)
    VisitParticipant.objects.filter(pk=participant.pk).update(attested_at=log.logged_at)
    audit.record("visit.logged", visit, by=by, minutes=entry.minutes)
    return log


def version(log: VisitLog | None) -> str:
    """What tells one saved state of a log from another."""
    return log.logged_at.astimezone(datetime.UTC).isoformat() if log else ""


def _says(log: VisitLog, promise: FollowUp | None, entry: Entry) -> bool:
    same = all(getattr(log, name) == value for name, value in entry.facts().items())
    promised = (promise.promise, promise.due_on) if promise else ("", None)
    return same and promised == (entry.promise, entry.promise_due_on if entry.promise else None)


def _promise(
    visit: Visit, promise: FollowUp | None, participant: VisitParticipant, entry: Entry
) -> None:
    """One promise a visit: written again it is corrected, emptied it is taken back."""
    if promise and not entry.promise:
        promise.delete()
    elif entry.promise and entry.promise_due_on:
        promise = promise or FollowUp(
            program_id=visit.program_id, visit=visit, owner_id=participant.educator_id
        )
        promise.promise, promise.due_on = entry.promise, entry.promise_due_on
        promise.save()


@transaction.atomic
def keep(promise: FollowUp, *, by: User) -> FollowUp:
    """A promise was kept."""
    promise = FollowUp.objects.select_for_update().get(pk=promise.pk)
    if promise.kept_at is None:
        promise.kept_at, promise.kept_by = clock.now(), by
        promise.save(update_fields=["kept_at", "kept_by"])
        audit.record("promise.kept", promise, by=by)
    return promise
