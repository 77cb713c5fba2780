"""A cohort's sessions: when and where, changed and cancelled."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from pthv import clock
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request
from training import sessions
from training.forms.sessions import SessionForm
from training.models import Cohort, TrainingSession


@requires(Can.RUN_TRAINING)
def session_add(request: Request, pk: int) -> HttpResponse:
    open_to_them = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    cohort = get_object_or_404(open_to_them.select_related("course", "program"), pk=pk)
    form = SessionForm(request.POST or None, cohort=cohort)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            sessions.add(cohort, **form.cleaned_data, by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            said = _("Session added.")
            if form.cleaned_data["ends_at"] > clock.now():
                said = _("Session added. Whoever is enrolled gets an invitation.")
            messages.success(request, said)
            return redirect("cohort_detail", cohort.pk)
    context = {"form": form, "cohort": cohort}
    return render(request, "training/session_add.html", context, status=status)


@requires(Can.RUN_TRAINING)
def session_edit(request: Request, pk: int) -> HttpResponse:
    session = _session(request, pk)
    form = SessionForm(request.POST or None, cohort=session.cohort, session=session)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            sessions.change(session, **form.cleaned_data, by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            messages.success(request, _("Saved. Whoever is expected gets the new invitation."))
            return redirect("cohort_detail", session.cohort_id)
    context = {"form": form, "session": session}
    return render(request, "training/session_edit.html", context, status=status)


@requires(Can.RUN_TRAINING)
def session_cancel(request: Request, pk: int) -> HttpResponse:
    """Ask whether a session shall be cancelled; the POST does it."""
    session = _session(request, pk)
    sentences, status = [], 200
    if request.method == "POST":
        try:
            sessions.cancel(session, by=request.user)
        except NotReady as blocked:
            sentences, status = blocked.sentences, 409
        else:
            messages.success(request, _("Cancelled. Whoever was expected is told."))
            return redirect("cohort_detail", session.cohort_id)
    context = {"session": session, "sentences": sentences, "count": session.attendances.count()}
    return render(request, "training/session_cancel.html", context, status=status)


def _session(request: Request, pk: int) -> TrainingSession:
    cohorts_open = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    standing = TrainingSession.objects.standing().filter(cohort__in=cohorts_open)
    return get_object_or_404(standing.select_related("cohort__course", "cohort__program"), pk=pk)
