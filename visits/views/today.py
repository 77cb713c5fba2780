"""Where each person begins: an educator's Today, and the way to every other desk."""

import datetime
from collections.abc import Collection

from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from families.models import adults, children
from pthv import audit, clock
from pthv.access import Can, requires
from pthv.requests import Request
from visits import families
from visits.forms.invitations import AttemptForm
from visits.models import (
    Availability,
    ContactAttempt,
    FollowUp,
    Invitation,
    Tally,
    Visit,
    VisitParticipant,
)
from visits.models.interpreting import interpreted, needs
from visits.models.visit import visitors

# The first of these that a person holds decides where they begin.
HOMES = [
    (Can.SEE_DESK, "desk"),
    (Can.SEE_TODAY, "today"),
    (Can.SEE_PAY, "pay_list"),
    (Can.SEE_COVERAGE, "coverage"),
]

KICKERS = {
    "confirm": gettext_lazy("Please confirm"),
    "out": gettext_lazy("Your next visit"),
    "arrive": gettext_lazy("Your visit now"),
    "leave": gettext_lazy("Your visit now"),
    "hold": gettext_lazy("Did this visit happen?"),
    "log": gettext_lazy("To write up"),
    "reflect": gettext_lazy("To write up"),
    "attest": gettext_lazy("To look at again"),
}
FRESH = datetime.timedelta(days=1)  # one writes up what one just left before what is older
NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)
UNFINISHED = 30  # read at once: the next step, what comes up, and all between


def home(request: Request) -> HttpResponse:
    for can, name in HOMES:
        if can in request.powers:
            return redirect(name)
    if request.user.is_staff:
        return redirect("admin:index")
    return redirect("more")


def more(request: Request) -> HttpResponse:
    return render(request, "visits/more.html")


@requires(Can.SEE_TODAY)
def today(request: Request) -> HttpResponse:
    """The next visit with its one next step, whom to invite, promises, and how far we are."""
    me = request.user.reach(Can.SEE_TODAY).educators
    mine = _mine(me)
    for one in mine:
        one.visit.program = request.program
    next_up, waiting, coming = _next(mine)
    invitations = list(Invitation.objects.invite_next(me, request.program.today)[:3])
    families_shown = [invitation.family for invitation in invitations]
    step = next_up.next_step(next_up.visit, reflected=next_up.reflected) if next_up else ""
    if next_up:
        prefetch_related_objects([next_up.visit], visitors())
        next_up.visit.needs = needs(next_up.interpreted)
        families_shown.append(next_up.visit.family)
    prefetch_related_objects(families_shown, children(), adults())
    audit.listed(families_shown, by=request.user, reason=Can.SEE_TODAY)
    promises = FollowUp.objects.open().filter(owner__in=me).select_related("visit__family")
    return render(
        request,
        "visits/today.html",
        {
            "next_up": next_up,
            "visit": next_up.visit if next_up else None,
            "address": families.way_there(next_up.visit, request.user, Can.SEE_TODAY)
            if next_up
            else "",
            "step": step,
            "kicker": KICKERS.get(step, _("Your next visit")),
            "others": next_up.visit.others(request.user) if next_up else [],
            "waiting": waiting,
            "coming": coming,
            "invitations": invitations,
            "has_hours": Availability.objects.filter(educator__in=me).exists(),
            "promises": promises.order_by("due_on", "pk")[:5],
            "steps": _steps(Tally.objects.of(me, request.program.today)),
            "channels": ContactAttempt.Channel.choices,
            "outcomes": AttemptForm.OUTCOMES,
        },
    )


def _mine(me: Collection[int]) -> list[VisitParticipant]:
    """Where one has a step to take, the earliest first, with what is interpreted there."""
    found = VisitParticipant.objects.unfinished(me).annotate(interpreted=interpreted("visit"))
    return sorted(found.nearest()[:UNFINISHED], key=lambda mine: mine.during.lower)


def _next(
    unfinished: list[VisitParticipant],
) -> tuple[VisitParticipant | None, list[VisitParticipant], list[VisitParticipant]]:
    """The one with the next step: what goes on now, else what was left last, within a day, else
    the earliest; the earlier ones that wait meanwhile; and the two visits that come after it."""
    now = clock.now()
    under_way = (mine for mine in unfinished if mine.visit.is_under_way)
    fresh = [mine for mine in unfinished if _over_at(mine.visit) > now - FRESH]
    just_left = max(fresh, key=lambda mine: _over_at(mine.visit), default=None)
    first = next(under_way, None) or just_left or next(iter(unfinished), None)
    others = [mine for mine in unfinished if mine is not first]
    earlier = [mine for mine in others if first and mine.during.lower < first.during.lower]
    coming = [mine for mine in others if mine.during.lower > now and mine not in earlier]
    return first, earlier[:2], coming[:2]


def _over_at(visit: Visit) -> datetime.datetime:
    """When its people left, or said that it was held; long ago, if they never did."""
    return (visit.safety and visit.safety.left_at) or visit.held_at or NEVER


def _steps(tally: dict[str, int]) -> list[dict[str, object]]:
    """Asked, said yes, visited: of the families planned."""
    mine = reverse("invitation_list") + "?mine=1&kind="
    asked, accepted = f"{mine}first&asked=1", f"{mine}first&state=accepted"
    visited, second = f"{mine}first&state=visited", f"{mine}second&state=visited"
    return [
        {"label": _("asked"), "value": tally["asked"], "of": tally["planned"], "url": asked},
        {"label": _("said yes"), "value": tally["accepted"], "url": accepted},
        {"label": _("visited"), "value": tally["visited"], "url": visited},
        {"label": _("second visit"), "value": tally["second"], "url": second},
    ]
