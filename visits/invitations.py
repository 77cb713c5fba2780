"""Asking a family: attempts, the second visit, who goes; visits/answers.py has what it answers."""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _

from families.models import Caregiver, Student
from pthv import audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Program, SchoolYear, User, full_name
from visits import closing, families, family_page, teams
from visits.models import ContactAttempt, Invitation, VisitKind, VisitTeam
from visits.models.invitation import InvitationQuerySet

State, Outcome = Invitation.State, ContactAttempt.Outcome
BY_PHONE = (ContactAttempt.Channel.CALL, ContactAttempt.Channel.TEXT)
RELATED = ("family", "school", "educator__user")
EXPORTED = (
    "family",
    "children",
    "language",
    "school",
    "school_year",
    "asked_by",
    "visit",
    "state",
    "asked_on",
    "answered_on",
    "visited_on",
)


@transaction.atomic
def record_attempt(
    invitation: Invitation,
    channel: str,
    outcome: str,
    *,
    by: User,
    caregiver: Caregiver | None = None,
) -> ContactAttempt:
    """Record that somebody called, wrote or met the family, and how it went.

    After the program's number of attempts without an answer, by more than one channel,
    the family counts as not reached: nobody has to keep trying. The same tap within a
    minute is the same attempt.
    """
    invitation = locked(invitation, related=["family"])
    raise_if(_attempt_blockers(invitation, caregiver))
    earlier = list(invitation.attempts.order_by("pk"))
    tap = (by.pk, channel, outcome, caregiver and caregiver.pk)
    just_now = clock.now() - datetime.timedelta(minutes=1)
    for last in earlier:
        same = (last.made_by_id, last.channel, last.outcome, last.caregiver_id)
        if same == tap and last.made_at > just_now:
            return last
    attempt = ContactAttempt.objects.create(
        program_id=invitation.program_id,
        invitation=invitation,
        caregiver=caregiver,
        channel=channel,
        outcome=outcome,
        language=(caregiver or invitation.family).language,
        made_at=clock.now(),
        made_by=by,
        before=invitation.as_recorded(),
    )
    if invitation.state == State.NOT_ASKED:
        invitation.state, invitation.asked_at = State.ASKED, attempt.made_at
    if invitation.state == State.ASKED and _tried_enough(invitation, [*earlier, attempt]):
        invitation.state = State.UNREACHABLE
    if outcome == Outcome.REACHED:
        invitation.call_wanted_at = None
    invitation.save(update_fields=["state", "asked_at", "call_wanted_at"])
    if caregiver and outcome == Outcome.WRONG_NUMBER and channel in BY_PHONE:
        closing.mark_dead(caregiver, phone=str(caregiver.phone), by=by)
    audit.record("invitation.attempted", invitation, by=by, channel=channel, outcome=outcome)
    return attempt


def _attempt_blockers(invitation: Invitation, caregiver: Caregiver | None) -> list[str]:
    asked_us = invitation.call_wanted_at or invitation.differing_at
    if not asked_us and (reasons := no_blockers(invitation)):
        return reasons
    if invitation.later_on and invitation.later_on > invitation.program.today:
        day = wording.day(invitation.later_on, invitation.program.today)
        return [_("They asked us to come back from %(day)s on. Wait until then.") % {"day": day}]
    if caregiver is not None and not caregiver.may_be_reached:
        return [
            _("%(name)s asked not to be contacted. Choose another caregiver.") % {"name": caregiver}
        ]
    if caregiver is None and invitation.family.adults and not invitation.family.reachable:
        return [_("Nobody of this family may be contacted.")]
    return []


def no_blockers(invitation: Invitation) -> list[str]:
    """The family's no, where it keeps us from asking, writing, and finding a time.

    The no to one visit is a no to all, in whichever year, and goes along with a child that
    moves: `InvitationQuerySet.without_a_no` says the same of lists. Only a visit that is
    planned already, by a yes of this very invitation, goes on until it is held or cancelled.
    """
    declined = invitation.state == State.DECLINED
    if declined or (
        families.said_no([invitation.family_id]) and not invitation.visits.ahead().exists()
    ):
        return [_("This family said no thank you. They are not asked again.")]
    return []


def _tried_enough(invitation: Invitation, attempts: list[ContactAttempt]) -> bool:
    reached = any(attempt.outcome == ContactAttempt.Outcome.REACHED for attempt in attempts)
    channels = {attempt.channel for attempt in attempts}
    return (
        not reached
        and len(attempts) >= invitation.program.attempts_before_unreachable
        and len(channels) > 1
    )


@transaction.atomic
def open_second(first: Invitation, *, by: User | None) -> Invitation:
    """After a completed first visit, the family may be asked to a second, by the same team."""
    first = locked(first)
    if first.kind != VisitKind.FIRST or first.visited_at is None:
        raise NotReady(_("The second visit follows the first. Complete that one before."))
    second, created = Invitation.objects.get_or_create(
        program_id=first.program_id,
        school_year_id=first.school_year_id,
        family_id=first.family_id,
        kind=VisitKind.SECOND,
        defaults={
            "school_id": first.school_id,
            "educator_id": first.educator_id,
            "team_id": first.team_id,
        },
    )
    if created:
        raise_if(no_blockers(second))
        audit.record("invitation.opened", second, by=by, after=first.pk)
    return second


def open_seconds(program: Program) -> int:
    """Once the school year says so, families that were visited may be asked to a second visit;
    return how many more may. Who said no since is left alone."""
    years = SchoolYear.objects.on(program.today).filter(second_visits_from__lte=program.today)
    seconds = Invitation.objects.filter(
        family=OuterRef("family"), school_year=OuterRef("school_year"), kind=VisitKind.SECOND
    )
    visited = Invitation.objects.filter(
        ~Exists(seconds),
        program=program,
        school_year__in=years.filter(program=program).values("pk"),
        kind=VisitKind.FIRST,
        visited_at__isnull=False,
    )
    opened = 0
    for first in visited.without_a_no().order_by("visited_at", "pk").iterator():
        try:
            open_second(first, by=None)
        except NotReady:
            continue
        opened += 1
    return opened


def wishes(invitation: Invitation) -> list[str]:
    """How the family would like to be visited, in our words; empty if it didn't say."""
    said = [invitation.get_place_wanted_display()] if invitation.place_wanted else []
    if invitation.interpreter_wanted:
        said.append(_("With an interpreter"))
    return [*map(str, said), *family_page.in_words(invitation.times)]


@transaction.atomic
def choose_team(invitation: Invitation, partners: list[Educator], *, by: User) -> VisitTeam:
    """Give the invitation its team: who asks leads, one or two partners come along."""
    invitation = locked(invitation)
    lead = invitation.educator_id
    chosen = {partner.pk for partner in partners}
    if lead in chosen or not 1 <= len(chosen) <= 2:
        raise NotReady(_("Educators visit in pairs: choose one or two partners for the lead."))
    raise_if(no_blockers(invitation))
    raise_if(teams.not_visiting(partners, invitation.school, on=invitation.program.today))
    if invitation.visits.ahead().exists():
        raise NotReady(_("The visit is scheduled with its team already. Cancel it to change that."))
    if invitation.team:
        members = set(invitation.team.memberships.values_list("educator", flat=True))
        if members == {lead, *chosen}:
            return invitation.team
    going = [invitation.educator, *sorted(partners, key=lambda partner: partner.pk)]
    team = invitation.team = teams.make(invitation.school, going)
    invitation.save(update_fields=["team"])
    audit.record("team.chosen", invitation, by=by, educators=[lead, *sorted(chosen)])
    return team


def locked(
    invitation: Invitation,
    *more: str,
    related: Iterable[str] = ("family", "school", "educator__user"),
) -> Invitation:
    """The invitation as it is now, kept from others until the action is done; with what is
    `related`, and `more`, at hand."""
    # Locked by itself and read afterwards: a row that a merge gives another family while one
    # waits for it wouldn't be found together with the old one.
    Invitation.objects.select_for_update().values_list("pk").get(pk=invitation.pk)
    return read_locked(invitation, *related, *more)


def read_locked(invitation: Invitation, *related: str) -> Invitation:
    """A locked invitation as it is now; of its program, which it never leaves, what is known."""
    known = Invitation.program.is_cached(invitation)  # type: ignore[attr-defined]
    found = Invitation.objects.select_related(*related, *([] if known else ["program"]))
    now = found.get(pk=invitation.pk)
    if known:
        now.program = invitation.program
    return now


def export(
    found: InvitationQuerySet, program: Program, *, by: User, filters: Mapping[str, str | bool]
) -> Iterator[Sequence[object]]:
    """These invitations as a list, a header and a row for each; that it was taken is kept.

    Families who said no stay out: their no never leaves the program. Nobody's phone, e-mail
    or address is in it.
    """
    year = SchoolYear.objects.at_hand(program.today).first()
    if year is not None:
        audit.record("families.exported", year, by=by, filters=filters)
    children = Student.objects.enrolled().filter(family=OuterRef("family")).order_by("pk")
    named = Concat("given_name", Value(" "), "family_name", Value(", "), "grade")
    rows = found.without_a_no().order_by("pk")
    rows = rows.annotate(
        children=ArraySubquery(children.values(named=named)), asker=full_name("educator__user__")
    )
    return _with_header(
        rows.values_list(
            "family__surnames",
            "children",
            "family__language",
            "school__name",
            "school_year__name",
            "asker",
            "kind",
            "state",
            "asked_at",
            "answered_at",
            "visited_at",
        ),
        program.zone,
    )


def _with_header(rows: QuerySet, zone: ZoneInfo) -> Iterator[Sequence[object]]:
    yield EXPORTED
    for surnames, children, language, *facts, asked, answered, visited in rows.iterator(2000):
        days = [at.astimezone(zone).date() if at else "" for at in (asked, answered, visited)]
        yield [surnames, "; ".join(children), language, *facts, *days]
