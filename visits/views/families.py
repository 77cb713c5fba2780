"""One family on one page: who they are, the next step, how to reach them, the story."""

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from families import amendments
from families.models import AmendmentRequest, Family
from pthv import audit
from pthv.access import Can, requires
from pthv.requests import Request, id_of
from visits import families, invitations, merging, story, teams
from visits.forms.invitations import AnswerForm, AttemptForm, ReopenForm
from visits.models import ContactAttempt, Invitation
from visits.models.invitation import has_said_no

CAN = Can.SEE_FAMILIES


@requires(CAN)
def family_detail(request: Request, pk: int) -> HttpResponse:
    """The page of one family; `invitation` in the address says whose next step it shows."""
    family = _family(request, pk)
    if family is None:
        return _on_to_the_merged(request, pk)
    return _page(request, family, id_of(request.GET.get("invitation", "")))


def refused(
    request: Request, invitation: Invitation, form: forms.Form, status: int
) -> HttpResponse:
    """The family's page, saying why what was asked for this invitation can't be."""
    family = _family(request, invitation.family_id)
    if family is None:
        raise Http404
    return _page(request, family, invitation.pk, form, status)


def _family(request: Request, pk: int) -> Any:
    """The family with its past, and what a coordinator is told beside, in one query."""
    found = story.with_past(families.open_to(request.user, CAN))
    waiting = AmendmentRequest.objects.waiting().filter(family=OuterRef("pk"))
    found = found.annotate(has_proposals=Exists(waiting), said_no=has_said_no())
    if Can.MERGE_FAMILIES in request.powers:
        found = families.with_twins(merging.with_changes(found), request.user)
    if Can.EDIT_FAMILIES in request.powers:
        found = families.with_looks(found)
    return found.filter(pk=pk).first()


def _on_to_the_merged(request: Request, pk: int) -> HttpResponse:
    """A family that was merged is found where it is now, by whoever may see it there."""
    gone = Family.objects.exclude(merged_into=None).filter(pk=pk).first()
    kept = gone and families.open_to(request.user, CAN).filter(pk=gone.merged_into_id).first()
    if kept is None:
        raise Http404
    return redirect("family_detail", kept.pk)


def _page(
    request: Request,
    family: Any,
    chosen: int | None = None,
    form: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of one family; `form`: one that was refused, whose sentences it says."""
    user, earlier = request.user, story.earlier(family)
    family.children = families.children(family, user, CAN)
    family.adults = list(family.caregivers.defer("folded", "searchable"))
    invitations = story.invitations(family, earlier, user, CAN)
    visits = story.visits(invitations, user, CAN)
    address_open = families.address_is_open(family, visits, said_no=family.said_no)
    audit.viewed(family, by=user, reason=CAN)
    if address_open:
        audit.viewed(family, by=user, reason=CAN, part="address")
    mine = [one for one in invitations if one.mine and one.family_id == family.pk]
    invitation = next((one for one in mine if one.pk == chosen), mine[-1] if mine else None)
    context = {
        "family": family,
        "said_no": family.said_no,
        "hidden": family.said_no and not (invitation and invitation.call_wanted_at),
        "address_open": address_open,
        "why": families.why(user, CAN, family.children, invitations),
        "story": story.tell(family, invitations, visits, earlier, user, CAN),
        "invitation": invitation,
        "others": _others(mine, invitation),
        "proposals": _proposals(request, family),
        "may_edit": Can.EDIT_FAMILIES in request.powers,
        "may_merge": Can.MERGE_FAMILIES in request.powers,
        "looked": families.looked(family) if Can.EDIT_FAMILIES in request.powers else [],
        "changes": getattr(family, "recent_changes", []),
    }
    if invitation is not None:
        context |= _next_step(request, invitation, visits, form, said_no=family.said_no)
    return render(request, "visits/family_detail.html", context, status=status)


def _others(mine: list[Any], shown: Any) -> list[Any]:
    """The other invitations, the last first; none of an earlier year that nobody was asked by."""
    return [
        one
        for one in reversed(mine)
        if one is not shown and (one.asked_at or one.school_year_id == shown.school_year_id)
    ]


def _proposals(request: Request, family: Any) -> list[dict[str, Any]]:
    """What the family says is wrong and nobody has decided about, old and new; for whoever
    decides nothing, none that would tell them a phone or address which the page hides."""
    if not family.has_proposals:
        return []
    found = amendments.waiting_of(family.amendments.all())
    found = families.proposals_open_to(request.user, CAN, found)
    if Can.EDIT_FAMILIES not in request.powers:
        if family.said_no:
            return []
        found = found.exclude(caregiver__may_be_contacted=False)
    return [{"row": one, "corrections": amendments.corrections(one)} for one in found]


def _next_step(
    request: Request,
    invitation: Any,
    visits: list[Any],
    form: forms.Form | None,
    *,
    said_no: bool,
) -> dict[str, Any]:
    """What the one step of an invitation needs; `form`: one that was refused."""
    standing = next((v for v in visits if v.invitation_id == invitation.pk and v.occupies), None)
    step = invitation.next_step(request.program.today, standing=bool(standing), said_no=said_no)
    attempts = invitation.attempts_made
    talked = bool(attempts) and attempts[-1]["outcome"] == ContactAttempt.Outcome.REACHED
    if step == "ask" and invitation.state == Invitation.State.ASKED and talked:
        step = "answer"  # somebody spoke to them: what they said comes first
    choosing = step == "team" or (step == "time" and "team" in request.GET)
    partners = (
        teams.suggest(invitation, [invitation.educator], on=request.program.today)
        if choosing
        else []
    )
    problems = form.errors.values() if form is not None else []
    return {
        "step": step,
        "wishes": invitations.wishes(invitation),
        "standing": standing,
        "partners": partners,
        "may_invite": Can.INVITE in request.powers,
        "may_schedule": Can.SCHEDULE in request.powers,
        "may_reopen": Can.PLAN in request.powers,
        "answer_form": form
        if isinstance(form, AnswerForm)
        else AnswerForm(today=request.program.today),
        "reopen_form": ReopenForm(),
        "channels": ContactAttempt.Channel.choices,
        "outcomes": [
            (outcome, words)
            for outcome, words in AttemptForm.OUTCOMES
            if not (said_no and outcome == Invitation.State.ACCEPTED)
        ],
        "problems": [sentence for sentences in problems for sentence in sentences],
    }
