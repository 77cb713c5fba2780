"""Cohorts: who goes through which course, when, and who came."""

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import Educator
from pthv.paging import paged
from pthv.requests import Request, post_only
from training import cohorts, enrolment
from training.forms.cohorts import MOST_CHOICES, CohortForm, EnrolForm
from training.models import Attendance, Cohort, Course, TrainingSession

CELLS = 100  # of the attendance grid on one page


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_list(request: Request) -> HttpResponse:
    found = Cohort.objects.open_to(request.user, Can.SEE_TRAINING).with_sessions_in_brief()
    return render(
        request,
        "training/cohort_list.html",
        {
            "page": paged(found.select_related("course", "school"), request),
            "may_run": Can.RUN_TRAINING in request.powers,
        },
    )


@requires(Can.RUN_TRAINING)
def cohort_new(request: Request) -> HttpResponse:
    form = CohortForm(request.POST or None, user=request.user)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            cohort = cohorts.open_cohort(**form.cleaned_data, by=request.user)
        except NotReady as blocked:
            form.add_error("name", blocked.sentences)
            status = 409
        else:
            messages.success(request, _("Opened. Add its first session; then enrol people."))
            return redirect("cohort_detail", cohort.pk)
    context = {"form": form, "no_course": not Course.objects.exists()}
    return render(request, "training/cohort_new.html", context, status=status)


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, _cohort(request, pk, Can.SEE_TRAINING))


@requires(Can.RUN_TRAINING)
def cohort_enrol(request: Request, pk: int) -> HttpResponse:
    cohort = _cohort(request, pk, Can.RUN_TRAINING)
    form = EnrolForm(request.POST or None, cohort=cohort)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            count = sum(enrolment.enrol(cohort, form.cleaned_data["educators"], by=request.user))
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            said = ngettext("%(count)s person enrolled.", "%(count)s people enrolled.", count)
            messages.success(request, said % {"count": count})
            return redirect("cohort_detail", cohort.pk)
    typed = request.GET.get("q", "").strip()
    candidates = list(enrolment.candidates(cohort).named(typed).by_name()[: MOST_CHOICES + 1])
    context = {
        "form": form,
        "cohort": cohort,
        "candidates": candidates[:MOST_CHOICES],
        "too_many": len(candidates) > MOST_CHOICES,
        "ticked": set(request.POST.getlist("educators")),
        "typed": typed,
    }
    return render(request, "training/cohort_enrol.html", context, status=status)


@post_only("cohort_detail")
@requires(Can.RUN_TRAINING)
def cohort_complete(request: Request, pk: int) -> HttpResponse:
    cohort = _cohort(request, pk, Can.RUN_TRAINING)
    try:
        count = len(cohorts.complete(cohort, by=request.user))
    except NotReady:
        return _detail(request, cohort, status=409)  # the page says why not
    said = ngettext(
        "Complete. %(count)s person is certified.",
        "Complete. %(count)s people are certified.",
        count,
    )
    messages.success(request, said % {"count": count})
    return redirect("cohort_detail", cohort.pk)


def _cohort(request: Request, pk: int, can: Can) -> Cohort:
    cohorts_open = Cohort.objects.open_to(request.user, can)
    return get_object_or_404(
        cohorts_open.select_related("course", "school", "program", "completed_by"), pk=pk
    )


def _detail(request: Request, cohort: Cohort, status: int = 200) -> HttpResponse:
    sessions = list(cohort.sessions.all())
    educators = Educator.objects.open_to(request.user, Can.SEE_TRAINING).by_name()
    page = paged(
        educators.filter(pk__in=Attendance.objects.of(cohort).values("educator")),
        request,
        by="sort_name",
        descending=False,
        size=max(5, CELLS // max(1, len(sessions))),
    )
    may_run = Can.RUN_TRAINING in request.powers and cohort.completed_at is None
    context = {
        "cohort": cohort,
        "sessions": sessions,
        "page": page,
        "grid": _grid(sessions, page.rows, request.program.today),
        "states": [Attendance.State.ATTENDED, Attendance.State.ABSENT],
        "may_run": may_run,
        "blocked": cohorts.blockers(cohort) if may_run else [],
        "unrecorded": Attendance.objects.of(cohort).unrecorded().count() if may_run else 0,
        "refused": status == 409,
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
    }
    return render(request, "training/cohort_detail.html", context, status=status)


def _grid(
    sessions: list[TrainingSession], educators: list[Educator], today: datetime.date
) -> list[dict[str, Any]]:
    """A row for each educator: their attendance of each session, None where none is expected,
    and whether the session's day is still ahead."""
    ahead = {s.pk: timezone.localtime(s.starts_at).date() > today for s in sessions}
    found = {
        (attendance.educator_id, attendance.session_id): attendance
        for attendance in Attendance.objects.filter(session__in=sessions, educator__in=educators)
    }
    return [
        {
            "educator": educator,
            "cells": [
                (session, found.get((educator.pk, session.pk)), ahead[session.pk])
                for session in sessions
            ],
        }
        for educator in educators
    ]
