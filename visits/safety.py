"""On our way, we're here, we've left: taps of a pair on its visit, and alerts where one is missing.

Each tap counts once, whoever of the pair is first; a later step stands for those before it. Every
action locks the visit, as scheduling does. Times are the server's, in UTC: a program's zone, its
clock changes and a phone's clock decide nothing.
"""

import datetime
import logging
from typing import TypeAlias

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from pthv import audit, clock, wording
from pthv.blocked import NotReady, raise_if
from pthv.models import Program, User
from visits import safety_messages, scheduling
from visits.models import SafetyCheck, Visit, VisitParticipant
from visits.models.safety import STEPS

log = logging.getLogger(__name__)
Alerted: TypeAlias = SafetyCheck.Alerted
# Whoever opens an old page hours after the visit isn't on the way to it.
TOO_LATE = datetime.timedelta(hours=6)
MORE = (15, 30)  # minutes that a pair may stay longer, at a tap


def out(visit: Visit, *, by: User, phone_time: datetime.datetime | None = None) -> SafetyCheck:
    """The pair is on its way; from now on somebody notices if it doesn't come back.

    Whoever sets out late is expected to stay as long as was planned.
    """
    return _come_to("out", visit, by, phone_time)


def arrive(visit: Visit, *, by: User, phone_time: datetime.datetime | None = None) -> SafetyCheck:
    """The pair is there; whoever arrives late stays as long as was planned, too."""
    return _come_to("arrived", visit, by, phone_time)


@transaction.atomic
def _come_to(
    step: str, visit: Visit, by: User, phone_time: datetime.datetime | None
) -> SafetyCheck:
    visit, check = _locked(visit, by)
    if check.has_come_to(step) or visit.took_place:
        return check
    raise_if(_blockers(visit, check))
    _note(check, step, visit, by, phone_time)
    planned = clock.now() + datetime.timedelta(minutes=visit.minutes)
    _expect(check, max(check.expected_end, planned), visit, by)
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
    """The pair has left; the visit is held with that, if nothing is in the way.

    A call for help goes on: this tap may be older than the call, or another's.
    """
    visit, check = _locked(visit, by)
    raise_if(_cancelled(visit, check))
    if check.left_at is None:
        raise_if(_too_early(visit))
        _note(check, "left", visit, by, phone_time)
        check.left_early = early
        if not check.wants_help:
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
    """The pair stays longer than was expected, and is well: whoever was told otherwise hears so.

    `seen`: until when, as the page said that was tapped on. Where it isn't so any more, somebody
    was first, and nothing is added again.
    """
    if minutes not in MORE:
        raise ValueError(f"not one of {MORE} minutes")
    visit, check = _locked(visit, by)
    if check.left_at or (seen is not None and seen != check.expected_end):
        return check
    raise_if(_blockers(visit, check))
    until = max(check.expected_end, clock.now()) + datetime.timedelta(minutes=minutes)
    _expect(check, until, visit, by)
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
def we_are_fine(visit: Visit, *, by: User) -> SafetyCheck | None:
    """The pair says itself that it is well."""
    visit, _check = _locked(visit, by)
    return all_well(visit, by=by)


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


def is_under_way(visit: Visit) -> bool:
    """Whether the pair said that it is on its way or there, and not yet that it left."""
    tapped = Q(out_at__isnull=False) | Q(arrived_at__isnull=False)
    return SafetyCheck.objects.filter(tapped, visit=visit, left_at=None).exists()


def is_there(visit: Visit) -> bool:
    """Whether the pair said that it is there, and not yet that it left."""
    return SafetyCheck.objects.filter(visit=visit, left_at=None).exclude(arrived_at=None).exists()


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
    once, and none before the one ahead had that long to act, however late the worker comes. What
    goes wrong with one visit stays with it.
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
    if visit.took_place:
        _settle(check, visit)
        return 0
    level = _due(check, visit)
    if level is None:
        return 0
    _alert(check, visit, level)
    check.save()
    return 1


def _due(check: SafetyCheck, visit: Visit) -> Alerted | None:
    """Who is told next, if it is time."""
    now, grace = clock.now(), _grace(visit.program)
    if check.alerted_at and now < check.alerted_at + grace:
        return None
    for place, level in enumerate(_levels(visit), start=1):
        if check.alerted < level:
            return level if now > check.expected_end + place * grace else None
    return None


def _levels(visit: Visit) -> list[Alerted]:
    """Who is told, one after another; where no message reaches a contact, the program instead."""
    contact = [Alerted.CONTACT] if safety_messages.reached([visit.school]) else []
    return [Alerted.PAIR, *contact, Alerted.PROGRAM]


def _alert(check: SafetyCheck, visit: Visit, level: Alerted) -> None:
    _begin_alert(check)
    check.alerted, check.alerted_at = level, clock.now()
    safety_messages.tell_overdue(visit, check)
    audit.record("visit.overdue", visit, by=None, told=level.name.lower())


def _settle(check: SafetyCheck, visit: Visit) -> None:
    """It was held without a last tap: nobody is waited for. A call for help stays."""
    check.watched = False
    if visit.held_by and not check.wants_help:
        _end_alert(check, visit, visit.held_by)
    check.save()


def _expect(check: SafetyCheck, until: datetime.datetime, visit: Visit, by: User) -> None:
    """From now on they are watched, until then; whoever was alarmed hears that they are well, and
    would be told again. A call for help stays."""
    if check.alerted and not check.wants_help:
        _end_alert(check, visit, by)
    check.alerted, check.alerted_at = Alerted.NOBODY, None
    check.expected_end, check.watched = until, True


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
    mine = VisitParticipant.objects.filter(visit=visit, educator__user=by, declined_at=None)
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


def _cancelled(visit: Visit, check: SafetyCheck) -> list[str]:
    """Whoever had set out before it was called off may still say how it goes."""
    if visit.occupies or check.watched or check.has_come_to("out"):
        return []
    return [_("This visit was cancelled. Find a new time.")]


def _blockers(visit: Visit, check: SafetyCheck) -> list[str]:
    """Why nobody is on the way to this visit, or at it."""
    if reasons := _cancelled(visit, check):
        return reasons
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
