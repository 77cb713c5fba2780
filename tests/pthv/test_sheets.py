"""Lists as CSV and as spreadsheets: what is read, and what is refused before it is opened."""

import codecs
import datetime
import tracemalloc

import pytest

from pthv.tables import sheets
from pthv.tables.problems import Refused, Unreadable
from pthv.tables.sheets import open_sheet
from tests.spreadsheets import xlsx

PLACES = {"student_id": 0, "given_name": 1}
LINES = "id,name\r\n1001,Ana\r\n007,Bo\r\n"


@pytest.fixture(autouse=True)
def uploads(tmp_path, settings) -> None:
    settings.UPLOADS_FOLDER = tmp_path / "uploads"


def read(content: bytes | str, tmp_path, places: dict[str, int] = PLACES) -> list:
    path = tmp_path / "sent"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with open_sheet(path, "contacts") as sheet:
        return [
            row if isinstance(row, Refused) else [row.number, *row.cells.values()]
            for row in sheet.rows(places, "student_id")
        ]


READ = [[2, "1001", "Ana"], [3, "007", "Bo"]]


@pytest.mark.parametrize(
    "content",
    [
        LINES.encode(),
        codecs.BOM_UTF8 + LINES.encode(),
        LINES.replace(",", ";").encode(),
        LINES.replace(",", "\t").encode("utf-16"),
        LINES.replace("\r\n", "\n").encode(),
        b'"id","name"\n"1001","Ana"\n"007","Bo"\n',
        b"id,name,,\n1001,Ana,,\n007,Bo,,\n",
        b"id,name\n 1001 ,Ana,,\n007,Bo\n",
        xlsx([["id", "name"], [1001, "Ana"], ["007", "Bo"]]),
        xlsx([["secret"], [1]], [["id", "name"], [1001.0, "Ana"], ["007", "Bo"]], hidden=1),
        xlsx([["id", "name", None], ["1001", "Ana", None], ["007", "Bo", None]]),
    ],
)
def test_every_spelling_of_a_list_reads_alike(content, tmp_path) -> None:
    assert read(content, tmp_path) == READ


def test_titles_above_the_names_are_passed_over(tmp_path) -> None:
    assert read(b"Willow Creek\n\nid,name\n1001,Ana\n", tmp_path) == [[4, "1001", "Ana"]]
    rows = [["Willow Creek", None], [None, None], ["id", "name"], [1001, "Ana"]]
    assert read(xlsx(rows), tmp_path) == [[4, "1001", "Ana"]]


def test_the_mark_of_a_delimiter_is_believed(tmp_path) -> None:
    assert read(b"sep=;\nid;name\n1001;Ana, Bo\n", tmp_path) == [[3, "1001", "Ana, Bo"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (42.0, "42"),
        (5035550123.0, "5035550123"),
        (0.5, "0.5"),
        (True, "yes"),
        (False, "no"),
        ("007", "007"),
        (datetime.datetime(2026, 9, 1), "2026-09-01"),
        (datetime.datetime(2026, 9, 1, 8, 30), "2026-09-01 08:30:00"),
        (datetime.date(2026, 9, 1), "2026-09-01"),
        ("12 Elm St\r\nApt 3", "12 Elm St\nApt 3"),
    ],
)
def test_a_cell_is_what_a_person_sees(cell, text) -> None:
    assert sheets.text(cell) == text


def test_an_address_on_three_lines_is_one_cell(tmp_path) -> None:
    rows = read(b'id,name\n1001,"12 Elm St\nApt 3\nSalem"\n', tmp_path)

    assert rows == [[2, "1001", "12 Elm St Apt 3 Salem"]]


def test_a_row_of_another_width_is_refused_alone(tmp_path) -> None:
    found = read(b"id,name\n1001,Ana,surprise\n1002\n1003,Cy\n", tmp_path)

    assert [(one.row, one.column) for one in found[:2]] == [(2, ""), (3, "")]
    assert found[2] == [4, "1003", "Cy"]


def test_a_quoted_formula_of_our_own_exports_is_read_back(tmp_path) -> None:
    assert read(b"id,name\n1001,'+15035550123\n", tmp_path) == [[2, "1001", "+15035550123"]]
    assert read(b"id,name\n1001,'Ana\n", tmp_path) == [[2, "1001", "'Ana"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\xd0\xcf\x11\xe0old", "old spreadsheet"),
        (b"PK\x03\x04nothing", "damaged"),
        (xlsx([["id"]])[:-40], "damaged"),
        (b'id,name\n1001,"Ana\n1002,Bo\n', "quote"),
        (b",".join(b"c%d" % n for n in range(200)), "more than 100 columns"),
        (xlsx([["id", "name"]], **{"xl/worksheets/sheet1.xml": "<worksheet"}), "damaged"),
        (xlsx([["id", "name"]], **{"xl/media/x.zip": b"PK"}), "packed file"),
        (xlsx([["id", "name"]], **{"../x.xml": "x"}), "leads outside"),
        (xlsx([["id", "name"]], hidden=1), "no sheet"),
        (
            xlsx([["id", "name"]], **{"xl/media/x.xml": " " * 3_000_000}),
            "far more than a list would",
        ),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_a_sentence(content, sentence, tmp_path) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read(content, tmp_path)

    assert list((tmp_path / "uploads").glob("*")) == []


@pytest.mark.parametrize(
    "line", ["1001,Peña".encode("cp1252"), b"1001,A\0na", b'1001,"An"a', b'1001,"A\n\n\n\n\na"']
)
def test_a_line_that_cannot_be_read_is_refused_alone(line, tmp_path) -> None:
    found = read(b"id,name\n" + line + b"\n1002,Bo\n", tmp_path)

    assert found[0].reason.endswith(".")
    assert found[1][1:] == ["1002", "Bo"]


def test_two_cells_far_apart_do_not_fill_the_memory(tmp_path) -> None:
    far = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    tracemalloc.start()

    with pytest.raises(Unreadable, match="too large"):
        read(xlsx([["id"]], **{"xl/worksheets/sheet1.xml": far}), tmp_path)

    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


FAR = "XFD1048576"
DOCTYPE = '<!DOCTYPE worksheet [<!ENTITY far "XFD1048576">]>'
NEAR = '<row r="1"><c r="A1"><v>1</v></c></row>'
TOO_FAR = {
    "spaces": f'<row r="1048576"><c r = "{FAR}"><v>1</v></c></row>',
    "lower case": f'<row r="1048576"><c r="{FAR.lower()}"><v>1</v></c></row>',
    "long attribute": f'<row r="1048576"><c x="{"y" * 300}" r="{FAR}"><v>1</v></c></row>',
    "mark in an attribute": f'<row r="1048576"><c s=">" r="{FAR}"><v>1</v></c></row>',
    "line breaks": f'<row r="1048576"><c\n r\n=\n"{FAR}"><v>1</v></c></row>',
    "counted cells": f'<row r="1048576">{"<c><v>1</v></c>" * 20}</row>',
    "counted rows": f'<row r="1048570"/>{"<row/>" * 5}<row><c r="XFD"><v>1</v></c></row>',
    "character": '<row r="1048576"><c r="XFD104857&#54;"><v>1</v></c></row>',
    "formula": f'<row r="1048576"><c r="{FAR}"><f>1</f></c></row>',
}


def sheet(body: str, start: str = "") -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'{start}<worksheet xmlns="{main}"><sheetData>{NEAR}{body}</sheetData></worksheet>'


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/other/s.xml", "xl/s.rels"])
@pytest.mark.parametrize("spelling", TOO_FAR)
def test_cells_far_apart_are_seen_however_they_are_written(
    spelling, part, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(sheets, "_spreadsheet", None)  # nothing here may reach what holds them

    with pytest.raises(Unreadable, match="too large"):
        read(xlsx([["id"]], **{part: sheet(TOO_FAR[spelling])}), tmp_path)

    assert list((tmp_path / "uploads").glob("*")) == []


@pytest.mark.parametrize(
    "part",
    [
        sheet('<row r="2"><c r="&far;"><v>1</v></c></row>', DOCTYPE),
        sheet("", '<!DOCTYPE worksheet SYSTEM "file:///etc/passwd">'),
        sheet("<row><c></row>"),
        sheet('<row r="2"><c r="-5:x"><v>1</v></c></row>'),
    ],
)
def test_what_is_no_plain_xml_is_not_opened(part, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sheets, "_spreadsheet", None)

    with pytest.raises(Unreadable, match="damaged"):
        read(xlsx([["id"]], **{"xl/worksheets/sheet1.xml": part}), tmp_path)


def test_formatted_cells_without_a_value_count_for_nothing(tmp_path) -> None:
    painted = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'
        '<row r="2"><c r="A2"><v>7</v></c><c r="B2" t="inlineStr"><is><t>Ana</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData></worksheet>'
    )

    assert read(xlsx([["id"]], **{"xl/worksheets/sheet1.xml": painted}), tmp_path) == [
        [2, "7", "Ana"]
    ]
