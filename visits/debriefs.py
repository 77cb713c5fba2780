"""Group debriefs: planned, prepared by what people chose to share, held, and counted."""

import datetime
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, Program, School, User
from training import facts
from training.models import Cohort, CohortMember, TrainingFact
from visits.models import (
    DebriefAttendee,
    DebriefSession,
    Reflection,
    ReflectionTheme,
    ResourceAsk,
)

State = DebriefSession.State
FEW = 3  # fewer people than this could be told apart by what they shared


@dataclass(frozen=True)
class Topic:
    """A theme to talk about; of how many reflections, where enough people are behind it."""

    name: str
    count: int | None


@dataclass(frozen=True)
class Plan:
    """Where and when, and who leads it; of a school or of a cohort."""

    starts_at: datetime.datetime
    school: School | None = None
    cohort: Cohort | None = None
    place: str = ""
    led_by: User | None = None


@transaction.atomic
def plan(program: Program, planned: Plan, *, by: User) -> DebriefSession:
    """Put one in the diary."""
    debrief = DebriefSession.objects.create(
        program=program, planned_by=by, planned_at=clock.now(), **vars(planned)
    )
    audit.record("debrief.planned", debrief, by=by)
    return debrief


@transaction.atomic
def change(debrief: DebriefSession, planned: Plan, *, by: User) -> DebriefSession:
    """Another time, place or leader; whose it is stays."""
    debrief = _locked(debrief)
    if not debrief.is_planned:
        raise NotReady(_("This debrief is over. Plan another one."))
    debrief.starts_at, debrief.place = planned.starts_at, planned.place
    debrief.led_by = planned.led_by
    debrief.save(update_fields=["starts_at", "place", "led_by"])
    audit.record("debrief.changed", debrief, by=by)
    return debrief


def blockers(debrief: DebriefSession) -> list[str]:
    """Why it can't be written up."""
    if debrief.state == State.CANCELLED:
        return [_("This debrief was cancelled.")]
    if not debrief.has_begun:
        return [_("It has not begun yet. Write it up afterwards.")]
    return []


@transaction.atomic
def hold(
    debrief: DebriefSession, came: Iterable[Educator], decisions: str, *, by: User
) -> DebriefSession:
    """It took place: these came, and this was decided. Written again, it is corrected."""
    debrief = _locked(debrief)
    raise_if(blockers(debrief))
    people = list(came)
    if not people:
        raise NotReady(_("Tick who came."))
    if not debrief.is_held:
        debrief.state, debrief.held_at, debrief.held_by = State.HELD, clock.now(), by
        audit.record("debrief.held", debrief, by=by)
    debrief.decisions = decisions.strip()
    debrief.save(update_fields=["state", "held_at", "held_by", "decisions"])
    _attend(debrief, people, by)
    return debrief


def _attend(debrief: DebriefSession, people: list[Educator], by: User) -> None:
    rows = DebriefAttendee.objects.filter(debrief=debrief)
    gone = rows.exclude(educator__in=people)
    key = f"debrief:{debrief.pk}"
    facts.take_back(list(gone.values_list("educator", flat=True)), key=key)
    gone.delete()
    DebriefAttendee.objects.bulk_create(
        (
            DebriefAttendee(program_id=debrief.program_id, debrief=debrief, educator=one)
            for one in people
        ),
        ignore_conflicts=True,
    )
    audit.record("debrief.attended", debrief, by=by, educators=[one.pk for one in people])
    if debrief.program.debriefs_train:
        on = debrief.starts_at.astimezone(debrief.program.zone).date()
        facts.record(people, TrainingFact.Kind.DEBRIEF, on=on, key=key, by=by)


@transaction.atomic
def cancel(debrief: DebriefSession, *, by: User) -> DebriefSession:
    """It does not take place; twice is once."""
    debrief = _locked(debrief)
    if debrief.is_held:
        raise NotReady(_("It took place, so it can't be cancelled."))
    if debrief.is_planned:
        debrief.state = State.CANCELLED
        debrief.cancelled_at, debrief.cancelled_by = clock.now(), by
        debrief.save(update_fields=["state", "cancelled_at", "cancelled_by"])
        audit.record("debrief.cancelled", debrief, by=by)
    return debrief


def expected(debrief: DebriefSession) -> QuerySet[Educator]:
    """Who belongs to the school or the cohort, and whoever came besides."""
    came = Q(pk__in=DebriefAttendee.objects.filter(debrief=debrief).values("educator"))
    if debrief.school:
        there = Educator.objects.at(debrief.school).values("pk")
    else:
        there = CohortMember.objects.enrolled().filter(cohort=debrief.cohort).values("educator")
    return Educator.objects.filter(came | Q(pk__in=there)).by_name()


def agenda(debrief: DebriefSession) -> list[Topic]:
    """Themes of what people chose to share since the last one, most spoken of first.

    No names and no words of anybody; nothing at all of fewer than three people, and no count
    of a theme that fewer than three shared.
    """
    shared = _shared(debrief)
    taps = ReflectionTheme.objects.filter(reflection__in=shared.values("pk"))
    if taps.values("reflection__educator").distinct().count() < FEW:
        return []
    found = (
        taps.order_by()
        .values_list("theme__name")
        .annotate(n=Count("pk"), people=Count("reflection__educator", distinct=True))
    )
    topics = [Topic(name, n if people >= FEW else None) for name, n, people in found]
    return sorted(topics, key=lambda topic: (-(topic.count or 0), topic.name))


def _shared(debrief: DebriefSession) -> QuerySet[Reflection]:
    """Reflections that their authors chose to share, between the last debrief and this one."""
    until = debrief.held_at or clock.now()
    same = {"school": debrief.school_id} if debrief.school_id else {"cohort": debrief.cohort_id}
    earlier = DebriefSession.objects.held().filter(**same, held_at__lte=until)
    last = earlier.exclude(pk=debrief.pk).order_by("-held_at").first()
    shared = Reflection.objects.filter(shared_with_debrief=True, written_at__lte=until)
    if last:
        shared = shared.filter(written_at__gt=last.held_at)
    if debrief.school_id:
        return shared.filter(visit__school=debrief.school_id)
    members = CohortMember.objects.enrolled().filter(cohort=debrief.cohort_id)
    return shared.filter(educator__in=members.values("educator"))


@transaction.atomic
def ask_for(
    program: Program,
    what: str,
    *,
    school: School | int | None,
    debrief: DebriefSession | None = None,
) -> ResourceAsk | None:
    """Keep that something would help, never who said so; asked again, it is one ask."""
    what = " ".join(what.split())[:300]
    if not what:
        return None
    today = program.today
    school_id = school.pk if isinstance(school, School) else school
    # Nothing in the audit either: its entry would stand beside the reflection's.
    return ResourceAsk.objects.get_or_create(
        program=program,
        school_id=school_id,
        what=what,
        found_at=None,
        defaults={
            "asked_in": today - datetime.timedelta(days=today.weekday()),
            "debrief": debrief,
        },
    )[0]


def wanted(debrief: DebriefSession) -> QuerySet[ResourceAsk]:
    """What its people asked for and nobody has found yet."""
    if debrief.school_id:
        return ResourceAsk.objects.open().filter(school=debrief.school_id)
    return ResourceAsk.objects.open().filter(debrief__cohort=debrief.cohort_id)


@transaction.atomic
def find(ask: ResourceAsk, note: str, *, by: User) -> ResourceAsk:
    """It was found, or can't be had: the note says which."""
    ask = ResourceAsk.objects.select_for_update(of=("self",)).get(pk=ask.pk)
    if not note.strip():
        raise NotReady(_("Say what was found, and where; or why it can't be had."))
    if ask.found_at is None:
        ask.found_at, ask.found_by = clock.now(), by
    ask.found = note.strip()
    ask.save(update_fields=["found_at", "found_by", "found"])
    return ask


def by_school(asks: Iterable[ResourceAsk]) -> list[tuple[School | None, list[ResourceAsk]]]:
    """Those of each school together, in the order of their names."""
    rows = sorted(asks, key=lambda ask: (ask.school.name if ask.school else "", ask.school_id or 0))
    return [
        (school, list(theirs)) for school, theirs in itertools.groupby(rows, lambda a: a.school)
    ]


def _locked(debrief: DebriefSession) -> DebriefSession:
    kept = DebriefSession.objects.select_for_update(of=("self",))
    return kept.select_related("program", "school", "cohort").get(pk=debrief.pk)
