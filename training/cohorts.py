"""A cohort's way through its course: enrol, attend, complete."""

import datetime
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady
from pthv.models import Educator, School, User
from pthv.models.people import EducatorQuerySet
from training import certification
from training.models import Attendance, Certification, Cohort, Course, TrainingSession


@transaction.atomic
def open_cohort(course: Course, name: str, *, by: User, school: School | None = None) -> Cohort:
    """Begin a cohort; without a school it is open to all of the program."""
    cohort = Cohort(program_id=course.program_id, course=course, name=name, school=school)
    try:
        with transaction.atomic():
            cohort.save()
    except IntegrityError as refused:
        if "cohort_named_once" not in str(refused):
            raise
        raise NotReady(
            _("%(course)s has a cohort called %(name)s already. Give this one another name.")
            % {"course": course, "name": name}
        ) from None
    audit.record("cohort.opened", cohort, by=by)
    return cohort


@transaction.atomic
def add_session(
    cohort: Cohort,
    *,
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    place: str,
    by: User,
) -> TrainingSession:
    """Add a session; whoever is enrolled already is expected at it."""
    cohort = _open(cohort)
    if ends_at <= starts_at:
        raise NotReady(_("The session has to end after it starts."))
    session = TrainingSession.objects.create(
        program_id=cohort.program_id,
        cohort=cohort,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
    )
    enrolled = Attendance.objects.filter(session__cohort=cohort).values_list("educator", flat=True)
    Attendance.objects.bulk_create(
        Attendance(program_id=cohort.program_id, session=session, educator_id=pk)
        for pk in sorted(set(enrolled))
    )
    audit.record("training_session.added", session, by=by)
    return session


def candidates(cohort: Cohort) -> EducatorQuerySet:
    """Who may be enrolled: educators of the program, or of the cohort's school, not in it yet."""
    educators = Educator.objects.filter(program=cohort.program_id).staying(cohort.school)
    return educators.exclude(pk__in=Attendance.objects.of(cohort).values("educator"))


@transaction.atomic
def enrol(cohort: Cohort, educators: Iterable[Educator], *, by: User) -> int:
    """Expect these educators at every session; return how many are new."""
    cohort = _open(cohort)
    sessions = list(cohort.sessions.all())
    if not sessions:
        raise NotReady(_("Add a session first; then people can be enrolled."))
    there = set(Attendance.objects.of(cohort).values_list("educator", flat=True))
    new = [educator for educator in educators if educator.pk not in there]
    welcome = set(
        candidates(cohort).filter(pk__in=[e.pk for e in new]).values_list("pk", flat=True)
    )
    if strangers := [educator for educator in new if educator.pk not in welcome]:
        raise NotReady(
            _("%(names)s can't join this cohort: only educators who visit here can.")
            % {"names": wording.listed(strangers)}
        )
    Attendance.objects.bulk_create(
        Attendance(program_id=cohort.program_id, session=session, educator=educator)
        for session in sessions
        for educator in new
    )
    if new:
        audit.record("cohort.enrolled", cohort, by=by, educators=[e.pk for e in new])
    return len(new)


@transaction.atomic
def attend(attendance: Attendance, state: str, *, by: User) -> Attendance:
    """Record that somebody came or did not, or take that back (expected)."""
    cohort = Cohort.objects.select_for_update(no_key=True).get(sessions__attendances=attendance.pk)
    attendance = Attendance.objects.select_for_update().get(pk=attendance.pk)
    if attendance.state == state:
        return attendance
    if cohort.completed_at:
        raise NotReady(
            _("This cohort is complete, and its certifications are given. Certify people by hand.")
        )
    session = attendance.session
    day = session.starts_at.astimezone(cohort.program.zone).date()
    expected = state == Attendance.State.EXPECTED
    if day > cohort.program.today and not expected:
        raise NotReady(
            _("This session is on %(day)s. Record who came on that day or after it.")
            % {"day": wording.weekday(day)}
        )
    attendance.state = state
    attendance.recorded_at = None if expected else clock.now()
    attendance.recorded_by = None if expected else by
    attendance.save(update_fields=["state", "recorded_at", "recorded_by"])
    audit.record("attendance.recorded", attendance, by=by, state=state)
    return attendance


def blockers(cohort: Cohort) -> list[str]:
    """Why this cohort can't be completed yet."""
    sessions = list(cohort.sessions.all())
    if not sessions:
        return [_("This cohort has no session yet.")]
    last = max(session.ends_at for session in sessions)
    if last > clock.now():
        return [
            _("Its last session ends %(moment)s.")
            % {"moment": wording.moment(last, cohort.program)}
        ]
    return []


@transaction.atomic
def complete(cohort: Cohort, *, by: User) -> list[Certification]:
    """Certify everybody who came to every session, from the day of the last one."""
    cohort = Cohort.objects.select_for_update().get(pk=cohort.pk)
    if cohort.completed_at:
        return []
    if reasons := blockers(cohort):
        raise NotReady(*reasons)
    issued = _certify(cohort, by) if cohort.course.certifies else []
    cohort.completed_at, cohort.completed_by = clock.now(), by
    cohort.save(update_fields=["completed_at", "completed_by"])
    audit.record("cohort.completed", cohort, by=by, certified=len(issued))
    return issued


def _certify(cohort: Cohort, by: User) -> list[Certification]:
    sessions = list(cohort.sessions.all())
    last_day = max(s.ends_at for s in sessions).astimezone(cohort.program.zone).date()
    missed = Attendance.objects.of(cohort).exclude(state=Attendance.State.ATTENDED)
    educators = (
        Educator.objects.filter(attendances__session__cohort=cohort)
        .exclude(pk__in=missed.values("educator"))
        # What was revoked stays revoked, though its cohort is completed only now.
        .exclude(
            certifications__course=cohort.course,
            certifications__issued_on=last_day,
            certifications__revoked_at__isnull=False,
        )
        .select_related("user", "program")
        .order_by("pk")
        .distinct()
    )
    return [
        certification.issue(educator, cohort.course, on=last_day, by=by) for educator in educators
    ]


def _open(cohort: Cohort) -> Cohort:
    cohort = Cohort.objects.select_for_update().get(pk=cohort.pk)
    if cohort.completed_at:
        raise NotReady(_("This cohort is complete; open a new one."))
    return cohort
