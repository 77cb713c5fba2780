"""The log, one screen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, post_only
from visits import logs
from visits.forms.logs import LogForm, OutcomeForm
from visits.models import FollowUp, Visit


@requires(Can.LOG)
def visit_log(request: Request, pk: int) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.LOG).for_writing()
    visit = get_object_or_404(visits, pk=pk)
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
                return _saved(request, visit)
    elif reasons := logs.blockers(visit):
        messages.warning(request, " ".join(reasons))
        return redirect(visit)
    else:
        audit.viewed(visit, by=request.user, reason=Can.LOG)
        form = LogForm(visit=visit, log=log)
    return render(
        request,
        "visits/visit_log.html",
        {
            "form": form,
            "visit": visit,
            "log": log,
            "likely": form.likely,
            "earlier": logs.earlier_promises(visit),
        },
        status=status,
    )


def _saved(request: Request, visit: Visit) -> HttpResponse:
    """On to reflecting; whoever did already hears who looks at the log again."""
    if not visit.reflections.filter(educator__user=request.user).exists():
        messages.success(request, _("Saved. One thing left: reflect."))
        return redirect("visit_reflect", visit.pk)
    users = [participant.educator.user for participant in visit.visitors]
    others = [user.get_short_name() for user in users if user != request.user]
    said = ngettext(
        "Saved. %(names)s gets asked to look at it again.",
        "Saved. %(names)s get asked to look at it again.",
        len(others),
    )
    messages.success(request, said % {"names": wording.listed(others)})
    return redirect(visit)


@post_only("today")
@requires(Can.LOG)
def promise_keep(request: Request, pk: int) -> HttpResponse:
    """Kept, in one tap; or what came of it instead."""
    mine = FollowUp.objects.filter(owner__in=request.user.reach(Can.LOG).educators)
    promise = get_object_or_404(mine.select_related("visit"), pk=pk)
    form = OutcomeForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(form.sentences))
        return redirect(promise.visit)
    promise = logs.keep(promise, by=request.user, **form.cleaned_data)
    kept = promise.outcome == FollowUp.Outcome.KEPT
    messages.success(request, _("Kept. Thank you.") if kept else _("Noted. Thank you."))
    return redirect("today")
