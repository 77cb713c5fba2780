"""The taps on a visit's way, the call for help, and what to do about a worry for a child."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pthv import wording
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.requests import Request, post_only
from visits import safety, safety_messages, scheduling
from visits.forms.safety import LongerForm, TapForm
from visits.models import SafetyCheck, Visit
from visits.sending import key_of, once


@post_only("visit_detail")
@requires(Can.LOG)
@once
def safety_out(request: Request, pk: int) -> HttpResponse:
    form = TapForm(request.POST)
    if _tap(request, pk, safety.out, phone_time=form.phone_time_said):
        messages.success(request, _("Have a good visit. Tap “We're here” when you are there."))
    return redirect("today")


@post_only("visit_detail")
@requires(Can.LOG)
@once
def safety_arrive(request: Request, pk: int) -> HttpResponse:
    form = TapForm(request.POST)
    check = _tap(request, pk, safety.arrive, phone_time=form.phone_time_said)
    if check:
        until = wording.time(check.expected_end, request.program)
        said = _("Good. You are expected to be back by %(time)s.") % {"time": until}
        messages.success(request, said)
    return redirect("today")


@post_only("visit_detail")
@requires(Can.LOG)
@once
def safety_leave(request: Request, pk: int) -> HttpResponse:
    """On to the log, while it is fresh; where the visit can't be held yet, it says why."""
    form = TapForm(request.POST)
    facts = {"phone_time": form.phone_time_said, "early": form.cleaned_data.get("early", False)}
    check = _tap(request, pk, safety.leave, **facts)
    if check is None:
        return redirect("today")
    if check.wants_help:
        said = _("Good that you are out. Help was asked for: tap “We are fine” if you are.")
        messages.warning(request, said)
        return redirect("today")
    if reasons := scheduling.hold_blockers(check.visit):
        messages.warning(request, " ".join([_("Good that you are out."), *reasons]))
        return redirect("today")
    messages.success(request, _("Good that you are out. Now log it while it is fresh."))
    return redirect("visit_log", pk)


@post_only("visit_detail")
@requires(Can.LOG)
@once
def safety_longer(request: Request, pk: int) -> HttpResponse:
    get_object_or_404(_mine(request), pk=pk)
    form = LongerForm(request.POST)
    if form.is_valid():
        minutes, seen = form.cleaned_data["minutes"], form.cleaned_data["seen"]
        check = _tap(request, pk, safety.longer, minutes=minutes, seen=seen)
        if check:
            until = wording.time(check.expected_end, request.program)
            messages.success(request, _("You are expected back by %(time)s.") % {"time": until})
    return redirect("today")


@requires(Can.LOG)
@once
def safety_help(request: Request, pk: int) -> HttpResponse:
    """What to do in need; asking tells the school's contact and the program at once."""
    visit = get_object_or_404(_mine(request).select_related("school", "safety_check"), pk=pk)
    if request.method == "POST":
        _tap(request, pk, safety.ask_help)
        return redirect("safety_help", pk)
    return render(
        request,
        "visits/safety_help.html",
        {
            "visit": visit,
            "school": visit.school,
            "check": visit.safety,
            "contact_hears": bool(safety_messages.reached([visit.school])),
        },
    )


@post_only("visit_detail")
@requires(Can.LOG)
@once
def safety_well(request: Request, pk: int) -> HttpResponse:
    if _tap(request, pk, safety.we_are_fine):
        messages.success(request, _("Good. Everybody who had been told hears that you are well."))
    return redirect("today")


@post_only("desk")
@requires(Can.SEE_DESK)
def safety_reached(request: Request, pk: int) -> HttpResponse:
    visits = Visit.objects.open_to(request.user, Can.SEE_DESK)
    safety.all_well(get_object_or_404(visits, pk=pk), by=request.user)
    messages.success(request, _("Noted. Everybody who had been told hears that they are well."))
    return redirect("desk")


@require_safe
@requires(Can.SEE_VISITS)
def safety_hotline(request: Request) -> HttpResponse:
    """The program's words, and nothing kept: not that somebody looked, nor about which visit."""
    paragraphs = [one for one in request.program.hotline.splitlines() if one.strip()]
    return render(request, "visits/safety_hotline.html", {"hotline": paragraphs})


def _mine(request: Request):
    return Visit.objects.open_to(request.user, Can.LOG)


def _tap(
    request: Request, pk: int, action: Callable[..., SafetyCheck | None], **facts
) -> SafetyCheck | None:
    """Do it, or say why not."""
    visit = get_object_or_404(_mine(request), pk=pk)
    try:
        return action(visit, by=request.user, **facts)
    except NotReady as blocked:
        if key_of(request):
            raise  # `once` answers it, and uses up no key
        messages.error(request, str(blocked))
        return None
