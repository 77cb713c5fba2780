"""The part of a plan about people: educators and students, and the classes they are in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import TypeVar

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from families.models import ClassTeacher, Enrollment, RosterChange, SchoolClass, Student
from pthv.blocked import NotReady
from pthv.models import Educator, Membership, Program, Role, School, User

from . import progress
from .roster_state import CHUNK
from .states import Table

Item = TypeVar("Item")
STUDENT_FIELDS = ("given_name", "family_name", "grade")


def apply(program: Program, changes: QuerySet[RosterChange], years: list[str]) -> None:
    """`years` are the first days of the school years whose classes the plan speaks of."""
    people = _People(program, years)
    for chunk in chunks(changes.filter(table=Table.EDUCATOR)):
        people.educators(chunk)
    for chunk in chunks(changes.filter(table=Table.STUDENT)):
        people.students(chunk)


def chunks(changes: QuerySet[RosterChange]) -> Iterator[list[RosterChange]]:
    rows = changes.iterator(CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
        progress.advance(len(chunk))


class _People:
    def __init__(self, program: Program, years: list[str]) -> None:
        self.program, self.today = program, program.today
        self.since = date.fromisoformat(min(years))
        self.schools = dict(School.objects.exclude(source_id="").values_list("source_id", "pk"))
        # In order, so that of two years' classes with one id the newer is meant.
        classes = SchoolClass.objects.filter(school_year__starts_on__in=years)
        self.classes = dict(
            classes.order_by("school_year__starts_on").values_list("source_id", "pk")
        )

    def educators(self, changes: list[RosterChange]) -> None:
        educators = self._educator_rows(changes)
        users = [educator.user_id for educator in educators.values()]
        held = defaultdict(list)
        memberships = Membership.objects.filter(
            program=self.program, role=Role.EDUCATOR, user__in=users
        )
        for membership in memberships.exclude(school__source_id="").order_by("starts_on"):
            held[membership.user_id].append(membership)
        taught: dict[int, dict[int, ClassTeacher]] = defaultdict(dict)
        rows = ClassTeacher.objects.filter(
            educator__in=educators.values(), school_class__in=self.classes.values()
        )
        for row in rows:
            taught[row.educator_id][row.school_class_id] = row
        for change in changes:
            educator = educators[change.source_id]
            if "schools" in change.after or not change.after:
                self._memberships(educator, held[educator.user_id], change.after.get("schools", []))
            self._teaching(educator, taught[educator.pk], change.after)

    def _educator_rows(self, changes: list[RosterChange]) -> dict[str, Educator]:
        """The educator of each change by roster id; accounts are made, never altered."""
        keys = [change.source_id for change in changes]
        found = {one.source_id: one for one in Educator.objects.filter(source_id__in=keys)}
        new = [change for change in changes if change.source_id not in found]
        users = _accounts(self.program, new)
        by_user = {one.user_id: one for one in Educator.objects.filter(user__in=users.values())}
        made = []
        for change in new:
            user = users[change.after["email"]]
            educator = by_user.get(user.pk)
            if educator is None:
                educator = Educator(program=self.program, user=user, source_id=change.source_id)
                made.append(educator)
            else:  # added by hand before a roster came
                educator.source_id = change.source_id
                educator.save(update_fields=["source_id"])
            found[change.source_id] = educator
        Educator.objects.bulk_create(made, batch_size=CHUNK)
        return found

    def _memberships(self, educator: Educator, held: list[Membership], schools: list[str]) -> None:
        wanted = {self.schools[school] for school in schools}
        for membership in held:
            if membership.ends_on is None and membership.school_id not in wanted:
                membership.ends_on = max(self.today, membership.starts_on)
                membership.save(update_fields=["ends_on"])
        for school in wanted:
            earlier = [membership for membership in held if membership.school_id == school]
            ends = [membership.ends_on for membership in earlier]
            if None in ends:
                continue
            if ends and (last := ends[-1]) and last >= self.today:
                earlier[-1].ends_on = None
                earlier[-1].save(update_fields=["ends_on"])
                continue
            Membership.objects.create(
                program=self.program,
                user_id=educator.user_id,
                role=Role.EDUCATOR,
                school_id=school,
                starts_on=self.today if earlier else self.since,
            )

    def _teaching(self, educator: Educator, held: dict[int, ClassTeacher], after: dict) -> None:
        if not after:
            after = {"classes": [], "primary": []}
        wanted = (
            {self.classes[key] for key in after["classes"]} if "classes" in after else set(held)
        )
        if "primary" in after:
            primary = {self.classes[key] for key in after["primary"]}
        else:
            primary = {pk for pk, row in held.items() if row.is_primary}
        gone = [row.pk for pk, row in held.items() if pk not in wanted]
        ClassTeacher.objects.filter(pk__in=gone).delete()
        ClassTeacher.objects.bulk_create(
            ClassTeacher(
                program=self.program,
                school_class_id=pk,
                educator=educator,
                is_primary=pk in primary,
            )
            for pk in wanted - held.keys()
        )
        for pk in wanted & held.keys():
            if held[pk].is_primary != (pk in primary):
                held[pk].is_primary = pk in primary
                held[pk].save(update_fields=["is_primary"])

    def students(self, changes: list[RosterChange]) -> None:
        keys = [change.source_id for change in changes]
        found = {one.source_id: one for one in Student.objects.filter(source_id__in=keys)}
        new = []
        for change in changes:
            student = found.get(change.source_id)
            if student is None:
                student = Student(program=self.program, source_id=change.source_id)
                found[change.source_id] = student
                new.append(student)
            student.left_on = None if change.after else self.today
            for name in STUDENT_FIELDS:
                setattr(student, name, change.after.get(name, getattr(student, name)))
            if "school" in change.after:
                student.school_id = self.schools[change.after["school"]]
        old = [student for student in found.values() if student.pk]
        Student.objects.bulk_update(old, [*STUDENT_FIELDS, "school", "left_on"], batch_size=500)
        Student.objects.bulk_create(new, batch_size=CHUNK)
        if len(new) == CHUNK:
            _count_anew(Student, SchoolClass)
        self._leave(found[change.source_id] for change in changes if not change.after)
        self._enrol(
            {
                found[change.source_id].pk: {self.classes[key] for key in change.after["classes"]}
                for change in changes
                if "classes" in change.after
            }
        )

    def _leave(self, students: Iterable[Student]) -> None:
        """Whoever leaves the roster leaves every class."""
        still = Enrollment.objects.filter(student__in=list(students), left_on=None)
        still.update(left_on=self.today)

    def _enrol(self, wanted: dict[int, set[int]]) -> None:
        """Put each student into exactly these of the plan's classes."""
        open_now = defaultdict(set)
        gone = []
        rows = Enrollment.objects.filter(student__in=list(wanted), left_on=None).values_list(
            "pk", "student", "school_class"
        )
        ours = set(self.classes.values())
        for pk, student, school_class in rows.iterator(CHUNK):
            open_now[student].add(school_class)
            if school_class in ours and school_class not in wanted[student]:
                gone.append(pk)
        Enrollment.objects.filter(pk__in=gone).update(left_on=self.today)
        Enrollment.objects.bulk_create(
            (
                Enrollment(program=self.program, student_id=student, school_class_id=school_class)
                for student, classes in wanted.items()
                for school_class in sorted(classes - open_now[student])
            ),
            update_conflicts=True,
            unique_fields=["school_class", "student"],
            update_fields=["left_on"],
            batch_size=CHUNK,
        )


def _count_anew(*grown: type[Model]) -> None:
    """Tell the planner how large these tables have become.

    Without it the foreign keys of every enrollment are checked by the plan that was best
    when the tables were empty, ten times slower.
    """
    with connection.cursor() as cursor:
        for model in grown:
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


def outside_accounts(program: Program, emails: Iterable[str]) -> list[User]:
    """The accounts with these addresses that never had a part in the program."""
    held = User.objects.filter(email__in=list(emails))
    inside = Membership.objects.filter(program=program).values("user")
    return list(held.exclude(pk__in=inside))


def _accounts(program: Program, changes: list[RosterChange]) -> dict[str, User]:
    """The account of each address; a new one has no password until its owner sets one."""
    people = {change.after["email"]: change.after for change in changes}
    if outside_accounts(program, people):
        # Made since the plan, which would have refused it.
        raise NotReady(_("An address has an account outside this program. Send the file again."))
    held = User.objects.annotate(address=Lower("email")).filter(address__in=list(people))
    users = {user.address: user for user in held}
    made = [
        User(
            email=email,
            given_name=said["given_name"],
            family_name=said["family_name"],
            password=make_password(None),
        )
        for email, said in people.items()
        if email not in users
    ]
    User.objects.bulk_create(made, batch_size=CHUNK)
    return users | {user.email: user for user in made}
