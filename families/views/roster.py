"""Rosters: send a file, look at what it would change, apply it or don't, and take it back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from families.forms.roster import ColumnsForm, RosterForm
from families.models import RosterImport
from families.roster import apply, diff, upload, wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.paging import paged
from pthv.requests import Request, post_only
from pthv.tables.problems import Unreadable

State = RosterImport.State
IMPORTS_SHOWN = 30
SHOWN_WITH = ("program", "uploaded_by", "applied_by", "change__undone_by", "progress")


@require_safe
@requires(Can.IMPORT_ROSTER)
def roster_list(request: Request) -> HttpResponse:
    return _list(request, RosterForm())


def _list(request: Request, form: RosterForm, status: int = 200) -> HttpResponse:
    imports = RosterImport.objects.open_to(request.user, Can.IMPORT_ROSTER)
    page = paged(imports.select_related(*SHOWN_WITH), request, size=IMPORTS_SHOWN)
    for one in page:
        one.told = wording.told(one.counts)
    context = {"form": form, "page": page}
    return render(request, "families/roster_list.html", context, status=status)


@post_only("roster_list")
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
    return _detail(request, roster_import, partial="progress")


def _detail(
    request: Request,
    roster_import: RosterImport,
    *,
    blocked: NotReady | None = None,
    form: ColumnsForm | None = None,
    partial: str = "",
) -> HttpResponse:
    context: dict[str, object] = {"import": roster_import}
    if roster_import.state == State.COLUMNS:
        context["form"] = form or ColumnsForm(roster_import)
    elif roster_import.state in diff.SHOWN_IN:
        context |= {
            "diff": diff.shown(roster_import, request),
            "may_ask_again": upload.may_ask_again(roster_import),
            "outdated": roster_import.state == State.PLANNED
            and apply.blockers(roster_import, leaving_confirmed=True),
        }
    if roster_import.state == State.APPLIED:
        context["undo_blockers"] = apply.undo_blockers(roster_import)
    if blocked:
        context["sentences"] = blocked.sentences
    status = 409 if blocked else 200
    template = "families/roster_detail.html"
    return render(request, template, context, partial=partial, status=status)


@requires(Can.IMPORT_ROSTER)
def roster_columns(request: Request, pk: int) -> HttpResponse:
    """Which column is what: shows examples of what is chosen, and takes the answer."""
    roster_import = _open(request, pk)
    if request.method != "POST":
        if roster_import.state != State.COLUMNS:
            return redirect("roster_detail", pk=pk)
        form = ColumnsForm(roster_import, request.GET or None)
        return _detail(request, roster_import, form=form, partial="columns")
    form = ColumnsForm(roster_import, request.POST)
    try:
        upload.confirm(roster_import, form.places, by=request.user)
    except NotReady as blocked:
        return _detail(request, roster_import, form=form, blocked=blocked)
    return redirect("roster_detail", pk=pk)


@post_only("roster_detail")
@requires(Can.IMPORT_ROSTER)
def roster_reopen(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        upload.ask_again(roster_import, by=request.user)
    except NotReady as blocked:
        return _detail(request, roster_import, blocked=blocked)
    return redirect("roster_detail", pk=pk)


@post_only("roster_detail")
@requires(Can.IMPORT_ROSTER)
def roster_apply(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        apply.hand_over(
            roster_import, leaving_confirmed="leaving_confirmed" in request.POST, by=request.user
        )
    except NotReady as blocked:
        return _detail(request, roster_import, blocked=blocked)
    upload.forget(roster_import)
    return redirect("roster_detail", pk=pk)


@post_only("roster_detail")
@requires(Can.IMPORT_ROSTER)
def roster_discard(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        apply.discard(roster_import, by=request.user)
    except NotReady as blocked:
        return _detail(request, roster_import, blocked=blocked)
    upload.forget(roster_import)
    messages.success(request, _("Discarded. Nothing was changed."))
    return redirect("roster_list")


@post_only("roster_detail")
@requires(Can.IMPORT_ROSTER)
def roster_undo(request: Request, pk: int) -> HttpResponse:
    roster_import = _open(request, pk)
    try:
        apply.hand_over_undo(roster_import, by=request.user)
    except NotReady as blocked:
        return _detail(request, roster_import, blocked=blocked)
    return redirect("roster_detail", pk=pk)


def _open(request: Request, pk: int) -> RosterImport:
    imports = RosterImport.objects.open_to(request.user, Can.IMPORT_ROSTER)
    return get_object_or_404(imports.select_related(*SHOWN_WITH), pk=pk)
