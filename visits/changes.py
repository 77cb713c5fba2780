"""What became of a visit's plan, for those who see it: who did what, and when."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pthv import wording
from pthv.models import AuditEntry, Educator
from visits.models import Visit

SAID: dict[str, Any] = {
    "visit.scheduled": gettext_lazy("Scheduled for %(to_time)s"),
    "visit.moved": gettext_lazy("Moved from %(from_time)s to %(to_time)s"),
    "visit.swapped": gettext_lazy("%(to)s goes instead of %(out)s"),
    "visit.declined": gettext_lazy("Said that they can't go"),
    "visit.confirmed": gettext_lazy("Confirmed"),
    "visit.cancelled": gettext_lazy("Cancelled"),
    "visit.held": gettext_lazy("Held"),
    "visit.out": gettext_lazy("On the way"),
    "visit.arrived": gettext_lazy("Arrived"),
    "visit.left": gettext_lazy("Left"),
    "visit.help_asked": gettext_lazy("Asked for help"),
    "visit.all_well": gettext_lazy("Said that all is well"),
}


@dataclass(frozen=True)
class Change:
    """One line: what, when, and who did it; nobody of us: the family, by its link."""

    at: datetime.datetime
    what: str
    by: str


def of(visit: Visit) -> list[Change]:
    """The changes of a visit, the first one first."""
    entries = AuditEntry.objects.filter(
        program=visit.program_id,
        subject_type="visit",
        subject_id=visit.pk,
        event__in=SAID,
    )
    found = list(entries.select_related("by").order_by("pk"))
    people = _people(entry.facts for entry in found)
    return [
        Change(
            entry.at,
            SAID[entry.event] % _facts(entry.facts, people, visit),
            str(entry.by) if entry.by else _("The family"),
        )
        for entry in found
    ]


def _people(facts: Iterable[dict[str, Any]]) -> dict[int, Educator]:
    named = {one[key] for one in facts for key in ("out", "to") if key in one}
    return Educator.objects.select_related("user").in_bulk(named) if named else {}


def _facts(facts: dict[str, Any], people: dict[int, Educator], visit: Visit) -> dict[str, str]:
    times = {"from_time": facts.get("was"), "to_time": facts.get("starts_at")}
    said = {
        name: wording.moment(datetime.datetime.fromisoformat(time), visit.program)
        for name, time in times.items()
        if time
    }
    return said | {key: str(people.get(facts.get(key, 0), "")) for key in ("out", "to")}
