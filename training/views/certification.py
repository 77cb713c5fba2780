"""Who may visit, until when; certifying by hand, and taking it back."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pthv import wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import Educator, School
from pthv.models.people import EducatorQuerySet
from pthv.paging import paged
from pthv.requests import Request, id_of
from training import certification, requirements, standings
from training.forms.certification import IssueForm, RevokeForm
from training.models import Certification, Course


@require_safe
@requires(Can.SEE_TRAINING)
def certification_list(request: Request) -> HttpResponse:
    """Every educator who may need training, whoever needs it most at the top."""
    educators, filters = chosen(request)
    page = paged(
        certification.with_last_day(educators).select_related("user"),
        request,
        by="last_day",
        descending=False,
    )
    found = certification.standings(page.rows, on=request.program.today)
    context = {
        "page": page,
        "rows": [(educator, found[educator.pk]) for educator in page],
        "typed": request.GET.get("q", "").strip(),
        "state": filters.get("standing", ""),
        "school": _school(request),
        "states": standings.LABELS.items(),
        "query": request.GET.urlencode(),
        "may_run": Can.RUN_TRAINING in request.powers,
    }
    return render(request, "training/certification_list.html", context)


def chosen(request: Request) -> tuple[EducatorQuerySet, dict[str, str | bool]]:
    """The educators that an address asks for, and by what; on the page as in the file."""
    state, typed = request.GET.get("standing", ""), request.GET.get("q", "").strip()
    school = _school(request)
    found = Educator.objects.open_to(request.user, Can.SEE_TRAINING).named(typed)
    filters: dict[str, str | bool] = {}
    if state in standings.LABELS:
        filters["standing"] = state
        found = standings.standing(found, state, on=request.program.today)
    if school is not None:
        filters["school"] = str(school.pk)
    if state != "new":  # who was trained this year counts, whether they stayed or not
        found = found.staying(school)
    if typed:
        filters["q"] = True  # that they looked for a name, not for whose
    return found, filters


def _school(request: Request) -> School | None:
    """The one that an address asks for, if it is within reach."""
    schools = School.objects.open_to(request.user, Can.SEE_TRAINING)
    return schools.filter(pk=id_of(request.GET.get("school", ""))).first()


@requires(Can.RUN_TRAINING)
def certification_issue(request: Request, pk: int) -> HttpResponse:
    open_to_them = Educator.objects.open_to(request.user, Can.RUN_TRAINING)
    educator = get_object_or_404(open_to_them.select_related("user", "program"), pk=pk)
    form = IssueForm(request.POST or None, program=request.program)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            issued = requirements.certify_by_hand(educator, **form.cleaned_data, by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            until = wording.day(issued.expires_on, request.program.today)
            said = _("%(name)s is certified until %(day)s.")
            messages.success(request, said % {"name": educator, "day": until})
            return redirect("certification_list")
    held = Certification.objects.filter(educator=educator).select_related(
        "course", "issued_by", "revoked_by"
    )
    context = {
        "form": form,
        "educator": educator,
        "held": held[:20],
        "today": request.program.today,
        "no_course": not Course.objects.exists(),
    }
    return render(request, "training/certification_issue.html", context, status=status)


@requires(Can.RUN_TRAINING)
def certification_revoke(request: Request, pk: int) -> HttpResponse:
    open_to_them = Certification.objects.open_to(request.user, Can.RUN_TRAINING)
    held = get_object_or_404(open_to_them.select_related("educator__user", "course"), pk=pk)
    form = RevokeForm(request.POST or None)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            certification.revoke(held, **form.cleaned_data, by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            messages.success(request, _revoked_in_words(held, request.program.today))
            return redirect("certification_list")
    others = Certification.objects.exclude(pk=held.pk)
    still = certification.current(held.educator, on=request.program.today, among=others)
    context = {"form": form, "certification": held, "still": still}
    return render(request, "training/certification_revoke.html", context, status=status)


def _revoked_in_words(held: Certification, today: datetime.date) -> str:
    still = certification.current(held.educator, on=today)
    if still is None:
        return _("Revoked. They need training before their next visit.")
    said = _("Revoked. By another training they may still visit until %(day)s.")
    return said % {"day": wording.day(still.expires_on, today)}
