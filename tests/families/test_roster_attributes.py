"""What is kept of students to count by: written by line, and only what differs."""

import pytest

from families.models import RosterChange, RosterImport, Student, StudentAttributes
from families.roster import attributes
from families.roster.states import Entry
from families.tasks import sweep_attributes
from pthv.models import Program, School

from .roster_files import bundle

pytestmark = pytest.mark.django_db


@pytest.fixture
def students(program: Program, school: School) -> list[Student]:
    for name in attributes.NOTHING:
        setattr(program, f"keeps_{name}", True)
    program.save()
    return Student.objects.bulk_create(
        Student(program=program, school=school, source_id=key, given_name="Ana", family_name="Ruiz")
        for key in ("1", "2", "3")
    )


def write(program, person, wanted: dict) -> list[attributes.Difference]:
    """Plan these attributes and apply them; answers what there was to do."""
    entries = {key: Entry("Ana Ruiz", data, 2) for key, data in wanted.items()}
    found = list(attributes.differences(entries))
    sent = RosterImport.objects.create(
        program=program, kind="attributes", file_name="a.csv", uploaded_by=person
    )
    RosterChange.objects.bulk_create(
        RosterChange(
            program=program,
            roster_import=sent,
            kind="new",
            table="attributes",
            source_id=one.key,
            before=one.before,
            after=one.after,
        )
        for one in found
    )
    attributes.apply(program, sent.changes.all())
    return found


def test_only_what_a_file_says_is_written(program, program_coordinator, students) -> None:
    write(program, program_coordinator, {"1": {"sex": "female", "english_learner": False}})
    write(program, program_coordinator, {"1": {"home_language": "es"}})

    one = StudentAttributes.objects.get(student=students[0])
    assert (one.sex, one.english_learner, one.home_language) == ("female", False, "es")
    assert StudentAttributes.objects.count() == 1


def test_the_same_again_is_nothing_to_do(program, program_coordinator, students) -> None:
    said = {"1": {"race_ethnicity": ["asian", "white"], "english_learner": False}}
    write(program, program_coordinator, said)

    assert write(program, program_coordinator, said) == []


def test_a_change_is_told_as_old_and_new(program, program_coordinator, students) -> None:
    write(program, program_coordinator, {"2": {"sex": "male", "english_learner": True}})

    (found,) = write(program, program_coordinator, {"2": {"sex": "", "english_learner": True}})

    assert (found.before, found.after) == ({"sex": "male"}, {"sex": ""})
    assert StudentAttributes.objects.get(student=students[1]).sex == ""


def test_a_student_nobody_knows_is_passed_over(program, program_coordinator, students) -> None:
    write(program, program_coordinator, {"9": {"sex": "male"}})

    assert not StudentAttributes.objects.exists()


def test_what_was_turned_off_since_is_not_written(program, program_coordinator, students) -> None:
    Program.objects.update(keeps_sex=False)

    write(program, program_coordinator, {"1": {"sex": "male", "home_language": "es"}})
    write(program, program_coordinator, {"2": {"sex": "male"}})

    one = StudentAttributes.objects.get()
    assert (one.sex, one.home_language) == ("", "es")


def test_what_was_turned_off_is_forgotten(program, program_coordinator, students) -> None:
    write(program, program_coordinator, {"1": {"sex": "male", "english_learner": False}})
    write(program, program_coordinator, {"2": {"sex": "male"}})
    write(program, program_coordinator, {"2": {"sex": "female"}})
    Program.objects.update(keeps_sex=False)

    sweep_attributes.func(0)

    one = StudentAttributes.objects.get()
    assert (one.student.source_id, one.sex, one.english_learner) == ("1", "", False)
    said = RosterChange.objects.values_list("before", "after")
    assert "male" not in str(list(said)) and ({}, {"english_learner": False}) in said


DEMOGRAPHICS = (
    "sourcedId,status,birthDate,sex,asian,white,hispanicOrLatinoEthnicity,cityOfBirth\n"
    "1001,,2020-01-01,Female,true,0,YES,CANARY\n"
    "1002,,2019-01-01,male,false,false,false,CANARY\n"
    "1003,,2019-01-01,perhaps,,,,CANARY\n"
    "9999,,2019-01-01,male,,,,CANARY\n"
)


def test_demographics_are_kept_only_where_the_program_turned_them_on(
    program, apply_file, plan_file
) -> None:
    program.keeps_race_ethnicity = True
    program.save()

    found = apply_file(bundle(demographics=DEMOGRAPHICS))

    one = StudentAttributes.objects.get()
    assert one.student.source_id == "1001"
    assert (one.race_ethnicity, one.sex) == (["asian", "hispanicOrLatinoEthnicity"], "")
    assert [line.row for line in found.changes.filter(kind="refused")] == [5]
    assert (
        not plan_file(bundle(demographics=DEMOGRAPHICS)).changes.filter(table="attributes").exists()
    )


def test_a_program_that_keeps_nothing_does_not_open_demographics(apply_file) -> None:
    found = apply_file(bundle(demographics="no such columns"))

    assert found.counts["refused"] == 0
    assert not StudentAttributes.objects.exists()
