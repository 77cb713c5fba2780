"""Reading a roster: what a file may look like, and what is refused with one sentence."""

import io
import stat
import struct
import tracemalloc
import zipfile
from datetime import date

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from families.roster import grades, names, read, read_people, values
from families.roster.archive import open_bundle
from families.roster.manifest import manifest
from pthv.tables.problems import BadValue, Refused, Unreadable
from pthv.tables.values import day as day_of

from .roster_files import (
    BUNDLE,
    SAMPLE,
    bundle,
    bundle_files,
    needs_sample,
    replaced,
    zipped,
)

READERS = (read.orgs, read.sessions, read.classes, read_people.users, read.enrollments)


def everything(source) -> list:
    with open_bundle(io.BytesIO(source) if isinstance(source, bytes) else source) as opened:
        manifest(opened)
        return [record for reader in READERS for record in reader(opened)]


def refused(records: list) -> list[Refused]:
    return [record for record in records if isinstance(record, Refused)]


def people(records: list) -> dict[str, read_people.User]:
    return {one.sourced_id: one for one in records if isinstance(one, read_people.User)}


def sentence(source) -> str:
    with pytest.raises(Unreadable) as unreadable:
        everything(source)
    text = str(unreadable.value)
    assert text.endswith(".")
    assert len(text) < 160
    assert "%(" not in text
    return text


def test_the_bundle_is_read_whole() -> None:
    records = everything(bundle())

    kinds = [type(record).__name__ for record in records]
    assert refused(records) == []
    assert [kinds.count(kind) for kind in ("Org", "Session", "Class", "User", "Enrollment")] == [
        3,
        3,
        5,
        29,
        35,
    ]


def test_a_folder_reads_as_its_zip_does() -> None:
    assert everything(BUNDLE) == everything(bundle())


def test_a_zip_with_one_folder_inside_reads_as_well() -> None:
    files = {f"Export 2026/{name}": text for name, text in bundle_files().items()}
    files["__MACOSX/Export 2026/._users.csv"] = "litter"

    assert everything(zipped(files)) == everything(bundle())


def test_empty_status_is_active_and_both_ways_of_leaving_are_seen() -> None:
    users = replaced("users.csv", '"1001",,,', '"1001","tobedeleted",,')
    users = users.replace('"1002",,,', '"1002","Inactive",,').replace(
        '"1003",,,', '"1003",active,,'
    )

    found = people(everything(bundle(users=users)))

    assert [found[key].left for key in ("1001", "1002", "1003", "1004")] == [
        True,
        True,
        False,
        False,
    ]


def test_dates_are_read_in_both_spellings() -> None:
    sessions = [one for one in everything(bundle()) if isinstance(one, read.Session)]

    assert {one.starts for one in sessions} == {date(2026, 8, 17), date(2027, 1, 5)}


def test_columns_are_found_by_name_in_any_order_and_case() -> None:
    lines = bundle_files()["orgs.csv"].replace('"', "").splitlines()
    turned = "\r\n".join(",".join(reversed(line.split(","))) for line in lines)
    turned = turned.replace("sourcedId", " SOURCEDID ")

    assert everything(bundle(orgs=turned)) == everything(bundle())


def test_a_byte_order_mark_is_no_part_of_the_first_column() -> None:
    marked = b"\xef\xbb\xbf" + bundle_files()["users.csv"].encode()

    assert everything(bundle(users=marked)) == everything(bundle())


def test_a_switched_off_student_stays_and_a_switched_off_teacher_left() -> None:
    users = replaced("users.csv", '"t4",,,"true"', '"t4",,,"false"')

    found = people(everything(bundle(users=users)))

    assert not found["999999"].left
    assert found["999999"].grade == ""
    assert found["t4"].left


def test_passwords_and_birthplaces_never_reach_a_record() -> None:
    assert "CANARY" in bundle_files()["users.csv"]
    assert "CANARY" not in repr(everything(bundle()))


@pytest.mark.parametrize(
    ("given", "family", "read_as"),
    [
        ("MATEO", "DE LA CRUZ", "Mateo De la Cruz"),
        ("BEN", "O'BRIEN", "Ben O'Brien"),
        ("BEN", "O’BRIEN", "Ben O’Brien"),
        ("TJ", "MCDONALD", "TJ Mcdonald"),
        ("JU-LIAN", "TORRES-CHAVEZ", "Ju-Lian Torres-Chavez"),
        ("MARIA DEL CARMEN", "VAZQUEZ VELASCO", "Maria del Carmen Vazquez Velasco"),
        ("SOFÍA", "NÚÑEZ", "Sofía Núñez"),
        ("CARA", "VAN DER BERG", "Cara Van der Berg"),
        ("HENRY", "ADAMS III", "Henry Adams III"),
        ("DAVID", "MacLEOD", "DAVID MacLEOD"),
        ("Ana", "RUIZ", "Ana RUIZ"),
        ("van", "der Berg", "van der Berg"),
        ("小明", "王", "小明 王"),
        ("محمد", "علي", "محمد علي"),
    ],
)
def test_only_names_wholly_in_capitals_are_lowered(given: str, family: str, read_as: str) -> None:
    assert " ".join(names.readable(given, family)) == read_as


@given(st.text(max_size=40), st.text(max_size=40))
def test_lowering_a_name_twice_changes_nothing_more(given_name: str, family_name: str) -> None:
    once = names.readable(given_name, family_name)

    assert names.readable(*once) == once


@pytest.mark.parametrize(
    ("stem", "old", "new", "column"),
    [
        ("users", '"1001",,,', '"1001","gone",,', "status"),
        ("users", '"10","student","user0"', '"10","wizard","user0"', "role"),
        ("users", '"MATEO"', '""', "givenName"),
        ("users", '"MATEO"', f'"{"M" * 81}"', "givenName"),
        ("users", '"MATEO"', f'"{"M" * 251}"', "givenName"),
        ("users", '"MATEO"', '"MA\x1bTEO"', "givenName"),
        ("users", '"KG"', '"PURPLE"', "grades"),
        ("users", '"t1@example.org"', '""', "email"),
        ("users", '"t1@example.org"', '"t1 at example"', "email"),
        ("users", '"1002",,,', '"1001",,,', "sourcedId"),
        ("users", '"1002",,,', '"",,,', "sourcedId"),
        ("academicSessions", '"8/17/2026"', '"17.8.2026"', "startDate"),
        ("academicSessions", '"12/18/2026"', '"1/1/2020"', "endDate"),
        ("classes", '"Grade 3A"', '""', "title"),
        ("orgs", '"Lincoln Elementary"', f'"{"L" * 121}"', "name"),
    ],
)
def test_a_bad_cell_refuses_its_row_alone(stem: str, old: str, new: str, column: str) -> None:
    whole = everything(bundle())

    records = everything(bundle(**{stem: replaced(f"{stem}.csv", old, new)}))

    (problem,) = refused(records)
    assert (problem.file, problem.column) == (f"{stem}.csv", column)
    assert problem.row > 1
    assert problem.reason.endswith(".")
    assert len(problem.reason) <= 255
    assert len(records) == len(whole)


def test_a_row_of_another_width_is_refused_with_its_line() -> None:
    users = replaced("users.csv", '"1004",,,', '"1004",,')

    (problem,) = refused(everything(bundle(users=users)))

    assert (problem.row, problem.key) == (5, "")
    assert "17 cells" in problem.reason


def test_a_file_that_is_no_zip_is_unreadable() -> None:
    assert "not a zip" in sentence(b"sourcedId,status\n1,active\n")


def test_an_empty_file_is_unreadable() -> None:
    assert "empty" in sentence(b"")


def test_an_empty_zip_is_unreadable() -> None:
    assert "empty" in sentence(zipped({}))


def test_a_truncated_zip_is_unreadable() -> None:
    assert "not a zip" in sentence(bundle()[:-60])


def test_a_zip_damaged_inside_is_unreadable() -> None:
    whole = bytearray(bundle())
    with zipfile.ZipFile(io.BytesIO(bytes(whole))) as archive:
        start = archive.getinfo("users.csv").header_offset + 60
    whole[start : start + 40] = b"\0" * 40

    assert "damaged" in sentence(bytes(whole))


def test_a_missing_file_is_named() -> None:
    assert "users.csv" in sentence(bundle(users=None))


def test_an_empty_member_is_named() -> None:
    assert "users.csv is empty" in sentence(bundle(users=""))


def test_a_wrong_header_names_what_is_missing() -> None:
    text = sentence(bundle(users=replaced("users.csv", "givenName", "firstName")))

    assert "users.csv has no column givenName" in text


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_delimiter_is_seen_in_the_first_line(delimiter: str) -> None:
    orgs = bundle_files()["orgs.csv"].replace(",", delimiter)

    assert everything(bundle(orgs=orgs)) == everything(bundle())
    told = everything(bundle(orgs=f"sep={delimiter}\r\n{orgs}"))
    assert [one.name for one in told[:3]] == [one.name for one in everything(bundle())[:3]]


def test_delimiters_behind_the_last_column_are_no_cells() -> None:
    orgs = bundle_files()["orgs.csv"].replace('"Willow Creek"', '"Willow Creek",,')

    assert everything(bundle(orgs=orgs)) == everything(bundle())


def test_spaces_before_a_quote_are_no_part_of_the_cell() -> None:
    orgs = bundle_files()["orgs.csv"].replace(',"', ', "')

    assert everything(bundle(orgs=orgs)) == everything(bundle())


def test_a_column_named_twice_is_unreadable() -> None:
    assert "twice" in sentence(bundle(users=replaced("users.csv", "middleName", "givenname")))


def test_a_file_given_twice_is_unreadable() -> None:
    assert "twice" in sentence(zipped(bundle_files() | {"old/users.csv": "x"}))


def only_refused(source) -> Refused:
    (found,) = refused(everything(source))
    assert found.reason.endswith(".")
    return found


def test_a_nul_refuses_its_row() -> None:
    found = only_refused(bundle(users=replaced("users.csv", "LINH", "LI\0NH")))

    assert (found.row, found.column, found.key) == (6, "givenName", "1005")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_does_not_say_so_is_unreadable(encoding: str) -> None:
    assert "UTF-16" in sentence(bundle(users=bundle_files()["users.csv"].encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_its_mark_is_read(encoding: str) -> None:
    users = "\ufeff" + bundle_files()["users.csv"].replace("\n", "\r\n")

    assert everything(bundle(users=users.encode(encoding))) == everything(bundle())


def test_half_a_letter_at_the_end_of_utf_16_is_unreadable() -> None:
    users = bundle_files()["users.csv"].encode("utf-16")

    assert "is not UTF-8" in sentence(bundle(users=users + b"x"))


def test_windows_1252_refuses_the_rows_that_cannot_be_read() -> None:
    found = refused(everything(bundle(users=bundle_files()["users.csv"].encode("cp1252"))))

    assert {one.column for one in found} <= {"givenName", "familyName"}
    assert {one.reason for one in found} == {"It is not UTF-8 text. Save the file as CSV UTF-8."}
    assert "1002" in {one.key for one in found}


def test_a_first_line_in_another_encoding_is_unreadable() -> None:
    users = bundle_files()["users.csv"].replace("password", "contraseña").encode("cp1252")

    assert "The first line of users.csv is not UTF-8" in sentence(bundle(users=users))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"MATEO"', '"MATEO'),  # the quote runs into the next cell
        ('"CANARY-student-1003"', '"CANARY-student-1003'),  # … over the end of the line
        ('"MATEO"', '"MAT"EO'),
        ('"MATEO"', '"MATEO\n1,2"'),  # well formed, and yet no name
        ('"CANARY-student-1003"', '"x\n1004,,,,10,student,,,A,B,,,,,,,03,y"'),  # a whole row
    ],
)
def test_an_unclosed_quote_refuses_its_row_and_tells_nobody_s(old: str, new: str) -> None:
    found = only_refused(bundle(users=replaced("users.csv", old, new)))

    assert found.key == ""
    assert "quote" in found.reason


def test_a_quote_open_until_the_end_is_unreadable() -> None:
    users = replaced("users.csv", '"CANARY-teacher-t4"', '"CANARY-teacher-t4')

    assert "quote" in sentence(bundle(users=users))


def test_a_line_break_in_a_cell_we_pass_over_is_fine() -> None:
    orgs = replaced("orgs.csv", "20 Oak Street", "20 Oak Street\nRoom 3")

    assert refused(everything(bundle(orgs=orgs))) == []


def test_a_field_beyond_all_measure_is_unreadable() -> None:
    users = replaced("users.csv", '"MATEO"', f'"{"M" * 140_000}"')

    assert "far too long" in sentence(bundle(users=users))


def test_a_line_beyond_all_measure_is_unreadable() -> None:
    words = " ".join(str(number) for number in range(300_000))

    assert "far too long" in sentence(bundle(users=replaced("users.csv", '"MATEO"', f'"{words}"')))


def test_old_mac_line_ends_are_read() -> None:
    orgs = "\ufeff" + bundle_files()["orgs.csv"].replace("\n", "\r")

    assert everything(bundle(orgs=orgs)) == everything(bundle())


def test_line_ends_that_change_midway_are_unreadable() -> None:
    head, *lines = bundle_files()["orgs.csv"].replace('"', "").split("\n")

    assert "a line ends as no other" in sentence(bundle(orgs=head + "\n" + "\r".join(lines)))


def test_306_kb_that_unpack_to_300_mb_are_never_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("users.csv", "w") as member:
            for _ in range(300):
                member.write(b"0" * 1_000_000)
        for name, text in bundle_files().items():
            if name != "users.csv":
                archive.writestr(name, text)
    assert len(bomb.getvalue()) < 320_000
    tracemalloc.start()
    try:
        text = sentence(bomb.getvalue())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert "unpacks to far more" in text
    assert peak < 5_000_000


def test_a_member_that_lies_about_its_size_is_unreadable() -> None:
    whole = bytearray(zipped(bundle_files() | {"users.csv": "0" * 3_000_000}))
    size = struct.pack("<L", 3_000_000)
    while (at := whole.find(size)) >= 0:
        whole[at : at + 4] = struct.pack("<L", 1000)

    sentence(bytes(whole))


def test_too_many_files_are_unreadable() -> None:
    assert "holds 70 files" in sentence(zipped({f"{n}.csv": "x" for n in range(70)}))


@pytest.mark.parametrize("name", ["../users.csv", "a/../../users.csv", "/users.csv", "..\\u.csv"])
def test_a_name_that_leads_outside_is_unreadable(name: str) -> None:
    # zipfile would tidy the name when writing; a hostile one comes untidied.
    hostile = zipped({"x" * len(name): "x"}).replace(b"x" * len(name), name.encode())

    assert "outside" in sentence(hostile)


def test_a_zip_in_the_zip_is_unreadable() -> None:
    assert "another packed file" in sentence(zipped({"more.zip": zipped(bundle_files())}))


def test_a_link_in_the_zip_is_unreadable() -> None:
    entry = zipfile.ZipInfo("users.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr(entry, "/etc/passwd")

    assert "outside" in sentence(kept.getvalue())


def test_an_unusual_packing_is_unreadable() -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("users.csv", "x")

    assert "unusual" in sentence(kept.getvalue())


def test_a_locked_zip_is_unreadable() -> None:
    whole = bytearray(zipped({"users.csv": "x"}))
    whole[whole.find(b"PK\x01\x02") + 8] |= 1

    assert "password" in sentence(bytes(whole))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"oneroster.version","1.1"', '"oneroster.version","2.0"', "OneRoster 2.0"),
        ('"file.users","bulk"', '"file.users","some"', "“some”"),
        ('"file.users","bulk"', '"file.users"', "Line 8 of manifest.csv"),
        ('"file.users","bulk"', '"file.demographics","bulk"\n"file.roles","delta"', "roles.csv"),
        ('"file.users","bulk"', '"file.users","absent"', "users.csv is absent"),
    ],
)
def test_a_manifest_that_cannot_be_meant_so_is_unreadable(old: str, new: str, says: str) -> None:
    assert says in sentence(bundle(manifest=replaced("manifest.csv", old, new)))


@pytest.mark.parametrize("version", ["1.0", "1.1", "v1.1", "1.2", "1.2.1", ""])
def test_each_version_we_know_is_read(version: str) -> None:
    told = replaced("manifest.csv", '"oneroster.version","1.1"', f'"oneroster.version","{version}"')

    assert refused(everything(bundle(manifest=told))) == []


def test_without_a_manifest_every_file_is_whole() -> None:
    with open_bundle(io.BytesIO(bundle(manifest=None))) as opened:
        found = manifest(opened)

    assert found.whole
    assert not found.read("roles.csv")


def test_a_delta_may_leave_out_whole_files() -> None:
    told = replaced("manifest.csv", '"file.users","bulk"', '"file.users","delta"')
    told = "\n".join(line for line in told.splitlines() if "file.orgs" not in line)
    with open_bundle(io.BytesIO(bundle(manifest=told, orgs=None))) as opened:
        found = manifest(opened)

    assert (found.mode("users.csv"), found.mode("orgs.csv")) == ("delta", "absent")
    assert not found.whole


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_as_a_member_are_read_or_unreadable(content: bytes) -> None:
    try:
        everything(bundle(users=content))
    except Unreadable as unreadable:
        assert str(unreadable).endswith(".")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(bundle()) - 1), st.integers(1, 255))
def test_any_flipped_byte_of_a_zip_is_read_or_unreadable(place: int, change: int) -> None:
    whole = bytearray(bundle())
    whole[place] ^= change
    try:
        everything(bytes(whole))
    except Unreadable as unreadable:
        assert str(unreadable).endswith(".")


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_a_cell_is_kept_refused_or_unreadable(text: str) -> None:
    cell = text.replace('"', '""')
    users = replaced("users.csv", '"MATEO"', f'"{cell}"')
    try:
        records = everything(bundle(users=users.encode("utf-8", "surrogatepass")))
    except Unreadable:
        return
    assert len(records) == len(everything(bundle()))


@needs_sample
@pytest.mark.shared_data
def test_the_sample_is_read_without_a_refused_row() -> None:
    records = everything(SAMPLE)

    found = people(records).values()
    assert refused(records) == []
    assert sum(one.role == read.STUDENT for one in found) == 140
    assert sum(one.role == read.TEACHER for one in found) == 40
    assert not [one for one in found if one.family_name.isupper()]


# Values


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Haitian Creole", "ht"),
        ("HMONG", "hmn"),
        ("pt-br", "pt-BR"),
        ("zh_hant", "zh-Hant"),
        ("es-419", "es-419"),
        ("", ""),
    ],
)
def test_languages_are_read_by_name_or_tag(text: str, tag: str) -> None:
    assert values.language(text) == tag


@given(st.text(max_size=20))
def test_a_grade_is_a_code_or_refused(text: str) -> None:
    try:
        code = grades.grade(text)
    except BadValue:
        return
    assert code == "" or code in grades.CODES


@given(st.dates())
def test_every_date_is_read_in_both_spellings(day: date) -> None:
    assert day_of(day.isoformat()) == day
    assert day_of(f"{day.month}/{day.day}/{day.year:04}") == day


@given(
    st.from_regex(r"(\+?1[ .-]?)?\(?[2-9][0-9]{2}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4}", fullmatch=True)
)
def test_the_short_way_to_a_number_ends_where_the_long_one_does(text: str) -> None:
    number = phonenumbers.parse(text, "US")
    if not phonenumbers.is_valid_number(number):
        with pytest.raises(BadValue):
            values.phone(text, "US")
        return
    whole = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert values.phone(text, "US") == whole
