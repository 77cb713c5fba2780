"""Who came, for how long, and whose make-up it is."""

import datetime

import pytest
from django.urls import reverse

from pthv import clock, undo
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Change, Message, Role
from tests.conftest import at
from training import attendance, cohorts, enrolment, sessions
from training.models import Attendance, Certification, Cohort, CohortMember

EXPECTED, ATTENDED, PARTIAL, ABSENT = "expected", "attended", "partial", "absent"


@pytest.fixture
def held(cohort, add_session, enrol, educator, partner, colleague):
    """A session this morning with Ana, Ben and Cara; it is 1 PM."""
    with clock.at(at(5, 9)):
        session = add_session(6)
        enrol(educator, partner, colleague)
    with clock.at(at(6, 17)):
        yield session


@pytest.fixture
def other_cohort(course, program_coordinator) -> Cohort:
    return cohorts.open_cohort(course, "Winter", by=program_coordinator)


def states(session) -> dict[str, str]:
    found = session.attendances.select_related("educator__user")
    return {row.educator.user.given_name: row.state for row in found}


def of(session, user) -> Attendance:
    return session.attendances.get(educator__user=user)


def test_a_part_is_half_until_somebody_says_more(held, educator, program_coordinator) -> None:
    row = attendance.attend(of(held, educator), PARTIAL, by=program_coordinator)
    assert (row.state, row.minutes) == (PARTIAL, 60)

    row = attendance.attend(row, PARTIAL, minutes=95, by=program_coordinator)
    assert row.minutes == 95

    row = attendance.attend(row, ATTENDED, by=program_coordinator)
    assert (row.state, row.minutes) == (ATTENDED, None)
    assert AuditEntry.objects.filter(event="attendance.recorded").count() == 3


def test_who_was_there_the_whole_time_came(held, educator, program_coordinator) -> None:
    with pytest.raises(NotReady, match="120 minutes"):
        attendance.attend(of(held, educator), PARTIAL, minutes=120, by=program_coordinator)


def test_recording_the_same_twice_is_once(held, educator, program_coordinator) -> None:
    for _twice in range(2):
        attendance.attend(of(held, educator), ATTENDED, by=program_coordinator)

    assert AuditEntry.objects.filter(event="attendance.recorded").count() == 1


def test_taken_back_nobody_recorded_it(held, educator, program_coordinator) -> None:
    attendance.attend(of(held, educator), PARTIAL, by=program_coordinator)
    row = attendance.attend(of(held, educator), EXPECTED, by=program_coordinator)

    assert (row.state, row.minutes, row.recorded_at, row.recorded_by) == (
        EXPECTED, None, None, None,
    )  # fmt: skip


def test_everybody_came_leaves_alone_what_is_recorded_and_is_undone_whole(
    held, educator, partner, program_coordinator
) -> None:
    attendance.attend(of(held, partner), ABSENT, by=program_coordinator)

    change = attendance.everybody_came(held, by=program_coordinator)
    assert states(held) == {"Ana": ATTENDED, "Ben": ABSENT, "Cara": ATTENDED}
    assert of(held, educator).recorded_by == program_coordinator
    assert attendance.everybody_came(held, by=program_coordinator) is None

    attendance.take_back(change, by=program_coordinator)
    assert states(held) == {"Ana": EXPECTED, "Ben": ABSENT, "Cara": EXPECTED}
    assert of(held, educator).recorded_at is None
    with pytest.raises(NotReady, match="undone already"):
        attendance.take_back(change, by=program_coordinator)


def test_what_was_corrected_since_is_not_undone(held, educator, program_coordinator) -> None:
    change = attendance.everybody_came(held, by=program_coordinator)
    attendance.attend(of(held, educator), ABSENT, by=program_coordinator)

    with pytest.raises(NotReady, match="changed since then were 1 attendance"):
        attendance.take_back(change, by=program_coordinator)

    assert states(held) == {"Ana": ABSENT, "Ben": ATTENDED, "Cara": ATTENDED}


def test_nothing_is_undone_once_the_cohort_is_complete(held, cohort, program_coordinator) -> None:
    change = attendance.everybody_came(held, by=program_coordinator)
    with clock.at(at(7, 9)):
        cohorts.complete(cohort, by=program_coordinator)

        with pytest.raises(NotReady, match="complete"):
            attendance.take_back(change, by=program_coordinator)

    assert set(states(held).values()) == {ATTENDED}


def test_after_completion_only_a_make_up_is_recorded_and_it_certifies(
    held, cohort, add_session, educator, partner, program_coordinator
) -> None:
    attendance.attend(of(held, educator), ATTENDED, by=program_coordinator)
    attendance.attend(of(held, partner), ABSENT, by=program_coordinator)
    with clock.at(at(7, 9)):
        cohorts.complete(cohort, by=program_coordinator)
        with pytest.raises(NotReady, match="Add a make-up session"):
            attendance.attend(of(held, partner), ATTENDED, by=program_coordinator)
        again = add_session(8, part=1)
    assert states(again) == {"Ben": EXPECTED, "Cara": EXPECTED}

    with clock.at(at(8, 18)):
        attendance.attend(of(again, partner), ATTENDED, by=program_coordinator)

    certified = Certification.objects.order_by("pk")
    assert [(str(c.educator), str(c.issued_on)) for c in certified] == [
        ("Ana Ruiz", "2026-10-06"),
        ("Ben Lee", "2026-10-08"),
    ]


def test_everybody_came_to_the_make_up_of_a_complete_cohort(
    held, cohort, add_session, educator, program_coordinator
) -> None:
    attendance.attend(of(held, educator), ATTENDED, by=program_coordinator)
    with clock.at(at(7, 9)):
        cohorts.complete(cohort, by=program_coordinator)
        again = add_session(8, part=1)
    with clock.at(at(8, 18)):
        change = attendance.everybody_came(again, by=program_coordinator)
        assert Certification.objects.count() == 3

        attendance.take_back(change, by=program_coordinator)

    assert [str(c.educator) for c in Certification.objects.all()] == ["Ana Ruiz"]
    assert set(states(again).values()) == {EXPECTED}


def test_a_guest_makes_up_the_part_for_their_own_cohort(
    held, cohort, other_cohort, add_session, educator, partner, program_coordinator
) -> None:
    attendance.attend(of(held, educator), ATTENDED, by=program_coordinator)
    with clock.at(at(7, 9)):
        cohorts.complete(cohort, by=program_coordinator)
        elsewhere = add_session(8, of=other_cohort)
        ben = CohortMember.objects.get(cohort=cohort, educator__user=partner)
        names = [str(m.educator) for m in attendance.guests(elsewhere).order_by("pk")]
        assert names == ["Ben Lee", "Cara Diaz"]  # Ana has the part

        for _twice in range(2):
            guest = attendance.add_guest(elsewhere, ben, by=program_coordinator)
        key = f"session_invited:{elsewhere.pk}:{guest.educator_id}:0"
        assert Message.objects.filter(to_user=partner, key=key).count() == 1

    assert guest.member == ben
    with clock.at(at(8, 18)):
        attendance.attend(guest, ATTENDED, by=program_coordinator)
    assert Certification.objects.filter(educator__user=partner, member=ben).exists()


def test_who_has_the_part_or_takes_another_course_is_no_guest(
    held, other_cohort, add_session, educator, program_coordinator
) -> None:
    attendance.attend(of(held, educator), ATTENDED, by=program_coordinator)
    with clock.at(at(7, 9)):
        elsewhere = add_session(8, of=other_cohort)
    ana = CohortMember.objects.get(educator__user=educator)

    with pytest.raises(NotReady, match="Ana Ruiz can't make this part up here"):
        attendance.add_guest(elsewhere, ana, by=program_coordinator)


def test_a_cancelled_session_takes_no_guest_and_no_attendance(
    held, other_cohort, add_session, partner, program_coordinator
) -> None:
    with clock.at(at(7, 9)):
        elsewhere = add_session(8, of=other_cohort)
        sessions.cancel(elsewhere, by=program_coordinator)
    ben = CohortMember.objects.get(educator__user=partner)

    with pytest.raises(NotReady, match="cancelled"):
        attendance.add_guest(elsewhere, ben, by=program_coordinator)
    with pytest.raises(NotReady, match="cancelled"):
        attendance.everybody_came(elsewhere, by=program_coordinator)


@pytest.fixture
def coordinator(client, program_coordinator):
    client.force_login(program_coordinator)
    return client


def test_a_cell_says_how_long_and_refuses_with_a_sentence(coordinator, held, educator) -> None:
    row = of(held, educator)
    url = reverse("attendance_record", args=[row.pk])
    htmx = {"HTTP_HX_REQUEST": "true"}

    cell = coordinator.post(url, {"state": PARTIAL}, **htmx).content.decode()
    assert 'name="minutes"' in cell
    assert 'value="60"' in cell

    refused = coordinator.post(url, {"state": PARTIAL, "minutes": "500"}, **htmx)
    assert refused.status_code == 409
    assert "Whoever was there so long came." in refused.content.decode()
    assert coordinator.post(url, {"state": "asleep"}, **htmx).status_code == 409


def test_minutes_are_set_without_javascript(coordinator, held, educator) -> None:
    row = of(held, educator)
    url = reverse("attendance_record", args=[row.pk])

    answer = coordinator.post(url, {"state": PARTIAL, "minutes": "45"})
    assert answer["Location"].endswith(f"#educator-{row.educator_id}")
    page = coordinator.get(answer["Location"]).content.decode()
    assert 'value="45"' in page

    refused = coordinator.post(url, {"state": PARTIAL, "minutes": "500"}, follow=True)
    assert "Whoever was there so long came." in refused.content.decode()
    assert of(held, educator).minutes == 45


def test_the_grid_asks_no_more_for_more_people(
    coordinator, held, cohort, educators, program_coordinator, django_assert_max_num_queries
) -> None:
    enrolment.enrol(cohort, educators(30), by=program_coordinator)

    with django_assert_max_num_queries(10):
        text = coordinator.get(reverse("cohort_detail", args=[cohort.pk])).content.decode()

    assert len(text) < 80_000


def test_everybody_came_and_its_undo_work_without_javascript(coordinator, held, cohort) -> None:
    page = reverse("cohort_detail", args=[cohort.pk])
    assert "Everybody came" in coordinator.get(page).content.decode()

    done = coordinator.post(reverse("attendance_everybody", args=[held.pk]), follow=True)
    undo = reverse("attendance_undo", args=[Change.objects.get().pk])
    assert undo in done.content.decode()
    assert set(states(held).values()) == {ATTENDED}
    assert undo not in coordinator.get(page).content.decode()  # not for ever

    coordinator.post(undo)
    assert set(states(held).values()) == {EXPECTED}
    again = coordinator.post(undo, follow=True).content.decode()
    assert "undone already" in again


def test_undo_of_what_is_no_longer_there_says_so(coordinator, held, program_coordinator) -> None:
    change = attendance.everybody_came(held, by=program_coordinator)
    for row in held.attendances.all():
        attendance.attend(row, EXPECTED, by=program_coordinator)
    sessions.cancel(held, by=program_coordinator)
    url = reverse("attendance_undo", args=[change.pk])

    answer = coordinator.post(url, follow=True)
    assert "This can&#x27;t be undone any more." in answer.content.decode()

    later = clock.now() + datetime.timedelta(days=31)
    with clock.at(later):
        undo.sweep()
        answer = coordinator.post(url, follow=True)
    assert "It is more than 30 days ago" in answer.content.decode()


def test_undo_is_offered_on_its_own_cohorts_page(
    coordinator, held, other_cohort, add_session, colleague, program_coordinator
) -> None:
    add_session(20, of=other_cohort)
    enrolment.enrol(other_cohort, [colleague.educators.get()], by=program_coordinator)
    change = attendance.everybody_came(held, by=program_coordinator)
    offer = reverse("attendance_undo", args=[change.pk])

    def page(cohort) -> str:
        url = reverse("cohort_detail", args=[cohort.pk])
        return coordinator.get(url, {"undo": change.pk}).content.decode()

    assert offer in page(held.cohort)
    assert offer not in page(other_cohort)


def test_guests_are_found_and_added_on_their_page(
    coordinator, held, other_cohort, add_session, partner
) -> None:
    with clock.at(at(6, 8)):
        elsewhere = add_session(8, of=other_cohort)
    url = reverse("attendance_guest", args=[elsewhere.pk])
    ben = CohortMember.objects.get(educator__user=partner)

    assert "Ben Lee" in coordinator.get(url).content.decode()
    assert "Ben Lee" not in coordinator.get(url, {"q": "cara"}).content.decode()
    assert "Nobody who lacks this part" in coordinator.get(url, {"q": "zzz"}).content.decode()
    coordinator.post(url, {"members": [ben.pk]})

    assert states(elsewhere) == {"Ben": EXPECTED}
    page = reverse("cohort_detail", args=[other_cohort.pk])
    assert "Guest from Fall" in coordinator.get(page).content.decode()


def test_a_site_coordinator_reads_the_grid_and_writes_nothing(
    client, held, cohort, site_coordinator, educator
) -> None:
    client.force_login(site_coordinator)

    text = client.get(reverse("cohort_detail", args=[cohort.pk])).content.decode()

    assert "Ana Ruiz" in text
    assert "Everybody came" not in text
    assert "aria-pressed" not in text
    assert client.post(reverse("attendance_everybody", args=[held.pk])).status_code == 403


def test_the_guests_page_costs_the_same_at_1_and_30(
    coordinator, held, other_cohort, add_session, person, program, school, cohort,
    program_coordinator, django_assert_max_num_queries,
) -> None:  # fmt: skip
    with clock.at(at(6, 8)):
        elsewhere = add_session(8, of=other_cohort)
        people = [person(f"Teo N{n}", Role.EDUCATOR, program, school) for n in range(30)]
        found = [user.educators.get() for user in people]
        enrolment.enrol(cohort, found, by=program_coordinator)

    with django_assert_max_num_queries(8):
        text = coordinator.get(reverse("attendance_guest", args=[elsewhere.pk])).content.decode()

    assert text.count('name="members"') == 33
