"""Files of changes: what they name changes, and what they don't name stays."""

import csv
import io

import pytest

from families.models import Enrollment, RosterImport, RosterSession, Student
from families.roster import apply
from pthv.models import School

from .roster_files import Roster, as_csv, bundle, delta
from .snapshot import roster_snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def roster() -> Roster:
    roster = Roster()
    roster.guardian("ana", "Ana", "Ruiz", sms="(503) 555-0123")
    roster.student("s1", "Mateo", "Ruiz", grades="03", agents="ana")
    roster.student("s2", "Lucía", "Vega", grades="07", school="20")
    roster.teacher("t1", "Omar", "Haddad")
    roster.enrol("s1", "3A")
    roster.enrol("s2", "E7")
    roster.enrol("t1", "3A", role="teacher", primary="true")
    return roster


@pytest.fixture
def applied(roster, apply_file) -> Roster:
    apply_file(roster.bundle())
    return roster


def said(found: RosterImport, **of: str) -> list[tuple]:
    rows = found.changes.exclude(kind="beside").filter(**of)
    return sorted(rows.values_list("kind", "table", "source_id"))


def reasons(found: RosterImport) -> list[str]:
    return list(found.changes.filter(kind="refused").values_list("reason", flat=True))


def test_only_what_is_named_changes(applied, apply_file) -> None:
    applied.user("s1")["grades"] = "04"

    found = apply_file(delta(users=as_csv([applied.user("s1")])))

    assert said(found) == [("changed", "student", "s1")]
    assert Student.objects.get(source_id="s1").grade == "04"
    assert Enrollment.objects.filter(student__source_id="s1", left_on=None).count() == 1
    assert Student.objects.enrolled().count() == 2


def test_to_be_deleted_marks_as_left(applied, apply_file, program) -> None:
    gone = {"sourcedId": "s2", "status": "ToBeDeleted"}
    row = dict.fromkeys(applied.user("s2"), "") | gone

    found = apply_file(delta(users=as_csv([row])))

    assert said(found) == [("left", "student", "s2")]
    assert Student.objects.get(source_id="s2").left_on == program.today
    assert not Enrollment.objects.filter(student__source_id="s2", left_on=None).exists()


def test_whom_nobody_knows_is_deleted_in_silence(applied, plan_file) -> None:
    row = applied.user("s2") | {"sourcedId": "s9", "status": "tobedeleted"}
    ended = applied.enrollments[0] | {"sourcedId": "x", "userSourcedId": "s9", "status": "inactive"}

    found = plan_file(delta(users=as_csv([row]), enrollments=as_csv([ended])))

    assert said(found) == []


def test_an_enrollment_ends_by_class_and_person(applied, apply_file) -> None:
    row = applied.enrollments[0] | {"status": "tobedeleted", "sourcedId": "of no meaning"}

    found = apply_file(delta(enrollments=as_csv([row])))

    (change,) = found.changes.filter(kind="changed")
    assert (change.before, change.after) == ({"classes": ["3A"]}, {"classes": []})


@pytest.mark.parametrize(("key", "table"), [("3A_s1", "student"), ("3A_t1", "educator")])
def test_an_enrollment_ends_by_its_own_id(applied, apply_file, key, table) -> None:
    row = dict.fromkeys(applied.enrollments[0], "") | {"sourcedId": key, "status": "inactive"}

    found = apply_file(delta(enrollments=as_csv([row])))

    assert [one.table for one in found.changes.filter(kind="changed")] == [table]
    assert not [row for row in roster_snapshot()["enrollments"] if key in row]
    assert not [row for row in roster_snapshot()["teachers"] if key in row]


def test_an_active_row_of_the_same_pair_outweighs_its_deletion(applied, plan_file) -> None:
    old = applied.enrollments[0] | {"status": "tobedeleted"}
    new = applied.enrollments[0] | {"sourcedId": "renewed"}

    found = plan_file(delta(enrollments=as_csv([old, new])))

    assert said(found) == []


def test_an_enrollment_that_means_another_class_now_leaves_the_first(applied, apply_file) -> None:
    row = applied.enrollments[0] | {"classSourcedId": "E7"}

    apply_file(delta(enrollments=as_csv([row])))

    assert roster_snapshot()["enrollments"] == ["('s1', 'E7', '3A_s1')", "('s2', 'E7', 'E7_s2')"]


def test_ids_that_a_whole_file_renews_are_followed(applied, apply_file, plan_file) -> None:
    one, two, _teacher = applied.enrollments
    one["sourcedId"], two["sourcedId"] = two["sourcedId"], one["sourcedId"]
    renewed = applied.bundle()
    assert said(plan_file(renewed)) == []
    apply_file(renewed)
    row = dict.fromkeys(one, "") | {"sourcedId": "3A_s1", "status": "tobedeleted"}

    found = apply_file(delta(enrollments=as_csv([row])))

    assert said(found) == [("changed", "student", "s2")]


def test_a_new_person_may_enter_a_class_that_stands(applied, apply_file) -> None:
    more = Roster()
    more.student("s3", "Amina", "Hassan")
    more.enrol("s3", "3A")

    apply_file(delta(users=as_csv(more.users), enrollments=as_csv(more.enrollments)))

    assert "('s3', '3A', '3A_s3')" in roster_snapshot()["enrollments"]


def test_a_new_class_may_lean_on_a_session_that_stands(applied, apply_file) -> None:
    assert RosterSession.objects.count() == 3
    row = {"sourcedId": "4C", "status": "", "title": "Four C", "schoolSourcedId": "10"}

    found = apply_file(delta(classes=as_csv([row | {"termSourcedIds": "S2"}])))

    assert said(found) == [("new", "class", "4C")]
    assert len(roster_snapshot()["classes"]) == 3


def test_a_class_that_goes_takes_its_enrollments_along(applied, apply_file) -> None:
    row = {"sourcedId": "3A", "status": "tobedeleted", "title": "", "schoolSourcedId": ""}

    found = apply_file(delta(classes=as_csv([row | {"termSourcedIds": ""}])))

    assert said(found, kind="left") == [("left", "class", "3A")]
    assert roster_snapshot()["enrollments"] == ["('s2', 'E7', 'E7_s2')"]
    assert roster_snapshot()["teachers"] == []


def test_what_points_nowhere_is_refused(applied, plan_file) -> None:
    row = applied.enrollments[0] | {"sourcedId": "n", "classSourcedId": "9Z"}
    other = applied.enrollments[0] | {"sourcedId": "m", "userSourcedId": "nobody"}

    found = plan_file(delta(enrollments=as_csv([row, other])))

    assert reasons(found) == [
        "classes.csv has no entry for 9Z.",
        "users.csv has no student with the id nobody.",
    ]


def test_a_refused_row_changes_nothing(applied, plan_file) -> None:
    row = applied.user("t1") | {"email": ""}

    found = plan_file(delta(users=as_csv([row])))

    assert said(found) == [("refused", "users.csv", "t1")]


def test_a_school_is_renamed_and_never_goes(applied, apply_file) -> None:
    rows = [
        {"sourcedId": "10", "status": "", "name": "Lincoln K-5", "type": "school"},
        {"sourcedId": "20", "status": "tobedeleted", "name": "", "type": ""},
    ]

    apply_file(delta(orgs=as_csv(rows)))

    assert sorted(School.objects.values_list("name", flat=True)) == [
        "Lincoln K-5",
        "Roosevelt Middle",
    ]


def test_many_leaving_by_a_file_of_changes_are_asked_about(applied, plan_file) -> None:
    found = plan_file(delta(users=as_csv([applied.user("s2") | {"status": "tobedeleted"}])))

    assert found.counts["leaving"] == [{"school": "Roosevelt Middle", "left": 1, "of": 1}]
    with pytest.raises(apply.NotReady):
        apply.begin(found, leaving_confirmed=False)


def test_a_whole_file_among_changes_is_whole(applied, apply_file) -> None:
    manifest = "propertyName,value\nfile.users,delta\nfile.enrollments,bulk"
    files = {"manifest.csv": manifest, "users.csv": as_csv([applied.user("s1")])}
    files["enrollments.csv"] = as_csv(applied.enrollments[1:])

    apply_file(delta_of(files))

    assert roster_snapshot()["enrollments"] == ["('s2', 'E7', 'E7_s2')"]
    assert Student.objects.enrolled().count() == 2


def delta_of(files: dict[str, str]) -> bytes:
    given = {f"{name.removesuffix('.csv')}": text for name, text in files.items()}
    empty = dict.fromkeys(["orgs", "academicSessions", "classes"])
    return bundle(**(empty | given))


def test_changes_before_any_whole_file_say_what_is_missing(plan_file, roster) -> None:
    found = plan_file(delta(users=as_csv([roster.user("s1")])))

    assert reasons(found) == ["orgs.csv has no entry for 10."]


def test_a_session_is_deleted_by_its_id_alone(applied, plan_file) -> None:
    row = {"sourcedId": "S2", "status": "tobedeleted", "startDate": "", "endDate": ""}

    assert said(plan_file(delta(academicSessions=as_csv([row])))) == []


# Guardians


def guardians() -> list[str]:
    return roster_snapshot()["guardians"]


def test_a_guardians_own_row_changes_them_alone(applied, apply_file) -> None:
    applied.user("ana")["sms"] = "503-555-0188"

    found = apply_file(delta(users=as_csv([applied.user("ana")])))

    assert said(found) == [("changed", "caregiver", "ana")]
    assert "5550188" in guardians()[0]


def test_a_childs_row_restates_the_childs_guardians(applied, apply_file) -> None:
    luis = Roster()
    luis.guardian("luis", "Luis", "Ruiz")
    applied.user("s1")["agentSourcedIds"] = "luis"

    found = apply_file(delta(users=as_csv([*luis.users, applied.user("s1")])))

    assert said(found) == [("left", "caregiver", "ana"), ("new", "caregiver", "luis")]


def test_a_childs_row_says_nothing_where_parents_name_their_children(
    roster, apply_file, plan_file
) -> None:
    roster.user("s1")["agentSourcedIds"] = ""
    roster.user("ana")["agentSourcedIds"] = "s1"
    apply_file(roster.bundle())

    assert said(plan_file(delta(users=as_csv([roster.user("s1")])))) == []
    found = plan_file(delta(users=as_csv([roster.user("ana") | {"agentSourcedIds": ""}])))
    assert said(found) == [("left", "caregiver", "ana")]


def test_a_baby_sister_joins_by_guardians_whom_the_file_does_not_repeat(
    applied, apply_file
) -> None:
    more = Roster()
    more.student("s5", "Sol", "Ruiz", agents="ana")

    apply_file(delta(users=as_csv(more.users)))

    mateo, sol = Student.objects.filter(source_id__in=["s1", "s5"])
    assert mateo.family == sol.family


def test_a_guardian_of_siblings_comes_once_one_file_tells_of_both(applied, apply_file) -> None:
    more = Roster()
    more.student("s5", "Sol", "Ruiz", agents="ana")
    apply_file(delta(users=as_csv(more.users)))
    luis = Roster()
    luis.guardian("luis", "Luis", "Ruiz")
    sol = more.user("s5") | {"agentSourcedIds": "ana,luis"}
    mateo = applied.user("s1") | {"agentSourcedIds": "ana,luis"}

    apply_file(delta(users=as_csv([*luis.users, mateo])))
    found = apply_file(delta(users=as_csv([*luis.users, sol])))

    assert reasons(found) == [
        "Luis Ruiz: Is a guardian of Sol Ruiz; of Mateo Ruiz, of the same family, this file says "
        "nothing. Send both in one file."
    ]
    both = apply_file(delta(users=as_csv([*luis.users, sol, mateo])))
    assert said(both) == [("new", "caregiver", "luis")]


def test_a_half_sister_brings_a_guardian_whom_the_file_does_not_repeat(applied, apply_file) -> None:
    more = Roster()
    more.guardian("luis", "Luis", "Vega")
    more.student("s5", "Sol", "Ruiz", agents="ana,luis")

    apply_file(delta(users=as_csv(more.users)))

    sol = Student.objects.get(source_id="s5")
    assert sorted(sol.family.caregivers.values_list("given_name", flat=True)) == ["Ana", "Luis"]
    assert [row for row in guardians() if "'s1'" in row] == [
        "('s1', 'ana', 'Ana', 'Ruiz', '+15035550123', '')"
    ]


# 1.2


def split(roster: Roster, **more: str) -> dict[str, str]:
    """users.csv and roles.csv of 1.2."""
    users, roles = [], []
    for user in roster.users:
        row = {name: text for name, text in user.items() if name not in ("role", "orgSourcedIds")}
        users.append(row | {"preferredGivenName": "", "primaryOrgSourcedId": ""})
        for role in user["role"].split(","):
            roles.append(
                {
                    "sourcedId": f"r-{user['sourcedId']}-{role}",
                    "status": "",
                    "userSourcedId": user["sourcedId"],
                    "roleType": "primary",
                    "role": role,
                    "orgSourcedId": user["orgSourcedIds"] or "0",
                }
            )
    return {"users": as_csv(users), "roles": as_csv(roles)} | more


def whole(roster: Roster) -> bytes:
    files = {name.removesuffix(".csv"): text for name, text in roster.files().items()}
    manifest = "propertyName,value\noneroster.version,1.2"
    return bundle(**(files | split(roster) | {"manifest": manifest}))


def test_1_2_ends_in_the_same_roster_as_1_1(roster, apply_file, plan_file) -> None:
    roster.user("t1")["role"] = "teacher,parent"
    roster.user("s2")["agentSourcedIds"] = "t1"
    apply_file(roster.bundle())
    before = roster_snapshot()

    found = plan_file(whole(roster))

    assert said(found) == []
    assert any("t1" in row for row in before["guardians"])


def refused_role(roster: Roster, key: str, nobodys: bool) -> str:
    """roles.csv of the whole roster, its row about somebody misspelt or no longer theirs."""
    rows = list(csv.DictReader(io.StringIO(split(roster)["roles"])))
    (row,) = [row for row in rows if row["sourcedId"] == key]
    row |= {"userSourcedId": ""} if nobodys else {"role": row["role"] + "x"}
    return as_csv(rows)


def whole_with(roster: Roster, roles: str) -> bytes:
    files = {name.removesuffix(".csv"): text for name, text in roster.files().items()}
    manifest = "propertyName,value\noneroster.version,1.2"
    return bundle(**(files | split(roster, roles=roles) | {"manifest": manifest}))


@pytest.mark.parametrize("nobodys", [False, True])
@pytest.mark.parametrize("key", ["r-t1-teacher", "r-t1-parent", "r-ana-parent", "r-s1-student"])
def test_a_role_that_is_refused_takes_nothing_away(
    roster, apply_file, plan_file, key, nobodys
) -> None:
    roster.user("t1")["role"] = "teacher,parent"
    roster.user("s2")["agentSourcedIds"] = "t1"
    apply_file(whole(roster))

    found = plan_file(whole_with(roster, refused_role(roster, key, nobodys)))

    assert found.counts["refused"] >= 1
    assert {kind for kind, _table, _key in said(found)} == {"refused"}


@pytest.mark.parametrize("nobodys", [False, True])
@pytest.mark.parametrize("who", ["t1", "s1"])
def test_a_second_role_that_is_refused_keeps_the_school(
    roster, apply_file, plan_file, who, nobodys
) -> None:
    rows = list(csv.DictReader(io.StringIO(split(roster)["roles"])))
    first = next(row for row in rows if row["userSourcedId"] == who)
    rows.append(first | {"sourcedId": "second", "roleType": "secondary", "orgSourcedId": "20"})
    apply_file(whole_with(roster, as_csv(rows)))
    refused = {"userSourcedId": ""} if nobodys else {"role": "pupil"}
    broken = [row | refused if row["sourcedId"] in ("second", first["sourcedId"])
              and (row["sourcedId"] == "second") == (who == "t1") else row
              for row in rows]  # fmt: skip

    found = plan_file(whole_with(roster, as_csv(broken)))

    assert {kind for kind, _table, _key in said(found)} == {"refused"}


def test_a_role_refused_in_a_file_of_changes_takes_nothing_away(roster, apply_file, plan_file):
    roster.user("t1")["role"] = "teacher,parent"
    roster.user("s2")["agentSourcedIds"] = "t1"
    apply_file(whole(roster))
    rows = [role("t1", "teacher", "10"), role("t1", "perent", "10")]
    row = split(roster)["users"].splitlines()
    users = "\n".join([row[0], next(line for line in row if line.startswith("t1,"))])

    found = plan_file(delta(version="1.2", users=users, roles=as_csv(rows)))

    assert {kind for kind, _table, _key in said(found)} == {"refused"}


def test_roles_say_what_somebody_is_and_users_what_they_are_called(applied, apply_file) -> None:
    files = split(applied)
    files.pop("roles")

    found = apply_file(delta(version="1.2", users=files["users"].replace("Mateo", "Matteo")))

    assert said(found) == [("changed", "student", "s1")]
    assert Student.objects.get(source_id="s1").given_name == "Matteo"


def role(user: str, name: str, org: str, status: str = "") -> dict[str, str]:
    return {"sourcedId": f"{user}-{name}-{org}", "status": status, "userSourcedId": user,
            "roleType": "primary", "role": name, "orgSourcedId": org}  # fmt: skip


def test_a_role_alone_may_move_end_and_place(applied, apply_file) -> None:
    rows = [
        role("s1", "student", "10", "tobedeleted"),
        role("s1", "student", "20"),
        role("s2", "student", "20", "tobedeleted"),
        role("t1", "teacher", "20"),
    ]

    found = apply_file(delta(version="1.2", roles=as_csv(rows)))

    assert [one for one in said(found) if one[1] != "caregiver"] == [
        ("changed", "educator", "t1"),
        ("left", "student", "s2"),
        ("moved", "student", "s1"),
    ]
    assert roster_snapshot()["memberships"] == [
        "('t1@example.org', '10')",
        "('t1@example.org', '20')",
    ]


def test_a_preferred_name_is_taken_and_never_taken_away(applied, apply_file) -> None:
    files = split(applied)
    lines = files["users"].splitlines()
    place = lines[0].split(",").index("preferredGivenName")
    cells = next(line for line in lines if line.startswith("s1,")).split(",")
    cells[place] = "Teo"

    apply_file(delta(version="1.2", users="\n".join([lines[0], ",".join(cells)])))
    apply_file(delta(version="1.2", users=files["users"]))

    assert Student.objects.get(source_id="s1").preferred_name == "Teo"
