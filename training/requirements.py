"""Who still needs what before a course certifies them, and certifying whoever needs nothing more.

A member of a cohort is certified once the cohort is complete and every requirement of its course
is met; what was missing may come later, from another cohort's session or from another room.
"""

import datetime
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import (
    Case,
    Count,
    DecimalField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Cast, Coalesce, Extract
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, outbox
from pthv.blocked import NotReady
from pthv.models import Educator, User
from pthv.outbox import Letter
from training import certification
from training.models import (
    Attendance,
    Certification,
    Cohort,
    CohortMember,
    Course,
    CourseRequirement,
    TrainingFact,
    TrainingSession,
)

Kind = CourseRequirement.Kind
FACTS = {
    Kind.FIRST_VISITS: TrainingFact.Kind.FIRST_VISIT,
    Kind.SECOND_VISITS: TrainingFact.Kind.SECOND_VISIT,
    Kind.DEBRIEFS: TrainingFact.Kind.DEBRIEF,
}
NUMBER: DecimalField = DecimalField(max_digits=9, decimal_places=2)


def lacking(members: QuerySet[CohortMember]) -> dict[int, list[str]]:
    """What each of these members still needs, in words, by their id; two queries."""
    asked = CourseRequirement.objects.filter(course__in=members.values("cohort__course"))
    # Few courses ask for more than one kind, and each takes a question of its own.
    kinds = set(asked.order_by().values_list("kind", flat=True).distinct())
    found: dict[int, list[str]] = {}
    if not kinds:
        return found
    # Compared here: asked for in the query, what they have would be counted a second time.
    for row in _required(members, kinds):
        if row["have"] < row["need"]:
            found.setdefault(row["pk"], []).append(_in_words(row))
    return found


def _unmet(members: QuerySet[CohortMember]) -> QuerySet:
    """The rows of what is required and not met."""
    return _required(members).filter(have__lt=F("need"))


def _required(
    members: QuerySet[CohortMember], kinds: Collection[str] = frozenset(Kind)
) -> QuerySet:
    """A row for each member and requirement: `kind`, `have`, `need`, `held_name`."""
    asked = "cohort__course__requirements__"
    # The joins to the requirements make one row of each.
    rows = members.order_by("pk").annotate(kind=F(f"{asked}kind"), other=F(f"{asked}held"))
    counted: dict[str, Callable[[], Any]] = {
        Kind.EVERY_PART: _parts_attended,
        Kind.SESSIONS: lambda: _of_attendances(Count("pk"), state="attended"),
        Kind.HOURS: lambda: _of_attendances(_hours()),
        Kind.HOLDS: lambda: _held(OuterRef("other")),
    }
    counted |= {kind: partial(_facts, fact) for kind, fact in FACTS.items()}
    have = [When(kind=kind, then=count()) for kind, count in counted.items() if kind in kinds]
    need = Case(
        # Where no session stands there is no part that anybody could have come to.
        When(kind=Kind.EVERY_PART, then=Coalesce(_parts(), Value(Decimal(1)))),
        When(kind=Kind.HOLDS, then=Value(Decimal(1))),
        default=F(f"{asked}amount"),
        output_field=NUMBER,
    )
    return (
        rows.exclude(kind=None)
        .annotate(
            need=need,
            have=Coalesce(Case(*have, output_field=NUMBER), Value(Decimal(0))),
            held_name=F(f"{asked}held__name"),
        )
        .values("pk", "kind", "have", "need", "held_name")
    )


def _counted(rows: QuerySet, by: str, total: Any) -> Cast:
    """The `total` of these rows, of which all have the same `by`."""
    return Cast(Subquery(rows.order_by().values(by).annotate(n=total).values("n")), NUMBER)


def _sessions() -> QuerySet[TrainingSession]:
    return TrainingSession.objects.standing().filter(cohort=OuterRef("cohort"))


def _parts() -> Cast:
    return _counted(_sessions(), "cohort", Count("part", distinct=True))


def _parts_attended() -> Cast:
    """Of the cohort's parts those the member came to, wherever that was."""
    came = Attendance.objects.filter(
        member=OuterRef(OuterRef("pk")), state="attended", session__part=OuterRef("part")
    )
    return _counted(_sessions().filter(Exists(came)), "cohort", Count("part", distinct=True))


def _of_attendances(total: Any, **which: Any) -> Cast:
    return _counted(Attendance.objects.filter(member=OuterRef("pk"), **which), "member", total)


def _hours() -> Any:
    whole = ExpressionWrapper(
        F("session__ends_at") - F("session__starts_at"), output_field=DurationField()
    )
    seconds = Case(
        When(state="attended", then=Cast(Extract(whole, "epoch"), IntegerField())),
        When(state="partial", then=F("minutes") * 60),
        default=0,
        output_field=IntegerField(),
    )
    # An hour is 3600 of them; a whole number over a whole number would drop the rest.
    return Cast(Sum(seconds), DecimalField(max_digits=12, decimal_places=4)) / Value(Decimal(3600))


def _held(course: OuterRef) -> Cast:
    held = Certification.objects.filter(
        educator=OuterRef("educator"), course=course, revoked_at=None
    )
    return _counted(held, "educator", Count("pk"))


def _facts(kind: str) -> Cast:
    facts = TrainingFact.objects.filter(educator=OuterRef("educator"), kind=kind)
    return _counted(facts, "educator", Count("pk"))


def _in_words(row: dict[str, Any]) -> str:
    more = row["need"] - row["have"]
    facts = {"n": f"{more.normalize():f}", "course": row["held_name"]}
    count = int(more) if more == int(more) else 2
    return {
        Kind.EVERY_PART: ngettext("%(n)s part of the course", "%(n)s parts of the course", count),
        Kind.SESSIONS: ngettext("%(n)s more session", "%(n)s more sessions", count),
        Kind.HOURS: ngettext("%(n)s more hour", "%(n)s more hours", count),
        Kind.HOLDS: _("%(course)s first"),
        Kind.FIRST_VISITS: ngettext("%(n)s more first visit", "%(n)s more first visits", count),
        Kind.SECOND_VISITS: ngettext("%(n)s more second visit", "%(n)s more second visits", count),
        Kind.DEBRIEFS: ngettext("%(n)s more group debrief", "%(n)s more group debriefs", count),
    }[row["kind"]] % facts


@transaction.atomic
def certify_by_hand(
    educator: Educator, course: Course, *, on: datetime.date, by: User
) -> Certification:
    """Certify somebody for a training outside a cohort; it may be what another course asks for."""
    issued = certification.issue(educator, course, on=on, by=by)
    _tell([issued])
    settle(educator, by=by)
    return issued


def _tell(issued: list[Certification]) -> None:
    """Let people know that they are certified, once for each certification; not of what came
    so late that it is over already."""
    letters = [
        Letter(given.educator.user, {"certification": given}, str(given.pk))
        for given in issued
        if given.expires_on >= given.educator.program.today
    ]
    if letters:
        outbox.queue_many(issued[0].educator.program, "certification_issued", letters)


@transaction.atomic
def certify(cohort: Cohort, *, by: User) -> list[Certification]:
    """Certify each member of a complete cohort who needs nothing more."""
    return _certify(CohortMember.objects.filter(cohort=cohort), by)


@transaction.atomic
def settle(*educators: Educator | int, by: User) -> list[Certification]:
    """Certify these educators in each complete cohort where the last thing was just met."""
    issued = _certify(CohortMember.objects.filter(educator__in=educators), by)
    # A certification may be what another course asked for.
    return issued + settle(*educators, by=by) if issued else []


@transaction.atomic
def settle_course(course: Course, *, by: User) -> list[Certification]:
    """Certify whoever has all that a course asks for since it was changed."""
    return _certify(CohortMember.objects.filter(cohort__course=course), by)


@transaction.atomic
def unearn(*members: CohortMember, by: User) -> None:
    """Take back what was certified by an attendance that is corrected, on the same day; later,
    when somebody may rely on it, only revoking ends it."""
    certified = CohortMember.objects.filter(pk__in=[member.pk for member in members])
    certified = certified.filter(certifications__revoked_at=None, certifications__isnull=False)
    short = {row["pk"] for row in _unmet(certified)}
    for given in Certification.objects.filter(member__in=short).select_related(
        "educator__user", "program"
    ):
        if given.issued_at.astimezone(given.program.zone).date() < given.program.today:
            raise NotReady(
                _("%(name)s is certified by it. Revoke that certification first.")
                % {"name": given.educator}
            )
        audit.record("certification.taken_back", given, by=by, educator=given.educator_id)
        given.delete()


def _certify(members: QuerySet[CohortMember], by: User) -> list[Certification]:
    """Certify those of the members who need nothing more; return what is new."""
    waiting = members.filter(
        state=CohortMember.State.ENROLLED,
        cohort__completed_at__isnull=False,
        certifications=None,
    )
    educators = Educator.objects.filter(pk__in=waiting.values("educator"))
    list(educators.order_by("pk").select_for_update(no_key=True))
    short = {row["pk"] for row in _unmet(waiting)}
    ready = waiting.exclude(pk__in=short).order_by("educator", "joined_at", "pk")
    met = _Met(list(ready.select_related("educator__user", "educator__program", "cohort__course")))
    issued, earned = [], []
    for member in met.members:
        course, on = member.cohort.course, met.day(member)
        held = met.held.get((member.educator_id, course.pk, on))
        if held is None and not met.revoked(member, on):
            given = certification.made(member.educator, course, on=on, by=by, member=member)
            met.held[member.educator_id, course.pk, on] = given
            issued.append(given)
        elif held and held.member_id is None and held.revoked_at is None:
            held.member = member  # certified by hand for the very training
            earned.append(held)
    certification.keep(issued, by=by)
    Certification.objects.bulk_update(earned, ["member"])
    _tell(issued)
    return issued


class _Met:
    """Members who met all that was asked, with what says on which day; five queries for all."""

    def __init__(self, members: list[CohortMember]) -> None:
        self.members = members
        educators = {member.educator_id for member in members}
        came = Attendance.objects.filter(state=Attendance.State.ATTENDED).select_related("session")
        prefetch_related_objects(
            members,
            Prefetch("cohort__sessions", TrainingSession.objects.standing()),
            Prefetch("attendances", came),
            "cohort__course__requirements",
        )
        self.certifications = list(
            Certification.objects.filter(educator__in=educators)
            .select_related("course")
            .order_by("issued_on")
        )
        self.held = {
            (one.educator_id, one.course_id, one.issued_on): one for one in self.certifications
        }
        self.facts: dict[tuple[int, str], list[datetime.date]] = {}
        facts = TrainingFact.objects.filter(educator__in=educators).order_by("happened_on")
        for educator, kind, on in facts.values_list("educator", "kind", "happened_on"):
            self.facts.setdefault((educator, kind), []).append(on)

    def day(self, member: CohortMember) -> datetime.date:
        """When the last requirement was met, not before the cohort's last session."""
        program = member.educator.program
        sessions = [
            *member.cohort.sessions.all(),
            *(one.session for one in member.attendances.all()),
        ]
        days = [session.ends_at.astimezone(program.zone).date() for session in sessions]
        for asked in member.cohort.course.requirements.all():
            if asked.kind in FACTS:
                done = self.facts.get((member.educator_id, FACTS[Kind(asked.kind)]), [])
                days += done[: int(asked.amount)]
            elif asked.kind == Kind.HOLDS:
                days += [
                    one.issued_on
                    for one in self.certifications
                    if (one.educator_id, one.course_id) == (member.educator_id, asked.held_id)
                    and one.revoked_at is None
                ][:1]
        return min(max(days, default=program.today), program.today)

    def revoked(self, member: CohortMember, on: datetime.date) -> bool:
        """Whether what was learnt until that day was revoked since: it isn't given back."""
        return any(
            one.educator_id == member.educator_id
            and certification.bars(one, member.cohort.course, on, member.educator.program.zone)
            for one in self.certifications
        )
