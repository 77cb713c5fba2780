"""One's own training: what one holds, where one goes, and what one could join."""

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pthv import clock
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import Educator
from pthv.requests import Request, post_only
from training import certification, enrolment, feedback, requirements
from training.models import Certification, Cohort, CohortMember, TrainingSession

MOST_SHOWN = 20


def _me(request: Request) -> Educator:
    mine = Educator.objects.filter(pk__in=request.user.reach(Can.SEE_OWN_TRAINING).educators)
    return get_object_or_404(mine.select_related("user", "program"))


@require_safe
@requires(Can.SEE_OWN_TRAINING)
def own_training(request: Request) -> HttpResponse:
    return _page(request, _me(request))


def _page(
    request: Request, me: Educator, *, sentences: list[str] | None = None, status: int = 200
) -> HttpResponse:
    members = CohortMember.objects.there().filter(educator=me)
    going = members.filter(cohort__completed_at=None) | members.filter(certifications=None)
    going = list(
        going.distinct()
        .select_related("cohort__course", "cohort__school")
        .prefetch_related("cohort__sessions")
        .order_by("-joined_at")[:MOST_SHOWN]
    )
    lacking = requirements.lacking(CohortMember.objects.filter(pk__in=[m.pk for m in going]))
    today = request.program.today
    held = Certification.objects.filter(educator=me).select_related("course")
    return render(
        request,
        "training/own_training.html",
        {
            "standing": certification.standings([me], on=today)[me.pk],
            "held": held[:MOST_SHOWN],
            "going": [(member, lacking.get(member.pk, [])) for member in going],
            "to_answer": feedback.waiting_for(me),
            "open": _open_to(me, request)[:MOST_SHOWN],
            "today": today,
            "sentences": sentences or [],
        },
        status=status,
    )


def _open_to(me: Educator, request: Request):
    """Cohorts that this educator could join, the next to begin first."""
    schools = request.user.reach(Can.SEE_OWN_TRAINING).own_schools
    there = CohortMember.objects.there().filter(educator=me, cohort=OuterRef("pk"))
    begun = TrainingSession.objects.standing().filter(
        cohort=OuterRef("pk"), starts_at__lte=clock.now()
    )
    return (
        Cohort.objects.filter(
            Q(school=None) | Q(school__in=schools), ~Exists(there), ~Exists(begun)
        )
        .filter(open_for_sign_up=True, completed_at=None)
        .with_sessions_in_brief()
        .filter(session_count__gt=0)
        .select_related("course", "school")
        .prefetch_related("sessions")
        .order_by("first_starts_at", "pk")
    )


@post_only("own_training")
@requires(Can.SEE_OWN_TRAINING)
def own_sign_up(request: Request, pk: int) -> HttpResponse:
    """Take a place in an open cohort, or the last one on its waiting list."""
    me = _me(request)
    cohort = get_object_or_404(Cohort.objects.filter(open_for_sign_up=True), pk=pk)
    try:
        member = enrolment.sign_up(cohort, me, by=request.user)
    except NotReady as blocked:
        return _page(request, me, sentences=blocked.sentences, status=409)
    if member.state == CohortMember.State.WAITING:
        said = _(
            "It is full. You are on the waiting list, and get a message when you have a place."
        )
    else:
        said = _("You have a place. The sessions come to your e-mail for your calendar.")
    messages.success(request, said)
    return redirect("own_training")


@post_only("own_training")
@requires(Can.SEE_OWN_TRAINING)
def own_leave(request: Request, pk: int) -> HttpResponse:
    """Give up one's place, or the wait for one."""
    me = _me(request)
    member = get_object_or_404(CohortMember.objects.filter(educator=me), pk=pk)
    try:
        enrolment.withdraw(member, by=request.user)
    except NotReady as blocked:
        return _page(request, me, sentences=blocked.sentences, status=409)
    messages.success(request, _("You gave up your place. Somebody else may be glad of it."))
    return redirect("own_training")
