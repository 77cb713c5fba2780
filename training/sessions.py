"""A cohort's sessions: when and where it meets, who is expected, and their calendars."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils.translation import gettext as _

from pthv import audit, calendars, clock, outbox
from pthv.blocked import NotReady
from pthv.calendars import Appointment, Method
from pthv.models import User
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
    cohort = _locked_cohort(cohort.pk)
    _refuse_wrong_order(starts_at, ends_at)
    new = next_part(cohort)
    part = part or new
    if cohort.completed_at and part >= new:
        raise NotReady(
            _("This cohort is complete; open a new one. Only a part that it had can be made up.")
        )
    session = TrainingSession.objects.create(
        program_id=cohort.program_id,
        cohort=cohort,
        part=part,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
        link=link,
    )
    _expect(session)
    audit.record("training_session.added", session, by=by, part=part)
    return session


@transaction.atomic
def change(session: TrainingSession, *, by: User, **wanted: Any) -> TrainingSession:
    """Change its part, times, place or link; whoever is expected gets the new invitation."""
    session = locked(session)
    changed = [name for name, value in wanted.items() if getattr(session, name) != value]
    if not changed:
        return session
    if session.cancelled_at:
        raise NotReady(_("This session was cancelled. Add a new one."))
    if {"part", "starts_at", "ends_at"} & set(changed) and _recorded(session):
        raise NotReady(
            _("It is recorded who came, so part and times stay. Place and link can be changed.")
        )
    for name in changed:
        setattr(session, name, wanted[name])
    _refuse_wrong_order(session.starts_at, session.ends_at)
    session.sequence += 1
    session.save(update_fields=[*changed, "sequence"])
    invited = _expect(session) if "part" in changed else set()
    for attendance in _coming(session).exclude(member__in=invited):
        _tell(session, attendance, "session_changed")
    audit.record("training_session.changed", session, by=by, changed=changed)
    return session


@transaction.atomic
def cancel(session: TrainingSession, *, by: User) -> TrainingSession:
    """Say that a session will not be; whoever was expected is told, and expected no more."""
    session = locked(session)
    if session.cancelled_at:
        return session
    if _recorded(session):
        raise NotReady(_("It is recorded who came to this session, so it took place."))
    session.sequence += 1
    session.cancelled_at, session.cancelled_by = clock.now(), by
    session.save(update_fields=["sequence", "cancelled_at", "cancelled_by"])
    for attendance in _coming(session):
        _tell(session, attendance, "session_cancelled", Method.CANCEL)
    session.attendances.all().delete()
    for other in _same_part(session).filter(ends_at__gt=clock.now()):
        other.cohort = session.cohort
        _expect(other)
    audit.record("training_session.cancelled", session, by=by)
    return session


def invite(member: CohortMember, **said: Any) -> bool:
    """Put the sessions ahead at which somebody is expected into their calendar, and say
    whether there were any; `said` goes into the message."""
    told = list(_ahead(member))
    for attendance in told:
        _tell(attendance.session, attendance, "session_invited", **said)
    return bool(told)


def invite_to(session: TrainingSession, guest: Attendance) -> None:
    """Put one session into the calendar of somebody who is expected at it alone."""
    _tell(session, guest, "session_invited")


def uninvite(member: CohortMember) -> bool:
    """Take the sessions ahead out of somebody's calendar, before they are expected no more;
    say whether there were any."""
    told = list(_ahead(member))
    for attendance in told:
        attendance.session.sequence += 1
        _tell(attendance.session, attendance, "session_left", Method.CANCEL)
    # Two up: whoever comes back gets an invitation that is newer than this cancellation.
    sessions = TrainingSession.objects.filter(pk__in=[found.session_id for found in told])
    sessions.update(sequence=F("sequence") + 2)
    return bool(told)


def next_part(cohort: Cohort) -> int:
    """The number of a part that this cohort has not planned yet."""
    planned = TrainingSession.objects.standing().filter(cohort=cohort)
    return (planned.aggregate(last=Max("part"))["last"] or 0) + 1


def locked(session: TrainingSession) -> TrainingSession:
    """With its cohort, which is locked first: so does all that changes who is expected."""
    cohort = _locked_cohort(session.cohort_id)
    session = TrainingSession.objects.select_for_update().get(pk=session.pk)
    session.cohort = cohort
    return session


def _expect(session: TrainingSession) -> set[int]:
    """Expect whoever of the cohort should come, and nobody else of it; return who is new.

    That is whoever has not had this part, and is not expected at another session of it.
    """
    members = CohortMember.objects.enrolled().filter(cohort=session.cohort)
    this_part = Attendance.objects.filter(
        member__cohort=session.cohort, session__part=session.part
    ).exclude(session=session)
    has_it = Q(state=Attendance.State.ATTENDED)
    will_have_it = Q(state=Attendance.State.EXPECTED, session__ends_at__gt=clock.now())
    lacking = members.exclude(pk__in=this_part.filter(has_it | will_have_it).values("member"))
    wanted = {member.pk: member for member in lacking.order_by("educator")}
    for attendance in _coming(session).filter(member__cohort=session.cohort):
        if wanted.pop(attendance.member_id, None) is None:
            _tell(session, attendance, "session_left", Method.CANCEL)
            attendance.delete()
    Attendance.objects.bulk_create(
        Attendance(
            program_id=session.program_id,
            session=session,
            educator_id=member.educator_id,
            member=member,
        )
        for member in wanted.values()
    )
    for attendance in _coming(session).filter(member__in=wanted):
        _tell(session, attendance, "session_invited")
    return set(wanted)


def _same_part(session: TrainingSession) -> QuerySet[TrainingSession]:
    """The cohort's other sessions of this one's part."""
    standing = TrainingSession.objects.standing().filter(cohort=session.cohort_id)
    return standing.filter(part=session.part).exclude(pk=session.pk)


def _tell(
    session: TrainingSession,
    attendance: Attendance,
    kind: str,
    method: Method = Method.REQUEST,
    **said: Any,
) -> None:
    """Send somebody what their calendar shall do; nothing about what is over."""
    user = attendance.educator.user
    if session.ends_at <= clock.now() or not user.is_active:
        return
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
    outbox.queue(
        program,
        kind,
        user,
        {"session": session, "cohort": cohort, **said},
        key=f"{session.pk}:{attendance.educator_id}:{session.sequence}",
        calendar=calendars.invitation(appointment, program, user, method),
    )


def _coming(session: TrainingSession) -> QuerySet[Attendance]:
    """Whoever is expected, guests too."""
    expected = session.attendances.filter(state=Attendance.State.EXPECTED)
    return expected.select_related("educator__user").order_by("educator")


def _ahead(member: CohortMember) -> QuerySet[Attendance]:
    """Where a member is expected and may still come."""
    return (
        Attendance.objects.filter(
            member=member,
            state=Attendance.State.EXPECTED,
            session__cancelled_at=None,
            session__ends_at__gt=clock.now(),
        )
        .select_related("educator__user", "session__cohort__course", "session__cohort__program")
        .order_by("session")
    )


def _recorded(session: TrainingSession) -> bool:
    return session.attendances.exclude(state=Attendance.State.EXPECTED).exists()


def _locked_cohort(pk: int) -> Cohort:
    cohorts = Cohort.objects.select_for_update(of=("self",), no_key=True)
    return cohorts.select_related("course", "program").get(pk=pk)


def _refuse_wrong_order(starts_at: datetime.datetime, ends_at: datetime.datetime) -> None:
    if ends_at <= starts_at:
        raise NotReady(_("The session has to end after it starts."))
