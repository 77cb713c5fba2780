"""Applying a plan: all or nothing, once, and nothing of the file that wasn't asked for."""

import datetime
import os
import stat
import threading
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from families import people
from families.models import (
    Caregiver,
    ClassTeacher,
    Enrollment,
    Family,
    RosterImport,
    SchoolClass,
    Student,
)
from families.roster import apply, apply_people, upload
from families.tasks import apply_roster, plan_roster
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Membership, School, SchoolYear, User
from pthv.tasks import MOST_ATTEMPTS

from .roster_files import (
    BUNDLE,
    CONTACTS,
    FIRST_TRY,
    SAMPLE,
    bundle,
    needs_sample,
    replaced,
    without_rows,
)

pytestmark = pytest.mark.django_db


def roster() -> tuple:
    """Everything a roster file decides, comparable."""
    return (
        sorted(School.objects.values_list("source_id", "name")),
        sorted(SchoolClass.objects.filter(left_on=None).values_list("source_id", "title")),
        sorted(
            Student.objects.enrolled().values_list(
                "source_id", "given_name", "family_name", "grade", "school__source_id"
            )
        ),
        sorted(
            Enrollment.objects.filter(left_on=None).values_list(
                "student__source_id", "school_class__source_id"
            )
        ),
        sorted(
            ClassTeacher.objects.values_list(
                "educator__source_id", "school_class__source_id", "is_primary"
            )
        ),
        sorted(
            Membership.objects.filter(role="educator", ends_on=None).values_list(
                "user__email", "school__source_id"
            )
        ),
    )


def everything_stored() -> str:
    """Every text in every table, as one string."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name from information_schema.tables where table_schema=%s", ["public"]
        )
        tables = [name for (name,) in cursor.fetchall()]
        texts = []
        for table in tables:
            cursor.execute(f"select coalesce(string_agg(t::text, ' '), '') from \"{table}\" t")
            texts.append(cursor.fetchone()[0])
    return " ".join(texts)


def test_a_file_becomes_the_roster(apply_file, program_coordinator) -> None:
    found = apply_file(bundle())

    assert SchoolYear.objects.get().name == "2026–27"
    assert sorted(School.objects.values_list("name", flat=True)) == [
        "Lincoln Elementary",
        "Roosevelt Middle",
    ]
    assert (Student.objects.count(), Educator.objects.count()) == (25, 4)
    assert Enrollment.objects.count() == 30
    assert str(Student.objects.get(source_id="1001")) == "Mateo De la Cruz"
    cara = Educator.objects.get(source_id="t3")
    assert sorted(cara.classes.values_list("title", flat=True)) == ["Mathematics 6", "Science 6"]
    assert found.applied_by == program_coordinator
    entry = AuditEntry.objects.get(event="roster.applied")
    assert (entry.subject_id, entry.by) == (found.pk, program_coordinator)


def test_a_teacher_gets_an_account_without_a_password(apply_file) -> None:
    apply_file(bundle())

    ana = User.objects.get(email="t1@example.org")
    membership = Membership.objects.get(user=ana)
    assert not ana.has_usable_password()
    assert (membership.role, membership.school.name) == ("educator", "Lincoln Elementary")
    assert membership.starts_on == datetime.date(2026, 8, 17)


def test_an_educator_added_by_hand_is_linked_not_doubled(apply_file, program, person) -> None:
    lincoln = School.objects.create(program=program, name="Lincoln Elementary")
    by_hand = person("T1", "educator", program, lincoln).educators.get()

    apply_file(bundle())

    assert Educator.objects.get(source_id="t1") == by_hand
    assert School.objects.get(source_id="10") == lincoln
    assert Membership.objects.filter(user=by_hand.user).count() == 1


def test_leaving_marks_and_never_deletes(apply_file, program) -> None:
    apply_file(bundle())
    fewer = without_rows("users.csv", sourcedId="1005")
    fewer = "\n".join(line for line in fewer.splitlines() if not line.startswith("t4,"))

    apply_file(bundle(users=fewer))

    linh = Student.objects.get(source_id="1005")
    assert linh.left_on == program.today
    assert linh.enrollments.get().left_on == program.today
    dmitri = Educator.objects.get(source_id="t4")
    assert Membership.objects.get(user=dmitri.user).ends_on == program.today
    assert not dmitri.classes.exists()


def test_whoever_comes_back_is_the_same_person(apply_file, plan_file) -> None:
    apply_file(bundle())
    before = roster()
    linh = Student.objects.get(source_id="1005")
    fewer = without_rows("users.csv", sourcedId="1005")
    fewer = "\n".join(line for line in fewer.splitlines() if not line.startswith("t4,"))
    apply_file(bundle(users=fewer))
    assert roster() != before

    apply_file(bundle())

    assert roster() == before
    assert Student.objects.get(source_id="1005") == linh
    assert sum(plan_file(bundle()).counts[kind] for kind in ("new", "changed", "left")) == 0


def test_a_student_who_changes_class_keeps_the_old_enrollment_ended(apply_file, program) -> None:
    apply_file(bundle())

    apply_file(
        bundle(enrollments=replaced("enrollments.csv", '"3A","10","1002"', '"4B","10","1002"'))
    )

    rows = Enrollment.objects.filter(student__source_id="1002")
    assert sorted(rows.values_list("school_class__source_id", "left_on")) == [
        ("3A", program.today),
        ("4B", None),
    ]


def test_a_class_that_changes_hands_changes_who_may_invite(apply_file) -> None:
    apply_file(bundle())

    apply_file(bundle(enrollments=replaced("enrollments.csv", '"10","t1"', '"10","t2"')))

    found = ClassTeacher.objects.filter(school_class__source_id="3A")
    assert [one.educator.source_id for one in found] == ["t2"]


def test_applying_twice_is_applying_once(apply_file, program, program_coordinator) -> None:
    found = apply_file(bundle())
    before = roster()

    apply.run(found.pk, program=program, by=program_coordinator)
    assert apply.begin(found, leaving_confirmed=True) is False

    assert roster() == before
    assert AuditEntry.objects.filter(event="roster.applied").count() == 1


def test_a_plan_older_than_another_import_is_refused(plan_file, apply_file) -> None:
    older = plan_file(bundle())
    with_newer = bundle(users=without_rows("users.csv", sourcedId="1005"))
    with clock.at(older.uploaded_at + datetime.timedelta(minutes=5)):
        apply_file(with_newer)

        with pytest.raises(NotReady, match="Something was imported"):
            apply.begin(older, leaving_confirmed=True)


def test_a_failure_midway_leaves_the_old_roster_whole(
    apply_file, plan_file, program, program_coordinator, monkeypatch
) -> None:
    apply_file(bundle())
    before = roster()
    found = plan_file(bundle(users=without_rows("users.csv", sourcedId="1005")))
    apply.begin(found, leaving_confirmed=True)
    monkeypatch.setattr(apply_people.Classes, "leave", lambda *a: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        apply.run(found.pk, program=program, by=program_coordinator)

    found.refresh_from_db()
    assert roster() == before
    assert found.state == RosterImport.State.PLANNED
    assert "nothing changed" in found.problem
    monkeypatch.undo()
    apply.begin(found, leaving_confirmed=True)
    apply.run(found.pk, program=program, by=program_coordinator)
    assert not Student.objects.enrolled().filter(source_id="1005").exists()


def test_a_discarded_plan_keeps_no_names(plan_file, program, program_coordinator) -> None:
    found = plan_file(bundle())

    apply.discard(found, by=program_coordinator)
    apply.run(found.pk, program=program, by=program_coordinator)

    found.refresh_from_db()
    assert found.state == RosterImport.State.DISCARDED
    assert not found.changes.exists()
    assert not Student.objects.exists()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sets(st.sampled_from(["1001", "1009", "1016", "t1", "t4"])), max_size=3))
def test_any_sequence_of_files_ends_as_its_last(apply_file, sequence) -> None:
    for missing in sequence:
        lines = (BUNDLE / "users.csv").read_text("utf-8").splitlines()
        kept = [line for line in lines if line.split(",")[0].strip('"') not in missing]
        apply_file(bundle(users="\n".join(kept)))

    apply_file(bundle())

    here = roster()
    assert (len(here[2]), len(here[3]), len(here[4]), len(here[5])) == (25, 30, 5, 4)


# Contacts


def test_contacts_become_families(apply_file) -> None:
    apply_file(bundle())

    apply_file(CONTACTS.read_bytes(), "contacts")

    cruz = Family.objects.get(source_id="H1")
    assert (cruz.surnames, cruz.language) == ("De la Cruz", "es")
    assert cruz.label == "De la Cruz family\u00a0— Mateo (K), Lucía (3)"
    carmen = cruz.caregivers.get(given_name="Carmen")
    assert (str(carmen.phone), carmen.preferred_channel) == ("+15035550123", "text")
    assert Caregiver.objects.count() == 4


def test_a_caregiver_missing_from_their_household_has_ended(apply_file, program) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")
    text = CONTACTS.read_text("utf-8")
    without_luis = "\n".join(line for line in text.splitlines() if "LUIS" not in line)

    apply_file(without_luis.encode(), "contacts")

    assert Caregiver.objects.get(given_name="Luis").ended_on == program.today
    assert Caregiver.objects.filter(ended_on=None).count() == 3


def test_a_refused_contact_ends_nobody(apply_file) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")
    text = CONTACTS.read_text("utf-8").replace("503-555-0124", "unknown")

    found = apply_file(text.encode(), "contacts")

    assert found.counts["refused"] == 1
    assert not Caregiver.objects.exclude(ended_on=None).exists()


def test_an_ended_caregiver_is_not_brought_back_by_a_file(apply_file, program) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")
    Caregiver.objects.filter(given_name="Luis").update(ended_on=program.today)

    found = apply_file(CONTACTS.read_bytes(), "contacts")

    assert found.counts["refused"] == 1
    assert Caregiver.objects.get(given_name="Luis").ended_on == program.today


def test_what_a_person_did_to_a_family_while_a_plan_waited_stays(
    apply_file, plan_file, program, program_coordinator
) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")
    lines = CONTACTS.read_text("utf-8").replace("Spanish", "Portuguese")
    found = plan_file(lines.encode(), "contacts")
    cruz = Family.objects.get(source_id="H1")
    wanted = {"address": "1 Elm St", "address_confidential": True}
    people.change_family(cruz, wanted, by=program_coordinator)

    apply.begin(found, leaving_confirmed=True)
    apply.run(found.pk, program=program, by=program_coordinator)

    cruz.refresh_from_db()
    assert (cruz.address, cruz.address_confidential, cruz.language) == ("1 Elm St", True, "pt")


# The way through the worker


def test_an_upload_is_private_read_once_and_gone(program, program_coordinator, uploads) -> None:
    found = upload.receive(
        "oneroster", "../roster.zip", [bundle()], program=program, by=program_coordinator
    )

    (kept,) = uploads.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(uploads.stat().st_mode) == 0o700
    assert found.file_name == "roster.zip"
    plan_roster.func(FIRST_TRY, program.pk, found.pk, kept.name)
    found.refresh_from_db()
    assert found.state == RosterImport.State.PLANNED
    assert list(uploads.iterdir()) == []


def test_an_unreadable_upload_is_gone_as_well(program, program_coordinator, uploads) -> None:
    found = upload.receive("oneroster", "x", [b"?"], program=program, by=program_coordinator)

    plan_roster.func(FIRST_TRY, program.pk, found.pk, next(uploads.iterdir()).name)

    found.refresh_from_db()
    assert found.state == RosterImport.State.REFUSED
    assert list(uploads.iterdir()) == []


def test_an_upload_that_never_got_through_is_not_kept(
    program, program_coordinator, uploads
) -> None:
    def broken():
        yield b"PK"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        upload.receive("oneroster", "x", broken(), program=program, by=program_coordinator)

    assert list(uploads.iterdir()) == []
    assert not RosterImport.objects.exists()


def test_what_nobody_came_for_is_swept_away(program, program_coordinator, uploads) -> None:
    upload.receive("oneroster", "x", [b"?"], program=program, by=program_coordinator)
    (kept,) = uploads.iterdir()
    os.utime(kept, (clock.now().timestamp(),) * 2)
    assert upload.sweep() == 0
    os.utime(kept, (0, 0))

    assert upload.sweep() == 1
    assert list(uploads.iterdir()) == []


def test_a_sheet_of_a_killed_worker_is_swept_away_within_hours(uploads) -> None:
    uploads.mkdir()
    for name, hours in (("sheet-old", 2), ("sheet-new", 0), ("0f", 2)):
        (uploads / name).touch()
        at = clock.now() - datetime.timedelta(hours=hours)
        os.utime(uploads / name, (at.timestamp(),) * 2)

    assert upload.sweep() == 1
    assert {kept.name for kept in uploads.iterdir()} == {"sheet-new", "0f"}


def test_a_file_that_kills_every_worker_is_given_up(program, program_coordinator, uploads) -> None:
    found = upload.receive("contacts", "x", [b"PK"], program=program, by=program_coordinator)
    fourth = SimpleNamespace(job=SimpleNamespace(attempts=MOST_ATTEMPTS))

    plan_roster.func(fourth, program.pk, found.pk, found.upload)

    found.refresh_from_db()
    assert found.state == RosterImport.State.REFUSED
    assert "couldn't be read" in found.problem
    assert list(uploads.iterdir()) == []


def test_canaries_are_stored_nowhere(program, program_coordinator, uploads, caplog) -> None:
    for kind, content in (("oneroster", bundle()), ("contacts", CONTACTS.read_bytes())):
        assert kind == "contacts" or b"CANARY" in (BUNDLE / "users.csv").read_bytes()
        found = upload.receive(kind, "x", [content], program=program, by=program_coordinator)
        found.refresh_from_db()
        plan_roster.func(FIRST_TRY, program.pk, found.pk, found.upload)
        found.refresh_from_db()
        if kind == "contacts":  # its columns are asked about
            assert len(list(uploads.iterdir())) == 2
            upload.confirm(found, found.columns, by=program_coordinator)
            plan_roster.func(FIRST_TRY, program.pk, found.pk, found.upload)
            found.refresh_from_db()
        apply.hand_over(found, leaving_confirmed=True, by=program_coordinator)
        apply_roster.func(program.pk, found.pk, program_coordinator.pk)

    stored = everything_stored()
    assert "De la Cruz" in stored  # the dump sees what is there
    assert "CANARY" not in stored
    assert "CANARY" not in caplog.text
    assert list(uploads.iterdir()) == []


def test_the_command_plans_and_applies(program, program_coordinator, capsys) -> None:
    options = {"program": program.slug, "by": program_coordinator.email}

    call_command("import_roster", str(BUNDLE), **options)
    assert not Student.objects.exists()
    call_command("import_roster", str(BUNDLE), apply=True, **options)
    call_command("import_roster", str(CONTACTS), apply=True, **options)

    assert Student.objects.count() == 25
    assert Family.objects.count() == 3
    assert "37 new, 0 changed, 0 moved, 0 left, 0 refused" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(program, program_coordinator, tmp_path) -> None:
    options = {"program": program.slug, "by": program_coordinator.email}
    (tmp_path / "bad.zip").write_bytes(b"?")

    with pytest.raises(CommandError, match="not a zip"):
        call_command("import_roster", str(tmp_path / "bad.zip"), **options)
    with pytest.raises(CommandError, match="no program"):
        call_command("import_roster", str(BUNDLE), program="nowhere", by="nobody")


@needs_sample
@pytest.mark.shared_data
def test_the_sample_is_applied_and_its_second_plan_is_empty(apply_file, plan_file) -> None:
    apply_file(SAMPLE)

    second = plan_file(SAMPLE)

    assert (Student.objects.count(), Educator.objects.count()) == (140, 40)
    assert (SchoolClass.objects.count(), Enrollment.objects.count()) == (72, 225)
    assert sum(second.counts[kind] for kind in ("new", "changed", "left", "refused")) == 0


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_workers_applying_at_once_apply_once(plan_file, program, program_coordinator) -> None:
    found = plan_file(bundle())
    apply.begin(found, leaving_confirmed=True)
    failures = []

    def work() -> None:
        try:
            apply.run(found.pk, program=program, by=program_coordinator)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with scope(program=program):
        assert failures == []
        assert Student.objects.count() == 25
        assert AuditEntry.objects.filter(event="roster.applied").count() == 1


def test_a_name_from_right_to_left_turns_nothing_round(program):
    family = Family(program=program, surnames="حداد")
    family.children = [Student(given_name="Lina", grade="KG"), Student(given_name="سامي")]

    assert family.label == "\u2068حداد\u2069 family\u00a0— Lina (K), \u2068سامي\u2069"
