"""The training desk: who is trained where, who must be next, at what cost, and by whom."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from pthv.access import Can, requires
from pthv.htmx import render
from pthv.models import Educator, SchoolYear
from pthv.requests import Request
from training import desk

SCHOOLS_SHOWN = 10


@require_safe
@requires(Can.SEE_TRAINING)
def training_desk(request: Request) -> HttpResponse:
    program, today = request.program, request.program.today
    reach = request.user.reach(Can.SEE_TRAINING)
    everybody = Educator.objects.open_to(request.user, Can.SEE_TRAINING)
    year = SchoolYear.objects.at_hand(today).first()
    total, schools = desk.standings(program, reach, year)
    few = [*(total.next or ()), *(total.first or ())]
    named = everybody.select_related("user").in_bulk(few)
    days = zip(total.next or (), total.next_days or (), strict=True)
    context = {
        "total": total,
        "schools": schools if "schools" in request.GET else schools[:SCHOOLS_SHOWN],
        "school_count": len(schools),
        "nowhere": [named[pk] for pk in total.first or () if pk in named],
        "ending": [(named[pk], day) for pk, day in days if pk in named],
        "year": year,
        # What a cohort costs and who trains it is the program's, not one school's.
        "cost": desk.cost(total) if reach.program else None,
        "trainers": desk.trainers(program, year) if reach.program else [],
        "whole_program": reach.program,
        "may_run": Can.RUN_TRAINING in request.powers,
    }
    return render(request, "training/training_desk.html", context)
