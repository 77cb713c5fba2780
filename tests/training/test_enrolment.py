"""Places and the waiting list: who gets in, who moves up, who moves on."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from django_scopes import scope

from pthv import accounts, clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Membership, Message, Program, Role, User
from tests.conftest import at
from training import cohorts, enrolment
from training.models import Attendance, Cohort, CohortMember

ENROLLED, WAITING = "enrolled", "waiting"


def limit(cohort: Cohort, places: int, **more) -> Cohort:
    Cohort.objects.filter(pk=cohort.pk).update(capacity=places, **more)
    cohort.refresh_from_db()
    return cohort


def states(cohort: Cohort) -> list[str]:
    return list(cohort.members.order_by("joined_at", "pk").values_list("state", flat=True))


def told(kind: str) -> list[User]:
    return [message.to_user for message in Message.objects.filter(kind=kind).order_by("pk")]


@pytest.fixture
def full(cohort, add_session, educators, program_coordinator) -> Cohort:
    """Two places, taken; two more people wait."""
    add_session(20)
    limit(cohort, 2, open_for_sign_up=True)
    enrolment.enrol(cohort, educators(4), by=program_coordinator)
    cohort.refresh_from_db()
    return cohort


def test_who_comes_after_the_last_place_waits(full) -> None:
    assert states(full) == [ENROLLED, ENROLLED, WAITING, WAITING]
    assert (full.enrolled, full.waiting, full.places_left) == (2, 2, 0)
    assert Attendance.objects.of(full).count() == 2
    assert len(told("session_invited")) == len(told("cohort_waiting")) == 2


def test_one_leaves_one_moves_up_one_message(full) -> None:
    first, _second, third, _fourth = full.members.order_by("pk")
    Message.objects.all().delete()

    enrolment.withdraw(first, by=first.educator.user, because="Moving house")
    enrolment.withdraw(first, by=first.educator.user)

    assert states(full) == ["withdrawn", ENROLLED, ENROLLED, WAITING]
    assert [(message.kind, message.to_user) for message in Message.objects.order_by("pk")] == [
        ("session_left", first.educator.user),
        ("session_invited", third.educator.user),
    ]
    assert "A place became free" in Message.objects.get(kind="session_invited").body
    assert Attendance.objects.of(full).filter(member=third).count() == 1
    assert not Attendance.objects.filter(member=first).exists()


def test_who_left_the_waiting_list_moves_nobody(full) -> None:
    third = full.members.order_by("pk")[2]

    enrolment.withdraw(third, by=third.educator.user)

    assert states(full) == [ENROLLED, ENROLLED, "withdrawn", WAITING]


def test_who_comes_back_is_last_in_the_list(full, educators) -> None:
    first = full.members.order_by("pk")[0]
    with clock.at(at(7, 9)):
        enrolment.withdraw(first, by=first.educator.user)
    with clock.at(at(8, 9)):
        back = enrolment.sign_up(full, first.educator, by=first.educator.user)

    assert back.pk == first.pk
    assert (back.state, back.left_at, back.left_because) == (WAITING, None, "")
    assert list(CohortMember.objects.waiting().filter(cohort=full))[-1] == back


def test_more_places_let_in_who_waits(full, program_coordinator) -> None:
    cohorts.change(full, {"capacity": 3}, by=program_coordinator)

    assert states(full) == [ENROLLED, ENROLLED, ENROLLED, WAITING]


def test_there_are_never_fewer_places_than_people(full, program_coordinator) -> None:
    with pytest.raises(NotReady, match="2 people have a place"):
        cohorts.change(full, {"capacity": 1}, by=program_coordinator)

    with pytest.raises(IntegrityError), transaction.atomic():
        Cohort.objects.filter(pk=full.pk).update(capacity=1)


def test_raw_sql_cannot_overfill_a_cohort(full) -> None:
    with pytest.raises(IntegrityError, match="cohort_within_its_places"), transaction.atomic():
        CohortMember.objects.filter(cohort=full).update(state=ENROLLED)


def test_once_it_began_nobody_moves_up_by_themselves(full, program_coordinator) -> None:
    first, _second, third, _fourth = full.members.order_by("pk")
    with clock.at(at(20, 17)):
        enrolment.withdraw(first, by=first.educator.user)
        assert states(full) == ["withdrawn", ENROLLED, WAITING, WAITING]

        enrolment.give_place(third, by=program_coordinator)

    assert states(full) == ["withdrawn", ENROLLED, ENROLLED, WAITING]


def test_once_it_began_whoever_comes_takes_a_free_place(
    full, educator, program_coordinator
) -> None:
    with clock.at(at(20, 17)):
        cohorts.change(full, {"capacity": 3}, by=program_coordinator)
        ana = educator.educators.get()

        assert enrolment.enrol(full, [ana], by=program_coordinator) == (1, 0)

    assert states(full) == [ENROLLED, ENROLLED, WAITING, WAITING, ENROLLED]


def test_a_place_is_given_only_while_there_is_one(full, program_coordinator) -> None:
    third = full.members.order_by("pk")[2]

    with pytest.raises(NotReady, match="Every place is taken"):
        enrolment.give_place(third, by=program_coordinator)


def test_signing_up_twice_is_once(cohort, add_session, educator) -> None:
    add_session(20)
    limit(cohort, 5, open_for_sign_up=True)
    ana = educator.educators.get()

    assert enrolment.sign_up(cohort, ana, by=educator) == enrolment.sign_up(
        cohort, ana, by=educator
    )
    assert states(cohort) == [ENROLLED]
    assert AuditEntry.objects.filter(event="cohort.signed_up").count() == 1


@pytest.mark.parametrize(
    ("cohort_is", "sentence"),
    [
        ({"open_for_sign_up": False}, "by invitation"),
        ({"open_for_sign_up": True, "begun": True}, "begun already"),
        ({"open_for_sign_up": True, "elsewhere": True}, "another school"),
        ({"open_for_sign_up": True, "no_session": True}, "Add a session first"),
    ],
)
def test_signing_up_is_refused_with_a_sentence(
    cohort, add_session, educator, other_school, cohort_is, sentence
) -> None:
    if not cohort_is.pop("no_session", False):
        add_session(20)
    now = at(20, 16) if cohort_is.pop("begun", False) else clock.now()
    if cohort_is.pop("elsewhere", False):
        cohort_is["school"] = other_school
    Cohort.objects.filter(pk=cohort.pk).update(**cohort_is)

    with clock.at(now), pytest.raises(NotReady, match=sentence):
        enrolment.sign_up(Cohort.objects.get(), educator.educators.get(), by=educator)

    assert not CohortMember.objects.exists()


def test_what_was_attended_moves_along(
    cohort, course, add_session, enrol, tick, educator, program_coordinator
) -> None:
    first, second = add_session(7), add_session(14)
    enrol(educator)
    tick(first, educator, "attended")
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    _again, later = add_session(21, of=winter), add_session(28, of=winter)
    member = cohort.members.get()

    moved = enrolment.transfer(member, winter, by=program_coordinator)

    member.refresh_from_db()
    assert (member.state, moved.state) == ("transferred", ENROLLED)
    attendances = Attendance.objects.filter(educator=educator.educators.get())
    assert sorted(attendances.values_list("member", "session", "state")) == sorted(
        [(moved.pk, first.pk, "attended"), (moved.pk, later.pk, "expected")]
    )
    assert not attendances.filter(session=second).exists()


def test_what_was_missed_is_asked_again_where_somebody_moves_to(
    cohort, course, add_session, enrol, tick, educator, program_coordinator
) -> None:
    missed = add_session(7)
    enrol(educator)
    tick(missed, educator, "absent")
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    again = add_session(21, of=winter)

    with clock.at(at(8, 9)):
        enrolment.transfer(cohort.members.get(), winter, by=program_coordinator)

    assert again.attendances.get().state == "expected"


def test_nobody_moves_to_another_course(
    cohort, program, add_session, enrol, educator, program_coordinator
) -> None:
    add_session(7)
    enrol(educator)
    other = cohort.course._meta.model.objects.create(program=program, name="Refresher", hours=1)
    elsewhere = cohorts.open_cohort(other, "Spring", by=program_coordinator)
    add_session(21, of=elsewhere)

    with pytest.raises(NotReady, match="same course"):
        enrolment.transfer(cohort.members.get(), elsewhere, by=program_coordinator)


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_thirty_at_once_for_ten_places(cohort, add_session, educators) -> None:
    with clock.at(at(6, 13)):
        add_session(20)
    limit(cohort, 10, open_for_sign_up=True)
    people = educators(30)
    program = Program.objects.get()

    def sign_up(educator: Educator) -> str:
        try:
            with clock.at(at(7, 9)), scope(program=program):
                return enrolment.sign_up(cohort, educator, by=educator.user).state
        finally:
            connection.close()

    with ThreadPoolExecutor(30) as pool:
        said = list(pool.map(sign_up, people))

    assert sorted(said) == [ENROLLED] * 10 + [WAITING] * 20
    cohort.refresh_from_db()
    assert (cohort.enrolled, cohort.waiting) == (10, 20)
    waiting = list(CohortMember.objects.waiting().filter(cohort=cohort))
    assert len(waiting) == 20

    with clock.at(at(8, 9)):
        gone = CohortMember.objects.enrolled().filter(cohort=cohort).first()
        enrolment.withdraw(gone, by=gone.educator.user)

    first = CohortMember.objects.get(pk=waiting[0].pk)
    assert first.state == ENROLLED
    assert [user.pk for user in told("session_invited")[10:]] == [first.educator.user_id]


def test_an_unknown_address_gets_an_account_and_a_message(school, program_coordinator) -> None:
    welcomed = accounts.welcome(
        "New.Person@Example.org", "Nia Newcomb", school, by=program_coordinator
    )

    assert str(welcomed) == "Nia Newcomb"
    assert not welcomed.user.has_usable_password()
    assert Membership.objects.get(user=welcomed.user).school == school
    message = Message.objects.get(kind="account_made")
    assert message.address == "new.person@example.org"
    assert "Pat Program" in message.body
    assert (
        accounts.welcome("new.person@example.org", "", school, by=program_coordinator) == welcomed
    )
    assert Message.objects.count() == 1


def test_nobody_of_another_program_is_drawn_in(school, outsider, program_coordinator) -> None:
    with pytest.raises(NotReady, match="outside this program"):
        accounts.welcome(outsider.email, "Otto", school, by=program_coordinator)

    assert not Educator.objects.filter(user=outsider).exists()


def test_a_closed_account_stays_closed(school, educator, program_coordinator) -> None:
    User.objects.filter(pk=educator.pk).update(is_active=False)

    with pytest.raises(NotReady, match="closed account"):
        accounts.welcome(educator.email, "Ana", school, by=program_coordinator)


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.FINANCE, "Finance"),
        (Role.PARTNER, "Partner"),
        (Role.PROGRAM_COORDINATOR, "Program coordinator"),
        (Role.SITE_COORDINATOR, "Site coordinator"),
    ],
)
def test_whoever_does_something_else_here_is_made_no_educator(
    person, program, school, program_coordinator, role, said
) -> None:
    at_school = school if role == Role.SITE_COORDINATOR else None
    fay = person("Fay Finn", role, program, at_school)

    with pytest.raises(NotReady, match=f"{fay.email} is here as: {said}. An administrator"):
        accounts.welcome(fay.email, "Fay", school, by=program_coordinator)

    assert [held.role for held in Membership.objects.filter(user=fay)] == [role]
    assert not Educator.objects.filter(user=fay).exists()


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_an_administrator_is_made_no_educator(
    person, program, school, program_coordinator, power
) -> None:
    ada = person("Ada Min", Role.EDUCATOR, program, school)
    Membership.objects.filter(user=ada).update(ends_on=datetime.date(2026, 9, 1))
    User.objects.filter(pk=ada.pk).update(**{power: True})

    with pytest.raises(NotReady, match="is here as: administrator"):
        accounts.welcome(ada.email, "Ada", school, by=program_coordinator)


def test_whoever_is_an_educator_too_stays_one(
    person, program, school, educator, program_coordinator
) -> None:
    Membership.objects.create(
        program=program, user=educator, role=Role.PARTNER, starts_on=datetime.date(2026, 8, 1)
    )

    welcomed = accounts.welcome(educator.email, "Ana", school, by=program_coordinator)

    assert welcomed.user == educator


def test_a_name_is_one_line_of_what_can_be_seen(school, program_coordinator) -> None:
    typed = "  Nia\r\nATTENDEE:x\x07\u202e  New\tcomb "

    welcomed = accounts.welcome("nia@example.org", typed, school, by=program_coordinator)

    assert (welcomed.user.given_name, welcomed.user.family_name) == ("Nia", "ATTENDEE:x New comb")


def test_who_waits_stands_in_the_order_they_were_named(
    cohort, add_session, educators, program_coordinator
) -> None:
    add_session(20)
    limit(cohort, 1)
    x, a, b = educators(3)
    for educator in (x, a):
        enrolment.enrol(cohort, [educator], by=program_coordinator)
    enrolment.withdraw(cohort.members.get(educator=a), by=program_coordinator)

    enrolment.enrol(cohort, [b, a], by=program_coordinator)

    waiting = CohortMember.objects.waiting().filter(cohort=cohort)
    assert [member.educator for member in waiting] == [b, a]
    assert len(told("cohort_waiting")) == 3  # `a` came twice


def test_when_it_is_complete_nobody_waits_any_more(full, program_coordinator) -> None:
    with clock.at(at(21, 9)):
        cohorts.complete(full, by=program_coordinator)

    full.refresh_from_db()
    assert states(full) == [ENROLLED, ENROLLED, "withdrawn", "withdrawn"]
    assert full.waiting == 0
    third = full.members.order_by("pk")[2]
    assert (third.left_by, third.left_because) == (program_coordinator, "The cohort was completed")
    assert told("cohort_left") == [
        member.educator.user for member in full.members.order_by("pk")[2:]
    ]
    assert "no place became free" in Message.objects.filter(kind="cohort_left").first().body
    assert AuditEntry.objects.get(event="cohort.waits_ended").facts["educators"] == [
        member.educator_id for member in full.members.order_by("pk")[2:]
    ]


def test_who_still_waits_where_it_is_complete_may_go(full, program_coordinator) -> None:
    limit(full, 2, completed_at=at(21, 9), completed_by=program_coordinator)
    first, _second, third, _fourth = full.members.order_by("pk")

    enrolment.withdraw(third, by=third.educator.user)
    with pytest.raises(NotReady, match="complete"):
        enrolment.withdraw(first, by=program_coordinator)

    assert states(full) == [ENROLLED, ENROLLED, "withdrawn", WAITING]


def test_after_it_is_complete_only_the_bill_comes(full, program_coordinator) -> None:
    with clock.at(at(21, 9)):
        cohorts.complete(full, by=program_coordinator)

    with pytest.raises(NotReady, match="only who trains, runs and pays it"):
        cohorts.change(full, {"capacity": 5, "cost": 10}, by=program_coordinator)
    cohorts.change(full, {"cost": 10, "funding": "Title I"}, by=program_coordinator)

    full.refresh_from_db()
    assert (full.capacity, full.cost, full.funding) == (2, 10, "Title I")


@pytest.mark.parametrize("count", [30, 60])
def test_many_move_up_in_as_many_queries_as_few(
    cohort, add_session, educators, program_coordinator, count, django_assert_num_queries
) -> None:
    for day in (20, 21, 22, 23):
        add_session(day)
    limit(cohort, 1)
    enrolment.enrol(cohort, educators(count + 1), by=program_coordinator)
    Message.objects.all().delete()

    with django_assert_num_queries(20):
        cohorts.change(cohort, {"capacity": 100}, by=program_coordinator)

    assert Message.objects.count() == 4 * count
