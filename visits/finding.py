"""What is offered to whoever finds a time for an invitation: free times on the days on which this
team may go, and which language somebody has to interpret."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from pthv.models import Educator, Membership
from training.models import Certification
from visits import blockers
from visits.diaries import DAY
from visits.free_times import FreeDay, FreeTime, free_times
from visits.models import Interpreter, InterpreterRequest, Invitation, PayRate, Visit

SOON, AHEAD = 14, 42  # days
ENGLISH = "en"


@dataclass(frozen=True)
class Offer:
    """The times of the next two or six weeks: those that suit the family first."""

    suiting: list[FreeDay]
    weeks: list[tuple[datetime.date, list[FreeDay]]]  # the other times, by their Monday
    out: list[FreeDay]
    nobody_interprets: bool  # this language
    goes_on: bool = False  # after these two weeks

    @property
    def is_empty(self) -> bool:
        return not (self.suiting or self.weeks)

    @property
    def reasons(self) -> list[tuple[datetime.date, datetime.date, str]]:
        """Why days are out: for days on end with one reason, from when to when."""
        found: list[tuple[datetime.date, datetime.date, str]] = []
        for day in self.out:
            first, last, why_not = found[-1] if found else (day.date, day.date, "")
            if why_not == day.why_not and last + DAY == day.date:
                found[-1] = (first, day.date, why_not)
            else:
                found.append((day.date, day.date, day.why_not))
        return found


def offer(
    invitation: Invitation,
    team: Sequence[Educator],
    *,
    minutes: int = 60,
    interpret: str = "",
    but: Visit | None = None,
    whole: bool = False,
) -> Offer:
    """The times to choose from, and why the other days are out: of the next two weeks, unless
    the `whole` six are wanted, or none before suits the family.

    `interpret`: the language that somebody on the rota interprets; where nobody does, the times
    are those without. `but`: the visit that a new time is sought for.
    """
    rota = _rota(interpret, team)
    days = _days(invitation, team, minutes, rota, interpret, but, AHEAD if whole else SOON)
    suiting = _only(days, suiting=True)
    if not whole and not (suiting if invitation.times else any(day.times for day in days)):
        return offer(invitation, team, minutes=minutes, interpret=interpret, but=but, whole=True)
    return Offer(
        suiting=suiting,
        weeks=_by_week(_only(days, suiting=False)),
        out=[day for day in days if not day.times],
        nobody_interprets=bool(interpret) and not rota,
        goes_on=not whole,
    )


def for_family(visit: Visit) -> list[FreeDay]:
    """Other times for a visit, from tomorrow on, on the days that have one."""
    invitation = visit.invitation
    team = [one.educator for one in visit.visitors]
    request = InterpreterRequest.objects.standing().filter(visit=visit).first()
    language = request.language if request else ""
    rota = _rota(language, team)
    days = _days(invitation, team, visit.minutes, rota, language, visit, AHEAD)
    return [day for day in days if day.times and day.date > invitation.program.today]


def _rota(language: str, team: Sequence[Educator]) -> list[Interpreter]:
    """Who may be asked to interpret; nobody who goes along anyway."""
    if not language:
        return []
    return list(Interpreter.objects.on_the_rota(language).exclude(educator__in=team))


def _days(
    invitation: Invitation,
    team: Sequence[Educator],
    minutes: int,
    rota: list[Interpreter],
    language: str,
    but: Visit | None,
    number: int,
) -> list[FreeDay]:
    """So many days from today on with their times, or why they have none."""
    first = invitation.program.today
    days = free_times(
        team,
        invitation.family,
        school=invitation.school,
        program=invitation.program,
        minutes=minutes,
        first_day=first,
        days=number,
        interpreters=rota or None,
        language=language,
        wishes=invitation.times,
        but=but,
    )
    barred = _barred_days(invitation, team, first, number)
    return [FreeDay(day.date, (), barred[day.date]) if barred[day.date] else day for day in days]


def language_to_interpret(invitation: Invitation, team: Sequence[Educator]) -> str:
    """What an interpreter would speak with the family; "" where the team can do without."""
    caregiver = invitation.answered_caregiver
    spoken = [caregiver.language] if caregiver else []
    spoken.append(invitation.family.language)
    language = next((one for one in spoken if _base(one) != ENGLISH), ENGLISH)
    known = {ENGLISH, *(_base(tag) for educator in team for tag in educator.languages)}
    return language if wants_interpreter(invitation) or _base(language) not in known else ""


def _base(tag: str) -> str:
    """ "es" of "es-MX"."""
    return tag.lower().split("-", maxsplit=1)[0]


def wants_interpreter(invitation: Invitation) -> bool:
    """Whether the family asked for one, now or once for all."""
    return invitation.interpreter_wanted or invitation.family.interpreter_wanted


def _barred_days(
    invitation: Invitation, team: Sequence[Educator], first: datetime.date, number: int
) -> dict[datetime.date, str]:
    """Why this team may not go at all, for each of the days; "" where it may.

    That changes only where something begins or ends, so nothing is asked day by day.
    """
    days = [first + after * DAY for after in range(number)]
    turning = {first, *_turning_days(invitation, team)}
    barred, sentence = {}, ""
    for day in days:
        if day in turning:
            sentence = " ".join(blockers.day_blockers(invitation, team, day))
        barred[day] = sentence
    return barred


def _turning_days(invitation: Invitation, team: Sequence[Educator]) -> set[datetime.date]:
    """The first days on which a training, a membership or a rate is in force, or isn't any more."""
    trainings = Certification.objects.filter(educator__in=team).order_by()
    users = [educator.user_id for educator in team]
    members = Membership.objects.filter(user__in=users, school=invitation.school_id).order_by()
    rates = PayRate.objects.filter(kind=invitation.kind).order_by()
    found = trainings.values_list("issued_on", "expires_on").union(
        members.values_list("starts_on", "ends_on"), rates.values_list("starts_on", "ends_on")
    )
    return {
        day for begins, ends in found for day in (begins, ends and ends + DAY) if day is not None
    }


def _only(days: list[FreeDay], *, suiting: bool) -> list[FreeDay]:
    """The days that have times which suit the family, or others; with those alone."""

    def kept(day: FreeDay) -> tuple[FreeTime, ...]:
        return tuple(time for time in day.times if time.suits == suiting)

    return [FreeDay(day.date, kept(day)) for day in days if kept(day)]


def _by_week(days: list[FreeDay]) -> list[tuple[datetime.date, list[FreeDay]]]:
    weeks: dict[datetime.date, list[FreeDay]] = {}
    for day in days:
        weeks.setdefault(day.date - day.date.weekday() * DAY, []).append(day)
    return list(weeks.items())
