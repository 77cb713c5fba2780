"""Signing in at the door: a code on a tablet, for one person, once, and the number beside it.

Whoever is logged in and has a place is there at once. Everybody else waits until the
coordinator says yes, and is answered the same, whether their address is known or not.
"""

import datetime
import hashlib
import hmac
import secrets
from typing import NamedTuple

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from pthv import accounts, audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, School, User
from training import attendance, enrolment, sessions
from training.models import Attendance, CohortMember, DoorSignIn, TrainingSession

SHOWN = 4  # seconds that the screen shows a code and its number
LASTS = datetime.timedelta(seconds=40)  # to scan, look up and tap
TYPING = datetime.timedelta(minutes=3)  # for whoever types a name and an address
NUMBERS = 6  # so many of the last are taken: somebody read it, typed it, and tapped
ROUND = 60  # numbers, four minutes of them
HALF = 450  # of the numbers with three digits
OPENS = datetime.timedelta(minutes=60)
CLOSES = datetime.timedelta(minutes=30)
KEPT = datetime.timedelta(days=30)
SIGNER = signing.Signer(salt="training.door")
State = DoorSignIn.State


class Earlier(NotReady):
    """A number that the screen showed a moment ago, such as the one beside the code."""


class Code(NamedTuple):
    """What stands in a code that is ours and has not run out."""

    session: TrainingSession
    nonce: str
    made: int

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.nonce.encode()).hexdigest()


def code(session: TrainingSession) -> str:
    """A new code; nothing is written until somebody uses it."""
    return SIGNER.sign(f"{session.pk}.{secrets.token_urlsafe(16)}.{_seconds()}")


def number(session: TrainingSession) -> str:
    """The three digits that stand on the screen now."""
    return _number(session, _seconds() // SHOWN)


def _number(session: TrainingSession, turn: int) -> str:
    """Drawn without putting back for longer than any code lasts: even numbers for some minutes,
    then odd ones. So those beside a code don't come again while it is good."""
    round_, at = divmod(turn, ROUND)
    secret = salted_hmac("training.door.number", f"{session.pk}.{round_}", algorithm="sha256")
    drawn = hashlib.shake_256(secret.digest()).digest(8 * HALF)
    order = sorted(range(HALF), key=lambda one: drawn[8 * one : 8 * one + 8])
    return str(100 + 2 * order[at] + round_ % 2)


def _seconds() -> int:
    return int(clock.now().timestamp())


def read(text: str, lasts: datetime.timedelta = LASTS) -> Code:
    """The session that a code opens; NotReady with a kind sentence if it opens none."""
    try:
        pk, nonce, made = SIGNER.unsign(text).split(".")
    except signing.BadSignature:
        raise NotReady(_("This isn't a code of ours. Scan the one at the door again.")) from None
    _raise_if_over(int(made), lasts)
    with scopes_disabled():
        session = (
            TrainingSession.objects.select_related("cohort__course", "cohort__program")
            .filter(pk=int(pk))
            .first()
        )
    if session is None:
        raise NotReady(_("This session isn't planned any more. Ask at the door."))
    raise_if(blockers(session))
    return Code(session, nonce, int(made))


def _raise_if_over(made: int, lasts: datetime.timedelta) -> None:
    if _seconds() - made > lasts.total_seconds():
        raise NotReady(_("This code has run out. Scan the one at the door now."))


def blockers(session: TrainingSession) -> list[str]:
    """Why nobody can sign in to this session now."""
    opens = session.starts_at - OPENS
    if session.cancelled_at:
        return [_("This session was cancelled. Ask your coordinator about the next one.")]
    if clock.now() < opens:
        when = {"when": wording.moment(opens, session.cohort.program)}
        return [_("You can't sign in yet. The door opens %(when)s.") % when]
    if session.ends_at + CLOSES <= clock.now():
        return [_("This session is over. Your coordinator can still record that you came.")]
    return []


def educator_of(user: User, session: TrainingSession) -> Educator | None:
    """Who of this session's program is logged in."""
    if not user.is_authenticated:
        return None
    return Educator.objects.staying().filter(user=user).select_related("user").first()


def is_used(found: Code) -> bool:
    """Whether somebody signed in with this code, or tried to with a wrong number."""
    return DoorSignIn.objects.filter(nonce_hash=found.hash).exists()


@transaction.atomic
def sign_in(
    found: Code, typed: str, *, educator: Educator | None = None, name: str = "", email: str = ""
) -> DoorSignIn:
    """Use a code, with the number on the screen. A wrong number uses it up and is refused; the
    same person with the same code is answered the same, and kept once."""
    session = sessions.locked(found.session)
    raise_if(blockers(session))
    if educator:
        name, email = str(educator), educator.user.email
    email = email.lower()
    if signed := DoorSignIn.objects.filter(nonce_hash=found.hash).first():
        if (signed.educator_id, signed.email) == (educator and educator.pk, email):
            return signed
        raise NotReady(_("Somebody else used this code. Scan the one at the door now."))
    if educator:
        _raise_if_over(found.made, LASTS)
    saw = _saw(found, typed)
    by = educator.user if educator else None
    place = attendance.place_of(session, educator) if educator and saw else None
    if place and place.state in (Attendance.State.ATTENDED, Attendance.State.PARTIAL):
        raise NotReady(_("You are signed in already. There is nothing more to do."))
    signed = DoorSignIn.objects.create(
        program_id=session.program_id,
        session=session,
        nonce_hash=found.hash,
        educator=educator,
        name=name,
        email=email,
        signed_in_at=clock.now(),
        state=State.WAITING if saw else State.REFUSED,
    )
    # Whom the coordinator recorded as absent they have to see: no door overrules them.
    if place and by and place.state == Attendance.State.EXPECTED:
        attendance.attend(place, Attendance.State.ATTENDED, by=by)
        signed.state = State.RECORDED
        signed.save(update_fields=["state"])
    audit.record("door.signed_in" if saw else "door.wrong_number", signed, by=by)
    return signed


def _saw(found: Code, typed: str) -> bool:
    """Whether this number stood on the screen after the code did: who only has a picture of
    both doesn't know it. Earlier for those they may have seen before."""
    now, made = _seconds() // SHOWN, found.made // SHOWN
    if typed == _number(found.session, made):
        raise Earlier(_("The screen shows another number by now. Type that one."))
    shown = [_number(found.session, turn) for turn in range(made + 1, now + 1)]
    if any(hmac.compare_digest(typed, one) for one in shown[-NUMBERS:]):
        return True
    if typed in shown:
        raise Earlier(_("The screen shows another number by now. Type that one."))
    return False


@transaction.atomic
def confirm(signed: DoorSignIn, *, by: User, school: School | None = None) -> DoorSignIn:
    """Yes, they are here: record it, and give them a place, and an account, if they have none."""
    session, signed = _locked(signed)
    if signed.state != State.WAITING:
        return signed
    # Whoever left is welcomed like somebody new: they come back.
    known = Educator.objects.staying().filter(user__email=signed.email)
    educator = signed.educator or known.select_related("user").first()
    if educator is None:
        school = school or session.cohort.school
        if school is None:
            raise NotReady(_("Choose the school they work at, then confirm."))
        educator = accounts.welcome(signed.email, signed.name, school, by=by)
    raise_if(accounts.closed(educator.user))
    place = attendance.place_of(session, educator) or _new_place(session, educator, by)
    if place.state in (Attendance.State.EXPECTED, Attendance.State.ABSENT):
        attendance.attend(place, Attendance.State.ATTENDED, by=by)
    _of_the_same(signed).update(state=State.RECORDED, educator=educator)
    signed.state, signed.educator = State.RECORDED, educator
    audit.record("door.confirmed", signed, by=by)
    return signed


@transaction.atomic
def refuse(signed: DoorSignIn, *, by: User) -> DoorSignIn:
    """No, they aren't here: whoever the door recorded is absent, until the coordinator says
    otherwise."""
    session, signed = _locked(signed)
    if signed.state == State.REFUSED:
        return signed
    if signed.state == State.RECORDED and signed.educator:
        came = session.attendances.filter(
            educator=signed.educator, state=Attendance.State.ATTENDED
        ).first()
        if came:
            attendance.attend(came, Attendance.State.ABSENT, by=by)
    _of_the_same(signed).update(state=State.REFUSED)
    signed.state = State.REFUSED
    audit.record("door.refused", signed, by=by)
    return signed


def _locked(signed: DoorSignIn) -> tuple[TrainingSession, DoorSignIn]:
    """The session first, as all do that change who came: two taps at once can't wait for ever."""
    session = sessions.locked(signed.session)
    signed = DoorSignIn.objects.select_for_update(of=("self",)).get(pk=signed.pk)
    return session, signed


def _of_the_same(signed: DoorSignIn) -> QuerySet[DoorSignIn]:
    """This, and what else the same person left at this door in the same state."""
    there = DoorSignIn.objects.filter(session=signed.session_id, state=signed.state)
    if signed.email:
        return there.filter(email=signed.email)
    return there.filter(educator=signed.educator_id)


def forget() -> int:
    """Forget what was typed at the doors of sessions that are long over; return how many rows."""
    old = DoorSignIn.objects.filter(session__ends_at__lt=clock.now() - KEPT)
    nobody, _of_each = old.filter(educator=None).delete()
    return nobody + old.exclude(name="", email="").update(name="", email="")


def _new_place(session: TrainingSession, educator: Educator, by: User) -> Attendance:
    """Somebody of another cohort makes the part up here; anybody else joins this one, out of
    turn if they wait for a place."""
    # What was recorded of somebody who then left another cohort makes room for what counts now.
    session.attendances.filter(educator=educator).exclude(member__cohort=session.cohort).delete()
    elsewhere = CohortMember.objects.filter(
        educator=educator, pk__in=attendance.guests(session).values("pk")
    )
    if member := elsewhere.first():
        return attendance.add_guest(session, member, by=by)
    waits = CohortMember.objects.waiting().filter(cohort=session.cohort, educator=educator)
    if member := waits.first():
        enrolment.give_place(member, by=by)
    else:
        enrolment.enrol(session.cohort, [educator], by=by)
    place = attendance.place_of(session, educator)
    if place is None:
        raise NotReady(
            _("%(cohort)s is full. Give it more places, then confirm.") % {"cohort": session.cohort}
        )
    return place
