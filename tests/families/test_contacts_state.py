"""What a contacts file would change: only what it says, and never what a person decided."""

import csv
import datetime
import io

import pytest

from families.merging import merge, split
from families.models import Caregiver, Family, RosterImport, Student
from families.roster import apply, contacts_state, wording

from .roster_files import CONTACTS, bundle

pytestmark = pytest.mark.django_db

CARMEN = {"student_id": "1001", "household": "H1", "given_name": "Carmen",
          "family_name": "De la Cruz"}  # fmt: skip
LUIS = CARMEN | {"given_name": "Luis"}


@pytest.fixture
def roster(apply_file) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")


def lines(*rows: dict[str, str]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue().encode()


def changes(found: RosterImport, kind: str) -> list:
    return list(found.changes.filter(kind=kind))


def carmen() -> Caregiver:
    return Caregiver.objects.get(given_name="Carmen")


def test_households_become_families_and_caregivers(apply_file, plan_file) -> None:
    apply_file(bundle())

    found = plan_file(CONTACTS.read_bytes(), "contacts")

    assert found.counts["tables"] == {"new": {"family": 3, "caregiver": 4}}
    cruz = found.changes.get(table="family", source_id="H1")
    assert (cruz.label, cruz.after["students"]) == ("De la Cruz", ["1001", "1002"])
    assert cruz.after["language"] == "es"
    told = found.changes.get(table="caregiver", source_id="carmen de la cruz")
    assert (told.label, told.row) == ("Carmen De la Cruz", 2)
    assert told.after["household"] == "H1"
    assert told.after["phone"] == "+15035550123"


def test_the_second_plan_of_the_same_contacts_is_empty(roster, plan_file) -> None:
    assert not plan_file(CONTACTS.read_bytes(), "contacts").changes.exists()


def test_everything_a_file_says_is_written_and_read_back_as_the_same(apply_file, plan_file) -> None:
    apply_file(bundle())
    said = CARMEN | {"preferred_name": "Mita", "relation": "mother", "phone": "503 555 0123",
                     "email": "c@example.org", "language": "español",
                     "preferred_channel": "text", "interpreter": "yes",
                     "address": "12 Elm St, Apt 3", "do_not_contact": "no",
                     "address_confidential": "yes", "may_decide": "no",
                     "may_read": "yes"}  # fmt: skip

    apply_file(lines(said), "contacts")

    one, family = carmen(), Family.objects.get()
    assert (one.preferred_name, one.relation, one.email) == ("Mita", "mother", "c@example.org")
    assert (str(one.phone), one.language, one.preferred_channel) == ("+15035550123", "es", "text")
    assert (one.may_be_contacted, one.may_decide, one.may_read) == (True, False, True)
    assert (family.interpreter_wanted, family.language) == (True, "es")
    assert (family.address, family.address_confidential) == ("12 Elm St, Apt 3", True)
    assert not plan_file(lines(said), "contacts").changes.exists()


def test_a_column_that_is_not_there_changes_nothing(roster, apply_file) -> None:
    Family.objects.filter(source_id="H1").update(
        address="12 Elm St", address_confidential=True, interpreter_wanted=True
    )
    before = Caregiver.objects.filter(given_name="Carmen").values().get()

    found = apply_file(lines(CARMEN, LUIS), "contacts")

    assert found.counts["tables"] == {}
    assert Caregiver.objects.filter(given_name="Carmen").values().get() == before
    family = Family.objects.get(source_id="H1")
    assert (family.address, family.address_confidential) == ("12 Elm St", True)
    assert family.interpreter_wanted


def test_an_empty_cell_says_there_is_none_but_not_which_language(roster, apply_file) -> None:
    empty = {"phone": "", "email": "", "language": "", "preferred_channel": "", "address": ""}
    Family.objects.filter(source_id="H1").update(address="12 Elm St")

    apply_file(lines(CARMEN | empty, LUIS | empty), "contacts")

    one = carmen()
    assert (str(one.phone), one.email) == ("", "")
    assert (one.language, one.preferred_channel) == ("es", "text")
    assert Family.objects.get(source_id="H1").address == ""


@pytest.mark.parametrize(
    ("column", "taken", "given", "field"),
    [
        ("do_not_contact", "yes", "no", "may_be_contacted"),
        ("may_decide", "no", "yes", "may_decide"),
        ("may_read", "no", "yes", "may_read"),
    ],
)
def test_a_file_takes_a_permission_away_and_never_gives_it_back(
    column, taken, given, field, roster, apply_file, plan_file
) -> None:
    apply_file(lines(CARMEN | {column: taken}, LUIS), "contacts")
    assert getattr(carmen(), field) is False

    found = plan_file(lines(CARMEN | {column: given}, LUIS), "contacts")

    assert not found.changes.exists()


def test_no_address_stands_in_a_diff(roster, plan_file, apply_file) -> None:
    Family.objects.filter(source_id="H1").update(address="12 Elm St", address_confidential=True)
    new = {"student_id": "1004", "household": "H9", "given_name": "Ada", "family_name": "Paz"}
    sent = lines(
        CARMEN | {"address": "9 Oak Ave"}, LUIS | {"address": "9 Oak Ave"},
        new | {"address": "7 Fir Rd"},
    )  # fmt: skip

    found = plan_file(sent, "contacts")

    told = [
        (fact.old, fact.new)
        for line in wording.lines(found, list(found.changes.filter(table="family")))
        for fact in line.facts
        if fact.label == "Address"
    ]
    assert told == [("", "changed"), ("", "set")]
    assert not [one for one in found.changes.all() if "Elm" in str(one.before)]
    assert found.counts["tables"]["changed"]["family"] == 1
    apply_file(sent, "contacts")
    assert Family.objects.get(source_id="H1").address == "9 Oak Ave"
    assert not plan_file(sent, "contacts").changes.exists()


def test_a_confidential_address_is_not_opened_by_a_file(roster, apply_file, plan_file) -> None:
    apply_file(lines(CARMEN | {"address_confidential": "yes"}, LUIS), "contacts")
    assert Family.objects.get(source_id="H1").address_confidential

    found = plan_file(lines(CARMEN | {"address_confidential": "no"}, LUIS), "contacts")

    assert not found.changes.exists()


def test_a_change_is_told_of_the_one_caregiver_and_field(roster, plan_file) -> None:
    found = plan_file(lines(CARMEN | {"phone": "503 555 0199"}, LUIS | {"phone": "503-555-0124"}),
                      "contacts")  # fmt: skip

    (change,) = changes(found, "changed")
    assert (change.table, change.label) == ("caregiver", "Carmen De la Cruz")
    assert change.before == {"household": "H1", "phone": "+15035550123"}
    assert change.after == {"household": "H1", "phone": "+15035550199"}


def test_somebody_missing_is_told_as_left_and_ended(roster, apply_file, program) -> None:
    found = apply_file(lines(CARMEN), "contacts")

    (change,) = changes(found, "left")
    assert (change.table, change.label, change.after) == ("caregiver", "Luis De la Cruz", {})
    assert Caregiver.objects.get(given_name="Luis").ended_on == program.today


@pytest.mark.parametrize(
    "cells",
    [
        {"student_id": "10O1"},
        {"student_id": "10O1", "household": ""},
        {"household": "H9"},
        {"household": "H2"},
        {"phone": "ask"},
        {"student_id": "10O1", "phone": "ask"},
    ],
)
def test_whose_row_is_refused_is_not_missing(roster, apply_file, cells) -> None:
    found = apply_file(lines(CARMEN, LUIS | {"phone": ""} | cells), "contacts")

    assert found.counts["refused"] == 1
    assert Caregiver.objects.get(given_name="Luis").ended_on is None


def test_a_refused_row_keeps_nobody_of_other_households(roster, apply_file) -> None:
    apply_file(lines(CARMEN, CARMEN | {"student_id": "no such", "household": "H2"}), "contacts")

    assert Caregiver.objects.get(given_name="Luis").ended_on is not None


def test_many_caregivers_who_would_be_ended_are_asked_about(roster, plan_file) -> None:
    found = plan_file(lines(CARMEN), "contacts")

    asked = {"school": "", "left": 1, "of": 2, "who": "caregivers"}
    assert found.counts["leaving"] == [asked]
    sentence = "1 of 2 caregivers would be ended. Confirm that first."
    assert apply.blockers(found, leaving_confirmed=False) == [sentence]
    assert plan_file(lines(CARMEN, LUIS), "contacts").counts["leaving"] == []


def test_whom_a_list_ended_a_corrected_list_brings_back(roster, apply_file, plan_file) -> None:
    said = lines(CARMEN | {"email": "carmen@example.org"}, LUIS | {"email": "luis@example.org"})
    luis = Caregiver.objects.get(given_name="Luis")
    apply_file(lines(CARMEN), "contacts")

    found = apply_file(said, "contacts")

    assert found.counts["refused"] == 0
    (change,) = found.changes.filter(table="caregiver")
    assert (change.kind, change.before["ended_on"]) == ("changed", "2026-10-06")
    luis.refresh_from_db()
    assert (luis.ended_on, luis.email) == (None, "luis@example.org")
    assert not plan_file(said, "contacts").changes.exists()


def test_whom_a_person_ended_a_corrected_list_does_not_bring_back(
    roster, apply_file, program
) -> None:
    apply_file(lines(CARMEN), "contacts")
    apply_file(lines(CARMEN, LUIS), "contacts")
    yesterday = program.today - datetime.timedelta(days=1)
    Caregiver.objects.filter(given_name="Luis").update(ended_on=yesterday)

    found = apply_file(lines(CARMEN, LUIS), "contacts")

    (refused,) = changes(found, "refused")
    assert "an administrator can bring them back" in refused.reason
    assert Caregiver.objects.get(given_name="Luis").ended_on == yesterday


def test_somebody_added_by_hand_is_never_missing_and_is_known_again(
    roster, apply_file, plan_file, program
) -> None:
    family = Family.objects.get(source_id="H1")
    rosa = Caregiver.objects.create(
        program=program, family=family, given_name="Rosa", family_name="Vega"
    )

    assert not plan_file(lines(CARMEN, LUIS), "contacts").changes.exists()
    named = lines(CARMEN, LUIS, CARMEN | {"given_name": "ROSA", "family_name": "VEGA",
                                          "phone": "503 555 0177"})  # fmt: skip
    apply_file(named, "contacts")

    rosa.refresh_from_db()
    assert (rosa.source_id, str(rosa.phone)) == ("rosa vega", "+15035550177")
    assert family.caregivers.count() == 3


def test_surnames_given_by_hand_stay_while_the_caregivers_do(roster, apply_file) -> None:
    Family.objects.filter(source_id="H1").update(surnames="Cruz-Vega")

    apply_file(lines(CARMEN | {"phone": "503 555 0199"}, LUIS), "contacts")
    assert Family.objects.get(source_id="H1").surnames == "Cruz-Vega"

    apply_file(lines(CARMEN, LUIS | {"family_name": "Vega"}), "contacts")
    assert Family.objects.get(source_id="H1").surnames == "De la Cruz & Vega"


@pytest.mark.parametrize(
    ("one", "other", "column"),
    [
        ({"phone": "5035550123"}, {"phone": "5035550124"}, "phone"),
        ({"email": "a@example.org"}, {"email": "b@example.org"}, "email"),
        ({"address": "1 Elm"}, {"address": "2 Elm"}, "address"),
        ({"household": "H1"}, {"household": "H9"}, "household"),
    ],
)
def test_a_line_that_contradicts_an_earlier_one_is_refused(
    one, other, column, apply_file, plan_file
) -> None:
    apply_file(bundle())
    second = CARMEN | other | {"student_id": "1001" if column == "household" else "1002"}

    found = plan_file(lines(CARMEN | one, second), "contacts")

    (change,) = changes(found, "refused")
    assert (change.column, change.row) == (column, 3)
    assert change.after["given_name"] == "Carmen"


def test_contacts_of_unknown_students_are_refused_with_their_cells(plan_file) -> None:
    found = plan_file(CONTACTS.read_bytes(), "contacts")

    assert found.counts["refused"] == 6
    change = changes(found, "refused")[0]
    assert change.column == "student_id"
    assert change.after["phone"] == "+15035550123"


def test_a_column_that_puts_a_crowd_into_one_family_is_refused(
    apply_file, plan_file, monkeypatch
) -> None:
    apply_file(bundle())
    monkeypatch.setattr(contacts_state, "MOST_CHILDREN", 2)
    rows = [CARMEN | {"student_id": f"{1001 + n}", "household": "Lincoln"} for n in range(3)]

    found = plan_file(lines(*rows, CARMEN | {"student_id": "1004", "household": "H4"}), "contacts")

    assert [one.column for one in changes(found, "refused")] == ["household"] * 3
    assert "3 students have this household" in changes(found, "refused")[0].reason
    assert found.counts["tables"]["new"] == {"family": 1, "caregiver": 1}


def test_without_households_a_child_is_a_family_or_stays_in_theirs(apply_file, plan_file) -> None:
    apply_file(bundle())
    alone = {name: value for name, value in CARMEN.items() if name != "household"}

    apply_file(lines(alone), "contacts")

    assert Student.objects.get(source_id="1001").family.source_id == "student:1001"
    assert not plan_file(lines(alone), "contacts").changes.exists()


# Families that no file brought, and those that a person put together or apart


@pytest.fixture
def by_hand(apply_file, program) -> Family:
    """A family without a household in any file, with Carmen and both of her children."""
    apply_file(bundle())
    family = Family.objects.create(program=program, surnames="Cruz")
    Caregiver.objects.create(
        program=program, family=family, given_name="Carmen", family_name="De la Cruz"
    )
    Student.objects.filter(source_id__in=["1001", "1002"]).update(family=family)
    return family


def test_a_family_that_no_file_brought_is_the_household_of_its_children(
    by_hand, apply_file, plan_file
) -> None:
    said = lines(CARMEN | {"phone": "5035550123"}, CARMEN | {"student_id": "1002"}, LUIS)

    found = apply_file(said, "contacts")

    assert not found.changes.filter(kind="moved").exists()
    by_hand.refresh_from_db()
    assert by_hand.source_id == "H1"
    assert Family.objects.count() == 1
    assert sorted(by_hand.caregivers.values_list("given_name", flat=True)) == ["Carmen", "Luis"]
    assert str(carmen().phone) == "+15035550123"
    assert not plan_file(said, "contacts").changes.exists()


def test_a_sister_without_a_family_joins_the_one_that_there_is(
    by_hand, apply_file, plan_file
) -> None:
    said = lines(CARMEN | {"household": "H7"}, CARMEN | {"student_id": "1003", "household": "H7"})

    apply_file(said, "contacts")

    assert Family.objects.get() == by_hand
    assert by_hand.students.count() == 3
    assert carmen().family == by_hand
    assert not plan_file(said, "contacts").changes.exists()


def test_without_a_household_it_is_meant_by_its_children_alone(by_hand, apply_file, plan_file):
    said = lines({name: text for name, text in CARMEN.items() if name != "household"}
                 | {"phone": "5035550123"})  # fmt: skip

    apply_file(said, "contacts")

    by_hand.refresh_from_db()
    assert (by_hand.source_id, Family.objects.count()) == ("", 1)
    assert str(carmen().phone) == "+15035550123"
    assert not plan_file(said, "contacts").changes.exists()


def test_of_two_households_only_the_first_is_that_family(by_hand, plan_file) -> None:
    other = CARMEN | {"student_id": "1002", "household": "H2"}

    found = plan_file(lines(CARMEN, other), "contacts")

    (moved,) = changes(found, "moved")
    assert (moved.source_id, moved.row) == ("1002", 3)


def test_an_end_holds_in_a_family_that_no_file_brought(by_hand, program, plan_file) -> None:
    Caregiver.objects.create(program=program, family=by_hand, given_name="Luis",
                             family_name="De la Cruz", ended_on=program.today)  # fmt: skip

    found = plan_file(lines(CARMEN, LUIS), "contacts")

    (refused,) = changes(found, "refused")
    assert "Was ended for this child" in refused.reason


def test_households_of_families_that_became_one_both_mean_it(roster, plan_file) -> None:
    merge(Family.objects.get(source_id="H1"), Family.objects.get(source_id="H2"))

    found = plan_file(CONTACTS.read_bytes(), "contacts")

    assert not found.changes.exists()


def test_a_child_that_a_person_put_elsewhere_stays_there_and_nobody_is_added(
    roster, plan_file
) -> None:
    cruz = Family.objects.get(source_id="H1")
    new = split(cruz, [Student.objects.get(source_id="1002")], [], [carmen()])
    said = CONTACTS.read_bytes() + b"1002,H1,LUIS,DE LA CRUZ,father,503-555-0124,,es,call,\n"

    found = plan_file(said, "contacts")

    (refused,) = found.changes.all()
    assert (refused.kind, refused.column, refused.row) == ("refused", "family_name", 8)
    assert "A person left them out" in refused.reason
    assert Student.objects.get(source_id="1002").family == new


@pytest.mark.parametrize("cells", [{}, {"household": "HX"}, {"given_name": "Carmen María"}])
def test_who_went_along_with_a_child_is_not_brought_back(roster, apply_file, cells) -> None:
    cruz = Family.objects.get(source_id="H1")
    new = split(cruz, [Student.objects.get(source_id="1002")], [carmen()], [])

    apply_file(lines(CARMEN | cells, LUIS | cells | {"given_name": "Luis"}), "contacts")

    assert [one.family for one in Caregiver.objects.filter(given_name__startswith="Carmen")] == [
        new
    ]
    mateo = Student.objects.get(source_id="1001")
    assert [str(one) for one in mateo.family.caregivers.filter(ended_on=None)] == [
        "Luis De la Cruz"
    ]
    apply_file(lines(CARMEN | cells, LUIS | cells | {"given_name": "Luis"}), "contacts")
    assert Caregiver.objects.filter(given_name__startswith="Carmen").count() == 1
