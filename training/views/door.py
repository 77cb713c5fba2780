"""Signing in at the door: the tablet's page, the phone's, and the coordinator's yes or no."""

from typing import Any

import segno
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django_scopes import scope

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import Educator, School
from pthv.requests import Request, id_of, post_only
from training import door
from training.forms.door import NumberForm, SignInForm
from training.models import Attendance, Cohort, DoorSignIn, TrainingSession


@require_safe
@requires(Can.RUN_TRAINING)
def session_door(request: Request, pk: int) -> HttpResponse:
    """A page for a tablet at the door; every few seconds it asks for another code."""
    cohorts = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    session = get_object_or_404(
        TrainingSession.objects.filter(cohort__in=cohorts).select_related(
            "cohort__course", "cohort__program"
        ),
        pk=pk,
    )
    blocked = door.blockers(session)
    url = ""
    if not blocked:
        path = reverse("door_sign_in", args=[door.code(session)])
        url = request.build_absolute_uri(path)
    people = Attendance.objects.filter(session=session)
    context = {
        "session": session,
        "blocked": blocked,
        "url": url,
        "picture": _picture(url) if url else "",
        "number": "" if blocked else door.number(session),
        "expected": people.count(),
        "here": people.filter(state=Attendance.State.ATTENDED).count(),
    }
    return render(request, "training/session_door.html", context, partial="door-code")


def _picture(url: str) -> SafeString:
    """A QR code as SVG, which a page's own style may size."""
    drawn = segno.make(url, error="m", micro=False).svg_inline(omitsize=True)
    return mark_safe(drawn)  # noqa: S308 - drawn by a library from an address of ours


@never_cache
@login_not_required
@sensitive_post_parameters("name", "email")
@require_http_methods(["GET", "HEAD", "POST"])
def door_sign_in(request: Request, token: str) -> HttpResponse:
    """What a phone shows that scanned the code; pressing the button signs in, looking doesn't."""
    try:
        code = door.read(token, door.TYPING if request.method == "POST" else door.LASTS)
    except NotReady as refused:
        return _sheet(request, {"sentences": refused.sentences}, 409)
    program = code.session.program
    with scope(program=program), timezone.override(program.zone):
        educator = door.educator_of(request.user, code.session)
        kind = NumberForm if educator else SignInForm
        form = kind(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            return _signed(request, code, educator, form)
        context = {"session": code.session, "educator": educator, "form": form}
        return _sheet(request, context, 422 if form.is_bound else 200)


def _signed(
    request: Request, code: door.Code, educator: Educator | None, form: NumberForm
) -> HttpResponse:
    """What the button leads to. Only what signs somebody in is counted: whoever repeats
    themselves takes nothing from the others behind a school's one address."""
    limited: dict[str, Any] = {"action": "door_sign_in"}
    if educator:
        limited = {"action": "door_sign_in_account", "user": educator.user}
    used = door.is_used(code)
    if not used and not ratelimit.consume(request, **limited, dry_run=True):
        sentence = _("Too many people signed in from here at once. Try again in a minute.")
        return _sheet(request, {"sentences": [sentence]}, 429)
    typed, who = form.cleaned_data.pop("number"), form.cleaned_data
    context: dict[str, Any] = {"session": code.session, "educator": educator, "form": form}
    try:
        signed = door.sign_in(code, typed, educator=educator, **who)
    except door.Earlier as earlier:
        form.add_error("number", earlier.sentences)
        return _sheet(request, context, 422)
    except NotReady as refused:
        return _sheet(request, {"sentences": refused.sentences}, 409)
    if not used:
        ratelimit.consume(request, **limited)
    if signed.state == DoorSignIn.State.REFUSED:
        sentence = _("The screen didn't show that number. Scan the code there now and try again.")
        return _sheet(request, {"sentences": [sentence]}, 409)
    return _sheet(request, {**context, "signed": signed})


def _sheet(request: Request, context: dict, status: int = 200) -> HttpResponse:
    return render(request, "training/door_sign_in.html", context, status=status)


@post_only("cohort_list")
@requires(Can.RUN_TRAINING)
def door_confirm(request: Request, pk: int) -> HttpResponse:
    signed = _of_theirs(request, pk)
    school = School.objects.open_to(request.user, Can.RUN_TRAINING).filter(
        pk=id_of(request.POST.get("school", "")) or 0
    )
    try:
        signed = door.confirm(signed, by=request.user, school=school.first())
    except NotReady as refused:
        for sentence in refused.sentences:
            messages.error(request, sentence)
    else:
        if signed.state == DoorSignIn.State.RECORDED:
            # Whose attendance it is, whatever was typed.
            messages.success(request, _("%(name)s is here.") % {"name": signed.educator})
        else:
            messages.error(request, _("You said before that they aren't here."))
    return redirect("cohort_detail", signed.session.cohort_id)


@post_only("cohort_list")
@requires(Can.RUN_TRAINING)
def door_refuse(request: Request, pk: int) -> HttpResponse:
    signed = _of_theirs(request, pk)
    try:
        signed = door.refuse(signed, by=request.user)
    except NotReady as refused:
        messages.error(request, str(refused))
    else:
        name = {"name": signed.educator or signed.name}
        messages.success(request, _("%(name)s is not recorded.") % name)
    return redirect("cohort_detail", signed.session.cohort_id)


def _of_theirs(request: Request, pk: int) -> DoorSignIn:
    cohorts = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    signed = DoorSignIn.objects.filter(session__cohort__in=cohorts).select_related("session")
    return get_object_or_404(signed, pk=pk)
