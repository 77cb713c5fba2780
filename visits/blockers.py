"""Why a visit may not be scheduled: in sentences, the same for the page and for the action."""

import datetime
from collections.abc import Sequence

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from pthv import clock, wording
from pthv.models import Educator
from training import certification
from visits import diaries, teams
from visits.invitations import no_blockers
from visits.models import (
    InterpreterRequest,
    Invitation,
    PayRate,
    TimeOff,
    Visit,
    VisitKind,
    VisitParticipant,
)

Taken = tuple[int, datetime.datetime, datetime.datetime]  # a visit, from when until when


def blockers(
    invitation: Invitation,
    team: Sequence[Educator],
    during: DateTimeTZRange,
    place: str,
    *,
    but: Visit | None = None,
) -> list[str]:
    """Every reason why this visit may not be scheduled, in words that say what to do.

    `but`: the visit that is moved, which is in nobody's way.
    """
    program, school = invitation.program, invitation.school
    on = during.lower.astimezone(program.zone).date()
    reasons = family_blockers(invitation)
    if not 2 <= len(team) <= 3:
        reasons.append(_("Educators visit in pairs. Choose a partner first."))
    reasons += day_blockers(invitation, team, on)
    reasons += _days_off(invitation, team, on)
    # Who went instead may be said until it is written up.
    if during.lower <= clock.now() and not (but and but.during == during):
        reasons.append(_("This time has passed. Pick a later one."))
    if _in_contract_day(invitation, during):
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
    return reasons + _overlaps(invitation, team, during, but)


def day_blockers(invitation: Invitation, team: Sequence[Educator], on: datetime.date) -> list[str]:
    """Why this team may not visit on a day, whenever: who has left, whose training has ended,
    or that nobody would be paid."""
    reasons = teams.not_visiting(team, invitation.school, on=on)
    reasons += _training_blockers(team, invitation, on)
    if not PayRate.objects.on(on).filter(kind=invitation.kind).exists():
        reasons.append(
            _("No pay rate is set for %(day)s. Ask your program coordinator to add one.")
            % {"day": wording.day(on, invitation.program.today)}
        )
    return reasons


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


def _days_off(invitation: Invitation, team: Sequence[Educator], on: datetime.date) -> list[str]:
    day = wording.day(on, invitation.program.today)
    closed = diaries.closed_days(invitation.school, on, on)
    reasons = [
        _("%(school)s is closed on %(day)s: %(name)s. Pick another day.")
        % {"school": invitation.school, "day": day, "name": name}
        for name in closed.values()
    ]
    off = TimeOff.objects.filter(educator__in=team, starts_on__lte=on, ends_on__gte=on)
    away = set(off.values_list("educator", flat=True))
    return reasons + [
        _("%(name)s is away on %(day)s. Pick another day.") % {"name": educator, "day": day}
        for educator in team
        if educator.pk in away
    ]


def _in_contract_day(invitation: Invitation, during: DateTimeTZRange) -> bool:
    """Whether a weekday's contract hours and this time overlap."""
    program, school = invitation.program, invitation.school
    first, last = (at.astimezone(program.zone).date() for at in (during.lower, during.upper))
    return any(
        during.lower < closes and opens < during.upper
        for day in {first, last}
        for opens, closes in diaries.contract_hours(school, day, program)
    )


def _overlaps(
    invitation: Invitation,
    team: Sequence[Educator],
    during: DateTimeTZRange,
    but: Visit | None,
) -> list[str]:
    """A sentence for each visit in the way, or too near to come from or to go to, which names
    whose it is."""
    program = invitation.program
    travel = datetime.timedelta(minutes=program.travel_minutes)
    near = DateTimeTZRange(during.lower - travel, during.upper + travel, "[)")
    reasons, taken = [], set()
    for (visit, begins, ends), names in _taken_near(team, near, but).items():
        taken.add(visit)
        facts = {"names": wording.listed(names), "time": wording.moment(begins, program)}
        if during.lower < ends and begins < during.upper:
            sentence = _("This overlaps a visit of %(names)s at %(time)s. Pick another time.")
        else:
            sentence = _(
                "This leaves less than %(minutes)s minutes between it and a visit of %(names)s "
                "at %(time)s. Pick another time."
            )
            facts["minutes"] = str(program.travel_minutes)
        reasons.append(sentence % facts)
    theirs = Visit.objects.standing().filter(family=invitation.family, during__overlap=during)
    if theirs.exclude(pk__in=[*taken, but and but.pk]).exists():
        reasons.append(
            _("The %(family)s has another visit at that time. Pick another.")
            % {"family": invitation.family}
        )
    return reasons


def _taken_near(
    team: Sequence[Educator], near: DateTimeTZRange, but: Visit | None
) -> dict[Taken, list[Educator]]:
    """The visits then at which one of the team is, or interprets; and who."""
    then = {"occupies": True, "during__overlap": near}
    at_visits = VisitParticipant.objects.filter(educator__in=team, **then)
    covered = InterpreterRequest.objects.filter(state=InterpreterRequest.State.COVERED, **then)
    interprets = covered.filter(interpreter__educator__in=team)
    found = (
        at_visits.order_by()
        .values_list("visit", "during", "educator")
        .union(interprets.order_by().values_list("visit", "during", "interpreter__educator"))
    )
    taken: dict[Taken, list[int]] = {}
    for visit, during, who in sorted(found, key=lambda row: (row[1].lower, row[0])):
        if but is None or visit != but.pk:
            taken.setdefault((visit, during.lower, during.upper), []).append(who)
    return {
        visit: [educator for educator in team if educator.pk in who] for visit, who in taken.items()
    }
