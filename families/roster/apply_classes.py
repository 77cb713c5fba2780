"""The part of a plan about who is in which class, students and teachers alike.

Hundreds of thousands of rows: they are written by the database, a chunk of people at a time.
"""

from collections.abc import Iterable, Mapping

from django.db import connection
from django.db.models import QuerySet

from families.models import ClassTeacher, Enrollment, RosterChange, SchoolClass
from pthv.models import Program

from . import progress
from .lines import BESIDE, ENROLLMENT_IDS
from .states import Data, Table

# The ids that the vendor gives to enrollments, by person and class, for as long as we apply.
GATHER_IDS = """
    CREATE TEMP TABLE roster_ids ON COMMIT DROP AS
    SELECT said ->> 0 AS kind, said ->> 1 AS person, said ->> 2 AS class, said ->> 3 AS key
    FROM families_rosterchange AS line, jsonb_array_elements(line.after -> 'ids') AS said
    WHERE line.roster_import_id = %s AND line.kind = %s AND line.table = %s
"""
# "+ 0" keeps the database from going through every row of thousands of classes.
LEAVE = """
    UPDATE families_enrollment SET left_on = %s
    WHERE program_id = %s AND student_id = ANY(%s) AND left_on IS NULL
    AND school_class_id + 0 = ANY(%s) AND (student_id, school_class_id) NOT IN (
        SELECT * FROM unnest(%s::bigint[], %s::bigint[])
    )
"""
ENROL = """
    INSERT INTO families_enrollment AS held (program_id, student_id, school_class_id, source_id)
    SELECT %s, said.student, said.school_class, coalesce(ids.key, '')
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[])
        AS said(student, school_class, person, class)
    LEFT JOIN roster_ids AS ids
        ON ids.kind = 'student' AND ids.person = said.person AND ids.class = said.class
    ON CONFLICT (school_class_id, student_id) DO UPDATE
    SET left_on = NULL, source_id = coalesce(nullif(excluded.source_id, ''), held.source_id)
    WHERE held.left_on IS NOT NULL
"""
STOP_TEACHING = """
    DELETE FROM families_classteacher
    WHERE program_id = %s AND educator_id = ANY(%s) AND school_class_id + 0 = ANY(%s)
    AND (educator_id, school_class_id) NOT IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
"""
TEACH = """
    INSERT INTO families_classteacher AS held
        (program_id, educator_id, school_class_id, is_primary, source_id)
    SELECT %s, said.educator, said.school_class, said.leads, coalesce(ids.key, '')
    FROM unnest(%s::bigint[], %s::bigint[], %s::bool[], %s::text[], %s::text[])
        AS said(educator, school_class, leads, person, class)
    LEFT JOIN roster_ids AS ids
        ON ids.kind = 'educator' AND ids.person = said.person AND ids.class = said.class
    ON CONFLICT (school_class_id, educator_id) DO UPDATE SET is_primary = excluded.is_primary
    WHERE held.is_primary <> excluded.is_primary
"""
RENAME = """
    UPDATE {rows} AS held SET source_id = ids.key
    FROM roster_ids AS ids
    JOIN {people} AS person ON person.program_id = %s AND person.source_id = ids.person
    JOIN unnest(%s::text[], %s::bigint[]) AS class(key, pk) ON class.key = ids.class
    WHERE ids.kind = %s AND held.{person} = person.id AND held.school_class_id = class.pk
    AND held.source_id <> ids.key
"""


class Classes:
    """Writes enrollments into the classes of the plan's school years."""

    def __init__(
        self, program: Program, changes: QuerySet[RosterChange], years: Iterable[str]
    ) -> None:
        self.program, self.today, self.changes = program, program.today, changes
        # In order, so that of two years' classes with one id the newer is meant.
        found = SchoolClass.objects.filter(school_year__starts_on__in=list(years))
        found = found.order_by("school_year__starts_on")
        self.classes = dict(found.values_list("source_id", "pk"))
        self.ours = list(self.classes.values())
        self._gather_ids()

    def _gather_ids(self) -> None:
        first = self.changes.first()
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS roster_ids")
            import_id = first.roster_import_id if first else None
            cursor.execute(GATHER_IDS, [import_id, BESIDE, ENROLLMENT_IDS])
            cursor.execute("CREATE INDEX ON roster_ids (person, class)")
            cursor.execute("ANALYZE roster_ids")

    def enrol(
        self, wanted: Mapping[int, tuple[str, Iterable[str]]], held_before: list[int]
    ) -> None:
        """Put each student, by primary key and roster id, into exactly these classes;
        `held_before` are those who may have been in others."""
        pairs = [
            (student, self.classes[one], key, one)
            for student, (key, classes) in wanted.items()
            for one in classes
        ]
        students, classes, keys, names = _columns(pairs, 4)
        with connection.cursor() as cursor:
            if held_before:
                cursor.execute(
                    LEAVE,
                    [self.today, self.program.pk, held_before, self.ours, students, classes],
                )
            cursor.execute(ENROL, [self.program.pk, students, classes, keys, names])

    def leave(self, students: Iterable[int]) -> None:
        """Whoever leaves the roster leaves every class."""
        still = Enrollment.objects.filter(student__in=list(students), left_on=None)
        still.update(left_on=self.today)

    def teach(self, wanted: Mapping[int, tuple[str, Data]]) -> None:
        """Give each educator, by primary key and roster id, what the plan says of classes."""
        rows = ClassTeacher.objects.filter(educator__in=list(wanted), school_class__in=self.ours)
        held: dict[int, dict[str, bool]] = {educator: {} for educator in wanted}
        for educator, one, leads in rows.values_list(
            "educator", "school_class__source_id", "is_primary"
        ):
            held[educator][one] = leads
        pairs = []
        for educator, (key, after) in wanted.items():
            now = held[educator]
            classes = after.get("classes", now) if after else []
            primary = after.get("primary", [one for one in now if now[one]])
            pairs += [(educator, self.classes[one], one in primary, key, one) for one in classes]
        educators, classes, leads, keys, names = _columns(pairs, 5)
        with connection.cursor() as cursor:
            cursor.execute(
                STOP_TEACHING, [self.program.pk, list(wanted), self.ours, educators, classes]
            )
            cursor.execute(TEACH, [self.program.pk, educators, classes, leads, keys, names])

    def keep_ids(self) -> None:
        """Keep the vendor's ids of those who were in their class before, too."""
        tables = {
            Table.STUDENT: ("families_enrollment", "families_student", "student_id"),
            Table.EDUCATOR: ("families_classteacher", "pthv_educator", "educator_id"),
        }
        keys, ours = list(self.classes), self.ours
        with connection.cursor() as cursor:
            for kind, (rows, people, person) in tables.items():
                cursor.execute(
                    RENAME.format(rows=rows, people=people, person=person),
                    [self.program.pk, keys, ours, kind.value],
                )
        progress.advance(self.changes.filter(kind=BESIDE, table=ENROLLMENT_IDS).count())


def _columns(rows: list[tuple], width: int) -> list[list]:
    """Rows turned into columns, as unnest takes them."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _column in range(width)]
