"""The log, one screen."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import audit, wording
from pthv.access import Can, requires
from pthv.blocked import Changed, NotReady
from pthv.requests import Request, post_only
from visits import drafts, logs
from visits.forms import differences
from visits.forms.drafts import begin_with
from visits.forms.logs import LogForm, OutcomeForm
from visits.models import FollowUp, LogDraft, Visit
from visits.sending import once


@requires(Can.LOG)
@once
def visit_log(request: Request, pk: int) -> HttpResponse:
    visit = _visit(request, pk)
    if request.method == "POST":
        return _write(request, visit)
    reasons = logs.blockers(visit)
    # The day before, the form opens to be kept on the phone for a place without signal.
    if reasons and not (visit.is_ahead and visit.is_near):
        messages.warning(request, " ".join(reasons))
        return redirect(visit)
    audit.viewed(visit, by=request.user, reason=Can.LOG)
    log = getattr(visit, "log", None)
    form = LogForm(visit=visit, log=log)
    found = drafts.find(
        visit,
        LogDraft.What.LOG,
        by=request.user,
        saved_at=log.logged_at if log else None,
        chosen=request.GET.get("draft", ""),
    )
    begin_with(found.shown, form)
    form.initial["seen"] = found.instead_of(logs.version(log))
    return _page(request, visit, form, reasons=reasons, drafts=found)


def _visit(request: Request, pk: int) -> Visit:
    visits = Visit.objects.open_to(request.user, Can.LOG).for_writing()
    return get_object_or_404(visits.select_related("program"), pk=pk)


def _write(request: Request, visit: Visit) -> HttpResponse:
    log, data = getattr(visit, "log", None), request.POST.copy()
    if data.get("seen") == logs.version(log):
        differences.settle(data, LogForm(visit=visit, log=log))
    form = LogForm(data, visit=visit, log=log)
    if not form.is_valid():
        return _page(request, visit, form, log=log, status=422)
    try:
        logs.write(visit, form.entry, by=request.user, seen=form.cleaned_data["seen"])
    except Changed as changed:
        return _both(request, visit, form, str(changed))
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return _page(request, visit, form, log=log, status=409)
    drafts.drop(visit, LogDraft.What.LOG, data.getlist("draft"), by=request.user)
    return _saved(request, visit)


def _both(request: Request, visit: Visit, form: LogForm, why: str) -> HttpResponse:
    """What the partner saved and what was sent, side by side."""
    now = _visit(request, visit.pk)
    found = differences.between(form, LogForm(visit=now, log=now.log))
    context = {
        "why": why,
        "differences": found,
        "same": differences.unchanged(form, found),
        "seen": logs.version(now.log),
        "log": now.log,
    }
    return _page(request, now, form, status=409, **context)


def _page(
    request: Request, visit: Visit, form: LogForm, *, status: int = 200, **more: object
) -> HttpResponse:
    earlier = logs.earlier_promises(visit)
    context = {"form": form, "visit": visit, "likely": form.likely, "earlier": earlier, **more}
    return render(request, "visits/visit_log.html", context, status=status)


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
@once
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
