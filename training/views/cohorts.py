"""Cohorts: who goes through which course, when, and who came."""

from django.contrib import messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    F,
    OuterRef,
    QuerySet,
    Value,
    When,
    prefetch_related_objects,
)
from django.db.models.functions import Concat
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from pthv import clock
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import SchoolYear
from pthv.paging import paged
from pthv.requests import Request, id_of, post_only
from training import cohorts, desk, requirements
from training.forms.cohorts import CohortForm
from training.models import (
    Attendance,
    Cohort,
    CohortMember,
    Course,
    Grant,
    Trainer,
)
from training.views.attendance import grid

MOST_LISTED = 50  # of those who wait


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_list(request: Request) -> HttpResponse:
    found, narrowed = _chosen(request)
    return render(
        request,
        "training/cohort_list.html",
        {
            "page": paged(found.select_related("course", "school"), request),
            "narrowed": narrowed,
            "now": clock.now(),
            "may_run": Can.RUN_TRAINING in request.powers,
        },
    )


def _chosen(request: Request) -> tuple[QuerySet[Cohort], str]:
    """The cohorts that an address asks for, and in words which these are."""
    found = Cohort.objects.open_to(request.user, Can.SEE_TRAINING).with_sessions_in_brief()
    trainers = Trainer.objects.filter(pk=id_of(request.GET.get("trainer", "")))
    if not request.user.reach(Can.SEE_TRAINING).program:
        trainers = trainers.filter(cohorts__in=found.values("pk"))
    trainer = trainers.first()
    if trainer is not None:
        return found.filter(trainers=trainer), str(trainer)
    if "completed" in request.GET:
        year = SchoolYear.objects.at_hand(request.program.today).first()
        this_year = desk.completed(request.program, year).filter(course__grants=Grant.VISITS)
        return found.filter(pk__in=this_year.values("pk")), _("Complete this school year")
    return found, ""


@requires(Can.RUN_TRAINING)
def cohort_new(request: Request) -> HttpResponse:
    form = CohortForm(request.POST or None, user=request.user)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            cohort = cohorts.open_cohort(
                form.cleaned_data["course"],
                trainers=form.cleaned_data["trainers"],
                new_trainers=form.new_trainers,
                by=request.user,
                **form.cohort_fields,
            )
        except NotReady as blocked:
            form.add_error("name", blocked.sentences)
            status = 409
        else:
            messages.success(request, _("Opened. Add its first session; then enrol people."))
            return redirect("cohort_detail", cohort.pk)
    context = {"form": form, "no_course": not Course.objects.exists()}
    return render(request, "training/cohort_edit.html", context, status=status)


@requires(Can.RUN_TRAINING)
def cohort_edit(request: Request, pk: int) -> HttpResponse:
    cohort = _cohort(request, pk, Can.RUN_TRAINING)
    form = CohortForm(request.POST or None, user=request.user, cohort=cohort)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            cohorts.change(
                cohort,
                form.cohort_fields,
                trainers=form.cleaned_data["trainers"],
                new_trainers=form.new_trainers,
                by=request.user,
            )
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("cohort_detail", cohort.pk)
    return render(
        request, "training/cohort_edit.html", {"form": form, "cohort": cohort}, status=status
    )


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_detail(request: Request, pk: int) -> HttpResponse:
    return _detail(request, _cohort(request, pk, Can.SEE_TRAINING))


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_needs(request: Request, pk: int) -> HttpResponse:
    """Everybody in a cohort, each with what they still need, or until when they are certified."""
    cohort = _cohort(request, pk, Can.SEE_TRAINING)
    members = CohortMember.objects.filter(cohort=cohort).open_to(request.user, Can.SEE_TRAINING)
    found = members.enrolled().select_related("educator__user").prefetch_related("certifications")
    page = paged(found, request, descending=False)
    lacking = requirements.lacking(CohortMember.objects.filter(pk__in=[m.pk for m in page]))
    context = {
        "cohort": cohort,
        "page": page,
        "rows": [(member, lacking.get(member.pk, [])) for member in page],
    }
    return render(request, "training/cohort_needs.html", context)


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


def _with_kind() -> Case:
    """A trainer's name, with what a parent is to the cohort."""
    parent = Concat("name", Value(", "), Value(_("parent co-trainer")))
    return Case(When(kind=Trainer.Kind.PARENT, then=parent), default=F("name"))


def _cohort(request: Request, pk: int, can: Can) -> Cohort:
    cohorts_open = Cohort.objects.open_to(request.user, can)
    trainers = Trainer.objects.filter(cohorts=OuterRef("pk")).order_by("name")
    names = trainers.values(said=_with_kind())
    found = cohorts_open.select_related("course", "school", "program", "completed_by", "host")
    return get_object_or_404(
        found.annotate(trained_by=ArraySubquery(names)).prefetch_related("sessions"), pk=pk
    )


def _detail(request: Request, cohort: Cohort, status: int = 200) -> HttpResponse:
    prefetch_related_objects([cohort], "sessions")
    sessions = [session for session in cohort.sessions.all() if session.cancelled_at is None]
    may_run = Can.RUN_TRAINING in request.powers and cohort.completed_at is None
    blocked = cohorts.blockers(cohort) if may_run else []
    unrecorded = Attendance.objects.of(cohort).unrecorded()
    context = {
        "waiting": _waiting(request, cohort) if cohort.waiting else [],
        "cohort": cohort,
        **grid(request, cohort, sessions),
        "may_run": may_run,
        "blocked": blocked,
        "unrecorded": unrecorded.count() if may_run and not blocked else 0,
        "refused": status == 409,
    }
    return render(request, "training/cohort_detail.html", context, status=status)


def _waiting(request: Request, cohort: Cohort) -> QuerySet[CohortMember]:
    members = CohortMember.objects.filter(cohort=cohort).open_to(request.user, Can.SEE_TRAINING)
    return members.waiting().select_related("educator__user")[:MOST_LISTED]
