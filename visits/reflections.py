"""Reflecting together: each visitor says the log is right, and what they learned."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import NotReady
from pthv.models import User
from visits import pay
from visits.models import Invitation, Reflection, Visit, VisitLog


@dataclass(frozen=True)
class Thoughts:
    """What one visitor assumed before, learned, and will do; `learned` is enough."""

    learned: str
    assumed: str = ""
    will_do: str = ""
    shared_with_debrief: bool = False


@transaction.atomic
def reflect(visit: Visit, thoughts: Thoughts, *, by: User) -> Reflection:
    """Attest the log and reflect; when the last visitor has, the visit is complete and paid."""
    visit = (
        Visit.objects.select_for_update(of=("self",))
        .select_related("program", "school", "invitation")
        .get(pk=visit.pk)
    )
    participant = visit.participants.filter(educator__user=by).first()
    if participant is None:
        raise NotReady(_("Only who was there can reflect on a visit."))
    if visit.state not in (Visit.State.HELD, Visit.State.COMPLETED):
        raise NotReady(_("Reflect after the visit. It has not been held yet."))
    if not VisitLog.objects.filter(visit=visit).exists():
        raise NotReady(_("Log the visit first; it takes a minute. Then reflect on it."))
    if not thoughts.learned.strip():
        raise NotReady(_("One line is enough: what did you learn?"))
    reflection, created = Reflection.objects.update_or_create(
        program_id=visit.program_id,
        visit=visit,
        educator_id=participant.educator_id,
        defaults={**vars(thoughts), "written_at": clock.now()},
    )
    if participant.attested_at is None:
        participant.attested_at = clock.now()
        participant.save(update_fields=["attested_at"])
    if created:
        audit.record("visit.reflected", visit, by=by)
    if visit.state == Visit.State.HELD:
        _complete_if_all_did(visit, by)
    return reflection


def _complete_if_all_did(visit: Visit, by: User) -> None:
    participants = list(visit.participants.all())
    reflected = set(visit.reflections.values_list("educator", flat=True))
    if not all(p.attested_at and p.educator_id in reflected for p in participants):
        return
    visit.state, visit.completed_at = Visit.State.COMPLETED, clock.now()
    visit.save(update_fields=["state", "completed_at"])
    Invitation.objects.filter(pk=visit.invitation_id).update(visited_at=visit.completed_at)
    audit.record("visit.completed", visit, by=by)
    pay.earn(visit)
