"""A visit that changes: another time, somebody else who goes, somebody who can't after all.

Calendars believe the highest `sequence`: each change that they hear of raises it. Locks are
taken as scheduling takes them.
"""

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, User
from visits import family_messages, interpreting, safety, scheduling, teams, telling
from visits.family_words import ONLY_AHEAD
from visits.models import FamilyLink, Visit

State = Visit.State


@transaction.atomic
def move(
    visit: Visit,
    during: DateTimeTZRange,
    place: str,
    *,
    by: User | None,
    address: str = "",
    interpret: str | None = None,
    link: FamilyLink | None = None,
    seen: int | None = None,
) -> Visit:
    """Give a visit that lies ahead another time or place; to the same again changes nothing.

    `by`: None where the family itself does, by its `link`. `interpret`: the language to be
    interpreted at the new time; "": none any more; None: as before. `seen`: see
    scheduling.confirm. It waits to be confirmed anew. Raises NotReady with every blocker; then
    the old time stands.
    """
    invitation = scheduling.locked_invitation_of(visit)
    visit = Visit.objects.locked(visit.pk)
    address = address if place == Visit.Place.NEUTRAL else ""
    if (visit.during, visit.place, visit.address) == (during, place, address):
        return visit
    scheduling.raise_if_changed(visit, seen)
    _raise_unless_ahead(visit)
    team = scheduling.locked_people(invitation, [one.educator_id for one in visit.visitors])
    reasons = scheduling.blockers(invitation, team, during, place, but=visit)
    raise_if(reasons + interpreting.move_blockers(visit, team, during, interpret))
    promised = interpreting.let_go(visit, during, by=by)
    was = visit.during
    visit.during, visit.place, visit.address = during, place, address
    visit.timed_at, visit.reminded = clock.now(), None
    visit.scheduled_by = by or visit.scheduled_by
    _wait_anew(visit)
    with scheduling.taken_in_words():
        visit.save()
    safety.start_over(visit)
    if interpret != "":
        interpreting.ask_anew(visit, promised, by=by)
    of_whom = {"caregiver": link.caregiver_id, "link": link.pk} if link else {}
    times = {"was": was.lower.isoformat(), "starts_at": during.lower.isoformat()}
    audit.record("visit.moved", visit, by=by, **times, **of_whom)
    telling.tell(visit, "visit_moved", team, by=by, was=was.lower)
    visit.invitation = invitation
    family_messages.tell_moved(visit)
    return visit


@transaction.atomic
def swap(visit: Visit, out: Educator, to: Educator, *, by: User, seen: int | None = None) -> Visit:
    """Let somebody else go instead; the same twice is one. `seen`: see scheduling.confirm."""
    invitation = scheduling.locked_invitation_of(visit)
    visit = Visit.objects.locked(visit.pk)
    going = [one.educator_id for one in visit.visitors]
    if out.pk not in going and to.pk in going:
        return visit
    scheduling.raise_if_changed(visit, seen)
    if not visit.is_ahead:
        raise NotReady(str(ONLY_AHEAD))
    if out.pk not in going:
        raise NotReady(_("%(name)s doesn't go on this visit any more.") % {"name": out})
    if to.pk in going:
        raise NotReady(_("%(name)s goes on this visit already.") % {"name": to})
    wanted = [to.pk if pk == out.pk else pk for pk in going]
    people = scheduling.locked_people(invitation, [*wanted, out.pk])
    team = people[:-1]
    raise_if(
        scheduling.blockers(invitation, team, visit.during, visit.place, but=visit)
        + interpreting.goes_blockers(visit, to)
    )
    _wait_anew(visit)
    visit.save()
    theirs = visit.participants.filter(educator=out)
    with scheduling.taken_in_words():
        theirs.update(educator=to, declined_at=None)
    invitation.team = teams.make(invitation.school, team)
    invitation.save(update_fields=["team"])
    audit.record("visit.swapped", visit, by=by, out=out.pk, to=to.pk)
    telling.tell(visit, "visit_left", [people[-1]], by=by)
    telling.tell(visit, "visit_scheduled", [to], by=by)
    staying = [person for person in team if person != to]
    telling.tell(visit, "visit_swapped", staying, by=by, out=out, to_come=to)
    visit.invitation = invitation
    family_messages.tell_swapped(visit)
    return visit


@transaction.atomic
def decline(visit: Visit, *, by: User) -> Visit:
    """Say that one can't go after all: the visit stands, and somebody else is looked for."""
    scheduling.locked_invitation_of(visit)
    visit = Visit.objects.locked(visit.pk)
    mine = next((one for one in visit.visitors if one.educator.user_id == by.pk), None)
    if mine is None:
        raise NotReady(_("You don't go on this visit."))
    if mine.declined_at:
        return visit
    _raise_unless_ahead(visit)
    visit.participants.filter(pk=mine.pk).update(declined_at=clock.now())
    _wait_anew(visit)
    visit.save()
    audit.record("visit.declined", visit, by=by)
    others = [one.educator for one in visit.visitors if one.pk != mine.pk]
    telling.tell(visit, "visit_declined", others, by=by)
    return visit


def _raise_unless_ahead(visit: Visit) -> None:
    if not visit.is_ahead:
        raise NotReady(str(ONLY_AHEAD))
    if visit.during.lower <= clock.now() or safety.is_there(visit):
        raise NotReady(_("This visit has begun. Say how it went instead."))


def _wait_anew(visit: Visit) -> None:
    visit.state, visit.confirmed_at, visit.confirmed_by = State.SCHEDULED, None, None
    visit.sequence += 1
