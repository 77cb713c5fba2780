"""Lines of a contacts file as caregivers, and the reasons why one isn't."""

import csv
import io

import pytest

from families.roster import columns, values
from families.roster.columns import CONTACTS as OURS
from families.roster.contacts import Contact, contacts
from pthv.tables.problems import BadValue, Refused
from pthv.tables.sheets import open_sheet
from tests.spreadsheets import xlsx

from .roster_files import CONTACTS


@pytest.fixture(autouse=True)
def uploads(tmp_path, settings) -> None:
    settings.UPLOADS_FOLDER = tmp_path / "uploads"


@pytest.fixture
def read(tmp_path):
    def made(content: bytes | str, region: str = "US") -> list[Contact | Refused]:
        path = tmp_path / "sent"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with open_sheet(path, "contacts") as sheet:
            return list(contacts(sheet, columns.match(sheet.headings, OURS), region))

    return made


def line(**cells: str) -> str:
    """A file of one line, with a column for each cell."""
    known = {"student_id": "1001", "given_name": "Ana", "family_name": "Cruz"} | cells
    sheet = io.StringIO()
    csv.writer(sheet).writerows([known.keys(), known.values()])
    return sheet.getvalue()


def refused(found: list) -> list[Refused]:
    return [one for one in found if isinstance(one, Refused)]


def test_a_file_is_read_whatever_its_columns_are_called(read) -> None:
    found = read(CONTACTS.read_bytes())

    carmen = found[0]
    assert refused(found) == []
    assert (carmen.given_name, carmen.family_name) == ("Carmen", "De la Cruz")
    assert (carmen.relation, carmen.phone, carmen.language) == ("mother", "+15035550123", "es")
    assert carmen.preferred_channel == "text"
    assert [one.language for one in found] == ["es", "es", "", "so", "so", "vi"]
    assert "CANARY" not in repr(found)


def test_a_spreadsheet_reads_as_the_csv_does(read) -> None:
    rows: list[list[object]] = list(csv.reader(io.StringIO(CONTACTS.read_text("utf-8"))))
    rows[1][0] = 1001.0

    assert read(xlsx(rows)) == read(CONTACTS.read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        ("(503) 555-0123", "call the office", "phone"),
        ("(503) 555-0123", "12345", "phone"),
        ("carmen@example.org", "carmen", "email"),
        (",Spanish,", ",Klingon,", "language"),
        ("Spanish,text", "Spanish,pigeon", "preferred_channel"),
        ("1001,H1,CARMEN", ",H1,CARMEN", "student_id"),
        ("CARMEN,DE LA CRUZ,MOTHER,(", ",,MOTHER,(", "family_name"),
        ("DE LA CRUZ,MOTHER,(", f"DE LA CRUZ,{'m' * 41},(", "relation"),
        ("CARMEN", "C" * 81, "given_name"),
    ],
)
def test_a_bad_cell_refuses_its_row_alone_and_the_row_can_be_mended(old, new, column, read) -> None:
    text = CONTACTS.read_text("utf-8")
    assert old in text

    found = read(text.replace(old, new, 1))

    (problem,) = refused(found)
    assert (problem.row, problem.column) == (2, column)
    assert len(found) == 6
    assert problem.cells["preferred_channel"] in ("text", "pigeon")
    assert "CANARY" not in repr(problem)


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("(503) 555-0123", "US", "+15035550123"),
        ("503.555.0123", "US", "+15035550123"),
        ("+52 55 5123 4567", "US", "+525551234567"),
        ("011 52 55 5123 4567", "US", "+525551234567"),
        ("030 901820", "DE", "+4930901820"),
        ("", "US", ""),
    ],
)
def test_phones_are_read_as_written_where_the_program_is(typed, region, number, read) -> None:
    (found,) = read(line(phone=typed), region)

    assert found.phone == number


def test_yes_and_no_are_read_in_many_words_and_nothing_is_neither(read) -> None:
    said = {"interpreter": "Sí", "do_not_contact": "X", "address_confidential": "TRUE",
            "may_decide": "n", "may_read": ""}  # fmt: skip

    (found,) = read(line(**said))

    assert (found.interpreter, found.do_not_contact, found.address_confidential) == (True,) * 3
    assert (found.may_decide, found.may_read) == (False, None)
    (problem,) = read(line(may_read="maybe"))
    assert problem.reason == "“maybe” is neither yes nor no."


def test_a_line_tells_its_cells_again(read) -> None:
    (found,) = read(line(phone="503 555 0123", may_decide="No", address="1 Elm"))

    assert found.cells == {
        "student_id": "1001",
        "given_name": "Ana",
        "family_name": "Cruz",
        "phone": "+15035550123",
        "address": "1 Elm",
        "may_decide": "no",
    }


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("español", "es"), ("ESPAÑOL", "es"), ("Español", "es"), ("kreyòl ayisyen", "ht"),
        ("Tiếng Việt", "vi"), ("русский", "ru"), ("العربية", "ar"), ("中文", "zh"),
        ("Af-Soomaali", "so"), ("Português", "pt"), ("अंग्रेज़ी", None), ("Spanglish", None),
    ],
)  # fmt: skip
def test_languages_are_known_by_the_names_they_call_themselves(text, tag) -> None:
    if tag:
        assert values.language(text) == tag
    else:
        with pytest.raises(BadValue):
            values.language(text)
