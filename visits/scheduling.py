"""From a yes to a time that holds: blockers, schedule, confirm, cancel, hold.

The database refuses two visits of one educator or family at one time; actions lock the
invitation, then the visit, then the people, always in the same order, so that a race ends in a
sentence, not a deadlock.
"""

import datetime
from collections.abc import Sequence

from django.db import IntegrityError, OperationalError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from psycopg import Error as PsycopgError
from psycopg.errors import DeadlockDetected

from families.models import Family, Student
from pthv import audit, clock, outbox, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, User
from training import certification
from visits import family_messages
from visits.family_words import ONLY_AHEAD
from visits.invitations import locked, no_blockers, not_visiting
from visits.models import (
    FamilyLink,
    Invitation,
    PayRate,
    Visit,
    VisitKind,
    VisitParticipant,
    VisitStudent,
)

__all__ = [
    "NotReady",
    "blockers",
    "cancel",
    "confirm",
    "family_blockers",
    "hold",
    "hold_blockers",
    "schedule",
    "slot",
]

State = Visit.State


def slot(starts_at: datetime.datetime, minutes: int = 60) -> DateTimeTZRange:
    """A stretch of time; its end is not part of it, so that visits can follow each other."""
    return DateTimeTZRange(starts_at, starts_at + datetime.timedelta(minutes=minutes), "[)")


def blockers(
    invitation: Invitation, team: Sequence[Educator], during: DateTimeTZRange, place: str
) -> list[str]:
    """Every reason why this visit may not be scheduled, in words that say what to do."""
    program, school = invitation.program, invitation.school
    starts = during.lower.astimezone(program.zone)
    reasons = family_blockers(invitation)
    if not 2 <= len(team) <= 3:
        reasons.append(_("Educators visit in pairs. Choose a partner first."))
    reasons += not_visiting(team, school, on=starts.date())
    reasons += _training_blockers(team, invitation, starts.date())
    if during.lower <= clock.now():
        reasons.append(_("This time has passed. Pick a later one."))
    if _in_contract_day(school, during, program.zone):
        reasons.append(
            _(
                "This is inside %(school)s's contract day (%(starts)s to %(ends)s). "
                "Pick another time."
            )
            % {
                "school": school,
                "starts": f"{school.contract_day_starts:%-I:%M %p}",
                "ends": f"{school.contract_day_ends:%-I:%M %p}",
            }
        )
    if place == Visit.Place.SCHOOL and not program.school_as_place_allowed:
        reasons.append(_("A home visit is never at the school. Choose a place with the family."))
    if not _rate(invitation, starts.date()):
        reasons.append(
            _("No pay rate is set for %(day)s. Ask your program coordinator to add one.")
            % {"day": wording.day(starts.date(), program.today)}
        )
    return reasons + _overlaps(invitation, team, during)


def family_blockers(invitation: Invitation) -> list[str]:
    """Why no time is to be found with the family."""
    if no_blockers(invitation):
        return [_("The %(family)s said no thank you.") % {"family": invitation.family}]
    if invitation.state != Invitation.State.ACCEPTED:
        return [
            _("The %(family)s has not said yes yet. Record their answer first.")
            % {"family": invitation.family}
        ]
    return []


def _training_blockers(
    team: Sequence[Educator], invitation: Invitation, on: datetime.date
) -> list[str]:
    second = invitation.kind == VisitKind.SECOND
    untrained = certification.untrained(team, on=on, second_visit=second)
    if invitation.program.untrained_partner_allowed and team and team[0] not in untrained:
        return []
    return list(untrained.values())


def _in_contract_day(school, during: DateTimeTZRange, zone) -> bool:
    """Whether a weekday's contract hours and this time overlap."""
    starts, ends = during.lower.astimezone(zone), during.upper.astimezone(zone)
    day = starts.date()
    while day <= ends.date():
        opens = datetime.datetime.combine(day, school.contract_day_starts, zone)
        closes = datetime.datetime.combine(day, school.contract_day_ends, zone)
        if day.weekday() < 5 and starts < closes and opens < ends:
            return True
        day += datetime.timedelta(days=1)
    return False


def _rate(invitation: Invitation, on: datetime.date) -> PayRate | None:
    return PayRate.objects.on(on).filter(kind=invitation.kind).first()


def _overlaps(
    invitation: Invitation, team: Sequence[Educator], during: DateTimeTZRange
) -> list[str]:
    """A sentence for each visit in the way, which names whose it is."""
    busy = VisitParticipant.objects.filter(
        educator__in=team, occupies=True, during__overlap=during
    ).select_related("educator__user")
    taken: dict[tuple, list[Educator]] = {}
    for participant in busy.order_by("during", "visit", "role", "pk"):
        key = participant.visit_id, participant.during.lower
        taken.setdefault(key, []).append(participant.educator)
    reasons = [
        _("This overlaps a visit of %(names)s at %(time)s. Pick another time.")
        % {"names": wording.listed(names), "time": wording.moment(starts, invitation.program)}
        for (_visit, starts), names in taken.items()
    ]
    theirs = Visit.objects.standing().filter(family=invitation.family, during__overlap=during)
    if theirs.exclude(pk__in=[visit for visit, _starts in taken]).exists():
        reasons.append(
            _("The %(family)s has another visit at that time. Pick another.")
            % {"family": invitation.family}
        )
    return reasons


@transaction.atomic
def schedule(invitation: Invitation, during: DateTimeTZRange, place: str, *, by: User) -> Visit:
    """Schedule the visit of an invitation that has a yes and a team; the same twice is one.

    Raises NotReady with every blocker.
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
    team = _locked_people(invitation)
    if reasons := blockers(invitation, team, during, place):
        raise NotReady(*reasons)
    try:
        with transaction.atomic():
            visit = _create(invitation, team, during, place, by)
    except (IntegrityError, OperationalError) as refused:
        if not _taken(refused):
            raise
        raise NotReady(_("Somebody was faster: this time is taken. Pick another.")) from refused
    audit.record("visit.scheduled", visit, by=by, starts_at=during.lower.isoformat())
    family_messages.tell_time(visit)
    for educator in team:
        if educator.user_id != by.pk:
            _tell(visit, "visit_scheduled", educator)
    return visit


def _taken(refused: Exception) -> bool:
    """Whether the database refused because somebody else has this time by now."""
    cause = refused.__cause__
    if isinstance(cause, DeadlockDetected):
        return True
    return isinstance(cause, PsycopgError) and cause.diag.constraint_name in {
        "educator_visits_one_at_a_time",
        "family_visited_one_at_a_time",
        "one_visit_an_invitation",
    }


def _locked_people(invitation: Invitation) -> list[Educator]:
    """The team, lead first; its rows and then the family's locked in order of their ids."""
    if invitation.team is None:
        return []
    lead_first = list(invitation.team.memberships.values_list("educator", flat=True))
    locked = {
        educator.pk: educator
        for educator in Educator.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(pk__in=lead_first)
        .order_by("pk")
    }
    Family.objects.select_for_update(no_key=True).get(pk=invitation.family_id)
    return [locked[pk] for pk in lead_first]


def _create(
    invitation: Invitation,
    team: Sequence[Educator],
    during: DateTimeTZRange,
    place: str,
    by: User,
) -> Visit:
    visit = Visit.objects.create(
        program=invitation.program,
        invitation=invitation,
        school=invitation.school,
        family=invitation.family,
        kind=invitation.kind,
        place=place,
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
def confirm(visit: Visit, *, by: User) -> Visit:
    """A partner, or whoever coordinates, says that the time holds; not the lead who chose it."""
    visit = _locked(visit)
    if visit.participants.filter(educator__user=by, role=VisitParticipant.Role.LEAD).exists():
        raise NotReady(_("Your partner confirms this visit. They were sent a message."))
    if visit.state == State.SCHEDULED:
        visit.state, visit.confirmed_at, visit.confirmed_by = State.CONFIRMED, clock.now(), by
        visit.save(update_fields=["state", "confirmed_at", "confirmed_by"])
        audit.record("visit.confirmed", visit, by=by)
    elif visit.state not in (State.CONFIRMED, State.HELD, State.COMPLETED):
        raise NotReady(_("This visit was cancelled. Find a new time."))
    return visit


@transaction.atomic
def cancel(visit: Visit, ending: str, *, by: User | None, link: FamilyLink | None = None) -> Visit:
    """End a visit that won't be: by the family, by us, or nobody was home.

    `by`: None where the family itself does, by its `link`. No reason is asked. The family's yes
    stays, so that a new time can be found.
    """
    lock_invitation_of(visit)
    visit = _locked(visit)
    if visit.state == ending:
        return visit
    if not visit.is_ahead:
        raise NotReady(str(ONLY_AHEAD))
    if ending == State.NOT_HOME and visit.during.lower > clock.now():
        raise NotReady(
            _("This visit starts %(moment)s.")
            % {"moment": wording.moment(visit.during.lower, visit.program)}
        )
    visit.state, visit.occupies = ending, False
    visit.ended_at, visit.ended_by = clock.now(), by
    family_messages.tell_cancelled(visit)  # before: beside a no, only whoever has a visit is told
    visit.save(update_fields=["state", "occupies", "ended_at", "ended_by"])
    of_whom = {"caregiver": link.caregiver_id, "link": link.pk} if link else {}
    audit.record("visit.cancelled", visit, by=by, ending=ending, **of_whom)
    for participant in visit.participants.select_related("educator__user"):
        if by is None or participant.educator.user_id != by.pk:
            _tell(visit, "visit_cancelled", participant.educator)
    return visit


@transaction.atomic
def hold(visit: Visit, *, by: User) -> Visit:
    """The visit took place; from here on it waits to be logged and reflected on."""
    visit = _locked(visit)
    if visit.state in (State.HELD, State.COMPLETED):
        return visit
    raise_if(hold_blockers(visit))
    visit.state, visit.held_at, visit.held_by = State.HELD, clock.now(), by
    visit.save(update_fields=["state", "held_at", "held_by"])
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
    return []


def _tell(visit: Visit, kind: str, educator: Educator) -> None:
    outbox.queue(
        visit.program, kind, educator.user, {"visit": visit}, key=f"{visit.pk}:{educator.pk}"
    )


def lock_invitation_of(visit: Visit) -> None:
    """For what writes both: an answer locks the invitation, and then the visit it calls off."""
    list(Invitation.objects.select_for_update().filter(pk=visit.invitation_id))


def _locked(visit: Visit) -> Visit:
    return (
        Visit.objects.select_for_update(of=("self",))
        .select_related("program", "school")
        .get(pk=visit.pk)
    )
