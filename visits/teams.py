"""Who goes together: suggested with reasons, asked, standing for a year or for one family."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, clock, outbox
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, School, SchoolYear, User
from training import certification
from visits.models import (
    Availability,
    Invitation,
    TeamMember,
    VisitKind,
    VisitParticipant,
    VisitTeam,
)

# Two who share less are told so.
ENOUGH_MINUTES = 60


@dataclass(frozen=True)
class Suggestion:
    """Somebody who could go along: what speaks for it, and what has to be put right first."""

    educator: Educator
    reasons: list[str] = field(default_factory=list)
    hurdles: list[str] = field(default_factory=list)


def suggest(
    invitation: Invitation, going: Sequence[Educator], *, on: datetime.date
) -> list[Suggestion]:
    """Everybody of the school who could join those `going` on a date, the best first.

    Nobody is left out: who may not go stands last, with the reason. A shared language counts
    most, then going together all year, then time in common, then who has visited least.
    """
    found = list(
        Educator.objects.at(invitation.school, on)
        .exclude(pk__in=[person.pk for person in going])
        .select_related("user")
        .order_by("user__family_name", "user__given_name", "pk")
    )
    second = invitation.kind == VisitKind.SECOND
    untrained = certification.untrained(found, on=on, second_visit=second)
    lead = going[0] if going else None
    together = _standing_partners(lead) if lead else set()
    minutes = _minutes_together(lead, found) if lead else {}
    loads = _loads([*found, *going], invitation.school_year)
    said_no = _who_said_no(invitation)
    spoken = _base(invitation.family.language)

    def suggestion(person: Educator) -> tuple[tuple[object, ...], Suggestion]:
        speaks = spoken != "en" and spoken in map(_base, person.languages)
        hurdles = [untrained[person]] if person in untrained else []
        if person.pk in said_no:
            hurdles.append(_("Said that they can't go along to this family."))
        shared = minutes.get(person.pk)
        reasons = [
            *([_("Goes with %(lead)s all year") % {"lead": lead}] if person.pk in together else []),
            *([_("Speaks the family's language")] if speaks else []),
            _time_together(shared),
            _load(loads[person.pk]),
        ]
        rank = (
            bool(hurdles),
            not speaks,
            person.pk not in together,
            -(shared or 0),
            loads[person.pk],
        )
        return rank, Suggestion(person, reasons, hurdles)

    return [one for _rank, one in sorted(map(suggestion, found), key=lambda ranked: ranked[0])]


def _base(tag: str) -> str:
    """ "es" of "es-MX"."""
    return tag.lower().split("-")[0]


def _standing_partners(lead: Educator) -> set[int]:
    teams = VisitTeam.objects.standing().filter(memberships__educator=lead)
    return set(TeamMember.objects.filter(team__in=teams).values_list("educator", flat=True))


def _minutes_together(lead: Educator, others: Iterable[Educator]) -> dict[int, int | None]:
    """Minutes a week in which both can; None where one of them hasn't said when."""
    pks = [person.pk for person in others]
    windows: dict[int, list[Availability]] = defaultdict(list)
    for window in Availability.objects.filter(educator__in=[lead.pk, *pks]):
        windows[window.educator_id].append(window)
    mine = windows.get(lead.pk, [])
    return {
        pk: sum(_shared(one, other) for one in mine for other in windows[pk])
        if mine and pk in windows
        else None
        for pk in pks
    }


def _shared(one: Availability, other: Availability) -> int:
    if one.weekday != other.weekday:
        return 0
    starts, ends = max(one.starts, other.starts), min(one.ends, other.ends)
    return max(0, (ends.hour - starts.hour) * 60 + ends.minute - starts.minute)


def _loads(people: Iterable[Educator], year: SchoolYear) -> dict[int, int]:
    """How many visits of a school year each has, held or ahead."""
    pks = [person.pk for person in people]
    theirs = VisitParticipant.objects.filter(
        educator__in=pks, occupies=True, visit__invitation__school_year=year
    )
    counted = theirs.order_by().values("educator").annotate(visits=Count("pk"))
    return dict.fromkeys(pks, 0) | {row["educator"]: row["visits"] for row in counted}


def _who_said_no(invitation: Invitation) -> set[int]:
    said = TeamMember.objects.filter(team=invitation.team_id, answer=TeamMember.Answer.DECLINED)
    return set(said.values_list("educator", flat=True)) if invitation.team_id else set()


def _time_together(minutes: int | None) -> str:
    if minutes is None:
        return _("Hasn't said when they can")
    if minutes < ENOUGH_MINUTES:
        return _("No hour of the week in common")
    hours = minutes // 60
    said = ngettext("%(hours)d hour a week in common", "%(hours)d hours a week in common", hours)
    return said % {"hours": hours}


def _load(visits: int) -> str:
    if not visits:
        return _("No visit yet this year")
    return ngettext("%(visits)d visit this year", "%(visits)d visits this year", visits) % {
        "visits": visits
    }


def make(school: School, people: Sequence[Educator], *, stands: bool = False) -> VisitTeam:
    """A team of these, the first of them leads. A team is never changed: another one is made."""
    team = VisitTeam.objects.create(program_id=school.program_id, school=school, stands=stands)
    TeamMember.objects.bulk_create(
        TeamMember(
            program_id=team.program_id, team=team, educator=person, is_lead=person == people[0]
        )
        for person in people
    )
    return team


@transaction.atomic
def stand(school: School, people: Sequence[Educator], *, by: User) -> VisitTeam:
    """Let two or three go together all year; each is asked, and may say no."""
    people = _locked(people)
    visiting = set(Educator.objects.at(school).values_list("pk", flat=True))
    raise_if(
        _("%(name)s does not visit for %(school)s any more. Choose somebody else.")
        % {"name": person, "school": school}
        for person in people
        if person.pk not in visiting
    )
    if not 2 <= len({person.pk for person in people}) == len(people) <= 3:
        raise NotReady(_("A pair is two different people; three at most."))
    standing = VisitTeam.objects.standing().filter(school=school)
    for team in standing.filter(memberships__educator__in=people).distinct():
        if set(team.memberships.values_list("educator", flat=True)) == {p.pk for p in people}:
            return team
        raise NotReady(
            _("%(names)s go together already. End that first.")
            % {"names": ", ".join(str(one.educator) for one in members(team))}
        )
    team = make(school, people, stands=True)
    audit.record("team.stands", team, by=by, educators=[person.pk for person in people])
    asked = [person for person in people if person.user_id != by.pk]
    outbox.queue_many(
        team.program,
        "pair_asked",
        (
            outbox.Letter(
                person.user,
                {"team": team, "others": [one for one in people if one != person]},
                f"{team.pk}:{person.pk}",
            )
            for person in asked
        ),
    )
    return team


@transaction.atomic
def answer(team: VisitTeam, said: str, *, by: User) -> VisitTeam:
    """One of a team says that they go along, or that they can't; nobody asks why."""
    team = VisitTeam.objects.select_for_update().get(pk=team.pk)
    mine = members(team).filter(educator__user=by).first()
    if mine is None:
        raise NotReady(_("You are not of this team."))
    if mine.answer == said:
        return team
    mine.answer, mine.answered_at = said, clock.now()
    mine.save(update_fields=["answer", "answered_at"])
    audit.record("team.answered", team, by=by, answer=said)
    return team


@transaction.atomic
def end(team: VisitTeam, *, by: User) -> VisitTeam:
    """Let a standing pair part; visits that are planned stay as they are."""
    team = (
        VisitTeam.objects.select_for_update(of=("self",)).select_related("program").get(pk=team.pk)
    )
    if team.ended_on is None:
        team.ended_on = team.program.today
        team.save(update_fields=["ended_on"])
        audit.record("team.ended", team, by=by)
    return team


def members(team: VisitTeam):
    """Of a team, the lead first."""
    return team.memberships.select_related("educator__user")


def _locked(people: Sequence[Educator]) -> list[Educator]:
    """These in their order, their rows locked in order of their ids."""
    found = Educator.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    locked = {one.pk: one for one in found.filter(pk__in=[p.pk for p in people]).order_by("pk")}
    return [locked[person.pk] for person in people]
