"""A cohort's sessions: when and where it meets, who is expected, and their calendars."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils.translation import gettext as _

from pthv import audit, calendars, clock, outbox
from pthv.blocked import NotReady
from pthv.calendars import Appointment, Method
from pthv.models import User
from pthv.outbox import Letter
from training.models import Attendance, Cohort, CohortMember, TrainingSession


@transaction.atomic
def add(
    cohort: Cohort,
    *,
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    by: User,
    part: int | None = None,
    place: str = "",
    link: str = "",
) -> TrainingSession:
    """Add a session, of the next part if none is named, and invite whoever is enrolled.

    One of a part that the cohort has already makes that part up: whoever lacks it is expected.
    """
    cohort = Cohort.objects.locked(cohort)
    _refuse_wrong_order(starts_at, ends_at)
    part = part or next_part(cohort)
    _refuse_another_part(cohort, part)
    session = TrainingSession.objects.create(
        program_id=cohort.program_id,
        cohort=cohort,
        part=part,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        link=link,
    )
    _expect_at(session)
    audit.record("training_session.added", session, by=by, part=part)
    return session


@transaction.atomic
def change(session: TrainingSession, *, by: User, **wanted: Any) -> TrainingSession:
    """Change its part, times, place or link; whoever is expected gets the new invitation."""
    session = locked(session)
    was_ahead = session.ends_at > clock.now()
    changed = [name for name, value in wanted.items() if getattr(session, name) != value]
    if not changed:
        return session
    if session.cancelled_at:
        raise NotReady(_("This session was cancelled. Add a new one."))
    _refuse_once_complete(session)
    _refuse_another_part(session.cohort, wanted.get("part", session.part))
    if {"part", "starts_at", "ends_at"} & set(changed) and _recorded(session):
        raise NotReady(
            _("It is recorded who came, so part and times stay. Place and link can be changed.")
        )
    for name in changed:
        setattr(session, name, wanted[name])
    _refuse_wrong_order(session.starts_at, session.ends_at)
    session.sequence += 1
    session.save(update_fields=[*changed, "sequence"])
    invited = _expect_at_other_part(session, was_ahead) if "part" in changed else []
    coming = _coming(session).exclude(pk__in=[attendance.pk for attendance in invited])
    # What moved into the past lay ahead in their calendars.
    _tell("session_changed", coming, anyway=was_ahead, over=session.ends_at <= clock.now())
    audit.record("training_session.changed", session, by=by, changed=changed)
    return session


@transaction.atomic
def cancel(session: TrainingSession, *, by: User) -> TrainingSession:
    """Say that a session will not be; whoever was expected is told, and expected no more."""
    session = locked(session)
    if session.cancelled_at:
        return session
    _refuse_once_complete(session)
    if _recorded(session):
        raise NotReady(_("It is recorded who came to this session, so it took place."))
    session.sequence += 1
    session.cancelled_at, session.cancelled_by = clock.now(), by
    session.save(update_fields=["sequence", "cancelled_at", "cancelled_by"])
    _tell("session_cancelled", _coming(session), Method.CANCEL)
    session.attendances.all().delete()
    for other in _same_part(session).filter(ends_at__gt=clock.now()):
        other.cohort = session.cohort
        _expect_at(other)
    audit.record("training_session.cancelled", session, by=by)
    return session


def expect(
    members: Iterable[CohortMember], meetings: Iterable[TrainingSession]
) -> list[Attendance]:
    """Expect these members at those sessions whose part they lack; return where they are new."""
    members, meetings = list(members), list(meetings)
    theirs = Attendance.objects.filter(member__in=members)
    parts = set(theirs.filter(_had_or_ahead()).values_list("member", "session__part"))
    there = Attendance.objects.filter(session__in=meetings)
    here = set(there.values_list("educator", "session"))
    return Attendance.objects.bulk_create(
        Attendance(
            program_id=session.program_id,
            session=session,
            educator_id=member.educator_id,
            member=member,
        )
        for session in meetings
        for member in members
        if (member.pk, session.part) not in parts and (member.educator_id, session.pk) not in here
    )


def invite(members: Iterable[CohortMember], **said: Any) -> set[int]:
    """Put the sessions ahead at which these are expected into their calendars, and return the
    ids of those for whom there were any; `said` goes into the message."""
    told = list(_ahead(members))
    _tell("session_invited", told, **said)
    return {attendance.member_id for attendance in told}


def invite_to(session: TrainingSession, guest: Attendance) -> None:
    """Put one session into the calendar of somebody who is expected at it alone."""
    guest.session = session
    _tell("session_invited", [guest])


def uninvite(member: CohortMember) -> bool:
    """Take the sessions ahead out of somebody's calendar, before they are expected no more;
    say whether there were any."""
    told = list(_ahead([member]))
    for attendance in told:
        attendance.session.sequence += 1
    _tell("session_left", told, Method.CANCEL)
    # Two up: whoever comes back gets an invitation that is newer than this cancellation.
    sessions = TrainingSession.objects.filter(pk__in=[found.session_id for found in told])
    sessions.update(sequence=F("sequence") + 2)
    return bool(told)


def still_open(cohort: Cohort, planned: Iterable[TrainingSession]) -> set[int]:
    """The ids of those sessions that may be recorded and changed.

    `planned`: all that stand, in order. Once a cohort is complete they are its make-ups.
    """
    parts: set[int] = set()
    found = set()
    for session in planned:
        if cohort.completed_at is None or session.part in parts:
            found.add(session.pk)
        parts.add(session.part)
    return found


def next_part(cohort: Cohort) -> int:
    """The number of a part that this cohort has not planned yet."""
    planned = TrainingSession.objects.standing().filter(cohort=cohort)
    return (planned.aggregate(last=Max("part"))["last"] or 0) + 1


def locked(session: TrainingSession) -> TrainingSession:
    """With its cohort, which is locked first: so does all that changes who is expected."""
    cohort = Cohort.objects.locked(session.cohort_id)
    session = TrainingSession.objects.select_for_update().get(pk=session.pk)
    session.cohort = cohort
    return session


def _expect_at(session: TrainingSession) -> list[Attendance]:
    """Expect and invite whoever of the cohort lacks this session's part; return who is new."""
    members = CohortMember.objects.enrolled().filter(cohort=session.cohort).order_by("educator")
    new = expect(members.select_related("educator__user"), [session])
    for attendance in new:
        attendance.educator = attendance.member.educator
    _tell("session_invited", new)
    return new


def _expect_at_other_part(session: TrainingSession, was_ahead: bool) -> list[Attendance]:
    """Expect nobody of the cohort who has the part that it is of now, but whoever lacks it."""
    elsewhere = Attendance.objects.filter(
        member__cohort=session.cohort, session__part=session.part
    ).exclude(session=session)
    having = elsewhere.filter(_had_or_ahead()).values("member")
    leaving = list(_coming(session).filter(member__in=having))
    _tell("session_left", leaving, Method.CANCEL, anyway=was_ahead)
    session.attendances.filter(pk__in=[attendance.pk for attendance in leaving]).delete()
    return _expect_at(session)


def _had_or_ahead() -> Q:
    """What somebody came to, or is expected at and may still come to."""
    came = Q(state=Attendance.State.ATTENDED)
    return came | Q(state=Attendance.State.EXPECTED, session__ends_at__gt=clock.now())


def _same_part(session: TrainingSession) -> QuerySet[TrainingSession]:
    """The cohort's other sessions of this one's part."""
    standing = TrainingSession.objects.standing().filter(cohort=session.cohort_id)
    return standing.filter(part=session.part).exclude(pk=session.pk)


def _tell(
    kind: str,
    attendances: Iterable[Attendance],
    method: Method = Method.REQUEST,
    *,
    anyway: bool = False,
    **said: Any,
) -> None:
    """Send people what their calendars shall do; nothing about what is over, unless `anyway`."""
    now = clock.now()
    told = [
        attendance
        for attendance in attendances
        if attendance.educator.user.is_active and (anyway or attendance.session.ends_at > now)
    ]
    if told:
        letters = [_letter(attendance, method, said) for attendance in told]
        outbox.queue_many(told[0].session.cohort.program, kind, letters)


def _letter(attendance: Attendance, method: Method, said: dict[str, Any]) -> Letter:
    user, session = attendance.educator.user, attendance.session
    program, cohort = session.cohort.program, session.cohort
    appointment = Appointment(
        uid=calendars.uid(program, "training-session", session.pk),
        sequence=session.sequence,
        title=_("%(course)s, part %(part)s (%(cohort)s)")
        % {"course": cohort.course, "part": session.part, "cohort": cohort},
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=session.place,
        link=session.link,
        text=session.link,
    )
    return Letter(
        user,
        {"session": session, "cohort": cohort, **said},
        key=f"{session.pk}:{attendance.educator_id}:{session.sequence}",
        calendar=calendars.invitation(appointment, program, user, method),
    )


def _coming(session: TrainingSession) -> QuerySet[Attendance]:
    """Whoever is expected, guests too."""
    expected = session.attendances.filter(state=Attendance.State.EXPECTED)
    return expected.select_related("educator__user").order_by("educator")


def _ahead(members: Iterable[CohortMember]) -> QuerySet[Attendance]:
    """Where members are expected and may still come."""
    return (
        Attendance.objects.filter(
            member__in=list(members),
            state=Attendance.State.EXPECTED,
            session__cancelled_at=None,
            session__ends_at__gt=clock.now(),
        )
        .select_related("educator__user", "session__cohort__course", "session__cohort__program")
        .order_by("session", "educator")
    )


def _recorded(session: TrainingSession) -> bool:
    return session.attendances.exclude(state=Attendance.State.EXPECTED).exists()


def _refuse_once_complete(session: TrainingSession) -> None:
    """NotReady for what people were certified by; what is made up since may still change."""
    cohort = session.cohort
    planned = TrainingSession.objects.standing().filter(cohort=cohort)
    if cohort.completed_at and session.pk not in still_open(cohort, planned):
        raise NotReady(_("This cohort is complete, so its sessions stay as they were."))


def _refuse_another_part(cohort: Cohort, part: int) -> None:
    if cohort.completed_at and part >= next_part(cohort):
        raise NotReady(
            _("This cohort is complete; open a new one. Only a part that it had can be made up.")
        )


def _refuse_wrong_order(starts_at: datetime.datetime, ends_at: datetime.datetime) -> None:
    if ends_at <= starts_at:
        raise NotReady(_("The session has to end after it starts."))
