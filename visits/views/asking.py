"""Asking on one page: who hasn't been asked, who waits for us, which contacts are dead."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from families.models import Caregiver, Student, adults
from pthv import audit
from pthv.access import Can, requires
from pthv.models import School
from pthv.requests import Request, id_of
from visits import families
from visits.models import Invitation
from visits.models.invitation import has_said_no
from visits.reports import asking as report
from visits.reports import coverage

SHOWN = 5
# What the page shows of whoever asks, and of a caregiver.
ASKERS = [f"educator__user__{name}" for name in ("given_name", "family_name", "email")]
CONTACTS = ["given_name", "family_name", "preferred_name", "display_name"]
CONTACTS += ["phone", "email", "dead_phone", "dead_email"]


@requires(Can.SEE_DESK)
def asking(request: Request) -> HttpResponse:
    """The funnel by school, and of one school by class and plan; where nobody is asked first."""
    today = request.program.today
    schools = coverage.by_school(School.objects.open_to(request.user, Can.SEE_DESK), on=today)
    schools.sort(key=lambda row: (row.asked / (row.enrolled or 1), -row.enrolled, row.name))
    chosen = _chosen(request, schools)
    waiting, dead = _waiting(request, chosen), _dead(request, chosen)
    looked_at = [*(one.family for one in waiting), *(person.family for person in dead)]
    audit.listed(looked_at, by=request.user, reason=Can.SEE_DESK)
    return render(
        request,
        "visits/asking.html",
        {
            "schools": schools,
            "total": coverage.total(schools),
            "chosen": chosen,
            "classes": report.by_class(chosen, on=today) if chosen else [],
            "plans": report.by_plan(chosen, on=today) if chosen else [],
            "today": today,
            "waiting": waiting,
            "dead": dead,
            "may_plan": Can.PLAN in request.powers,
        },
    )


def _chosen(request: Request, schools: list[coverage.SchoolCoverage]) -> School | None:
    """The school that the address names, or the only one there is."""
    wanted = id_of(request.GET.get("school", ""))
    found = [row for row in schools if row.school_id == wanted or len(schools) == 1]
    return School(pk=found[0].school_id, name=found[0].name) if found else None


def _waiting(request: Request, school: School | None) -> list[Invitation]:
    """Whoever wants a call, or whose caregivers differ; the longest waiting first."""
    found: QuerySet[Invitation] = Invitation.objects.open_to(request.user, Can.SEE_DESK)
    rows = found.waiting_for_us().order_by("pk")
    rows = (rows.filter(school=school) if school else rows).prefetch_related(adults("family__"))
    shown = rows.select_related("family", "school", "educator__user").only(
        "call_wanted_at", "family__program", "family__surnames", "school__name", *ASKERS
    )
    return list(shown[: SHOWN + 1])


def _dead(request: Request, school: School | None) -> list[Any]:
    """Caregivers whom no phone or e-mail of theirs reaches; of families that said no, nobody."""
    theirs = families.open_to(request.user, Can.SEE_DESK).exclude(has_said_no())
    if school:
        theirs = theirs.filter(Exists(Student.objects.filter(family=OuterRef("pk"), school=school)))
    people = Caregiver.objects.with_dead_ends().filter(family__in=theirs.values("pk"))
    shown = people.select_related("family").only("family__program", "family__surnames", *CONTACTS)
    return list(shown.order_by("pk")[: SHOWN + 1])
