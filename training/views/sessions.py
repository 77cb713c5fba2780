"""A cohort's sessions, and who came to each."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request
from training import cohorts, sessions
from training.forms.sessions import SessionForm
from training.models import Attendance, Cohort, TrainingSession


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
            messages.success(request, _("Session added. Whoever is enrolled gets an invitation."))
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


@require_POST
@requires(Can.RUN_TRAINING)
def attendance_record(request: Request, pk: int) -> HttpResponse:
    """Somebody came or didn't; answers with the one cell, or with the page without JavaScript."""
    open_to_them = Attendance.objects.open_to(request.user, Can.RUN_TRAINING)
    attendance = get_object_or_404(
        open_to_them.select_related("educator__user", "session__cohort"), pk=pk
    )
    state = request.POST.get("state", "")
    said = "" if state in Attendance.State else _("Choose attended or absent.")
    if not said:
        try:
            recorded = cohorts.attend(attendance, state, by=request.user)
            attendance.state = recorded.state
        except NotReady as blocked:
            said = str(blocked)
    if request.htmx:
        context = {
            "attendance": attendance,
            "session": attendance.session,
            "educator": attendance.educator,
            "states": [Attendance.State.ATTENDED, Attendance.State.ABSENT],
            "said": said,
        }
        return render(
            request, "training/attendance_record.html", context, status=409 if said else 200
        )
    if said:
        messages.error(request, said)
    page = reverse("cohort_detail", args=[attendance.session.cohort_id])
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{page}{query}#educator-{attendance.educator_id}")
