"""Families: whom to invite, and what they answered."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from families.models import Student
from pthv import audit
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from visits import invitations
from visits.forms.invitations import AnswerForm, AttemptForm, ReopenForm, TeamForm
from visits.models import Invitation, Visit


@requires(Can.SEE_FAMILIES)
def invitation_list(request: HttpRequest) -> HttpResponse:
    """Families of this person's plans, by state and by name."""
    found = Invitation.objects.open_to(request.user, Can.SEE_FAMILIES).with_family()
    state, typed = request.GET.get("state", ""), request.GET.get("q", "").strip()
    if state in Invitation.State:
        found = found.filter(state=state)
    if typed:
        found = found.filter(family__in=Student.objects.named(typed).values("family"))
    return render(
        request,
        "visits/invitation_list.html",
        {
            "page": paged(found, request),
            "states": Invitation.State.choices,
            "state": state,
            "typed": typed,
        },
    )


@requires(Can.SEE_FAMILIES)
def invitation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One family: who they are, how to reach them, the story so far, the next step."""
    invitation = _invitation(request, pk, Can.SEE_FAMILIES)
    audit.viewed(invitation.family, by=request.user, reason=Can.SEE_FAMILIES)
    return _detail(request, invitation)


@require_POST
@requires(Can.INVITE)
def invitation_attempt(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.INVITE)
    form = AttemptForm(request.POST, family=invitation.family)
    return _act(request, invitation, form, invitations.record_attempt, _("Recorded."))


@require_POST
@requires(Can.INVITE)
def invitation_answer(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.INVITE)
    form = AnswerForm(request.POST)
    return _act(request, invitation, form, invitations.record_answer, _("Answer recorded."))


@require_POST
@requires(Can.PLAN)
def invitation_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.PLAN)
    form = ReopenForm(request.POST)
    return _act(request, invitation, form, invitations.reopen, _("They can be asked again."))


@require_POST
@requires(Can.SCHEDULE)
def invitation_team(request: HttpRequest, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.SCHEDULE)
    form = TeamForm(request.POST, invitation=invitation)
    return _act(request, invitation, form, invitations.choose_team, _("Team chosen."))


def _invitation(request: HttpRequest, pk: int, can: Can) -> Invitation:
    open_to_them = Invitation.objects.open_to(request.user, can)
    return get_object_or_404(
        open_to_them.with_family().prefetch_related("family__caregivers"), pk=pk
    )


def _act(request, invitation, form, action, done) -> HttpResponse:
    """Hand a valid form to the action, and say what happened; say why not on the page."""
    if not form.is_valid():
        return _detail(request, invitation, form=form, status=422)
    try:
        action(invitation, **form.cleaned_data, by=request.user)
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return _detail(request, invitation, form=form, status=409)
    messages.success(request, done)
    return redirect("invitation_detail", invitation.pk)


def _detail(request, invitation, form=None, status=200) -> HttpResponse:
    forms = {
        "attempt_form": AttemptForm(family=invitation.family),
        "answer_form": AnswerForm(),
        "reopen_form": ReopenForm(),
        "team_form": TeamForm(invitation=invitation),
    }
    if form is not None:
        forms[form.context_name] = form
    visits = list(
        Visit.objects.filter(invitation=invitation)
        .order_by("-pk")
        .prefetch_related("participants__educator__user")
    )
    return render(
        request,
        "visits/invitation_detail.html",
        {
            "invitation": invitation,
            "family": invitation.family,
            "attempts": invitation.attempts.select_related("caregiver", "made_by").order_by("-pk"),
            "visits": visits,
            "standing": next((visit for visit in visits if visit.occupies), None),
            "may_reopen": Can.PLAN in request.powers,
            "problems": form.non_field_errors() if form is not None else [],
            **forms,
        },
        status=status,
    )
