"""Strings that broke other programs, in every column of every file: one sentence or one row."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from families import finding
from families.models import RosterChange, RosterImport, Student
from families.roster import apply, columns
from tests.families.conftest import *  # noqa: F403
from tests.families.roster_files import bundle, bundle_files

pytestmark = pytest.mark.django_db

STRINGS: list[str] = json.loads((Path(__file__).parent / "strings.json").read_text("utf-8"))
HEADERS = {
    name: next(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    for name, text in bundle_files().items()
    if name != "manifest.csv"
}
UNSEEN = (RosterChange.Kind.REFUSED, "beside")
TWISTED = [string for string in STRINGS if set(string) & set('",;\t\r\n\x00')]
# What no reader of ours ever takes out of a row; spoiled all at once.
PASSED_OVER = {
    "dateLastModified",
    "username",
    "userIds",
    "middleName",
    "identifier",
    "password",
    "metadata.address1",
    "metadata.city",
    "courseSourcedId",
    "classCode",
    "classType",
    "location",
    "subjects",
    "subjectCodes",
    "periods",
    "countryOfBirthCode",
    "stateOfBirthAbbreviation",
    "cityOfBirth",
    "birthDate",
    "beginDate",
    "endDate",
    "schoolSourcedId",
    "courseCode",
}
READ = [
    (name, column)
    for name, header in HEADERS.items()
    for column in header
    if column not in PASSED_OVER and name != "courses.csv"
]
READ += [("classes.csv", "schoolSourcedId"), ("academicSessions.csv", "endDate")]


def spoiled(name: str, *columns: str) -> str:
    """The file with one more row for each string, which stands in these columns."""
    text = bundle_files()[name].removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, HEADERS[name])
    writer.writeheader()
    writer.writerows(rows)
    for number, string in enumerate(STRINGS):
        copy = dict(rows[number % len(rows)])
        copy["sourcedId"] = f"N{number}"
        if copy.get("email"):
            copy["email"] = f"n{number}@example.org"
        copy |= dict.fromkeys(columns, string)
        writer.writerow(copy)
    return sheet.getvalue()


def judged(found: RosterImport) -> None:
    """Planned row by row, or refused in one sentence; nothing unexpected."""
    assert "unexpected" not in found.problem
    if found.state == RosterImport.State.REFUSED:
        assert found.problem.endswith(".")
        return
    assert found.state == RosterImport.State.PLANNED
    for change in found.changes.filter(kind=RosterChange.Kind.REFUSED):
        assert change.reason


def applied(found: RosterImport, by) -> None:
    apply.begin(found, leaving_confirmed=True)
    apply.run(found.pk, program=found.program, by=by)
    found.refresh_from_db()
    assert found.state == RosterImport.State.APPLIED, found.problem


@pytest.mark.parametrize(("name", "column"), READ)
def test_in_every_column_of_a_roster(plan_file, program_coordinator, name, column):
    sent = bundle(**{name.removesuffix(".csv"): spoiled(name, column)})

    found = plan_file(sent)

    judged(found)
    if found.state == RosterImport.State.PLANNED:
        applied(found, program_coordinator)
        again = plan_file(sent)
        assert not again.changes.exclude(kind__in=UNSEEN).exists()


@pytest.mark.parametrize("column", [column.name for column in columns.CONTACTS])
def test_in_every_column_of_a_contacts_file(plan_file, apply_file, program_coordinator, column):
    apply_file(bundle())
    student = Student.objects.first().source_id
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, [one.name for one in columns.CONTACTS])
    writer.writeheader()
    for number, string in enumerate(STRINGS):
        row = {"student_id": student, "given_name": f"A{number}", "family_name": "Ng"}
        writer.writerow(row | {column: string.replace("\x00", "")})

    found = plan_file(sheet.getvalue().encode(), kind="contacts")

    judged(found)
    if found.state == RosterImport.State.PLANNED:
        applied(found, program_coordinator)


def test_in_every_column_that_is_passed_over(plan_file, program_coordinator):
    files = {
        name.removesuffix(".csv"): spoiled(name, *(set(header) & PASSED_OVER))
        for name, header in HEADERS.items()
        if name not in ("academicSessions.csv", "classes.csv")
    }

    found = plan_file(bundle(**files))

    judged(found)
    assert found.state == RosterImport.State.PLANNED


@pytest.mark.parametrize("string", TWISTED, ids=range(len(TWISTED)))
def test_as_a_whole_file(plan_file, string):
    judged(plan_file(string.encode() or b" ", kind="contacts"))


def test_no_page_shows_one_as_markup(apply_file, plan_file, client: Client, program_coordinator):
    planned = plan_file(bundle(users=spoiled("users.csv", "familyName")))
    client.force_login(program_coordinator)
    url = reverse("roster_detail", args=[planned.pk])
    markup = [string for string in STRINGS if "<" in string and len(string) > 8]

    shown = ""
    for kind in RosterChange.Kind:
        page = f"{url}?kind={kind}"
        while page:
            response = client.get(page)
            assert response.status_code == 200
            shown += response.text
            following = [part for part in response.text.split('href="') if "after=" in part[:200]]
            page = url + following[-1].split('"')[0].replace("&amp;", "&") if following else ""

    assert "&lt;script" in shown.lower()
    assert [string for string in markup if string in shown] == []


def test_searching_for_one_finds_nothing_worse_than_nobody(apply_file, program):
    apply_file(bundle())

    for string in STRINGS:
        finding.find(string.replace("\x00", ""), program)
