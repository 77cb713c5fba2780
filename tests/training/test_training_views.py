"""The training pages: who sees them, what they do, what they cost."""

import datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pthv import clock
from pthv.models import AuditEntry, Membership, Role
from tests.conftest import at
from training import certification, cohorts, enrolment, sessions
from training.models import Attendance, Certification, Cohort, Course, TrainingSession

TODAY = datetime.date(2026, 10, 6)


def page_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def coordinator(program_coordinator) -> Client:
    return page_of(program_coordinator)


@pytest.fixture
def cohort(course, program_coordinator) -> Cohort:
    return cohorts.open_cohort(course, "Fall evenings", by=program_coordinator)


@pytest.fixture
def session(cohort, program_coordinator) -> TrainingSession:
    return sessions.add(
        cohort, starts_at=at(7, 16), ends_at=at(7, 18), place="Library", by=program_coordinator
    )


@pytest.fixture
def enrolled(cohort, session, educator, partner, program_coordinator) -> Cohort:
    people = [educator.educators.get(), partner.educators.get()]
    enrolment.enrol(cohort, people, by=program_coordinator)
    return cohort


@pytest.fixture
def attendance(enrolled, educator) -> Attendance:
    return Attendance.objects.get(educator__user=educator)


@pytest.fixture
def certified(educator, course, program_coordinator) -> Certification:
    return certification.issue(
        educator.educators.get(), course, on=datetime.date(2026, 8, 20), by=program_coordinator
    )


def urls(enrolled: Cohort, attendance: Attendance, certified: Certification) -> dict[str, str]:
    return {
        "cohort_new": reverse("cohort_new"),
        "session_add": reverse("session_add", args=[enrolled.pk]),
        "cohort_enrol": reverse("cohort_enrol", args=[enrolled.pk]),
        "cohort_complete": reverse("cohort_complete", args=[enrolled.pk]),
        "attendance_record": reverse("attendance_record", args=[attendance.pk]),
        "certification_issue": reverse("certification_issue", args=[certified.educator_id]),
        "certification_revoke": reverse("certification_revoke", args=[certified.pk]),
    }


def test_a_site_coordinator_sees_and_does_not_run(
    site_coordinator, enrolled, attendance, certified
) -> None:
    client = page_of(site_coordinator)

    for url in (
        reverse("cohort_list"),
        reverse("cohort_detail", args=[enrolled.pk]),
        reverse("certification_list"),
    ):
        response = client.get(url)
        assert response.status_code == 200
        assert b"formaction" not in response.content
        assert b"New cohort" not in response.content
    for name, url in urls(enrolled, attendance, certified).items():
        assert client.post(url, {"state": "attended"}).status_code == 403, name
    attendance.refresh_from_db()
    assert attendance.state == "expected"


@pytest.mark.parametrize("who", ["educator", "finance", "funder", "interpreter"])
def test_training_is_not_everybodys_job(request, who, enrolled) -> None:
    client = page_of(request.getfixturevalue(who))

    for url in (reverse("cohort_list"), reverse("cohort_detail", args=[enrolled.pk])):
        assert client.get(url).status_code == 403


def test_another_schools_coordinator_sees_none_of_it(
    other_site_coordinator, enrolled, certified
) -> None:
    client = page_of(other_site_coordinator)

    assert client.get(reverse("cohort_detail", args=[enrolled.pk])).status_code == 404
    assert b"Fall evenings" not in client.get(reverse("cohort_list")).content
    assert b"Ana Ruiz" not in client.get(reverse("certification_list")).content


def test_another_program_finds_nothing(outsider, enrolled, attendance, certified) -> None:
    client = page_of(outsider)

    assert client.get(reverse("cohort_detail", args=[enrolled.pk])).status_code == 404
    for name, url in urls(enrolled, attendance, certified).items():
        if name != "cohort_new":
            assert client.post(url, {"state": "attended"}).status_code == 404, name
    attendance.refresh_from_db()
    assert attendance.state == "expected"


def test_a_site_coordinator_sees_the_own_schools_people_in_a_shared_cohort(
    site_coordinator, enrolled, session, other_school, person, program, program_coordinator
) -> None:
    rosa = person("Rosa Diaz", Role.EDUCATOR, program, other_school)
    enrolment.enrol(enrolled, [rosa.educators.get()], by=program_coordinator)

    text = page_of(site_coordinator).get(reverse("cohort_detail", args=[enrolled.pk])).content

    assert b"Ana Ruiz" in text
    assert b"Rosa Diaz" not in text


def test_a_cohort_from_nothing_to_certified(
    coordinator, course, educator, partner, program_coordinator
) -> None:
    response = coordinator.post(reverse("cohort_new"), {"course": course.pk, "name": "Fall"})
    cohort = Cohort.objects.get()
    assert response.url == reverse("cohort_detail", args=[cohort.pk])
    assert b"No session yet" in coordinator.get(response.url).content

    times = {"day": "2026-10-06", "starts": "09:00", "ends": "12:00", "place": "Library"}
    coordinator.post(reverse("session_add", args=[cohort.pk]), times)
    session = cohort.sessions.get()
    assert (session.starts_at, session.ends_at) == (at(6, 9), at(6, 12))
    assert b"Nobody is enrolled yet" in coordinator.get(response.url).content

    enrol = reverse("cohort_enrol", args=[cohort.pk])
    assert b"Ana Ruiz" in coordinator.get(enrol).content
    people = [user.educators.get().pk for user in (educator, partner)]
    coordinator.post(enrol, {"educators": people})
    assert b"Everybody is in" in coordinator.get(enrol).content
    ana = Attendance.objects.get(educator__user=educator)
    coordinator.post(reverse("attendance_record", args=[ana.pk]), {"state": "attended"})
    assert b"1 attendance is not ticked yet" in coordinator.get(response.url).content

    done = coordinator.post(reverse("cohort_complete", args=[cohort.pk]), follow=True)

    assert b"1 person is certified" in done.content
    assert Certification.objects.get().educator.user == educator
    assert b"formaction" not in done.content


def test_completing_too_early_says_why_on_the_page(coordinator, enrolled) -> None:
    response = coordinator.post(reverse("cohort_complete", args=[enrolled.pk]))

    assert response.status_code == 409
    assert b"Its last session ends Wed, Oct 7, 6:00 PM." in response.content
    assert not Certification.objects.exists()


def test_a_cell_answers_with_itself(coordinator, attendance) -> None:
    url = reverse("attendance_record", args=[attendance.pk])

    with clock.at(at(7, 17)):
        response = coordinator.post(url, {"state": "absent"}, headers={"HX-Request": "true"})

    text = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in text
    assert 'value="attended" aria-pressed="false"' in text
    assert 'value="expected" aria-pressed="true"' in text  # pressing it again takes it back
    attendance.refresh_from_db()
    assert attendance.state == "absent"


def test_a_session_ahead_has_nothing_to_tick(coordinator, enrolled) -> None:
    page = reverse("cohort_detail", args=[enrolled.pk])

    assert b"Not yet</span>" in coordinator.get(page).content
    with clock.at(at(7, 8)):
        assert b"Not yet</span>" not in coordinator.get(page).content


def test_a_cell_works_without_javascript(coordinator, attendance) -> None:
    url = reverse("attendance_record", args=[attendance.pk])

    with clock.at(at(7, 17)):
        response = coordinator.post(url + "?after=3~x", {"state": "attended"})

    page = reverse("cohort_detail", args=[attendance.session.cohort_id])
    assert response.url == f"{page}?after=3~x#educator-{attendance.educator_id}"
    attendance.refresh_from_db()
    assert attendance.state == "attended"


@pytest.mark.parametrize("state", ["", "certified", "\x00"])
def test_a_state_nobody_offers_changes_nothing(coordinator, attendance, state) -> None:
    url = reverse("attendance_record", args=[attendance.pk])

    response = coordinator.post(url, {"state": state}, headers={"HX-Request": "true"})

    assert response.status_code == 409
    attendance.refresh_from_db()
    assert attendance.state == "expected"


def test_a_look_changes_nothing(coordinator, enrolled, attendance) -> None:
    page = coordinator.get(reverse("cohort_complete", args=[enrolled.pk]))
    assert page["Location"] == reverse("cohort_detail", args=[enrolled.pk])
    url = reverse("attendance_record", args=[attendance.pk])
    assert coordinator.get(url).status_code == 405


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ends": "09:00"}, "The session has to end after it starts."),
        ({"day": "2026-03-08", "starts": "02:30"}, "this time doesn&#x27;t exist"),
        ({"day": "0001-01-01"}, "Choose a day within two years of today."),
        ({"day": "2028-10-10"}, "Choose a day within two years of today."),
        ({"day": "9998-10-06"}, "Choose a day within two years of today."),
        ({"day": "9999-12-31", "ends": "23:59"}, "Choose a day within two years of today."),
        ({"day": ""}, "This field is required."),
    ],
)
def test_a_session_that_can_not_be_is_refused(coordinator, cohort, changes, sentence) -> None:
    times = {"day": "2026-10-06", "starts": "09:00", "ends": "12:00"} | changes

    response = coordinator.post(reverse("session_add", args=[cohort.pk]), times)

    assert response.status_code in (409, 422)
    assert sentence in response.content.decode()
    assert not cohort.sessions.exists()


def test_enrolling_offers_a_hundred_and_a_search(
    coordinator, enrolled, person, program, school
) -> None:
    for number in range(101):
        person(f"Teo Number{number:03}", Role.EDUCATOR, program, school)
    url = reverse("cohort_enrol", args=[enrolled.pk])

    everybody = coordinator.get(url).content.decode()
    found = coordinator.get(url, {"q": "teo number100"}).content.decode()

    assert everybody.count('type="checkbox"') == 100
    assert 'type="search"' in everybody
    assert len(everybody) < 80_000
    assert found.count('type="checkbox"') == 1
    assert "Teo Number100" in found


def test_somebody_who_left_is_not_offered(coordinator, enrolled, colleague) -> None:
    Membership.objects.filter(user=colleague).update(ends_on=datetime.date(2026, 10, 1))
    url = reverse("cohort_enrol", args=[enrolled.pk])

    assert b"Cara Diaz" not in coordinator.get(url).content
    response = coordinator.post(url, {"educators": [colleague.educators.get().pk]})

    assert response.status_code == 422
    assert b"can&#x27;t be enrolled" in response.content


def test_who_needs_training_most_comes_first(
    coordinator, educator, partner, colleague, course, program_coordinator
) -> None:
    for user, on in [
        (educator, datetime.date(2026, 8, 20)),
        (partner, datetime.date(2024, 5, 4)),
    ]:
        certification.issue(user.educators.get(), course, on=on, by=program_coordinator)

    text = coordinator.get(reverse("certification_list")).content.decode()

    assert text.index("Cara Diaz") < text.index("Ben Lee") < text.index("Ana Ruiz")
    for words in ("Not trained yet", "Ended Sun, May 3", "Until Sat, Aug 19, 2028"):
        assert words in text


def test_certifications_are_found_by_name(coordinator, educator, partner) -> None:
    text = coordinator.get(reverse("certification_list"), {"q": "ana"}).content.decode()

    assert "Ana Ruiz" in text
    assert "Ben Lee" not in text


def test_certifying_by_hand(coordinator, educator, course, program_coordinator) -> None:
    url = reverse("certification_issue", args=[educator.educators.get().pk])

    response = coordinator.post(url, {"course": course.pk, "on": "2026-08-20"}, follow=True)

    assert b"Ana Ruiz is certified until Aug 19, 2028." in response.content
    assert Certification.objects.get().issued_by == program_coordinator
    assert AuditEntry.objects.get(event="certification.issued").facts["backdated"] is True


@pytest.mark.parametrize("on", ["2026-10-07", "1900-01-01", "nonsense", ""])
def test_certifying_from_no_such_day_is_refused(coordinator, educator, course, on) -> None:
    url = reverse("certification_issue", args=[educator.educators.get().pk])

    assert coordinator.post(url, {"course": course.pk, "on": on}).status_code == 422
    assert not Certification.objects.exists()


def test_a_course_of_another_program_is_not_there(
    coordinator, educator, other_program, course
) -> None:
    foreign = Course.objects.model(program=other_program, name="Theirs", hours=1)
    foreign.save()
    url = reverse("certification_issue", args=[educator.educators.get().pk])

    response = coordinator.post(url, {"course": foreign.pk, "on": "2026-10-06"})

    assert response.status_code == 422
    assert not Certification.objects.exists()


def test_revoking_needs_a_reason_and_keeps_it(coordinator, certified, educator) -> None:
    url = reverse("certification_revoke", args=[certified.pk])

    assert coordinator.post(url, {"because": " "}).status_code == 422
    coordinator.post(url, {"because": "Left the training early"})

    certified.refresh_from_db()
    assert certified.revoked_because == "Left the training early"
    again = reverse("certification_issue", args=[certified.educator_id])
    assert b"Left the training early" in coordinator.get(again).content
    back = coordinator.post(again, {"course": certified.course_id, "on": "2026-08-20"})
    assert back.status_code == 409
    assert b"was revoked" in back.content


def count_queries(client: Client, url: str) -> int:
    client.get(url)  # the first look fills caches
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_lists_cost_the_same_at_1_and_30_rows(
    coordinator, cohort, session, course, person, program, school, program_coordinator
) -> None:
    def grow(first: int, last: int) -> None:
        for number in range(first, last):
            educator = person(f"Teo N{number}", Role.EDUCATOR, program, school).educators.get()
            enrolment.enrol(cohort, [educator], by=program_coordinator)
            certification.issue(educator, course, on=TODAY, by=program_coordinator)
            other = cohorts.open_cohort(course, f"C{number}", by=program_coordinator, school=school)
            sessions.add(
                other, starts_at=at(9, 9), ends_at=at(9, 10), place="", by=program_coordinator
            )

    pages = {
        reverse("cohort_list"): 8,
        reverse("cohort_detail", args=[cohort.pk]): 10,
        reverse("certification_list"): 8,
    }
    grow(0, 1)
    before = {url: count_queries(coordinator, url) for url in pages}
    grow(1, 30)
    after = {url: count_queries(coordinator, url) for url in pages}

    assert before == after
    for url, most in pages.items():
        assert after[url] <= most, url


def test_the_grid_has_pages(coordinator, cohort, session, person, program, school) -> None:
    people = [person(f"Teo N{n:02}", Role.EDUCATOR, program, school) for n in range(25)]
    with clock.at(at(6, 8)):
        for day in range(8, 20):
            sessions.add(cohort, starts_at=at(day, 9), ends_at=at(day, 10), place="", by=people[0])
        enrolment.enrol(cohort, [user.educators.get() for user in people], by=people[0])
    url = reverse("cohort_detail", args=[cohort.pk])

    response = coordinator.get(url)
    later = coordinator.get(url + response.context["page"].next)

    assert "Teo N00" in response.content.decode()
    assert "Teo N06" in response.content.decode()
    assert "Teo N07" not in response.content.decode()
    assert "Teo N07" in later.content.decode()
    assert len(response.content) < 80_000


def test_nul_bytes_are_no_error(coordinator, enrolled) -> None:
    for url in (
        f"{reverse('certification_list')}?q=%00",
        f"{reverse('certification_list')}?q=Ana%00",
        f"{reverse('cohort_enrol', args=[enrolled.pk])}?q=%00",
        f"{reverse('cohort_detail', args=[enrolled.pk])}?after=1~%00",
    ):
        assert coordinator.get(url).status_code == 200, url


def test_a_name_is_given_to_one_cohort_of_a_course(coordinator, cohort, course, program) -> None:
    again = coordinator.post(reverse("cohort_new"), {"course": course.pk, "name": cohort.name})

    assert again.status_code == 409
    assert "has a cohort called Fall evenings already" in again.content.decode()
    assert Cohort.objects.count() == 1
    other = Course.objects.create(program=program, name="Advanced", hours=3)
    assert (
        coordinator.post(
            reverse("cohort_new"), {"course": other.pk, "name": cohort.name}
        ).status_code
        == 302
    )


def test_what_was_said_is_not_kept_in_a_cookie(coordinator, course) -> None:
    response = coordinator.post(reverse("cohort_new"), {"course": course.pk, "name": "Fall"})

    assert "messages" not in response.cookies
    assert "Opened." in coordinator.get(response.url).content.decode()


def test_nothing_is_named_that_is_out_of_reach(
    site_coordinator, coordinator, course, educator, other_school, school, person, program,
    program_coordinator,
) -> None:  # fmt: skip
    elsewhere = cohorts.open_cohort(
        course, "Theirs", school=other_school, new_trainers={"staff": ["Tess Trainer"]},
        by=program_coordinator,
    )  # fmt: skip
    trainer = elsewhere.trainers.get()
    site = page_of(site_coordinator)

    listed = reverse("certification_list")
    theirs = site.get(f"{listed}?school={other_school.pk}")
    assert other_school.name not in theirs.content.decode()
    assert [str(educator) for educator, _standing in theirs.context["rows"]] == ["Ana Ruiz"]
    assert school.name in site.get(f"{listed}?school={school.pk}").content.decode()
    assert (
        other_school.name in coordinator.get(f"{listed}?school={other_school.pk}").content.decode()
    )

    trained = f"{reverse('cohort_list')}?trainer={trainer.pk}"
    assert "Tess Trainer" not in site.get(trained).content.decode()
    assert "Tess Trainer" in coordinator.get(trained).content.decode()
    ours = cohorts.open_cohort(course, "Ours", school=school, by=program_coordinator)
    cohorts.change(ours, {}, trainers=[trainer], by=program_coordinator)
    assert "Tess Trainer" in site.get(trained).content.decode()


def test_what_a_complete_cohort_cost_is_still_entered(
    coordinator, enrolled, session, program_coordinator
) -> None:
    with clock.at(at(8, 9)):
        cohorts.complete(enrolled, by=program_coordinator)
    detail = reverse("cohort_detail", args=[enrolled.pk])
    edit = reverse("cohort_edit", args=[enrolled.pk])

    shown = coordinator.get(detail).content.decode()
    assert f'href="{edit}"' in shown
    for planned in ("session_edit", "session_cancel"):
        assert reverse(planned, args=[session.pk]) not in shown
    form = coordinator.get(edit).content.decode()
    assert [name in form for name in ('name="cost"', 'name="capacity"', 'name="name"')] == [
        True,
        False,
        False,
    ]
    said = {"cost": "5200", "funding": "Title I", "new_staff": "Tess Trainer", "name": "Other"}
    assert coordinator.post(edit, said).status_code == 302

    enrolled.refresh_from_db()
    assert (enrolled.cost, enrolled.funding, enrolled.name) == (5200, "Title I", "Fall evenings")
    assert [str(trainer) for trainer in enrolled.trainers.all()] == ["Tess Trainer"]


def test_names_lead_to_the_member_and_whoever_left_has_no_buttons(
    coordinator, enrolled, educator, program_coordinator
) -> None:
    ana = enrolled.members.get(educator__user=educator)
    page = reverse("cohort_detail", args=[enrolled.pk])
    with clock.at(at(7, 19)):
        coordinator.post(
            reverse("attendance_record", args=[ana.attendances.get().pk]), {"state": "attended"}
        )
        before = coordinator.get(page).content.decode()
        enrolment.withdraw(ana, by=program_coordinator)
        after = coordinator.get(page).content.decode()

    assert reverse("cohort_member", args=[ana.pk]) in before
    assert 'aria-pressed="true"' in before
    assert reverse("cohort_member", args=[ana.pk]) in after
    assert "Withdrew" in after
    assert 'aria-pressed="true"' not in after


def test_only_a_session_ahead_is_said_to_invite(coordinator, enrolled) -> None:
    url = reverse("session_add", args=[enrolled.pk])
    times = {"starts": "09:00", "ends": "10:00", "part": "2"}

    past = coordinator.post(url, times | {"day": "2026-10-01"}, follow=True).content.decode()
    ahead = coordinator.post(url, times | {"day": "2026-10-20"}, follow=True).content.decode()

    assert "Session added." in past
    assert "gets an invitation" not in past
    assert "gets an invitation" in ahead


def test_a_cohort_says_its_language_its_cost_and_which_trainer_is_a_parent(
    coordinator, course, program_coordinator
) -> None:
    cohort = cohorts.open_cohort(
        course, "Otoño", language="es", cost=1200, funding="Title I",
        new_trainers={"staff": ["Tess Trainer"], "parent": ["Pia Parent"]},
        by=program_coordinator,
    )  # fmt: skip

    detail = coordinator.get(reverse("cohort_detail", args=[cohort.pk])).content.decode()
    listed = coordinator.get(reverse("cohort_list")).content.decode()

    assert "in Spanish" in detail
    assert "in Spanish" in listed
    assert "$1,200" in detail
    assert "Title I" in detail
    assert "Pia Parent, parent co-trainer; Tess Trainer" in detail
