"""Group debriefs on screen, and what educators asked for."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from pthv.requests import Request, post_only
from visits import debriefs
from visits.forms.debriefs import DebriefForm, MinutesForm, ResourceForm
from visits.models import DebriefSession, ResourceAsk

SEE, RUN = Can.SEE_DEBRIEFS, Can.RUN_DEBRIEFS
SHOWN = 20


@requires(SEE)
def debrief_list(request: Request) -> HttpResponse:
    """Those to come, the next first; then those that were, the latest first."""
    found = _open(request, SEE)
    return render(
        request,
        "visits/debrief_list.html",
        {
            "planned": found.planned()[:SHOWN],
            "page": paged(found.exclude(state="planned"), request, by="starts_at"),
            "may_run": RUN in request.powers,
            "may_set_themes": Can.SET_THEMES in request.powers,
        },
    )


@requires(RUN)
def debrief_new(request: Request) -> HttpResponse:
    form = DebriefForm(request.POST or None, user=request.user, program=request.program)
    if request.method == "POST" and form.is_valid():
        debrief = debriefs.plan(request.program, form.plan, by=request.user)
        messages.success(request, _("Planned. Its educators see it under Debriefs."))
        return redirect(debrief)
    status = 422 if request.method == "POST" else 200
    return render(request, "visits/debrief_edit.html", {"form": form, "row": None}, status=status)


@requires(RUN)
def debrief_edit(request: Request, pk: int) -> HttpResponse:
    debrief = get_object_or_404(_open(request, RUN), pk=pk)
    form = DebriefForm(
        request.POST or None, user=request.user, program=request.program, row=debrief
    )
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                debriefs.change(debrief, form.plan, by=request.user)
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Saved."))
                return redirect(debrief)
    context = {"form": form, "row": debrief}
    return render(request, "visits/debrief_edit.html", context, status=status)


@requires(SEE)
def debrief_detail(request: Request, pk: int) -> HttpResponse:
    """The agenda before, and afterwards what was decided; who came for whoever runs it."""
    debrief = get_object_or_404(_open(request, SEE).select_related("led_by"), pk=pk)
    return _page(request, debrief)


@post_only("debrief_detail")
@requires(RUN)
def debrief_hold(request: Request, pk: int) -> HttpResponse:
    debrief = get_object_or_404(_open(request, RUN).select_related("led_by"), pk=pk)
    form = MinutesForm(request.POST, row=debrief)
    if not form.is_valid():
        return _page(request, debrief, form, status=422)
    try:
        debriefs.hold(debrief, **form.cleaned_data, by=request.user)
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return _page(request, debrief, form, status=409)
    messages.success(request, _("Saved. Those who came have it on record."))
    return redirect(debrief)


@post_only("debrief_detail")
@requires(RUN)
def debrief_cancel(request: Request, pk: int) -> HttpResponse:
    debrief = get_object_or_404(_open(request, RUN), pk=pk)
    try:
        debriefs.cancel(debrief, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Cancelled. What was shared waits for the next one."))
    return redirect("debrief_list")


@post_only("debrief_detail")
@requires(RUN)
def debrief_resource(request: Request, pk: int) -> HttpResponse:
    debrief = get_object_or_404(_open(request, RUN), pk=pk)
    form = ResourceForm(request.POST)
    if form.is_valid():
        what = form.cleaned_data["said"]
        debriefs.ask_for(request.program, what, school=debrief.school_id, debrief=debrief)
        messages.success(request, _("Kept. It stands on the list of resources to find."))
    else:
        messages.error(request, _("Say what would help."))
    return redirect(debrief)


@requires(RUN)
def resource_list(request: Request) -> HttpResponse:
    """What educators asked for and nobody has found yet, by school, the oldest first."""
    asks = ResourceAsk.objects.open_to(request.user, RUN).select_related("school")
    found = asks.exclude(found_at=None).order_by("-found_at")[:SHOWN]
    context = {"schools": debriefs.by_school(asks.open()), "found": found}
    return render(request, "visits/resource_list.html", context)


@post_only("resource_list")
@requires(RUN)
def resource_find(request: Request, pk: Any) -> HttpResponse:
    ask = get_object_or_404(ResourceAsk.objects.open_to(request.user, RUN), pk=pk)
    try:
        debriefs.find(ask, request.POST.get("said", "")[:300], by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Found. Say so at the next debrief."))
    return redirect("resource_list")


def _open(request: Request, can: Can) -> QuerySet:
    return DebriefSession.objects.open_to(request.user, can).select_related("school", "cohort")


def _page(
    request: Request, debrief: DebriefSession, form: MinutesForm | None = None, *, status: int = 200
) -> HttpResponse:
    may_run = RUN in request.powers and _open(request, RUN).filter(pk=debrief.pk).exists()
    debrief.program = request.program
    came = list(debrief.attendees.values_list("educator", flat=True)) if may_run else []
    if may_run and form is None:
        form = MinutesForm(initial={"came": came, "decisions": debrief.decisions}, row=debrief)
    context = {
        "debrief": debrief,
        "topics": debriefs.agenda(debrief) if debrief.state != "cancelled" else [],
        # Said to the coordinator alone: in a small school its words would tell whose they are.
        "asks": list(debriefs.wanted(debrief)[:SHOWN]) if may_run else [],
        "may_run": may_run,
        "form": form if may_run and not debriefs.blockers(debrief) else None,
        "came": {str(pk) for pk in (form["came"].value() or [])} if form else set(),
    }
    return render(request, "visits/debrief_detail.html", context, status=status)
