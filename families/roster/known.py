"""What the roster holds already, on which a file of changes leans."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from families.models import Caregiver, RosterImport, RosterSession, SchoolClass, Student
from pthv.models import Educator, Membership, Program, Role, School

from .chunks import CHUNK


@dataclass
class Known:
    """Ids of the roster files: nothing at all for a whole bundle, which leans on nothing."""

    # The school years, by their first days, that the last roster file spoke of.
    years: set[str] = field(default_factory=set)
    sessions: dict[str, str] = field(default_factory=dict)
    schools: set[str] = field(default_factory=set)
    classes: dict[str, str] = field(default_factory=dict)  # the school of each
    students: dict[str, str] = field(default_factory=dict)  # the name of each
    educators: dict[str, list[str]] = field(default_factory=dict)  # the schools of each
    guardians: dict[str, str] = field(default_factory=dict)  # the relation of each
    # Which side named the other, of children and their guardians, in the last whole file.
    sides: set[str] = field(default_factory=set)


def known(program: Program) -> Known:
    """Who and what is on the program's roster today."""
    last = _last_counts()
    years = set(last.get("years", ()))
    classes = SchoolClass.objects.filter(school_year__starts_on__in=years, left_on=None)
    students = Student.objects.enrolled().values_list("source_id", "given_name", "family_name")
    guardians = Caregiver.objects.exclude(roster_id="")
    sessions = RosterSession.objects.values_list("source_id", "school_year__starts_on")
    return Known(
        years,
        {key: f"{starts}" for key, starts in sessions},
        set(School.objects.exclude(source_id="").values_list("source_id", flat=True)),
        dict(classes.values_list("source_id", "school__source_id").iterator(CHUNK)),
        {key: f"{given} {family}" for key, given, family in students.iterator(CHUNK)},
        _educators(program),
        dict(guardians.values_list("roster_id", "relation").iterator(CHUNK)),
        set(last.get("sides", ())),
    )


def _last_counts() -> dict[str, Any]:
    """What the last roster file said of itself when it was planned."""
    applied = RosterImport.objects.filter(
        kind=RosterImport.Kind.ONEROSTER, state=RosterImport.State.APPLIED
    )
    last = applied.order_by("-applied_at", "-pk").first()
    return last.counts if last else {}


def _educators(program: Program) -> dict[str, list[str]]:
    schools = defaultdict(list)
    held = Membership.objects.filter(program=program, role=Role.EDUCATOR, ends_on=None)
    for user, school in held.exclude(school__source_id="").values_list("user", "school__source_id"):
        schools[user].append(school)
    found = Educator.objects.exclude(source_id="").filter(user__in=list(schools))
    return {key: schools[user] for key, user in found.values_list("source_id", "user")}
