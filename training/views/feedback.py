"""Saying how a training was, and reading what all said of it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from pthv.access import Can, requires
from pthv.blocked import NotReady
from pthv.htmx import render
from pthv.requests import Request
from training import feedback
from training.forms.feedback import FeedbackForm
from training.models import Cohort, FeedbackRequest


@requires(Can.SEE_OWN_TRAINING)
def feedback_give(request: Request, pk: int) -> HttpResponse:
    """The survey of one person; once it is answered, a word of thanks."""
    mine = FeedbackRequest.objects.open_to(request.user, Can.SEE_OWN_TRAINING)
    asked = get_object_or_404(mine.select_related("member__cohort__course", "program"), pk=pk)
    form = FeedbackForm(request.POST or None)
    status = 422 if request.method == "POST" else 200
    sentences: list[str] = []
    if form.is_bound and form.is_valid():
        try:
            feedback.answer(asked, scores=form.scores, comment=form.cleaned_data["comment"])
        except NotReady as closed:
            sentences, status = closed.sentences, 409
        else:
            return redirect("feedback_give", pk)
    context = {
        "form": form,
        "asked": asked,
        "last_day": feedback.last_day(asked),
        "closed": request.program.today > feedback.last_day(asked),
        "sentences": sentences,
    }
    return render(request, "training/feedback_give.html", context, status=status)


@require_safe
@requires(Can.SEE_TRAINING)
def cohort_feedback(request: Request, pk: int) -> HttpResponse:
    """What a cohort said, where enough of them did."""
    cohorts = Cohort.objects.open_to(request.user, Can.SEE_TRAINING)
    cohort = get_object_or_404(cohorts.select_related("course", "program"), pk=pk)
    context = {
        "cohort": cohort,
        "waves": feedback.results(cohort),
        "minimum": cohort.program.minimum_cell,
    }
    return render(request, "training/cohort_feedback.html", context)
