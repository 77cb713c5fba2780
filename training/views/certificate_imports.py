"""Certificates from before: send a list, look at what it would bring, apply it, take it back."""

import datetime
from collections.abc import Callable, Iterator

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from pthv import exports, wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.paging import Page, paged
from pthv.requests import Request, post_only
from pthv.tables.problems import Unreadable
from training.certificate_imports import apply, plan
from training.certificate_imports.read import COLUMNS
from training.forms.certificate_imports import CertificatesForm
from training.models import CertificateImport, CertificateLine

State = CertificateImport.State
# What needs a look comes first.
KINDS = (CertificateLine.Kind.REFUSED, CertificateLine.Kind.NEW, CertificateLine.Kind.SAME)
SHOWN_WITH = ("program", "uploaded_by", "applied_by", "change__undone_by")
FEW = 2000


@require_safe
@requires(Can.RUN_TRAINING)
def certificate_import_list(request: Request) -> HttpResponse:
    return _list(request, CertificatesForm())


def _list(request: Request, form: CertificatesForm, status: int = 200) -> HttpResponse:
    imports = CertificateImport.objects.open_to(request.user, Can.RUN_TRAINING)
    page = paged(imports.select_related(*SHOWN_WITH), request)
    context = {"form": form, "page": page, "columns": COLUMNS}
    return render(request, "training/certificate_import_list.html", context, status=status)


@post_only("certificate_import_list")
@requires(Can.RUN_TRAINING)
def certificate_import_new(request: Request) -> HttpResponse:
    form = CertificatesForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = plan.receive(file.name, file.chunks(), program=request.program, by=request.user)
        except Unreadable as unreadable:
            form.add_error("file", str(unreadable))
        else:
            return redirect("certificate_import_detail", pk=found.pk)
    return _list(request, form, status=422)


@require_safe
@requires(Can.RUN_TRAINING)
def certificate_import_detail(request: Request, pk: int) -> HttpResponse:
    found = _open(request, pk)
    if request.htmx and not found.working:
        return HttpResponseClientRefresh()  # it was being waited for, and is there now
    return _detail(request, found)


def _detail(
    request: Request, found: CertificateImport, blocked: NotReady | None = None
) -> HttpResponse:
    there = [kind for kind in KINDS if found.counts.get(kind)]
    asked = request.GET.get("kind")
    kind = next((one for one in there if one == asked), there[0] if there else "")
    lines = found.lines.filter(kind=kind)
    page = paged(lines, request, by="number", descending=False) if kind else Page([])
    for line in page:
        line.days = _days(line, request.program.today)
    context = {
        "import": found,
        "chips": [(one, found.counts[one]) for one in there],
        "kind": kind,
        "page": page,
        "undo_blockers": apply.undo_blockers(found) if found.state == State.APPLIED else [],
        "sentences": blocked.sentences if blocked else [],
    }
    return render(
        request,
        "training/certificate_import_detail.html",
        context,
        partial="progress",
        status=409 if blocked else 200,
    )


def _days(line: CertificateLine, today: datetime.date) -> str:
    """From when until when a certificate counts; of what brings none, as the file says it."""
    days = [line.data.get(name, "") for name in ("issued_on", "expires_on")]
    if line.kind == CertificateLine.Kind.NEW:
        days = [wording.day(datetime.date.fromisoformat(one), today) for one in days]
    return " – ".join(filter(None, days))


@post_only("certificate_import_detail")
@requires(Can.RUN_TRAINING)
def certificate_import_apply(request: Request, pk: int) -> HttpResponse:
    return _act(request, pk, apply.hand_over)


@post_only("certificate_import_detail")
@requires(Can.RUN_TRAINING)
def certificate_import_undo(request: Request, pk: int) -> HttpResponse:
    return _act(request, pk, apply.hand_over_undo)


@post_only("certificate_import_detail")
@requires(Can.RUN_TRAINING)
def certificate_import_discard(request: Request, pk: int) -> HttpResponse:
    response = _act(request, pk, apply.discard)
    if response.status_code == 302:
        messages.success(request, _("Discarded. Nothing was changed."))
        return redirect("certificate_import_list")
    return response


def _act(request: Request, pk: int, action: Callable[..., None]) -> HttpResponse:
    found = _open(request, pk)
    try:
        action(found, by=request.user)
    except NotReady as blocked:
        return _detail(request, found, blocked)
    return redirect("certificate_import_detail", pk=pk)


@require_safe
@requires(Can.RUN_TRAINING)
def certificate_import_refused(request: Request, pk: int) -> StreamingHttpResponse:
    """The refused lines and why, as a list that can be mended and sent again."""
    lines = _open(request, pk).lines.filter(kind=CertificateLine.Kind.REFUSED)
    return exports.csv_response(f"refused-certificates-{pk}.csv", _refused(lines))


def _refused(lines: QuerySet[CertificateLine]) -> Iterator[list[object]]:
    names = [column.name for column in COLUMNS]
    yield [*names, "line", "reason"]
    for line in lines.order_by("number", "pk").iterator(FEW):
        yield [*(line.data.get(name, "") for name in names), line.number, line.problem]


def _open(request: Request, pk: int) -> CertificateImport:
    imports = CertificateImport.objects.open_to(request.user, Can.RUN_TRAINING)
    return get_object_or_404(imports.select_related(*SHOWN_WITH), pk=pk)
