"""Asking: how far each class of a school and each plan has come, whoever lags behind first.

Families are counted, by the invitations to a first visit this school year; one with children in
two classes counts in both.
"""

import datetime
from dataclasses import dataclass

from django.db.models import Count, F, Q

from families.models import SchoolClass
from pthv.models import School, SchoolYear
from visits.models import SelectionPlan, VisitKind

MOST = 100


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

    @property
    def to_ask(self) -> int:
        return self.planned - self.asked


def by_class(school: School, *, on: datetime.date) -> list[Asking]:
    """Each class of the school year at hand: where nobody is asked first, at most `MOST`."""
    year = SchoolYear.objects.at_hand(on).values("pk")
    way = "enrollments__student__family__invitations"
    inside = Q(enrollments__left_on=None, enrollments__student__left_on=None)
    first = inside & Q(**{f"{way}__kind": VisitKind.FIRST, f"{way}__school_year": F("school_year")})
    states = {
        "planned": first,
        "asked": first & ~Q(**{f"{way}__state": "not_asked"}),
        "accepted": first & Q(**{f"{way}__state": "accepted"}),
        "visited": first & Q(**{f"{way}__visited_at__isnull": False}),
    }
    classes = SchoolClass.objects.filter(
        school=school, school_year__in=year, left_on=None
    ).annotate(
        enrolled=Count("enrollments__student", filter=inside, distinct=True),
        **{name: Count(way, filter=which, distinct=True) for name, which in states.items()},
    )
    rows = classes.order_by("title", "pk").values_list("pk", "title", "enrolled", *states)
    return _behind_first([Asking(*row) for row in rows])[:MOST]


def by_plan(school: School, *, on: datetime.date) -> list[Asking]:
    """Each plan of the school year at hand, with the day by which all should be asked."""
    plans = (
        SelectionPlan.objects.filter(
            school=school, school_year__in=SchoolYear.objects.at_hand(on).values("pk")
        )
        .select_related("school_class")
        .annotate(
            planned=Count("invitations"),
            asked=Count("invitations", filter=~Q(invitations__state="not_asked")),
            accepted=Count("invitations", filter=Q(invitations__state="accepted")),
            visited=Count("invitations", filter=Q(invitations__visited_at__isnull=False)),
        )
        .order_by("-pk")[:MOST]
    )
    return [
        Asking(
            pk=plan.pk,
            name=str(plan),
            enrolled=0,
            planned=plan.planned,
            asked=plan.asked,
            accepted=plan.accepted,
            visited=plan.visited,
            ask_by=plan.ask_by,
        )
        for plan in plans
    ]


def _behind_first(rows: list[Asking]) -> list[Asking]:
    """Whoever has asked the smallest part of its students first; 0 of many before 0 of few."""
    return sorted(rows, key=lambda row: (row.asked / (row.enrolled or 1), -row.enrolled))
