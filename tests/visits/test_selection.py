"""Whom a plan asks: everybody, but nobody who said no, wherever their child is counted today."""

import datetime

import pytest

from families.models import (
    ClassTeacher,
    Enrollment,
    Family,
    RosterImport,
    SchoolClass,
    Student,
)
from families.roster import apply, upload
from families.roster.plan import plan as plan_roster
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import SchoolYear
from tests.conftest import at
from visits import answers, invitations, merging, selection, story
from visits.models import Invitation, SelectionPlan

HEADER = "student_id,household,given_name,family_name,phone\n"


@pytest.fixture
def declined(invitation, educator) -> Invitation:
    """The Ortega family said no thank you."""
    invitations.record_attempt(invitation, "call", "reached", by=educator)
    answers.record(invitation, "declined", by=educator)
    return invitation


@pytest.fixture
def plan_contacts(program, program_coordinator, tmp_path, settings):
    """Plan a contacts file of these lines."""
    settings.UPLOADS_FOLDER = tmp_path / "uploads"

    def plan(*lines: str) -> RosterImport:
        path = tmp_path / "contacts.csv"
        path.write_text(HEADER + "\n".join(lines), "utf-8")
        found = upload.start("contacts", "contacts.csv", program=program, by=program_coordinator)
        plan_roster(found, path)
        return found

    return plan


@pytest.fixture
def send_contacts(plan_contacts, program, program_coordinator):
    """Apply a contacts file of these lines."""

    def send(*lines: str) -> RosterImport:
        found = plan_contacts(*lines)
        apply.begin(found, leaving_confirmed=True)
        apply.run(found.pk, program=program, by=program_coordinator)
        found.refresh_from_db()
        assert found.state == RosterImport.State.APPLIED
        return found

    return send


@pytest.fixture
def plan_again(school, school_year, school_class, site_coordinator):
    def make() -> SelectionPlan:
        return selection.plan_everyone(
            school, school_year, school_class=school_class, by=site_coordinator
        )

    return make


def test_a_no_goes_along_when_a_file_moves_the_child(
    declined, family, send_contacts, plan_again
) -> None:
    mateo = Student.objects.get(family=family)
    Family.objects.filter(pk=family.pk).update(source_id="HA")
    send_contacts(f"{mateo.source_id},HB,Marta,Ortega,")
    mateo.refresh_from_db()
    assert mateo.family != family

    plan = plan_again()

    assert Invitation.objects.get() == declined
    assert plan.families_said_no_before == 1


def test_a_move_by_an_undone_import_brings_no_no_along(
    declined, add_family, send_contacts, plan_again, program, program_coordinator
) -> None:
    """Lucía was counted with the Ortegas by mistake."""
    mateo, vega = declined.family.students.get(), add_family("Vega", "Lucía")
    lucia = vega.students.get()
    Family.objects.filter(pk=vega.pk).update(source_id="HV")
    Family.objects.filter(pk=declined.family_id).update(source_id="HA")
    wrong = send_contacts(
        f"{mateo.source_id},HA,Marta,Ortega,", f"{lucia.source_id},HA,Marta,Ortega,"
    )
    lucia.refresh_from_db()
    assert lucia.family == declined.family

    apply.hand_over_undo(wrong, by=program_coordinator)
    apply.run_undo(wrong.pk, program=program, by=program_coordinator)

    lucia.refresh_from_db()
    assert lucia.family == vega
    assert story.earlier(story.with_past(Family.objects.all()).get(pk=vega.pk)) == {}
    assert plan_again().families_said_no_before == 1
    assert Invitation.objects.get(family=vega).state == Invitation.State.NOT_ASKED


@pytest.mark.parametrize("done", ["merged", "undone"])
def test_a_plan_from_before_a_merge_or_its_undoing_is_not_applied(
    family, add_family, plan_contacts, program, program_coordinator, done
) -> None:
    twin = add_family("Ortega", "Lucía")
    mateo = family.students.get()
    change = None
    if done == "undone":
        merging.merge(twin, family, by=program_coordinator)
        change = merging.changes(twin).get()
    with clock.at(at(6, 14)):
        found = plan_contacts(f"{mateo.source_id},,Marta,Ortega,312 555 0199")
    with clock.at(at(6, 15)):
        if change:
            merging.take_back(change, by=program_coordinator)
        else:
            merging.merge(twin, family, by=program_coordinator)

        with pytest.raises(NotReady, match="imported, merged or undone after this file came"):
            apply.begin(found, leaving_confirmed=True)


def test_a_no_goes_along_over_two_moves(declined, family, send_contacts, plan_again) -> None:
    mateo = Student.objects.get(family=family)
    send_contacts(f"{mateo.source_id},HB,Marta,Ortega,")
    send_contacts(f"{mateo.source_id},HC,Marta,Ortega,")

    plan_again()

    assert Invitation.objects.get() == declined


def test_a_no_holds_for_the_household_its_child_moved_into(
    declined, family, add_family, send_contacts, plan_again
) -> None:
    mateo = Student.objects.get(family=family)
    lucia = Student.objects.get(family=add_family("Vega", "Lucía"))
    send_contacts(f"{mateo.source_id},HB,Marta,Ortega,", f"{lucia.source_id},HB,Eva,Vega,")
    Enrollment.objects.filter(student=mateo).delete()  # only his new sister is in the plan

    plan_again()

    assert Invitation.objects.get() == declined


def test_a_no_is_of_nobody_else(declined, add_family, plan_again) -> None:
    vega = add_family("Vega", "Lucía")

    plan = plan_again()

    assert Invitation.objects.get(family=vega).state == Invitation.State.NOT_ASKED
    assert plan.families_said_no_before == 1
    assert Family.objects.count() == 2


@pytest.fixture
def last_years_class(program, school, colleague) -> SchoolClass:
    """Cara's, before everybody came into Ana's."""
    year = SchoolYear.objects.create(
        program=program,
        name="2025–26",
        starts_on=datetime.date(2025, 8, 1),
        ends_on=datetime.date(2026, 7, 31),
    )
    found = SchoolClass.objects.create(
        program=program, school=school, school_year=year, source_id="2A", title="Grade 2A"
    )
    ClassTeacher.objects.create(
        program=program,
        school_class=found,
        educator=colleague.educators.get(),
        is_primary=True,
    )
    return found


def test_this_years_teacher_asks(
    last_years_class, program, family, school, school_year, educator, site_coordinator
) -> None:
    mateo = Student.objects.get(family=family)
    Enrollment.objects.create(program=program, school_class=last_years_class, student=mateo)

    selection.plan_everyone(school, school_year, by=site_coordinator)

    assert Invitation.objects.get(family=family).educator.user == educator


def test_nobody_is_asked_by_last_years_teacher_alone(
    last_years_class, family, school, school_year, site_coordinator
) -> None:
    Enrollment.objects.filter(student__family=family).update(school_class=last_years_class)

    with pytest.raises(NotReady, match="names no teacher for 1 of these families"):
        selection.plan_everyone(school, school_year, by=site_coordinator)

    assert not SelectionPlan.objects.exists()


def test_planning_again_counts_anew_and_keeps_who_made_it(
    family, school, school_year, site_coordinator, program_coordinator
) -> None:
    first = selection.plan_everyone(school, school_year, by=site_coordinator)
    Student.objects.create(
        program=school.program, school=school, source_id="new", given_name="Noor", family_name="Ali"
    )

    again = selection.plan_everyone(school, school_year, by=program_coordinator)

    assert (first.students_without_family, again.students_without_family) == (0, 1)
    assert (again.pk, again.made_by) == (first.pk, site_coordinator)
