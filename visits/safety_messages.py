"""Who hears of a pair that is overdue or needs help, and that all is well again.

Staff, school and time stand in it; never a family, a child or an address. No hour is too late.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from pthv import outbox, stops, texts, wording
from pthv.calendars import Guest
from pthv.models import Membership, Message, Role, School, User
from visits.family_wording import as_text
from visits.models import SafetyCheck, Visit

Alerted = SafetyCheck.Alerted
ALARMS = ("safety_overdue", "safety_alert", "safety_help")


def tell_overdue(visit: Visit, check: SafetyCheck) -> None:
    """Tell those whose turn it is that the pair hasn't said that it left; each once for a time
    until which it was expected."""
    key = f"{visit.pk}:{visit.sequence}:{check.expected_end:%Y%m%d%H%M%S%f}"
    if check.alerted == Alerted.PAIR:
        pair = [one.educator.user for one in _going(visit)]
        _mail("safety_overdue", pair, visit, check, key)
    if check.alerted == Alerted.CONTACT:
        _mail_contact("safety_alert", visit, check, key)
        _text_contact("safety_alert", visit, check, key)
    if check.alerted == Alerted.PROGRAM:
        _mail("safety_alert", _coordinators(visit), visit, check, key)


def tell_of_help(visit: Visit, check: SafetyCheck) -> None:
    """Tell the school's contact and the program at once that the pair needs help."""
    key = f"{visit.pk}:{check.help_at:%Y%m%d%H%M%S%f}"
    _mail_contact("safety_help", visit, check, key)
    _text_contact("safety_help", visit, check, key)
    _mail("safety_help", _coordinators(visit), visit, check, key)


def tell_all_well(visit: Visit, check: SafetyCheck) -> None:
    """Tell everybody who was alarmed that all is well; an alarm that still waits, because mail is
    down, would only frighten."""
    outbox.withdraw_all(visit.program, ALARMS, f"{visit.pk}:")
    key = f"{visit.pk}:{check.well_at:%Y%m%d%H%M%S%f}"
    if check.help_at or check.alerted >= Alerted.CONTACT:
        _mail_contact("safety_well", visit, check, key)
        _text_contact("safety_well", visit, check, key)
    if check.help_at or check.alerted == Alerted.PROGRAM:
        _mail("safety_well", _coordinators(visit), visit, check, key)


def reached(schools: Iterable[School]) -> set[int]:
    """Of these schools, the ids of those whose contact a message reaches: by mail, or by a text
    where texts are sent and theirs were not stopped."""
    schools, texted = list(schools), texts.offered()
    phones = {one.pk: str(one.safety_phone) for one in schools if not one.safety_email and texted}
    stopped = stops.stopped(phones.values())
    by_text = {pk for pk, phone in phones.items() if phone and phone not in stopped}
    return by_text | {one.pk for one in schools if one.safety_email}


def _going(visit: Visit) -> list:
    return [one for one in visit.visitors if one.declined_at is None]


def _coordinators(visit: Visit) -> Iterable[User]:
    """Whoever coordinates the program now, and the visit's school."""
    held = Membership.objects.current().filter(program=visit.program_id, user__is_active=True)
    here = Q(role=Role.SITE_COORDINATOR, school=visit.school_id)
    theirs = held.filter(Q(role=Role.PROGRAM_COORDINATOR) | here)
    return User.objects.filter(pk__in=theirs.values("user")).order_by("pk")


def _context(visit: Visit, check: SafetyCheck) -> dict[str, object]:
    names = wording.listed(one.educator for one in _going(visit))
    return {"visit": visit, "check": check, "names": names, "school": visit.school}


def _mail(kind: str, users: Iterable[User], visit: Visit, check: SafetyCheck, key: str) -> None:
    context = _context(visit, check)
    letters = [outbox.Letter(user, context, f"{key}:{user.pk}") for user in users]
    outbox.queue_many(visit.program, kind, letters)


def _mail_contact(kind: str, visit: Visit, check: SafetyCheck, key: str) -> None:
    school = visit.school
    if school.safety_email:
        guest = Guest(school.safety_name, school.safety_email)
        letter = outbox.Letter(guest, _context(visit, check), f"{key}:contact")
        outbox.queue_many(visit.program, kind, [letter])


def _text_contact(kind: str, visit: Visit, check: SafetyCheck, key: str) -> None:
    """The same in a line, to the contact's phone, where texts are sent at all."""
    phone = str(visit.school.safety_phone)
    if not phone or not texts.offered() or stops.is_stopped(phone):
        return
    drafts = outbox.drafts(visit.program, kind, [f"{key}:text"])
    with _in(visit):
        body = as_text(_said(kind) % _facts(visit, check), settings.LANGUAGE_CODE)
    for message in drafts.values():
        message.channel, message.address = Message.Channel.TEXT, phone
        message.body, message.language, message.quiet = body, settings.LANGUAGE_CODE, False
    outbox.post(visit.program, drafts.values())


def _said(kind: str) -> str:
    said = {
        "safety_alert": _(
            "%(names)s (%(school)s) were expected back from a home visit at %(until)s and haven't "
            "said that they left. Please call them now."
        ),
        "safety_help": _(
            "%(names)s (%(school)s) asked for help on a home visit at %(asked)s. Please call them "
            "now; if you can't reach them, call 911."
        ),
        "safety_well": _("All is well: %(names)s (%(school)s), %(well)s."),
    }
    return said[kind]


def _facts(visit: Visit, check: SafetyCheck) -> dict[str, str]:
    times = {"until": check.expected_end, "asked": check.help_at, "well": check.well_at}
    said = {name: wording.moment(at) if at else "" for name, at in times.items()}
    names = wording.listed(one.educator for one in _going(visit))
    return said | {"names": names, "school": visit.school.name}


@contextmanager
def _in(visit: Visit) -> Iterator[None]:
    """In English, by the clock on the program's walls."""
    english = translation.override(settings.LANGUAGE_CODE)
    with english, timezone.override(visit.program.zone):
        yield
