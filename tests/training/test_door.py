"""Signing in at the door: a code for one person, once, for a minute and a half."""

import contextvars
import datetime
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django_scopes import scopes_disabled

from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Membership, Role, User
from tests.conftest import at
from training import attendance, cohorts, door, enrolment, sessions
from training.models import Attendance, CohortMember, DoorSignIn

SECOND = datetime.timedelta(seconds=1)
NOON = at(6, 16, 30)  # half an hour into the session


@pytest.fixture
def session(cohort, add_session, enrol, educator):
    """Today from 4 to 6 PM, with Ana; it is half past four."""
    with clock.at(at(6, 9)):
        session = add_session(6)
        enrol(educator)
    cache.clear()
    with clock.at(NOON):
        yield session


def url_of(session) -> str:
    return reverse("door_sign_in", args=[door.code(session)])


def phone(user: User | None = None) -> Client:
    client = Client()
    if user:
        client.force_login(user)
    return client


def state_of(session, user) -> str | None:
    row = session.attendances.filter(educator__user=user).first()
    return row and row.state


def test_looking_changes_nothing_and_the_button_records_it(session, educator) -> None:
    url, client = url_of(session), phone(educator)

    page = client.get(url)
    assert page.status_code == 200
    assert "You are logged in as Ana Ruiz." in page.content.decode()
    assert not DoorSignIn.objects.exists()
    assert state_of(session, educator) == "expected"

    done = client.post(url)
    assert "It is recorded that you came." in done.content.decode()
    assert state_of(session, educator) == "attended"
    assert session.attendances.get().recorded_by == educator


def test_a_double_tap_is_answered_the_same_and_kept_once(session, educator, colleague) -> None:
    for user in (educator, colleague):
        url, client = url_of(session), phone(user)

        first, second = client.post(url), client.post(url)

        assert first.status_code == second.status_code == 200
    assert DoorSignIn.objects.count() == 2
    assert session.attendances.count() == 1


def test_a_code_serves_one_person(session, educator, colleague, person, program, school) -> None:
    url = url_of(session)
    phone(educator).post(url)

    for other in (colleague, None):
        data = {} if other else {"name": "Eve", "email": "eve@example.org"}
        refused = phone(other).post(url, data)
        assert refused.status_code == 409
        assert "Somebody else used this code." in refused.content.decode()

    assert DoorSignIn.objects.count() == 1


def test_a_photographed_code_runs_out(session, educator) -> None:
    url = url_of(session)

    with clock.at(NOON + 90 * SECOND):
        assert phone(educator).get(url).status_code == 200
    with clock.at(NOON + 91 * SECOND):
        for response in (phone(educator).get(url), phone(educator).post(url)):
            assert response.status_code == 409
            assert "This code has run out." in response.content.decode()

    assert state_of(session, educator) == "expected"


def test_a_second_phone_hears_that_it_is_done(session, educator, colleague) -> None:
    phone(educator).post(url_of(session))
    fresh = url_of(session)

    refused = phone(educator).post(fresh)

    assert refused.status_code == 409
    assert "You are signed in already." in refused.content.decode()
    assert phone(colleague).post(fresh).status_code == 200  # the code is still good


def test_a_code_that_was_tampered_with_opens_nothing(session, educator, add_session) -> None:
    token = door.code(session)
    pk, rest = token.split(".", 1)
    with clock.at(at(6, 9)):
        other = add_session(6)

    for forged in (f"{other.pk}.{rest}", token[:-1] + "!", token + "x", "nonsense", f"{pk}.x.1:y"):
        for answer in (
            phone(educator).get(reverse("door_sign_in", args=[forged])),
            phone(educator).post(reverse("door_sign_in", args=[forged])),
        ):
            assert answer.status_code == 409
            assert "isn&#x27;t a code of ours" in answer.content.decode()
    assert not DoorSignIn.objects.exists()


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [(at(5, 16), "This session isn't today."), (at(6, 18), "This session is over.")],
)
def test_nobody_signs_in_on_another_day_or_afterwards(session, educator, moment, sentence) -> None:
    with clock.at(moment), pytest.raises(NotReady, match=sentence):
        door.read(door.code(session))


def test_nobody_signs_in_to_a_cancelled_session(session, educator, program_coordinator) -> None:
    url = url_of(session)
    sessions.cancel(session, by=program_coordinator)

    refused = phone(educator).post(url)

    assert "This session was cancelled." in refused.content.decode()
    assert not DoorSignIn.objects.exists()


def test_the_day_is_honolulus_at_half_past_eleven_at_night(
    program, session, educator, program_coordinator
) -> None:
    program.time_zone = "Pacific/Honolulu"
    program.save()
    late = datetime.datetime(2026, 10, 8, 23, 0, tzinfo=program.zone)  # the 9th in UTC
    sessions.change(
        session,
        starts_at=late,
        ends_at=late + datetime.timedelta(minutes=59),
        by=program_coordinator,
    )

    with clock.at(late + datetime.timedelta(minutes=30)):
        assert phone(educator).post(url_of(session)).status_code == 200
    assert state_of(session, educator) == "attended"


def test_whoever_has_no_place_waits_for_the_coordinator(
    session, colleague, program_coordinator
) -> None:
    done = phone(colleague).post(url_of(session))
    assert "confirms that you are here" in done.content.decode()
    assert state_of(session, colleague) is None

    signed = DoorSignIn.objects.get()
    client = phone(program_coordinator)
    page = client.get(reverse("cohort_detail", args=[session.cohort_id])).content.decode()
    assert "Cara Diaz" in page
    client.post(reverse("door_confirm", args=[signed.pk]))

    signed.refresh_from_db()
    assert signed.state == "recorded"
    assert state_of(session, colleague) == "attended"
    assert CohortMember.objects.enrolled().filter(educator__user=colleague).exists()


def test_without_an_account_the_answer_is_the_same_for_known_and_unknown(
    session, educator, site_coordinator
) -> None:
    def answer(email: str) -> tuple[int, str]:
        url = url_of(session)
        page = phone().get(url).content.decode()
        assert "Your school e-mail" in page
        done = phone().post(url, {"name": "Somebody", "email": email})
        return done.status_code, done.content.decode()

    answers = {
        answer(email) for email in (educator.email, "new@example.org", site_coordinator.email)
    }

    assert len(answers) == 1
    assert DoorSignIn.objects.filter(state="waiting", educator=None).count() == 3
    assert state_of(session, educator) == "expected"  # anybody can type her address


def test_a_typed_address_is_recorded_when_the_coordinator_says_yes(
    session, educator, program_coordinator
) -> None:
    for _phone in range(2):
        phone().post(url_of(session), {"name": "Ana", "email": educator.email.upper()})
    client = phone(program_coordinator)
    page = client.get(reverse("cohort_detail", args=[session.cohort_id]))
    assert len(page.context["at_the_door"]) == 1  # once, though she signed in twice
    assert "Not known yet" not in page.content.decode()

    for signed in DoorSignIn.objects.all():
        client.post(reverse("door_confirm", args=[signed.pk]))

    assert state_of(session, educator) == "attended"
    assert not DoorSignIn.objects.filter(state="waiting").exists()


def test_a_yes_to_somebody_unknown_makes_their_account(
    session, school, program_coordinator
) -> None:
    phone().post(url_of(session), {"name": "Noa Newman", "email": "Noa@Example.org"})
    signed, client = DoorSignIn.objects.get(), phone(program_coordinator)
    confirm = reverse("door_confirm", args=[signed.pk])
    page = client.get(reverse("cohort_detail", args=[session.cohort_id])).content.decode()
    assert "Not known yet" in page
    assert f'<option value="{school.pk}">Lincoln</option>' in page

    asked = client.post(confirm, follow=True)
    assert "Choose the school they work at" in asked.content.decode()
    assert not User.objects.filter(email="noa@example.org").exists()

    client.post(confirm, {"school": school.pk})
    noa = User.objects.get(email="noa@example.org")
    assert (noa.get_full_name(), noa.has_usable_password()) == ("Noa Newman", False)
    assert Membership.objects.get(user=noa).school == school
    assert state_of(session, noa) == "attended"


def test_a_no_leaves_nothing(session, colleague, program_coordinator) -> None:
    phone(colleague).post(url_of(session))
    signed, client = DoorSignIn.objects.get(), phone(program_coordinator)

    client.post(reverse("door_refuse", args=[signed.pk]))
    client.post(reverse("door_confirm", args=[signed.pk]))

    signed.refresh_from_db()
    assert signed.state == "refused"
    assert state_of(session, colleague) is None


def test_a_member_of_another_cohort_makes_the_part_up(
    session, course, colleague, program_coordinator, add_session
) -> None:
    with clock.at(at(6, 9)):
        other = cohorts.open_cohort(course, "Winter", by=program_coordinator)
        add_session(20, of=other)
        enrolment.enrol(other, [colleague.educators.get()], by=program_coordinator)
    phone(colleague).post(url_of(session))

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    row = session.attendances.get(educator__user=colleague)
    assert (row.state, row.member.cohort) == ("attended", other)


def test_a_full_cohort_says_so_to_the_coordinator(
    session, cohort, colleague, program_coordinator
) -> None:
    cohorts.change(cohort, {"capacity": 1}, by=program_coordinator)
    phone(colleague).post(url_of(session))
    signed, client = DoorSignIn.objects.get(), phone(program_coordinator)

    refused = client.post(reverse("door_confirm", args=[signed.pk]), follow=True)

    assert "Fall is full." in refused.content.decode()
    signed.refresh_from_db()
    assert signed.state == "waiting"
    assert not CohortMember.objects.filter(educator__user=colleague).exists()


def test_whoever_waits_for_a_place_gets_one_if_there_is_one(
    session, cohort, colleague, partner, program_coordinator
) -> None:
    cohorts.change(cohort, {"capacity": 1}, by=program_coordinator)
    people = [partner.educators.get(), colleague.educators.get()]
    enrolment.enrol(cohort, people, by=program_coordinator)
    cohorts.change(cohort, {"capacity": 2}, by=program_coordinator)  # begun: nobody moves up
    phone(colleague).post(url_of(session))

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    assert state_of(session, colleague) == "attended"
    assert CohortMember.objects.get(educator__user=partner).state == "waiting"


@pytest.mark.parametrize(("before", "after"), [("partial", "partial"), ("absent", "attended")])
def test_the_door_makes_no_part_a_whole(
    session, educator, program_coordinator, before, after
) -> None:
    attendance.attend(session.attendances.get(), before, by=program_coordinator)

    phone(educator).post(url_of(session))

    assert state_of(session, educator) == after


def test_whoever_left_comes_back_with_a_yes(
    session, school, person, program, program_coordinator
) -> None:
    rosa = person("Rosa Diaz", Role.EDUCATOR, program, school)
    Membership.objects.filter(user=rosa).update(ends_on=datetime.date(2026, 9, 1))
    phone().post(url_of(session), {"name": "Rosa", "email": rosa.email})

    door.confirm(DoorSignIn.objects.get(), school=school, by=program_coordinator)

    assert state_of(session, rosa) == "attended"
    assert Membership.objects.not_over().filter(user=rosa).exists()


def test_whoever_left_the_program_waits_like_a_stranger(session, educator) -> None:
    Membership.objects.filter(user=educator).update(ends_on=datetime.date(2026, 9, 1))

    page = phone(educator).get(url_of(session)).content.decode()

    assert "Your school e-mail" in page
    assert "Ana Ruiz" not in page


def test_a_program_elsewhere_is_no_place_here(session, person, other_program, outsider) -> None:
    page = phone(outsider).get(url_of(session)).content.decode()

    assert "Your school e-mail" in page


def test_a_name_and_an_address_are_asked_for(session) -> None:
    url = url_of(session)

    for data in ({}, {"name": "Noa"}, {"name": "Noa", "email": "not one"}):
        assert phone().post(url, data).status_code == 422
    assert not DoorSignIn.objects.exists()


def test_an_address_that_hammers_is_slowed_down(session, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"door_sign_in": "3/m/ip"}

    answers = [
        phone().post(url_of(session), {"name": "N", "email": f"n{n}@example.org"}).status_code
        for n in range(5)
    ]

    assert answers == [200, 200, 200, 429, 429]
    assert DoorSignIn.objects.count() == 3


def test_the_tablet_shows_another_code_each_time_and_writes_none(
    session, educator, program_coordinator
) -> None:
    client, url = phone(program_coordinator), reverse("session_door", args=[session.pk])

    page = client.get(url).content.decode()
    polled = client.get(url, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="door-code")
    text = polled.content.decode()

    first, fresh = (re.search(r'href="(http[^"]+/here/[^"]+)"', found) for found in (page, text))
    assert first[1] != fresh[1]
    assert "<svg" in text
    assert "<html" not in text
    assert "style=" not in text  # the content security policy forbids it
    assert "0 of 1 is here" in text
    assert not DoorSignIn.objects.exists()
    assert phone(educator).post(fresh[1]).status_code == 200


def test_the_tablet_says_when_nobody_can_sign_in(session, program_coordinator) -> None:
    with clock.at(at(7, 9)):
        page = phone(program_coordinator).get(reverse("session_door", args=[session.pk]))

    assert "This session is over." in page.content.decode()
    assert "/here/" not in page.content.decode()


def at_once(*jobs) -> list[object]:
    start = threading.Barrier(len(jobs))

    def run(job) -> object:
        try:
            start.wait(timeout=20)
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        ran = [pool.submit(contextvars.copy_context().run, run, job) for job in jobs]
        return [job.result(timeout=60) for job in ran]


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_of_eight_who_use_one_code_at_once_one_does(session) -> None:
    code = door.read(door.code(session))

    answers = at_once(
        *(lambda n=n: door.sign_in(code, name="N", email=f"n{n}@example.org").pk for n in range(8))
    )

    assert len([found for found in answers if isinstance(found, int)]) == 1
    assert all(isinstance(found, int | NotReady) for found in answers)
    assert DoorSignIn.objects.count() == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_phones_of_one_person_at_once_are_one_attendance(session, educator) -> None:
    ana = educator.educators.get()
    codes = [door.read(door.code(session)) for _phone in range(2)]

    answers = at_once(*(lambda c=c: door.sign_in(c, educator=ana).state for c in codes))

    assert answers.count("recorded") == 1
    assert sum(isinstance(found, NotReady) for found in answers) == 1
    with scopes_disabled():
        assert Attendance.objects.get().state == "attended"


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_fifteen_sign_in_at_once_and_none_is_lost(
    session, educators, cohort, program_coordinator
) -> None:
    people = educators(30)
    with clock.at(at(6, 9)):
        enrolment.enrol(cohort, people, by=program_coordinator)
    jobs = [
        lambda e=e: door.sign_in(door.read(door.code(session)), educator=e).state
        for e in people[:15]
    ]

    assert at_once(*jobs) == ["recorded"] * 15
    came = Attendance.objects.filter(session=session, state="attended")
    assert came.count() == 15
    assert attendance.place_of(session, people[20]).state == "expected"
    assert Membership.objects.filter(role=Role.EDUCATOR).count() == 31
