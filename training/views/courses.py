"""What a program trains for."""

from django.contrib import messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request
from training import courses
from training.forms.courses import CourseForm
from training.models import Cohort, Course

MOST_LISTED = 100


@require_safe
@requires(Can.RUN_TRAINING)
def course_list(request: Request) -> HttpResponse:
    cohorts = Cohort.objects.filter(course=OuterRef("pk")).order_by().values("course")
    found = Course.objects.annotate(
        cohort_count=Coalesce(Subquery(cohorts.annotate(n=Count("pk")).values("n")), 0)
    ).prefetch_related("requirements__held")
    return render(
        request, "training/course_list.html", {"courses": found.order_by("name")[:MOST_LISTED]}
    )


@requires(Can.RUN_TRAINING)
def course_new(request: Request) -> HttpResponse:
    return _edit(request, Course(program=request.program))


@requires(Can.RUN_TRAINING)
def course_edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Course.objects.prefetch_related("requirements"), pk=pk))


def _edit(request: Request, course: Course) -> HttpResponse:
    new = course.pk is None
    form = CourseForm(request.POST or None, course=None if new else course)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            courses.save(
                course,
                form.course_fields,
                form.asked,
                by=request.user,
                held=form.cleaned_data["holds"],
            )
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            said = _("Saved. Certifications that are given stay as they are.")
            messages.success(request, _("Added.") if new else said)
            return redirect("course_list")
    context = {"form": form, "course": course, "title": course.name if course.pk else ""}
    return render(request, "training/course_edit.html", context, status=status)
