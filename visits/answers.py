"""What a family answers, to us or by its own link: each answer kept, one of them counts.

A no counts before a "not now", that before a yes, whoever was first: two caregivers who differ
leave the family with the more careful of the two, and somebody asks them. A no is taken back by
whoever said it, by its own link, or reopened by a coordinator with a reason: one that we wrote
down for nobody in particular by a coordinator alone. What families are refused is said in
family_words.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from families.models import Caregiver
from pthv import audit, clock, outbox
from pthv.blocked import NotReady, raise_if
from pthv.models import User
from visits import family_messages, finding, invitations, moving, safety, scheduling
from visits.family_words import LINK_OVER, TIME_TAKEN, TOOK_PLACE, UNDER_WAY
from visits.invitations import RELATED, locked, read_locked
from visits.models import ContactAttempt, FamilyLink, Invitation, InvitationAnswer, Visit
from visits.models.invitation import InvitationQuerySet

State, Answer = Invitation.State, InvitationAnswer.Answer
CAREFUL = [Answer.ACCEPTED, Answer.LATER, Answer.DECLINED]
# What is sent to have an answer, and needless once there is one.
ASKING = ("invitation", "please_answer")
NEEDLESS_AFTER_A_NO = (*ASKING, "thank_you", "visit_time")


@dataclass(frozen=True)
class Wishes:
    """How a family would like to be visited."""

    place: str = ""
    interpreter: bool = False
    times: tuple[str, ...] = ()


@transaction.atomic
def record(
    invitation: Invitation,
    answer: str,
    *,
    by: User | None = None,
    link: FamilyLink | None = None,
    caregiver: Caregiver | None = None,
    wishes: Wishes | None = None,
    later_on: datetime.date | None = None,
    language: str = "",
) -> InvitationAnswer:
    """Keep the family's answer: written down `by` one of us, or given by its own `link`.

    The same answer twice is one. `wishes`: None leaves what they said before.
    """
    beside: list[Invitation] | None = None
    if link is not None and answer == Answer.ACCEPTED:
        invitation, beside = _locked_beside(invitation)
    else:
        invitation = locked(invitation, "school_year")
    if link is not None:
        link = _usable(link, invitation.pk)
        caregiver = link.caregiver
    given = InvitationAnswer(
        program_id=invitation.program_id,
        invitation=invitation,
        caregiver=caregiver,
        answer=answer,
        later_on=later_on if answer == Answer.LATER else None,
        language=language,
        given_at=clock.now(),
        recorded_by=by,
        link=link,
        before=invitation.as_recorded(),
    )
    if by is not None:
        given.before["waiting"] = list(family_messages.waiting(invitation))
    _take_wishes(given, wishes)
    earlier = list(invitation.answers.order_by("pk"))
    if same := _same(given, earlier, invitation):
        return same
    raise_if(_blockers(given, invitation))
    given.counted = _counts(given, invitation)
    if given.counted:
        _apply(given, invitation, beside, keep_wishes=wishes is None)
    if by is None:
        since = invitation.differing_at or given.given_at
        invitation.differing_at = since if _differ([*earlier, given]) else None
    given.save()
    invitation.save()
    beside_a_no = _wait_beside_a_no(given, invitation)
    audit.record("invitation.answered", invitation, by=by, answer=answer, counted=given.counted)
    _withdraw(given, invitation)
    if by is None:
        if not beside_a_no:
            family_messages.thank(given)
        _tell(given, invitation, earlier)
    return given


@transaction.atomic
def reached(
    invitation: Invitation,
    channel: str,
    answer: str,
    *,
    by: User,
    caregiver: Caregiver | None = None,
    later_on: datetime.date | None = None,
) -> ContactAttempt:
    """Record that somebody talked to the family, and what it answered; both in one tap."""
    outcome = ContactAttempt.Outcome.REACHED
    attempt = invitations.record_attempt(invitation, channel, outcome, by=by, caregiver=caregiver)
    spoken = attempt.language
    record(invitation, answer, by=by, caregiver=caregiver, later_on=later_on, language=spoken)
    return attempt


@transaction.atomic
def cancel(visit: Visit, *, link: FamilyLink) -> Visit:
    """The family calls its visit off, by its own link."""
    scheduling.locked_invitation_of(visit)
    link = _usable(link, visit.invitation_id)
    _raise_if_under_way(visit)
    return scheduling.cancel(visit, Visit.State.FAMILY_CANCELLED, by=None, link=link)


@transaction.atomic
def move(visit: Visit, starts_at: datetime.datetime, *, link: FamilyLink) -> Visit:
    """The family chooses another time for its visit, by its own link: one that is offered."""
    visit.invitation = scheduling.locked_invitation_of(visit)
    link = _usable(link, visit.invitation_id)
    _raise_if_under_way(visit)
    offered = (time.during for day in finding.for_family(visit) for time in day.times)
    during = next((one for one in offered if one.lower == starts_at), None)
    if during is None:
        raise NotReady(str(TIME_TAKEN))
    try:
        place, address = visit.place, visit.address
        return moving.move(visit, during, place, address=address, by=None, link=link)
    except NotReady as refused:
        # In the way is something of ours, which is not a family's to read.
        raise NotReady(str(TIME_TAKEN)) from refused


def _raise_if_under_way(visit: Visit) -> None:
    """Whoever is on the way may read no message any more: that is said, not tapped."""
    if safety.is_under_way(Visit.objects.locked(visit.pk)):
        raise NotReady(str(UNDER_WAY))


def _usable(link: FamilyLink, invitation: int) -> FamilyLink:
    """The invitation's link as it is now: its caregiver's say may have ended meanwhile."""
    usable = FamilyLink.objects.usable().select_related("caregiver")
    usable = usable.filter(pk=link.pk, invitation=invitation)
    found = usable.select_for_update(of=("self", "caregiver"), no_key=True)
    if (link_now := found.first()) is None:
        raise NotReady(str(LINK_OVER))
    return link_now


def _take_wishes(given: InvitationAnswer, wishes: Wishes | None) -> None:
    wanted = wishes or Wishes()
    given.place_wanted, given.interpreter_wanted = wanted.place, wanted.interpreter
    given.times = list(wanted.times)


def _same(
    given: InvitationAnswer, earlier: list[InvitationAnswer], invitation: Invitation
) -> InvitationAnswer | None:
    """The answer that this one repeats: the same person's last one, or what stands already."""

    def content(one: InvitationAnswer) -> tuple[Any, ...]:
        wishes = (one.place_wanted, one.interpreter_wanted, one.times)
        return (one.answer, one.later_on, *wishes)

    if given.link:
        # What one of us wrote down since may be what they answer to.
        last = [one for one in earlier if one.caregiver_id == given.caregiver_id or not one.link_id]
        again = last and last[-1].link_id and content(last[-1]) == content(given)
        return last[-1] if again else None
    stands = invitation.state == given.answer and invitation.later_on == given.later_on
    settled = invitation.differing_at is None and invitation.call_wanted_at is None
    counted = [one for one in earlier if one.counted]
    return counted[-1] if stands and settled and counted else None


def _blockers(given: InvitationAnswer, invitation: Invitation) -> list[str]:
    opens = given.recorded_by and given.answer != Answer.DECLINED
    if opens and invitations.no_blockers(invitation):
        return [_("This family said no thank you. Only they can open the door again.")]
    if given.answer == Answer.LATER and (
        given.later_on is None or given.later_on <= invitation.program.today
    ):
        return [_("Choose the day from which the family may be asked again.")]
    if invitation.visited_at and (given.link or given.answer != Answer.ACCEPTED):
        return [str(TOOK_PLACE)]
    no_visit = given.answer in (Answer.DECLINED, Answer.LATER)
    if no_visit and given.recorded_by and invitation.visits.standing().exists():
        return [_("A visit is scheduled with this family. Cancel it first.")]
    # A page of before may still be open; the one that is there now thanks them.
    again = given.link and invitation.state == State.ACCEPTED
    if (no_visit or again) and invitation.visits.held().exists():
        return [str(TOOK_PLACE)]
    return []


def _counts(given: InvitationAnswer, invitation: Invitation) -> bool:
    """Whether the invitation takes the answer over from what stands."""
    if given.recorded_by or given.answer == Answer.CALL:
        return True
    if invitation.state not in CAREFUL:
        return True
    theirs = invitation.answered_caregiver_id
    # A no that is nobody's in particular may be anybody's.
    nobodys = theirs is None and invitation.state != State.DECLINED
    if nobodys or theirs == given.caregiver_id:
        return True
    if given.answer == Answer.LATER and invitation.visits.ahead().exists():
        return False
    return CAREFUL.index(Answer(given.answer)) > CAREFUL.index(Answer(invitation.state))


def _apply(
    given: InvitationAnswer,
    invitation: Invitation,
    beside: list[Invitation] | None,
    *,
    keep_wishes: bool,
) -> None:
    """Let the invitation say what was answered; a visit that was planned is called off by a no
    or a "not now", and every no of this caregiver by their yes. A wish for a call leaves a no.

    `beside`: the family's other invitations, where they are locked by now.
    """
    now = given.given_at
    invitation.asked_at = invitation.asked_at or now
    if given.answer == Answer.CALL:
        invitation.call_wanted_at = invitation.call_wanted_at or now
        if invitation.state in (State.NOT_ASKED, State.UNREACHABLE):
            invitation.state = State.ASKED
        invitation.times = given.times or invitation.times
        return
    if invitation.state == State.DECLINED and given.answer != Answer.DECLINED:
        facts = {"caregiver": given.caregiver_id}
        audit.record("invitation.reopened", invitation, by=None, because="family", **facts)
    if given.answer == Answer.ACCEPTED and given.recorded_by is None:
        others = _declined_beside(invitation) if beside is None else _declined(beside)
        for other in others:
            if other.answered_caregiver_id == given.caregiver_id:
                _open(other, by=None, because="family", caregiver=given.caregiver_id)
    if given.answer != Answer.ACCEPTED:
        for visit in invitation.visits.ahead():
            scheduling.cancel(visit, Visit.State.FAMILY_CANCELLED, by=None, link=given.link)
    invitation.state = given.answer
    invitation.answered_at, invitation.answered_by = now, given.recorded_by
    invitation.answered_caregiver = given.caregiver
    invitation.later_on = given.later_on
    invitation.call_wanted_at = invitation.differing_at = None
    if not keep_wishes or given.answer == Answer.DECLINED:
        invitation.place_wanted = given.place_wanted
        invitation.interpreter_wanted = given.interpreter_wanted
        invitation.times = given.times


def _differ(given: list[InvitationAnswer]) -> bool:
    """Whether caregivers answered differently since one of us last wrote an answer down."""
    last: dict[int | None, str] = {}
    for one in given:
        if one.recorded_by_id:
            last.clear()
        if one.answer != Answer.CALL:
            last[one.caregiver_id] = one.answer
    return len(set(last.values())) > 1


def _withdraw(given: InvitationAnswer, invitation: Invitation) -> None:
    """Messages that wait, and ask what was just answered, don't go out any more. After a no only
    the others still hear that a visit is cancelled."""
    program, about = invitation.program, invitation.named
    no = invitation.state == State.DECLINED
    outbox.withdraw(program, about=about, kinds=NEEDLESS_AFTER_A_NO if no else ASKING)
    if given.answer == Answer.DECLINED and given.caregiver:
        outbox.withdraw(program, about=about, recipient=given.caregiver.named)


def _tell(given: InvitationAnswer, invitation: Invitation, earlier: list[InvitationAnswer]) -> None:
    """Whoever asks, and goes, hears what the family answered by itself.

    What they have not been told yet of an earlier answer, this one replaces.
    """
    people = list(invitation.people())
    if earlier:
        keys = [f"{one.pk}:{educator.pk}" for one in earlier for educator in people]
        outbox.withdraw_letters(invitation.program, "family_answered", keys)
    context = {"invitation": invitation, "given": given, "differing": invitation.differing_at}
    letters = (
        outbox.Letter(educator.user, context, f"{given.pk}:{educator.pk}") for educator in people
    )
    outbox.queue_many(invitation.program, "family_answered", letters)


@transaction.atomic
def reopen(invitation: Invitation, *, because: str, by: User) -> Invitation:
    """Let a family that had said no be asked again, since it opened the door itself.

    Each no of this family is lifted: the one would keep closed what the other opens. What an
    earlier household of a child said, stands.
    """
    if not because.strip():
        raise NotReady(_("Say how the family opened the door again."))
    declined = _declined_beside(invitation, itself=True)
    for one in declined:
        _open(one, by=by, because=because.strip())
    return locked(invitation)


def _declined_beside(invitation: Invitation, *, itself: bool = False) -> list[Invitation]:
    """What else the family said no to, in whichever year; all of its invitations are locked."""
    found = _declined(_of_family(invitation))
    return [one for one in found if itself or one.pk != invitation.pk]


def _declined(found: Iterable[Invitation]) -> list[Invitation]:
    return [one for one in found if one.state == State.DECLINED]


def _locked_beside(invitation: Invitation) -> tuple[Invitation, list[Invitation] | None]:
    """The invitation as it is now, locked with its family's others, and those; None where it
    came to another family while one waited for it."""
    found = {one.pk: one for one in _of_family(invitation)}
    now = found.pop(invitation.pk, None)
    if now is None:
        return locked(invitation, "school_year"), None
    return _with_related(now, invitation), list(found.values())


def _with_related(now: Invitation, before: Invitation) -> Invitation:
    """A locked invitation with what whoever asked has just read of it, where that is still its;
    or else read now."""
    for name in ("program", "family", "school", "educator", "school_year"):
        field: Any = Invitation._meta.get_field(name)
        if not field.is_cached(before) or getattr(now, field.attname) != getattr(
            before, field.attname
        ):
            return read_locked(now, *RELATED, "school_year")
        field.set_cached_value(now, field.get_cached_value(before))
    return now


def _of_family(invitation: Invitation) -> InvitationQuerySet:
    """All invitations of its family, to be locked in the order of all who lock several."""
    found = Invitation.objects.select_for_update()
    return found.filter(family=invitation.family_id).order_by("pk")


def _open(invitation: Invitation, *, by: User | None, **facts: Any) -> None:
    invitation.state = State.ASKED
    invitation.answered_at = invitation.answered_by = invitation.answered_caregiver = None
    invitation.differing_at = None
    invitation.save()
    audit.record("invitation.reopened", invitation, by=by, **facts)


def _wait_beside_a_no(given: InvitationAnswer, invitation: Invitation) -> bool:
    """A family says yes by itself to which a child with a no has come: somebody asks them, and
    nobody thanks them yet."""
    yes = given.answer == Answer.ACCEPTED and given.counted and given.link is not None
    if not (yes and invitations.no_blockers(invitation)):
        return False
    invitation.differing_at = given.given_at
    invitation.save(update_fields=["differing_at"])
    return True
