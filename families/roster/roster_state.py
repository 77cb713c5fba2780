"""What the program's roster holds today, in the shape a file is compared with."""

from collections import defaultdict
from collections.abc import Iterable

from families.models import Caregiver, ClassTeacher, Enrollment, Family, SchoolClass, Student
from pthv.models import Educator, Membership, Program, Role, School, SchoolYear

from .states import Entries, Entry, State, Table

CHUNK = 2000


def roster_state(program: Program, years: Iterable[str], wanted: State) -> State:
    """Schools, classes of these years (by first day), staff and students still here.

    Whoever left is absent, unless the file has them back.
    """
    state = State()
    in_years = SchoolYear.objects.filter(starts_on__in=list(years))
    state[Table.SCHOOL].update(_schools())
    state[Table.CLASS].update(_classes(in_years, wanted[Table.CLASS]))
    state[Table.EDUCATOR].update(_educators(program, in_years, wanted[Table.EDUCATOR]))
    state[Table.STUDENT].update(_students(in_years, wanted[Table.STUDENT]))
    return state


def _schools() -> Entries:
    found = School.objects.exclude(source_id="").values_list("source_id", "name")
    return {key: Entry(name, {"name": name}) for key, name in found}


def _classes(in_years, wanted: Entries) -> Entries:
    entries: Entries = {}
    found = SchoolClass.objects.filter(school_year__in=in_years, left_on=None).values_list(
        "source_id", "title", "school__source_id", "school_year__starts_on"
    )
    for key, title, school, starts in found.iterator(CHUNK):
        year = f"{starts}"
        if key in wanted and wanted[key].data["year"] != year:
            continue  # another year's class may bear the same id
        entries[key] = Entry(title, {"title": title, "school": school, "year": year})
    return entries


def _educators(program: Program, in_years, wanted: Entries) -> Entries:
    schools, classes, primary = defaultdict(set), defaultdict(set), defaultdict(set)
    held = Membership.objects.filter(program=program, role=Role.EDUCATOR, ends_on=None)
    for user, school in held.exclude(school__source_id="").values_list("user", "school__source_id"):
        schools[user].add(school)
    taught = ClassTeacher.objects.filter(school_class__school_year__in=in_years).values_list(
        "educator", "school_class__source_id", "is_primary"
    )
    for educator, school_class, is_primary in taught.iterator(CHUNK):
        classes[educator].add(school_class)
        if is_primary:
            primary[educator].add(school_class)
    entries: Entries = {}
    found = Educator.objects.exclude(source_id="").values_list(
        "pk", "source_id", "user", "user__given_name", "user__family_name"
    )
    for pk, key, user, given, family in found.iterator(CHUNK):
        label = f"{given} {family}".strip()
        if schools[user]:
            data = {
                "schools": sorted(schools[user]),
                "classes": sorted(classes[pk]),
                "primary": sorted(primary[pk]),
            }
            entries[key] = Entry(label, data)
        elif key in wanted:
            entries[key] = Entry(label, {"left": True})
    return entries


def _students(in_years, wanted: Entries) -> Entries:
    classes = defaultdict(list)
    enrolled = Enrollment.objects.filter(left_on=None, school_class__school_year__in=in_years)
    pairs = enrolled.values_list("student", "school_class__source_id")
    for student, school_class in pairs.iterator(CHUNK):
        classes[student].append(school_class)
    entries: Entries = {}
    found = Student.objects.values_list(
        "pk", "source_id", "given_name", "family_name", "school__source_id", "grade", "left_on"
    )
    for pk, key, given, family, school, grade, left_on in found.iterator(CHUNK):
        label = f"{given} {family}"
        if left_on is None:
            data = {
                "given_name": given,
                "family_name": family,
                "school": school,
                "grade": grade,
                "classes": sorted(classes[pk]),
            }
            entries[key] = Entry(label, data)
        elif key in wanted:
            entries[key] = Entry(label, {"left_on": f"{left_on}"})
    return entries


def family_state(households: Iterable[str]) -> Entries:
    """The families of these households, as a contacts file would say them."""
    families = Family.objects.filter(source_id__in=list(households)).prefetch_related(
        "students", "caregivers"
    )
    return {
        family.source_id: Entry(
            family.surnames,
            {
                "surnames": family.surnames,
                "language": family.language,
                "students": sorted(student.source_id for student in family.students.all()),
                "caregivers": sorted(
                    (
                        caregiver_data(caregiver)
                        for caregiver in family.caregivers.all()
                        if caregiver.source_id and caregiver.ended_on is None
                    ),
                    key=lambda person: person["id"],
                ),
            },
        )
        for family in families.iterator(CHUNK)
    }


def caregiver_data(caregiver: Caregiver) -> dict[str, str]:
    return {
        "id": caregiver.source_id,
        "given_name": caregiver.given_name,
        "family_name": caregiver.family_name,
        "relation": caregiver.relation,
        "phone": str(caregiver.phone),
        "email": caregiver.email,
        "language": caregiver.language,
        "preferred_channel": caregiver.preferred_channel,
    }
