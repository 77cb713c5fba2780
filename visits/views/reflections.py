"""Reflecting: three prompts, one line is enough."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from families.models import children
from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import Changed, NotReady
from pthv.requests import Request, post_only
from visits import drafts, logs, reflections
from visits.forms import differences
from visits.forms.drafts import begin_with
from visits.forms.reflections import ReflectionForm
from visits.models import LogDraft, Reflection, Visit
from visits.sending import once

APART = ("would_help",)  # without a name: nothing says that it was asked for in a reflection


@requires(Can.REFLECT)
@once
def visit_reflect(request: Request, pk: int) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.REFLECT).for_writing()
    # Nobody who went is named here.
    visits = visits.select_related("program").prefetch_related(None)
    visit = get_object_or_404(visits.prefetch_related(children("family__")), pk=pk)
    if request.method == "POST":
        return _reflect(request, visit)
    # Near, the form opens before its time, to be kept on the phone for a place without signal.
    reasons = reflections.blockers(visit)
    if reasons and not (visit.is_near or visit.state == Visit.State.HELD):
        messages.warning(request, " ".join(reasons))
        return redirect(visit)
    audit.viewed(visit, by=request.user, reason=Can.REFLECT)
    mine = _mine(request, visit)
    form = ReflectionForm(instance=mine)
    found = drafts.find(
        visit,
        LogDraft.What.REFLECTION,
        by=request.user,
        saved_at=mine.written_at if mine else None,
        chosen=request.GET.get("draft", ""),
    )
    begin_with(found.shown, form)
    instead_of = found.instead_of(reflections.version(mine))
    return _page(request, visit, form, instead_of=instead_of, drafts=found)


def _mine(request: Request, visit: Visit) -> Reflection | None:
    """One's reflection, if any."""
    return Reflection.objects.filter(visit=visit, educator__user=request.user).first()


def _reflect(request: Request, visit: Visit) -> HttpResponse:
    data, mine = request.POST.copy(), _mine(request, visit)
    if data.get("instead_of") == reflections.version(mine):
        differences.settle(data, ReflectionForm(instance=mine))
    form = ReflectionForm(data, instance=mine)
    if not form.is_valid():
        return _page(request, visit, form, instead_of=data.get("instead_of", ""), status=422)
    thoughts = reflections.Thoughts(**form.cleaned_data)
    versions = {name: data.get(name) for name in ("seen", "instead_of")}
    try:
        reflections.reflect(visit, thoughts, by=request.user, **versions)
    except Changed as changed:
        return _both(request, visit, form, str(changed))
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return _page(request, visit, form, instead_of=data.get("instead_of", ""), status=409)
    drafts.drop(visit, LogDraft.What.REFLECTION, data.getlist("draft"), by=request.user)
    messages.success(request, _("Thank you. That is all for this visit."))
    return redirect("visit_detail", visit.pk)


def _both(request: Request, visit: Visit, form: ReflectionForm, why: str) -> HttpResponse:
    """What was saved from another page and what was sent, side by side."""
    mine = _mine(request, visit)
    found = differences.between(form, ReflectionForm(instance=mine), apart=APART)
    context = {"why": why, "differences": found, "same": differences.unchanged(form, found)}
    return _page(request, visit, form, instead_of=reflections.version(mine), status=409, **context)


def _page(
    request: Request,
    visit: Visit,
    form: ReflectionForm,
    *,
    instead_of: str,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    log = getattr(visit, "log", None)
    context = {
        "form": form,
        "visit": visit,
        "log": log,
        "seen": logs.version(log),
        "instead_of": instead_of,
    }
    return render(request, "visits/visit_reflect.html", context | more, status=status)


@post_only("visit_detail")
@requires(Can.REFLECT)
@once
def visit_attest(request: Request, pk: int) -> HttpResponse:
    visit = get_object_or_404(Visit.objects.open_to(request.user, Can.REFLECT), pk=pk)
    try:
        reflections.attest(visit, seen=request.POST.get("seen", ""), by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Thank you. That is all for this visit."))
    return redirect(visit)
