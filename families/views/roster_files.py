"""Files to fill in, how to fill them, and the rows that were refused."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from families.models import RosterChange, RosterImport
from families.roster import columns
from pthv import exports
from pthv.access import Can, requires
from pthv.htmx import render
from pthv.requests import Request

Kind = RosterImport.Kind
FEW = 2000


@require_safe
@requires(Can.IMPORT_ROSTER)
def roster_guide(request: Request) -> HttpResponse:
    context = {
        "contacts": columns.of(Kind.CONTACTS, request.program),
        "attributes": columns.of(Kind.ATTRIBUTES, request.program)[1:],
        "student": columns.STUDENT,
    }
    return render(request, "families/roster_guide.html", context)


@require_safe
@requires(Can.IMPORT_ROSTER)
def contacts_template(request: Request) -> StreamingHttpResponse:
    return _template(request, Kind.CONTACTS)


@require_safe
@requires(Can.IMPORT_ROSTER)
def attributes_template(request: Request) -> StreamingHttpResponse:
    return _template(request, Kind.ATTRIBUTES)


def _template(request: Request, kind: str) -> StreamingHttpResponse:
    """The titles and two lines that show how."""
    ours = columns.of(kind, request.program)
    rows = [[column.name for column in ours]]
    rows += [[column.examples[line] for column in ours] for line in range(2)]
    return exports.csv_response(f"{kind}.csv", rows)


@require_safe
@requires(Can.IMPORT_ROSTER)
def roster_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """Where each refused row stands and why; of our own files also what it says."""
    imports = RosterImport.objects.open_to(request.user, Can.IMPORT_ROSTER)
    roster_import = get_object_or_404(imports, pk=pk)
    changes = roster_import.changes.filter(kind=RosterChange.Kind.REFUSED).order_by("pk")
    names = [column.name for column in columns.of(roster_import.kind, request.program)]
    return exports.csv_response(f"refused-{pk}.csv", _refused(changes, names))


def _refused(changes: QuerySet[RosterChange], names: list[str]) -> Iterator[list[object]]:
    """The lines of the download; `changes` is asked for them when the page is over already."""
    key, others = (names[0], names[1:]) if names else ("id", [])
    yield ["file", "row", "column", "reason", key, *others]
    for change in changes.iterator(FEW):
        where = [change.table, change.row, change.column, change.reason, change.source_id]
        yield [*where, *(change.after.get(name, "") for name in others)]
