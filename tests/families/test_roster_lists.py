"""Our own lists on their way in: asked about, remembered, read, mended and sent again."""

import csv
import datetime
import io
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from families.models import Caregiver, Family, RosterImport, Student, StudentAttributes
from families.roster import upload
from pthv import clock
from pthv.models import AuditEntry, User
from pthv.tables import store
from tests.spreadsheets import xlsx

from .roster_files import BUNDLE, CONTACTS, bundle
from .test_roster_apply import everything_stored
from .test_roster_views import page, send, work

pytestmark = pytest.mark.django_db

ODD = b"""Pupil;Clan;Vorname;Last name;Cell;Notes;SSN
1001;H1;Carmen;De la Cruz;(503) 555-0123;-;CANARY-9
"""
RIGHT = {"student_id": 0, "household": 1, "given_name": 2, "family_name": 3, "phone": 4}


@pytest.fixture
def coordinator(program_coordinator: User) -> Client:
    client = Client()
    client.force_login(program_coordinator)
    return client


@pytest.fixture
def roster(apply_file) -> None:
    apply_file(bundle())


def sent(coordinator: Client, content: bytes, kind: str = "contacts") -> RosterImport:
    """A list that the worker has looked at."""
    send(coordinator, content, kind, "families.csv")
    work()
    return RosterImport.objects.latest("pk")


def confirm(coordinator: Client, found: RosterImport, places: dict[str, int]):
    return coordinator.post(reverse("roster_columns", args=[found.pk]), places)


def applied(coordinator: Client, found: RosterImport) -> None:
    coordinator.post(reverse("roster_apply", args=[found.pk]))
    work()
    found.refresh_from_db()
    assert found.state == RosterImport.State.APPLIED


def test_columns_are_shown_with_examples_and_confirmed(roster, coordinator, uploads) -> None:
    found = sent(coordinator, ODD)

    text = page(coordinator, found)
    assert found.state == RosterImport.State.COLUMNS
    assert found.columns == {"family_name": 3, "phone": 4}
    assert "For example:" in text and "(503) 555-0123" in text
    assert "Columns we don’t use" in text and "<bdi>SSN</bdi>" in text
    assert "CANARY" not in text
    refused = confirm(coordinator, found, found.columns)
    assert refused.status_code == 409
    assert "Choose the column that holds “Student id”." in refused.content.decode()
    assert confirm(coordinator, found, RIGHT).status_code == 302
    assert "Being read" in page(coordinator, found)
    work()
    found.refresh_from_db()
    assert found.counts["tables"]["new"] == {"family": 1, "caregiver": 1}
    assert list(uploads.iterdir()) == []
    assert "CANARY" not in everything_stored()


def test_choosing_shows_that_column_s_cells(roster, coordinator) -> None:
    found = sent(coordinator, ODD)
    url = reverse("roster_columns", args=[found.pk])

    part = coordinator.get(url, {"given_name": 2}, headers={"HX-Request": "true",
                                                            "HX-Target": "columns"})  # fmt: skip

    text = part.content.decode()
    assert "<html" not in text and 'id="columns"' in text
    assert "Carmen" in text and "(503)" not in text
    assert coordinator.get(url, {"given_name": 2}).content.decode().count("<h1") == 1
    found.refresh_from_db()
    assert found.columns == {"family_name": 3, "phone": 4}


@pytest.mark.parametrize("place", ["99", "-1", "x", "²", "1\0", "1e3", ""])
def test_a_column_that_is_none_is_no_answer(roster, coordinator, place) -> None:
    found = sent(coordinator, ODD)

    answer = confirm(coordinator, found, RIGHT | {"student_id": place})

    assert answer.status_code == 409


def test_one_column_is_not_two_of_ours(roster, coordinator) -> None:
    found = sent(coordinator, ODD)

    answer = confirm(coordinator, found, RIGHT | {"email": 4})

    assert "can&#x27;t be the same column" in answer.content.decode()


def test_columns_confirmed_before_are_taken_at_once_and_can_be_changed(
    roster, coordinator, uploads
) -> None:
    first = sent(coordinator, ODD)
    confirm(coordinator, first, RIGHT)
    work()
    applied(coordinator, first)

    second = sent(coordinator, ODD.replace(b"0123", b"0199"))

    assert (second.state, second.columns) == (RosterImport.State.PLANNED, RIGHT)
    assert "Change columns" in page(coordinator, second)
    assert len(list(uploads.iterdir())) == 2
    coordinator.post(reverse("roster_reopen", args=[second.pk]))
    second.refresh_from_db()
    assert (second.state, second.changes.count()) == (RosterImport.State.COLUMNS, 0)
    assert "0199" in page(coordinator, second)
    without_phone = {name: place for name, place in RIGHT.items() if name != "phone"}
    confirm(coordinator, second, without_phone)
    work()
    second.refresh_from_db()
    assert (second.state, second.counts["changed"]) == (RosterImport.State.PLANNED, 0)
    assert "Change columns" not in page(coordinator, second)
    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize("ending", ["roster_apply", "roster_discard"])
def test_a_file_that_waits_goes_with_its_plan(roster, coordinator, uploads, ending) -> None:
    first = sent(coordinator, ODD)
    confirm(coordinator, first, RIGHT)
    work()
    applied(coordinator, first)
    second = sent(coordinator, ODD.replace(b"0123", b"0199"))
    assert list(uploads.iterdir())

    coordinator.post(reverse(ending, args=[second.pk]))

    assert list(uploads.iterdir()) == []


def test_a_file_put_away_before_it_was_asked_about_goes_too(roster, coordinator, uploads) -> None:
    found = sent(coordinator, ODD)

    coordinator.post(reverse("roster_discard", args=[found.pk]))

    found.refresh_from_db()
    assert found.state == RosterImport.State.DISCARDED
    assert list(uploads.iterdir()) == []
    assert confirm(coordinator, found, RIGHT).status_code == 409


def test_an_answer_given_twice_is_one(roster, coordinator, program_coordinator) -> None:
    found = sent(coordinator, ODD)

    answers = [confirm(coordinator, found, RIGHT).status_code for _ in range(2)]
    work()

    assert answers == [302, 302]
    assert AuditEntry.objects.filter(event="roster.columns_confirmed").count() == 1
    found.refresh_from_db()
    assert found.state == RosterImport.State.PLANNED


def test_a_file_nobody_answered_for_is_removed_after_a_day(roster, coordinator, uploads) -> None:
    found = sent(coordinator, ODD)
    for waiting in uploads.iterdir():
        assert waiting.stat().st_mode & 0o777 == 0o600
        os.utime(waiting, (0, 0))
    with clock.at(clock.now() + datetime.timedelta(hours=25)):
        upload.sweep()

    found.refresh_from_db()
    assert found.state == RosterImport.State.REFUSED
    assert "more than a day" in found.problem
    assert list(uploads.iterdir()) == []


def test_a_file_that_went_meanwhile_is_told_with_the_answer(roster, coordinator) -> None:
    found = sent(coordinator, ODD)
    store.forget(found.upload)

    assert "more than a day" in confirm(coordinator, found, RIGHT).content.decode()


def test_a_list_that_cannot_be_read_gets_its_sentence(roster, coordinator, uploads) -> None:
    found = sent(coordinator, b"PK\x03\x04")

    assert found.state == RosterImport.State.REFUSED
    assert "The spreadsheet is damaged." in page(coordinator, found)
    assert list(uploads.iterdir()) == []


def test_a_caregiver_is_shown_field_by_field(roster, coordinator, apply_file, plan_file) -> None:
    text = page(coordinator, plan_file(CONTACTS.read_bytes(), "contacts"), "?table=caregiver")
    assert "Carmen De la Cruz" in text
    assert '<ins class="diff-new">+15035550123</ins>' in text
    apply_file(CONTACTS.read_bytes(), "contacts")

    changed = plan_file(CONTACTS.read_bytes().replace(b"0123", b"0199"), "contacts")

    text = page(coordinator, changed)
    assert '<del class="diff-old">+15035550123</del>' in text
    assert "Mateo" not in text


def test_lines_are_found_by_name_and_by_table(roster, coordinator, plan_file) -> None:
    found = plan_file(CONTACTS.read_bytes(), "contacts")

    def titles(query: str) -> int:
        return page(coordinator, found, query).count('class="item-title"')

    assert titles("?kind=new") == 7
    assert titles("?kind=new&table=caregiver") == 4
    assert titles("?kind=new&q=thao") == 1
    assert titles("?kind=new&q=NGUYEN") == 2
    assert titles("?kind=new&q=Nguyễn") == 2
    assert titles("?kind=new&q=H2") == 1
    assert "Nothing here is called “zzz”" in page(coordinator, found, "?kind=new&q=zzz")


def test_refused_rows_are_mended_and_sent_again(roster, coordinator, plan_file) -> None:
    bad = CONTACTS.read_bytes().replace(b"(503) 555-0123", b"=1+1").replace(b"1004", b"9999")
    found = plan_file(bad, "contacts")

    answer = coordinator.get(reverse("roster_refused", args=[found.pk]))
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert rows[0][:6] == ["file", "row", "column", "reason", "student_id", "household"]
    mended = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [(one["row"], one["column"]) for one in mended] == [("2", "phone"), ("6", "student_id")]
    assert mended[0]["phone"] == "'=1+1"
    assert mended[1]["phone"] == "'+15035550125"
    mended[0]["phone"], mended[1]["student_id"] = "503 555 0123", "1004"
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, rows[0])
    writer.writeheader()
    writer.writerows(mended)
    again = plan_file(sheet.getvalue().encode(), "contacts")
    assert again.counts["refused"] == 0
    told = again.changes.get(table="caregiver", label="Fadumo Hassan")
    assert told.after["phone"] == "+15035550125"


def test_refused_rows_of_a_roster_tell_where_and_why_and_no_cells(coordinator, plan_file) -> None:
    users = (BUNDLE / "users.csv").read_text("utf-8").replace('"KG"', '"SMALL"')
    found = plan_file(bundle(users=users))

    answer = coordinator.get(reverse("roster_refused", args=[found.pk])).getvalue().decode()

    header, first = answer.lstrip("\ufeff").splitlines()[:2]
    assert header == "file,row,column,reason,id"
    assert first.startswith("users.csv,2,grades,")
    assert "CANARY" not in answer


def test_an_import_is_undone_on_its_page(roster, coordinator, plan_file) -> None:
    found = sent(coordinator, ODD)
    confirm(coordinator, found, RIGHT)
    work()
    applied(coordinator, found)
    assert Family.objects.exists()
    assert "Take back everything this file changed?" in page(coordinator, found)

    coordinator.post(reverse("roster_undo", args=[found.pk]))
    assert "Being undone" in page(coordinator, found)
    work()

    assert not Family.objects.exists() and not Caregiver.objects.exists()
    text = page(coordinator, found)
    assert "Undone" in text and "Take back" not in text
    assert "Undone" in coordinator.get(reverse("roster_list")).content.decode()


def test_what_changed_since_is_not_undone_and_said_so(roster, coordinator, plan_file) -> None:
    found = sent(coordinator, ODD)
    confirm(coordinator, found, RIGHT)
    work()
    applied(coordinator, found)
    Caregiver.objects.update(email="new@example.org")

    coordinator.post(reverse("roster_undo", args=[found.pk]))
    work()

    found.refresh_from_db()
    assert found.state == RosterImport.State.APPLIED
    assert "This can&#x27;t be undone" in page(coordinator, found)
    assert Caregiver.objects.exists()


def test_the_list_tells_who_and_how_many(roster, coordinator, program_coordinator) -> None:
    text = coordinator.get(reverse("roster_list")).content.decode()

    assert f"{program_coordinator}" in text
    assert "37 new" in text


def test_the_guide_explains_each_column_and_its_templates_read_back(
    roster, coordinator, program, plan_file
) -> None:
    program.keeps_sex = True
    program.save()
    text = coordinator.get(reverse("roster_guide")).content.decode()
    assert "<code>do_not_contact</code>" in text and "<code>sex</code>" in text
    assert "home_language" not in text

    contacts = coordinator.get(reverse("contacts_template"))
    attributes = coordinator.get(reverse("attributes_template"))

    assert contacts.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    content = contacts.getvalue()
    assert content.startswith(b"\xef\xbb\xbfstudent_id,household,")
    assert plan_file(content, "contacts").counts["new"] == 2
    content = attributes.getvalue()
    assert content.splitlines()[0] == b"\xef\xbb\xbfstudent_id,sex"
    assert plan_file(content, "attributes").counts["tables"] == {"new": {"attributes": 2}}


# Attributes

TOLD = b"""Student ID,Gender,ELL,Race,Home Language,Lunch
1001,F,Y,White; Hispanic,Spanish,CANARY
1002,m,n,,so,
"""


@pytest.fixture
def keeps_two(program) -> None:
    program.keeps_english_learner = program.keeps_race_ethnicity = True
    program.save()


def test_only_what_the_program_keeps_is_taken_from_a_list(
    roster, keeps_two, apply_file, plan_file
) -> None:
    found = apply_file(TOLD, "attributes")

    assert found.columns == {"student_id": 0, "english_learner": 2, "race_ethnicity": 3}
    mateo = StudentAttributes.objects.get(student__source_id="1001")
    assert mateo.english_learner is True
    assert mateo.race_ethnicity == ["hispanicOrLatinoEthnicity", "white"]
    assert (mateo.sex, mateo.home_language) == ("", "")
    assert "CANARY" not in everything_stored()
    assert not plan_file(TOLD, "attributes").changes.exists()
    without = TOLD.replace(b"1002,m,n,,so,\n", b"")
    assert not plan_file(without, "attributes").changes.exists()


def test_no_page_says_what_somebody_is(roster, keeps_two, coordinator, plan_file) -> None:
    found = plan_file(TOLD.replace(b"White", b"Elvish"), "attributes")

    refused = page(coordinator, found)
    new = page(coordinator, plan_file(TOLD, "attributes"))

    assert "isn’t on our list" in refused and "Elvish" not in refused
    assert "English learner" in new and "Hispanic" not in new and "hispanic" not in new


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("1001,F,perhaps,,Spanish,", "english_learner"),
        ("1001,F,Y,Martian,Spanish,", "race_ethnicity"),
        (",F,Y,White,Spanish,", "student_id"),
        ("77,F,Y,White,Spanish,", "student_id"),
        ("1002,F,Y,White,Spanish,", "student_id"),
    ],
)
def test_a_bad_line_of_attributes_is_refused_alone(roster, keeps_two, plan_file, line, column):
    text = "Student ID,Gender,ELL,Race,Home Language,Lunch\n1002,m,n,,so,\n" + line

    found = plan_file(text.encode(), "attributes")

    (refused,) = found.changes.filter(kind="refused")
    assert (refused.row, refused.column) == (3, column)
    assert found.counts["new"] == 1


def test_a_program_that_keeps_nothing_refuses_the_list_unread(roster, coordinator, uploads) -> None:
    found = sent(coordinator, TOLD, "attributes")

    assert found.state == RosterImport.State.REFUSED
    assert "keeps no attributes" in found.problem
    assert found.headings == []
    assert list(uploads.iterdir()) == []
    assert "keeps no attributes" in coordinator.get(reverse("roster_guide")).content.decode()


# The command


def test_the_command_reads_lists_and_names_nobody_if_nobody_is_named(
    program, tmp_path: Path, keeps_two, capsys
) -> None:
    sheet = tmp_path / "families.xlsx"
    sheet.write_bytes(xlsx(list(csv.reader(io.StringIO(CONTACTS.read_text("utf-8"))))))
    (tmp_path / "told.csv").write_bytes(TOLD)
    options = {"program": program.slug, "apply": True}

    call_command("import_roster", str(BUNDLE), **options)
    call_command("import_roster", str(sheet), **options)
    call_command("import_roster", str(tmp_path / "told.csv"), kind="attributes", **options)

    assert Family.objects.count() == 3
    assert StudentAttributes.objects.count() == 2
    assert sheet.exists()
    by = RosterImport.objects.latest("pk").applied_by
    assert (str(by), by.is_active, by.has_usable_password()) == ("Nightly import", False, False)
    assert capsys.readouterr().out.count("Applied.") == 3


def test_the_command_remembers_what_a_person_confirmed(
    roster, coordinator, program, tmp_path: Path
) -> None:
    first = sent(coordinator, ODD)
    confirm(coordinator, first, RIGHT)
    work()
    applied(coordinator, first)
    (tmp_path / "odd.csv").write_bytes(ODD.replace(b"0123", b"0177"))

    call_command("import_roster", str(tmp_path / "odd.csv"), program=program.slug, apply=True)

    assert str(Caregiver.objects.get().phone) == "+15035550177"


def test_the_command_stops_with_one_sentence(roster, program, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(ODD)

    with pytest.raises(CommandError, match="No column of the file is clearly student_id, given_n"):
        call_command("import_roster", str(tmp_path / "odd.csv"), program=program.slug)
    with pytest.raises(CommandError, match="no file at"):
        call_command("import_roster", str(tmp_path / "none.csv"), program=program.slug)
    with pytest.raises(CommandError, match="no account"):
        call_command("import_roster", str(BUNDLE), program=program.slug, by="x@example.org")
    assert Student.objects.filter(family__isnull=False).count() == 0


# What no list may leave with us


@pytest.mark.parametrize(
    "first",
    [
        "1001,H1,Carmen,CANARY-7",
        "Carmen,CANARY-7,carmen@example.org",
        "CANARY-7,Luz,(503) 555-0123",
    ],
)
def test_a_list_without_titles_is_refused_and_nothing_of_it_kept(
    roster, coordinator, uploads, first
) -> None:
    found = sent(coordinator, f"{first}\n{first}\n".encode())

    assert found.state == RosterImport.State.REFUSED
    assert "must name the columns" in found.problem and found.headings == []
    assert "CANARY" not in everything_stored()
    assert list(uploads.iterdir()) == []


def test_the_titles_of_a_discarded_list_go_with_it(roster, coordinator) -> None:
    found = sent(coordinator, b"Carmen;CANARY-7;Luz\nx;y;z\n")
    assert found.state == RosterImport.State.COLUMNS

    coordinator.post(reverse("roster_discard", args=[found.pk]))

    assert "CANARY" not in everything_stored()


@pytest.mark.parametrize(
    "title",
    ["Password", "studentPassword", "Contraseña", "SSN", "Social Security No.", "DOB", "IEP",
     "Date of birth", "birthPlace", "Lunch status", "Fecha de nacimiento", "Passwort", "PIN"],
)  # fmt: skip
def test_a_private_column_is_neither_shown_nor_offered(roster, coordinator, uploads, title) -> None:
    found = sent(coordinator, f"student_id,given_name,{title},relation\n1001,A,SECRET,x\n".encode())

    address = reverse("roster_columns", args=[found.pk])
    shown = coordinator.get(address, {"relation": "2"}, headers={"HX-Request": "true"}).text
    assert "SECRET" not in shown and f">{title}</option>" not in shown
    assert f"<bdi>{title}</bdi>" in shown and ">relation</option>" in shown
    assert "SECRET" not in "".join(one.read_text() for one in uploads.glob("*.examples"))
    confirm(coordinator, found, {"student_id": 0, "given_name": 1, "family_name": 2})
    found.refresh_from_db()
    assert found.state == RosterImport.State.COLUMNS
