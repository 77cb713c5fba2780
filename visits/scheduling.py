"""From a yes to a time that holds: schedule, confirm, cancel, hold.

The database refuses two visits of one educator or family at one time; actions lock the
invitation, then the visit, then the people, always in the same order, so that a race ends in a
sentence, not a deadlock.
"""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from psycopg import Error as PsycopgError
from psycopg.errors import DeadlockDetected

from families.models import Family, Student
from pthv import audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, User
from visits import family_messages, interpreter_asks, interpreting, teams, telling
from visits.blockers import blockers, family_blockers
from visits.family_words import ONLY_AHEAD
from visits.invitations import locked
from visits.models import (
    FamilyLink,
    Invitation,
    TeamMember,
    Visit,
    VisitParticipant,
    VisitStudent,
)
from visits.models.interpreting import IN_ONE_PLACE

__all__ = [
    "NotReady",
    "blockers",
    "cancel",
    "confirm",
    "family_blockers",
    "forget_addresses",
    "hold",
    "hold_blockers",
    "schedule",
    "slot",
]

State = Visit.State


def slot(starts_at: datetime.datetime, minutes: int = 60) -> DateTimeTZRange:
    """A stretch of time; its end is not part of it, so that visits can follow each other."""
    return DateTimeTZRange(starts_at, starts_at + datetime.timedelta(minutes=minutes), "[)")


@transaction.atomic
def schedule(
    invitation: Invitation,
    during: DateTimeTZRange,
    place: str,
    *,
    by: User,
    address: str = "",
    interpret: str = "",
) -> Visit:
    """Schedule the visit of an invitation that has a yes and a team; the same twice is one.

    `address`: where to meet, if that is neither home nor school. `interpret`: the language for
    which an interpreter is needed. Raises NotReady with every blocker.
    """
    invitation = locked(invitation, "team")
    standing = Visit.objects.standing().filter(invitation=invitation).first()
    if standing and standing.during == during and standing.place == place:
        return standing
    if standing:
        raise NotReady(
            _("This visit is scheduled for %(moment)s already. Cancel it to choose another time.")
            % {"moment": wording.moment(standing.during.lower, invitation.program)}
        )
    members = invitation.team.memberships if invitation.team else TeamMember.objects.none()
    team = locked_people(invitation, list(members.values_list("educator", flat=True)))
    reasons = blockers(invitation, team, during, place)
    if interpret:
        on = during.lower.astimezone(invitation.program.zone).date()
        reasons += interpreter_asks.blockers(interpret, team, invitation.school, on)
    raise_if(reasons)
    with taken_in_words():
        visit = _create(invitation, team, during, place, address, by)
    audit.record("visit.scheduled", visit, by=by, starts_at=during.lower.isoformat())
    family_messages.tell_time(visit)
    telling.tell(visit, "visit_scheduled", team, by=by)
    if interpret:
        interpreting.request_for(visit, interpret, by=by)
    return visit


@contextmanager
def taken_in_words() -> Iterator[None]:
    """Somebody who was faster is said in a sentence; what was done within is undone."""
    try:
        with transaction.atomic():
            yield
    except (IntegrityError, OperationalError) as refused:
        if not _taken(refused):
            raise
        raise NotReady(_("Somebody was faster: this time is taken. Pick another.")) from refused


def _taken(refused: Exception) -> bool:
    """Whether the database refused because somebody else has this time by now."""
    cause = refused.__cause__
    if isinstance(cause, DeadlockDetected):
        return True
    return isinstance(cause, PsycopgError) and cause.diag.constraint_name in {
        "educator_visits_one_at_a_time",
        "family_visited_one_at_a_time",
        "interpreter_one_at_a_time",
        IN_ONE_PLACE,
        "one_visit_an_invitation",
    }


def locked_people(invitation: Invitation, educators: Sequence[int]) -> list[Educator]:
    """These in their order; their rows and then the family's locked in order of their ids."""
    people = teams.locked(educators)
    Family.objects.select_for_update(no_key=True).get(pk=invitation.family_id)
    return people


def _create(
    invitation: Invitation,
    team: Sequence[Educator],
    during: DateTimeTZRange,
    place: str,
    address: str,
    by: User,
) -> Visit:
    visit = Visit.objects.create(
        program=invitation.program,
        invitation=invitation,
        school=invitation.school,
        family=invitation.family,
        kind=invitation.kind,
        place=place,
        address=address if place == Visit.Place.NEUTRAL else "",
        during=during,
        scheduled_at=clock.now(),
        scheduled_by=by,
    )
    VisitParticipant.objects.bulk_create(
        VisitParticipant(
            program=invitation.program,
            visit=visit,
            educator=educator,
            role=VisitParticipant.Role.PARTNER if place else VisitParticipant.Role.LEAD,
            during=during,
        )
        for place, educator in enumerate(team)
    )
    children = Student.objects.enrolled().filter(family=invitation.family)
    VisitStudent.objects.bulk_create(
        VisitStudent(program=invitation.program, visit=visit, student=child) for child in children
    )
    return visit


@transaction.atomic
def confirm(visit: Visit, *, by: User, seen: int | None = None) -> Visit:
    """Somebody else of those who go than who chose the time, or whoever coordinates, says that it
    holds. `seen`: the `sequence` of what they were shown, which must be the one that stands."""
    visit = Visit.objects.locked(visit.pk)
    raise_if_changed(visit, seen)
    mine = visit.participants.filter(educator__user=by)
    back = mine.exclude(declined_at=None).update(declined_at=None)  # they can after all
    if visit.scheduled_by_id == by.pk and mine.exists():
        if back:
            return visit
        raise NotReady(_("Your partner confirms this visit. They were sent a message."))
    raise_if(_away(visit))
    if visit.state == State.SCHEDULED:
        visit.state, visit.confirmed_at, visit.confirmed_by = State.CONFIRMED, clock.now(), by
        visit.save(update_fields=["state", "confirmed_at", "confirmed_by"])
        audit.record("visit.confirmed", visit, by=by)
    elif visit.state not in (State.CONFIRMED, State.HELD, State.COMPLETED):
        raise NotReady(_("This visit was cancelled. Find a new time."))
    return visit


def raise_if_changed(visit: Visit, seen: int | None) -> None:
    """Refuse what was decided on a page that shows another time, or other people."""
    if seen is not None and seen != visit.sequence:
        raise NotReady(_("This visit was changed since. Look at it again."))


@transaction.atomic
def cancel(
    visit: Visit,
    ending: str,
    *,
    by: User | None,
    because: str = "",
    link: FamilyLink | None = None,
) -> Visit:
    """End a visit that won't be: by the family, by us, or nobody was home.

    `by`: None where the family itself does, by its `link`. `because` is ours, for colleagues; no
    family is asked. Its yes stays, so that a new time can be found.
    """
    locked_invitation_of(visit)
    visit = Visit.objects.locked(visit.pk)
    if visit.state == ending:
        return visit
    if not visit.is_ahead:
        raise NotReady(str(ONLY_AHEAD))
    if ending == State.NOT_HOME and visit.during.lower > clock.now():
        raise NotReady(
            _("This visit starts %(moment)s.")
            % {"moment": wording.moment(visit.during.lower, visit.program)}
        )
    visit.state, visit.occupies, visit.address = ending, False, ""
    visit.ended_at, visit.ended_by = clock.now(), by
    visit.because = because.strip() if ending == State.EDUCATOR_CANCELLED else ""
    visit.sequence += 1
    family_messages.tell_cancelled(visit)  # before: beside a no, only whoever has a visit is told
    ended = ["state", "occupies", "address", "sequence", "ended_at", "ended_by", "because"]
    visit.save(update_fields=ended)
    of_whom = {"caregiver": link.caregiver_id, "link": link.pk} if link else {}
    audit.record("visit.cancelled", visit, by=by, ending=ending, **of_whom)
    telling.tell(visit, "visit_cancelled", [one.educator for one in visit.visitors], by=by)
    interpreting.visit_ends(visit, by=by)
    return visit


@transaction.atomic
def hold(visit: Visit, *, by: User) -> Visit:
    """The visit took place; from here on it waits to be logged and reflected on."""
    visit = Visit.objects.locked(visit.pk)
    if visit.state in (State.HELD, State.COMPLETED):
        return visit
    raise_if(hold_blockers(visit))
    visit.state, visit.held_at, visit.held_by = State.HELD, clock.now(), by
    visit.address = ""  # nobody has to find the way any more
    visit.save(update_fields=["state", "address", "held_at", "held_by"])
    audit.record("visit.held", visit, by=by)
    return visit


def hold_blockers(visit: Visit) -> list[str]:
    """Why this visit can't have taken place (yet)."""
    if not visit.occupies:
        return [_("This visit was cancelled. Find a new time.")]
    if visit.is_ahead and visit.during.lower > clock.now():
        return [
            _("This visit starts %(moment)s. Log it afterwards.")
            % {"moment": wording.moment(visit.during.lower, visit.program)}
        ]
    return _away(visit)


def _away(visit: Visit) -> list[str]:
    """A sentence for each who said that they can't go."""
    return [
        _("%(name)s can't go. Choose who goes instead.") % {"name": one.educator}
        for one in visit.visitors
        if one.declined_at
    ]


def locked_invitation_of(visit: Visit) -> Invitation:
    """For what writes both: an answer locks the invitation, and then the visit it calls off."""
    return locked(Invitation(pk=visit.invitation_id), "team")


def forget_addresses() -> int:
    """Drop where to meet of visits that are over, though nobody has said how they went."""
    over = Visit.objects.exclude(address="").filter(during__endswith__lt=clock.now())
    return over.update(address="")
