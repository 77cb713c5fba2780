"""A visit that changes: another time, somebody else who goes, somebody who can't."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request, id_of, post_only
from visits import moving, teams
from visits.forms.moving import SwapForm
from visits.forms.scheduling import SlotForm
from visits.models import Visit
from visits.views.scheduling import times


@requires(Can.SCHEDULE)
def visit_move(request: Request, pk: int) -> HttpResponse:
    """The times when everybody is free; the visit's own takes none."""
    visit = _ahead(request, pk)
    invitation = visit.invitation
    wanted = id_of((request.POST or request.GET).get("minutes", ""))
    initial = {
        "place": visit.place,
        "minutes": wanted if wanted in dict(SlotForm.MINUTES) else visit.minutes,
        "interpret": _interpret(request, visit),
    }
    language = visit.interpreted_in
    form = SlotForm(
        request.POST or None, initial=initial, program=request.program, language=language
    )
    if request.method != "POST":
        return times(request, invitation, form, visit=visit)
    if not form.is_valid():
        return times(request, invitation, form, visit=visit, status=422)
    chosen = form.cleaned_data
    try:
        moving.move(
            visit,
            form.during,
            chosen["place"],
            # Whoever moves it need not be who may read where it is; left empty, it stays.
            address=chosen["address"] or visit.address,
            # A page without the choice leaves it as it is.
            interpret=chosen["interpret"] if "interpret" in request.POST else None,
            seen=id_of(request.POST.get("seen", "")),
            by=request.user,
        )
    except NotReady as blocked:
        form.add_error(None, blocked.sentences)
        return times(request, invitation, form, visit=visit, status=409)
    messages.success(request, _("Moved. Everybody gets a message."))
    return redirect("visit_detail", visit.pk)


@requires(Can.SCHEDULE)
def visit_swap(request: Request, pk: int) -> HttpResponse:
    """Choose who goes instead; whoever said that they can't is chosen already."""
    visit = _ahead(request, pk)
    away = next((one.educator_id for one in visit.visitors if one.declined_at), None)
    me = next((one for one in visit.visitors if one.educator.user_id == request.user.pk), None)
    out = away or (me.educator_id if me else visit.visitors[-1].educator_id)
    form = SwapForm(request.POST or None, visit=visit, initial={"out": out})
    status = 422 if request.method == "POST" else 200
    if form.is_valid():
        try:
            seen = id_of(request.POST.get("seen", ""))
            moving.swap(visit, **form.cleaned_data, seen=seen, by=request.user)
        except NotReady as blocked:
            form.add_error(None, blocked.sentences)
            status = 409
        else:
            messages.success(request, _("Done. Both get a message."))
            return redirect("visit_detail", visit.pk)
    going = [one.educator for one in visit.visitors]
    context = {
        "visit": visit,
        "form": form,
        "going": visit.visitors,
        "suggestions": teams.suggest(visit.invitation, going, on=visit.starts_on),
    }
    return render(request, "visits/visit_swap.html", context, status=status)


@post_only("visit_detail")
@requires(Can.LOG)
def visit_decline(request: Request, pk: int) -> HttpResponse:
    visit = _ahead(request, pk, Can.LOG)
    try:
        moving.decline(visit, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Saved. Who else goes was told, and chooses somebody instead."))
    return redirect("visit_detail", pk)


def _interpret(request: Request, visit: Visit) -> str:
    """The language for which somebody has to be free: that of now, unless it was put aside."""
    chosen = request.POST or request.GET
    language = visit.interpreted_in
    return language if chosen.get("interpret", language) == language else ""


def _ahead(request: Request, pk: int, can: Can = Can.SCHEDULE) -> Visit:
    visits = Visit.objects.open_to(request.user, can).with_people()
    # No more tables at once: planning nine takes the database longer than reading them.
    related = ("invitation", "invitation__answered_caregiver")
    visit = get_object_or_404(visits.select_related(*related), pk=pk)
    invitation = visit.invitation
    visit.program = visit.school.program = invitation.program = request.program
    if (invitation.family_id, invitation.school_id) == (visit.family_id, visit.school_id):
        invitation.family, invitation.school = visit.family, visit.school
    return visit
