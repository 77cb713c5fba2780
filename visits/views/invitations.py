"""Families: whom to invite, and what they answered."""

import datetime
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from families.models import Caregiver, Family, Student, adults
from pthv import audit, exports
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from pthv.requests import Request, post_only
from visits import answers, invitations, taking_back
from visits.families import said_no
from visits.forms.invitations import AnswerForm, AttemptForm, ReopenForm, TeamForm
from visits.forms.narrowing import NarrowForm
from visits.models import ContactAttempt, Invitation, InvitationAnswer, VisitKind
from visits.models.invitation import InvitationQuerySet
from visits.views import families

# What the chips narrow by.
A_MONTH = datetime.timedelta(days=30)
BY_STATE = {"state", "waiting", "waits", "dead", "kind", "asked", "mine"}


@requires(Can.SEE_FAMILIES)
def invitation_list(request: Request) -> HttpResponse:
    """This year's families of this person's plans, by state; by name those of any year."""
    form = NarrowForm(request.GET, user=request.user, program=request.program)
    found = _found(request, Can.SEE_FAMILIES, form)
    page = paged(found, request, shown=lambda rows: rows.for_list())
    # Who asks sees how to reach a family while it may be asked, and that is a look at it.
    by_others = request.user.reach(Can.SEE_FAMILIES).educators == frozenset()
    open_ = [row.family for row in page if row.is_open and not row.said_no and not by_others]
    prefetch_related_objects(open_, adults())
    audit.listed(open_, by=request.user, reason=Can.SEE_FAMILIES)
    return render(
        request,
        "visits/invitation_list.html",
        {
            "page": page,
            "states": [*Invitation.State.choices, ("visited", _("Visited"))],
            "state": request.GET.get("state", ""),
            "waiting": "waiting" in request.GET,
            "waits": "waits" in request.GET,
            "by_state": bool(BY_STATE & request.GET.keys()),
            "narrowed": form.used or bool(BY_STATE & request.GET.keys()),
            "form": form.offer() if form.used or "filter" in request.GET else None,
            "may_export": Can.EXPORT_FAMILIES in request.powers,
            "typed": _typed(request),
            "by_others": by_others,
        },
    )


@require_POST
@requires(Can.EXPORT_FAMILIES)
def invitation_csv(request: Request) -> StreamingHttpResponse:
    """The list as it is narrowed, as a file. A POST, since who took it is kept."""
    form = NarrowForm(request.GET, user=request.user, program=request.program)
    found = _found(request, Can.EXPORT_FAMILIES, form)
    known = sorted((BY_STATE | form.fields.keys()) & request.GET.keys())
    filters: dict[str, str | bool] = {name: request.GET[name] for name in known}
    if _typed(request):
        filters["q"] = True  # that they looked for a name, not for whose
    rows = invitations.export(found, request.program, by=request.user, filters=filters)
    return exports.csv_response(f"families-{request.program.slug}.csv", rows)


def _typed(request: Request) -> str:
    return request.GET.get("q", "").strip()


def _found(request: Request, can: Can, form: NarrowForm) -> InvitationQuerySet:
    """What the address asks for, on the page as in the file."""
    found, typed = Invitation.objects.open_to(request.user, can), _typed(request)
    if not typed:  # looking for somebody finds last year's too
        found = found.of_year(request.program.today)
    found = form.narrow(_narrowed(found, request))
    return (
        found.filter(family__in=Student.objects.named(typed).values("family")) if typed else found
    )


def _narrowed(found: InvitationQuerySet, request: Request) -> InvitationQuerySet:
    """The rows behind a number: of a state or kind, asked at all, waiting for a time, or mine."""
    asked_for = request.GET
    state, kind = asked_for.get("state", ""), asked_for.get("kind", "")
    if state in Invitation.State:
        found = found.filter(state=state)
        if state in Invitation.OPEN:  # whom to ask
            found = found.without_a_no()
    elif state == "visited":
        found = found.filter(visited_at__isnull=False)
    if kind in VisitKind:
        found = found.filter(kind=kind)
    if "asked" in asked_for:
        found = found.exclude(state=Invitation.State.NOT_ASKED)
    if "waiting" in asked_for:
        found = found.without_a_time()
    if "waits" in asked_for:
        found = found.waiting_for_us()
    if "dead" in asked_for:
        dead = Caregiver.objects.with_dead_ends().values("family")
        found = found.without_a_no().filter(family__in=dead)
    if "mine" in asked_for:
        found = found.filter(educator__in=request.user.reach(Can.SEE_FAMILIES).educators)
    return found


@requires(Can.SEE_FAMILIES)
def invitation_detail(request: Request, pk: int) -> HttpResponse:
    """An invitation stands on its family's page, with its next step."""
    return redirect(_invitation(request, pk, Can.SEE_FAMILIES))


@post_only("invitation_detail")
@requires(Can.INVITE)
def invitation_attempt(request: Request, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.INVITE)
    form = AttemptForm(request.POST, family=invitation.family)
    talked = request.POST.get("outcome") in {
        ContactAttempt.Outcome.REACHED,
        Invitation.State.ACCEPTED,
    }
    page = "today" if request.POST.get("from") == "today" and not talked else ""
    return _act(request, invitation, form, _attempted, page=page, undo="attempt_undo")


def _attempted(invitation: Invitation, outcome: str, **how: Any) -> ContactAttempt:
    if outcome in Invitation.State:
        later_on = invitation.program.today + A_MONTH
        return answers.reached(invitation, answer=outcome, later_on=later_on, **how)
    return invitations.record_attempt(invitation, outcome=outcome, **how)


@post_only("invitation_detail")
@requires(Can.INVITE)
def invitation_answer(request: Request, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.INVITE)
    form = AnswerForm(request.POST, today=request.program.today)
    return _act(request, invitation, form, answers.record, undo="answer_undo")


@post_only("invitation_list")
@requires(Can.INVITE)
def attempt_undo(request: Request, pk: int) -> HttpResponse:
    """Take back an attempt just recorded, and the answer that came with it."""
    return _undo(request, get_object_or_404(_of_theirs(request, ContactAttempt), pk=pk))


@post_only("invitation_list")
@requires(Can.INVITE)
def answer_undo(request: Request, pk: int) -> HttpResponse:
    """Take back an answer just recorded."""
    return _undo(request, get_object_or_404(_of_theirs(request, InvitationAnswer), pk=pk))


def _of_theirs(request: Request, kind: Any) -> Any:
    theirs = Invitation.objects.open_to(request.user, Can.INVITE)
    return kind.objects.filter(invitation__in=theirs).select_related("invitation")


def _undo(request: Request, recorded: Any) -> HttpResponse:
    try:
        taking_back.take_back(recorded, by=request.user)
    except NotReady as blocked:
        for sentence in blocked.sentences:
            messages.error(request, sentence)
    else:
        messages.success(request, _("Taken back."))
    back = "today" if request.GET.get("from") == "today" else recorded.invitation
    return redirect(back)


@post_only("invitation_detail")
@requires(Can.PLAN)
def invitation_reopen(request: Request, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.PLAN)
    form = ReopenForm(request.POST)
    response = _act(request, invitation, form, answers.reopen, _("This family's no is lifted."))
    if response.status_code == 302 and said_no([invitation.family_id]):
        still = _("A child came from a family that said no. That no stands, so nobody asks yet.")
        messages.warning(request, still)
    return response


@post_only("invitation_detail")
@requires(Can.SCHEDULE)
def invitation_team(request: Request, pk: int) -> HttpResponse:
    invitation = _invitation(request, pk, Can.SCHEDULE)
    form = TeamForm(request.POST, invitation=invitation)
    return _act(request, invitation, form, invitations.choose_team, _("Team chosen."))


def _invitation(request: Request, pk: int, can: Can) -> Invitation:
    found = Invitation.objects.open_to(request.user, can).select_related("family")
    invitation = get_object_or_404(found, pk=pk)
    invitation.program = request.program
    return invitation


def _act(request, invitation, form, action, done="", page="", undo="") -> HttpResponse:
    """Hand a valid form to the action, and say what happened, on the family's page or on `page`;
    say why not on the family's. `undo`: what takes back the row that the action returned."""
    if not form.is_valid():
        return families.refused(request, invitation, form, status=422)
    try:
        made = action(invitation, **form.cleaned_data, by=request.user)
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return families.refused(request, invitation, form, status=409)
    # The message brings the way to take it back (components/messages.html).
    way_back = reverse(undo, args=[made.pk]) + (f"?from={page}" if page else "") if undo else ""
    said = done or _recorded(invitation.family, made, form.cleaned_data)
    messages.success(request, said, extra_tags=way_back)
    return redirect(page or invitation)


def _recorded(
    family: Family, made: ContactAttempt | InvitationAnswer, cleaned: dict[str, Any]
) -> str:
    """What was recorded of whom, so that a slip of the thumb is seen."""
    answers = InvitationAnswer.Answer
    if isinstance(made, InvitationAnswer):
        what = made.get_answer_display()
    elif made.outcome != ContactAttempt.Outcome.REACHED:
        what = made.get_outcome_display()
    elif cleaned["outcome"] in answers:
        what = str(answers(cleaned["outcome"]).label)
    else:
        return _("Recorded. What did they say?")
    return _("%(family)s: %(what)s.") % {"family": family, "what": what}
