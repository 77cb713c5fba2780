"""Who is current, on which date, and until when: what scheduling and pay ask."""

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pthv import audit, clock, outbox, wording
from pthv.blocked import NotReady
from pthv.models import Educator, User
from training.models import Certification, CohortMember, Course, Grant

EARLIEST = datetime.date(1998, 1, 1)  # the first home visits of this kind
ENDING_SOON = datetime.timedelta(days=60)
EXPIRING = datetime.timedelta(days=30)  # time to act
TRAINING_FOR = {
    Grant.VISITS: gettext_lazy("training"),
    Grant.SECOND_VISITS: gettext_lazy("training for second visits"),
}


def current(
    educator: Educator,
    *,
    on: datetime.date,
    grant: str = Grant.VISITS,
    among: QuerySet[Certification] | None = None,
) -> Certification | None:
    """What allows `grant` to somebody on a date, the one that lasts longest; None if nothing."""
    held = (Certification.objects.all() if among is None else among).filter(
        educator=educator,
        course__grants=grant,
        issued_on__lte=on,
        expires_on__gte=on,
        revoked_at=None,
    )
    return held.order_by("-expires_on", "-pk").first()


def untrained(
    educators: Iterable[Educator], *, on: datetime.date, second_visit: bool = False
) -> dict[Educator, str]:
    """Those who may not visit on a date, each with a sentence that says why and what to do.

    A second visit asks for a training of its own once the program has a course for it.
    """
    educators = list(educators)
    reasons = _lacking(educators, on, Grant.VISITS)
    if second_visit and Course.objects.filter(grants=Grant.SECOND_VISITS).exists():
        reasons = _lacking(educators, on, Grant.SECOND_VISITS) | reasons
    return reasons


def _lacking(educators: list[Educator], on: datetime.date, grant: Grant) -> dict[Educator, str]:
    held: dict[int, list[Certification]] = {}
    for certification in Certification.objects.filter(
        educator__in=educators, course__grants=grant
    ).order_by("expires_on", "pk"):
        held.setdefault(certification.educator_id, []).append(certification)
    reasons = {
        educator: _why_not(educator, held.get(educator.pk, []), on, str(TRAINING_FOR[grant]))
        for educator in educators
    }
    return {educator: reason for educator, reason in reasons.items() if reason}


def _why_not(
    educator: Educator, held: list[Certification], on: datetime.date, training: str
) -> str:
    valid = [c for c in held if c.revoked_at is None]
    if any(c.issued_on <= on <= c.expires_on for c in valid):
        return ""
    today = educator.program.today
    facts = {"name": educator, "training": training, "visit_on": wording.day(on, today)}
    ended = [c for c in valid if c.expires_on < on]
    if ended:
        facts["ended"] = wording.day(ended[-1].expires_on, today)
        if ended[-1].expires_on >= today:
            return (
                _("%(name)s's %(training)s ends %(ended)s; renew it before %(visit_on)s.") % facts
            )
        return _("%(name)s's %(training)s ended %(ended)s; renew it before %(visit_on)s.") % facts
    if valid:
        facts["starts"] = wording.day(valid[0].issued_on, today)
        return _("%(name)s's %(training)s starts %(starts)s, after this visit.") % facts
    if held:
        return _("%(name)s's certification was revoked; they need %(training)s first.") % facts
    return _("%(name)s has not been trained yet; they need %(training)s first.") % facts


class Standing(NamedTuple):
    """Whether somebody may visit today, in a word and a date."""

    state: str  # "current", "ending", "expiring", "starting", "ended", "revoked" or "never"
    day: datetime.date | None = None
    certification: Certification | None = None


def standings(educators: Iterable[Educator], *, on: datetime.date) -> dict[int, Standing]:
    """Where each stands on a date, by educator's id; one query."""
    educators = list(educators)
    held: dict[int, list[Certification]] = {educator.pk: [] for educator in educators}
    for certification in Certification.objects.filter(
        educator__in=educators, course__grants=Grant.VISITS
    ).order_by("-expires_on", "-pk"):
        held[certification.educator_id].append(certification)
    return {educator: standing_of(theirs, on=on) for educator, theirs in held.items()}


def standing_of(held: list[Certification], *, on: datetime.date) -> Standing:
    """Where somebody stands on a date who holds these for visits, the longest lasting first."""
    valid = [c for c in held if c.revoked_at is None]
    for found in valid:
        if found.issued_on <= on <= found.expires_on:
            left = found.expires_on - on
            state = "expiring" if left < EXPIRING else "ending" if left < ENDING_SOON else "current"
            return Standing(state, found.expires_on, found)
    if not valid:
        return Standing("revoked", None, held[0]) if held else Standing("never")
    if valid[0].issued_on > on:
        return Standing("starting", valid[0].issued_on, valid[0])
    return Standing("ended", valid[0].expires_on, valid[0])


def with_last_day(educators: QuerySet) -> QuerySet:
    """Educators with the `last_day` they may visit; the first of all days if there is none."""
    latest = Certification.objects.certifying().filter(educator=OuterRef("pk"))
    return educators.annotate(
        last_day=Coalesce(
            Subquery(latest.order_by("-expires_on").values("expires_on")[:1]),
            Value(datetime.date.min),
        )
    )


def expiry(course: Course, issued_on: datetime.date) -> datetime.date:
    """The last day of a certification: so many whole months later, less a day."""
    months = issued_on.month - 1 + course.validity_months
    year, month = issued_on.year + months // 12, months % 12 + 1
    for last_day in (issued_on.day, 30, 29, 28):  # 31 August + 6 months: as if from 28 February
        try:
            return datetime.date(year, month, last_day) - datetime.timedelta(days=1)
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


@transaction.atomic
def issue(educator: Educator, course: Course, *, on: datetime.date, by: User) -> Certification:
    """Certify `educator` from a date on, today or before; asking twice gives the same one."""
    if on > educator.program.today:
        raise NotReady(_("Choose the day the training ended: today or earlier."))
    Educator.objects.select_for_update(no_key=True).get(pk=educator.pk)
    theirs = Certification.objects.filter(educator=educator).select_related("course")
    for held in theirs:
        if bars(held, course, on, educator.program.zone):
            revoked = held.revoked_at.astimezone(educator.program.zone).date()
            raise NotReady(
                _("Their certification was revoked on %(day)s. Only a later training counts.")
                % {"day": wording.day(revoked, educator.program.today)}
            )
    if there := theirs.filter(course=course, issued_on=on).first():
        return there
    given = made(educator, course, on=on, by=by)
    keep([given], by=by)
    return given


def bars(held: Certification, course: Course, on: datetime.date, zone: datetime.tzinfo) -> bool:
    """Whether `held` was revoked, and a training of this course (or one that allows the same)
    that ended on that day is no later: what was taken back isn't given back by a trick."""
    same = held.course_id == course.pk or (course.grants and held.course.grants == course.grants)
    return bool(held.revoked_at and same and on <= held.revoked_at.astimezone(zone).date())


def made(
    educator: Educator,
    course: Course,
    *,
    on: datetime.date,
    by: User,
    member: CohortMember | None = None,
) -> Certification:
    """A certification that is not kept yet; `member`: the membership of a cohort it came by."""
    return Certification(
        program=educator.program,
        educator=educator,
        course=course,
        issued_on=on,
        expires_on=expiry(course, on),
        issued_by=by,
        member=member,
    )


def keep(issued: list[Certification], *, by: User) -> None:
    """Store new certifications, and that they were issued."""
    Certification.objects.bulk_create(issued)
    audit.record_many(
        "certification.issued",
        [
            (
                one,
                {
                    "educator": one.educator_id,
                    "issued_on": str(one.issued_on),
                    "expires_on": str(one.expires_on),
                    "backdated": one.issued_on < one.educator.program.today,
                },
            )
            for one in issued
        ],
        by=by,
    )


@transaction.atomic
def revoke(certification: Certification, *, because: str, by: User) -> Certification:
    """End a certification at once, with a reason."""
    if not because.strip():
        raise NotReady(_("Say why this certification is revoked."))
    held = Certification.objects.select_for_update(of=("self",)).select_related(
        "educator__user", "educator__program", "course"
    )
    certification = held.get(pk=certification.pk)
    if certification.revoked_at is None:
        certification.revoked_at, certification.revoked_by = clock.now(), by
        certification.revoked_because = because.strip()
        certification.save(update_fields=["revoked_at", "revoked_by", "revoked_because"])
        audit.record("certification.revoked", certification, by=by, because=because.strip())
        educator = certification.educator
        said: dict[str, object] = {
            "certification": certification,
            "still": current(educator, on=educator.program.today),
        }
        key = str(certification.pk)
        outbox.queue(educator.program, "certification_revoked", educator.user, said, key=key)
    return certification
