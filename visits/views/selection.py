"""Selection plans on screen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from pthv.requests import Request
from visits import selection
from visits.forms.selection import PlanForm
from visits.models import Invitation, SelectionPlan


@requires(Can.SEE_PLANS)
def plan_list(request: Request) -> HttpResponse:
    plans = SelectionPlan.objects.open_to(request.user, Can.SEE_PLANS).select_related(
        "school", "school_class", "school_year"
    )
    return render(request, "visits/plan_list.html", {"page": paged(plans, request)})


@requires(Can.PLAN)
def plan_new(request: Request) -> HttpResponse:
    form = PlanForm(
        request.POST or None,
        initial={name: request.GET.get(name, "") for name in ("school", "year", "q")},
        user=request.user,
        program=request.program,
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                plan = selection.plan_everyone(**form.cleaned_data, by=request.user)
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Planned. Their teacher can invite them now."))
                return redirect("plan_detail", plan.pk)
    context = {"form": form, "may_import": Can.IMPORT_ROSTER in request.powers}
    return render(request, "visits/plan_new.html", context, status=status)


@requires(Can.SEE_PLANS)
def plan_detail(request: Request, pk: int) -> HttpResponse:
    plans = SelectionPlan.objects.open_to(request.user, Can.SEE_PLANS)
    plan = get_object_or_404(
        plans.select_related("school", "school_class", "school_year", "made_by"), pk=pk
    )
    invitations = Invitation.objects.filter(plan=plan).for_list()
    return render(
        request,
        "visits/plan_detail.html",
        {
            "plan": plan,
            "steps": _steps(Invitation.objects.filter(plan=plan).counts()),
            "page": paged(invitations, request, descending=False),
        },
    )


def _steps(counts: dict[str, int]) -> list[dict[str, object]]:
    """How far the families of a plan have come."""
    return [
        {"label": _("families"), "value": counts["planned"]},
        {"label": _("asked"), "value": counts["asked"]},
        {"label": _("said yes"), "value": counts["accepted"]},
        {"label": _("visited"), "value": counts["visited"]},
    ]
