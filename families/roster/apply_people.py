"""The part of a plan about people: educators and students, and the classes they are in."""

from datetime import date

from django.db import connection
from django.db.models import Model, QuerySet

from families.models import Caregiver, Enrollment, Family, RosterChange, SchoolClass, Student
from pthv.models import Program, School

from . import apply_educators, apply_guardians, attributes, progress
from .apply_classes import Classes
from .copying import change_rows, copy_new
from .states import Data, Table

STUDENT_FIELDS = ("given_name", "family_name", "preferred_name", "grade")


def apply(program: Program, changes: QuerySet[RosterChange], years: list[str]) -> None:
    """`years` are the first days of the school years whose classes the plan speaks of."""
    family_of = apply_guardians.families(program, changes)
    count_anew(Family)
    classes = Classes(program, changes, years)
    since = date.fromisoformat(min(years)) if years else program.today
    apply_educators.apply(program, changes, classes, since)
    people = _People(program, classes, family_of)
    for number, chunk in enumerate(progress.steps(changes.filter(table=Table.STUDENT))):
        people.students(chunk)
        if number in COUNT_ANEW_AFTER:
            count_anew(Student, SchoolClass)
    classes.keep_ids()
    apply_guardians.join(program, family_of)
    apply_guardians.caregivers(program, changes, family_of)
    attributes.apply(program, changes)
    count_anew(Family, Student, SchoolClass, Enrollment, Caregiver)


class _People:
    def __init__(self, program: Program, classes: Classes, family_of: dict[str, int]) -> None:
        self.program, self.today = program, program.today
        self.classes, self.family_of = classes, family_of
        self.schools = dict(School.objects.exclude(source_id="").values_list("source_id", "pk"))

    def students(self, changes: list[RosterChange]) -> None:
        keys = [change.source_id for change in changes]
        held = Student.objects.filter(source_id__in=keys)
        found = dict(held.values_list("source_id", "pk"))
        self._new([change for change in changes if change.source_id not in found])
        change_rows(
            Student,
            {
                found[change.source_id]: self._changed(change)
                for change in changes
                if change.source_id in found and change.after.keys() != {"classes"}
            },
        )
        ids = dict(Student.objects.filter(source_id__in=keys).values_list("source_id", "pk"))
        self.classes.leave(ids[change.source_id] for change in changes if not change.after)
        # Of whom the plan says nothing about classes, each stays in theirs.
        placed = [change for change in changes if "classes" in change.after]
        self.classes.enrol(
            {
                ids[change.source_id]: (change.source_id, change.after["classes"])
                for change in placed
            },
            sorted(found[one.source_id] for one in placed if one.source_id in found),
        )

    def _changed(self, change: RosterChange) -> Data:
        said = {name: change.after[name] for name in STUDENT_FIELDS if name in change.after}
        said["left_on"] = None if change.after else f"{self.today}"
        if "school" in change.after:
            said["school"] = self.schools[change.after["school"]]
        return said

    def _new(self, changes: list[RosterChange]) -> None:
        copy_new(
            Student,
            [
                {
                    "program": self.program.pk,
                    "source_id": change.source_id,
                    "family": self.family_of.get(change.source_id),
                    "school": self.schools[change.after["school"]],
                    **{name: change.after.get(name, "") for name in STUDENT_FIELDS},
                }
                for change in changes
            ],
        )


# Chunks after which the tables have grown too much for what was known of them.
COUNT_ANEW_AFTER = (0, 9)


def count_anew(*grown: type[Model]) -> None:
    """Tell the planner how large these tables have become.

    Without it the foreign keys of every enrollment are checked by the plan that was best
    when the tables were empty, ten times slower.
    """
    with connection.cursor() as cursor:
        for model in grown:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
