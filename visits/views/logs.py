"""The log, one screen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request
from visits import logs
from visits.forms.logs import LogForm
from visits.models import FollowUp, Visit


@requires(Can.LOG)
def visit_log(request: Request, pk: int) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.LOG).with_people()
    visit = get_object_or_404(visits.select_related("log__logged_by"), pk=pk)
    log = getattr(visit, "log", None)
    status = 200
    if request.method == "POST":
        form, status = LogForm(request.POST, visit=visit), 422
        if form.is_valid():
            try:
                logs.write(visit, form.entry, by=request.user, seen=form.cleaned_data["seen"])
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Saved. One thing left: reflect."))
                return redirect("visit_reflect", visit.pk)
    else:
        audit.viewed(visit, by=request.user, reason=Can.LOG)
        form = LogForm(visit=visit, log=log)
    return render(
        request, "visits/visit_log.html", {"form": form, "visit": visit, "log": log}, status=status
    )


@require_POST
@requires(Can.LOG)
def promise_keep(request: Request, pk: int) -> HttpResponse:
    mine = FollowUp.objects.filter(owner__in=request.user.reach(Can.LOG).educators)
    logs.keep(get_object_or_404(mine, pk=pk), by=request.user)
    messages.success(request, _("Kept. Thank you."))
    return redirect("today")
