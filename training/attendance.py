"""Who came to a session, for how long, and whose make-up it is."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from pthv import audit, clock, undo, wording
from pthv.blocked import NotReady
from pthv.models import Change, Educator, User
from training import requirements, sessions
from training.models import Attendance, Cohort, CohortMember, TrainingSession
from training.sessions import still_open

State = Attendance.State
EVERYBODY = "attendance.everybody"


@transaction.atomic
def attend(
    attendance: Attendance, state: str, *, by: User, minutes: int | None = None
) -> Attendance:
    """Record that somebody came, for a part of it, or did not; or take that back (expected).

    A part without minutes is half of the session, until somebody says more.
    """
    session = sessions.locked(attendance.session)
    attendance = (
        Attendance.objects.select_for_update(of=("self",))
        .select_related("member__cohort", "educator__user")
        .get(pk=attendance.pk)
    )
    minutes = _minutes(session, minutes or attendance.minutes) if state == State.PARTIAL else None
    if (attendance.state, attendance.minutes) == (state, minutes):
        return attendance
    raise_unless_open(session, attendance.member.cohort, state)
    expected = state == State.EXPECTED
    attendance.state, attendance.minutes = state, minutes
    attendance.recorded_at = None if expected else clock.now()
    attendance.recorded_by = None if expected else by
    attendance.save(update_fields=["state", "minutes", "recorded_at", "recorded_by"])
    audit.record("attendance.recorded", attendance, by=by, state=state, minutes=minutes)
    if attendance.member.cohort.completed_at:
        requirements.unearn(attendance.member, by=by)
        requirements.settle(attendance.educator, by=by)  # it may have been the last thing
    return attendance


def _minutes(session: TrainingSession, minutes: int | None) -> int:
    minutes = minutes or max(1, session.minutes // 2)
    if minutes >= session.minutes:
        raise NotReady(
            _("The session lasts %(minutes)s minutes. Whoever was there so long came.")
            % {"minutes": session.minutes}
        )
    return minutes


@transaction.atomic
def everybody_came(session: TrainingSession, *, by: User) -> Change | None:
    """Record that all came of whom nothing is recorded; `take_back` undoes it at once."""
    session = sessions.locked(session)
    raise_unless_open(session, session.cohort, State.ATTENDED)
    missing = session.attendances.filter(state=State.EXPECTED)
    educators = list(Educator.objects.filter(attendances__in=missing).order_by("pk"))
    if not educators:
        return None
    label = f"{session.cohort} {session.starts_at.astimezone(session.cohort.program.zone):%Y-%m-%d}"
    with undo.recorded(EVERYBODY, program=session.cohort.program, by=by, label=label) as change:
        missing.update(state=State.ATTENDED, recorded_at=clock.now(), recorded_by=by)
        # For some it makes up a part of another cohort, complete or not.
        requirements.settle(*educators, by=by)
        audit.record("attendance.everybody", session, by=by, educators=[e.pk for e in educators])
    return change


@transaction.atomic
def take_back(change: Change, *, by: User) -> None:
    """Undo that everybody came, all of it, as long as nothing of it was changed since."""
    session = session_of(change)
    if session is None:  # it was cancelled, or too long ago to know
        raise NotReady(*(undo.blockers(change) or [_("This can't be undone any more.")]))
    session = sessions.locked(session)
    raise_unless_open(session, session.cohort, State.EXPECTED)
    there = list(CohortMember.objects.filter(attendances__session=session).distinct())
    undo.take_back(change, by=by)
    requirements.unearn(*there, by=by)
    # Nobody is expected who gave up their place meanwhile.
    gone = session.attendances.filter(state=State.EXPECTED)
    gone.exclude(member__state=CohortMember.State.ENROLLED).delete()


def session_of(change: Change) -> TrainingSession | None:
    """Where everybody came; None if nobody is expected there any more."""
    rows = change.images.filter(table=Attendance._meta.db_table).values("row")
    return TrainingSession.objects.filter(attendances__in=rows).first()


def raise_unless_open(session: TrainingSession, counted_for: Cohort, state: str) -> None:
    """NotReady if it can't be recorded now; `counted_for`: the cohort of whom it is about."""
    if session.cancelled_at:
        raise NotReady(_("This session was cancelled."))
    own = session.cohort_id == counted_for.pk
    planned = TrainingSession.objects.standing().filter(cohort=counted_for)
    if own and counted_for.completed_at and session.pk not in still_open(counted_for, planned):
        raise NotReady(
            _("This cohort is complete. Add a make-up session, or certify people by hand.")
        )
    program = session.cohort.program
    day = session.starts_at.astimezone(program.zone).date()
    if day > program.today and state != State.EXPECTED:
        raise NotReady(
            _("This session is on %(day)s. Record who came on that day or after it.")
            % {"day": wording.weekday(day)}
        )


def guests(session: TrainingSession) -> QuerySet[CohortMember]:
    """Members of the course's other cohorts who lack this part and may make it up here."""
    came = Attendance.objects.filter(session__part=session.part, state=State.ATTENDED)
    return (
        CohortMember.objects.enrolled()
        .filter(cohort__course=session.cohort.course_id)
        .exclude(cohort=session.cohort_id)
        .exclude(educator__in=session.attendances.values("educator"))
        .exclude(pk__in=came.values("member"))
    )


@transaction.atomic
def add_guest(session: TrainingSession, member: CohortMember, *, by: User) -> Attendance:
    """Expect a member of another cohort at this session: it counts for their own."""
    session = sessions.locked(session)
    if there := session.attendances.filter(educator=member.educator_id).first():
        return there
    if session.cancelled_at:
        raise NotReady(_("This session was cancelled."))
    if not guests(session).filter(pk=member.pk).exists():
        raise NotReady(
            _("%(name)s can't make this part up here: they have it, or take another course.")
            % {"name": member.educator}
        )
    guest = _expected(session, member)
    audit.record("attendance.guest_added", guest, by=by, member=member.pk)
    sessions.invite_to(session, guest)
    return guest


def place_of(session: TrainingSession, educator: Educator) -> Attendance | None:
    """Where it is recorded that somebody came; None if they have no place in the session.

    Whoever is enrolled in the cohort has one, though nobody expected them this time; whoever
    gave their place up has none, whatever was recorded of them before.
    """
    there = session.attendances.select_related("member").filter(educator=educator).first()
    if there:
        return there if there.member.state == CohortMember.State.ENROLLED else None
    enrolled = CohortMember.objects.enrolled().filter(cohort=session.cohort_id, educator=educator)
    member = enrolled.first()
    return _expected(session, member) if member else None


def _expected(session: TrainingSession, member: CohortMember) -> Attendance:
    return Attendance.objects.create(
        program_id=session.program_id,
        session=session,
        educator_id=member.educator_id,
        member=member,
    )
