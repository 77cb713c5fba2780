"""Signing in at the door: a code on a tablet, for one person, once, for a minute and a half.

Whoever is logged in and has a place is there at once. Everybody else waits until the
coordinator says yes, and is answered the same, whether their address is known or not.
"""

import datetime
import hashlib
import secrets
from typing import NamedTuple

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _
from django_scopes import scopes_disabled

from pthv import accounts, audit, clock
from pthv.blocked import NotReady, raise_if
from pthv.models import Educator, School, User
from training import attendance, enrolment, sessions
from training.models import Attendance, CohortMember, DoorSignIn, TrainingSession

LASTS = datetime.timedelta(seconds=90)
SIGNER = signing.Signer(salt="training.door")
State = DoorSignIn.State
# A part that the coordinator recorded, with its minutes, no door makes a whole.
MISSING = (Attendance.State.EXPECTED, Attendance.State.ABSENT)


class Code(NamedTuple):
    """What stands in a code that is ours and has not run out."""

    session: TrainingSession
    nonce: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.nonce.encode()).hexdigest()


def code(session: TrainingSession) -> str:
    """A new code; nothing is written until somebody uses it."""
    now = int(clock.now().timestamp())
    return SIGNER.sign(f"{session.pk}.{secrets.token_urlsafe(16)}.{now}")


def read(text: str) -> Code:
    """The session that a code opens; NotReady with a kind sentence if it opens none."""
    try:
        pk, nonce, made = SIGNER.unsign(text).split(".")
    except signing.BadSignature:
        raise NotReady(_("This isn't a code of ours. Scan the one at the door again.")) from None
    if clock.now() - datetime.datetime.fromtimestamp(int(made), datetime.UTC) > LASTS:
        raise NotReady(_("This code has run out. Scan the one at the door now."))
    with scopes_disabled():
        session = (
            TrainingSession.objects.select_related("cohort__course", "cohort__program")
            .filter(pk=int(pk))
            .first()
        )
    if session is None:
        raise NotReady(_("This session isn't planned any more. Ask at the door."))
    raise_if(blockers(session))
    return Code(session, nonce)


def blockers(session: TrainingSession) -> list[str]:
    """Why nobody can sign in to this session now."""
    program = session.cohort.program
    if session.cancelled_at:
        return [_("This session was cancelled. Ask your coordinator about the next one.")]
    if session.starts_at.astimezone(program.zone).date() > program.today:
        return [_("This session isn't today. You can sign in on its day.")]
    if session.ends_at <= clock.now():
        return [_("This session is over. Your coordinator can still record that you came.")]
    return []


def educator_of(user: User, session: TrainingSession) -> Educator | None:
    """Who of this session's program is logged in."""
    if not user.is_authenticated:
        return None
    return Educator.objects.staying().filter(user=user).select_related("user").first()


@transaction.atomic
def sign_in(
    found: Code, *, educator: Educator | None = None, name: str = "", email: str = ""
) -> DoorSignIn:
    """Use a code. The same person with the same code is answered the same, and kept once."""
    session = sessions.locked(found.session)
    raise_if(blockers(session))
    if educator:
        name, email = str(educator), educator.user.email
    signed, new = DoorSignIn.objects.get_or_create(
        program_id=session.program_id,
        nonce_hash=found.hash,
        defaults={
            "session": session,
            "educator": educator,
            "name": name,
            "email": email.lower(),
            "signed_in_at": clock.now(),
        },
    )
    if not new:
        if (signed.educator_id, signed.email) == (educator and educator.pk, email.lower()):
            return signed
        raise NotReady(_("Somebody else used this code. Scan the one at the door now."))
    if educator and (place := attendance.place_of(session, educator)):
        if place.state not in MISSING:
            raise NotReady(_("You are signed in already. There is nothing more to do."))
        attendance.attend(place, Attendance.State.ATTENDED, by=educator.user)
        signed.state = State.RECORDED
        signed.save(update_fields=["state"])
    audit.record("door.signed_in", signed, by=educator.user if educator else None)
    return signed


@transaction.atomic
def confirm(signed: DoorSignIn, *, by: User, school: School | None = None) -> DoorSignIn:
    """Yes, they are here: record it, and give them a place, and an account, if they have none."""
    signed = DoorSignIn.objects.select_for_update(of=("self",)).get(pk=signed.pk)
    if signed.state != State.WAITING:
        return signed
    session = sessions.locked(signed.session)
    # Whoever left is welcomed like somebody new: they come back.
    known = Educator.objects.staying().filter(user__email=signed.email)
    educator = signed.educator or known.select_related("user").first()
    if educator is None:
        school = school or session.cohort.school
        if school is None:
            raise NotReady(_("Choose the school they work at, then confirm."))
        educator = accounts.welcome(signed.email, signed.name, school, by=by)
    place = attendance.place_of(session, educator) or _new_place(session, educator, by)
    if place.state in MISSING:
        attendance.attend(place, Attendance.State.ATTENDED, by=by)
    same = DoorSignIn.objects.filter(session=session, email=signed.email, state=State.WAITING)
    same.update(state=State.RECORDED, educator=educator)
    signed.state, signed.educator = State.RECORDED, educator
    audit.record("door.confirmed", signed, by=by)
    return signed


@transaction.atomic
def refuse(signed: DoorSignIn, *, by: User) -> DoorSignIn:
    """No, they aren't here."""
    signed = DoorSignIn.objects.select_for_update(of=("self",)).get(pk=signed.pk)
    if signed.state == State.WAITING:
        same = DoorSignIn.objects.filter(
            session=signed.session_id, email=signed.email, state=State.WAITING
        )
        same.update(state=State.REFUSED)
        signed.state = State.REFUSED
        audit.record("door.refused", signed, by=by)
    return signed


def _new_place(session: TrainingSession, educator: Educator, by: User) -> Attendance:
    """Somebody of another cohort makes the part up here; anybody else joins this one, out of
    turn if they wait for a place."""
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
