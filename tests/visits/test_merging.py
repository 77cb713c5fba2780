"""Two families that are one, and one that is two; each can be taken back."""

import datetime

import pytest
from django.db import connection

from families import merging as people_merging
from families.models import AmendmentRequest, Caregiver, Family, Student
from families.roster.barred import Barred, described
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Change, Message
from pthv.models.undo import UNDOABLE
from tests.conftest import NOW, at
from tests.visits.test_answers import link_of
from visits import (
    answers,
    families,
    family_messages,
    invitations,
    merging,
    scheduling,
    selection,
    story,
    taking_back,
)
from visits.models import (
    ContactAttempt,
    FamilyLink,
    Invitation,
    InvitationAnswer,
    Tally,
    Visit,
)

NO_ONE_ASKS = {"declined"}


def snapshot() -> dict[str, list]:
    """Every row that a merge can touch, and the totals, as text."""
    tables = [model._meta.db_table for model in UNDOABLE] + [Tally._meta.db_table]
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
            found[table] = [row for (row,) in cursor.fetchall()]
    return found


@pytest.fixture
def two(add_family, school, school_year, school_class, site_coordinator) -> tuple[Family, Family]:
    """The Ortegas, twice: Mateo came in with one household, Lucía with another."""
    keep, gone = add_family("Ortega", "Mateo"), add_family("Ortega", "Lucía")
    Family.objects.filter(pk=keep.pk).update(source_id="H1")
    Family.objects.filter(pk=gone.pk).update(source_id="H2")
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    keep.refresh_from_db()
    gone.refresh_from_db()
    return keep, gone


@pytest.fixture
def plan_again(school, school_year, school_class, site_coordinator):
    def make():
        return selection.plan_everyone(
            school, school_year, school_class=school_class, by=site_coordinator
        )

    return make


def of(family: Family) -> Invitation:
    return Invitation.objects.get(family=family)


@pytest.fixture
def said(educator):
    """Record an answer of a family."""

    def record(family: Family, answer: str, **more) -> Invitation:
        return answers.record(of(family), answer, by=educator, **more)

    return record


@pytest.fixture
def go(educator, partner, trained, pay_rate, said):
    """Schedule a visit to a family that says yes."""

    def schedule(family: Family, hour: int = 16) -> Visit:
        said(family, "accepted")
        invitations.choose_team(of(family), [partner.educators.get()], by=educator)
        return scheduling.schedule(
            of(family), scheduling.slot(at(9, hour, 30)), "home", by=educator
        )

    return schedule


def test_children_and_one_entry_of_each_caregiver_come_together(two, program_coordinator):
    keep, gone = two
    Caregiver.objects.create(
        program=keep.program, family=gone, given_name="José", family_name="Cruz", relation="father"
    )

    merging.merge(keep, gone, by=program_coordinator)

    assert {child.given_name for child in Student.objects.filter(family=keep)} == {"Mateo", "Lucía"}
    assert [str(person) for person in keep.caregivers.all()] == ["Marta Ortega", "José Cruz"]
    gone.refresh_from_db()
    assert gone.merged_into == keep
    assert AuditEntry.objects.get(event="family.merged").facts["gone"] == gone.pk


def test_what_one_entry_does_not_know_the_other_tells(two, program_coordinator):
    keep, gone = two
    keep.caregivers.update(phone="", preferred_name="")
    gone.caregivers.update(given_name="MARTÁ", preferred_name="Martita", email="m@example.org")

    merging.merge(keep, gone, by=program_coordinator)

    (person,) = keep.caregivers.all()
    assert (person.given_name, person.preferred_name) == ("Marta", "Martita")
    assert (str(person.phone), person.email) == ("+13125550142", "m@example.org")


@pytest.mark.parametrize("side", [0, 1])
def test_the_stricter_holds(two, program_coordinator, side):
    two[side].caregivers.update(
        ended_on=datetime.date(2026, 9, 1), may_be_contacted=False, may_decide=False
    )

    merging.merge(*two, by=program_coordinator)

    (person,) = two[0].caregivers.all()
    assert person.ended_on == datetime.date(2026, 9, 1)
    assert not person.may_be_contacted and not person.may_decide and person.may_read


def test_people_who_share_a_phone_stay_two(two, program_coordinator):
    keep, gone = two
    gone.caregivers.update(given_name="José")

    merging.merge(keep, gone, by=program_coordinator)

    assert [person.given_name for person in keep.caregivers.all()] == ["Marta", "José"]


def test_one_who_was_ended_under_another_name_is_for_people_to_settle(
    two, program, program_coordinator
):
    keep, gone = two
    for family, name, ended_on in ((keep, "Luis", None), (gone, "Lou", program.today)):
        Caregiver.objects.create(
            program=program, family=family, given_name=name, phone="+15035550199",
            ended_on=ended_on,
        )  # fmt: skip

    for one, other in ((keep, gone), (gone, keep)):
        with pytest.raises(NotReady, match="Luis has the phone or e-mail of somebody who was"):
            merging.merge(one, other, by=program_coordinator)

    Caregiver.objects.create(program=program, family=gone, given_name="Inés", phone="+15035550199")
    assert merging.merge_blockers(keep, gone) == []


def test_an_id_of_the_files_is_never_given_twice(two, program, program_coordinator):
    keep, gone = two
    keep.caregivers.update(roster_id="G1")
    Caregiver.objects.create(
        program=program, family=keep, given_name="Ana", family_name="Paz", source_id="marta x"
    )
    gone.caregivers.update(roster_id="G1", given_name="Marta", family_name="X", source_id="marta x")

    merging.merge(keep, gone, by=program_coordinator)

    assert sorted(keep.caregivers.values_list("source_id", flat=True)) == ["", "marta x"]


def test_an_address_stays_and_is_confidential_if_either_was(two, program_coordinator):
    keep, gone = two
    Family.objects.filter(pk=keep.pk).update(address="1 Elm St")
    Family.objects.filter(pk=gone.pk).update(address="2 Oak St", address_confidential=True)

    merging.merge(keep, gone, by=program_coordinator)

    keep.refresh_from_db()
    assert (keep.address, keep.address_confidential) == ("1 Elm St", True)


def test_of_two_open_invitations_the_further_stays_with_the_calls_of_both(
    two, educator, program_coordinator
):
    keep, gone = two
    invitations.record_attempt(of(keep), "text", "no_answer", by=educator)
    invitations.record_attempt(of(gone), "call", "reached", by=educator)
    stays = answers.record(of(gone), "accepted", by=educator).invitation

    merging.merge(keep, gone, by=program_coordinator)

    assert of(keep) == stays and of(keep).attempts.count() == 2
    assert of(keep).answers.count() == 1
    assert not Invitation.objects.filter(family=gone).exists()
    assert Tally.objects.get().planned == 1


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("other", ["", "accepted", "later"])
def test_a_no_of_either_holds(two, said, program_coordinator, program, side, other):
    said(two[side], "declined")
    if other:
        later_on = program.today + datetime.timedelta(days=3) if other == "later" else None
        said(two[1 - side], other, later_on=later_on)

    keep = merging.merge(*two, by=program_coordinator)

    assert of(keep).state == Invitation.State.DECLINED
    assert not Invitation.objects.exclude(state="declined").exists()


def test_a_no_of_another_year_holds_too(
    two, program, school, educator, said, program_coordinator, school_year
):
    keep, gone = two
    last = type(school_year).objects.create(
        program=program,
        name="2025–26",
        starts_on=datetime.date(2025, 8, 1),
        ends_on=datetime.date(2026, 7, 31),
    )
    Invitation.objects.filter(family=gone).update(school_year=last)
    said(gone, "declined")
    invitations.record_attempt(of(keep), "call", "reached", by=educator)

    merging.merge(keep, gone, by=program_coordinator)

    states = Invitation.objects.filter(family=keep).values_list("state", flat=True)
    assert set(states) == NO_ONE_ASKS


def test_a_visit_ahead_goes_along(two, go, program_coordinator):
    keep, gone = two
    visit = go(gone)

    merging.merge(keep, gone, by=program_coordinator)

    visit.refresh_from_db()
    assert visit.family == keep and visit.invitation == of(keep)


def test_two_visits_for_one_invitation_are_in_the_way(two, go, program_coordinator):
    go(two[0], 16), go(two[1], 18)

    with pytest.raises(NotReady, match="Both have a first visit that stands"):
        merging.merge(*two, by=program_coordinator)


def test_visits_at_one_time_are_in_the_way(two, go, program_coordinator):
    keep, gone = two
    go(keep)
    Invitation.objects.filter(family=gone).update(kind="additional")
    other = Visit.objects.get()  # by another pair
    other.pk, other.family, other.invitation, other.kind = None, gone, of(gone), "additional"
    other.save()

    with pytest.raises(NotReady, match="Both have a visit at Fri, Oct 9"):
        merging.merge(keep, gone, by=program_coordinator)


def test_a_no_and_a_visit_ahead_are_for_people_to_settle(two, go, said, program_coordinator):
    keep, gone = two
    go(keep)
    said(gone, "declined")

    with pytest.raises(NotReady, match="One said no thank you, and a visit stands"):
        merging.merge(keep, gone, by=program_coordinator)


def test_the_same_merge_twice_is_one_and_a_merged_family_merges_no_more(
    two, add_family, program_coordinator
):
    keep, gone = two
    merging.merge(keep, gone, by=program_coordinator)
    merging.merge(keep, gone, by=program_coordinator)

    assert Change.objects.count() == 1
    with pytest.raises(NotReady, match="merged with another family already"):
        merging.merge(add_family("Paz", "Ada"), gone, by=program_coordinator)
    with pytest.raises(NotReady, match="Choose another family"):
        merging.merge(keep, keep, by=program_coordinator)


def test_a_merge_is_undone_byte_for_byte(two, go, said, educator, program_coordinator):
    keep, gone = two
    Family.objects.filter(pk=keep.pk).update(source_id="")
    invitations.record_attempt(of(keep), "text", "no_answer", by=educator)
    go(gone)
    gone.caregivers.update(may_read=False)
    AmendmentRequest.objects.create(
        program=keep.program, family=gone, caregiver=gone.caregivers.get(), wanted={"email": "x"}
    )
    before = snapshot()
    merging.merge(keep, gone, by=program_coordinator)
    (change,) = merging.changes(keep)
    assert snapshot() != before and change in merging.changes(gone)

    merging.take_back(change, by=program_coordinator)

    assert snapshot() == before
    assert not merging.changes(keep).exists()


def test_a_merge_is_undone_though_what_was_before_taps_is_forgotten(
    two, said, educator, program_coordinator
):
    keep, gone = two
    invitations.record_attempt(of(gone), "call", "no_answer", by=educator)
    said(keep, "later", later_on=datetime.date(2026, 11, 1))
    before = snapshot()
    merging.merge(keep, gone, by=program_coordinator)
    with clock.at(at(9, 4)):
        assert taking_back.forget() == 1

        merging.take_back(merging.changes(keep).get(), by=program_coordinator)

    assert ContactAttempt.objects.get().before != {}
    assert InvitationAnswer.objects.get().before == {}
    assert snapshot() != before and of(gone).attempts.exists()


def test_messages_go_along_with_their_links_and_come_back(two, educator, program_coordinator):
    keep, gone = two
    Caregiver.objects.update(preferred_channel="text")
    gone.caregivers.update(given_name="Luisa", phone="+13125550177")
    family_messages.invite(of(keep), by=educator)
    family_messages.invite(of(gone), by=educator)
    were = list(Message.objects.order_by("pk").values_list("about", "recipient"))
    assert len(set(were)) == 2

    merging.merge(keep, gone, by=program_coordinator)

    about = {message.about for message in Message.objects.all()}
    assert about == {of(keep).named}
    merging.take_back(merging.changes(keep).get(), by=program_coordinator)
    assert list(Message.objects.order_by("pk").values_list("about", "recipient")) == were


def test_a_message_that_waits_with_a_link_that_closes_stays(two, educator, program_coordinator):
    keep, gone = two
    Caregiver.objects.update(preferred_channel="text")
    for family in two:
        family_messages.invite(of(family), by=educator)

    merging.merge(keep, gone, by=program_coordinator)

    open_ = FamilyLink.objects.usable().get()
    assert Message.objects.waiting().get().link_nonce == open_.nonce


def test_a_message_to_one_of_two_entries_is_for_the_one_that_stays(
    two, educator, program_coordinator
):
    keep, gone = two
    Caregiver.objects.update(preferred_channel="text")
    family_messages.invite(of(gone), by=educator)

    merging.merge(keep, gone, by=program_coordinator)

    assert Message.objects.get().recipient == keep.caregivers.get().named


def test_a_merge_on_which_something_was_built_stays(two, program_coordinator):
    keep, gone = two
    merging.merge(keep, gone, by=program_coordinator)
    keep.caregivers.update(relation="aunt")

    with pytest.raises(NotReady, match="changed since then were 1 caregiver"):
        merging.take_back(merging.changes(keep).get(), by=program_coordinator)


@pytest.mark.parametrize("built", ["call", "answer", "visit"])
def test_a_merge_after_which_they_were_spoken_to_stays(
    two, said, go, educator, program_coordinator, built
):
    keep, gone = two
    said(keep, "accepted")
    merging.merge(keep, gone, by=program_coordinator)
    with clock.at(at(6, 14)):
        if built == "call":
            invitations.record_attempt(of(keep), "call", "reached", by=educator)
        elif built == "answer":
            said(keep, "declined")
        else:
            go(keep)

        with pytest.raises(NotReady, match="as one family they were called, answered or visited"):
            merging.take_back(merging.changes(keep).get(), by=program_coordinator)

    assert Student.objects.filter(family=keep).count() == 2


def test_an_undone_merge_is_nobodys_history(two, said, plan_again, program_coordinator):
    keep, gone = two
    said(keep, "declined")
    keep.caregivers.update(may_be_contacted=False)
    merging.merge(keep, gone, by=program_coordinator)
    with clock.at(at(6, 14)):
        merging.take_back(merging.changes(keep).get(), by=program_coordinator)

    found = story.with_past(Family.objects.all())

    assert [story.earlier(family) for family in found] == [{}, {}]
    assert gone in families.alike(found, keep)
    marta = described(keep.caregivers.get())
    assert Barred().families_of == {keep.students.get().source_id: {keep.pk}}
    assert Barred().why(marta, Barred().families_of.get(gone.students.get().source_id, ())) == ""
    assert plan_again().families_said_no_before == 1
    assert of(gone).state == Invitation.State.NOT_ASKED


def test_a_merge_that_stands_is_history(two, said, program_coordinator):
    keep, gone = two
    for again in range(2):
        merging.merge(keep, gone, by=program_coordinator)
        if not again:
            merging.take_back(merging.changes(keep).get(), by=program_coordinator)

    assert set(story.earlier(story.with_past(Family.objects.all()).get(pk=keep.pk))) == {gone.pk}


def test_after_thirty_days_a_merge_stays(two, program_coordinator):
    merging.merge(*two, by=program_coordinator)

    with clock.at(at(7, 13, month=11)), pytest.raises(NotReady, match="30 days"):
        merging.take_back(Change.objects.get(), by=program_coordinator)


# ---- one family that is two


@pytest.fixture
def apart(add_family, program, school, school_year, school_class, site_coordinator):
    """The Ortegas, whose parents separated: Mateo and Lucía, Marta and José, and an uncle
    who must not be contacted."""
    family = add_family("Ortega", "Mateo", "Lucía")
    for given, relation, contact in (("José", "father", True), ("Raúl", "uncle", False)):
        Caregiver.objects.create(
            program=program, family=family, given_name=given, family_name="Ortega",
            relation=relation, may_be_contacted=contact,
        )  # fmt: skip
    Caregiver.objects.create(
        program=program, family=family, given_name="Luis", ended_on=datetime.date(2026, 9, 1)
    )
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    return family


@pytest.fixture
def split(apart, program_coordinator):
    """Lucía goes with José; Marta is of both."""

    def do() -> Family:
        return merging.split(
            apart,
            [apart.students.get(given_name="Lucía")],
            [apart.caregivers.get(given_name="José")],
            [apart.caregivers.get(given_name="Marta")],
            by=program_coordinator,
        )

    return do


def test_a_split_gives_children_and_caregivers_a_family_of_their_own(apart, split):
    new = split()

    assert [child.given_name for child in new.students.all()] == ["Lucía"]
    assert {p.given_name for p in new.caregivers.filter(ended_on=None)} == {"José", "Marta", "Raúl"}
    assert {p.given_name for p in apart.caregivers.filter(ended_on=None)} == {"Marta", "Raúl"}


def test_who_is_of_both_has_permissions_of_their_own_in_each(apart, split):
    new = split()
    new.caregivers.filter(given_name="Marta").update(may_decide=False)

    assert apart.caregivers.get(given_name="Marta").may_decide


def test_who_was_barred_is_barred_in_both(apart, split):
    new = split()

    for family in (apart, new):
        assert family.caregivers.get(given_name="Luis").ended_on == datetime.date(2026, 9, 1)
        assert not family.caregivers.get(given_name="Raúl").may_be_contacted


def test_where_they_live_is_not_told_on(apart, split):
    Family.objects.filter(pk=apart.pk).update(address="1 Elm St", address_confidential=True)

    new = split()

    assert new.address == "" and new.address_confidential


def test_whoever_was_asked_before_a_split_is_not_asked_again(
    apart, split, educator, school, school_year, school_class, site_coordinator
):
    invitations.record_attempt(of(apart), "call", "no_answer", by=educator)
    new = split()

    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)

    assert not Invitation.objects.filter(family=new).exists()


def test_whoever_was_not_asked_before_a_split_is_asked_as_two(
    apart, split, school, school_year, school_class, site_coordinator
):
    new = split()

    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)

    assert Invitation.objects.filter(family__in=[apart, new], state="not_asked").count() == 2


def test_a_no_goes_along_with_a_split(
    apart, split, said, school, school_year, school_class, site_coordinator
):
    said(apart, "declined")
    new = split()

    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)

    assert not Invitation.objects.filter(family=new).exists()


@pytest.mark.parametrize(
    ("children", "caregivers", "sentence"),
    [
        (["Mateo", "Lucía"], ["José"], "At least one child stays"),
        ([], ["José"], "Choose the children"),
        (["Lucía"], [], "Choose at least one caregiver"),
        (["Lucía"], ["Luis"], "has no say in this family any more"),
    ],
)
def test_a_split_says_what_is_missing(apart, program_coordinator, children, caregivers, sentence):
    with pytest.raises(NotReady, match=sentence):
        merging.split(
            apart,
            apart.students.filter(given_name__in=children),
            apart.caregivers.filter(given_name__in=caregivers),
            by=program_coordinator,
        )
    assert Family.objects.count() == 1


def test_a_child_on_a_visit_ahead_stays_until_it_is_over(apart, split, go):
    go(apart)

    with pytest.raises(NotReady, match="A visit is about one of these children"):
        split()


def test_a_split_is_undone_byte_for_byte(apart, split, program_coordinator):
    before = snapshot()
    new = split()
    (change,) = merging.changes(new)

    merging.take_back(change, by=program_coordinator)

    assert snapshot() == before


def test_two_entries_are_the_same_person_by_name_not_by_phone_alone():
    def person(given, family, phone="", roster_id=""):
        return Caregiver(given_name=given, family_name=family, phone=phone, roster_id=roster_id)

    def same(one, other):
        return any(rule(one, other) for rule in people_merging.SAME)

    assert same(person("Luis", "Cruz"), person("LUÍS", "CRUZ"))
    assert same(person("L.", "Cruz", "+13125550142"), person("Luis", "Cruz", "+13125550142"))
    assert not same(person("L.", "Cruz", "+13125550142"), person("Luis", "Cruz", "+13125550143"))
    assert not same(person("Ana", "Cruz", "+13125550142"), person("Luis", "Cruz", "+13125550142"))
    assert same(person("A", "B", roster_id="G"), person("C", "D", roster_id="G"))


def test_answers_and_links_go_along_and_come_back(two, educator, program_coordinator):
    keep, gone = two
    people = [link_of(of(family), "Marta") for family in (keep, gone)]
    answers.record(of(gone), "later", link=people[1], later_on=NOW.date() + datetime.timedelta(9))
    was = of(gone)

    merging.merge(keep, gone, by=program_coordinator)

    found = of(keep)
    assert (found.state, found.answers.count()) == ("later", 1)
    # The two entries of Marta are one, and so are her two links.
    assert found.links.count() == 2 and FamilyLink.objects.usable().count() == 1

    (change,) = merging.changes(keep)
    merging.take_back(change, by=program_coordinator)
    assert of(gone) == was and of(gone).answers.get().link == people[1]
    assert FamilyLink.objects.usable().count() == 2
