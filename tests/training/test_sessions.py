"""Sessions, who is expected at them, and what their calendars are told."""

import datetime

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from pthv import clock, outbox
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Educator, Message, Role
from tests.conftest import at
from training import attendance, cohorts, enrolment, sessions
from training.models import Attendance, Cohort, CohortMember, TrainingSession


@pytest.fixture
def cohort(course, program_coordinator) -> Cohort:
    return cohorts.open_cohort(course, "Fall evenings", by=program_coordinator)


@pytest.fixture
def add(cohort, program_coordinator):
    def add(day: int, hour: int = 16, **fields) -> TrainingSession:
        return sessions.add(
            cohort,
            starts_at=at(day, hour),
            ends_at=at(day, hour + 2),
            by=program_coordinator,
            **fields,
        )

    return add


@pytest.fixture
def enrol(cohort, program_coordinator):
    def enrol(*users) -> list[CohortMember]:
        people = [user.educators.get() for user in users]
        enrolment.enrol(cohort, people, by=program_coordinator)
        return list(CohortMember.objects.filter(cohort=cohort, educator__in=people))

    return enrol


def told(user) -> list[tuple[str, str, int]]:
    """Kind, method and sequence of every invitation somebody got, in their order."""
    found = []
    for message in Message.objects.filter(to_user=user).exclude(calendar="").order_by("pk"):
        calendar = Calendar.from_ical(message.calendar)
        assert calendar["METHOD"] == message.calendar_method
        found.append((message.kind, message.calendar_method, calendar.events[0]["SEQUENCE"]))
    return found


def forget() -> None:
    Message.objects.all().delete()


def people_at(session: TrainingSession) -> list[str]:
    return sorted(str(found.educator) for found in session.attendances.all())


def test_a_new_session_is_the_next_part_and_invites_whoever_is_enrolled(
    add, enrol, educator, colleague, mailoutbox
) -> None:
    first = add(7)
    enrol(educator)
    forget()

    second = add(14, place="Library", link="https://meet.example/1")

    assert (first.part, second.part) == (1, 2)
    assert people_at(second) == ["Ana Ruiz"]
    assert told(educator) == [("session_invited", "REQUEST", 0)]
    assert told(colleague) == []
    message = Message.objects.get()
    assert message.subject == "Training on Wed, Oct 14, 4:00 PM"
    assert "Where: Library" in message.body
    assert "Link: https://meet.example/1" in message.body
    event = Calendar.from_ical(message.calendar).events[0]
    assert event["SUMMARY"] == "Introduction, part 2 (Fall evenings)"
    assert event.start == at(14, 16)


def test_the_mail_offers_the_invitation_twice(add, enrol, educator, mailoutbox) -> None:
    add(7)
    enrol(educator)
    forget()
    add(14)
    message = Message.objects.get()

    outbox.send(message.pk)

    sent = mail.outbox[0]
    text, (alternative, attached) = sent.body, (sent.alternatives[0], sent.attachments[0])
    assert "Hello Ana" in text
    assert alternative.mimetype == "text/calendar; method=REQUEST"
    assert (attached.filename, attached.mimetype) == ("invite.ics", "application/ics")
    assert alternative.content == attached.content == message.calendar
    raw = sent.message().as_string()
    assert 'Content-Type: text/calendar; method="REQUEST"; charset="utf-8"' in raw


def test_names_stand_in_mails_as_they_are_written(
    program, person, school, cohort, enrol, add
) -> None:
    program.name = "St. Mary's & friends"
    program.save()
    add(7)
    enrol(person("Siobhan O'Brien", Role.EDUCATOR, program, school))
    forget()

    add(14, place="Teachers' room <2>")

    body = Message.objects.get().body
    assert "St. Mary's & friends" in body
    assert "Teachers' room <2>" in body


def test_a_change_is_told_once_with_the_next_number(
    add, enrol, educator, program_coordinator
) -> None:
    session = add(7)
    enrol(educator)
    forget()

    for _twice in range(2):
        sessions.change(session, starts_at=at(7, 17), ends_at=at(7, 19), by=program_coordinator)

    session.refresh_from_db()
    assert session.sequence == 1
    assert told(educator) == [("session_changed", "REQUEST", 1)]
    assert Message.objects.get().subject == "Training changed: now Wed, Oct 7, 5:00 PM"

    sessions.change(session, place="Gym", by=program_coordinator)
    assert [number for _kind, _method, number in told(educator)] == [1, 2]
    assert AuditEntry.objects.filter(event="training_session.changed").count() == 2


def test_the_event_stays_the_same_one_for_everybody(
    add, enrol, educator, partner, program_coordinator
) -> None:
    add(7)
    enrol(educator, partner)
    forget()
    session = add(14)
    sessions.change(session, place="Gym", by=program_coordinator)

    uids = {
        str(Calendar.from_ical(message.calendar).events[0]["UID"])
        for message in Message.objects.all()
    }

    assert uids == {f"training-session-{session.pk}@willow-creek.pthv.invalid"}
    one = Message.objects.filter(to_user=educator).first()
    assert partner.email not in one.calendar  # who else comes is nobody's business


def test_a_cancelled_session_is_told_and_nobody_is_expected(
    add, enrol, educator, program_coordinator
) -> None:
    add(7)
    session = add(14)
    enrol(educator)
    forget()

    for _twice in range(2):
        sessions.cancel(session, by=program_coordinator)

    session.refresh_from_db()
    assert session.cancelled_by == program_coordinator
    assert told(educator) == [("session_cancelled", "CANCEL", 1)]
    assert people_at(session) == []
    with pytest.raises(NotReady, match="was cancelled"):
        sessions.change(session, place="Gym", by=program_coordinator)


def test_a_session_with_attendance_is_neither_cancelled_nor_moved(
    add, enrol, educator, program_coordinator
) -> None:
    session = add(6, 9)  # this morning
    enrol(educator)
    attendance.attend(session.attendances.get(), "attended", by=program_coordinator)
    forget()

    with pytest.raises(NotReady, match="took place"):
        sessions.cancel(session, by=program_coordinator)
    with pytest.raises(NotReady, match="part and times stay"):
        sessions.change(session, starts_at=at(8, 9), ends_at=at(8, 11), by=program_coordinator)
    sessions.change(session, place="Gym", by=program_coordinator)

    session.refresh_from_db()
    assert (session.place, session.cancelled_at) == ("Gym", None)
    assert told(educator) == []  # what is over is in nobody's calendar any more


def test_at_a_make_up_only_those_are_expected_who_lack_the_part(
    add, enrol, educator, partner, colleague, program_coordinator
) -> None:
    first = add(5)
    enrol(educator, partner, colleague)
    for user, state in ((educator, "attended"), (partner, "absent")):
        found = first.attendances.get(educator__user=user)
        attendance.attend(found, state, by=program_coordinator)
    forget()

    again = add(14, part=1)

    assert again.part == 1
    assert people_at(again) == ["Ben Lee", "Cara Diaz"]
    assert told(educator) == []
    assert told(partner) == [("session_invited", "REQUEST", 0)]


def test_who_is_expected_at_the_first_needs_no_make_up(add, enrol, educator) -> None:
    add(7)
    enrol(educator)

    assert people_at(add(14, part=1)) == []


def test_when_the_first_is_cancelled_its_make_up_is_for_everybody(
    add, enrol, educator, program_coordinator
) -> None:
    first = add(7)
    enrol(educator)
    again = add(14, part=1)
    forget()

    sessions.cancel(first, by=program_coordinator)

    assert people_at(again) == ["Ana Ruiz"]
    assert [kind for kind, _method, _number in told(educator)] == [
        "session_cancelled",
        "session_invited",
    ]


def test_another_part_expects_other_people(
    add, enrol, educator, partner, program_coordinator
) -> None:
    first = add(5)
    enrol(educator, partner)
    attendance.attend(
        first.attendances.get(educator__user=educator), "attended", by=program_coordinator
    )
    second = add(14)
    forget()

    sessions.change(second, part=1, by=program_coordinator)

    assert people_at(second) == ["Ben Lee"]
    assert told(educator) == [("session_left", "CANCEL", 1)]
    assert told(partner) == [("session_changed", "REQUEST", 1)]


def test_who_joins_is_invited_to_what_is_ahead_and_who_leaves_is_told(add, enrol, educator) -> None:
    add(5)  # yesterday
    ahead = add(7)
    (member,) = enrol(educator)
    forget()

    sessions.invite([member])
    sessions.invite([member])
    assert told(educator) == [("session_invited", "REQUEST", 0)]

    sessions.uninvite(member)
    assert told(educator)[1:] == [("session_left", "CANCEL", 1)]

    sessions.invite([member])  # changed their mind: newer than the cancellation
    assert told(educator)[2:] == [("session_invited", "REQUEST", 2)]
    ahead.refresh_from_db()
    assert ahead.sequence == 2


def test_a_closed_account_gets_nothing(add, enrol, educator) -> None:
    add(7)
    enrol(educator)
    forget()
    educator.is_active = False
    educator.save()

    add(14)

    assert told(educator) == []


def test_a_complete_cohort_can_only_make_up(
    add, enrol, educator, partner, program_coordinator
) -> None:
    session = add(5)
    enrol(educator, partner)
    attendance.attend(
        session.attendances.get(educator__user=educator), "attended", by=program_coordinator
    )
    cohorts.complete(session.cohort, by=program_coordinator)

    with pytest.raises(NotReady, match="complete"):
        add(14)

    assert people_at(add(14, part=1)) == ["Ben Lee"]


def test_the_invitation_keeps_the_programs_hour_when_the_clocks_change(
    program, cohort, enrol, add, educator, program_coordinator
) -> None:
    add(7)
    enrol(educator)
    forget()
    program.time_zone = "America/Los_Angeles"
    program.save()
    four = datetime.datetime(2027, 3, 16, 16, tzinfo=program.zone)  # after March 14

    sessions.add(
        cohort, starts_at=four, ends_at=four + datetime.timedelta(hours=2), by=program_coordinator
    )

    message = Message.objects.get()
    assert message.subject == "Training on Tue, Mar 16, 2027, 4:00 PM"
    assert "DTSTART;TZID=America/Los_Angeles:20270316T160000" in message.calendar


def test_a_session_is_changed_and_cancelled_on_its_pages(
    client, add, enrol, educator, program_coordinator
) -> None:
    client.force_login(program_coordinator)
    session = add(7)
    enrol(educator)
    edit = reverse("session_edit", args=[session.pk])

    page = client.get(edit).content.decode()
    assert 'value="2026-10-07"' in page
    assert 'value="16:00"' in page

    wanted = {"part": 1, "day": "2026-10-08", "starts": "09:00", "ends": "11:00", "place": "Gym"}
    assert client.post(edit, wanted | {"ends": "08:00"}).status_code == 409
    assert client.post(edit, wanted | {"link": "javascript:alert(1)"}).status_code == 422
    assert client.post(edit, wanted).status_code == 302
    session.refresh_from_db()
    assert (session.starts_at, session.place) == (at(8, 9), "Gym")

    cancel = reverse("session_cancel", args=[session.pk])
    assert "1 person is expected" in client.get(cancel).content.decode()
    assert session.attendances.exists()
    assert client.post(cancel).status_code == 302
    assert client.get(cancel).status_code == 404
    assert str(session.pk) not in [
        str(shown.pk)
        for shown in client.get(reverse("cohort_detail", args=[session.cohort_id])).context[
            "sessions"
        ]
    ]


def test_a_session_that_took_place_says_why_it_is_not_cancelled(
    client, add, enrol, educator, program_coordinator
) -> None:
    client.force_login(program_coordinator)
    session = add(6, 9)
    enrol(educator)
    attendance.attend(session.attendances.get(), "attended", by=program_coordinator)

    response = client.post(reverse("session_cancel", args=[session.pk]))

    assert response.status_code == 409
    assert "took place" in response.content.decode()


def test_the_form_offers_a_make_up_of_each_part(client, add, program_coordinator) -> None:
    client.force_login(program_coordinator)
    session = add(7)

    page = client.get(reverse("session_add", args=[session.cohort_id])).content.decode()

    assert "Part 1 again, for whoever missed it (Oct 7)" in page
    assert '<option value="2" selected>Part 2</option>' in page


def expected_at_four(cohort, count, person, program, school, by, add) -> list[TrainingSession]:
    meetings = [add(day) for day in (7, 8, 9, 12)]
    people = [person(f"Teo N{n}", Role.EDUCATOR, program, school) for n in range(count)]
    educators = Educator.objects.filter(user__in=people).order_by("pk")
    with CaptureQueriesContext(connection) as queries:
        enrolment.enrol(cohort, educators, by=by)
    assert Attendance.objects.count() == Message.objects.count() == 4 * count
    assert len(queries) <= 25
    return meetings


@pytest.mark.parametrize("count", [30, 60])
def test_many_cost_as_many_queries_as_few(
    cohort, add, person, program, school, program_coordinator, count
) -> None:
    by = program_coordinator
    first, second, *_more = expected_at_four(cohort, count, person, program, school, by, add)

    def queries(act) -> int:
        forget()
        with CaptureQueriesContext(connection) as made:
            act()
        assert Message.objects.count() == count
        return len(made)

    moved = {"starts_at": at(7, 17), "ends_at": at(7, 19)}
    assert [
        queries(lambda: add(14)),
        queries(lambda: sessions.change(first, **moved, by=by)),
        queries(lambda: sessions.change(first, part=6, by=by)),
        queries(lambda: sessions.cancel(second, by=by)),
    ] == [13, 11, 15, 13]


def test_what_moves_into_the_past_is_told_who_had_it_ahead(
    add, enrol, educator, program_coordinator
) -> None:
    session = add(7)
    enrol(educator)
    forget()
    yesterday = {"starts_at": at(5, 16), "ends_at": at(5, 18)}

    sessions.change(session, **yesterday, by=program_coordinator)
    assert told(educator) == [("session_changed", "REQUEST", 1)]
    assert "can't come" not in Message.objects.get().body

    sessions.change(session, place="Gym", by=program_coordinator)
    assert len(told(educator)) == 1  # it is over for them


def test_of_a_complete_cohort_only_make_ups_change(
    add, enrol, educator, partner, program_coordinator
) -> None:
    by = program_coordinator
    planned, unticked = add(4), add(5)
    enrol(educator, partner)
    attendance.attend(planned.attendances.first(), "attended", by=by)
    cohorts.complete(planned.cohort, by=by)
    again = add(14, part=2)
    forget()

    for session in (planned, unticked):
        with pytest.raises(NotReady, match="complete, so its sessions stay"):
            sessions.cancel(session, by=by)
        with pytest.raises(NotReady, match="complete, so its sessions stay"):
            sessions.change(session, place="Gym", by=by)
    with pytest.raises(NotReady, match="Only a part that it had"):
        sessions.change(again, part=3, by=by)
    assert not Message.objects.exists()

    sessions.change(again, place="Gym", by=by)
    sessions.cancel(again, by=by)
    assert [kind for kind, *_more in told(educator)] == ["session_changed", "session_cancelled"]
    assert not TrainingSession.objects.filter(place="Gym", cancelled_at=None).exists()


def test_who_was_let_in_at_the_make_up_is_not_expected_there_twice(
    add, enrol, educator, partner, program_coordinator
) -> None:
    """The first session is cancelled on a day when its make-up has begun."""
    first = add(7)
    enrol(educator, partner)
    again = add(6, 9, part=1)
    guest = Attendance.objects.create(
        program_id=again.program_id, session=again, educator=educator.educators.get(),
        member=CohortMember.objects.get(educator__user=educator),
    )  # fmt: skip
    attendance.attend(guest, "absent", by=program_coordinator)

    with clock.at(at(6, 10)):
        sessions.cancel(first, by=program_coordinator)

    assert people_at(again) == ["Ana Ruiz", "Ben Lee"]
