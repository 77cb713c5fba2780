"""Finding a time, and keeping, cancelling or holding it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request, post_only
from visits import invitations, scheduling
from visits.forms.scheduling import EndingForm, SlotForm
from visits.models import Invitation, Visit

# What a family asked for, as a visit calls it.
PLACES = {
    Invitation.Place.ELSEWHERE: Visit.Place.NEUTRAL,
    Invitation.Place.VIDEO: Visit.Place.VIRTUAL,
}


@requires(Can.SCHEDULE)
def visit_schedule(request: Request, pk: int) -> HttpResponse:
    open_to_them = Invitation.objects.open_to(request.user, Can.SCHEDULE)
    invitation = get_object_or_404(open_to_them.with_family().select_related("program"), pk=pk)
    if request.method == "GET" and (reasons := scheduling.family_blockers(invitation)):
        messages.error(request, " ".join(reasons))
        return redirect(invitation)
    place = PLACES.get(invitation.place_wanted, Visit.Place.HOME)
    form = SlotForm(request.POST or None, initial={"place": place}, program=request.program)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                visit = scheduling.schedule(
                    invitation, form.during, form.cleaned_data["place"], by=request.user
                )
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("Scheduled. Your partner gets a message to confirm."))
                return redirect("visit_detail", visit.pk)
    return render(
        request,
        "visits/visit_schedule.html",
        {
            "form": form,
            "invitation": invitation,
            "team": invitation.people(),
            "wishes": invitations.wishes(invitation),
        },
        status=status,
    )


@post_only("visit_detail")
@requires(Can.SCHEDULE)
def visit_confirm(request: Request, pk: int) -> HttpResponse:
    return _act(request, pk, Can.SCHEDULE, scheduling.confirm, _("Confirmed."))


@post_only("visit_detail")
@requires(Can.SCHEDULE)
def visit_cancel(request: Request, pk: int) -> HttpResponse:
    form = EndingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say how the visit ended: choose one of the three."))
        return redirect("visit_detail", pk)
    return _act(
        request,
        pk,
        Can.SCHEDULE,
        scheduling.cancel,
        _("Recorded. The family's yes still stands."),
        ending=form.cleaned_data["ending"],
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
