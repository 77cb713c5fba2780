"""Educators by where they stand, as the desk counts them and lists show them; all of visits."""

import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pthv.models import SchoolYear
from pthv.models.people import EducatorQuerySet
from training.certification import ENDING_SOON, EXPIRING
from training.models import Certification, CohortMember

DAY = datetime.timedelta(days=1)
THREE_MONTHS = datetime.timedelta(days=90)
LABELS: dict[str, Promise] = {
    "current": _("May visit today"),
    "expiring": _("Ends within 30 days"),
    "ending": _("Ends within 60 days"),
    "later": _("Ends within 90 days"),
    "ended": _("Ended"),
    "never": _("Not trained"),
    "nowhere": _("Not trained, enrolled nowhere"),
    "new": _("Newly trained this school year"),
}
WITHIN = {"expiring": EXPIRING, "ending": ENDING_SOON, "later": THREE_MONTHS}


def standing(educators: EducatorQuerySet, state: str, *, on: datetime.date) -> EducatorQuerySet:
    """Those of the educators who stand so on a date; all of them for any other word."""
    if state == "new":
        return newly_trained(educators, SchoolYear.objects.at_hand(on).first())
    if state in WITHIN:
        until = on + WITHIN[state]
        soon = held(expires_on__range=(on, until - DAY))
        return educators.filter(soon, ~held(expires_on__gte=until))
    current = held(expires_on__gte=on)
    tests: dict[str, list[Any]] = {
        "current": [current],
        "ended": [held(), ~current],
        "never": [~held()],
        "nowhere": [~held(), ~_enrolled()],
    }
    return educators.filter(*tests.get(state, ()))


def newly_trained(educators: EducatorQuerySet, year: SchoolYear | None) -> EducatorQuerySet:
    """Those whose first certification of all is of this school year."""
    if year is None:
        return educators.none()
    this_year = held(issued_on__range=(year.starts_on, year.ends_on))
    return educators.filter(this_year, ~held(issued_on__lt=year.starts_on))


def held(**which: Any) -> Exists:
    """Whether an educator has such a certification for visits, not revoked."""
    mine = Certification.objects.certifying().filter(educator=OuterRef("pk"), **which)
    return Exists(mine.order_by())


def _enrolled() -> Exists:
    """Whether an educator has a place in a cohort that isn't complete, or waits for one."""
    mine = CohortMember.objects.there().filter(educator=OuterRef("pk"), cohort__completed_at=None)
    return Exists(mine.order_by())
