"""Guardians of a roster file: families of the very same guardians, and nobody's by mistake."""

import pytest

from families import merging, people
from families.models import Caregiver, Family, RosterImport, Student
from families.roster.barred import Barred
from pthv import undo

from .roster_files import CONTACTS, Roster

pytestmark = pytest.mark.django_db

ANA = {"given_name": "Ana", "family_name": "Ruiz", "phone": "", "email": ""}


def refusals(found: RosterImport) -> list[str]:
    return list(found.changes.filter(kind="refused").values_list("reason", flat=True))


def households() -> set[tuple[frozenset[str], frozenset[str]]]:
    """Each family as its children and its standing guardians, by roster id."""
    return {
        (
            frozenset(family.students.values_list("source_id", flat=True)),
            frozenset(family.caregivers.filter(ended_on=None).values_list("roster_id", flat=True)),
        )
        for family in Family.objects.filter(students__isnull=False).distinct()
    }


def family(*children: str, of: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(children), frozenset(of)


@pytest.fixture
def roster() -> Roster:
    """Mateo and Lucía of one mother and father, Amina of her mother, Kai of nobody."""
    roster = Roster()
    roster.guardian("ana", "Ana", "Ruiz", sms="(503) 555-0123")
    roster.guardian("luis", "Luis", "Ruiz", role="guardian", email="LUIS@example.org")
    roster.guardian("fadumo", "Fadumo", "Hassan")
    roster.student("s1", "Mateo", "Ruiz", agents="ana,luis")
    roster.student("s2", "Lucía", "Ruiz", school="20", agents="luis,ana")
    roster.student("s3", "Amina", "Hassan", agents="fadumo")
    roster.student("s4", "Kai", "Nakamura")
    return roster


def test_children_with_the_same_guardians_are_one_family(apply_file, plan_file, roster) -> None:
    apply_file(roster.bundle())

    assert households() == {family("s1", "s2", of=("ana", "luis")), family("s3", of=("fadumo",))}
    ana, luis = Caregiver.objects.filter(roster_id__in=["ana", "luis"]).order_by("roster_id")
    assert (str(ana.phone), ana.relation, ana.preferred_channel) == (
        "+15035550123",
        "parent",
        "call",
    )
    assert (luis.email, luis.relation, luis.preferred_channel) == (
        "luis@example.org",
        "guardian",
        "email",
    )
    assert Family.objects.get(students__source_id="s1").surnames == "Ruiz"
    again = plan_file(roster.bundle())
    assert not again.changes.exclude(kind="beside").exists()


def test_the_plan_tells_families_and_guardians(plan_file, roster) -> None:
    found = plan_file(roster.bundle())

    assert found.counts["tables"]["new"]["household"] == 2
    assert found.counts["tables"]["new"]["caregiver"] == 3
    ana = found.changes.get(table="caregiver", source_id="ana")
    assert ana.label == "Ana Ruiz"
    assert ana.after["children"] == "Mateo Ruiz, Lucía Ruiz"


def test_the_parents_row_may_name_the_children(apply_file, roster) -> None:
    for user in roster.users:
        user["agentSourcedIds"] = ""
    roster.user("ana")["agentSourcedIds"] = "s1,s2"
    roster.user("luis")["agentSourcedIds"] = "s2,s1"

    apply_file(roster.bundle())

    assert households() == {family("s1", "s2", of=("ana", "luis"))}


def test_half_siblings_are_two_families(apply_file, roster) -> None:
    roster.user("s2")["agentSourcedIds"] = "ana"

    apply_file(roster.bundle())

    assert households() >= {family("s1", of=("ana", "luis")), family("s2", of=("ana",))}
    assert Caregiver.objects.filter(roster_id="ana").count() == 2


def test_an_agent_without_a_guardians_role_is_none(apply_file, roster) -> None:
    roster.user("luis")["role"] = "aide"

    found = apply_file(roster.bundle())

    assert refusals(found) == ["luis is no parent, guardian or relative by their role."] * 2
    assert family("s1", "s2", of=("ana",)) in households()


def test_an_agent_whom_nobody_knows_is_told(plan_file, roster) -> None:
    roster.user("s4")["agentSourcedIds"] = "nobody"

    found = plan_file(roster.bundle())

    assert refusals(found) == ["users.csv has no entry for nobody."]
    assert found.counts["tables"]["new"]["student"] == 4


def test_a_new_brother_joins_his_family(apply_file, plan_file, roster) -> None:
    apply_file(roster.bundle())
    roster.student("s5", "Tomás", "Ruiz", agents="luis,ana")

    found = apply_file(roster.bundle())

    assert found.changes.get(table="household").kind == "changed"
    assert family("s1", "s2", "s5", of=("ana", "luis")) in households()
    assert not plan_file(roster.bundle()).changes.exclude(kind="beside").exists()


def test_a_child_whose_guardians_appear_later_gets_a_family(apply_file, roster) -> None:
    apply_file(roster.bundle())
    roster.guardian("mei", "Mei", "Nakamura")
    roster.user("s4")["agentSourcedIds"] = "mei"

    apply_file(roster.bundle())

    assert family("s4", of=("mei",)) in households()


def test_changed_details_are_told_and_written(apply_file, plan_file, roster) -> None:
    apply_file(roster.bundle())
    roster.user("ana")["sms"] = "503-555-0177"
    roster.user("luis")["familyName"] = "Ruiz Vega"

    found = apply_file(roster.bundle())

    ana = found.changes.get(source_id="ana")
    assert (ana.before["phone"], ana.after) == ("+15035550123", {"phone": "+15035550177"})
    assert str(Caregiver.objects.get(roster_id="ana").phone) == "+15035550177"
    assert Caregiver.objects.get(roster_id="luis").family_name == "Ruiz Vega"


def test_a_bad_phone_leaves_the_guardian_and_the_old_number(apply_file, roster) -> None:
    apply_file(roster.bundle())
    roster.user("ana")["sms"] = "ask school"

    found = apply_file(roster.bundle())

    (reason,) = refusals(found)
    assert reason.endswith("The rest of the row is taken.")
    assert str(Caregiver.objects.get(roster_id="ana").phone) == "+15035550123"


def test_a_guardian_who_is_gone_is_ended_and_may_come_back(
    apply_file, plan_file, program, roster
) -> None:
    apply_file(roster.bundle())
    before = households()
    whole = roster.bundle()
    roster.users.remove(roster.user("luis"))
    for child in ("s1", "s2"):
        roster.user(child)["agentSourcedIds"] = "ana"

    found = apply_file(roster.bundle())

    assert found.changes.get(source_id="luis").kind == "left"
    assert Caregiver.objects.get(roster_id="luis").ended_on == program.today
    assert family("s1", "s2", of=("ana",)) in households()
    apply_file(whole)
    assert households() == before
    assert Caregiver.objects.filter(roster_id="luis").count() == 1
    assert not plan_file(whole).changes.exclude(kind="beside").exists()


@pytest.mark.parametrize("key", ["luis", "luis2"])
def test_whom_a_person_ended_no_file_brings_back(apply_file, program, roster, key) -> None:
    apply_file(roster.bundle())
    Caregiver.objects.filter(roster_id="luis").update(ended_on=program.today)
    roster.user("luis")["sourcedId"] = key
    for child in ("s1", "s2"):
        roster.user(child)["agentSourcedIds"] = f"ana,{key}"

    found = apply_file(roster.bundle())

    assert [reason for reason in refusals(found) if "an administrator can bring" in reason]
    assert family("s1", "s2", of=("ana",)) in households()


def test_an_end_by_a_person_after_one_by_a_file_holds(apply_file, roster, program) -> None:
    whole = roster.bundle()
    apply_file(whole)
    roster.users.remove(roster.user("luis"))
    for child in ("s1", "s2"):
        roster.user(child)["agentSourcedIds"] = "ana"
    apply_file(roster.bundle())
    apply_file(whole)
    Caregiver.objects.filter(roster_id="luis").update(ended_on=program.today.replace(day=1))

    apply_file(whole)

    assert family("s1", "s2", of=("ana",)) in households()


def test_an_end_by_a_person_on_the_very_day_of_one_by_a_file_holds(
    apply_file, roster, program, program_coordinator
) -> None:
    whole = roster.bundle()
    apply_file(whole)
    roster.users.remove(roster.user("luis"))
    for child in ("s1", "s2"):
        roster.user(child)["agentSourcedIds"] = "ana"
    apply_file(roster.bundle())
    luis = Caregiver.objects.get(roster_id="luis")
    assert luis.ended_on == program.today
    people.end_caregiver(luis, because="By court order.", by=program_coordinator)

    apply_file(whole)

    assert family("s1", "s2", of=("ana",)) in households()


@pytest.mark.parametrize("key", ["ana", "ana2"])
def test_how_an_ended_parent_is_reached_is_put_on_nobody(apply_file, roster, program, key) -> None:
    apply_file(roster.bundle())
    Caregiver.objects.filter(roster_id="luis").update(
        ended_on=program.today, phone="+15035550199", email="luis@example.org"
    )
    roster.users.remove(roster.user("luis"))
    roster.user("ana").update(sms="503-555-0199", email="luis@example.org", sourcedId=key)
    for child in ("s1", "s2"):
        roster.user(child)["agentSourcedIds"] = key

    found = apply_file(roster.bundle())

    assert {one.column for one in found.changes.filter(kind="refused")} == {"phone", "email"}
    ana = Caregiver.objects.get(roster_id=key)
    assert (str(ana.phone), ana.email) != ("+15035550199", "luis@example.org")
    assert str(ana.phone) == "+15035550123"


def test_one_not_to_be_contacted_stays_so(apply_file, plan_file, roster) -> None:
    apply_file(roster.bundle())
    Caregiver.objects.filter(roster_id="luis").update(may_be_contacted=False)

    found = apply_file(roster.bundle())

    assert not found.changes.exclude(kind="beside").exists()
    assert not Caregiver.objects.get(roster_id="luis").may_be_contacted


@pytest.mark.parametrize(
    "cell", [{"sourcedId": ""}, {"status": "perhaps"}, {"familyName": "R" * 99}]
)
def test_a_refused_row_ends_nobody(apply_file, roster, cell) -> None:
    apply_file(roster.bundle())
    roster.user("luis").update(cell)

    found = apply_file(roster.bundle())

    assert found.counts["refused"] >= 1
    assert family("s1", "s2", of=("ana", "luis")) in households()


def test_a_guardian_of_one_child_alone_does_not_enter_the_family(apply_file, roster) -> None:
    apply_file(roster.bundle())
    roster.guardian("petra", "Petra", "Novak")
    roster.user("s1")["agentSourcedIds"] = "ana,luis,petra"

    found = apply_file(roster.bundle())

    assert refusals(found) == [
        "Petra Novak: Is a guardian of Mateo Ruiz and not of Lucía Ruiz, who are one family here."
    ]
    assert family("s1", "s2", of=("ana", "luis")) in households()


def test_families_that_a_person_joined_stay_joined(apply_file, plan_file, roster) -> None:
    roster.user("s2")["agentSourcedIds"] = "ana"
    apply_file(roster.bundle())
    one = Family.objects.get(students__source_id="s1")
    other = Family.objects.get(students__source_id="s2")
    Caregiver.objects.filter(family=other).delete()
    Student.objects.filter(source_id="s2").update(family=one)

    found = plan_file(roster.bundle())

    assert not found.changes.exclude(kind="beside").exists()


@pytest.mark.parametrize("keep", ["s1", "s2"])
def test_merged_families_are_one_to_the_next_file_and_come_back_whole(
    apply_file, plan_file, program, program_coordinator, roster, keep
) -> None:
    roster.guardian("luis2", "Luis", "Ruiz")  # the other school's id of him
    roster.user("s1")["agentSourcedIds"] = "ana,luis"
    roster.user("s2")["agentSourcedIds"] = "ana,luis2"
    apply_file(roster.bundle())
    before = households()
    kept = Family.objects.get(students__source_id=keep)
    gone = Family.objects.get(students__source_id="s1" if keep == "s2" else "s2")
    with undo.recorded("family.merged", program=program, by=program_coordinator, label="") as done:
        merging.merge(kept, gone)

    found = apply_file(roster.bundle())

    assert not found.changes.exclude(kind="beside").exists()
    assert kept.caregivers.filter(ended_on=None).count() == 2
    undo.take_back(done, by=program_coordinator)
    assert households() == before


def test_whom_an_administrator_brings_back_after_a_merge_may_come(
    apply_file, program, roster
) -> None:
    roster.user("s2")["agentSourcedIds"] = "ana"
    apply_file(roster.bundle())
    one, other = (Family.objects.get(students__source_id=key) for key in ("s1", "s2"))
    one.caregivers.filter(roster_id="ana").update(ended_on=program.today)
    other.caregivers.filter(roster_id="ana").update(ended_on=program.today)
    merging.merge(one, other)
    assert Barred().why(ANA, Barred().families_of["s2"])
    one.caregivers.update(ended_on=None)

    barred = Barred()

    assert not barred.why(ANA, barred.families_of.get("s2", ()))


@pytest.mark.parametrize("whose", ["s1", "s2"])
def test_families_that_a_person_split_stay_split(apply_file, plan_file, roster, whose) -> None:
    apply_file(roster.bundle())
    one = Family.objects.get(students__source_id="s1")
    ana = one.caregivers.get(roster_id="ana")
    merging.split(one, [Student.objects.get(source_id=whose)], [ana], [])
    before = households()
    assert family(whose, of=("ana",)) in before

    found = apply_file(roster.bundle())

    assert households() == before
    assert len(refusals(found)) == 2
    assert all("A person left them out" in reason for reason in refusals(found))
    again = plan_file(roster.bundle())
    assert set(again.changes.values_list("kind", flat=True)) == {"refused", "beside"}


def test_of_a_guardian_in_both_halves_of_a_split_family_files_go_on(apply_file, roster) -> None:
    apply_file(roster.bundle())
    one = Family.objects.get(students__source_id="s1")
    ana = one.caregivers.get(roster_id="ana")
    merging.split(one, [Student.objects.get(source_id="s2")], [], [ana])
    roster.user("ana")["familyName"] = "Ruiz Vega"
    roster.guardian("petra", "Petra", "Novak")
    roster.user("s2")["agentSourcedIds"] = "ana,petra"

    found = apply_file(roster.bundle())

    assert refusals(found) == []
    assert households() >= {family("s1", of=("ana", "luis")), family("s2", of=("ana", "petra"))}
    assert Caregiver.objects.filter(family_name="Ruiz Vega").count() == 2


def test_one_whom_the_contacts_file_brought_is_only_filled_in(apply_file, roster) -> None:
    contacts = CONTACTS.read_text("utf-8").splitlines()[0]
    apply_file(roster.bundle(without=("ana", "luis", "fadumo")))
    apply_file(f"{contacts}\ns1,H1,Ana,Ruiz,mother,503-555-0150,,es,call,".encode(), "contacts")

    roster.user("ana")["email"] = "ana@example.org"
    roster.user("s1")["agentSourcedIds"] = "ana"
    apply_file(roster.bundle())

    ana = Caregiver.objects.get(family__source_id="H1")
    assert (ana.roster_id, str(ana.phone), ana.email, ana.relation) == (
        "ana",
        "+15035550150",
        "ana@example.org",
        "mother",
    )
    roster.users.remove(roster.user("ana"))
    roster.user("s1")["agentSourcedIds"] = ""
    apply_file(roster.bundle())
    ana.refresh_from_db()
    assert ana.ended_on is None


def test_an_id_that_a_vendor_renews_is_the_same_person(apply_file, roster) -> None:
    apply_file(roster.bundle())
    held = Caregiver.objects.get(roster_id="fadumo")
    roster.user("fadumo")["sourcedId"] = "f-2"
    roster.user("s3")["agentSourcedIds"] = "f-2"

    found = apply_file(roster.bundle())

    held.refresh_from_db()
    assert (held.roster_id, held.ended_on) == ("f-2", None)
    assert (found.counts["new"], found.counts["left"]) == (0, 0)


def test_a_family_that_left_comes_back_whole(apply_file, roster) -> None:
    whole = roster.bundle()
    apply_file(whole)
    before = households()

    apply_file(roster.bundle(without=("s1", "s2", "ana", "luis")))
    assert Caregiver.objects.exclude(ended_on=None).count() == 2
    apply_file(whole)

    assert households() == before


def test_a_teacher_may_be_a_parent_too(apply_file, roster) -> None:
    roster.user("ana").update(role="teacher,parent", orgSourcedIds="10", email="ana@example.org")

    apply_file(roster.bundle())

    assert family("s1", "s2", of=("ana", "luis")) in households()
    assert Caregiver.objects.get(roster_id="ana").email == "ana@example.org"


def test_guardians_left_out_of_the_export_are_asked_about(apply_file, plan_file, roster) -> None:
    apply_file(roster.bundle())
    for user in roster.users:
        user["agentSourcedIds"] = ""

    found = plan_file(roster.bundle(without=("ana", "luis", "fadumo")))

    assert found.counts["leaving"] == [{"school": "", "left": 3, "of": 3, "who": "guardians"}]
