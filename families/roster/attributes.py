"""What a program keeps of its students to count by: from a roster file or from one of its own.

A file's reader puts an entry for each student, by their roster id, into
`wanted[Table.ATTRIBUTES]`: the student's name as its label, and as its data only what the
program keeps and the file says. An empty value takes away what is held.
"""

from collections.abc import Iterator

from django.db import connection, transaction
from django.db.models import QuerySet

from families.models import RosterChange, Student, StudentAttributes
from pthv.models import Program

from . import progress
from .chunks import chunks
from .states import Data, Difference, Entries, Table

NOTHING: Data = {"home_language": "", "english_learner": None, "race_ethnicity": [], "sex": ""}
UNSAID: tuple[object, ...] = ("", None, [])
# The columns of demographics.csv that tell race and ethnicity; kept are those that are true.
RACES = (
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
)


def differences(wanted: Entries) -> Iterator[Difference]:
    """What must be written so that the attributes held become those wanted; of each student
    only what differs. Whom the file doesn't name keeps what is held."""
    for keys in chunks(wanted):
        held = _held(keys)
        for key in keys:
            entry = wanted[key]
            before = held.get(key, {})
            after = {
                name: value
                for name, value in entry.data.items()
                if value != before.get(name, NOTHING[name])
            }
            if after:
                earlier = {name: before[name] for name in after if before.get(name) not in UNSAID}
                yield Difference(key, entry.label, entry.row, earlier, after)


def _held(keys: list[str]) -> dict[str, Data]:
    rows = StudentAttributes.objects.filter(student__source_id__in=keys)
    found = rows.values("student__source_id", *NOTHING)
    return {row.pop("student__source_id"): row for row in found}


def apply(program: Program, changes: QuerySet[RosterChange]) -> None:
    """Write the planned lines, of what the program still keeps; of students who came after the
    plan was made nothing is known."""
    kept = Program.objects.get(pk=program.pk).attributes_kept
    for chunk in progress.steps(changes.filter(table=Table.ATTRIBUTES)):
        said = {
            change.source_id: {name: change.after[name] for name in kept & change.after.keys()}
            for change in chunk
        }
        students = dict(
            Student.objects.filter(source_id__in=list(said)).values_list("pk", "source_id")
        )
        held = {
            one.student_id: one for one in StudentAttributes.objects.filter(student__in=students)
        }
        new = []
        for pk, key in students.items():
            if not said[key]:
                continue
            one = held.get(pk) or StudentAttributes(program=program, student_id=pk)
            for name, value in said[key].items():
                setattr(one, name, value)
            if one.pk is None:
                new.append(one)
        StudentAttributes.objects.bulk_update(held.values(), list(NOTHING), batch_size=500)
        StudentAttributes.objects.bulk_create(new)


def forget(program: Program) -> None:
    """Take away what the program doesn't keep any more, of its students and in its imports."""
    with transaction.atomic():
        # While none is applied.
        kept = Program.objects.select_for_update(no_key=True).get(pk=program.pk).attributes_kept
        gone = [name for name in NOTHING if name not in kept]
        for name in gone:
            held = StudentAttributes.objects.exclude(**{name: NOTHING[name]})
            held.update(**{name: NOTHING[name]})
        StudentAttributes.objects.filter(**NOTHING).delete()
        table = RosterChange._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET before = before - %s::text[], after = after - %s::text[]"  # noqa: S608
                ' WHERE program_id = %s AND "table" = %s'
                " AND (before ?| %s::text[] OR after ?| %s::text[])",
                [gone, gone, program.pk, Table.ATTRIBUTES.value, gone, gone],
            )
