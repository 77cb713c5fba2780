"""Reflecting together: each visitor says the log is right, and what they learned."""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import Changed, NotReady, raise_if
from pthv.models import User
from training import facts
from training.models import TrainingFact
from visits import debriefs, logs, pay, scheduling, themes
from visits.models import (
    Invitation,
    Reflection,
    Visit,
    VisitKind,
    VisitLog,
    VisitParticipant,
)

# Which visits a course may ask for.
MADE = {
    VisitKind.FIRST: TrainingFact.Kind.FIRST_VISIT,
    VisitKind.SECOND: TrainingFact.Kind.SECOND_VISIT,
}

WORDS = ("learned", "assumed", "will_do", "shared_with_debrief")


@dataclass(frozen=True)
class Thoughts:
    """What one visitor assumed before, learned, and will do; `learned` is enough.

    `would_help` goes to the coordinator without a name, and is kept apart from the rest.
    """

    learned: str
    assumed: str = ""
    will_do: str = ""
    shared_with_debrief: bool = False
    themes: frozenset[int] = frozenset()
    would_help: str = ""

    def words(self) -> dict[str, object]:
        """The fields of the reflection itself."""
        return {name: getattr(self, name) for name in WORDS}


def blockers(visit: Visit) -> list[str]:
    """Why nobody can reflect on this visit yet."""
    if not visit.occupies:
        return [_("This visit did not take place.")]
    if visit.is_ahead:
        return [_("Reflect after the visit. It has not been held yet.")]
    if not hasattr(visit, "log"):
        return [_("Log the visit first; it takes a minute. Then reflect on it.")]
    return []


@transaction.atomic
def reflect(
    visit: Visit,
    thoughts: Thoughts,
    *,
    by: User,
    seen: str | None = None,
    instead_of: str | None = None,
) -> Reflection:
    """Attest the log and reflect; when the last visitor has, the visit is complete and paid.

    `seen`: the version of the log on the screen; nobody stands by what they did not read.
    `instead_of`: the version of one's own reflection there (`version`, "" for none); if another
    page of one's own has saved since, Changed.
    """
    visit = _locked(visit)
    participant = _participant(visit, by)
    raise_if(blockers(visit))
    if not thoughts.learned.strip():
        raise NotReady(_("One line is enough: what did you learn?"))
    if participant.attested_at is None and seen is not None:
        raise_if(_unread(visit, seen))
    earlier = Reflection.objects.filter(visit=visit, educator=participant.educator_id).first()
    if instead_of is not None and version(earlier) != instead_of and not _says(earlier, thoughts):
        raise Changed(_("You saved this on another page. Both texts are here: choose, then save."))
    reflection, created = Reflection.objects.update_or_create(
        program_id=visit.program_id,
        visit=visit,
        educator_id=participant.educator_id,
        defaults={**thoughts.words(), "written_at": clock.now()},
    )
    themes.tap_reflection(reflection, thoughts.themes)
    debriefs.ask_for(visit.program, thoughts.would_help, school=visit.school)
    if participant.attested_at is None:
        participant.attested_at = clock.now()
        participant.save(update_fields=["attested_at"])
    if created:
        audit.record("visit.reflected", visit, by=by)
    if visit.state == Visit.State.HELD:
        _complete_if_all_did(visit, by)
    return reflection


def version(reflection: Reflection | None) -> str:
    """What tells one saved state of a reflection from another."""
    return reflection.written_at.astimezone(datetime.UTC).isoformat() if reflection else ""


def _says(reflection: Reflection | None, thoughts: Thoughts) -> bool:
    if reflection is None:
        return False
    tapped = set(reflection.taps.values_list("theme", flat=True))
    return tapped == thoughts.themes and all(
        getattr(reflection, name) == value for name, value in thoughts.words().items()
    )


@transaction.atomic
def attest(visit: Visit, *, seen: str, by: User) -> Visit:
    """Say again that the log is right, after a partner changed it; twice is once.

    `seen`: the version of the log that was read (`logs.version`); what nobody read, nobody
    stands by.
    """
    visit = _locked(visit)
    participant = _participant(visit, by)
    raise_if(blockers(visit))
    if visit.state == Visit.State.COMPLETED or participant.attested_at:
        return visit
    raise_if(_unread(visit, seen))
    participant.attested_at = clock.now()
    participant.save(update_fields=["attested_at"])
    audit.record("visit.attested", visit, by=by)
    _complete_if_all_did(visit, by)
    return visit


def _unread(visit: Visit, seen: str) -> list[str]:
    if logs.version(VisitLog.objects.get(visit=visit)) == seen:
        return []
    return [_("The log was changed once more. Please read it again.")]


def _locked(visit: Visit) -> Visit:
    scheduling.locked_invitation_of(visit)
    return (
        Visit.objects.select_for_update(of=("self",))
        .select_related("program", "school", "invitation")
        .get(pk=visit.pk)
    )


def _participant(visit: Visit, by: User) -> VisitParticipant:
    participant = visit.participants.filter(educator__user=by).first()
    if participant is None:
        raise NotReady(_("Only who was there can reflect on a visit."))
    return participant


def _complete_if_all_did(visit: Visit, by: User) -> None:
    participants = list(visit.participants.all())
    reflected = set(visit.reflections.values_list("educator", flat=True))
    if not all(p.attested_at and p.educator_id in reflected for p in participants):
        return
    visit.state, visit.completed_at = Visit.State.COMPLETED, clock.now()
    visit.save(update_fields=["state", "completed_at"])
    Invitation.objects.filter(pk=visit.invitation_id).update(visited_at=visit.completed_at)
    audit.record("visit.completed", visit, by=by)
    _tell_training(visit, by)
    pay.earn(visit)


def _tell_training(visit: Visit, by: User) -> None:
    """A course may ask for visits made."""
    kind = MADE.get(VisitKind(visit.kind))
    if kind is None:
        return
    on = visit.starts_on
    went = [one.educator for one in visit.participants.select_related("educator")]
    facts.record(went, kind, on=on, key=f"visit:{visit.pk}", by=by)
