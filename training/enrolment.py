"""Who has a place in a cohort, and who waits for one: enrol, sign up, withdraw, move.

Every action locks the cohort first, so that places are given in the order people came.
"""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from pthv import audit, clock, outbox, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, User
from pthv.models.people import EducatorQuerySet
from pthv.outbox import Letter
from training import sessions
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
    welcome = candidates(cohort).select_related("user").in_bulk([e.pk for e in new])
    if strangers := [educator for educator in new if educator.pk not in welcome]:
        raise NotReady(
            _("%(names)s can't join this cohort: only educators who visit here can.")
            % {"names": wording.listed(strangers)}
        )
    new = [welcome[educator.pk] for educator in new]
    places = _free(cohort)
    seated, waiting = (new, []) if places is None else (new[:places], new[places:])
    _welcome(_join(cohort, seated, State.ENROLLED))
    _write("cohort_waiting", cohort, _join(cohort, waiting, State.WAITING))
    if new:
        audit.record(
            "cohort.enrolled",
            cohort,
            by=by,
            educators=[e.pk for e in seated],
            waiting=[e.pk for e in waiting],
        )
    return Joined(len(seated), len(waiting))


def sign_up_blockers(cohort: Cohort, educator: Educator) -> list[str]:
    """Why an educator can't take a place in this cohort themselves."""
    if not cohort.open_for_sign_up:
        return [_("This cohort is by invitation. Ask your coordinator for a place.")]
    if cohort.completed_at or _begun(cohort):
        return [_("This cohort has begun already. Choose another.")]
    if not candidates(cohort).filter(pk=educator.pk).exists():
        return [_("This cohort is for another school. Choose another.")]
    return _unready(cohort)


@transaction.atomic
def sign_up(cohort: Cohort, educator: Educator, *, by: User) -> CohortMember:
    """Take a place, or the last one on the waiting list; asked again, nothing changes."""
    cohort = _open(cohort)
    there = CohortMember.objects.there().filter(cohort=cohort, educator=educator).first()
    if there:
        return there
    raise_if(sign_up_blockers(cohort, educator))
    member = _join_last(cohort, educator)
    if member.state == State.ENROLLED:
        _welcome([member])
    audit.record("cohort.signed_up", cohort, by=by, educator=educator.pk, state=member.state)
    return member


@transaction.atomic
def withdraw(member: CohortMember, *, by: User, because: str = "") -> list[CohortMember]:
    """Give up a place, or the wait for one; who waits first moves up. Return who did."""
    cohort = Cohort.objects.locked(member.cohort)
    member = _locked(member)
    if member.state not in (State.ENROLLED, State.WAITING):
        return []
    if member.state == State.ENROLLED:
        _refuse_complete(cohort)
    _leave(member, State.WITHDRAWN, because.strip(), by)
    audit.record("cohort.withdrew", cohort, by=by, educator=member.educator_id)
    return [] if cohort.completed_at else move_up(cohort)


def end_waits(cohort: Cohort, *, by: User) -> None:
    """Let nobody wait for a place in a cohort that is complete, and tell them so."""
    waiting = list(_with_people(CohortMember.objects.waiting().filter(cohort=cohort)))
    CohortMember.objects.filter(pk__in=[member.pk for member in waiting]).update(
        state=State.WITHDRAWN,
        left_at=clock.now(),
        left_by=by,
        left_because=_("The cohort was completed"),
    )
    _write("cohort_left", cohort, waiting, waited=True)
    if waiting:
        gone = [member.educator_id for member in waiting]
        audit.record("cohort.waits_ended", cohort, by=by, educators=gone)


def destinations(member: CohortMember) -> QuerySet[Cohort]:
    """Cohorts of the same course that somebody could move to."""
    cohort = member.cohort
    others = Cohort.objects.filter(course=cohort.course_id, completed_at=None).exclude(pk=cohort.pk)
    there = CohortMember.objects.there().filter(educator=member.educator_id)
    return others.exclude(pk__in=there.values("cohort"))


@transaction.atomic
def transfer(member: CohortMember, to: Cohort, *, by: User) -> CohortMember:
    """Move somebody to another cohort of the course; what they attended counts there."""
    # Both cohorts, always in the same order: two moves the other way round can't wait for ever.
    for cohort in sorted([member.cohort, to], key=lambda cohort: cohort.pk):
        _open(cohort)
    member = _locked(member)
    if member.state not in (State.ENROLLED, State.WAITING):
        raise NotReady(_("They are not in this cohort any more."))
    if not destinations(member).filter(pk=to.pk).exists():
        raise NotReady(_("Choose another cohort of the same course that they are not in yet."))
    educator = member.educator
    if not candidates(to).filter(pk=educator.pk).exists():
        raise NotReady(_("That cohort is for another school. Choose another."))
    to = _open(to)
    raise_if(_unready(to))
    _leave(member, State.TRANSFERRED, "", by)
    arrived = _join_last(to, educator)
    # Moved along before they are expected anywhere: nobody comes to what they had.
    Attendance.objects.filter(member=member).update(member=arrived)
    if arrived.state == State.ENROLLED:
        _welcome([arrived])
    else:
        _write("cohort_waiting", to, [arrived])
    audit.record("cohort.transferred", member.cohort, by=by, educator=educator.pk, to=to.pk)
    move_up(member.cohort)
    return arrived


def move_up(cohort: Cohort) -> list[CohortMember]:
    """Give free places to those who wait, in their order; not once the cohort has begun, when
    a coordinator knows better."""
    cohort = _open(cohort)
    if not cohort.waiting or _begun(cohort):
        return []
    waiting = _with_people(CohortMember.objects.waiting().filter(cohort=cohort))
    free = cohort.waiting if cohort.places_left is None else cohort.places_left
    moved = list(waiting[:free])
    _seat(moved)
    if moved:
        audit.record("cohort.moved_up", cohort, by=None, educators=[m.educator_id for m in moved])
    return moved


@transaction.atomic
def give_place(member: CohortMember, *, by: User) -> CohortMember:
    """Let somebody in who waits, out of turn or after the cohort began."""
    cohort = _open(member.cohort)
    member = _locked(member)
    if member.state == State.ENROLLED:
        return member
    if member.state != State.WAITING:
        raise NotReady(_("They are not on the waiting list any more."))
    if cohort.places_left == 0:
        raise NotReady(_("Every place is taken. Give the cohort more places first."))
    _seat([member])
    audit.record("cohort.place_given", cohort, by=by, educator=member.educator_id)
    return member


def _seat(members: list[CohortMember]) -> None:
    for member in members:
        member.state = State.ENROLLED
    CohortMember.objects.filter(pk__in=[member.pk for member in members]).update(
        state=State.ENROLLED
    )
    _welcome(members, waited=True)


def _leave(member: CohortMember, state: str, because: str, by: User) -> None:
    if not sessions.uninvite(member):
        _write("cohort_left", member.cohort, [member])
    member.state, member.left_because = state, because
    member.left_at, member.left_by = clock.now(), by
    member.save(update_fields=["state", "left_because", "left_at", "left_by"])
    Attendance.objects.filter(member=member, state=Attendance.State.EXPECTED).delete()


def _locked(member: CohortMember) -> CohortMember:
    members = CohortMember.objects.select_for_update(of=("self",), no_key=True)
    return _with_people(members).get(pk=member.pk)


def _with_people(members: QuerySet[CohortMember]) -> QuerySet[CohortMember]:
    return members.select_related("cohort__course", "cohort__program", "educator__user")


def _begun(cohort: Cohort) -> bool:
    standing = TrainingSession.objects.standing().filter(cohort=cohort)
    return standing.filter(starts_at__lte=clock.now()).exists()


def _key(member: CohortMember) -> str:
    """What tells one coming and going of a member from the next."""
    return f"{member.pk}:{member.joined_at.timestamp():.6f}"


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
    members: list[CohortMember] = []
    came_at = _next_moment(cohort)
    for number, educator in enumerate(educators):
        member = held.get(educator.pk) or CohortMember(program_id=cohort.program_id)
        member.cohort, member.educator, member.state = cohort, educator, state
        member.joined_at = came_at + number * datetime.timedelta.resolution
        member.left_at = member.left_by = None
        member.left_because = ""
        members.append(member)
    CohortMember.objects.bulk_create([member for member in members if member.pk is None])
    CohortMember.objects.bulk_update(
        [member for member in members if member.educator_id in held],
        ["state", "joined_at", "left_at", "left_by", "left_because"],
    )
    return members


def _next_moment(cohort: Cohort) -> datetime.datetime:
    """Now, or just after whoever came last: nobody comes before those who were here."""
    members = CohortMember.objects.filter(cohort=cohort)
    last = members.aggregate(last=Max("joined_at"))["last"]
    return max(clock.now(), last + datetime.timedelta.resolution) if last else clock.now()


def _free(cohort: Cohort) -> int | None:
    """How many may be let in: nobody before those who wait, until the cohort has begun, when
    whoever stands at the door comes first; None: as many as like."""
    return 0 if cohort.waiting and not _begun(cohort) else cohort.places_left


def _join_last(cohort: Cohort, educator: Educator) -> CohortMember:
    """A place if there is one for somebody new, else the last one on the list."""
    state = State.WAITING if _free(cohort) == 0 else State.ENROLLED
    (member,) = _join(cohort, [educator], state)
    return member


def _welcome(members: list[CohortMember], *, waited: bool = False) -> None:
    """Expect those who have a place at the sessions, and tell them so: by the invitations that
    go into their calendars, or where nothing lies ahead by a message of its own."""
    if not members:
        return
    cohort = members[0].cohort
    sessions.expect(members, _sessions_by_part(cohort).values())
    told = sessions.invite(members, waited=waited)
    _write("cohort_place", cohort, [m for m in members if m.pk not in told], waited=waited)


def _sessions_by_part(cohort: Cohort) -> dict[int, TrainingSession]:
    """For each part the next session of it, or the last if all are over."""
    found: dict[int, TrainingSession] = {}
    now = clock.now()
    for session in TrainingSession.objects.standing().filter(cohort=cohort):
        earlier = found.get(session.part)
        if earlier is None or earlier.ends_at <= now:
            found[session.part] = session
    return found


def _write(kind: str, cohort: Cohort, members: list[CohortMember], **said: object) -> None:
    """Let people know what became of their place, once for each time they came."""
    meetings = list(TrainingSession.objects.standing().filter(cohort=cohort)) if members else []
    context = {"cohort": cohort, "sessions": meetings, **said}
    letters = [Letter(member.educator.user, context, _key(member)) for member in members]
    outbox.queue_many(cohort.program, kind, letters)


def _open(cohort: Cohort) -> Cohort:
    cohort = Cohort.objects.locked(cohort)
    _refuse_complete(cohort)
    return cohort


def _refuse_complete(cohort: Cohort) -> None:
    if cohort.completed_at:
        raise NotReady(_("This cohort is complete; open a new one."))
