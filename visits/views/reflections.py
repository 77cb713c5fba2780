"""Reflecting: three prompts, one line is enough."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, post_only
from visits import logs, reflections
from visits.forms.reflections import ReflectionForm
from visits.models import Reflection, Visit


@requires(Can.REFLECT)
def visit_reflect(request: Request, pk: int) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.REFLECT).for_writing()
    visit = get_object_or_404(visits, pk=pk)
    mine = Reflection.objects.filter(visit=visit, educator__user=request.user).first()
    if request.method != "POST" and (reasons := reflections.blockers(visit)):
        messages.warning(request, " ".join(reasons))
        return redirect(visit)
    form = ReflectionForm(request.POST or None, instance=mine)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            thoughts = reflections.Thoughts(**form.cleaned_data)
            try:
                reflections.reflect(visit, thoughts, by=request.user, seen=request.POST.get("seen"))
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Thank you. That is all for this visit."))
                return redirect("visit_detail", visit.pk)
    if request.method == "GET":
        audit.viewed(visit, by=request.user, reason=Can.REFLECT)
    log = getattr(visit, "log", None)
    return render(
        request,
        "visits/visit_reflect.html",
        {"form": form, "visit": visit, "log": log, "seen": logs.version(log)},
        status=status,
    )


@post_only("visit_detail")
@requires(Can.REFLECT)
def visit_attest(request: Request, pk: int) -> HttpResponse:
    visit = get_object_or_404(Visit.objects.open_to(request.user, Can.REFLECT), pk=pk)
    try:
        reflections.attest(visit, seen=request.POST.get("seen", ""), by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Thank you. That is all for this visit."))
    return redirect(visit)
