"""A page of a diff: which section of it, which tables, whose name; with how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Func, IntegerField, Q, QuerySet, TextField, Value, When
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Length, Lower
from django.db.models.lookups import Exact
from django.http import HttpRequest
from django.urls import reverse

from families.models import RosterChange, RosterImport
from pthv.paging import Page, paged
from pthv.search import Folded, fold

from . import apply, wording
from .states import Table

Kind = RosterChange.Kind
State = RosterImport.State
PAGE = 50
SHOWN_IN = (State.PLANNED, State.APPLIED, State.UNDONE)
# What needs a look comes first.
KINDS = (Kind.REFUSED, Kind.LEFT, Kind.MOVED, Kind.CHANGED, Kind.NEW)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter: how many lines it would leave, and the query that sets it."""

    label: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Diff:
    """What one page shows of an import's lines."""

    kind: str
    table: str
    kinds: list[Chip]
    tables: list[Chip]
    lines: list[wording.Line]
    page: Page
    asked: str
    leaving: list[str]
    nobody_left: dict[str, Any]
    anything: bool


def shown(roster_import: RosterImport, request: HttpRequest) -> Diff:
    counts = roster_import.counts
    tallies: dict[str, dict[str, int]] = counts.get("tables", {})
    there = [kind for kind in KINDS if counts.get(kind)]
    kind = _one_of(there, request.GET.get("kind")) or (there[0] if there else "")
    table = _one_of(tallies.get(kind, {}), request.GET.get("table"))
    # A page that refused an apply has another address, which only takes a POST.
    here = reverse("roster_detail", args=[roster_import.pk])
    asked = request.GET.get("q", "").strip()
    page = _page(roster_import, request, kind, table, asked) if kind else Page([])
    return Diff(
        kind=kind,
        table=table,
        kinds=[
            Chip(str(one.label), counts[one], f"{here}?kind={one}", one == kind) for one in there
        ],
        tables=_tables(tallies.get(kind, {}), kind, table, here),
        lines=wording.lines(roster_import, page.rows),
        page=page,
        asked=asked,
        leaving=[apply.leaving_sentence(one) for one in counts.get("leaving", [])],
        nobody_left=counts.get("nobody_left", {}),
        anything=any(one != Kind.REFUSED for one in there),
    )


def _one_of(known: Iterable[str], asked: str | None) -> str:
    return next((one for one in known if one == asked), "")


def _tables(here: dict[str, int], kind: str, chosen: str, page: str) -> list[Chip]:
    """One filter a table; none where there is nothing to choose."""
    if len(here) < 2:
        return []
    order = [*Table, *sorted(here.keys() - set(Table))]
    found = [(table, here[table]) for table in order if table in here]
    everything = {"kind": kind}
    chips = [
        Chip(
            wording.everything(), sum(here.values()), f"{page}?{urlencode(everything)}", not chosen
        )
    ]
    return chips + [
        Chip(
            wording.tables(table),
            count,
            f"{page}?{urlencode(everything | {'table': table})}",
            table == chosen,
        )
        for table, count in found
    ]


def _page(
    roster_import: RosterImport, request: HttpRequest, kind: str, table: str, asked: str
) -> Page:
    changes = roster_import.changes.filter(kind=kind)
    if table:
        changes = changes.filter(table=table)
    if asked:
        changes = _named(changes, asked)
    if kind != Kind.LEFT:
        return paged(changes, request, descending=False, size=PAGE)
    # School by school; whoever left without one comes first.
    changes = changes.annotate(
        school=Coalesce(KT("before__school"), Value(""), output_field=TextField())
    )
    return paged(changes, request, by="school", descending=False, size=PAGE)


def _named(changes: QuerySet[RosterChange], asked: str) -> QuerySet[RosterChange]:
    """Whose name has `asked` in it, accents and case aside, or whose id it is."""
    text = asked.replace("\0", " ")
    # Most names have no accents, and to fold one letter by letter is most of the work.
    plain = Func(Lower("label"), Value("'`"), Value(""), function="translate")
    octets = Func("label", function="octet_length", output_field=IntegerField())
    folded = Case(When(Exact(octets, Length("label")), then=plain), default=Folded("label"))
    named: Any = changes.annotate(folded=folded)
    return named.filter(Q(folded__contains=fold(text)) | Q(source_id=text))
