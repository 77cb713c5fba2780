"""Who joins a cohort, waits, leaves or moves on."""

from django.contrib import messages
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from pthv import wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request, post_only
from training import addresses, certification, enrolment, requirements
from training.forms.cohorts import MOST_CHOICES, AddressesForm, EnrolForm, LeaveForm, TransferForm
from training.models import Cohort, CohortMember


def _cohort(request: Request, pk: int) -> Cohort:
    found = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    return get_object_or_404(found.select_related("course", "school", "program"), pk=pk)


@requires(Can.RUN_TRAINING)
def cohort_enrol(request: Request, pk: int) -> HttpResponse:
    """Tick colleagues who visit here already."""
    cohort = _cohort(request, pk)
    form = EnrolForm(request.POST or None, cohort=cohort)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            joined = enrolment.enrol(cohort, form.cleaned_data["educators"], by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            messages.success(request, _joined_in_words(joined))
            return redirect("cohort_detail", cohort.pk)
    typed = request.GET.get("q", "").strip()
    # Whoever needs it most comes first.
    found = certification.with_last_day(enrolment.candidates(cohort).named(typed).by_name())
    candidates = list(found.order_by("last_day", "sort_name", "pk")[: MOST_CHOICES + 1])
    standings = certification.standings(candidates[:MOST_CHOICES], on=request.program.today)
    context = {
        "form": form,
        "cohort": cohort,
        "candidates": [(one, standings[one.pk]) for one in candidates[:MOST_CHOICES]],
        "too_many": len(candidates) > MOST_CHOICES,
        "ticked": set(request.POST.getlist("educators")),
        "typed": typed,
    }
    return render(request, "training/cohort_enrol.html", context, status=status)


@requires(Can.RUN_TRAINING)
def cohort_invite(request: Request, pk: int) -> HttpResponse:
    """Paste addresses; accounts for unknown ones are made after a second look."""
    cohort = _cohort(request, pk)
    form = AddressesForm(request.POST or None, cohort=cohort, user=request.user)
    status, unknown = 422 if form.is_bound else 200, []
    if form.is_bound and form.is_valid():
        people = form.cleaned_data["addresses"]
        unknown = addresses.unknown([email for _name, email in people], cohort)
        # Whoever is new is shown once before an account is made for them.
        if not set(unknown) <= set(request.POST.getlist("seen")):
            status = 200
        else:
            try:
                joined = addresses.enrol(
                    cohort, people, form.cleaned_data["school"], by=request.user
                )
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _joined_in_words(joined))
                return redirect("cohort_detail", cohort.pk)
    context = {"form": form, "cohort": cohort, "unknown": unknown}
    return render(request, "training/cohort_invite.html", context, status=status)


def _joined_in_words(joined: enrolment.Joined) -> str:
    said = ngettext("%(count)s person enrolled.", "%(count)s people enrolled.", joined.enrolled)
    words = said % {"count": joined.enrolled}
    if joined.waiting:
        said = ngettext(
            "%(count)s waits for a place.", "%(count)s wait for a place.", joined.waiting
        )
        words = f"{words} {said % {'count': joined.waiting}}"
    return words


def _member(request: Request, pk: int, can: Can) -> CohortMember:
    found = CohortMember.objects.open_to(request.user, can)
    return get_object_or_404(
        found.select_related("cohort__course", "educator__user", "educator__program", "left_by"),
        pk=pk,
    )


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_member(request: Request, pk: int) -> HttpResponse:
    return _page(request, _member(request, pk, Can.SEE_TRAINING))


def _page(
    request: Request,
    member: CohortMember,
    *,
    sentences: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    own = CohortMember.objects.filter(pk=member.pk)
    waits = member.state == CohortMember.State.WAITING
    there = waits or member.state == CohortMember.State.ENROLLED
    may_run = Can.RUN_TRAINING in request.powers
    running = member.cohort.completed_at is None
    return render(
        request,
        "training/cohort_member.html",
        {
            "member": member,
            "lacking": requirements.lacking(own).get(member.pk, []),
            "attendances": member.attendances.select_related("session__cohort").order_by(
                "session__starts_at"
            ),
            "certification": member.certifications.first(),
            "may_move": may_run and there and running,
            "may_end": may_run and there and (running or waits),
            "leaving": LeaveForm(),
            "moving": TransferForm(member=member),
            "sentences": sentences or [],
        },
        status=status,
    )


def _said(form: Form) -> list[str]:
    return [str(sentence) for errors in form.errors.values() for sentence in errors]


@post_only("cohort_member")
@requires(Can.RUN_TRAINING)
def cohort_withdraw(request: Request, pk: int) -> HttpResponse:
    member = _member(request, pk, Can.RUN_TRAINING)
    form = LeaveForm(request.POST)
    if not form.is_valid():
        return _page(request, member, sentences=_said(form), status=422)
    try:
        because = form.cleaned_data["because"]
        moved_up = enrolment.withdraw(member, because=because, by=request.user)
    except NotReady as blocked:
        return _page(request, member, sentences=blocked.sentences, status=409)
    messages.success(request, _left_in_words(member, moved_up))
    return redirect("cohort_detail", member.cohort_id)


def _left_in_words(member: CohortMember, moved_up: list[CohortMember]) -> str:
    """`member` as they were before."""
    if member.state == CohortMember.State.WAITING:
        return _("They are off the waiting list.")
    if moved_up:
        names = wording.listed(moved.educator for moved in moved_up)
        said = ngettext(
            "They gave up their place. %(names)s has it now.",
            "They gave up their place. %(names)s have a place now.",
            len(moved_up),
        )
        return said % {"names": names}
    if member.cohort.waiting:
        return _("They gave up their place. The cohort has begun: choose who of the list gets it.")
    return _("They gave up their place.")


@post_only("cohort_member")
@requires(Can.RUN_TRAINING)
def cohort_transfer(request: Request, pk: int) -> HttpResponse:
    member = _member(request, pk, Can.RUN_TRAINING)
    form = TransferForm(request.POST, member=member)
    if not form.is_valid():
        return _page(request, member, sentences=_said(form), status=422)
    try:
        moved = enrolment.transfer(member, form.cleaned_data["to"], by=request.user)
    except NotReady as blocked:
        return _page(request, member, sentences=blocked.sentences, status=409)
    messages.success(request, _("Moved. What they attended so far counts there."))
    return redirect("cohort_member", moved.pk)


@post_only("cohort_member")
@requires(Can.RUN_TRAINING)
def cohort_place(request: Request, pk: int) -> HttpResponse:
    member = _member(request, pk, Can.RUN_TRAINING)
    try:
        enrolment.give_place(member, by=request.user)
    except NotReady as blocked:
        return _page(request, member, sentences=blocked.sentences, status=409)
    messages.success(request, _("They have a place now, and a message that says so."))
    return redirect("cohort_detail", member.cohort_id)
