"""Training as files. Each is a POST, since who took it is kept."""

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404

from pthv import exports
from pthv.access import Can, requires
from pthv.requests import Request, post_only
from training import exports as training_exports
from training.models import Cohort, CohortMember
from training.views.certification import chosen


@post_only("certification_list")
@requires(Can.SEE_TRAINING)
def certification_csv(request: Request) -> HttpResponseBase:
    """The list as it is narrowed."""
    found, filters = chosen(request)
    rows = training_exports.educators(found, request.program, by=request.user, filters=filters)
    return exports.csv_response(f"educators-{request.program.slug}.csv", rows)


@post_only("cohort_detail")
@requires(Can.SEE_TRAINING)
def cohort_csv(request: Request, pk: int) -> HttpResponseBase:
    """Everybody who is or was in a cohort, and what they came to."""
    cohorts = Cohort.objects.open_to(request.user, Can.SEE_TRAINING)
    cohort = get_object_or_404(cohorts.select_related("program"), pk=pk)
    members = CohortMember.objects.filter(cohort=cohort).open_to(request.user, Can.SEE_TRAINING)
    rows = training_exports.members(cohort, members, by=request.user)
    return exports.csv_response(f"cohort-{cohort.pk}.csv", rows)
