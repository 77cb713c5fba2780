"""Keyset pages: page 1,000 costs what page 1 costs, and nothing is counted."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from pthv.requests import id_of

PAGE_SIZE = 50


@dataclass(frozen=True)
class Page:
    """Rows of one page, and the query strings of its neighbours ("" where there is none)."""

    rows: list[Any]
    previous: str = ""
    next: str = ""

    def __iter__(self):
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def paged(
    queryset: QuerySet,
    request: HttpRequest,
    *,
    by: str = "pk",
    descending: bool = True,
    size: int = PAGE_SIZE,
    shown: Callable[[QuerySet], QuerySet] | None = None,
) -> Page:
    """The page of `queryset` that ?after= or ?before= asks for, ordered by `by` and then id.

    `by` is a field or annotation that is never null. A cursor nobody made is page 1.
    `shown` adds what the page shows of a row (joins, words), to this page's rows alone.
    """
    back = "before" in request.GET
    cursor = _read(request.GET.get("before" if back else "after", ""))
    try:
        beyond = _beyond(by, *cursor, falling=descending != back) if cursor else Q()
        queryset = queryset.filter(beyond)
    except (ValidationError, ValueError):
        cursor = None
    back = back and cursor is not None
    falling = "-" if descending != back else ""
    order = [f"{falling}{by}"] + ([] if by == "pk" else [f"{falling}pk"])
    found = queryset.order_by(*order)[: size + 1]
    if shown is not None:
        found = shown(queryset.model.objects.filter(pk__in=found.values("pk"))).order_by(*order)
    rows = list(found)
    more, rows = len(rows) > size, rows[:size]
    if back:
        rows.reverse()
    if not rows:
        return Page(rows)
    earlier, later = (more, True) if back else (cursor is not None, more)
    return Page(
        rows,
        previous=_link(request, "before", rows[0], by) if earlier else "",
        next=_link(request, "after", rows[-1], by) if later else "",
    )


def _beyond(by: str, value: Any, pk: int, *, falling: bool) -> Q:
    side = "lt" if falling else "gt"
    if by == "pk":
        return Q(**{f"pk__{side}": pk})
    # The first condition lets an index start at the place; the second settles ties.
    return Q(**{f"{by}__{side}e": value}) & (
        Q(**{f"{by}__{side}": value}) | Q(**{by: value, f"pk__{side}": pk})
    )


def _link(request: HttpRequest, direction: str, row: Any, by: str) -> str:
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    value = "" if by == "pk" else getattr(row, by)
    text = value.isoformat() if isinstance(value, datetime.date) else str(value)
    query[direction] = f"{row.pk}~{text}"
    return "?" + query.urlencode()


def _read(text: str) -> tuple[str, int] | None:
    pk, tilde, value = text.partition("~")
    number = id_of(pk)
    if "\x00" in value or not tilde or number is None:
        return None
    return value, number
