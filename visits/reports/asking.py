"""Asking: how far each class of a school and each plan has come, whoever lags behind first.

Families are counted, by the invitations to a first visit this school year; one with children in
two classes counts in both.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, When

from families.models import SchoolClass
from pthv.models import School, SchoolYear
from visits.models import Draw, Invitation, SelectionPlan, VisitKind

MOST = 100
ASKED = ~Q(state=Invitation.State.NOT_ASKED)
ANSWERED = (Invitation.State.ACCEPTED, Invitation.State.DECLINED, Invitation.State.LATER)


@dataclass(frozen=True)
class Asking:
    """How far some families have come."""

    pk: int
    name: str
    enrolled: int
    planned: int
    asked: int
    accepted: int
    visited: int
    ask_by: datetime.date | None = None
    answered: int = 0

    @property
    def to_ask(self) -> int:
        return self.planned - self.asked


def by_class(school: School, *, on: datetime.date) -> list[Asking]:
    """Each class of the school year at hand: where nobody is asked first, at most `MOST`."""
    year = SchoolYear.objects.at_hand(on).values("pk")
    way = "enrollments__student__family__invitations"
    inside = Q(enrollments__left_on=None, enrollments__student__left_on=None)
    of_year = Q(**{f"{way}__kind": VisitKind.FIRST, f"{way}__school_year": F("school_year")})
    classes = SchoolClass.objects.filter(
        school=school, school_year__in=year, left_on=None
    ).annotate(
        first=FilteredRelation(way, condition=inside & of_year),
        enrolled=Count("enrollments__student", filter=inside, distinct=True),
        planned=Count("first", distinct=True),
        asked=Count("first", filter=~Q(first__state="not_asked"), distinct=True),
        accepted=Count("first", filter=Q(first__state="accepted"), distinct=True),
        visited=Count("first", filter=Q(first__visited_at__isnull=False), distinct=True),
    )
    counts = ("enrolled", "planned", "asked", "accepted", "visited")
    rows = classes.order_by("title", "pk").values_list("pk", "title", *counts)
    return _behind_first([Asking(*row) for row in rows])[:MOST]


def by_plan(school: School, *, on: datetime.date) -> list[Asking]:
    """Each plan of the school year at hand, with the day by which all should be asked. Whoever
    was drawn counts in the draw, also if another plan asks them."""
    plans = SelectionPlan.objects.filter(
        school=school, school_year__in=SchoolYear.objects.at_hand(on).values("pk")
    )
    return of_plans(list(with_scope(plans).order_by("-pk")[:MOST]))


def idle_first(plans: QuerySet[SelectionPlan]) -> QuerySet[SelectionPlan]:
    """Plans with `idle`: 1 where nobody was asked yet, else 0."""
    asked = Invitation.objects.filter(plan=OuterRef("pk"), asked_at__isnull=False)
    return plans.annotate(idle=Case(When(Exists(asked), then=0), default=1))


def with_scope(plans: QuerySet[SelectionPlan]) -> QuerySet[SelectionPlan]:
    """Plans with what they are of."""
    names = ("school__name", "school_class__title", "school_year__name")
    return plans.select_related("school", "school_class", "school_year").only(
        "kind", "grade", "ask_by", "made_at", *names
    )


def of_plans(plans: list[Any]) -> list[Asking]:
    """How far each of them has come, in their order."""
    counted = _counted(plans)
    drawn: dict[int, set[int]] = {}
    by_lot = [plan for plan in plans if plan.kind == SelectionPlan.Kind.DRAW]
    for plan, among in Draw.objects.filter(plan__in=by_lot).values_list("plan", "drawn"):
        drawn.setdefault(plan, set()).update(among)
    # Whoever was drawn may be asked by another plan.
    invited = Invitation.objects.filter(plan__in=drawn).values_list("plan", "family")
    for plan, family in invited:
        drawn[plan].add(family)
    found = Invitation.objects.filter(
        family__in=set().union(*drawn.values()),
        kind=VisitKind.FIRST,
        school_year__in={plan.school_year_id for plan in plans},
    ).only("family", "school_year", "state", "visited_at")
    first = {(one.family_id, one.school_year_id): one for one in found}
    return [
        _of_plan(plan, [first.get((pk, plan.school_year_id)) for pk in drawn[plan.pk]])
        if plan.pk in drawn
        else Asking(pk=plan.pk, name=str(plan), enrolled=0, ask_by=plan.ask_by, **counted[plan.pk])
        for plan in plans
    ]


def _counted(plans: list[Any]) -> dict[int, dict[str, int]]:
    """The invitations of each plan, counted by the database: a whole school has thousands."""
    states = {
        "planned": Count("pk"),
        "asked": Count("pk", filter=ASKED),
        "accepted": Count("pk", filter=Q(state=Invitation.State.ACCEPTED)),
        "answered": Count("pk", filter=ASKED & Q(state__in=ANSWERED)),
        "visited": Count("pk", filter=ASKED & Q(visited_at__isnull=False)),
    }
    theirs = Invitation.objects.filter(plan__in=plans, kind=VisitKind.FIRST).order_by()
    rows = theirs.values("plan").annotate(**states)
    found = {row.pop("plan"): row for row in rows}
    return {plan.pk: found.get(plan.pk, dict.fromkeys(states, 0)) for plan in plans}


def _of_plan(plan: SelectionPlan, found: list[Invitation | None]) -> Asking:
    asked = [one for one in found if one and one.state != Invitation.State.NOT_ASKED]
    return Asking(
        pk=plan.pk,
        name=str(plan),
        enrolled=0,
        planned=len(found),
        asked=len(asked),
        accepted=sum(one.state == Invitation.State.ACCEPTED for one in asked),
        answered=sum(one.state in ANSWERED for one in asked),
        visited=sum(one.visited_at is not None for one in asked),
        ask_by=plan.ask_by,
    )


def _behind_first(rows: list[Asking]) -> list[Asking]:
    """Whoever has asked the smallest part of its students first; 0 of many before 0 of few."""
    return sorted(rows, key=lambda row: (row.asked / (row.enrolled or 1), -row.enrolled))
