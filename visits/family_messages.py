"""Writing to families: who is written to, how, and each message once.

A message stands in the family's story by its `ContactAttempt`. Whoever prefers calls, or has no
address that works, is left to people.
"""

import datetime
import logging
from collections.abc import Iterable
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import BooleanField, Exists, F, Func, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from families.models import Caregiver
from pthv import audit, clock, outbox, stops, texts, wording
from pthv.access import Can
from pthv.blocked import NotReady, raise_if
from pthv.models import Message, Program, User
from pthv.models.audit import MessageQuerySet
from visits import closing, family_wording, links
from visits.family_wording import compose, language_of
from visits.invitations import locked, no_blockers
from visits.models import ContactAttempt, FamilyLink, Invitation, InvitationAnswer, Visit

__all__ = [
    "compose",
    "invite",
    "remind",
    "send_again",
    "settle",
    "tell_cancelled",
    "tell_moved",
    "tell_soon",
    "tell_swapped",
    "tell_time",
    "thank",
]

log = logging.getLogger(__name__)
State, Outcome = Invitation.State, ContactAttempt.Outcome
ADDRESSES = {Caregiver.Channel.TEXT: "phone", Caregiver.Channel.EMAIL: "email"}
# Nobody is reminded of what was asked longer ago.
REMEMBERED = datetime.timedelta(days=30)
# What helps nobody once the visit has begun, or has another time.
OF_A_TIME = ["visit_time", "visit_moved", "visit_swapped", "visit_soon"]
LATELY = datetime.timedelta(days=14)


class Recipient(NamedTuple):
    """A caregiver who is written to, and where."""

    caregiver: Caregiver
    channel: str
    address: str


def recipients(invitation: Invitation) -> list[Recipient]:
    """Who of the family is written to: who may decide, and likes texts or e-mails that arrive."""
    if links.family_blockers(invitation):
        return []
    found = Caregiver.objects.filter(
        family=invitation.family_id, may_decide=True, may_be_contacted=True, ended_on=None
    ).exclude(preferred_channel=Caregiver.Channel.CALL)
    return _ways_to(found.defer("folded", "searchable").order_by("pk"))


def _ways_to(caregivers: Iterable[Caregiver]) -> list[Recipient]:
    """Where they like to be written to, those with whom that works."""
    caregivers = list(caregivers)
    text, email = Caregiver.Channel.TEXT, Caregiver.Channel.EMAIL
    phones = {one.pk: str(one.phone) for one in caregivers if one.preferred_channel == text}
    stopped = stops.stopped(phones.values())
    found = []
    for one in caregivers:
        phone = phones.get(one.pk)
        if phone and texts.offered() and not one.phone_is_dead and phone not in stopped:
            found.append(Recipient(one, text, phone))
        if one.preferred_channel == email and one.email and not one.email_is_dead:
            found.append(Recipient(one, email, one.email))
    return found


@transaction.atomic
def invite(invitation: Invitation, *, by: User) -> list[Message]:
    """Ask the family by text or e-mail: everybody who may decide, each once for each asking.

    Empty where nobody is left to be written to. Raises NotReady where the family must not be
    asked (now).
    """
    invitation = locked(invitation, "school_year")
    raise_if(blockers(invitation))
    key = _round(invitation)
    sent = _send("invitation", invitation, recipients(invitation), key, by=by)
    if sent and invitation.state == State.NOT_ASKED:
        invitation.state, invitation.asked_at = State.ASKED, clock.now()
        invitation.save(update_fields=["state", "asked_at"])
    if sent:
        audit.record("invitation.sent", invitation, by=by, messages=len(sent))
    return sent


def blockers(invitation: Invitation) -> list[str]:
    """Why the family must not be asked now."""
    if reasons := no_blockers(invitation):
        return reasons
    if invitation.state == State.ACCEPTED:
        return [_("This family said yes already.")]
    if invitation.later_on and invitation.later_on > invitation.program.today:
        day = wording.day(invitation.later_on, invitation.program.today)
        return [_("They asked us to come back from %(day)s on. Wait until then.") % {"day": day}]
    return []


def _round(invitation: Invitation) -> str:
    """Which asking this is: after an answer ("not now", a no taken back) it is another one."""
    return f"{invitation.pk}:{invitation.answers.count()}"


def _send(
    kind: str,
    invitation: Invitation,
    found: Iterable[Recipient],
    key: str,
    *,
    by: User | None = None,
    visit: Visit | None = None,
    link: FamilyLink | None = None,
) -> list[Message]:
    """Queue a message to each who has not had it, and let it stand in the family's story.

    The invitation is locked; `link`: of the only one, where it is at hand.
    """
    keys = {f"{key}:{to.caregiver.pk}": to for to in found}
    drafts = outbox.drafts(invitation.program, kind, keys) if keys else {}
    if not drafts:
        return []
    ways = [keys[one] for one in drafts]
    written = list(zip(drafts.values(), ways, strict=True))
    own = family_wording.own_words()
    people = [to.caregiver for to in ways]
    linked = {link.caregiver_id: link} if link else links.mint_many(invitation, people, by=by)
    for message, to in written:
        language = language_of(invitation, to.caregiver)
        words = compose(kind, invitation, to.caregiver, language=language, visit=visit, own=own)
        text = to.channel == Caregiver.Channel.TEXT
        message.channel, message.address = to.channel, to.address
        message.subject = "" if text else words.subject
        message.body = family_wording.as_text(words.body, language) if text else words.body
        message.about, message.recipient = invitation.named, to.caregiver.named
        message.language, message.link_nonce = language, linked[to.caregiver.pk].nonce
    if earlier := [message for message in drafts.values() if message.pk]:
        # It never reached them: what stands in the story is when it is sent at last.
        ContactAttempt.objects.filter(message__in=earlier).delete()
    outbox.post(invitation.program, drafts.values())
    ContactAttempt.objects.bulk_create(
        ContactAttempt(
            program_id=invitation.program_id,
            invitation=invitation,
            caregiver=to.caregiver,
            channel=to.channel,
            outcome=Outcome.SENT,
            language=message.language,
            made_at=message.queued_at,
            made_by=by,
            message=message,
        )
        for message, to in written
    )
    return list(drafts.values())


def waiting(invitation: Invitation) -> QuerySet[Message]:
    """The ids of what is still to be sent about it."""
    about = Message.objects.filter(program=invitation.program_id, about=invitation.named)
    return about.waiting().values_list("pk", flat=True)


def remind(program: Program) -> int:
    """Ask once more whoever has not answered for the program's number of days; return how many.

    One family at a time: what goes wrong with one stays with it.
    """
    if not program.remind_after_days:
        return 0
    count = 0
    for pk in dict.fromkeys(due(program).values_list("invitation", flat=True)):
        try:
            count += _remind(program, pk)
        except Exception as error:
            log.warning("invitation %s not reminded of: %s", pk, type(error).__name__)
    return count


@transaction.atomic
def _remind(program: Program, pk: int) -> int:
    # Whoever comes second, and an answer given meanwhile, find nothing due any more.
    invitation = locked(Invitation(pk=pk), "school_year")
    asked = set(due(program).filter(invitation=pk).values_list("caregiver", flat=True))
    if not asked or blockers(invitation):
        return 0
    # A link that somebody closed is not opened again by a reminder.
    open_to = FamilyLink.objects.usable().filter(invitation=pk, caregiver__in=asked)
    with_link = set(open_to.values_list("caregiver", flat=True))
    found = [to for to in recipients(invitation) if to.caregiver.pk in with_link]
    return len(_send("please_answer", invitation, found, _round(invitation)))


def due(program: Program) -> QuerySet[ContactAttempt]:
    """Invitations that went out long enough ago, with neither an answer nor a talk since."""
    now = clock.now()
    until = now - datetime.timedelta(days=program.remind_after_days)
    since = {"invitation": OuterRef("invitation")}
    answered = InvitationAnswer.objects.filter(**since, given_at__gte=OuterRef("made_at"))
    reached = ContactAttempt.objects.filter(
        **since, outcome=Outcome.REACHED, made_at__gte=OuterRef("made_at")
    )
    kept_back = Q(message__state=Message.State.WITHDRAWN) | Q(
        message__problem=Message.Problem.STOPPED
    )
    reminded = ContactAttempt.objects.filter(
        ~kept_back,
        **since,
        caregiver=OuterRef("caregiver"),
        message__kind="please_answer",
        pk__gt=OuterRef("pk"),
    )
    again = Q(invitation__state=State.LATER, invitation__later_on__lte=program.today)
    return (
        ContactAttempt.objects.filter(
            Q(invitation__state=State.ASKED) | again,
            program=program,
            outcome=Outcome.SENT,
            message__kind="invitation",
            message__state=Message.State.SENT,
            message__sent_at__range=(until - REMEMBERED, until),
            invitation__call_wanted_at=None,
        )
        .filter(~Exists(answered), ~Exists(reached), ~Exists(reminded))
        .order_by("pk")
    )


def thank(answer: InvitationAnswer) -> Message | None:
    """Thank whoever said yes by their link, which opens, and where no no is in the way."""
    counts = answer.answer == InvitationAnswer.Answer.ACCEPTED and answer.counted
    invitation, link = answer.invitation, answer.link
    if not counts or link is None or links.is_over(invitation):
        return None
    found = _ways_to([link.caregiver])
    sent = _send("thank_you", invitation, found, str(invitation.pk), link=link)
    return sent[0] if sent else None


def tell_time(visit: Visit) -> list[Message]:
    """Tell the family when its visit is."""
    invitation = visit.invitation
    return _send("visit_time", invitation, recipients(invitation), _time(visit), visit=visit)


def tell_moved(visit: Visit) -> list[Message]:
    """Tell the family when its visit is now; whom no time had reached yet, as for the first."""
    return _tell_change("visit_moved", visit)


def tell_swapped(visit: Visit) -> list[Message]:
    """Tell the family who comes now, in the same way."""
    return _tell_change("visit_swapped", visit)


def _tell_change(kind: str, visit: Visit) -> list[Message]:
    untold = _keep_back(visit)
    found = recipients(visit.invitation)
    first = [to for to in found if to.caregiver.named in untold]
    again = [to for to in found if to.caregiver.named not in untold]
    key = f"{_time(visit)}:{visit.sequence}"
    return [
        *_send("visit_time", visit.invitation, first, key, visit=visit),
        *_send(kind, visit.invitation, again, key, visit=visit),
    ]


def tell_soon(visit: Visit, hours: int) -> list[Message]:
    """Remind the family of its visit, that many hours before it at most."""
    key = f"{_time(visit)}:{hours}"
    return _send("visit_soon", visit.invitation, recipients(visit.invitation), key, visit=visit)


def tell_cancelled(visit: Visit) -> list[Message]:
    """Tell the family that its visit won't be; whom its time had not reached yet, nothing."""
    if visit.state == Visit.State.NOT_HOME:
        return []
    invitation = locked(visit.invitation, "school_year")
    untold = _keep_back(visit)
    told = [to for to in recipients(invitation) if to.caregiver.named not in untold]
    return _send("visit_cancelled", invitation, told, str(visit.pk), visit=visit)


def _time(visit: Visit) -> str:
    return f"{visit.pk}:{visit.during.lower:%Y%m%d%H%M}"


def _keep_back(visit: Visit) -> set[str]:
    """Let what waits, and tells a time that is over, not go out; return whom it was the first."""
    about = visit.invitation.named
    waiting = Message.objects.waiting().filter(program=visit.program_id, about=about)
    untold = set(waiting.filter(kind="visit_time").values_list("recipient", flat=True))
    outbox.withdraw(visit.program, about=about, kinds=OF_A_TIME)
    return untold


@transaction.atomic
def send_again(message: Message, *, by: User) -> Message:
    """Try a message anew that did not arrive, where its caregiver is to be reached now."""
    asked = attempts_of([message]).get(message.pk)
    if asked is None or asked.caregiver is None:
        raise NotReady(_("Only a message to a family is sent again here."))
    invitation = locked(asked.invitation, "school_year")
    asking = message.kind in family_wording.LINKED
    raise_if(blockers(invitation) if asking else links.blockers(invitation, asked.caregiver))
    ways = {to.caregiver.pk: to for to in recipients(invitation)}
    to = ways.get(asked.caregiver.pk)
    if to is None or to.channel != message.channel:
        raise NotReady(
            _("%(name)s can't be written to this way. Correct the phone or e-mail first, or call.")
            % {"name": asked.caregiver}
        )
    link = links.mint_many(invitation, [to.caregiver], by=by)[to.caregiver.pk]
    return outbox.send_again(message, by=by, address=to.address, link_nonce=link.nonce)


def open_to(user: User, can: Can, *, rare: bool = False) -> MessageQuerySet:
    """The messages to families of this person's program or schools.

    Of what is `rare` each is asked where it belongs; of all messages a school's are found
    first, or one that has none would be looked for among everybody's.
    """
    reach = user.reach(can)
    found = Message.objects.to_families()
    if reach.program:
        return found
    asked = ContactAttempt.objects.filter(
        invitation__school__in=reach.schools, message__isnull=False
    )
    if rare:
        return found.filter(Exists(asked.filter(message=OuterRef("pk"))))
    theirs = Func(
        F("pk"),
        ArraySubquery(asked.order_by().values("message")),
        arg_joiner=" = ANY(",
        template="%(expressions)s)",
        output_field=BooleanField(),
    )
    return found.filter(theirs)


def troubled(user: User, can: Can) -> MessageQuerySet:
    """Those of late that did not arrive, and those that have waited for a service for an hour."""
    now = clock.now()
    late = Q(state__in=["failed", "bounced"], queued_at__gte=now - LATELY)
    stuck = Q(
        state="queued",
        problem=Message.Problem.UNAVAILABLE,
        queued_at__lte=now - datetime.timedelta(hours=1),
    )
    return open_to(user, can, rare=True).filter(late | stuck)


def attempts_of(messages: Iterable[Message]) -> dict[int, ContactAttempt]:
    """What stands in the families' stories for these messages, by the message."""
    found = ContactAttempt.objects.filter(message__in=[message.pk for message in messages])
    return {
        asked.message_id: asked for asked in found.select_related("caregiver", "invitation__family")
    }


@transaction.atomic
def settle(program: Program) -> int:
    """Mark the numbers and addresses that messages were refused at, and withdraw what waits for
    people who can't be written to any more; return how many were marked.

    Rosters end people's say and change their numbers too, and know nothing of messages.
    """
    refused = Message.objects.not_arrived().filter(problem=Message.Problem.REFUSED)
    marked = 0
    for channel, name in ADDRESSES.items():
        still = {f"caregiver__{name}": F("message__address")}
        dead = {f"caregiver__dead_{name}": F("message__address")}
        gone = _written(program, refused.filter(channel=channel)).filter(**still)
        alive = gone.exclude(**dead).values_list("caregiver", "message__address")
        for caregiver, address in set(alive):
            person = Caregiver.objects.get(pk=caregiver)
            phone, email = (address, "") if name == "phone" else ("", address)
            closing.mark_dead(person, phone=phone, email=email)
            marked += 1
    # Last: whoever changes a caregiver locks them first, and then the messages that wait.
    _withdraw_from_the_gone(program)
    _withdraw_what_is_over(program)
    return marked


def _withdraw_from_the_gone(program: Program) -> None:
    waiting = _written(program, Message.objects.waiting())
    gone = Q(caregiver__may_decide=False) | Q(caregiver__may_be_contacted=False)
    gone |= Q(caregiver__ended_on__isnull=False)
    for recipient in set(waiting.filter(gone).values_list("message__recipient", flat=True)):
        outbox.withdraw(program, recipient=recipient)


def _withdraw_what_is_over(program: Program) -> None:
    """The time of a visit that began while its message waited helps nobody."""
    ahead = Visit.objects.ahead().filter(
        invitation=OuterRef("invitation"), during__startswith__gt=clock.now()
    )
    times = _written(program, Message.objects.waiting().filter(kind__in=OF_A_TIME))
    over = times.filter(~Exists(ahead)).values_list("invitation", flat=True)
    for invitation in Invitation.objects.filter(pk__in=over):
        outbox.withdraw(program, about=invitation.named, kinds=OF_A_TIME)


def _written(program: Program, which: MessageQuerySet) -> QuerySet[ContactAttempt]:
    """What stands in families' stories for these messages."""
    messages = which.to_families().filter(program=program)
    return ContactAttempt.objects.filter(message__in=messages, caregiver__isnull=False)
