"""What the program's roster holds today, in the shape a file is compared with."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from families.models import ClassTeacher, Enrollment, SchoolClass, Student
from pthv.models import Educator, Membership, Program, Role, School

from .chunks import CHUNK
from .states import Data

# What is told of a student even where it is empty.
TOLD = ("given_name", "family_name", "grade")


@dataclass(slots=True)
class Held:
    """A person of the roster, with the own id of each of their enrollments by class."""

    label: str
    data: Data
    classes: dict[str, str] = field(default_factory=dict)
    left: bool = False


def schools() -> dict[str, str]:
    """The name of each school that a file brought."""
    return dict(School.objects.exclude(source_id="").values_list("source_id", "name"))


def classes(years: Iterable[str]) -> Iterator[tuple[str, str, str, str]]:
    """Id, title, school and year of the classes of these years (by first day)."""
    found = SchoolClass.objects.filter(school_year__starts_on__in=list(years), left_on=None)
    rows = found.values_list("source_id", "title", "school__source_id", "school_year__starts_on")
    for key, title, school, starts in rows.iterator(CHUNK):
        yield key, title, school, f"{starts}"


def educators(program: Program, years: Iterable[str], asked: Container[str]) -> dict[str, Held]:
    """Who teaches in the program; whoever left is absent, unless they are asked for."""
    in_schools, primary = defaultdict(set), defaultdict(set)
    taught: dict[int, dict[str, str]] = defaultdict(dict)
    held = Membership.objects.filter(program=program, role=Role.EDUCATOR, ends_on=None)
    for user, school in held.exclude(school__source_id="").values_list("user", "school__source_id"):
        in_schools[user].add(school)
    rows = ClassTeacher.objects.filter(school_class__school_year__starts_on__in=list(years))
    columns = ("educator", "school_class__source_id", "source_id", "is_primary")
    for educator, school_class, own, is_primary in rows.values_list(*columns).iterator(CHUNK):
        taught[educator][school_class] = own
        if is_primary:
            primary[educator].add(school_class)
    people = {}
    found = Educator.objects.exclude(source_id="").values_list(
        "pk", "source_id", "user", "user__given_name", "user__family_name"
    )
    for pk, key, user, given, family in found.iterator(CHUNK):
        data: Data = {
            "schools": sorted(in_schools[user]),
            "classes": sorted(taught[pk]),
            "primary": sorted(primary[pk]),
        }
        label = f"{given} {family}".strip()
        if in_schools[user]:
            people[key] = Held(label, data, taught[pk])
        elif key in asked:
            people[key] = Held(label, {"left": True}, left=True)
    return people


def students(years: Iterable[str]) -> Iterator[tuple[str, Held]]:
    """Every student of the program with their open enrollments of these years, left or not."""
    enrolled = Enrollment.objects.filter(
        left_on=None, school_class__school_year__starts_on__in=list(years)
    )
    pairs = enrolled.order_by("student").values_list(
        "student", "school_class__source_id", "source_id"
    )
    groups = groupby(pairs.iterator(CHUNK), key=itemgetter(0))
    of, group = next(groups, (None, iter(())))
    names = ("given_name", "family_name", "preferred_name", "grade")
    found = Student.objects.order_by("pk").values_list(
        "pk", "source_id", "school__source_id", "left_on", *names
    )
    for pk, key, school, left_on, *said in found.iterator(CHUNK):
        held: dict[str, str] = {}
        while of is not None and of < pk:
            of, group = next(groups, (None, iter(())))
        if of == pk:
            held = {school_class: own for _student, school_class, own in group}
            of, group = next(groups, (None, iter(())))
        label = f"{said[0]} {said[1]}"
        if left_on is not None:
            yield key, Held(label, {"left_on": f"{left_on}"}, {}, left=True)
        else:
            data = {
                name: text for name, text in zip(names, said, strict=True) if text or name in TOLD
            }
            yield key, Held(label, data | {"school": school}, held)
