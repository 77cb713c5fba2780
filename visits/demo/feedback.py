"""What the demo's educators said of their training."""

import datetime
import random

from pthv import clock
from training import feedback
from training.models import Cohort, FeedbackRequest, Wave

COMMENTS = (
    "More time to practise the first phone call.",
    "The parents who trained with us were the best part.",
    "Please start later: I came straight from bus duty.",
    "I would like to hear from somebody who has visited for years.",
)


def say_how_it_was(cohort: Cohort, now: datetime.datetime) -> None:
    """Most answer at the end, and fewer three months later."""
    dice = random.Random(cohort.name)
    end = cohort.completed_at
    assert end is not None
    with clock.at(end):
        _answer(cohort, Wave.END, 0.9, dice)
    if now >= end + feedback.LATER:
        with clock.at(end + feedback.LATER):
            feedback.ask(cohort, wave=Wave.LATER)
            _answer(cohort, Wave.LATER, 0.7, dice)


def _answer(cohort: Cohort, wave: str, share: float, dice: random.Random) -> None:
    for request in FeedbackRequest.objects.filter(member__cohort=cohort, wave=wave):
        if dice.random() < share:
            scores = {name: dice.choice((3, 4, 4, 5, 5, 5)) for name in ("ready", "useful")}
            comment = dice.choice(COMMENTS) if dice.random() < 0.2 else ""
            feedback.answer(
                request, scores=scores | {"recommend": dice.choice((4, 5, 5))}, comment=comment
            )
