"""Visits: when, where and who; what was said stays with those who were there."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from pthv import audit, clock
from pthv.access import Can, requires
from pthv.paging import paged
from pthv.requests import Request
from visits import changes, families, interpreting, logs
from visits.forms.logs import OutcomeForm
from visits.forms.scheduling import EndingForm
from visits.models import Visit


@requires(Can.SEE_VISITS)
def visit_list(request: Request) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.SEE_VISITS).by_start().for_list()
    state = request.GET.get("state", "")
    if state in Visit.State:
        visits = visits.filter(state=state)
    return render(
        request,
        "visits/visit_list.html",
        {
            "page": paged(visits, request, by="starts_at"),
            "states": Visit.State.choices,
            "state": state,
        },
    )


@requires(Can.SEE_VISITS)
def visit_detail(request: Request, pk: int) -> HttpResponse:
    """One visit and its next step; its log and reflections only for those who went."""
    visits = Visit.objects.open_to(request.user, Can.SEE_VISITS).for_writing()
    visit = get_object_or_404(
        visits.select_related("invitation", "ended_by", "safety_check"), pk=pk
    )
    audit.viewed(visit, by=request.user, reason=Can.SEE_VISITS)
    visit.program = request.program
    me = next((p for p in visit.visitors if p.educator.user_id == request.user.pk), None)
    reflections = visit.reflections.order_by("pk")
    if not visit.held_at:
        reflections = reflections.none()
    if me is None:
        written, reflections = set(reflections.values_list("educator", flat=True)), []
    else:
        reflections = list(reflections.select_related("educator__user"))
        written = {reflection.educator_id for reflection in reflections}
    reflected = me is not None and me.educator_id in written
    late, cost = interpreting.price(visit)
    return render(
        request,
        "visits/visit_detail.html",
        {
            "visit": visit,
            "me": me,
            "others": visit.others(request.user),
            "away": [one for one in visit.visitors if one.declined_at and visit.is_ahead],
            "address": families.way_there(visit, request.user, Can.SEE_VISITS) if me else "",
            "path": _path(visit),
            "changes": changes.of(visit),
            "step": me.next_step(visit, reflected=reflected) if me else "",
            "starts_later": visit.during.lower > clock.now(),
            "written": written,
            "may_confirm": Can.SEE_DESK in request.powers and visit.state == Visit.State.SCHEDULED,
            "may_cancel": Can.SCHEDULE in request.powers and visit.is_ahead,
            "may_ask_interpreter": Can.SCHEDULE in request.powers
            and interpreting.may_be_needed(visit),
            "late": late,
            "cost": cost,
            "endings": EndingForm.base_fields["ending"].choices,
            "ending_form": EndingForm(),
            "log": getattr(visit, "log", None) if me else None,
            "promises": visit.follow_ups.select_related("owner__user")
            if me and hasattr(visit, "log")
            else [],
            "earlier": logs.earlier_promises(visit) if me else [],
            "outcome_form": OutcomeForm(),
            # Side by side, once one has written oneself.
            "reflections": reflections if reflected else [],
        },
    )


def _path(visit: Visit) -> list[dict[str, object]]:
    """The steps of a visit that stands, for the path above its page."""
    passed = [visit.confirmed_at or visit.held_at, visit.held_at, visit.completed_at]
    labels = [_("Scheduled"), _("Confirmed"), _("Held"), _("Completed")]
    done = [True, *map(bool, passed)]
    current = sum(done) - 1
    return [
        {"label": label, "done": is_done, "current": place == current}
        for place, (label, is_done) in enumerate(zip(labels, done, strict=True))
    ]
