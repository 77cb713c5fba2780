"""Who has a place in a cohort, and who waits for one: enrol, sign up, withdraw, move.

Every action locks the cohort first, so that places are given in the order people came.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, User
from pthv.models.people import EducatorQuerySet
from training.models import Attendance, Cohort, CohortMember, TrainingSession

State = CohortMember.State


class Joined(NamedTuple):
    """How many got a place, and how many have to wait for one."""

    enrolled: int
    waiting: int


def candidates(cohort: Cohort) -> EducatorQuerySet:
    """Who may be enrolled: educators of the program, or of the cohort's school, not in it yet."""
    educators = Educator.objects.filter(program=cohort.program_id).staying(cohort.school)
    there = CohortMember.objects.there().filter(cohort=cohort)
    return educators.exclude(pk__in=there.values("educator"))


@transaction.atomic
def enrol(cohort: Cohort, educators: Iterable[Educator], *, by: User) -> Joined:
    """Give these educators places as long as there are any; the others wait, in this order."""
    cohort = _open(cohort)
    raise_if(_unready(cohort))
    members = CohortMember.objects.there().filter(cohort=cohort)
    there = set(members.values_list("educator", flat=True))
    new = [educator for educator in dict.fromkeys(educators) if educator.pk not in there]
    welcome = set(
        candidates(cohort).filter(pk__in=[e.pk for e in new]).values_list("pk", flat=True)
    )
    if strangers := [educator for educator in new if educator.pk not in welcome]:
        raise NotReady(
            _("%(names)s can't join this cohort: only educators who visit here can.")
            % {"names": wording.listed(strangers)}
        )
    places = len(new) if cohort.places_left is None else cohort.places_left
    if cohort.waiting:
        places = 0  # whoever waits already comes first
    seated, waiting = new[:places], new[places:]
    _join(cohort, seated, State.ENROLLED)
    _join(cohort, waiting, State.WAITING)
    if new:
        audit.record(
            "cohort.enrolled",
            cohort,
            by=by,
            educators=[e.pk for e in seated],
            waiting=[e.pk for e in waiting],
        )
    return Joined(len(seated), len(waiting))


def _unready(cohort: Cohort) -> list[str]:
    if TrainingSession.objects.standing().filter(cohort=cohort).exists():
        return []
    return [_("Add a session first; then people can be enrolled.")]


def _join(cohort: Cohort, educators: list[Educator], state: str) -> list[CohortMember]:
    """Make members of these; who was one before and left comes back, behind those who wait."""
    held = {
        member.educator_id: member
        for member in CohortMember.objects.filter(cohort=cohort, educator__in=educators)
    }
    members, now = [], clock.now()
    for educator in educators:
        member = held.get(educator.pk) or CohortMember(
            program_id=cohort.program_id, cohort=cohort, educator=educator
        )
        member.state, member.joined_at = state, now
        member.left_at = member.left_by = None
        member.left_because = ""
        members.append(member)
    CohortMember.objects.bulk_create([member for member in members if member.pk is None])
    CohortMember.objects.bulk_update(
        [member for member in members if member.educator_id in held],
        ["state", "joined_at", "left_at", "left_by", "left_because"],
    )
    if state == State.ENROLLED:
        expect(members)
    return members


def expect(members: list[CohortMember]) -> None:
    """Expect these members of one cohort once at each of its parts that they don't have yet."""
    if not members:
        return
    cohort = members[0].cohort_id
    parts = _sessions_by_part(cohort)
    known = set(
        Attendance.objects.filter(member__in=members).values_list("member", "session__part")
    )
    Attendance.objects.bulk_create(
        Attendance(
            program_id=member.program_id,
            session=session,
            educator_id=member.educator_id,
            member=member,
        )
        for member in members
        for part, session in parts.items()
        if (member.pk, part) not in known
    )


def _sessions_by_part(cohort: int) -> dict[int, TrainingSession]:
    """For each part the next session of it, or the last if all are over."""
    found: dict[int, TrainingSession] = {}
    now = clock.now()
    for session in TrainingSession.objects.standing().filter(cohort=cohort):
        earlier = found.get(session.part)
        if earlier is None or earlier.ends_at <= now:
            found[session.part] = session
    return found


def _open(cohort: Cohort) -> Cohort:
    cohort = Cohort.objects.select_for_update(no_key=True).get(pk=cohort.pk)
    if cohort.completed_at:
        raise NotReady(_("This cohort is complete; open a new one."))
    return cohort
