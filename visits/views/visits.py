"""Visits: when, where and who; what was said stays with those who were there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from pthv import audit
from pthv.access import Can, requires
from pthv.paging import paged
from visits.models import Visit


@requires(Can.SEE_VISITS)
def visit_list(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.SEE_VISITS).by_start().with_people()
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
def visit_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One visit and its next step; its log and reflections only for those who went."""
    visits = Visit.objects.open_to(request.user, Can.SEE_VISITS)
    visit = get_object_or_404(visits.with_people().select_related("invitation"), pk=pk)
    audit.viewed(visit, by=request.user, reason=Can.SEE_VISITS)
    went = [p for p in visit.participants.all() if p.educator.user_id == request.user.pk]
    reflections = list(visit.reflections.select_related("educator__user"))
    mine = [r for r in reflections if r.educator.user_id == request.user.pk]
    return render(
        request,
        "visits/visit_detail.html",
        {
            "visit": visit,
            "me": went[0] if went else None,
            "log": getattr(visit, "log", None) if went else None,
            "promises": visit.follow_ups.all() if went else [],
            "has_reflected": {r.educator_id for r in reflections},
            # Side by side, once one has written oneself.
            "reflections": reflections if went and mine else [],
            "step": went[0].next_step(visit, reflected=bool(mine)) if went else "",
        },
    )
