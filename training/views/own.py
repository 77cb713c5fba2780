"""One's own training: what one holds, where one goes, and what one could join."""

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, prefetch_related_objects
from django.http import Http404, HttpResponse
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
from training.models import Certification, Cohort, CohortMember, Grant, TrainingSession

MOST_SHOWN = 20


def _mine(request: Request) -> int:
    """The id of one's own educator row."""
    mine = request.user.reach(Can.SEE_OWN_TRAINING).educators
    if not mine:
        raise Http404
    return next(iter(mine))


def _me(request: Request) -> Educator:
    return Educator.objects.select_related("user", "program").get(pk=_mine(request))


@require_safe
@requires(Can.SEE_OWN_TRAINING)
def own_training(request: Request) -> HttpResponse:
    return _page(request)


def _page(
    request: Request, *, sentences: list[str] | None = None, status: int = 200
) -> HttpResponse:
    me, today = _mine(request), request.program.today
    going, could_join = list(_going(me)), list(_open_to(me, request))
    prefetch_related_objects([*(member.cohort for member in going), *could_join], "sessions")
    held = list(Certification.objects.filter(educator=me).select_related("course")[:MOST_SHOWN])
    for_visits = [one for one in held if one.course.grants == Grant.VISITS]
    lacking = _lacking(going)
    return render(
        request,
        "training/own_training.html",
        {
            "standing": certification.standing_of(for_visits, on=today),
            "held": held,
            "going": [(member, lacking.get(member.pk, [])) for member in going],
            "to_answer": feedback.waiting_for(me),
            "open": could_join,
            "today": today,
            "sentences": sentences or [],
        },
        status=status,
    )


def _going(me: int) -> QuerySet[CohortMember]:
    """Where somebody takes part or waits, and isn't certified yet."""
    members = CohortMember.objects.there().filter(educator=me)
    unfinished = members.filter(Q(cohort__completed_at=None) | Q(certifications=None))
    return unfinished.select_related("cohort__course").order_by("-joined_at")[:MOST_SHOWN]


def _lacking(going: list[CohortMember]) -> dict[int, list[str]]:
    """What somebody still needs, of cohorts that have begun: before, it is everything."""
    now = clock.now()
    begun = [
        member.pk
        for member in going
        if member.state == CohortMember.State.ENROLLED
        and any(session.starts_at <= now for session in member.cohort.sessions.all())
    ]
    return requirements.lacking(CohortMember.objects.filter(pk__in=begun)) if begun else {}


def _open_to(me: int, request: Request) -> QuerySet[Cohort]:
    """Cohorts that this educator could join, the next to begin first."""
    schools = request.user.reach(Can.SEE_OWN_TRAINING).own_schools
    there = CohortMember.objects.there().filter(educator=me, cohort=OuterRef("pk"))
    sessions = TrainingSession.objects.standing().filter(cohort=OuterRef("pk"))
    first = sessions.order_by("starts_at").values("starts_at")[:1]
    return (
        Cohort.objects.filter(Q(school=None) | Q(school__in=schools), ~Exists(there))
        .filter(open_for_sign_up=True, completed_at=None)
        # None of its sessions has begun, and there is one.
        .annotate(first_starts_at=Subquery(first))
        .filter(first_starts_at__gt=clock.now())
        .select_related("course", "school")
        .order_by("first_starts_at", "pk")[:MOST_SHOWN]
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
        return _page(request, sentences=blocked.sentences, status=409)
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
    mine = CohortMember.objects.filter(educator=_mine(request))
    member = get_object_or_404(mine, pk=pk)
    waited = member.state == CohortMember.State.WAITING
    try:
        enrolment.withdraw(member, by=request.user)
    except NotReady as blocked:
        return _page(request, sentences=blocked.sentences, status=409)
    said = (
        _("You left the list.")
        if waited
        else _("You gave up your place. Somebody else may be glad of it.")
    )
    messages.success(request, said)
    return redirect("own_training")
