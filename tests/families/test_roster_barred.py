"""What no roster file may do quietly: bring somebody back, move a child, let an account in."""

import datetime

import pytest
from django.urls import reverse

from families import people
from families.models import Caregiver, Family, RosterImport, Student
from families.roster import apply, wording
from families.roster.barred import same_name
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Membership, School, User

from .roster_files import CONTACTS, bundle, bundle_files, replaced

pytestmark = pytest.mark.django_db

TEXT = CONTACTS.read_text("utf-8")
ENDED = "Was ended for this child on Oct. 6, 2026; an administrator can bring them back."
CARMEN = "1001,H1,CARMEN,DE LA CRUZ,MOTHER,(503) 555-0123,carmen@example.org,Spanish,text,"
LUIS = "1001,H1,LUIS,DE LA CRUZ,father,503-555-0124,,es,call,"
HEADER = TEXT.splitlines()[0]


def contacts(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


def reasons(found: RosterImport) -> list[str]:
    return list(found.changes.filter(kind="refused").values_list("reason", flat=True))


def facts(found: RosterImport, table: str) -> list[str]:
    changes = list(found.changes.filter(table=table))
    return [fact.new for line in wording.lines(found, changes) for fact in line.facts]


@pytest.fixture
def roster(apply_file) -> None:
    apply_file(bundle())
    apply_file(CONTACTS.read_bytes(), "contacts")


@pytest.fixture
def luis_ended(roster, program) -> Caregiver:
    Caregiver.objects.filter(given_name="Luis").update(ended_on=program.today)
    return Caregiver.objects.get(given_name="Luis")


def live(given: str) -> int:
    people = Caregiver.objects.filter(given_name__istartswith=given)
    return people.filter(ended_on=None, may_be_contacted=True).count()


@pytest.mark.parametrize(
    "line",
    [
        LUIS.replace("H1", "HX"),
        LUIS.replace("LUIS", "Luis A."),
        LUIS.replace("LUIS", "L."),
        LUIS.replace("LUIS", "Luís Alberto").replace("H1", "HX"),
        LUIS.replace("DE LA CRUZ", "Cruz"),
        LUIS.replace("LUIS", "Lucho"),  # the same telephone
        LUIS.replace("1001", "1002"),  # the sister
        LUIS.replace("1001", "1002").replace("H1", "HX"),
    ],
)
def test_an_ended_caregiver_comes_back_under_no_other_name_or_household(
    luis_ended, apply_file, line
) -> None:
    carmen = CARMEN.replace("H1", line.split(",")[1])

    found = apply_file(contacts(carmen, line), "contacts")

    assert reasons(found) == [ENDED]
    assert live("L") == 0


def test_neither_does_one_with_the_same_email(roster, apply_file, program) -> None:
    Caregiver.objects.filter(given_name="Carmen").update(ended_on=program.today)

    found = apply_file(contacts(CARMEN.replace("CARMEN", "Maria").replace("(503) 555-0123", "")),
                       "contacts")  # fmt: skip

    assert reasons(found) == [ENDED]
    assert live("Maria") == 0


@pytest.mark.parametrize("household", ["H1", "HX"])
def test_one_not_to_be_contacted_is_not_doubled_as_contactable(
    roster, apply_file, household
) -> None:
    Caregiver.objects.filter(given_name="Luis").update(may_be_contacted=False)
    line = LUIS.replace("LUIS", "Luis A.").replace("H1", household)

    found = apply_file(contacts(CARMEN.replace("H1", household), line), "contacts")

    (reason,) = reasons(found)
    assert reason.startswith("Must not be contacted for this child")
    assert live("Luis") == 0


def test_one_not_to_be_contacted_stays_so_under_their_own_name(roster, apply_file) -> None:
    Caregiver.objects.filter(given_name="Luis").update(may_be_contacted=False)

    found = apply_file(CONTACTS.read_bytes().replace(b"0124", b"0129"), "contacts")

    luis = Caregiver.objects.get(given_name="Luis")
    assert reasons(found) == ["The roster has no student with this id."] * len(reasons(found))
    assert (str(luis.phone), luis.may_be_contacted) == ("+15035550129", False)


def test_an_end_goes_along_over_several_moves(luis_ended, apply_file) -> None:
    apply_file(contacts(CARMEN.replace("H1", "HX")), "contacts")
    apply_file(contacts(CARMEN.replace("H1", "HY")), "contacts")

    found = apply_file(contacts(CARMEN.replace("H1", "HY"), LUIS.replace("H1", "HY")), "contacts")

    assert reasons(found) == [ENDED]
    assert live("Luis") == 0


def test_an_end_goes_along_to_a_sister_met_in_another_household(luis_ended, apply_file) -> None:
    apply_file(contacts(CARMEN.replace("H1", "HX")), "contacts")

    found = apply_file(
        contacts("1005,HX,LUIS,DE LA CRUZ,father,503-555-0124,,es,call,"), "contacts"
    )

    assert reasons(found) == [ENDED]
    assert live("Luis") == 0


def test_a_child_moves_to_nobody_who_was_ended_for_them(roster, apply_file, program) -> None:
    fadumo = "1003,H2,Fadumo,Hassan,mother,+1 503 555 0125,,Somali,call,"
    apply_file(contacts(fadumo, LUIS.replace("1001,H1", "1003,H2")), "contacts")
    Caregiver.objects.filter(given_name="Luis", family__source_id="H1").update(
        ended_on=program.today
    )

    found = apply_file(contacts(CARMEN.replace("H1", "H2")), "contacts")

    assert reasons(found) == [ENDED]
    assert Student.objects.get(source_id="1001").family.source_id == "H1"
    assert Caregiver.objects.get(given_name="Luis", family__source_id="H2").ended_on is None


def test_who_shares_a_telephone_with_an_ended_one_stays(luis_ended, apply_file) -> None:
    phone = "503-555-0123"
    Caregiver.objects.filter(pk=luis_ended.pk).update(phone="+15035550123")

    found = apply_file(contacts(CARMEN.replace("H1", "HX").replace("(503) 555-0123", phone)),
                       "contacts")  # fmt: skip

    assert reasons(found) == []
    assert Student.objects.get(source_id="1001").family.caregivers.get().given_name == "Carmen"


def test_the_ended_one_an_administrator_brought_back_may_come(luis_ended, apply_file) -> None:
    Caregiver.objects.filter(pk=luis_ended.pk).update(ended_on=None)

    found = apply_file(contacts(CARMEN.replace("H1", "HX"), LUIS.replace("H1", "HX")), "contacts")

    assert reasons(found) == []
    assert Family.objects.get(source_id="HX").caregivers.count() == 2


def test_a_move_is_a_line_of_its_own(roster, plan_file, apply_file) -> None:
    moved = contacts(CARMEN.replace("H1", "HX").replace("DE LA CRUZ", "VEGA"))

    found = plan_file(moved, "contacts")

    (line,) = found.changes.filter(table="move")
    assert (line.kind, line.label, line.row) == ("moved", "Mateo De la Cruz", 2)
    assert facts(found, "move") == ["moves from the De la Cruz family to the Vega family"]
    found.delete()
    apply_file(moved, "contacts")
    again = plan_file(moved, "contacts")
    assert not again.changes.exists()
    assert Student.objects.get(source_id="1001").family.surnames == "Vega"
    assert Student.objects.get(source_id="1002").family.surnames == "De la Cruz"


def test_a_child_who_moved_is_not_pulled_back_by_a_new_sister(roster, apply_file) -> None:
    apply_file(
        contacts(
            CARMEN.replace("H1", "HX"),
            CARMEN.replace("1001", "1002"),
            CARMEN.replace("1001", "1006"),
        ),
        "contacts",
    )

    assert Student.objects.get(source_id="1001").family.source_id == "HX"
    assert Student.objects.get(source_id="1006").family.source_id == "H1"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Luis|Cruz", "LUÍS|Cruz Vega", True),
        ("Luis A.|Cruz", "Luis|A. Cruz", True),
        ("L|Cruz", "Luis|Cruz", True),
        ("Luis|Cruz", "Luisa|Cruz", False),
        ("Luis|Cruz", "Luis|Vega", False),
        ("|Cruz", "Luis|Cruz", False),
    ],
)
def test_names_are_the_same_more_or_less_of_them_told(one, other, same) -> None:
    names = [
        dict(zip(("given_name", "family_name"), name.split("|"), strict=True))
        for name in (one, other)
    ]

    assert same_name(*names) is same


# Accounts and years


@pytest.mark.parametrize("who", ["outsider", "administrator"])
def test_an_account_of_elsewhere_becomes_nobody_here(who, program, apply_file, request) -> None:
    user = request.getfixturevalue(who)
    users = replaced("users.csv", "t1@example.org", user.email.upper())

    found = apply_file(bundle(users=users))

    assert reasons(found) == [
        "This address has an account outside this program; ask an administrator to add them."
    ]
    assert not Membership.objects.filter(user=user, program=program).exists()
    assert Membership.objects.filter(program=program, role="educator").exists()


def test_one_whose_membership_ended_may_teach_again(program, apply_file, person) -> None:
    lincoln = School.objects.create(program=program, name="Lincoln Elementary")
    ana = person("T1", "educator", program, lincoln)
    Membership.objects.filter(user=ana).update(ends_on=datetime.date(2026, 2, 1))

    found = apply_file(bundle())

    assert reasons(found) == []
    assert Membership.objects.filter(user=ana, ends_on=None).exists()


def test_an_account_made_after_the_plan_is_not_let_in(
    program, program_coordinator, plan_file
) -> None:
    found = plan_file(bundle())
    late = User.objects.create_user("t1@example.org", given_name="Late", family_name="Comer")
    apply.begin(found, leaving_confirmed=True)

    with pytest.raises(apply.NotReady):
        apply.run(found.pk, program=program, by=program_coordinator)

    found.refresh_from_db()
    assert found.state == RosterImport.State.PLANNED and found.problem
    assert not Membership.objects.filter(user=late).exists()


@pytest.mark.parametrize("year", [1912, 2015, 2037, 9998])
def test_a_school_year_of_another_time_is_refused(plan_file, year) -> None:
    sessions = bundle_files()["academicSessions.csv"]
    sessions = sessions.replace("2027", f"{year + 1}").replace("2026", f"{year}")

    found = plan_file(bundle(academicSessions=sessions))

    assert found.state == RosterImport.State.REFUSED
    assert "more than 10 years from now" in found.problem
    assert not found.changes.exists()


def test_a_school_year_of_eight_years_ago_is_read(plan_file) -> None:
    sessions = bundle_files()["academicSessions.csv"]
    sessions = sessions.replace("2027", "2019").replace("2026", "2018")

    assert plan_file(bundle(academicSessions=sessions)).counts["years"][0].startswith("2018")


# While a file waits, and after one


def later(minutes: int = 1):
    return clock.at(clock.now() + datetime.timedelta(minutes=minutes))


@pytest.mark.parametrize("wanted", [None, {"may_be_contacted": False}])
def test_a_plan_from_before_somebody_was_ended_is_old(
    roster, plan_file, program_coordinator, wanted
) -> None:
    found = plan_file(contacts(CARMEN, LUIS.replace("LUIS", "Luis A.")), "contacts")
    luis = Caregiver.objects.get(given_name="Luis")
    with later():
        if wanted:
            people.change_caregiver(luis, wanted, by=program_coordinator)
        else:
            people.end_caregiver(luis, because="By court order.", by=program_coordinator)

    with pytest.raises(NotReady, match="ended after this file came"):
        apply.begin(found, leaving_confirmed=True)


def test_whom_a_file_left_out_a_person_ends_for_good(
    roster, apply_file, client, program, program_coordinator
) -> None:
    found = apply_file(contacts(CARMEN), "contacts")
    luis = Caregiver.objects.get(given_name="Luis")
    assert luis.ended_on == program.today
    client.force_login(program_coordinator)

    with later():
        for _tap in range(2):
            sent = {"because": "By court order."}
            response = client.post(reverse("caregiver_end", args=[luis.pk]), sent, follow=True)
            assert "has no say any more" in response.text

    entry = AuditEntry.objects.get(event="caregiver.ended")
    assert (entry.subject_id, entry.facts) == (luis.pk, sent)
    with pytest.raises(NotReady, match="bring back somebody who was ended since"):
        apply.hand_over_undo(found, by=program_coordinator)


def test_how_an_ended_parent_is_reached_is_put_on_nobody(luis_ended, apply_file) -> None:
    changed = CARMEN.replace("(503) 555-0123", "503-555-0124").replace("carmen@", "new@")

    found = apply_file(contacts(changed, LUIS.replace("LUIS", "Carmen Maria")), "contacts")

    carmen = Caregiver.objects.get(given_name="Carmen")
    assert (str(carmen.phone), carmen.email) == ("+15035550123", "new@example.org")
    assert {(one.column, one.row) for one in found.changes.filter(kind="refused")} == {
        ("phone", 2), ("phone", 3)
    }  # fmt: skip
    assert not Caregiver.objects.filter(phone="+15035550124", ended_on=None).exists()


def test_a_telephone_that_was_shared_stays_so(roster, apply_file, program) -> None:
    Caregiver.objects.filter(given_name="Carmen").update(phone="+15035550124")
    Caregiver.objects.filter(given_name="Luis").update(ended_on=program.today)

    found = apply_file(contacts(CARMEN.replace("(503) 555-0123", "503-555-0124")), "contacts")

    assert reasons(found) == []
    assert str(Caregiver.objects.get(given_name="Carmen").phone) == "+15035550124"
