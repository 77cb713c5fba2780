"""On our way, we're here, we've left: taps of a pair on its visit, and alerts where one is missing.

Each tap counts once, whoever of the pair is first; a later step stands for those before it. Every
action locks the visit, as scheduling does. Times are the server's, in UTC: a program's zone, its
clock changes and a phone's clock decide nothing.
"""

import datetime
import logging
from typing import TypeAlias

from django.db import transaction
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Program, User
from visits import safety_messages, scheduling
from visits.models import SafetyCheck, Visit, VisitParticipant
from visits.models.safety import STEPS

log = logging.getLogger(__name__)
State = Visit.State
Alerted: TypeAlias = SafetyCheck.Alerted
# Whoever opens an old page hours after the visit isn't on the way to it.
TOO_LATE = datetime.timedelta(hours=6)
MORE = (15, 30)  # minutes that a pair may stay longer, at a tap


def out(visit: Visit, *, by: User, phone_time: datetime.datetime | None = None) -> SafetyCheck:
    """The pair is on its way; from now on somebody notices if it doesn't come back."""
    return _come_to("out", visit, by, phone_time)


def arrive(visit: Visit, *, by: User, phone_time: datetime.datetime | None = None) -> SafetyCheck:
    """The pair is there; whoever arrives late is expected to stay as long as was planned."""
    return _come_to("arrived", visit, by, phone_time)


@transaction.atomic
def _come_to(
    step: str, visit: Visit, by: User, phone_time: datetime.datetime | None
) -> SafetyCheck:
    visit, check = _locked(visit, by)
    if check.has_come_to(step) or visit.state in (State.HELD, State.COMPLETED):
        return check
    raise_if(_blockers(visit))
    _note(check, step, visit, by, phone_time)
    check.watched = True
    if step == "arrived":
        planned = datetime.timedelta(minutes=visit.minutes)
        check.expected_end = max(check.expected_end, clock.now() + planned)
    check.save()
    audit.record(f"visit.{step}", visit, by=by)
    return check


@transaction.atomic
def leave(
    visit: Visit,
    *,
    by: User,
    early: bool = False,
    phone_time: datetime.datetime | None = None,
) -> SafetyCheck:
    """The pair has left, and is well; the visit is held with that, if nothing is in the way."""
    visit, check = _locked(visit, by)
    if not visit.occupies:
        raise NotReady(_("This visit was cancelled. Find a new time."))
    if check.left_at is None:
        raise_if(_too_early(visit))
        _note(check, "left", visit, by, phone_time)
        check.left_early = early
        _end_alert(check, visit, by)
        check.watched = False
        check.save()
        audit.record("visit.left", visit, by=by, early=early)
    if not scheduling.hold_blockers(visit):
        scheduling.hold(visit, by=by)
    return check


@transaction.atomic
def longer(
    visit: Visit, minutes: int, *, by: User, seen: datetime.datetime | None = None
) -> SafetyCheck:
    """The pair stays longer than was expected.

    `seen`: until when, as the page said that was tapped on. Where it isn't so any more, somebody
    was first, and nothing is added again.
    """
    if minutes not in MORE:
        raise ValueError(f"not one of {MORE} minutes")
    visit, check = _locked(visit, by)
    if check.left_at or (seen is not None and seen != check.expected_end):
        return check
    raise_if(_blockers(visit))
    until = max(check.expected_end, clock.now()) + datetime.timedelta(minutes=minutes)
    check.expected_end, check.watched = until, True
    check.save()
    audit.record("visit.longer", visit, by=by, until=until.isoformat())
    return check


@transaction.atomic
def ask_help(visit: Visit, *, by: User) -> SafetyCheck:
    """Somebody of the pair needs help now: the school's contact and the program hear of it."""
    visit, check = _locked(visit, by)
    if check.wants_help:
        return check
    _begin_alert(check)
    check.help_at, check.help_by = clock.now(), by
    check.save()
    audit.record("visit.help_asked", visit, by=by)
    safety_messages.tell_of_help(visit, check)
    return check


@transaction.atomic
def all_well(visit: Visit, *, by: User) -> SafetyCheck | None:
    """The pair says that it is well, or somebody has reached it: that ends the alert.

    Without one nothing changes: the pair is still expected back.
    """
    visit = Visit.objects.locked(visit.pk)
    check = SafetyCheck.objects.filter(visit=visit).first()
    if check is None or not (check.is_open or check.is_late):
        return check
    late = check.is_late
    _end_alert(check, visit, by)
    check.watched = check.watched and not late
    check.save()
    audit.record("visit.all_well", visit, by=by)
    return check


def start_over(visit: Visit) -> None:
    """The visit has another time: nobody is on the way any more. That help was asked stays."""
    taps = {f"{step}_{what}": None for step in STEPS for what in ("at", "by", "phone_at")}
    SafetyCheck.objects.filter(visit=visit).update(
        **taps,
        left_early=False,
        watched=False,
        expected_end=visit.during.upper,
        alerted=Alerted.NOBODY,
        alerted_at=None,
    )


def watch(program: Program) -> int:
    """Alert the next people about each pair that is overdue; return how many alerts that were.

    First the pair itself, after as long again the school's contact, and then the program; each
    once. What goes wrong with one visit stays with it.
    """
    waiting = SafetyCheck.objects.filter(program=program).to_look_after(overdue_since(program))
    count = 0
    for visit in waiting.order_by("expected_end", "pk").values_list("visit", flat=True):
        try:
            count += _look_after(visit)
        except Exception as error:
            log.warning("visit %s not looked after: %s", visit, type(error).__name__)
    return count


def overdue_since(program: Program) -> datetime.datetime:
    """Whoever was expected back before then is overdue by now."""
    return clock.now() - _grace(program)


@transaction.atomic
def _look_after(pk: int) -> int:
    visit = Visit.objects.locked(pk)
    check = SafetyCheck.objects.get(visit=visit)
    # Whoever came second finds nothing due any more.
    if not check.watched:
        return 0
    if not visit.is_ahead:
        _settle(check, visit)
        return 0
    grace = _grace(visit.program)
    told = 0
    for place, level in enumerate(_levels(visit), start=1):
        if check.alerted < level and clock.now() > check.expected_end + place * grace:
            _alert(check, visit, level)
            told += 1
    if told:
        check.save()
    return told


def _levels(visit: Visit) -> list[Alerted]:
    """Who is told, one after another; a school without a contact has the program instead."""
    contact = [Alerted.CONTACT] if visit.school.has_safety_contact else []
    return [Alerted.PAIR, *contact, Alerted.PROGRAM]


def _alert(check: SafetyCheck, visit: Visit, level: Alerted) -> None:
    _begin_alert(check)
    check.alerted, check.alerted_at = level, clock.now()
    safety_messages.tell_overdue(visit, check)
    audit.record("visit.overdue", visit, by=None, told=level.name.lower())


def _settle(check: SafetyCheck, visit: Visit) -> None:
    """It was held or called off without a last tap: nobody is waited for. A call for help stays."""
    check.watched = False
    by = visit.held_by or visit.ended_by
    if by and not check.wants_help:
        _end_alert(check, visit, by)
    check.save()


def _begin_alert(check: SafetyCheck) -> None:
    """What was ended before is history, which the audit has."""
    if check.well_at:
        check.well_at = check.well_by = check.help_at = check.help_by = None


def _end_alert(check: SafetyCheck, visit: Visit, by: User) -> None:
    """Whoever was told hears that all is well."""
    told = check.is_open
    if told or check.is_late:
        check.well_at, check.well_by = clock.now(), by
    if told:
        safety_messages.tell_all_well(visit, check)


def _locked(visit: Visit, by: User) -> tuple[Visit, SafetyCheck]:
    """The visit, kept from others, and what was tapped on it so far, for one who goes."""
    visit = Visit.objects.locked(visit.pk)
    mine = VisitParticipant.objects.filter(visit=visit, educator__user=by)
    if not mine.exists():
        raise NotReady(_("Only who goes on a visit can say how it goes."))
    check = SafetyCheck.objects.filter(visit=visit).first() or SafetyCheck(
        program=visit.program, expected_end=visit.during.upper
    )
    check.visit = visit
    return visit, check


def _note(
    check: SafetyCheck, step: str, visit: Visit, by: User, phone_time: datetime.datetime | None
) -> None:
    now = clock.now()
    setattr(check, f"{step}_at", now)
    setattr(check, f"{step}_by", by)
    setattr(check, f"{step}_phone_at", _plausible(phone_time, visit, now))


def _plausible(
    said: datetime.datetime | None, visit: Visit, now: datetime.datetime
) -> datetime.datetime | None:
    """What a phone says the time was, unless its clock is plainly wrong: then nothing."""
    begins, _ends = clock.day_of(visit.starts_on, visit.program.zone)
    return said if said and begins <= said <= now else None


def _blockers(visit: Visit) -> list[str]:
    """Why nobody is on the way to this visit, or at it."""
    if not visit.occupies:
        return [_("This visit was cancelled. Find a new time.")]
    if visit.place == Visit.Place.VIRTUAL:
        return [_("This visit is by video: nobody goes anywhere.")]
    if clock.now() > visit.during.upper + TOO_LATE:
        return [_("This visit is over. Say how it went instead.")]
    return _too_early(visit)


def _too_early(visit: Visit) -> list[str]:
    if clock.now() >= visit.sets_out_from:
        return []
    moment = wording.moment(visit.during.lower, visit.program)
    return [_("This visit starts %(moment)s.") % {"moment": moment}]


def _grace(program: Program) -> datetime.timedelta:
    return datetime.timedelta(minutes=program.overdue_after)
