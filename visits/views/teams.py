"""The pairing board of a school, and what one is asked oneself."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import School
from pthv.requests import Request, post_only
from visits import teams
from visits.forms.teams import PairAnswerForm, PairForm
from visits.models import TeamMember, VisitTeam
from visits.views.week import school_of

DECLINED = TeamMember.Answer.DECLINED


@requires(Can.SCHEDULE)
def pair_list(request: Request) -> HttpResponse:
    """Who has no partner first, then the pairs; to an educator only their own."""
    schools = list(School.objects.open_to(request.user, Can.PAIR))
    school = school_of(request, schools)
    form = PairForm(request.POST or None, school=school) if school else None
    status = 200
    if request.method == "POST" and school and form:
        status = 422
        if form.is_valid():
            try:
                teams.stand(school, form.people, by=request.user)
            except NotReady as blocked:
                form.add_error(None, blocked.sentences)
                status = 409
            else:
                messages.success(request, _("They go together, and get a message."))
                return redirect(request.get_full_path())
    context = {"schools": schools, "school": school, "form": form, "mine": _mine(request)}
    return render(request, "visits/pair_list.html", context | _board(form), status=status)


def _board(form: PairForm | None) -> dict[str, Any]:
    if form is None:
        return {"alone": [], "pairs": [], "declined": []}
    asked = list(VisitTeam.objects.for_the_year().filter(school=form.school).with_members())
    declined = [team for team in asked if any(one.answer == DECLINED for one in team.going)]
    pairs = [team for team in asked if team not in declined]
    paired = {one.educator_id for team in pairs for one in team.going}
    alone = [one for one in form.here if one.pk not in paired]
    return {"alone": alone, "pairs": pairs, "declined": declined}


def _mine(request: Request) -> list[tuple[VisitTeam, Any]]:
    """The pairs that one is of, each with one's own part."""
    me = request.user.reach(Can.SCHEDULE).educators
    if not me:
        return []
    # A no may be taken back.
    found = VisitTeam.objects.for_the_year().filter(memberships__educator__in=me)
    return [
        (team, next(one for one in team.going if one.educator_id in me))
        for team in found.with_members().select_related("school")
    ]


@post_only("pair_list")
@requires(Can.SCHEDULE)
def pair_answer(request: Request, pk: int) -> HttpResponse:
    me = request.user.reach(Can.SCHEDULE).educators
    theirs = VisitTeam.objects.filter(memberships__educator__in=me).distinct()
    team = get_object_or_404(theirs, pk=pk)
    form = PairAnswerForm(request.POST)
    if form.is_valid():
        try:
            teams.answer(team, form.cleaned_data["answer"], by=request.user)
        except NotReady as blocked:
            messages.error(request, str(blocked))
        else:
            messages.success(request, _("Thank you for saying so."))
    return redirect("pair_list")


@post_only("pair_list")
@requires(Can.PAIR)
def pair_end(request: Request, pk: int) -> HttpResponse:
    here = VisitTeam.objects.filter(school__in=School.objects.open_to(request.user, Can.PAIR))
    team = teams.end(get_object_or_404(here, pk=pk), by=request.user)
    messages.success(request, _("They don't go together any more; planned visits stay."))
    return redirect(f"{reverse('pair_list')}?school={team.school_id}")
