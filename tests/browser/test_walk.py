"""From a roster file to a payroll file, by thumb and by mouse, as five people would do it."""

import csv
import datetime
import io
import re
import zipfile
from pathlib import Path

import pytest
from django.core import mail
from django.db import connection

from families.models import Caregiver, SchoolClass, Student
from pthv.models import Educator, SchoolYear
from tests.families.roster_files import BUNDLE, SAMPLE, needs_sample
from training import certification
from training.models import Course
from visits.models import FundingSource, PayLine, PayRate, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.real_clock,
    pytest.mark.django_db(transaction=True),
]

NAMES = ["Ortega", "Nguyễn", "O’Brien", "Abdi", "Vang", "Silva", "Haddad"]
PASSWORD = "a long enough password"


@pytest.fixture(
    params=[
        pytest.param(BUNDLE, id="own"),
        pytest.param(SAMPLE, id="sample", marks=[pytest.mark.shared_data, needs_sample]),
    ]
)
def bundle(request, tmp_path: Path) -> Path:
    """The invented bundle as a zip, and the vendor's sample where it lies beside the project."""
    folder = request.param
    path = tmp_path / "roster.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.glob("*.csv"):
            archive.write(file, file.name)
    return path


def contacts_of(students, path: Path) -> Path:
    """An invented contacts file: two children a household, one caregiver each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["student_id", "household", "given_name", "family_name", "relation", "phone", "email",
             "language", "preferred_channel"]
        )  # fmt: skip
        for number, student in enumerate(students):
            household = number // 2
            writer.writerow(
                [student.source_id, f"H{household}", "Marta", NAMES[household % len(NAMES)],
                 "mother", f"(312) 555-{100 + household % 100:04}", "", "es", "call"]
            )  # fmt: skip
    return path


def log_in_with_password(page, user) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


def log_in_with_code(page, user) -> None:
    """As a teacher does whom nobody gave a password."""
    mail.outbox.clear()
    page.goto("/accounts/login/")
    page.get_by_role("link", name="Email me a code instead").click()
    page.get_by_label("Email").fill(user.email)
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/login/code/confirm/")
    code = re.search(r"^\s*([A-Z0-9-]{6,})\s*$", mail.outbox[-1].body, re.MULTILINE)[1]
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/today/")


def import_file(page, worker, path: Path, kind: str) -> None:
    page.goto("/rosters/")
    page.get_by_label(kind).check()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Read this file").click()
    page.wait_for_url(re.compile(r"/rosters/\d+/"))
    worker()
    if kind != "Roster (OneRoster CSV)":
        page.get_by_role("button", name="Read the file").click()
        page.locator("#progress").wait_for()
        worker()
    page.get_by_role("button", name="Apply").click()
    worker()
    page.locator(".page-lede", has_text=re.compile(r"\bApplied\b")).wait_for()  # asks by itself


def test_the_whole_walk(
    bundle, open_device, worker, program, program_coordinator, finance, tmp_path
):
    for user in (program_coordinator, finance):
        user.set_password(PASSWORD)
        user.save()

    # The program coordinator brings the roster, then the families' contacts.
    desk = open_device()
    log_in_with_password(desk, program_coordinator)
    import_file(desk, worker, bundle, "Roster (OneRoster CSV)")
    students = list(Student.objects.exclude(source_id="999999").order_by("source_id"))
    import_file(desk, worker, contacts_of(students, tmp_path / "contacts.csv"), "Family contacts")
    assert Caregiver.objects.count() == (len(students) + 1) // 2

    # What the program has set up: a rate, a fund, training for two teachers of one school.
    school_class = (
        SchoolClass.objects.filter(enrollments__student__family__isnull=False)
        .filter(teachers__isnull=False)
        .order_by("pk")
        .first()
    )
    # The roster's year may be over by now.
    SchoolYear.objects.filter(pk=school_class.school_year_id).update(
        starts_on=program.today - datetime.timedelta(days=60),
        ends_on=program.today + datetime.timedelta(days=200),
    )
    lead = school_class.teachers.first()
    partner = Educator.objects.at(school_class.school).exclude(pk=lead.pk).first()
    today = program.today
    PayRate.objects.create(program=program, kind="first", amount=40, starts_on=today)
    FundingSource.objects.create(
        program=program,
        name="Title I",
        budget=500,
        starts_on=today - datetime.timedelta(days=60),
        ends_on=today + datetime.timedelta(days=60),
    )
    course = Course.objects.create(program=program, name="Introduction", hours=3)
    for educator in (lead, partner):
        certification.issue(educator, course, on=today, by=program_coordinator)

    # She plans the class.
    desk.goto(f"/plans/new/?school={school_class.school_id}&year={school_class.school_year_id}")
    desk.get_by_label("Which class or grade").select_option(value=f"class:{school_class.pk}")
    desk.get_by_role("button", name="Make this plan").click()
    assert "Planned." in desk.inner_text("main")

    # The teacher, on her phone: calls, hears yes, asks a colleague along, finds a time.
    phone = open_device(phone=True)
    log_in_with_code(phone, lead.user)
    phone.get_by_role("link", name="Families").last.click()
    phone.locator(".item-title").first.click()
    phone.get_by_role("button", name="They said yes").click()
    phone.get_by_role("radio", name=str(partner)).check()
    phone.get_by_role("button", name="Go together").click()
    phone.get_by_role("link", name="Find a time").click()
    phone.locator("label:has([name=slot])").first.click()
    phone.get_by_role("button", name="Schedule this visit").click()
    phone.wait_for_url(re.compile(r"/visits/\d+/"))
    visit = Visit.objects.get()

    # The colleague confirms on his.
    other = open_device(phone=True)
    log_in_with_code(other, partner.user)
    other.get_by_role("button", name="Confirm").click()
    visit.refresh_from_db()
    assert visit.state == Visit.State.CONFIRMED

    # The day has come: the clock is moved by moving the visit.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE visits_visit SET during = tstzrange(now() - interval '70 minutes',"
            " now() - interval '10 minutes')"
        )
    phone.goto("/today/")
    phone.get_by_role("button", name="We visited").first.click()
    phone.get_by_role("link", name="Log this visit").first.click()
    assert "The family may read this" in phone.inner_text("main")
    phone.get_by_label("Hopes and dreams").first.fill("That he loves to read. ❤ =1+1")
    phone.get_by_label("One promise").fill("Send the library card form")
    phone.get_by_label("We keep it by").fill((today + datetime.timedelta(days=7)).isoformat())
    phone.get_by_role("button", name="Save the log").click()
    phone.get_by_label("What did you learn?").fill("He builds radios.")
    phone.get_by_role("button", name="Save and finish").click()
    phone.wait_for_url(re.compile(r"/visits/\d+/$"))
    assert not PayLine.objects.exists()

    other.goto("/today/")
    other.get_by_role("link", name="Reflect").first.click()
    other.get_by_label("What did you learn?").fill("They cook together.")
    other.get_by_role("button", name="Save and finish").click()
    other.wait_for_url(re.compile(r"/visits/\d+/$"))
    visit.refresh_from_db()
    assert visit.state == Visit.State.COMPLETED
    assert PayLine.objects.count() == 2

    # Somebody else approves, locks a batch and downloads it.
    office = open_device(accept_downloads=True)
    log_in_with_password(office, finance)
    for box in office.get_by_role("checkbox", name=re.compile("Ruiz|.")).all():
        if box.get_attribute("name") == "lines":
            box.check()
    office.get_by_role("button", name="Approve the ticked").click()
    assert "2 lines approved." in office.inner_text("main")
    office.get_by_role("button", name="Make a batch").click()
    with office.expect_download() as download:
        office.get_by_role("button", name="Download for payroll").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    assert sorted(row["email"] for row in rows) == sorted([lead.user.email, partner.user.email])
    assert {row["amount"] for row in rows} == {"40.00"}
    assert {row["fund"] for row in rows} == {"Title I"}
