"""Our words for what families are sent. Read by families.

Short and plain: where it comes from, who comes, that the child is not in trouble.
"""

from typing import Any, NamedTuple

from django.utils import translation
from django.utils.translation import gettext_lazy, ngettext

from visits.models import Visit

STOP = gettext_lazy("Reply STOP to end.")
YOUR_CHILD = gettext_lazy("your child")
A_TEACHER = gettext_lazy("a teacher")
# Why an answer is not taken.
LINK_OVER = gettext_lazy("This link doesn’t work any more. Please call the school.")
TOOK_PLACE = gettext_lazy("This visit took place already.")
TIME_CHANGED = gettext_lazy("The time has changed. Please look at it again.")
TIME_TAKEN = gettext_lazy("This time is not free any more. Please choose another.")
UNDER_WAY = gettext_lazy(
    "Your visitors are on their way, or with you already. Please tell them, or call the school."
)
CHOOSE_A_TIME = gettext_lazy("Please choose a time.")
ONLY_AHEAD = gettext_lazy("Only a visit that lies ahead can be cancelled.")
ANOTHER_LINK = gettext_lazy(
    "Please look again: another invitation was opened on this phone. Nothing was sent."
)
ONE_OF_US = gettext_lazy(
    "You are logged in here as one of us. Record what the family says on its page instead. "
    "If it is your own family, log out first."
)
TOO_MANY = gettext_lazy(
    "You changed your answer many times. Please wait an hour, or call the school."
)


class Words(NamedTuple):
    """What a message says."""

    subject: str
    body: str


OURS: dict[str, tuple[Any, Any]] = {
    "invitation": (
        gettext_lazy("Would you like a home visit?"),
        gettext_lazy(
            "Hello {caregiver}. {educators} of {school} would like to visit you and hear your "
            "hopes for {child}. {no_trouble} You choose the time and the place, and you can say "
            "no. Your answer: {link}"
        ),
    ),
    "please_answer": (
        gettext_lazy("Please answer: would you like a home visit?"),
        gettext_lazy(
            "Hello {caregiver}. {educators} of {school} would like to visit you and hear your "
            "hopes for {child}. {no_trouble} Yes or no, both are fine. Please answer: {link}"
        ),
    ),
    "thank_you": (
        gettext_lazy("Thank you for saying yes"),
        gettext_lazy(
            "Thank you, {caregiver}! {educators} of {school} will find a time with you. "
            "{no_trouble} To see or change your answer: {link}"
        ),
    ),
    "visit_time": (
        gettext_lazy("The time of your home visit"),
        gettext_lazy(
            "Hello {caregiver}. {educators} of {school} will meet you on {when}, {place}. "
            "{no_trouble} To change or cancel: {link}"
        ),
    ),
    "visit_moved": (
        gettext_lazy("Your home visit has a new time"),
        gettext_lazy(
            "Hello {caregiver}. The visit of {educators} of {school} is now on {when}, {place}. "
            "{no_trouble} To change or cancel: {link}"
        ),
    ),
    "visit_swapped": (
        gettext_lazy("Who comes to your home visit"),
        gettext_lazy(
            "Hello {caregiver}. {educators} of {school} will come to your visit on {when}, "
            "{place}. {no_trouble} To change or cancel: {link}"
        ),
    ),
    "visit_soon": (
        gettext_lazy("Your home visit is soon"),
        gettext_lazy(
            "Hello {caregiver}. {educators} of {school} look forward to meeting you on {when}, "
            "{place}. {no_trouble} To change or cancel: {link}"
        ),
    ),
    "visit_cancelled": (
        gettext_lazy("Your home visit is cancelled"),
        gettext_lazy(
            "Hello {caregiver}. The visit of {educators} of {school} on {when} is cancelled. "
            "{no_trouble} To tell us what suits you: {link}"
        ),
    ),
    "call": (
        "",
        gettext_lazy(
            "Hello, this is {educators} of {school}. I am calling about {child}. {no_trouble} "
            "We would like to visit you and hear your hopes. You choose the time and the place, "
            "and you can say no. Would you like that?"
        ),
    ),
}
PLACES = {
    Visit.Place.HOME: gettext_lazy("at your home"),
    Visit.Place.NEUTRAL: gettext_lazy("at the place you chose"),
    Visit.Place.VIRTUAL: gettext_lazy("by video"),
    Visit.Place.SCHOOL: gettext_lazy("at the school"),
}


def no_trouble(children: int) -> str:
    """What every family hears first, of this many children; of one where none is known."""
    return ngettext(
        "Your child is not in trouble.", "Your children are not in trouble.", children or 1
    )


def ours(kind: str, language: str) -> Words:
    """Our words for a kind of message."""
    subject, body = OURS[kind]
    with translation.override(language):
        return Words(str(subject), str(body))
