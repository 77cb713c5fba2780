"""How a training was: asked of everybody who had a place, at its end and three months later.

Nobody can find out who said what:

- a `FeedbackRequest` says that somebody answered, a `Feedback` what was said; neither leads to the
  other, no answer has a time or an order, and none is audited;
- while people may answer nobody sees anything: whoever looked before and after a colleague's
  answer would know what was in it. What is shown later never changes again;
- and it is shown only if as many answered as the program's smallest group that is ever shown, or
  was when they were asked. Where so many were not even there, nobody is asked.
"""

import datetime
import random
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
)
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pthv import audit, clock, outbox, wording
from pthv.blocked import NotReady
from pthv.models import Educator, Program
from pthv.outbox import Letter
from training.models import Cohort, CohortMember, Feedback, FeedbackRequest, Wave

OPEN_FOR = datetime.timedelta(days=21)
LATER = datetime.timedelta(days=91)
# Its last day ends some time later, and a day may have 25 hours.
CLOSED_EVERYWHERE = OPEN_FOR + datetime.timedelta(days=2)
SCALE = {
    1: gettext_lazy("Strongly disagree"),
    2: gettext_lazy("Disagree"),
    3: gettext_lazy("Neither"),
    4: gettext_lazy("Agree"),
    5: gettext_lazy("Strongly agree"),
}
AGREEING = (4, 5)


class Statement(NamedTuple):
    """Something to agree with, 1 to 5, and how many did, in a sentence."""

    name: str
    text: Any
    sentence: Callable[[int, int], str]


def _ready(agree: int, answered: int) -> str:
    return ngettext(
        "%(agree)s of %(answered)s who answered feels ready to visit.",
        "%(agree)s of %(answered)s who answered feel ready to visit.",
        agree,
    ) % {"agree": agree, "answered": answered}


def _useful(agree: int, answered: int) -> str:
    return ngettext(
        "%(agree)s of %(answered)s can use what was taught.",
        "%(agree)s of %(answered)s can use what was taught.",
        agree,
    ) % {"agree": agree, "answered": answered}


def _recommend(agree: int, answered: int) -> str:
    return ngettext(
        "%(agree)s of %(answered)s would recommend the training to a colleague.",
        "%(agree)s of %(answered)s would recommend the training to a colleague.",
        agree,
    ) % {"agree": agree, "answered": answered}


STATEMENTS = (
    Statement("ready", gettext_lazy("I feel ready to visit a family."), _ready),
    Statement("useful", gettext_lazy("I can use what was taught."), _useful),
    Statement("recommend", gettext_lazy("I would recommend it to a colleague."), _recommend),
)


@transaction.atomic
def ask(cohort: Cohort, *, wave: str) -> int:
    """Ask everybody who has a place and still visits; once for each wave. Return how many."""
    # Whoever asks at the same time waits here, and then finds it done.
    cohort = Cohort.objects.locked(cohort)
    if FeedbackRequest.objects.filter(member__cohort=cohort, wave=wave).exists():
        return 0
    members = list(
        CohortMember.objects.enrolled()
        .filter(cohort=cohort, educator__in=Educator.objects.staying())
        .filter(educator__user__is_active=True)
        .select_related("educator__user")
        .order_by("pk")
    )
    minimum = cohort.program.minimum_cell
    if len(members) < minimum:
        return 0
    requests = FeedbackRequest.objects.bulk_create(
        FeedbackRequest(program=cohort.program, member=member, wave=wave, minimum=minimum)
        for member in members
    )
    letters = [_letter(request, cohort) for request in requests]
    outbox.queue_many(cohort.program, "feedback_asked", letters)
    audit.record("feedback.asked", cohort, by=None, wave=wave, asked=len(requests))
    return len(requests)


def _letter(request: FeedbackRequest, cohort: Cohort) -> Letter:
    context = {
        "cohort": cohort,
        "later": request.wave == Wave.LATER,
        "link": f"{settings.SITE_URL}{reverse('feedback_give', args=[request.pk])}",
        "until": last_day(request),
        "least": request.minimum,
    }
    return Letter(request.member.educator.user, context, str(request.pk))


def ask_later(program: Program) -> int:
    """Ask the cohorts anew whose end was three months ago; return how many people were asked."""
    asked = FeedbackRequest.objects.filter(member__cohort=OuterRef("pk"))
    due = Cohort.objects.filter(
        Exists(asked.filter(wave=Wave.END)),
        ~Exists(asked.filter(wave=Wave.LATER)),
        program=program,
        completed_at__lte=clock.now() - LATER,
    )
    return sum(ask(cohort, wave=Wave.LATER) for cohort in due.order_by("pk"))


def last_day(request: FeedbackRequest) -> datetime.date:
    """The last day on which it may be answered, where the program is."""
    return _closing_day(request.asked_at, request.program)


def _closing_day(asked_at: datetime.datetime, program: Program) -> datetime.date:
    return (asked_at + OPEN_FOR).astimezone(program.zone).date()


def waiting_for(educator: Educator | int) -> list[FeedbackRequest]:
    """What an educator (or the one with this id) was asked and may still answer."""
    recent = FeedbackRequest.objects.filter(
        member__educator=educator, answered=False, asked_at__gt=clock.now() - 2 * OPEN_FOR
    ).select_related("member__cohort", "program")
    return [one for one in recent if one.program.today <= last_day(one)]


@transaction.atomic
def answer(request: FeedbackRequest, *, scores: dict[str, int], comment: str = "") -> None:
    """Keep an answer apart from whose it is; a second tap changes nothing."""
    cohort = Cohort.objects.locked(request.member.cohort_id)
    request = FeedbackRequest.objects.select_related("program").get(pk=request.pk)
    if request.answered:
        return
    if request.program.today > last_day(request):
        day = wording.day(last_day(request), request.program.today)
        raise NotReady(
            _("Answers were taken until %(day)s. Thank you all the same.") % {"day": day}
        )
    # The database remembers which transaction wrote a row last, and keeps rows in the order in
    # which they came. So all are written: the answer stands out no more, nor does who gave it.
    FeedbackRequest.objects.filter(member__cohort=cohort, wave=request.wave).update(
        answered=ExpressionWrapper(Q(answered=True) | Q(pk=request.pk), BooleanField())
    )
    _shuffle_in(
        Feedback(
            program_id=cohort.program_id,
            cohort=cohort,
            wave=request.wave,
            comment=comment.strip(),
            **scores,
        )
    )


def _shuffle_in(answer: Feedback) -> None:
    """Keep it among the others, all written anew in a random order, with new keys."""
    earlier = Feedback.objects.filter(cohort=answer.cohort, wave=answer.wave)
    answers = [answer, *earlier]
    earlier.delete()
    for one in answers:
        one.pk = uuid.uuid4()
    random.SystemRandom().shuffle(answers)
    Feedback.objects.bulk_create(answers)


def of_closed_surveys(answers: QuerySet) -> QuerySet:
    """Those to which none will be added, wherever their program is."""
    survey = FeedbackRequest.objects.filter(
        member__cohort=OuterRef("cohort"),
        wave=OuterRef("wave"),
        asked_at__lt=clock.now() - CLOSED_EVERYWHERE,
    )
    return answers.filter(Exists(survey))


@dataclass(frozen=True)
class Step:
    """How many chose one of 1 to 5, and where that part of the bar begins, in hundredths."""

    score: int
    words: Any
    count: int
    start: float
    width: float


@dataclass(frozen=True)
class Result:
    """What all said of one statement."""

    statement: Statement
    steps: Sequence[Step]
    sentence: str

    @property
    def in_words(self) -> str:
        """What the bar shows, from its beginning on: "11 strongly agree · 5 agree"."""
        return " · ".join(f"{step.count} {step.words.lower()}" for step in self.steps if step.count)


@dataclass(frozen=True)
class Results:
    """What is known of one wave; `given` and `comments` are empty while nothing may be shown."""

    wave: Wave
    asked: int
    answered: int
    minimum: int
    last_day: datetime.date
    closed: bool
    given: Sequence[Result] = ()
    comments: Sequence[str] = ()


def results(cohort: Cohort) -> list[Results]:
    """Each wave that was asked; what was said only when it is closed, and enough answered."""
    program = cohort.program
    waves = {
        row["wave"]: row
        for row in FeedbackRequest.objects.filter(member__cohort=cohort)
        .order_by()
        .values("wave")
        .annotate(
            asked=Count("pk"),
            answered=Count("pk", filter=Q(answered=True)),
            asked_at=Min("asked_at"),
            minimum=Max("minimum"),
        )
    }
    found = []
    for wave in Wave:
        if wave not in waves:
            continue
        asked, answered = waves[wave]["asked"], waves[wave]["answered"]
        # What they were promised holds, whatever became of the program's own minimum.
        minimum = max(waves[wave]["minimum"], program.minimum_cell)
        until = _closing_day(waves[wave]["asked_at"], program)
        closed = program.today > until
        said = _said(cohort, wave) if closed and answered >= minimum else ((), ())
        found.append(Results(wave, asked, answered, minimum, until, closed, *said))
    return found


def _said(cohort: Cohort, wave: str) -> tuple[list[Result], list[str]]:
    """Comments go by their words: an order that tells nothing of when they came."""
    answers = list(Feedback.objects.filter(cohort=cohort, wave=wave))
    given = [_result(statement, answers) for statement in STATEMENTS]
    comments = sorted((one.comment for one in answers if one.comment), key=str.casefold)
    return given, comments


def _result(statement: Statement, answers: list[Feedback]) -> Result:
    counts = Counter(getattr(one, statement.name) for one in answers)
    steps, start = [], 0.0
    for score in reversed(SCALE):
        width = 100 * counts[score] / len(answers)
        steps.append(Step(score, SCALE[score], counts[score], start, width))
        start += width
    agree = sum(counts[score] for score in AGREEING)
    return Result(statement, steps, statement.sentence(agree, len(answers)))
