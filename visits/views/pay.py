"""Pay on screen: what to look at first, many approvals at once, batches for payroll."""

from decimal import Decimal

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from pthv import exports
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from pthv.requests import Request, post_only
from pthv.templatetags.wording import dollars
from visits import pay
from visits.forms.pay import ApprovalForm, ReversalForm
from visits.models import FundingSource, PayBatch, PayLine

EXCEPTIONS = 20

# What a line's state means to whoever is paid.
PAID = {
    PayLine.State.EARNED: gettext_lazy("Waiting for approval"),
    PayLine.State.APPROVED: gettext_lazy("Approved"),
    PayLine.State.BATCHED: gettext_lazy("Sent to payroll"),
}


@requires(Can.SEE_PAY)
def pay_list(request: Request) -> HttpResponse:
    return _pay_list(request, ApprovalForm(lines=PayLine.objects.none()))


def _pay_list(request: Request, form: ApprovalForm, status: int = 200) -> HttpResponse:
    """Lines waiting for approval, the unusual ones first; ?flagged=1 only those."""
    lines = PayLine.objects.open_to(request.user, Can.SEE_PAY).earned()
    lines = lines.for_list()
    unusual, flagged = lines.exclude(flag=""), "flagged" in request.GET
    first_page = not {"after", "before"} & request.GET.keys()
    finance = Can.BATCH_PAY in request.powers
    page = paged(unusual if flagged else lines.filter(flag=""), request, descending=False)
    return render(
        request,
        "visits/pay_list.html",
        {
            "page": page,
            "page_sum": sum(line.amount for line in page),
            "flagged": flagged,
            "exceptions": unusual.order_by("pk")[:EXCEPTIONS] if first_page and not flagged else [],
            "funds": list(FundingSource.objects.with_money(request.program.today)),
            "form": form,
            "problems": [sentence for errors in form.errors.values() for sentence in errors],
            "ticked": set(form.data.getlist("lines")) if form.is_bound else set(),
            "may_approve": Can.APPROVE_PAY in request.powers,
            "to_batch": PayLine.objects.approved().totals() if finance else None,
        },
        status=status,
    )


@requires(Can.SEE_OWN_PAY)
def my_pay(request: Request) -> HttpResponse:
    mine = PayLine.objects.filter(educator__in=request.user.reach(Can.SEE_OWN_PAY).educators)
    lines = mine.select_related("visit__family", "rate", "batch")
    page = paged(lines, request, by="visit_on")
    for line in page:
        line.words = PAID[line.state]
    sums = dict(mine.order_by().values_list("state").annotate(dollars=Sum("amount")))
    return render(
        request,
        "visits/my_pay.html",
        {"page": page, "figures": _figures(sums)},
    )


def _figures(sums: dict[str, Decimal]) -> list[tuple[str, str]]:
    """What waits, what is approved, and what went to payroll."""
    return [(str(words), dollars(sums.get(state, Decimal()))) for state, words in PAID.items()]


@post_only("pay_list")
@requires(Can.APPROVE_PAY)
def pay_approve(request: Request) -> HttpResponse:
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
def batch_list(request: Request) -> HttpResponse:
    batches = PayBatch.objects.select_related("made_by")
    return render(request, "visits/batch_list.html", {"page": paged(batches, request)})


@post_only("pay_list")
@requires(Can.BATCH_PAY)
def batch_make(request: Request) -> HttpResponse:
    try:
        batch = pay.batch(request.program, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
        return redirect("pay_list")
    messages.success(request, _("Locked. Download the file for payroll."))
    return redirect("batch_detail", batch.pk)


@requires(Can.BATCH_PAY)
def batch_detail(request: Request, pk: int) -> HttpResponse:
    batch = get_object_or_404(PayBatch.objects.select_related("made_by"), pk=pk)
    lines = PayLine.objects.filter(batch=batch).select_related(
        "payee", "educator", "school", "fund", "reversal"
    )
    return render(
        request,
        "visits/batch_detail.html",
        {
            "batch": batch,
            "page": paged(lines, request, descending=False),
            "funds": PayLine.objects.filter(batch=batch)
            .order_by("fund__name")
            .values("fund__name")
            .annotate(dollars=Sum("amount"), lines=Count("pk")),
        },
    )


@require_POST
@requires(Can.BATCH_PAY)
def batch_csv(request: Request, pk: int) -> StreamingHttpResponse:
    """The file for payroll. A POST, since the first download is kept."""
    batch = get_object_or_404(PayBatch, pk=pk)
    rows = pay.export(batch, by=request.user)
    return exports.csv_response(f"payroll-{request.program.slug}-{batch.number}.csv", rows)


@require_POST
@requires(Can.BATCH_PAY)
def pay_reverse(request: Request, pk: int) -> HttpResponse:
    lines = PayLine.objects.open_to(request.user, Can.BATCH_PAY).select_related("batch")
    line = get_object_or_404(lines, pk=pk)
    form = ReversalForm(request.POST)
    try:
        if not form.is_valid():
            raise NotReady(_("Say why this line is reversed."))
        pay.reverse(line, because=form.cleaned_data["because"], by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Reversed. The second line goes out with the next batch."))
    return redirect("batch_detail", line.batch_id) if line.batch_id else redirect("pay_list")
