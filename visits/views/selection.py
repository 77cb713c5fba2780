"""Selection plans on screen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.paging import paged
from pthv.requests import Request, post_only
from visits import selection
from visits.forms.selection import DrawForm, PlanForm
from visits.models import Draw, Invitation, SelectionPlan
from visits.reports import asking


@requires(Can.SEE_PLANS)
def plan_list(request: Request) -> HttpResponse:
    """The plans and how far each is: where nobody was asked first, of these the newest."""
    plans = asking.idle_first(SelectionPlan.objects.open_to(request.user, Can.SEE_PLANS))
    page = paged(
        plans,
        request,
        by="idle",
        shown=lambda rows: asking.with_scope(asking.idle_first(rows)),
    )
    rows = list(zip(page.rows, asking.of_plans(page.rows), strict=True))
    return render(request, "visits/plan_list.html", {"page": page, "rows": rows})


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
                planned = selection.draw if "size" in form.cleaned_data else selection.plan_everyone
                plan = planned(**form.cleaned_data, by=request.user)
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
    plan = _plan_of(request, pk, Can.SEE_PLANS)
    counts = Invitation.objects.filter(plan=plan).counts()
    draws = list(plan.draws.select_related("made_by"))
    context = {
        "plan": plan,
        "counts": counts,
        "steps": _steps(counts),
        "page": paged(Invitation.objects.filter(plan=plan).for_list(), request, descending=False),
        "draws": draws,
        "unasked": selection.unasked(plan, draws) if draws else 0,
        "elsewhere": sum(len(draw.drawn) for draw in draws) - counts["planned"],
        "checked": next((d for d in draws if str(d.number) == request.GET.get("check")), None),
        "may_plan": Can.PLAN in request.powers,
        "form": DrawForm(initial={"after": len(draws)}),
    }
    if context["checked"]:
        context["matches"] = selection.matches(context["checked"])
    return render(request, "visits/plan_detail.html", context, partial="draws")


@post_only("plan_detail")
@requires(Can.PLAN)
def plan_draw(request: Request, pk: int) -> HttpResponse:
    """Draw some more of a plan's families."""
    plan = _plan_of(request, pk, Can.PLAN, kind=SelectionPlan.Kind.DRAW)
    form = DrawForm(request.POST)
    try:
        if not form.is_valid():
            raise NotReady(_("Say how many families to draw."))
        drawn = selection.draw_more(plan, **form.cleaned_data, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        if drawn:
            messages.success(request, _("Drawn. Their teacher can invite them now."))
        else:
            messages.info(request, _("Somebody drew in the meantime. This is how it stands."))
    return redirect("plan_detail", plan.pk)


@require_POST
@requires(Can.PLAN)
def draw_record(request: Request, pk: int) -> HttpResponse:
    """What it takes to draw again, as a file. A POST, since who took it is kept."""
    plans = SelectionPlan.objects.open_to(request.user, Can.PLAN)
    draws = Draw.objects.filter(plan__in=plans).select_related("plan")
    draw = get_object_or_404(draws, pk=pk)
    audit.record("plan.record_taken", draw.plan, by=request.user, number=draw.number)
    name = f"draw-{draw.plan_id}-{draw.number}.json"
    return HttpResponse(
        selection.record(draw),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _plan_of(request: Request, pk: int, can: Can, **more: str) -> SelectionPlan:
    plans = SelectionPlan.objects.open_to(request.user, can)
    shown = plans.select_related("school", "school_class", "school_year", "made_by")
    return get_object_or_404(shown, pk=pk, **more)


def _steps(counts: dict[str, int]) -> list[dict[str, object]]:
    """How far the families of a plan have come."""
    return [
        {"label": _("families"), "value": counts["planned"]},
        {"label": _("asked"), "value": counts["asked"]},
        {"label": _("said yes"), "value": counts["accepted"]},
        {"label": _("visited"), "value": counts["visited"]},
    ]
