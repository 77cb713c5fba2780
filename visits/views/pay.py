"""Pay on screen: what to look at first, many approvals at once, batches for payroll."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pthv import exports
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from visits import pay
from visits.forms.pay import ApprovalForm, ReversalForm
from visits.models import FundingSource, PayBatch, PayLine


@requires(Can.SEE_PAY)
def pay_list(request: HttpRequest) -> HttpResponse:
    return _pay_list(request, ApprovalForm(lines=PayLine.objects.none()))


def _pay_list(request: HttpRequest, form: ApprovalForm, status: int = 200) -> HttpResponse:
    """Lines waiting for approval; ?flagged=1 those that somebody should look at twice."""
    lines = PayLine.objects.open_to(request.user, Can.SEE_PAY).earned()
    flagged = "flagged" in request.GET
    if flagged:
        lines = lines.exclude(flag="")
    lines = lines.select_related("payee", "school", "rate", "visit__family")
    return render(
        request,
        "visits/pay_list.html",
        {
            "page": paged(lines, request, descending=False),
            "flagged": flagged,
            "funds": FundingSource.objects.paying_on(request.program.today),
            "form": form,
            "may_batch": Can.BATCH_PAY in request.powers,
            "to_batch": PayLine.objects.approved().totals()
            if Can.BATCH_PAY in request.powers
            else None,
        },
        status=status,
    )


@requires(Can.SEE_OWN_PAY)
def my_pay(request: HttpRequest) -> HttpResponse:
    mine = PayLine.objects.filter(educator__in=request.user.reach(Can.SEE_OWN_PAY).educators)
    lines = mine.select_related("visit__family", "rate", "batch")
    return render(request, "visits/my_pay.html", {"page": paged(lines, request)})


@require_POST
@requires(Can.APPROVE_PAY)
def pay_approve(request: HttpRequest) -> HttpResponse:
    form = ApprovalForm(request.POST, lines=PayLine.objects.open_to(request.user, Can.APPROVE_PAY))
    if not form.is_valid():
        return _pay_list(request, form, status=422)
    try:
        approved = pay.approve(
            form.cleaned_data["lines"], form.cleaned_data["fund"], by=request.user
        )
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return _pay_list(request, form, status=409)
    count = len(approved)
    messages.success(
        request,
        ngettext("%(count)s line approved.", "%(count)s lines approved.", count) % {"count": count},
    )
    return redirect("pay_list")


@requires(Can.BATCH_PAY)
def batch_list(request: HttpRequest) -> HttpResponse:
    batches = PayBatch.objects.with_totals().select_related("made_by")
    return render(request, "visits/batch_list.html", {"page": paged(batches, request)})


@require_POST
@requires(Can.BATCH_PAY)
def batch_make(request: HttpRequest) -> HttpResponse:
    try:
        batch = pay.batch(request.program, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
        return redirect("pay_list")
    messages.success(request, _("Locked. Download the file for payroll."))
    return redirect("batch_detail", batch.pk)


@requires(Can.BATCH_PAY)
def batch_detail(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_object_or_404(PayBatch.objects.with_totals().select_related("made_by"), pk=pk)
    lines = PayLine.objects.filter(batch=batch).select_related(
        "payee", "school", "rate", "fund", "reversal"
    )
    return render(
        request,
        "visits/batch_detail.html",
        {
            "batch": batch,
            "page": paged(lines, request, descending=False),
            "form": ReversalForm(),
        },
    )


@require_POST
@requires(Can.BATCH_PAY)
def batch_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The file for payroll. A POST, since the first download is kept."""
    batch = get_object_or_404(PayBatch, pk=pk)
    rows = pay.export(batch, by=request.user)
    return exports.csv_response(f"payroll-{request.program.slug}-{batch.number}.csv", rows)


@require_POST
@requires(Can.BATCH_PAY)
def pay_reverse(request: HttpRequest, pk: int) -> HttpResponse:
    lines = PayLine.objects.open_to(request.user, Can.BATCH_PAY).select_related("batch")
    line = get_object_or_404(lines, pk=pk)
    try:
        pay.reverse(line, because=request.POST.get("because", ""), by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Reversed. The second line goes out with the next batch."))
    return redirect("batch_detail", line.batch_id) if line.batch_id else redirect("pay_list")
