"""What a family's page says, and nothing else personal: its school, first names, its own answer.

Read by families.
"""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pthv import clock, languages, wording
from visits import family_wording
from visits.family_words import no_trouble
from visits.models import FamilyLink, Invitation, InvitationAnswer, Visit

Answer, State = InvitationAnswer.Answer, Invitation.State
NEWS_FOR = datetime.timedelta(minutes=10)
DAYS = {
    "mon": gettext_lazy("Monday"),
    "tue": gettext_lazy("Tuesday"),
    "wed": gettext_lazy("Wednesday"),
    "thu": gettext_lazy("Thursday"),
    "fri": gettext_lazy("Friday"),
    "sat": gettext_lazy("Saturday"),
    "sun": gettext_lazy("Sunday"),
}
PARTS = {
    "morning": gettext_lazy("Morning"),
    "afternoon": gettext_lazy("Afternoon"),
    "evening": gettext_lazy("Evening"),
}
PLACES = {
    "home": gettext_lazy("At our home"),
    "elsewhere": gettext_lazy("Somewhere else, such as a library or a park"),
    "video": gettext_lazy("By video"),
}


@dataclass(frozen=True)
class Said:
    """What a family answered, and what follows from it."""

    answer: str
    more: str = ""
    facts: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The answer in the family's own words."""
        titles = {
            Answer.ACCEPTED: _("You said: Yes, we'd like a visit"),
            Answer.LATER: _("You said: Not now"),
            Answer.DECLINED: _("You said: No, thank you"),
            Answer.CALL: _("You said: Please call us instead"),
        }
        return titles[Answer(self.answer)]


def shown(link: FamilyLink, lang: str) -> dict[str, Any]:
    """All that a page of this link shows to its caregiver, in the language at hand."""
    invitation = link.invitation
    children = family_wording.children(invitation)
    last = invitation.visits.order_by("-occupies", "-pk").first()
    visit = last if last and last.is_ahead else None
    over = invitation.visited_at is not None or (
        last is not None and last.occupies and not last.is_ahead
    )
    cancelled = not over and last is not None and _cancelled(last, invitation)
    said = None if over else _said(link, planned=visit is not None, cancelled=cancelled)
    return {
        "lang": lang,
        "languages": languages.choices(invitation.program),
        "drafted": languages.is_drafted(lang),
        "invitation": invitation,
        "school": {
            "name": wording.upright(invitation.school.name),
            "phone": invitation.school.phone,
        },
        "educators": family_wording.educators(invitation),
        "names": wording.listed(children),
        "no_trouble": no_trouble(len(children)),
        "over": over,
        "asking": not over and said is None,
        "thanks": said is not None and said.answer in (Answer.ACCEPTED, Answer.CALL),
        "said": said,
        "visit": visit,
        "just_moved": visit is not None and _just(visit.timed_at),
        "place": _place(visit) if visit else "",
        "may_cancel": visit is not None and visit.during.lower > clock.now(),
        "cancelled": last if cancelled else None,
    }


def _just(moment: datetime.datetime | None) -> bool:
    return moment is not None and clock.now() - moment < NEWS_FOR


def _cancelled(visit: Visit, invitation: Invitation) -> bool:
    """Whether that this visit is cancelled is the news: nobody answered anything since."""
    return visit.state in (Visit.State.FAMILY_CANCELLED, Visit.State.EDUCATOR_CANCELLED) and not (
        invitation.answers.filter(given_at__gt=visit.ended_at).exists()
    )


def cancels(link: FamilyLink, answer: str) -> bool:
    """Whether this answer of this caregiver calls off a visit that is planned."""
    theirs = link.invitation.answered_caregiver_id in (None, link.caregiver_id)
    return answer == Answer.DECLINED or (answer == Answer.LATER and theirs)


def _said(link: FamilyLink, *, planned: bool, cancelled: bool) -> Said | None:
    """What this family answered; to a caregiver who said something else than what counts, that."""
    invitation = link.invitation
    if invitation.differing_at:
        own = invitation.answers.filter(caregiver=link.caregiver_id).exclude(answer=Answer.CALL)
        last = own.order_by("-pk").first()
        if last is not None and last.answer != invitation.state:
            more = _(
                "We got more than one answer from your family. "
                "Somebody from the school will ask you what is right."
            )
            return Said(last.answer, more)
    if invitation.call_wanted_at:
        return Said(Answer.CALL, _("We call you soon."), in_words(invitation.times))
    if invitation.state == State.DECLINED:
        return Said(Answer.DECLINED, _("We won't ask again."))
    if invitation.later_on:
        day = {"day": wording.full_day(invitation.later_on)}
        return Said(Answer.LATER, _("We may ask you again from %(day)s on.") % day)
    if invitation.state == State.ACCEPTED:
        more = _("We will find a time with you.")
        if cancelled:
            more = _("If you still want a visit, we will find a new time with you.")
        return Said(Answer.ACCEPTED, "" if planned else more, _wishes(invitation))
    return None


def _wishes(invitation: Invitation) -> list[str]:
    wishes = [str(PLACES[invitation.place_wanted])] if invitation.place_wanted else []
    if invitation.interpreter_wanted:
        wishes.append(_("With an interpreter"))
    return wishes + in_words(invitation.times)


def in_words(times: list[str]) -> list[str]:
    """ "Monday: afternoon and evening", for each day that is among these."""
    found = []
    for day, name in DAYS.items():
        parts = [str(words).lower() for part, words in PARTS.items() if f"{day}-{part}" in times]
        if parts:
            found.append(_("%(day)s: %(times)s") % {"day": name, "times": wording.listed(parts)})
    return found


def _place(visit: Visit) -> str:
    return {
        Visit.Place.HOME: _("At your home"),
        Visit.Place.NEUTRAL: _("At the place you chose"),
        Visit.Place.VIRTUAL: _("By video"),
        Visit.Place.SCHOOL: _("At the school"),
    }[Visit.Place(visit.place)]
