"""Whom a child belongs to, and belonged to before: a no, and an end, go along when they move."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from pthv import undo

from .models import Family, Student


def earlier_students() -> QuerySet[Any]:
    """The children as they were before each change; what was taken back never counted."""
    kept: Any = Student.pgh_event_model  # type: ignore[attr-defined]
    return kept.objects.exclude(pgh_context__metadata__has_key=undo.TAKEN_BACK)


def families_ever(students: QuerySet[Student]) -> dict[int, set[int]]:
    """The families of each of these students, now or at any time."""
    found: dict[int, set[int]] = defaultdict(set)
    earlier = earlier_students().filter(pgh_obj__in=students.values("pk"))
    _add(found, students.values_list("pk", "family"))
    _add(found, earlier.values_list("pgh_obj", "family").distinct())
    return found


def children_ever(families: Iterable[int] | QuerySet[Family]) -> dict[str, set[int]]:
    """Which of these families each child belongs to or belonged to, by the child's roster id."""
    held: dict[int, set[int]] = defaultdict(set)
    earlier = earlier_students().filter(family__in=families)
    _add(held, Student.objects.filter(family__in=families).values_list("pk", "family"))
    _add(held, earlier.values_list("pgh_obj", "family").distinct())
    keys = Student.objects.filter(pk__in=list(held)).values_list("pk", "source_id")
    return {key: held[student] for student, key in keys}


def _add(found: dict[int, set[int]], pairs: Iterable[tuple[int, int | None]]) -> None:
    for student, family in pairs:
        if family:
            found[student].add(family)
