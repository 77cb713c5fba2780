"""Finding a time, and keeping, cancelling or holding it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request, id_of, post_only
from visits import finding, interpreting, invitations, scheduling
from visits.forms.scheduling import EndingForm, SlotForm
from visits.models import Invitation, Visit

# What a family asked for, as a visit calls it.
PLACES: dict[str, str] = {
    Invitation.Place.ELSEWHERE: Visit.Place.NEUTRAL,
    Invitation.Place.VIDEO: Visit.Place.VIRTUAL,
}


@requires(Can.SCHEDULE)
def visit_schedule(request: Request, pk: int) -> HttpResponse:
    """The times when everybody is free; or another one, which may be refused."""
    found = Invitation.objects.open_to(request.user, Can.SCHEDULE).select_related(
        "family", "school", "educator__user", "answered_caregiver"
    )
    unread = ["family__folded", "family__searchable"]
    unread += ["answered_caregiver__folded", "answered_caregiver__searchable"]
    invitation = get_object_or_404(found.defer(*unread), pk=pk)
    invitation.program = invitation.school.program = request.program
    if request.method == "GET" and (reasons := scheduling.family_blockers(invitation)):
        messages.error(request, " ".join(reasons))
        return redirect(invitation)
    team = invitation.people()
    language = finding.language_to_interpret(invitation, team)
    initial = _initial(request, invitation, language)
    form = SlotForm(
        request.POST or None, initial=initial, program=request.program, language=language
    )
    if request.method != "POST":
        return times(request, invitation, form)
    if not form.is_valid():
        return times(request, invitation, form, status=422)
    try:
        visit = _schedule(invitation, form, request)
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return times(request, invitation, form, status=409)
    messages.success(request, _("Scheduled. Your partner gets a message to confirm."))
    return redirect("visit_detail", visit.pk)


def times(
    request: Request,
    invitation: Invitation,
    form: SlotForm,
    *,
    visit: Visit | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page of times; `visit`: the one that is moved."""
    team = [one.educator for one in visit.visitors] if visit else invitation.people()
    minutes, interpret = form.initial["minutes"], form.initial["interpret"]
    late, cost = interpreting.price(visit) if visit else (False, None)
    # What was tapped may be of a later week.
    whole = request.method == "POST" or request.GET.get("weeks") == "all"
    context = {
        "form": form,
        "invitation": invitation,
        "late": late,
        "cost": cost,
        "visit": visit,
        "team": team,
        "wishes": invitations.wishes(invitation),
        "offer": finding.offer(
            invitation, team, minutes=minutes, interpret=interpret, but=visit, whole=whole
        ),
        "minutes": minutes,
        "interpret": interpret,
        "language": form.language,
    }
    page = "visit_move" if visit else "visit_schedule"
    return render(request, f"visits/{page}.html", context, status=status)


def _initial(request: Request, invitation: Invitation, language: str) -> dict[str, Any]:
    """How long, where and with whom: as was chosen, or else as the family would like it."""
    chosen = request.POST or request.GET
    lengths = {str(minutes): minutes for minutes, _label in SlotForm.MINUTES}
    wanted = language if finding.wants_interpreter(invitation) else ""
    return {
        "place": PLACES.get(invitation.place_wanted, Visit.Place.HOME),
        "minutes": lengths.get(chosen.get("minutes", ""), 60),
        "interpret": language if chosen.get("interpret", wanted) == language else "",
    }


def _schedule(invitation: Invitation, form: SlotForm, request: Request) -> Visit:
    return scheduling.schedule(
        invitation,
        form.during,
        form.cleaned_data["place"],
        by=request.user,
        address=form.cleaned_data["address"],
        interpret=form.cleaned_data["interpret"],
    )


@post_only("visit_detail")
@requires(Can.SCHEDULE)
def visit_confirm(request: Request, pk: int) -> HttpResponse:
    seen = id_of(request.POST.get("seen", ""))
    return _act(request, pk, Can.SCHEDULE, scheduling.confirm, _("Confirmed."), seen=seen)


@post_only("visit_detail")
@requires(Can.SCHEDULE)
def visit_cancel(request: Request, pk: int) -> HttpResponse:
    form = EndingForm(request.POST)
    if not form.is_valid():
        too_long = form.errors.get("because")
        asked = _("Say how the visit ended: choose one of the three.")
        messages.error(request, " ".join(map(str, too_long)) if too_long else asked)
        return redirect("visit_detail", pk)
    return _act(
        request,
        pk,
        Can.SCHEDULE,
        scheduling.cancel,
        _("Recorded. The family's yes still stands."),
        **form.cleaned_data,
    )


@post_only("visit_detail")
@requires(Can.LOG)
def visit_hold(request: Request, pk: int) -> HttpResponse:
    return _act(
        request, pk, Can.LOG, scheduling.hold, _("Well done. Now log it while it is fresh.")
    )


def _act(request: Request, pk: int, can: Can, action, done: str, **facts) -> HttpResponse:
    """Do it, or say why not; either way the visit's page comes next."""
    visit = get_object_or_404(Visit.objects.open_to(request.user, can), pk=pk)
    try:
        action(visit, **facts, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, done)
    return redirect("visit_detail", pk)
