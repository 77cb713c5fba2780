"""All visits of a school's day find another time at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pthv import wording
from pthv.access import Can, requires
from pthv.htmx import render
from pthv.models import School
from pthv.requests import Request
from visits import moving_days
from visits.forms.moving_days import MoveDayForm
from visits.views.week import date_of


@requires(Can.CLOSE_SCHOOL)
def day_move(request: Request, pk: int) -> HttpResponse:
    """Other times for the visits of a day, each with the best one chosen already."""
    schools = School.objects.open_to(request.user, Can.CLOSE_SCHOOL)
    school = get_object_or_404(schools.select_related("program"), pk=pk)
    day = date_of(request)
    proposals = moving_days.proposals(school, day)
    form = MoveDayForm(request.POST or None, proposals=proposals)
    status = 200
    if request.method == "POST":
        status = 422
        if not form.is_valid():
            form.add_error(None, _("A time is taken by now. Look at the times again."))
        else:
            refused = moving_days.move_all(form.chosen, by=request.user)
            if not refused:
                moved = len(form.chosen)
                said = ngettext("%(n)d visit changed.", "%(n)d visits changed.", moved)
                told = " " + _("Everybody was told.") if moved else ""
                messages.success(request, said % {"n": moved} + told)
                return redirect(f"{reverse('week')}?on={day.isoformat()}&school={school.pk}")
            for visit, sentences in refused:
                when = wording.time(visit.during.lower, request.program)
                form.add_error(None, [f"{when}: {sentence}" for sentence in sentences])
            proposals, status = moving_days.proposals(school, day), 409
    rows = [(one, request.POST.get(f"visit-{one.visit.pk}")) for one in proposals]
    context = {"school": school, "day": day, "form": form, "rows": rows}
    return render(request, "visits/day_move.html", context, status=status)
