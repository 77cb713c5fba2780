"""Certificates from before: planned as a diff, applied once, taken back byte for byte."""

import datetime
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.urls import reverse
from django_scopes import scope
from procrastinate.contrib.django.models import ProcrastinateJob

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Role, School
from pthv.tasks import MOST_ATTEMPTS
from tests.conftest import at
from tests.pthv.test_undo import snapshot
from tests.spreadsheets import xlsx
from tests.visits.test_query_counts import PAGE, flat
from tests.visits.test_query_counts import count as _count
from training import certification, cohorts, enrolment, sessions
from training.certificate_imports import apply, plan, read
from training.models import (
    CertificateImport,
    Certification,
    CertificationReminder,
    Course,
    CourseRequirement,
)
from training.tasks import apply_certificates, plan_certificates, undo_certificates

from .certificate_files import TITLES, WRONG, hire, listed, old_certificates

pytestmark = pytest.mark.django_db
State = CertificateImport.State
FIRST_TRY = SimpleNamespace(job=SimpleNamespace(attempts=0))
LAST_TRY = SimpleNamespace(job=SimpleNamespace(attempts=MOST_ATTEMPTS))
ANA = "ana.ruiz@example.org"


@pytest.fixture(autouse=True)
def uploads(tmp_path, settings):
    settings.UPLOADS_FOLDER = tmp_path / "uploads"
    return settings.UPLOADS_FOLDER


@pytest.fixture
def bring(program, program_coordinator, course):
    """Send a list and let the worker plan it; lines become a file with the usual titles."""

    def bring(content: bytes | list, name: str = "binder.csv") -> CertificateImport:
        content = content if isinstance(content, bytes) else listed(content)
        found = plan.receive(name, [content], program=program, by=program_coordinator)
        plan_certificates.func(FIRST_TRY, program.pk, found.pk)
        found.refresh_from_db()
        return found

    return bring


@pytest.fixture
def finish(program, program_coordinator):
    """Apply or undo an import, as a tap and the worker do."""

    def finish(hand_over, task, found: CertificateImport) -> CertificateImport:
        hand_over(found, by=program_coordinator)
        task.func(FIRST_TRY, program.pk, found.pk, program_coordinator.pk)
        found.refresh_from_db()
        return found

    return finish


@pytest.fixture
def applied(bring, finish):
    return lambda content: finish(apply.hand_over, apply_certificates, bring(content))


@pytest.fixture
def undone(finish):
    return lambda found: finish(apply.hand_over_undo, undo_certificates, found)


def told(found: CertificateImport) -> list[tuple[str, str]]:
    return [(line.kind, line.problem) for line in found.lines.all()]


def test_two_thousand_lines_with_errors(applied, bring, undone, program, school, course):
    hire(program, school, 400)
    before = snapshot()
    lines = old_certificates(2000, 400)

    found = bring(lines)

    assert found.counts == {"new": 1600, "refused": 400}
    refused = [problem for kind, problem in told(found) if kind == "refused"]
    for number, problem in enumerate(refused):
        assert problem.startswith(WRONG[number % len(WRONG)][1])
        assert problem.endswith(".")
    assert snapshot() == before

    found = applied(lines)

    assert (found.state, Certification.objects.count()) == (State.APPLIED, 1600)
    assert bring(lines).counts == {"same": 1600, "refused": 400}

    undone(found)

    assert found.state == State.UNDONE
    assert snapshot() == before
    assert applied(lines).counts == {"new": 1600, "refused": 400}


def test_a_line_becomes_a_certification_with_its_evidence(
    applied, ana, course, program_coordinator
):
    applied([[ANA.upper(), "", "INTRODUCTION", "Aug 20, 2024", "", "Binder 3, no. 114"]])

    made = Certification.objects.get()
    assert (made.educator, made.course, made.evidence) == (ana, course, "Binder 3, no. 114")
    assert str(made.issued_on) == "2024-08-20"
    assert str(made.expires_on) == "2026-08-19"
    assert (made.issued_by, made.issued_at) == (program_coordinator, clock.now())
    entry = AuditEntry.objects.get(event="certification.issued", subject_id=made.pk)
    assert entry.facts["backdated"] is True
    assert entry.by == program_coordinator


def test_the_last_day_still_counts(applied, ana):
    applied([[ANA, "", "Introduction", "2024-10-07", "2026-10-06", ""]])

    today = datetime.date(2026, 10, 6)
    assert certification.untrained([ana], on=today) == {}
    assert certification.untrained([ana], on=today + datetime.timedelta(days=1))


def test_one_of_one_day_is_in_order(bring, ana):
    assert bring([[ANA, "", "Introduction", "2024-10-07", "2024-10-07", ""]]).counts == {"new": 1}


@pytest.mark.parametrize(
    ("now", "counts"),
    [(at(6, 23, 30), {"refused": 1}), (at(7, 0, 30), {"new": 1})],
)
def test_the_future_begins_where_the_program_is(bring, ana, now, counts):
    with clock.at(now):
        assert bring([[ANA, "", "Introduction", "2026-10-07", "", ""]]).counts == counts


def test_the_same_line_twice_is_said(bring, ana):
    line = [ANA, "", "Introduction", "2024-08-20", "", ""]

    found = bring([line, [ANA, "", "Introduction", "2024-08-20", "2026-01-01", ""], line])

    assert told(found) == [
        ("new", ""),
        ("refused", "Line 2 has the same certificate."),
        ("refused", "Line 2 has the same certificate."),
    ]


def test_what_a_longer_one_covers_is_here_already(bring, certified):
    found = bring(
        [
            [ANA, "", "Introduction", "2026-10-01", "", ""],
            [ANA, "", "Introduction", "2026-10-02", "2027-01-01", ""],
            [ANA, "", "Introduction", "2026-10-01", "2029-01-01", ""],
            [ANA, "", "Introduction", "2025-10-01", "2026-12-31", ""],
            [ANA, "", "Introduction", "2025-10-02", "2026-12-01", ""],
        ]
    )

    assert told(found) == [
        ("same", "Here already, until Sep 30, 2028."),
        ("same", "Here already, until Sep 30, 2028."),
        ("refused", "It is here, and ends on Sep 30, 2028: a list can't prolong it."),
        ("new", ""),
        ("same", "Line 5 has one that counts as long."),
    ]


def test_what_was_revoked_is_never_brought_back(bring, certified, program_coordinator):
    certification.revoke(certified, because="Left the training early.", by=program_coordinator)

    found = bring(
        [
            [ANA, "", "Introduction", "2026-10-01", "", ""],
            [ANA, "", "Introduction", "2026-09-20", "", ""],
            [ANA, "", "Introduction", "2022-09-20", "", ""],
        ]
    )

    gone = ("refused", "It was revoked on Oct 6; a list can't bring it back.")
    assert told(found) == [gone, gone, ("new", "")]


def test_days_before_months_make_short_dates_ambiguous(bring, ana):
    def line(day: str) -> list[str]:
        return [ANA, "", "Introduction", day, "", ""]

    found = bring([line("25/12/2019"), line("3/4/2018"), line("5/5/2017"), line("2016-03-04")])

    assert [problem[:45] for _kind, problem in told(found)] == [
        "“25/12/2019” is not a date such as 2026-09-01",
        "“3/4/2018” may be either of two days. Write i",
        "",
        "",
    ]


def test_a_spreadsheet_reads_as_its_text_does(bring, ana):
    found = bring(xlsx([list(TITLES), [ANA, None, "Introduction", "2024-08-20", None, 114]]))

    line = found.lines.get()
    assert (line.kind, line.label, line.number) == ("new", "Ana Ruiz", 2)
    assert line.data["evidence"] == "114"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"Name,Course\nAna,Introduction\n", "No column is clearly “E-mail”, “Issued on”."),
        (listed([]), "The list has no line below"),
        (b"PK\x03\x04 no zip", "damaged"),
        (b"\xd0\xcf\x11\xe0", "old spreadsheet"),
    ],
)
def test_what_is_no_list_says_why(bring, uploads, content, sentence):
    found = bring(content)

    assert found.state == State.REFUSED
    assert sentence in found.problem
    assert list(uploads.iterdir()) == []


def test_a_list_without_end_is_refused(bring, monkeypatch, ana):
    monkeypatch.setattr(read, "MOST_LINES", 2)

    found = bring([[ANA, "", "Introduction", f"2024-08-{day}", "", ""] for day in (10, 11, 12)])

    assert found.problem == "The list has more than 2 lines. Split it."
    assert not found.lines.exists()


def test_formulas_of_our_own_export_come_back_as_they_were(bring, ana):
    found = bring([[ANA, "", "Introduction", "2024-08-20", "", "'=HYPERLINK(1)"]])

    assert found.lines.get().data["evidence"] == "=HYPERLINK(1)"


def test_tapping_twice_applies_once(bring, program, program_coordinator, ana):
    found = bring([[ANA, "", "Introduction", "2024-08-20", "", ""]])

    for _tap in range(2):
        apply.hand_over(found, by=program_coordinator)
    assert ProcrastinateJob.objects.filter(task_name="apply_certificates").count() == 1
    for _job in range(2):
        apply_certificates.func(FIRST_TRY, program.pk, found.pk, program_coordinator.pk)

    assert Certification.objects.count() == 1
    assert AuditEntry.objects.filter(event="certificate_import.applied").count() == 1


def test_what_changed_since_is_looked_at_again(bring, finish, ana, course, program_coordinator):
    found = bring(
        [
            [ANA, "", "Introduction", "2024-08-20", "", ""],
            [ANA, "", "Introduction", "2020-08-20", "", ""],
        ]
    )
    on = datetime.date(2024, 8, 20)
    held = certification.issue(ana, course, on=on, by=program_coordinator)
    certification.revoke(held, because="A mistake.", by=program_coordinator)

    finish(apply.hand_over, apply_certificates, found)

    assert (found.state, found.counts) == (State.PLANNED, {"refused": 1, "new": 1})
    assert found.problem.startswith("1 line means something else by now.")
    assert Certification.objects.get() == held
    assert finish(apply.hand_over, apply_certificates, found).state == State.APPLIED
    assert Certification.objects.count() == 2


def test_what_another_course_asked_for_certifies_and_goes_with_it(
    applied, undone, program, course, ana, program_coordinator
):
    more = Course.objects.create(program=program, name="Second visits", hours=2)
    CourseRequirement.objects.create(program=program, course=more, kind="holds", held=course)
    cohort = cohorts.open_cohort(more, "Fall", by=program_coordinator)
    starts, ends = at(1, 16), at(1, 18)
    with clock.at(starts):
        sessions.add(cohort, starts_at=starts, ends_at=ends, place="", by=program_coordinator)
        enrolment.enrol(cohort, [ana], by=program_coordinator)
    cohorts.complete(cohort, by=program_coordinator)
    before = snapshot()
    assert not Certification.objects.exists()

    found = applied([[ANA, "", "Introduction", "2024-10-20", "", ""]])

    assert Certification.objects.filter(course=more).count() == 1
    undone(found)
    assert (found.state, snapshot()) == (State.UNDONE, before)


def test_a_failure_half_way_leaves_nothing(bring, program, program_coordinator, ana):
    found = bring([[ANA, "", "Introduction", f"20{n}-08-20", "", ""] for n in range(10, 20)])
    before = snapshot()
    apply.hand_over(found, by=program_coordinator)
    with connection.cursor() as cursor:  # the database refuses the seventh of ten
        cursor.execute(
            "ALTER TABLE training_certification ADD CONSTRAINT half_way"
            " CHECK (issued_on <> '2016-08-20')"
        )

    with pytest.raises(DatabaseError):
        apply_certificates.func(FIRST_TRY, program.pk, found.pk, program_coordinator.pk)

    found.refresh_from_db()
    assert (found.state, snapshot()) == (State.PLANNED, before)
    assert found.problem == "It could not be applied, and nothing changed. Try again later."


@pytest.mark.parametrize("state", ["reading", "applying", "undoing"])
def test_what_ends_every_worker_is_given_up(
    applied, bring, program, program_coordinator, ana, state
):
    line = [ANA, "", "Introduction", "2024-08-20", "", ""]
    found = applied([line]) if state == "undoing" else bring([line])
    CertificateImport.objects.filter(pk=found.pk).update(state=state)

    plan_certificates.func(LAST_TRY, program.pk, found.pk)
    for task in (apply_certificates, undo_certificates):
        task.func(LAST_TRY, program.pk, found.pk, program_coordinator.pk)

    found.refresh_from_db()
    ends = {"reading": "refused", "applying": "planned", "undoing": "applied"}
    assert found.state == ends[state]
    assert found.problem.endswith(".")


def test_a_reminder_made_since_goes_with_its_certification(applied, undone, program, ana):
    before = snapshot()
    found = applied([[ANA, "", "Introduction", "2024-10-20", "", ""]])
    CertificationReminder.objects.create(
        program=program, certification=Certification.objects.get(), days=30
    )

    undone(found)

    assert (found.state, snapshot()) == (State.UNDONE, before)
    assert not CertificationReminder.objects.exists()


def test_a_certification_revoked_since_keeps_the_import(applied, undone, ana, program_coordinator):
    found = applied([[ANA, "", "Introduction", "2024-10-20", "", ""]])
    held = Certification.objects.get()
    certification.revoke(held, because="Not theirs.", by=program_coordinator)

    undone(found)

    assert found.state == State.APPLIED
    assert found.problem == "This can't be undone: changed since then were 1 certification."
    assert Certification.objects.filter(pk=held.pk).exists()


def test_another_program_s_people_and_courses_are_unknown(bring, person, other_program, ana):
    with scope(program=other_program):
        their_school = School.objects.create(program=other_program, name="Their school")
        Course.objects.create(program=other_program, name="Juggling", hours=3)
    person("Zoe Else", Role.EDUCATOR, other_program, their_school)

    found = bring(
        [
            ["zoe.else@example.org", "", "Introduction", "2024-08-20", "", ""],
            [ANA, "", "Juggling", "2024-08-20", "", ""],
        ]
    )

    assert [problem for _kind, problem in told(found)] == [
        "No educator here has the address zoe.else@example.org.",
        "No course here is called “Juggling”.",
    ]


def test_a_discarded_list_keeps_no_name(bring, program_coordinator, ana):
    found = bring([[ANA, "", "Introduction", "2024-08-20", "", ""]])

    for _tap in range(2):
        apply.discard(found, by=program_coordinator)

    assert not found.lines.exists()
    with pytest.raises(NotReady):
        apply.hand_over(found, by=program_coordinator)


STRINGS = json.loads((Path(__file__).parent.parent / "naughty" / "strings.json").read_text("utf-8"))


@pytest.mark.parametrize("column", range(len(TITLES)))
def test_strings_that_broke_other_programs_are_read_or_refused(
    applied, undone, client, ana, column
):
    before = snapshot()
    lines = [[ANA, "", "Introduction", "1998-01-01", "", ""]]
    for number, naughty in enumerate(STRINGS):
        day = datetime.date(2000, 1, 1) + datetime.timedelta(days=800 * number % 9000)
        lines.append([ANA, "Ana Ruiz", "Introduction", str(day), "", "Binder 3"])
        lines[-1][column] = naughty

    found = applied(listed(lines))

    assert found.state == State.APPLIED
    assert len(STRINGS) // 2 < found.lines.count() <= len(lines)
    for kind in found.counts:
        url = reverse("certificate_import_detail", args=[found.pk])
        assert client.get(f"{url}?kind={kind}").status_code == 200
    undone(found)
    assert snapshot() == before


# Pages

count = _count


@pytest.fixture
def client(client, program_coordinator):
    client.force_login(program_coordinator)
    return client


def test_the_pages_walk_from_the_file_to_undone(client, program, program_coordinator, course, ana):
    lines = [[ANA, "", "Introduction", "2024-08-20", "", "Binder 3"], WRONG[2][0], WRONG[0][0]]
    file = SimpleUploadedFile("binder.csv", listed(lines))
    response = client.post(reverse("certificate_import_new"), {"file": file})
    found = CertificateImport.objects.get()
    page = reverse("certificate_import_detail", args=[found.pk])
    assert response.url == page
    assert "Being read" in client.get(page).text

    plan_certificates.func(FIRST_TRY, program.pk, found.pk)

    text = client.get(page).text
    assert "No educator here has the address who@example.org." in text
    assert "Binder 3" not in text
    new_lines = client.get(page + "?kind=new").text
    assert "<bdi>Aug 20, 2024 – Aug 19</bdi> · <bdi>Binder 3</bdi>" in new_lines
    refused = client.get(reverse("certificate_import_refused", args=[found.pk])).getvalue().decode()
    assert "who@example.org,,Introduction,2024-08-20,,,3,No educator" in refused

    for act, task, said in (
        ("apply", apply_certificates, "Applied"),
        ("undo", undo_certificates, "Undone"),
    ):
        assert client.post(reverse(f"certificate_import_{act}", args=[found.pk])).url == page
        task.func(FIRST_TRY, program.pk, found.pk, program_coordinator.pk)
        assert said in client.get(page).text
    assert "1 new, 0 here already, 2 refused" in client.get(reverse("certificate_import_list")).text


def test_a_file_too_large_is_not_kept(client, monkeypatch, uploads, course):
    monkeypatch.setattr("training.forms.certificate_imports.MOST", 10)

    response = client.post(
        reverse("certificate_import_new"), {"file": SimpleUploadedFile("a.csv", b"x" * 11)}
    )

    assert response.status_code == 422
    assert not CertificateImport.objects.exists()


def test_what_can_t_be_done_says_so_on_the_page(client, bring):
    found = bring([WRONG[0][0]])

    for act in ("apply", "undo"):
        response = client.post(reverse(f"certificate_import_{act}", args=[found.pk]))
        assert response.status_code == 409
        assert "This list" in response.text
    response = client.post(reverse("certificate_import_discard", args=[found.pk]), follow=True)
    assert "Nothing was changed" in response.text


def test_no_page_asks_more_for_many(count, bring, ana, program_coordinator):
    found = bring([[ANA, "", "Introduction", "2024-08-20", "", ""]])
    pages = dict.fromkeys(
        [reverse("certificate_import_list"), reverse("certificate_import_detail", args=[found.pk])],
        program_coordinator,
    )

    def grow():
        for _ in range(29):
            bring(WRONG[0][:1])
        plan.CertificateLine.objects.bulk_create(
            plan.CertificateLine(
                program=found.program, certificate_import=found, number=n, kind="new", label="Ana",
                data={"issued_on": "2024-08-20", "expires_on": "2026-08-19"},
            )
            for n in range(3, 32)
        )  # fmt: skip

    flat(count, pages, grow, PAGE)
