"""Rosters: send a file, look at what it would change, apply it or don't."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from families.forms.roster import RosterForm
from families.models import RosterChange, RosterImport
from families.roster import apply, contacts, upload, wording
from families.roster.problems import Unreadable
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.paging import Page, paged
from pthv.requests import Request

Kind = RosterChange.Kind
PAGE = 50
IMPORTS_SHOWN = 30
# What needs a look comes first.
KINDS = (Kind.REFUSED, Kind.LEFT, Kind.CHANGED, Kind.NEW)


@require_safe
@requires(Can.IMPORT_ROSTER)
def roster_list(request: Request) -> HttpResponse:
    return _list(request, RosterForm())


def _list(request: Request, form: RosterForm, status: int = 200) -> HttpResponse:
    imports = RosterImport.objects.open_to(request.user, Can.IMPORT_ROSTER)
    imports = imports.select_related("uploaded_by")
    context = {"form": form, "page": paged(imports, request, size=IMPORTS_SHOWN)}
    return render(request, "families/roster_list.html", context, status=status)


@require_POST
@requires(Can.IMPORT_ROSTER)
def roster_upload(request: Request) -> HttpResponse:
    form = RosterForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list(request, form, status=422)
    file = form.cleaned_data["file"]
    try:
        roster_import = upload.receive(
            form.cleaned_data["kind"],
            file.name,
            file.chunks(),
            program=request.program,
            by=request.user,
        )
    except Unreadable as unreadable:
        form.add_error("file", str(unreadable))
        return _list(request, form, status=422)
    return redirect("roster_detail", pk=roster_import.pk)


@require_safe
@requires(Can.IMPORT_ROSTER)
def roster_detail(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    if request.htmx and not roster_import.working:
        return HttpResponseClientRefresh()  # it was being waited for, and is there now
    context = {"import": roster_import} | _diff(request, roster_import)
    return render(request, "families/roster_detail.html", context, partial="progress")


def _diff(request: Request, roster_import: RosterImport) -> dict[str, object]:
    counts = roster_import.counts
    kinds = [{"kind": kind, "count": counts.get(kind, 0)} for kind in KINDS if counts.get(kind)]
    chosen = request.GET.get("kind")
    if chosen not in counts or chosen not in Kind.values:
        chosen = kinds[0]["kind"] if kinds else ""
    changes = roster_import.changes.filter(kind=chosen)
    shown = kinds and not roster_import.working
    page = paged(changes, request, descending=False, size=PAGE) if shown else Page([])
    return {
        "kinds": kinds,
        "chosen": chosen,
        "lines": wording.lines(roster_import, page.rows),
        "page": page,
        "leaving": [apply.leaving_sentence(one) for one in counts.get("leaving", [])],
        "anything": any(counts.get(kind) for kind in (Kind.NEW, Kind.CHANGED, Kind.LEFT)),
    }


@require_POST
@requires(Can.IMPORT_ROSTER)
def roster_apply(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        apply.hand_over(
            roster_import, leaving_confirmed="leaving_confirmed" in request.POST, by=request.user
        )
    except NotReady as blocked:
        return _blocked(request, roster_import, blocked)
    return redirect("roster_detail", pk=pk)


def _blocked(request: Request, roster_import: RosterImport, blocked: NotReady) -> HttpResponse:
    context = {"import": roster_import, "sentences": blocked.sentences}
    context |= _diff(request, roster_import)
    return render(request, "families/roster_detail.html", context, status=409)


@require_POST
@requires(Can.IMPORT_ROSTER)
def roster_discard(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        apply.discard(roster_import, by=request.user)
    except NotReady as blocked:
        return _blocked(request, roster_import, blocked)
    messages.success(request, _("Put away. Nothing was changed."))
    return redirect("roster_list")


@require_safe
@requires(Can.IMPORT_ROSTER)
def contacts_template(request: Request) -> HttpResponse:
    # With a byte order mark, so that a spreadsheet keeps the accents.
    response = HttpResponse("\ufeff" + contacts.template(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="contacts.csv"'
    return response


def _open(request: Request, pk: int) -> RosterImport:
    imports = RosterImport.objects.open_to(request.user, Can.IMPORT_ROSTER)
    return get_object_or_404(imports.select_related("program", "uploaded_by", "applied_by"), pk=pk)
