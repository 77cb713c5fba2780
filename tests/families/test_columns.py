"""Which of a file's columns is which of ours."""

import pytest

from families.models import RosterImport
from families.roster import columns
from families.roster.columns import ATTRIBUTES, CONTACTS
from pthv.models import Program
from pthv.tables.columns import missing


def named(*headings: str, ours=CONTACTS) -> dict[str, str]:
    """Our columns by the title that each was found under."""
    found = columns.match(headings, ours)
    return {name: headings[place] for name, place in found.items()}


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("student_id", "student_id"),
        ("Student ID", "student_id"),
        ("studentSourcedId", "student_id"),
        ("Student Number", "student_id"),
        ("Local Student ID", "student_id"),
        ("First Name", "given_name"),
        ("Parent first name", "given_name"),
        ("guardianFirstName", "given_name"),
        ("CONTACT 1 LAST NAME", "family_name"),
        ("Surname", "family_name"),
        ("Apellidos", "family_name"),
        ("Relationship to Student", "relation"),
        ("Realtionship", "relation"),
        ("Parentesco", "relation"),
        ("Cell Phone", "phone"),
        ("Telephon", "phone"),
        ("Teléfono", "phone"),
        ("E-Mail Address", "email"),
        ("Correo electrónico", "email"),
        ("Home Language", "language"),
        ("Interpreter needed?", "interpreter"),
        ("Home address", "address"),
        ("Confidential address", "address_confidential"),
        ("DO NOT CONTACT", "do_not_contact"),
        ("Educational rights", "may_decide"),
        ("Records access", "may_read"),
    ],
)
def test_a_title_is_known_in_many_spellings(title: str, name: str) -> None:
    assert named(title) == {name: title}


@pytest.mark.parametrize(
    "title",
    ["", " ", "Student first name", "Child's last name", "Notes", "Password", "Contact ID", "SSN",
     "Date of birth", "Contact 2 phone", "May contact", "Country", "Homeroom"],
)  # fmt: skip
def test_what_is_something_else_is_taken_for_nothing(title: str) -> None:
    assert named(title) == {}


def test_of_two_likely_columns_the_likelier_is_taken_and_no_column_twice() -> None:
    found = named("Student ID", "Home phone", "Phone", "Family", "Last name", "Email address",
                  "Address")  # fmt: skip

    assert found == {
        "student_id": "Student ID",
        "household": "Family",
        "family_name": "Last name",
        "phone": "Phone",
        "email": "Email address",
        "address": "Address",
    }


def test_every_column_knows_its_own_name_and_label_and_no_spelling_means_two() -> None:
    for ours in (CONTACTS, ATTRIBUTES):
        for column in ours:
            for title in (column.name, str(column.label), *column.spellings):
                assert named(title, ours=ours) == {column.name: title}
        spellings = [one for column in ours for one in (column.name, *column.spellings)]
        assert len(spellings) == len(set(spellings))


def test_only_attributes_that_the_program_keeps_are_columns() -> None:
    program = Program(keeps_english_learner=True)

    kept = [one.name for one in columns.of(RosterImport.Kind.ATTRIBUTES, program)]

    assert kept == ["student_id", "english_learner"]
    assert columns.of(RosterImport.Kind.ONEROSTER, program) == ()


def test_needed_columns_that_nobody_named_are_missing() -> None:
    found = missing({"student_id": 0, "family_name": 4}, CONTACTS)

    assert [column.name for column in found] == ["given_name"]
