"""The attendance grid of a cohort, a cell of it, and whoever makes up a session here."""

import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Subquery, Window
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from pthv import clock
from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.models import Change, Educator, School
from pthv.models.people import full_name
from pthv.paging import paged
from pthv.requests import Request, id_of, post_only
from training import attendance
from training.models import Attendance, Cohort, DoorSignIn, TrainingSession

CELLS = 100  # of the attendance grid on one page
STATES = [Attendance.State.ATTENDED, Attendance.State.PARTIAL, Attendance.State.ABSENT]
UNDO_OFFERED = datetime.timedelta(minutes=10)
MOST_GUESTS = 100
CAME_IN = datetime.timedelta(hours=12)
LAST_FEW = 10


def grid(request: Request, cohort: Cohort, sessions: list[TrainingSession]) -> dict[str, Any]:
    """What attendance_grid.html shows: a row for each educator, a cell for each session."""
    educators = Educator.objects.open_to(request.user, Can.SEE_TRAINING).by_name()
    page = paged(
        educators.filter(pk__in=Attendance.objects.of(cohort).values("educator")),
        request,
        by="sort_name",
        descending=False,
        size=max(5, CELLS // max(1, len(sessions))),
    )
    may_run = Can.RUN_TRAINING in request.powers
    today = request.program.today
    days = {session.pk: timezone.localtime(session.starts_at).date() for session in sessions}
    at_the_door = _at_the_door(cohort) if may_run else []
    new = not cohort.school_id and not all(known for _signed, known in at_the_door)
    ahead = {pk for pk, day in days.items() if day > today}
    return {
        "sessions": sessions,
        "current": _current(sessions, days, today),
        "planned": [
            (session, days[session.pk] == today, session.pk in ahead) for session in sessions
        ],
        "may_plan": may_run,
        "page": page,
        "grid": _rows(cohort, sessions, page.rows, ahead),
        "states": STATES,
        "may_record": attendance.still_open(cohort, sessions) if may_run else set(),
        "undo": _undo(request, cohort) if may_run else None,
        "at_the_door": at_the_door,
        "came_in": _came_in(cohort) if may_run else [],
        "schools": School.objects.open_to(request.user, Can.RUN_TRAINING)[:100] if new else [],
        "query": f"?{request.GET.urlencode()}" if request.GET else "",
    }


def _current(
    sessions: list[TrainingSession], days: dict[int, datetime.date], today: datetime.date
) -> TrainingSession | None:
    """Today's session, or the next, or the last: the one that somebody opens the page for."""
    coming = (session for session in sessions if days[session.pk] >= today)
    return next(coming, sessions[-1] if sessions else None)


def _rows(
    cohort: Cohort,
    sessions: list[TrainingSession],
    educators: list[Educator],
    ahead: set[int],
) -> list[dict[str, Any]]:
    """A row for each educator: their attendance of each session, None where none is expected,
    and whether the session's day is still ahead; and as which cohort's member they come."""
    rows = Attendance.objects.filter(session__in=sessions, educator__in=educators)
    found = {
        (row.educator_id, row.session_id): row for row in rows.select_related("member__cohort")
    }
    members = {row.educator_id: row.member for row in found.values()}
    return [
        {
            "educator": educator,
            "member": members[educator.pk],
            "cells": [
                (session, found.get((educator.pk, session.pk)), session.pk in ahead)
                for session in sessions
            ],
        }
        for educator in educators
    ]


def _undo(request: Request, cohort: Cohort) -> Change | None:
    """What was just done here for everybody, while it is on somebody's mind."""
    pk = id_of(request.GET.get("undo", ""))
    if not pk:
        return None
    change = Change.objects.filter(
        pk=pk,
        what=attendance.EVERYBODY,
        undone_at=None,
        made_at__gt=clock.now() - UNDO_OFFERED,
    ).first()
    session = attendance.session_of(change) if change else None
    return change if session and session.cohort_id == cohort.pk else None


def _at_the_door(cohort: Cohort) -> list[tuple[DoorSignIn, bool]]:
    """Who waits to be confirmed, and whether they are known; nobody is there twice.

    Each has the name of the account with the address that they typed, as `account`.
    """
    waiting = DoorSignIn.objects.filter(session__cohort=cohort, state=DoorSignIn.State.WAITING)
    known = Educator.objects.staying().filter(user__email=OuterRef("email"))
    held = Educator.objects.filter(user__email=OuterRef("email")).annotate(
        full_name=full_name("user__")
    )
    found = waiting.select_related("session").annotate(
        known=Exists(known), account=Subquery(held.values("full_name")[:1])
    )
    people = {
        (signed.session_id, signed.email): (signed, signed.known)
        for signed in found.order_by("-pk")[:100]
    }
    return list(reversed(people.values()))


def _came_in(cohort: Cohort) -> list[DoorSignIn]:
    """The last few whom the door recorded today, each with how many they were: whoever isn't
    in the room is seen."""
    since = clock.now() - CAME_IN
    recorded = DoorSignIn.objects.filter(
        session__cohort=cohort, state=DoorSignIn.State.RECORDED, signed_in_at__gt=since
    )
    found = recorded.select_related("educator__user").annotate(of_all=Window(Count("educator")))
    return list(found.order_by("-pk")[:LAST_FEW])


@require_POST
@requires(Can.RUN_TRAINING)
def attendance_record(request: Request, pk: int) -> HttpResponse:
    """Somebody came or didn't; answers with the one cell, or with the page without JavaScript."""
    open_to_them = Attendance.objects.open_to(request.user, Can.RUN_TRAINING)
    found = get_object_or_404(
        open_to_them.select_related("educator__user", "session__cohort"), pk=pk
    )
    state, minutes = request.POST.get("state", ""), id_of(request.POST.get("minutes", ""))
    said = "" if state in Attendance.State else _("Choose came, part or absent.")
    if not said:
        try:
            recorded = attendance.attend(found, state, minutes=minutes, by=request.user)
            found.state, found.minutes = recorded.state, recorded.minutes
        except NotReady as blocked:
            said = str(blocked)
    if request.htmx:
        context = {
            "attendance": found,
            "session": found.session,
            "educator": found.educator,
            "states": STATES,
            "said": said,
        }
        status = 409 if said else 200
        return render(request, "training/attendance_record.html", context, status=status)
    if said:
        messages.error(request, said)
    page = reverse("cohort_detail", args=[found.session.cohort_id])
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(f"{page}{query}#educator-{found.educator_id}")


@post_only("cohort_list")
@requires(Can.RUN_TRAINING)
def attendance_everybody(request: Request, pk: int) -> HttpResponse:
    """All came to a session of whom nothing is recorded; the next page offers to undo it."""
    session = _session(request, pk)
    page = reverse("cohort_detail", args=[session.cohort_id])
    try:
        change = attendance.everybody_came(session, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
        return redirect(page)
    if change is None:
        messages.info(request, _("It is recorded of everybody already who came."))
        return redirect(page)
    return redirect(f"{page}?undo={change.pk}")


@post_only("cohort_list")
@requires(Can.RUN_TRAINING)
def attendance_undo(request: Request, pk: int) -> HttpResponse:
    """Take back that everybody came."""
    change = get_object_or_404(Change.objects.filter(what=attendance.EVERYBODY), pk=pk)
    session = attendance.session_of(change)
    if session:
        session = _session(request, session.pk)
    try:
        attendance.take_back(change, by=request.user)
    except NotReady as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, _("Undone. It is as it was before."))
    return redirect("cohort_detail", session.cohort_id) if session else redirect("cohort_list")


@requires(Can.RUN_TRAINING)
def attendance_guest(request: Request, pk: int) -> HttpResponse:
    """Let members of other cohorts make up their part at a session."""
    session = _session(request, pk)
    candidates = attendance.guests(session).select_related("educator__user", "cohort")
    if request.method == "POST":
        chosen = [id_of(text) or 0 for text in request.POST.getlist("members")[:MOST_GUESTS]]
        members = list(candidates.filter(pk__in=chosen))
        for member in members:
            attendance.add_guest(session, member, by=request.user)
        said = ngettext(
            "%(count)s guest is expected.", "%(count)s guests are expected.", len(members)
        )
        messages.success(request, said % {"count": len(members)})
        return redirect("cohort_detail", session.cohort_id)
    typed = request.GET.get("q", "").strip()
    named = Educator.objects.named(typed).values("pk")
    shown = list(
        candidates.filter(educator__in=named).order_by(
            "educator__user__family_name", "educator__user__given_name", "pk"
        )[: MOST_GUESTS + 1]
    )
    context = {
        "session": session,
        "candidates": shown[:MOST_GUESTS],
        "too_many": len(shown) > MOST_GUESTS,
        "typed": typed,
    }
    return render(request, "training/attendance_guest.html", context)


def _session(request: Request, pk: int) -> TrainingSession:
    cohorts = Cohort.objects.open_to(request.user, Can.RUN_TRAINING)
    standing = TrainingSession.objects.standing().filter(cohort__in=cohorts)
    return get_object_or_404(standing.select_related("cohort__course", "cohort__program"), pk=pk)
