"""The rota of interpreters, and what visits ask of it."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pthv import clock, languages
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.paging import paged
from pthv.requests import Request, post_only
from visits import interpreter_asks, interpreting, rota
from visits.forms.interpreting import AnswerForm, InterpreterForm, MyInterpretingForm
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

SEE, RUN = Can.SEE_INTERPRETERS, Can.RUN_INTERPRETERS
NAMED = ("interpreter__given_name", "interpreter__family_name")
SHOWN = ("language", "during", "state", "hourly_rate", "visit__school__name", *NAMED)


@require_safe
@requires(SEE)
def interpreter_list(request: Request) -> HttpResponse:
    """By language, who is asked first; those who may not be asked stand last."""
    standing = Interpreter.objects.open_to(request.user, SEE).filter(ended_on=None)
    people = list(standing.order_by("position", "pk"))
    tags = sorted({tag for one in people for tag in one.languages}, key=languages.name)
    by_language = [(tag, [one for one in people if tag in one.languages]) for tag in tags]
    return render(
        request,
        "visits/interpreter_list.html",
        {"by_language": by_language, "may_run": RUN in request.powers},
    )


@requires(RUN)
def interpreter_new(request: Request) -> HttpResponse:
    return _edit(request, None)


@requires(RUN)
def interpreter_edit(request: Request, pk: int) -> HttpResponse:
    return _edit(request, _interpreter(request, pk))


def _edit(request: Request, row: Interpreter | None) -> HttpResponse:
    region = request.program.phone_region
    form = InterpreterForm(request.POST or None, region=region, row=row)
    status, like_a_student = 422 if form.is_bound else 200, False
    if form.is_bound and form.is_valid():
        like_a_student = rota.called_like_a_student(form.facts)
        said = {"by": request.user, "namesake": form.cleaned_data["namesake"]}
        try:
            if row is None:
                rota.add(request.program, form.facts, **said)
            else:
                rota.change(row, form.facts, **said)
        except NotReady as refused:
            form.add_error(None, refused.sentences)
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("interpreter_list")
    context = {"form": form, "row": row, "like_a_student": like_a_student}
    return render(request, "visits/interpreter_edit.html", context, status=status)


@post_only("interpreter_edit")
@requires(RUN)
def interpreter_end(request: Request, pk: int) -> HttpResponse:
    interpreter = _interpreter(request, pk)
    rota.end(interpreter, by=request.user)
    messages.success(request, _("%(name)s is not asked any more.") % {"name": interpreter})
    return redirect("interpreter_list")


@post_only("interpreter_edit")
@requires(RUN)
def interpreter_move(request: Request, pk: int) -> HttpResponse:
    """One place up or down in a language, by a button."""
    language, up = request.POST.get("language", ""), request.POST.get("way") == "up"
    try:
        rota.move(_interpreter(request, pk), language, up=up, by=request.user)
    except NotReady as refused:
        messages.error(request, str(refused))
    return redirect("interpreter_list")


@requires(Can.SET_AVAILABILITY)
def interpreting_mine(request: Request) -> HttpResponse:
    """Whether one may be asked to interpret, too: only one's own say."""
    educator = request.user.educators.filter(program=request.program).first()
    if educator is None:
        raise Http404
    mine = Interpreter.objects.filter(educator=educator, ended_on=None).first()
    spoken = mine.languages if mine else [tag for tag in educator.languages if tag != "en"]
    initial = {"willing": bool(mine and mine.willing), "languages": spoken}
    # A tick that was taken away, and an empty field, post as good as nothing.
    posted = request.POST if request.method == "POST" else None
    form = MyInterpretingForm(posted, initial=initial)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            rota.be_asked(educator, by=request.user, **form.cleaned_data)
        except NotReady as refused:
            form.add_error("languages", refused.sentences)
            status = 409
        else:
            messages.success(request, _("Saved."))
            return redirect("interpreting_mine")
    context = {"form": form, "mine": mine}
    return render(request, "visits/interpreting_mine.html", context, status=status)


@require_safe
@requires(SEE)
def interpreter_request_list(request: Request) -> HttpResponse:
    """What visits ask for: nobody can first, then those that wait, each the soonest first."""
    found = InterpreterRequest.objects.open_to(request.user, SEE)
    show = request.GET.get("show", "")
    if show == "ended":
        found = found.exclude(state__in=InterpreterRequest.STANDING)
        page = paged(found, request, shown=_for_list)
    elif show == "done":
        found = found.filter(state=InterpreterRequest.State.COVERED)
        found = found.filter(during__endswith__lt=clock.now())
        page = paged(found, request, shown=_for_list)
    else:
        found = found.standing().filter(during__startswith__gt=clock.now())
        page = paged(found.by_need(), request, by="need", descending=False, shown=_for_list)
    return render(
        request,
        "visits/interpreter_request_list.html",
        {"page": page, "show": show, "rows": [(one, interpreting.cost(one)) for one in page]},
    )


def _for_list(found: Any) -> QuerySet[InterpreterRequest]:
    """With where it is, who comes, and who is asked at the moment."""
    waiting = InterpreterAsk.objects.filter(answer=InterpreterAsk.Answer.WAITING)
    asks = waiting.select_related("interpreter").only("request", "asked_at", *NAMED)
    shown = found.by_need().select_related("visit__school", "interpreter").only(*SHOWN)
    return shown.prefetch_related(Prefetch("asks", asks, to_attr="waiting"))


@require_safe
@requires(SEE)
def interpreter_request_detail(request: Request, pk: int) -> HttpResponse:
    """Who was asked and what they said, who was not and why, and what one can do."""
    asked = _request(request, pk)
    visit = asked.visit
    open_ = asked.state in InterpreterRequest.OPEN and visit.during.lower > clock.now()
    standing = asked.state in InterpreterRequest.STANDING and visit.during.lower > clock.now()
    asks = list(asked.asks.select_related("interpreter"))
    not_asked = interpreter_asks.why_not(asked, visit) if standing else []
    waiting = next((one for one in asks if one.answer == InterpreterAsk.Answer.WAITING), None)
    return render(
        request,
        "visits/interpreter_request_detail.html",
        {
            "asked": asked,
            "visit": visit,
            "asks": asks,
            "open": open_,
            "standing": standing,
            "waits_until": interpreter_asks.waits_until(waiting, visit) if waiting else None,
            "not_asked": not_asked,
            # Whoever is waited for first; then whoever was asked, and whoever could be.
            "people": [
                *(one.interpreter for one in sorted(asks, key=lambda one: one != waiting)),
                *(one for one, _why in not_asked),
            ],
            "cost": interpreting.cost(asked),
            "late": standing and interpreting.is_late(asked, visit),
        },
    )


@post_only("interpreter_request_detail")
@requires(SEE)
def interpreter_request_answer(request: Request, pk: int) -> HttpResponse:
    """Note what somebody said on the phone."""
    asked = _request(request, pk)
    form = AnswerForm(request.POST, request=asked)
    if not form.is_valid():
        messages.error(request, _("Choose who it was, and what they said."))
        return redirect("interpreter_request_detail", pk)
    note = interpreting.cover if form.cleaned_data["answer"] == "yes" else interpreting.turn_down
    try:
        note(asked, form.cleaned_data["interpreter"], by=request.user)
    except NotReady as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Noted."))
    return redirect("interpreter_request_detail", pk)


@post_only("interpreter_request_detail")
@requires(SEE)
def interpreter_request_next(request: Request, pk: int) -> HttpResponse:
    """Wait no longer: ask the next."""
    try:
        ask = interpreter_asks.ask_next(_request(request, pk))
    except NotReady as refused:
        messages.error(request, str(refused))
    else:
        if ask is None:
            messages.warning(request, _("Nobody on the rota is left to be asked."))
        else:
            messages.success(request, _("%(name)s is asked now.") % {"name": ask.interpreter})
    return redirect("interpreter_request_detail", pk)


@post_only("interpreter_request_detail")
@requires(SEE)
def interpreter_request_end(request: Request, pk: int) -> HttpResponse:
    """No interpreter is needed after all."""
    try:
        interpreting.call_off(_request(request, pk), by=request.user)
    except NotReady as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("Recorded. Whoever was asked is told."))
    return redirect("interpreter_request_detail", pk)


@post_only("visit_detail")
@requires(Can.SCHEDULE)
def visit_interpret(request: Request, pk: int) -> HttpResponse:
    """Ask for an interpreter at a visit that has a time already."""
    visit = get_object_or_404(Visit.objects.open_to(request.user, Can.SCHEDULE), pk=pk)
    try:
        interpreting.request_for(visit, visit.family.language, by=request.user)
    except NotReady as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("An interpreter is asked. You hear who comes."))
    return redirect("visit_detail", pk)


def _interpreter(request: Request, pk: int) -> Interpreter:
    found = Interpreter.objects.open_to(request.user, RUN).filter(ended_on=None)
    return get_object_or_404(found.select_related("program"), pk=pk)


def _request(request: Request, pk: int) -> InterpreterRequest:
    found = InterpreterRequest.objects.open_to(request.user, SEE)
    joined = found.select_related("interpreter", "visit__school__program", "visit__family")
    asked = get_object_or_404(joined, pk=pk)
    asked.visit.program = request.program
    return asked
