"""Whom a file itself had ended: those, unlike any other, a file may bring back."""

import datetime
from collections.abc import Collection

from django.db.models import Max, Q, QuerySet

from families.models import RosterChange, RosterImport
from pthv.models import AuditEntry, Program

from .barred import Barred
from .states import Table

ENDED = Q(event="caregiver.ended") | Q(
    event="caregiver.changed", facts__fields__contains=["ended_on"]
)
KEPT_AWAY = Q(event="caregiver.changed", facts__fields__contains=["may_be_contacted"])


def by_people(program: Program, what: Q = ENDED) -> QuerySet[AuditEntry]:
    """What people, not files, did to end somebody."""
    return AuditEntry.objects.filter(what, program=program, subject_type="caregiver")


def forgive(program: Program, barred: Barred, kinds: Collection[str]) -> set[int]:
    """Take out of the barred whom an applied file of these kinds ended by leaving them out.

    Districts export wrongly: one bad night must not keep every guardian out for good. Whoever
    was ended by a person, even one whom a file had brought back or ended before, stays out.
    """
    candidates = [
        person
        for people in barred.people.values()
        for person in people
        if (person.roster_id or person.source_id) and person.ended_on and person.may_be_contacted
    ]
    if not candidates:
        return set()
    known_as = {key for person in candidates for key in (person.roster_id, person.source_id)}
    lines = RosterChange.objects.filter(
        kind=RosterChange.Kind.LEFT,
        table=Table.CAREGIVER,
        roster_import__kind__in=kinds,
        roster_import__state=RosterImport.State.APPLIED,
        source_id__in=known_as,
    )
    last = _last_ended(program, [person.pk for person in candidates])
    days = {
        (pk, applied_at.astimezone(program.zone).date())
        for pk, applied_at in lines.values_list("before__caregiver", "roster_import__applied_at")
        if pk not in last or last[pk] < applied_at
    }
    forgiven = {person.pk for person in candidates if (person.pk, person.ended_on) in days}
    for family, people in barred.people.items():
        barred.people[family] = [person for person in people if person.pk not in forgiven]
    return forgiven


def _last_ended(program: Program, people: list[int]) -> dict[int, datetime.datetime]:
    """When a person last ended each of these, if one did."""
    entries = by_people(program).filter(subject_id__in=people).order_by()
    return dict(entries.values_list("subject_id").annotate(Max("at")))
