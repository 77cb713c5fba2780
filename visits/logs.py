"""The one-screen log of a visit: written by one visitor, attested by each."""

import datetime
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import Changed, NotReady, raise_if
from pthv.models import User
from visits import scheduling, themes
from visits.models import (
    FollowUp,
    Invitation,
    Visit,
    VisitGoals,
    VisitKind,
    VisitLog,
    VisitParticipant,
    VisitStudent,
)

FACTS = (
    "minutes",
    "place",
    "language",
    "interpreting",
    "adults_present",
    "student_present",
    "hopes",
    "strengths",
    "class_change",
)
OF_A_CHILD = ("was_there", "hopes", "strengths", "class_change")
GOALS = ("shared", "at_home", "at_school")


@dataclass(frozen=True)
class OfAChild:
    """What was learned of one of several children; `child`: the id of its VisitStudent."""

    child: int
    was_there: bool = True
    hopes: str = ""
    strengths: str = ""
    class_change: str = ""


@dataclass(frozen=True)
class Goals:
    """What a second or later visit sets out to do together."""

    shared: str = ""
    at_home: str = ""
    at_school: str = ""


@dataclass(frozen=True)
class Entry:
    """What a visitor writes down: counts, and words the family may read.

    `children`: of each child where there are several. `promise_owner`: the id of the educator who
    keeps the promise; None: whoever writes.
    """

    minutes: int
    language: str
    adults_present: int
    student_present: bool
    hopes: str = ""
    strengths: str = ""
    class_change: str = ""
    promise: str = ""
    promise_due_on: datetime.date | None = None
    promise_owner: int | None = None
    place: str = Visit.Place.HOME
    interpreting: str = VisitLog.Interpreting.NOT_NEEDED
    children: tuple[OfAChild, ...] = ()
    goals: Goals = Goals()
    themes: frozenset[int] = frozenset()

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
    partner has saved since, Changed, and nothing of either is lost.
    """
    visit = Visit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    participant = visit.participants.filter(educator__user=by).first()
    if participant is None:
        raise NotReady(_("Only who was there can log a visit."))
    raise_if(blockers(visit))
    entry = _tidied(visit, entry, participant)
    visit = scheduling.hold(visit, by=by)
    log = VisitLog.objects.filter(visit=visit).first()
    if log and saved(log) == entry:
        return log
    if version(log) != seen:
        raise Changed(
            _("This log was saved while you were writing. Both texts are here: choose, then save.")
        )
    log = log or VisitLog(program_id=visit.program_id, visit=visit)
    for name, value in entry.facts().items():
        setattr(log, name, value)
    log.logged_at, log.logged_by = clock.now(), by
    log.save()
    _write_of_children(visit, entry.children)
    _set_goals(visit, entry.goals)
    _promise(visit, entry)
    themes.tap_visit(visit, entry.themes)
    # Who wrote it stands by it; a correction has to be attested anew by the partner.
    visit.participants.exclude(pk=participant.pk).update(attested_at=None)
    VisitParticipant.objects.filter(pk=participant.pk).update(attested_at=log.logged_at)
    audit.record("visit.logged", visit, by=by, minutes=entry.minutes)
    return log


def _tidied(visit: Visit, entry: Entry, participant: VisitParticipant) -> Entry:
    """As it will be saved, or NotReady: a promise has its day and its owner, or none."""
    if visit.kind == VisitKind.FIRST and entry.goals != Goals():
        raise NotReady(_("A first visit is for hopes and dreams. Goals come with the second."))
    if not entry.promise:
        return replace(entry, promise_due_on=None, promise_owner=None)
    if not entry.promise_due_on:
        raise NotReady(_("Say until when you will keep the promise."))
    standing = FollowUp.objects.open().filter(visit=visit).values_list("owner", flat=True).first()
    owner = entry.promise_owner or standing or participant.educator_id
    if not visit.participants.filter(educator=owner).exists():
        raise NotReady(_("Only who was there can keep the promise."))
    return replace(entry, promise_owner=owner)


def version(log: VisitLog | None) -> str:
    """What tells one saved state of a log from another."""
    return log.logged_at.astimezone(datetime.UTC).isoformat() if log else ""


def saved(log: VisitLog) -> Entry:
    """What was written down, as it could be written again."""
    promise = FollowUp.objects.open().filter(visit=log.visit_id).first()
    goals = None if log.visit.kind == VisitKind.FIRST else getattr(log.visit, "goals", None)
    return Entry(
        **{name: getattr(log, name) for name in FACTS},
        promise=promise.promise if promise else "",
        promise_due_on=promise.due_on if promise else None,
        promise_owner=promise.owner_id if promise else None,
        children=tuple(
            OfAChild(one.pk, **{name: getattr(one, name) for name in OF_A_CHILD})
            for one in log.visit.several
        ),
        goals=Goals(**{name: getattr(goals, name) for name in GOALS}) if goals else Goals(),
        themes=log.visit.tapped,
    )


def _write_of_children(visit: Visit, children: Iterable[OfAChild]) -> None:
    said = {one.child: one for one in children}
    theirs = list(visit.visit_students.filter(pk__in=said))
    for row in theirs:
        for name in OF_A_CHILD:
            setattr(row, name, getattr(said[row.pk], name))
    VisitStudent.objects.bulk_update(theirs, OF_A_CHILD)


def _set_goals(visit: Visit, goals: Goals) -> None:
    if goals == Goals():
        VisitGoals.objects.filter(visit=visit).delete()
        return
    facts = asdict(goals) | {"program_id": visit.program_id, "kind": visit.kind}
    VisitGoals.objects.update_or_create(visit=visit, defaults=facts)


def _promise(visit: Visit, entry: Entry) -> None:
    """One promise a visit: written again it is corrected, emptied it is taken back."""
    promise = FollowUp.objects.open().filter(visit=visit).first()
    if promise and not entry.promise:
        promise.delete()
    elif entry.promise and entry.promise_due_on:
        promise = promise or FollowUp(program_id=visit.program_id, visit=visit)
        promise.promise, promise.due_on = entry.promise, entry.promise_due_on
        promise.owner_id = entry.promise_owner
        promise.save()


@transaction.atomic
def keep(
    promise: FollowUp, *, by: User, outcome: str = FollowUp.Outcome.KEPT, note: str = ""
) -> FollowUp:
    """A promise was kept, or settled otherwise; the first word on it counts."""
    promise = FollowUp.objects.select_for_update().get(pk=promise.pk)
    if promise.kept_at is None:
        promise.kept_at, promise.kept_by = clock.now(), by
        promise.outcome, promise.note = outcome, note.strip()
        promise.save(update_fields=["kept_at", "kept_by", "outcome", "note"])
        audit.record("promise.kept", promise, by=by, outcome=outcome)
    return promise


def earlier_promises(visit: Visit) -> list[FollowUp]:
    """What this school promised the family on visits before in this year, the latest first: to be
    spoken of on this one."""
    if visit.kind == VisitKind.FIRST:
        return []
    year = Invitation.objects.filter(pk=visit.invitation_id).values("school_year")
    before = FollowUp.objects.filter(
        visit__family=visit.family_id,
        visit__school=visit.school_id,
        visit__invitation__school_year__in=year,
        visit__during__startswith__lt=visit.during.lower,
    )
    return list(before.select_related("owner__user").order_by("-pk")[:3])
