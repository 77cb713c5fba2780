"""The plan: what a file would change, told so that a person can judge it."""

import time

import pytest

from families.models import RosterChange, RosterImport, Student
from families.roster import apply
from families.roster.plan import plan
from pthv.blocked import NotReady
from pthv.models import Educator, School, User

from .roster_files import SAMPLE, bundle, needs_sample, replaced, without_rows

pytestmark = pytest.mark.django_db


def changes(roster_import: RosterImport, kind: str) -> list[RosterChange]:
    return list(roster_import.changes.filter(kind=kind))


def brief(roster_import: RosterImport) -> dict:
    return {kind: roster_import.counts[kind] for kind in ("new", "changed", "left", "refused")}


def test_a_first_file_is_all_new_and_changes_nothing(plan_file) -> None:
    found = plan_file(bundle())

    assert found.state == RosterImport.State.PLANNED
    assert found.counts["tables"]["new"] == {
        "year": 1,
        "school": 2,
        "class": 5,
        "educator": 4,
        "student": 25,
    }
    assert (found.counts["changed"], found.counts["left"], found.counts["refused"]) == (0, 0, 0)
    assert found.rows_read == 3 + 3 + 5 + 29 + 35
    assert not Student.objects.exists()
    assert not School.objects.exists()


def test_a_student_is_told_whole(plan_file) -> None:
    found = plan_file(bundle())

    mateo = found.changes.get(source_id="1001")
    assert (mateo.table, mateo.label, mateo.row) == ("student", "Mateo De la Cruz", 2)
    assert mateo.after == {
        "given_name": "Mateo",
        "family_name": "De la Cruz",
        "school": "10",
        "grade": "KG",
        "classes": ["3A"],
    }


def test_the_second_plan_of_the_same_file_is_empty(apply_file, plan_file) -> None:
    apply_file(bundle())

    found = plan_file(bundle())

    assert brief(found) == {"new": 0, "changed": 0, "left": 0, "refused": 0}


def test_a_change_is_told_as_old_and_new_and_only_what_changed(apply_file, plan_file) -> None:
    apply_file(bundle())
    moved = replaced("users.csv", '"10","student","user1"', '"20","student","user1"')
    classes = replaced("enrollments.csv", '"3A","10","1002"', '"E7","20","1002"')

    found = plan_file(bundle(users=moved, enrollments=classes))

    (lucia,) = changes(found, "moved")
    assert lucia.label == "Lucía De la Cruz"
    assert lucia.before == {"school": "10", "classes": ["3A"]}
    assert lucia.after == {"school": "20", "classes": ["E7"]}


def test_missing_from_the_file_means_left(apply_file, plan_file) -> None:
    apply_file(bundle())

    found = plan_file(bundle(users=without_rows("users.csv", sourcedId="1005")))

    (linh,) = changes(found, "left")
    assert (linh.table, linh.source_id, linh.row) == ("student", "1005", None)
    # Their enrollment is refused by name rather than dropped in silence.
    (refused,) = changes(found, "refused")
    assert (refused.table, refused.column) == ("enrollments.csv", "userSourcedId")


def test_a_refused_row_keeps_only_whom_it_may_have_meant(apply_file, plan_file) -> None:
    apply_file(bundle())
    moved = replaced("enrollments.csv", '"3A","10","1002"', '"4B","10","1002"')

    found = plan_file(bundle(enrollments=moved.replace('"E7","20","1021"', '"E9","20","1021"')))

    (lucia,) = changes(found, "changed")
    assert (lucia.before, lucia.after) == ({"classes": ["3A"]}, {"classes": ["4B"]})
    assert found.counts["refused"] == 1


def test_marked_as_deleted_means_left(apply_file, plan_file) -> None:
    apply_file(bundle())

    found = plan_file(bundle(users=replaced("users.csv", '"1005",,,', '"1005","tobedeleted",,')))

    assert brief(found) == {"new": 0, "changed": 0, "left": 1, "refused": 0}


@pytest.mark.parametrize(
    ("stem", "old", "new"),
    [
        ("users", '"03","CANARY-student-1005"', '"PURPLE","CANARY-student-1005"'),
        ("users", '"1005",,,', ",,,"),  # nobody can say whose row this was
        ("users", '"t1@example.org"', '"nowhere"'),
        ("classes", '"Grade 3A"', '""'),
        ("classes", '"3A",,,', ",,,"),
        ("enrollments", '"3A","10","1005"', ',"10","1005"'),
        ("enrollments", '"3A_1005",,,', '"3A_1005","maybe",,'),
        ("orgs", '"Roosevelt Middle"', '""'),
        ("enrollments", '"3A","10","1005"', '"3Z","10","1005"'),
        ("enrollments", '"3A","10","1005"', '"3A","10","IOO5"'),
        ("enrollments", '"4B","10","t2"', '"4Z","10","t2"'),
    ],
)
def test_a_refused_row_is_never_taken_for_someone_missing(
    stem: str, old: str, new: str, apply_file, plan_file
) -> None:
    apply_file(bundle())

    found = plan_file(bundle(**{stem: replaced(f"{stem}.csv", old, new)}))

    assert found.counts["refused"] >= 1
    assert (found.counts["left"], found.counts["changed"], found.counts["new"]) == (0, 0, 0)
    assert found.counts["leaving"] == []


@pytest.mark.parametrize(
    ("stem", "old", "new", "column", "says"),
    [
        ("enrollments", '"3A","10","1001"', '"3Z","10","1001"', "classSourcedId", "3Z"),
        ("enrollments", '"10","1001"', '"10","9"', "userSourcedId", "users.csv has no student"),
        ("enrollments", '"1001","student"', '"1001","teacher"', "userSourcedId", "no teacher"),
        ("classes", '"12","10","Y26"', '"12","77","Y26"', "schoolSourcedId", "77"),
        ("classes", '"12","10","Y26"', '"12","10","Y99"', "termSourcedIds", "Y99"),
        ("users", '"10","student","user1"', '"77","student","user1"', "orgSourcedIds", "77"),
        ("users", '"t2@example.org"', '"T1@example.org"', "email", "Line 27"),
    ],
)
def test_what_points_nowhere_is_refused(
    stem: str, old: str, new: str, column: str, says: str, plan_file
) -> None:
    found = plan_file(bundle(**{stem: replaced(f"{stem}.csv", old, new)}))

    assert (column, True) in [(one.column, says in one.reason) for one in changes(found, "refused")]


def test_what_cannot_be_read_leaves_one_sentence_and_no_line(plan_file) -> None:
    found = plan_file(b"not a zip")

    assert found.state == RosterImport.State.REFUSED
    assert "not a zip" in found.problem
    assert not found.changes.exists()


def test_a_dropped_school_stops_and_is_named(apply_file, plan_file) -> None:
    apply_file(bundle())
    smaller = without_rows("users.csv", orgSourcedIds="20", role="student")

    found = plan_file(bundle(users=smaller))

    assert found.counts["leaving"] == [{"school": "Roosevelt Middle", "left": 11, "of": 11}]
    with pytest.raises(NotReady, match="11 of 11 students would leave Roosevelt Middle"):
        apply.begin(found, leaving_confirmed=False)
    found.refresh_from_db()
    assert found.state == RosterImport.State.PLANNED
    assert Student.objects.enrolled().count() == 25


def test_a_cut_off_enrollments_file_stops_as_well(apply_file, plan_file) -> None:
    apply_file(bundle())
    lines = replaced("enrollments.csv", "sourcedId", "sourcedId").splitlines()

    found = plan_file(bundle(enrollments="\n".join(lines[:12])))

    assert [one["school"] for one in found.counts["leaving"]] == [
        "Lincoln Elementary",
        "Roosevelt Middle",
    ]


def test_one_of_many_leaving_is_nothing_to_ask_about(apply_file, plan_file) -> None:
    extra = [
        replaced("users.csv", '"1001",,,', '"1001",,,').splitlines()[1].replace("1001", f"5{n:03}")
        for n in range(20)
    ]
    users = replaced("users.csv", "sourcedId", "sourcedId") + "\n" + "\n".join(extra)
    apply_file(bundle(users=users))

    found = plan_file(bundle(users=users.rsplit("\n", 1)[0]))

    assert found.counts["left"] == 1
    assert found.counts["leaving"] == []


def test_an_existing_account_is_never_altered_by_a_file(
    apply_file, plan_file, person, program
) -> None:
    anita = person("T1", "finance", program)
    User.objects.filter(pk=anita.pk).update(given_name="Anita", family_name="Ruiz-Lopez")

    apply_file(bundle())

    ana = Educator.objects.get(source_id="t1").user
    assert (ana.given_name, ana.family_name) == ("Anita", "Ruiz-Lopez")
    renamed = replaced("users.csv", '"ANA","RUIZ"', '"ANNA","REYES"')
    assert brief(plan_file(bundle(users=renamed)))["changed"] == 0


def test_an_account_that_is_one_teacher_is_not_given_to_another(apply_file, plan_file) -> None:
    apply_file(bundle())

    found = plan_file(bundle(users=replaced("users.csv", '"t1",,,', '"t9",,,')))

    reasons = [one.reason for one in changes(found, "refused") if one.table == "users.csv"]
    assert reasons == ["This address belongs to the teacher with the id t1."]
    assert found.counts["left"] == 0


def test_planning_twice_writes_one_plan(plan_file, tmp_path) -> None:
    found = plan_file(bundle())
    lines = found.changes.count()

    plan(RosterImport.objects.get(pk=found.pk), tmp_path / "sent")

    assert found.changes.count() == lines


def test_next_years_file_leaves_this_years_classes_alone(apply_file, plan_file) -> None:
    apply_file(bundle())
    sessions = replaced("academicSessions.csv", "2026-08-17", "2027-08-16")
    sessions = sessions.replace("2027-06-11", "2028-06-09").replace("8/17/2026", "8/16/2027")
    sessions = sessions.replace("12/18/2026", "12/17/2027").replace("1/5/2027", "1/4/2028")
    sessions = sessions.replace("6/11/2027", "6/9/2028")

    found = plan_file(bundle(academicSessions=sessions))

    assert found.counts["left"] == 0
    assert found.counts["tables"]["new"] == {"year": 1, "class": 5}


@needs_sample
@pytest.mark.shared_data
def test_the_sample_is_planned_whole(plan_file) -> None:
    found = plan_file(SAMPLE)

    assert found.counts["tables"] == {
        "new": {"year": 1, "school": 3, "class": 72, "educator": 40, "student": 140}
    }


def test_two_thousand_students_are_planned_in_a_second(plan_file) -> None:
    students = 4000
    head, first = replaced("users.csv", "sourcedId", "sourcedId").splitlines()[:2]
    users = [head, *(first.replace("1001", f"{n}") for n in range(students))]
    enroll_head, enrolled = replaced("enrollments.csv", "sourcedId", "sourcedId").splitlines()[:2]
    rows = [enroll_head, *(enrolled.replace("1001", f"{n}") for n in range(students))]
    source = bundle(users="\n".join(users), enrollments="\n".join(rows))
    started = time.perf_counter()

    found = plan_file(source)

    assert found.counts["tables"]["new"]["student"] == students
    assert time.perf_counter() - started < students / 1000  # half the target: shared machines
