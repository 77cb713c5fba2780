"""A coordinator brings a roster and a list of contacts, looks, applies, and takes it back."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from families.models import Caregiver, Family, Student
from tests.families.roster_files import BUNDLE
from tests.spreadsheets import xlsx

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = ["Pupil", "Family ID", "Parent first name", "Parent last name", "Lien", "Cell",
          "Spoken at home", "Do not contact", "Medical notes"]  # fmt: skip
ROWS = [
    ["1001", "H1", "Carmen", "De la Cruz", "mother", "(503) 555-0123", "español", "", "x"],
    ["1002", "H1", "Carmen", "De la Cruz", "mother", "", "", "", "x"],
    ["1001", "H1", "Luis", "De la Cruz", "father", "503 555 0124", "Spanish", "yes", "x"],
    ["1003", "H2", "فادومو", "حسن", "mother", "503 555 0125", "Somali", "", "x"],
    ["1005", "H3", "Thảo", "Nguyễn", "aunt", "not a number", "vi", "", "x"],
]


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in BUNDLE.glob("*.csv"):
            archive.write(file, file.name)
    return path


def sheet_of(path: Path, rows: list[list[str]]) -> Path:
    path.write_bytes(xlsx([["Lincoln Elementary"], HEADER, *rows]))
    return path


def send(page, path: Path, kind: str) -> None:
    page.goto("/rosters/")
    page.get_by_label(kind).check()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Read this file").click()
    page.get_by_text("Being read").first.wait_for()


def sound(page) -> None:
    """Nothing for axe to find, and nothing that scrolls sideways."""
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def apply(page, worker) -> None:
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("progressbar", name="How far it is").wait_for()
    sound(page)
    worker()
    page.get_by_role("heading", name="Applied").wait_for()  # asks by itself


@pytest.mark.parametrize("phone", [True, False], ids=["360", "1280"])
def test_a_coordinator_imports_looks_applies_and_undoes(
    open_device, worker, program, program_coordinator, roster, tmp_path, phone
) -> None:
    page = open_device(program_coordinator, phone=phone, color_scheme="dark" if phone else "light")
    send(page, roster, "Roster (OneRoster CSV)")
    worker()
    page.get_by_role("link", name="Students 25").click()
    page.get_by_label("Find a name or an id").fill("hassan")
    page.get_by_role("button", name="Find").click()
    assert page.locator("span.item-title").all_inner_texts() == ["Amina Hassan", "Yusuf Hassan"]
    sound(page)
    apply(page, worker)
    assert Student.objects.count() == 25

    # Columns of other names: two are understood wrongly or not at all.
    send(page, sheet_of(tmp_path / "families.xlsx", ROWS), "Family contacts")
    worker()
    page.get_by_role("heading", name="Which column is what?").wait_for()
    assert page.get_by_text("For example: (503) 555-0123").is_visible()
    assert page.locator("#passed ~ ul").get_by_text("Medical notes").is_visible()
    sound(page)
    page.get_by_label("Student id", exact=False).select_option("Pupil")
    page.get_by_text("For example: 1001 · 1002").wait_for()  # without a reload
    page.get_by_label("Language", exact=False).select_option("Spoken at home")
    page.get_by_text("For example: español").wait_for()
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("Being read").first.wait_for()
    worker()

    # One row is refused, and told with its place and why.
    page.get_by_role("link", name="Refused 1").wait_for()
    assert page.get_by_text("“not a number” is not a phone number.").is_visible()
    assert page.get_by_text("line 7 · phone · 1005").is_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the refused rows").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    (refused,) = csv.DictReader(io.StringIO(text))
    assert (refused["student_id"], refused["given_name"]) == ("1005", "Thảo")
    assert "Medical notes" not in text
    page.get_by_role("link", name="New 5").click()
    page.get_by_role("link", name="Caregivers 3").click()
    assert page.get_by_text("May be contacted").count() == 1
    sound(page)
    apply(page, worker)
    assert Caregiver.objects.filter(may_be_contacted=False).get().given_name == "Luis"

    # The next file of the same shape isn't asked about; a child moves.
    moved = [row if row[0] != "1002" else ["1002", "H9", *row[2:]] for row in ROWS]
    send(page, sheet_of(tmp_path / "again.xlsx", moved), "Family contacts")
    worker()
    page.get_by_role("link", name="Moved 1").click()
    assert page.get_by_text("moves from the De la Cruz family to the De la Cruz").is_visible()
    assert page.get_by_role("button", name="Change columns").is_visible()
    sound(page)
    page.get_by_role("button", name="Discard").click()
    page.get_by_text("Discarded. Nothing was changed.").wait_for()

    # She takes the contacts back.
    sound(page)
    page.get_by_role("link", name="families.xlsx").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Being undone").first.wait_for()
    worker()
    page.get_by_role("heading", name="Undone").wait_for()
    sound(page)
    assert not Family.objects.exists()
    assert Student.objects.count() == 25
    page.goto("/rosters/")
    assert page.locator("li.item", has_text="families.xlsx").get_by_text("Undone").count() > 0


def test_columns_are_confirmed_without_scripts(
    open_device, worker, program_coordinator, roster, tmp_path
) -> None:
    page = open_device(program_coordinator, phone=True, java_script_enabled=False)
    send(page, sheet_of(tmp_path / "families.xlsx", ROWS), "Family contacts")
    assert page.get_by_role("link", name="Look again").is_visible()
    worker()
    page.goto(page.url)
    page.get_by_role("button", name="Read the file").click()
    assert "Choose the column that holds “Student id”." in page.get_by_role("alert").inner_text()
    page.get_by_label("Student id", exact=False).select_option("Pupil")
    page.get_by_role("button", name="Read the file").click()
    worker()
    page.reload()

    assert page.get_by_role("link", name="Refused 5").is_visible()
