"""Who stands where and who came, as files; that somebody took one is kept."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.utils.translation import gettext as _

from pthv import audit
from pthv.models import Membership, Program, Role, User
from pthv.models.people import EducatorQuerySet
from training import certification
from training.models import Attendance, Cohort, CohortMember, Course, TrainingSession

FEW = 500
STANDINGS = {
    "current": "current", "ending": "current", "expiring": "current", "starting": "starting",
    "ended": "ended", "revoked": "revoked", "never": "not trained",
}  # fmt: skip


def educators(
    found: EducatorQuerySet, program: Program, *, by: User, filters: dict[str, str | bool]
) -> Iterator[Iterable[object]]:
    """Educators, and until when each may visit; a header first."""
    # A list of educators is about nobody in particular: it is kept by who took it.
    exporting = Membership.objects.current(program.today).filter(program=program, user=by)
    audit.record("educators.exported", exporting.order_by("pk")[0], by=by, filters=filters)
    memberships = Membership.objects.current(program.today).filter(
        program=program, user=OuterRef("user"), role=Role.EDUCATOR
    )
    schools = memberships.order_by("school__name").values("school__name")
    rows = found.by_name().annotate(schools=ArraySubquery(schools))
    return _educators(rows, program)


def _educators(rows: EducatorQuerySet, program: Program) -> Iterator[Iterable[object]]:
    yield ["name", "email", "schools", "standing", "course", "certified_from", "last_day",
           "evidence"]  # fmt: skip
    names = dict(Course.objects.values_list("pk", "name"))
    waiting: Any = rows.iterator(FEW)
    while some := list(islice(waiting, FEW)):
        standings = certification.standings(some, on=program.today)
        for educator in some:
            state, _day, held = standings[educator.pk]
            user, schools = educator.user, "; ".join(educator.schools)
            known = (
                (names[held.course_id], held.issued_on, held.expires_on, held.evidence)
                if held
                else ()
            )
            yield [str(user), user.email, schools, STANDINGS[state], *known]


def members(
    cohort: Cohort, found: QuerySet[CohortMember], *, by: User
) -> Iterator[Iterable[object]]:
    """The members of a cohort, and whether each came to each session; a header first."""
    audit.record("cohort.exported", cohort, by=by)
    return _members(cohort, found)


def _members(cohort: Cohort, found: QuerySet[CohortMember]) -> Iterator[Iterable[object]]:
    sessions = list(TrainingSession.objects.standing().filter(cohort=cohort))
    days = [one.starts_at.astimezone(cohort.program.zone).date() for one in sessions]
    titles = [f"{day} part {one.part}" for day, one in zip(days, sessions, strict=True)]
    yield ["name", "email", "membership", *titles, "certified_from", "last_day"]
    rows = found.select_related("educator__user").prefetch_related("certifications").order_by("pk")
    came = {
        (one.member_id, one.session_id): _came(one)
        for one in Attendance.objects.filter(member__in=found.values("pk"), session__in=sessions)
    }
    for member in rows.iterator(FEW):
        user, held = member.educator.user, next(iter(member.certifications.all()), None)
        attended = [came.get((member.pk, session.pk), "") for session in sessions]
        until = (held.issued_on, held.expires_on) if held and held.revoked_at is None else ()
        yield [str(user), user.email, member.state, *attended, *until]


def _came(one: Attendance) -> str:
    return _("%(n)s minutes") % {"n": one.minutes} if one.minutes else one.state
