"""A cohort's way through its course: enrol, attend, complete."""

import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady
from pthv.models import Educator, School, User
from training import certification, enrolment
from training.models import (
    Attendance,
    Certification,
    Cohort,
    CohortMember,
    Course,
    TrainingSession,
)


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
    part: int | None = None,
) -> TrainingSession:
    """Add a session, of the next part if none is named; whoever is enrolled is expected at it."""
    cohort = _open(cohort)
    if ends_at <= starts_at:
        raise NotReady(_("The session has to end after it starts."))
    last = _standing(cohort).aggregate(part=Max("part"))["part"] or 0
    session = TrainingSession.objects.create(
        program_id=cohort.program_id,
        cohort=cohort,
        part=part or last + 1,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place,
    )
    enrolment.expect(
        list(CohortMember.objects.enrolled().filter(cohort=cohort).order_by("educator"))
    )
    audit.record("training_session.added", session, by=by)
    return session


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
    sessions = list(_standing(cohort))
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
    issued = _certify(cohort, by)
    cohort.completed_at, cohort.completed_by = clock.now(), by
    cohort.save(update_fields=["completed_at", "completed_by"])
    audit.record("cohort.completed", cohort, by=by, certified=len(issued))
    return issued


def _certify(cohort: Cohort, by: User) -> list[Certification]:
    sessions = list(_standing(cohort))
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


def _standing(cohort: Cohort) -> QuerySet[TrainingSession]:
    return TrainingSession.objects.standing().filter(cohort=cohort)
