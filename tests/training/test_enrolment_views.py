"""Filling a cohort by ticks and by pasted addresses, and moving people about."""

import pytest
from django.test import Client
from django.urls import reverse

from pthv import clock
from pthv.models import Message, Role, User
from tests.conftest import at
from training import cohorts, enrolment
from training.models import Cohort, CohortMember, Course


@pytest.fixture
def coordinator(program_coordinator) -> Client:
    client = Client()
    client.force_login(program_coordinator)
    return client


@pytest.fixture
def as_educator(educator) -> Client:
    client = Client()
    client.force_login(educator)
    return client


def page(response) -> str:
    return response.content.decode()


def test_a_course_says_what_it_asks_for(coordinator, course) -> None:
    response = coordinator.post(
        reverse("course_new"),
        {
            "name": "Second visits",
            "hours": "2",
            "validity_months": "12",
            "grants": "second_visits",
            "attendance": "hours",
            "attendance_amount": "1.5",
            "first_visits": "2",
            "holds": course.pk,
        },
    )

    assert response.status_code == 302
    asked = Course.objects.get(name="Second visits").requirements
    assert sorted(one.in_words for one in asked.all()) == [
        "Introduction completed before",
        "first visits made: 2",
        "hours attended: 1.5",
    ]
    assert "hours attended: 1.5" in page(coordinator.get(reverse("course_list")))


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ({"attendance": ""}, 409, "Say what it takes to be certified"),
        ({"attendance": "sessions"}, 422, "Say how many."),
        ({"attendance": "every_part", "name": "Introduction"}, 409, "of this name already"),
    ],
)
def test_a_course_that_cannot_be_is_refused(coordinator, course, said, status, sentence) -> None:
    data = {"name": "Talk", "hours": "1", "validity_months": "12", "grants": ""} | said

    response = coordinator.post(reverse("course_new"), data)

    assert response.status_code == status
    assert sentence in page(response)
    assert Course.objects.count() == 1


def test_changing_a_course_shows_what_it_asks_for(coordinator, course) -> None:
    url = reverse("course_edit", args=[course.pk])
    form = coordinator.get(url).context["form"]
    assert form.initial["attendance"] == "every_part"

    data = {"name": "Intro", "hours": "3", "validity_months": "24", "grants": "visits"}
    coordinator.post(url, data | {"attendance": "sessions", "attendance_amount": "2"})

    course.refresh_from_db()
    assert course.name == "Intro"
    assert [(one.kind, one.amount) for one in course.requirements.all()] == [("sessions", 2)]


def test_a_cohort_has_places_trainers_and_a_price(coordinator, course, program) -> None:
    coordinator.post(
        reverse("cohort_new"),
        {
            "course": course.pk,
            "name": "Fall",
            "capacity": "12",
            "open_for_sign_up": "on",
            "new_staff": "Dana Whitfield, Lee Wong",
            "new_parents": "Guadalupe Reyes",
            "cost": "5200.50",
            "funding": "Title I",
        },
    )

    cohort = Cohort.objects.get()
    assert (cohort.capacity, cohort.open_for_sign_up, str(cohort.cost)) == (12, True, "5200.50")
    assert sorted(cohort.trainers.values_list("name", "kind")) == [
        ("Dana Whitfield", "staff"),
        ("Guadalupe Reyes", "parent"),
        ("Lee Wong", "staff"),
    ]
    url = reverse("cohort_edit", args=[cohort.pk])
    kept = [cohort.trainers.get(kind="parent").pk]
    coordinator.post(url, {"name": "Fall", "capacity": "", "trainers": kept})
    cohort.refresh_from_db()
    assert (cohort.capacity, cohort.open_for_sign_up) == (None, False)
    assert [trainer.name for trainer in cohort.trainers.all()] == ["Guadalupe Reyes"]


def test_new_addresses_are_shown_before_accounts_are_made(
    settings, coordinator, cohort, add_session, educator, school
) -> None:
    add_session(20)
    url = reverse("cohort_invite", args=[cohort.pk])
    pasted = f"Ana <{educator.email.upper()}>\nNia Newcomb <nia@example.org>; nia@example.org"

    shown = coordinator.post(url, {"addresses": pasted})
    assert "1 address is new here" in page(shown)
    assert not CohortMember.objects.exists()
    assert not User.objects.filter(email="nia@example.org").exists()

    refused = coordinator.post(url, {"addresses": pasted, "seen": "nia@example.org"})
    assert refused.status_code == 409
    assert "Choose the school of those who are new." in page(refused)

    coordinator.post(url, {"addresses": pasted, "seen": "nia@example.org", "school": school.pk})
    names = CohortMember.objects.values_list("educator__user__given_name", flat=True)
    assert sorted(names) == ["Ana", "Nia"]
    told = Message.objects.get(kind="account_made")
    assert f"{settings.SITE_URL}\n" in told.body


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("ana@example.org\nnot an address", "“not an address” is no e-mail address"),
        ("a@b@c.org", "is no e-mail address"),
        (" ,;\n ", "Paste at least one address"),
        ("\n".join(f"p{n}@example.org" for n in range(301)), "301 addresses"),
        ("x\x00y@example.org", "Null characters"),
    ],
)
def test_a_bad_list_is_refused_whole(coordinator, cohort, add_session, pasted, sentence) -> None:
    add_session(20)

    response = coordinator.post(
        reverse("cohort_invite", args=[cohort.pk]), {"addresses": pasted, "seen": "9"}
    )

    assert response.status_code == 422
    assert sentence in page(response)
    assert not CohortMember.objects.exists()


def test_whoever_does_something_else_here_is_not_pasted_into_an_educator(
    coordinator, cohort, add_session, person, program, school
) -> None:
    add_session(20)
    fay = person("Fay Finn", Role.FINANCE, program)
    pasted = {"addresses": fay.email, "seen": fay.email, "school": school.pk}

    response = coordinator.post(reverse("cohort_invite", args=[cohort.pk]), pasted)

    assert response.status_code == 409
    assert f"{fay.email} is here as: Finance." in page(response)
    assert not CohortMember.objects.exists()
    assert not fay.educators.exists()


def test_nobody_of_another_program_is_enrolled_by_address(
    coordinator, cohort, add_session, outsider, school
) -> None:
    add_session(20)

    response = coordinator.post(
        reverse("cohort_invite", args=[cohort.pk]),
        {
            "addresses": f"{outsider.email}\nnew@example.org",
            "seen": [outsider.email, "new@example.org"],
            "school": school.pk,
        },
    )

    assert response.status_code == 409
    assert "outside this program" in page(response)
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_coordinator_moves_withdraws_and_gives_places(
    coordinator, course, cohort, add_session, enrol, educator, partner, program_coordinator
) -> None:
    add_session(20)
    Cohort.objects.filter(pk=cohort.pk).update(capacity=1)
    enrol(educator, partner)
    winter = cohorts.open_cohort(course, "Winter", by=program_coordinator)
    add_session(27, of=winter)
    ana, ben = cohort.members.order_by("pk")

    full = coordinator.post(reverse("cohort_place", args=[ben.pk]))
    assert (full.status_code, "Every place is taken" in page(full)) == (409, True)

    coordinator.post(reverse("cohort_transfer", args=[ana.pk]), {"to": winter.pk})
    ben.refresh_from_db()
    assert ben.state == "enrolled"  # moved up by itself
    assert winter.members.get().educator.user == educator

    coordinator.post(reverse("cohort_withdraw", args=[ben.pk]), {"because": "A new baby"})
    ben.refresh_from_db()
    assert (ben.state, ben.left_because) == ("withdrawn", "A new baby")
    assert "A new baby" in page(coordinator.get(reverse("cohort_member", args=[ben.pk])))


def test_an_educator_takes_a_place_and_gives_it_up(as_educator, open_cohort, educator) -> None:
    mine = reverse("own_training")
    assert "Take a place" in page(as_educator.get(mine))

    for _tap in range(2):
        as_educator.post(reverse("own_sign_up", args=[open_cohort.pk]))
    member = CohortMember.objects.get()
    assert member.educator.user == educator
    shown = page(as_educator.get(mine))
    assert "Give up my place" in shown
    assert "Take a place" not in shown

    as_educator.post(reverse("own_leave", args=[member.pk]))
    member.refresh_from_db()
    assert (member.state, member.left_by) == ("withdrawn", educator)


def test_what_is_not_open_is_not_there_for_an_educator(as_educator, cohort, add_session) -> None:
    add_session(20)

    response = as_educator.post(reverse("own_sign_up", args=[cohort.pk]))

    assert response.status_code == 404
    assert cohort.name not in page(as_educator.get(reverse("own_training")))


def test_a_cohort_of_another_school_is_not_offered(as_educator, open_cohort, other_school) -> None:
    Cohort.objects.filter(pk=open_cohort.pk).update(school=other_school)

    assert open_cohort.name not in page(as_educator.get(reverse("own_training")))
    response = as_educator.post(reverse("own_sign_up", args=[open_cohort.pk]))
    assert response.status_code == 409
    assert "another school" in page(response)


def test_pages_cost_the_same_at_1_and_30_rows(
    coordinator, as_educator, course, cohort, add_session, educators, open_cohort, person, program,
    program_coordinator, educator, django_assert_max_num_queries,
) -> None:  # fmt: skip
    add_session(5)
    people = educators(30)
    pages = {
        (
            coordinator,
            reverse("cohort_needs", args=[cohort.pk]),
        ): 9,  # and which kinds are asked for
        (coordinator, reverse("course_list")): 7,
        (as_educator, reverse("own_training")): 10,
    }

    def grow(first: int, last: int) -> None:
        enrolment.enrol(cohort, people[first:last], by=program_coordinator)
        for number in range(first, last):
            other = Course.objects.create(program=program, name=f"Course {number}", hours=1)
            group = cohorts.open_cohort(
                other, f"C{number}", open_for_sign_up=True, by=program_coordinator
            )
            add_session(20, of=group)

    def count(client: Client, url: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        return len(queries)

    grow(0, 1)
    before = {key: count(*key) for key in pages}
    grow(1, 30)
    after = {key: count(*key) for key in pages}

    assert before == after
    for key, most in pages.items():
        assert after[key] <= most, (key[1], after[key])


def test_somebody_in_two_roles_has_both_places_in_the_menu(person, program, school) -> None:
    both = person("Bo Both", Role.EDUCATOR, program, school)
    client = Client()
    client.force_login(both)

    assert reverse("own_training") in page(client.get(reverse("more")))


def test_whoever_gives_up_a_place_hears_who_has_it(
    coordinator, cohort, add_session, educators, program_coordinator
) -> None:
    add_session(20)
    Cohort.objects.filter(pk=cohort.pk).update(capacity=2)
    enrolment.enrol(cohort, educators(5), by=program_coordinator)
    first, second, third, fourth, _fifth = cohort.members.order_by("pk")

    def withdraw(member: CohortMember) -> str:
        return page(coordinator.post(reverse("cohort_withdraw", args=[member.pk]), follow=True))

    assert "They gave up their place. Edu N02 has it now." in withdraw(first)
    assert "They are off the waiting list." in withdraw(fourth)
    with clock.at(at(20, 17)):
        assert "The cohort has begun: choose who of the list gets it." in withdraw(second)
    CohortMember.objects.waiting().filter(cohort=cohort).delete()
    said = withdraw(third)
    assert "They gave up their place." in said
    assert "now" not in said.split("They gave up their place.")[1].split("<")[0]


def test_who_waits_where_it_is_complete_is_taken_off_the_list(
    coordinator, cohort, add_session, educators, program_coordinator
) -> None:
    add_session(5)
    Cohort.objects.filter(pk=cohort.pk).update(capacity=1)
    enrolment.enrol(cohort, educators(2), by=program_coordinator)
    Cohort.objects.filter(pk=cohort.pk).update(
        completed_at=at(6, 9), completed_by=program_coordinator
    )
    placed, waits = cohort.members.order_by("pk")

    shown = page(coordinator.get(reverse("cohort_member", args=[waits.pk])))
    assert "Take off the list" in shown
    assert "Give a place now" not in shown
    assert "Give up the place" not in page(
        coordinator.get(reverse("cohort_member", args=[placed.pk]))
    )
    response = coordinator.post(reverse("cohort_withdraw", args=[waits.pk]), follow=True)
    assert "They are off the waiting list." in page(response)
