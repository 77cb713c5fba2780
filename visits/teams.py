"""Who goes together: suggested with reasons, asked, standing for a year or for one family."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, clock, outbox
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, School, User
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
    lead = going[0]
    here = Educator.objects.at(invitation.school, on) | Educator.objects.filter(pk=lead.pk)
    everybody = list(
        here.annotate(**_known_of_them(invitation, lead))
        .select_related("user", "program")
        .order_by("user__family_name", "user__given_name", "pk")
    )
    found = [person for person in everybody if person not in going]
    second = invitation.kind == VisitKind.SECOND
    untrained = certification.untrained(found, on=on, second_visit=second)
    (hours,) = (person.hours for person in everybody if person == lead)
    spoken = _base(invitation.family.language)

    def suggestion(person: Any) -> tuple[tuple[object, ...], Suggestion]:
        speaks = spoken != "en" and spoken in map(_base, person.languages)
        hurdles = [untrained[person]] if person in untrained else []
        shared = _minutes_together(hours, person.hours)
        reasons = [
            *([_("Goes with %(lead)s all year") % {"lead": lead}] if person.goes_along else []),
            *([_("Speaks the family's language")] if speaks else []),
            _time_together(shared),
            _load(person.load or 0),
        ]
        rank = (
            bool(hurdles),
            not speaks,
            not person.goes_along,
            -(shared or 0),
            person.load or 0,
        )
        return rank, Suggestion(person, reasons, hurdles)

    return [one for _rank, one in sorted(map(suggestion, found), key=lambda ranked: ranked[0])]


def _base(tag: str) -> str:
    """ "es" of "es-MX"."""
    return tag.lower().split("-")[0]


def _known_of_them(invitation: Invitation, lead: Educator) -> dict[str, Any]:
    """Whether they `goes_along` with the lead all year, their `load`: how many visits of its
    school year they have, held or ahead; and their `hours` of a week."""
    me = OuterRef("pk")
    members = TeamMember.objects.filter(educator=me)
    standing = VisitTeam.objects.standing().filter(memberships__educator=lead).values("pk")
    visits = (
        VisitParticipant.objects.order_by()
        .filter(
            educator=me,
            occupies=True,
            visit__invitation__school_year=invitation.school_year_id,
        )
        .values("educator")
        .annotate(visits=Count("pk"))
    )
    window = JSONObject(weekday="weekday", starts="starts", ends="ends")
    return {
        "goes_along": Exists(members.filter(team__in=standing)),
        "load": Subquery(visits.values("visits")),
        "hours": ArraySubquery(Availability.objects.filter(educator=me).values(as_json=window)),
    }


def _minutes_together(mine: list[Any], theirs: list[Any]) -> int | None:
    """Minutes a week in which both can; None where one of them hasn't said when."""
    if not (mine and theirs):
        return None
    return sum(_shared(one, other) for one in mine for other in theirs)


def _shared(one: dict[str, Any], other: dict[str, Any]) -> int:
    if one["weekday"] != other["weekday"]:
        return 0
    # As "16:30:00", which sorts as it is meant.
    starts, ends = max(one["starts"], other["starts"]), min(one["ends"], other["ends"])
    minutes = [60 * int(at[:2]) + int(at[3:5]) for at in (starts, ends)]
    return max(0, minutes[1] - minutes[0])


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
    people = locked([person.pk for person in people])
    raise_if(not_visiting(people, school))
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
    if team.ended_on:
        raise NotReady(_("This pair has ended."))
    others = (
        VisitTeam.objects.standing()
        .exclude(pk=team.pk)
        .filter(memberships__educator__in=[one.educator_id for one in members(team)])
    )
    if said == TeamMember.Answer.AGREED and team.stands and others.exists():
        raise NotReady(_("One of you goes with somebody else by now. Ask your coordinator."))
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


def locked(educators: Sequence[int]) -> list[Educator]:
    """These in their order, their rows locked in order of their ids."""
    found = Educator.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    by_id = {person.pk: person for person in found.filter(pk__in=educators).order_by("pk")}
    return [by_id[pk] for pk in educators]


def not_visiting(
    educators: Iterable[Educator], school: School, *, on: datetime.date | None = None
) -> list[str]:
    """A sentence for each who does not visit for a school (any more) today, or on a date."""
    educators = list(educators)
    here = Educator.objects.at(school, on).filter(pk__in=[educator.pk for educator in educators])
    visiting = set(here.values_list("pk", flat=True))
    return [
        _("%(name)s does not visit for %(school)s any more. Choose somebody else.")
        % {"name": educator, "school": school}
        for educator in educators
        if educator.pk not in visiting
    ]
