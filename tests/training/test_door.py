"""Signing in at the door: a code for one person, once, and the number that the screen shows."""

import contextvars
import datetime
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
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


def tap(client: Client, url: str, session, after: int = door.SHOWN, **data) -> HttpResponse:
    """Press the button some seconds later, with the number that the screen shows by then."""
    with clock.at(clock.now() + after * SECOND):
        return client.post(url, {"number": door.number(session), **data})


def enter(session, educator=None, **who) -> DoorSignIn:
    """A code and a number, as whoever stands before the screen has them."""
    code = door.read(door.code(session))
    with clock.at(clock.now() + door.SHOWN * SECOND):
        return door.sign_in(code, door.number(session), educator=educator, **who)


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

    done = tap(client, url, session)
    assert "It is recorded that you came." in done.content.decode()
    assert state_of(session, educator) == "attended"
    assert session.attendances.get().recorded_by == educator


def test_a_double_tap_is_answered_the_same_and_kept_once(session, educator, colleague) -> None:
    for user in (educator, colleague):
        url, client = url_of(session), phone(user)

        first, second = tap(client, url, session), tap(client, url, session, after=60)

        assert first.status_code == second.status_code == 200
    assert DoorSignIn.objects.count() == 2
    assert session.attendances.count() == 1


def test_a_code_serves_one_person(session, educator, colleague, person, program, school) -> None:
    url = url_of(session)
    tap(phone(educator), url, session)

    for other in (colleague, None):
        data = {} if other else {"name": "Eve", "email": "eve@example.org"}
        refused = tap(phone(other), url, session, **data)
        assert refused.status_code == 409
        assert "Somebody else used this code." in refused.content.decode()

    assert DoorSignIn.objects.count() == 1


def test_a_photographed_code_runs_out(session, educator) -> None:
    url = url_of(session)

    with clock.at(NOON + 40 * SECOND):
        assert phone(educator).get(url).status_code == 200
    with clock.at(NOON + 41 * SECOND):
        for response in (phone(educator).get(url), tap(phone(educator), url, session, after=0)):
            assert response.status_code == 409
            assert "This code has run out." in response.content.decode()

    assert state_of(session, educator) == "expected"
    assert not DoorSignIn.objects.exists()


def test_whoever_types_their_name_has_time_to(session) -> None:
    url = url_of(session)
    noa = {"name": "Noa", "email": "noa@example.org"}

    assert tap(phone(), url, session, after=180, **noa).status_code == 200
    refused = tap(phone(), url_of(session), session, after=181, **noa)

    assert "This code has run out." in refused.content.decode()


def test_a_photograph_of_code_and_number_signs_nobody_in(session, educator) -> None:
    """Its own number is no longer asked for, and the ones after it are not on it."""
    url, pictured, client = url_of(session), door.number(session), phone(educator)

    for seconds in (0, 3, 4, 20, 39):
        with clock.at(NOON + seconds * SECOND):
            page = client.post(url, {"number": pictured})
        assert page.status_code == 422
        assert "The screen shows another number by now." in page.content.decode()

    assert state_of(session, educator) == "expected"
    assert not DoorSignIn.objects.exists()


def test_a_wrong_number_uses_the_code_up(session, educator) -> None:
    url, client = url_of(session), phone(educator)
    with clock.at(NOON + 5 * SECOND):
        shown = {door.number(session), door._number(session, door._seconds() // door.SHOWN - 1)}
        wrong = next(str(n) for n in range(100, 999) if str(n) not in shown)
        refused = client.post(url, {"number": wrong})
        again = client.post(url, {"number": door.number(session)})

    for answer in (refused, again):
        assert answer.status_code == 409
        assert "didn&#x27;t show that number" in answer.content.decode()
    assert state_of(session, educator) == "expected"
    assert DoorSignIn.objects.get().state == "refused"
    assert tap(client, url_of(session), session).status_code == 200  # the next code is good
    assert state_of(session, educator) == "attended"


def test_a_number_counts_for_some_seconds_and_then_asks_to_look_again(session, educator) -> None:
    url, client = url_of(session), phone(educator)
    with clock.at(NOON + 4 * SECOND):
        read = door.number(session)

    with clock.at(NOON + 28 * SECOND):
        late = client.post(url, {"number": read})
    assert "The screen shows another number by now." in late.content.decode()
    with clock.at(NOON + 27 * SECOND):
        assert client.post(url, {"number": read}).status_code == 200
    assert state_of(session, educator) == "attended"


def test_each_session_has_numbers_of_its_own(session, add_session) -> None:
    with clock.at(at(6, 9)):
        other = add_session(6)

    def numbers(of) -> list[str]:
        return [door._number(of, turn) for turn in range(50)]

    assert numbers(session) != numbers(other)
    assert all(re.fullmatch("[1-9][0-9]{2}", one) for one in numbers(session))


def test_no_number_comes_again_while_a_code_is_good(session) -> None:
    turns = int(door.TYPING.total_seconds()) // door.SHOWN + 1
    numbers = [door._number(session, turn) for turn in range(400)]

    for first in range(400 - turns):
        assert len(set(numbers[first : first + turns])) == turns


def test_a_second_phone_hears_that_it_is_done(session, educator, colleague) -> None:
    tap(phone(educator), url_of(session), session)
    fresh = url_of(session)

    refused = tap(phone(educator), fresh, session)

    assert refused.status_code == 409
    assert "You are signed in already." in refused.content.decode()
    assert tap(phone(colleague), fresh, session).status_code == 200  # the code is still good


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
    [
        (at(5, 16), "can't sign in yet. The door opens"),
        (at(6, 0), "can't sign in yet"),
        (at(6, 14) + 3599 * SECOND, "The door opens Tue, Oct 6, 3:00 PM."),
        (at(6, 18) + 1800 * SECOND, "This session is over."),
        (at(7, 16), "This session is over."),
    ],
)
def test_the_door_is_shut_long_before_and_afterwards(session, moment, sentence) -> None:
    with clock.at(moment), pytest.raises(NotReady, match=sentence):
        door.read(door.code(session))


@pytest.mark.parametrize("moment", [at(6, 15), at(6, 18) + 1799 * SECOND])
def test_the_door_is_open_an_hour_before_and_half_an_hour_after(session, moment) -> None:
    with clock.at(moment):
        assert door.read(door.code(session)).session == session


def test_nobody_signs_in_to_a_cancelled_session(session, educator, program_coordinator) -> None:
    url = url_of(session)
    sessions.cancel(session, by=program_coordinator)

    refused = tap(phone(educator), url, session)

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
        assert tap(phone(educator), url_of(session), session).status_code == 200
    assert state_of(session, educator) == "attended"


def test_whoever_has_no_place_waits_for_the_coordinator(
    session, colleague, program_coordinator
) -> None:
    done = tap(phone(colleague), url_of(session), session)
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
        done = tap(phone(), url, session, name="Somebody", email=email)
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
        tap(phone(), url_of(session), session, name="Ana", email=educator.email.upper())
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
    tap(phone(), url_of(session), session, name="Noa Newman", email="Noa@Example.org")
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
    tap(phone(colleague), url_of(session), session)
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
    tap(phone(colleague), url_of(session), session)

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    row = session.attendances.get(educator__user=colleague)
    assert (row.state, row.member.cohort) == ("attended", other)


def test_a_full_cohort_says_so_to_the_coordinator(
    session, cohort, colleague, program_coordinator
) -> None:
    cohorts.change(cohort, {"capacity": 1}, by=program_coordinator)
    tap(phone(colleague), url_of(session), session)
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
    tap(phone(colleague), url_of(session), session)

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    assert state_of(session, colleague) == "attended"
    assert CohortMember.objects.get(educator__user=partner).state == "waiting"


@pytest.mark.parametrize("before", ["partial", "absent"])
def test_the_door_overrules_no_coordinator(session, educator, program_coordinator, before) -> None:
    attendance.attend(session.attendances.get(), before, by=program_coordinator)

    tap(phone(educator), url_of(session), session)

    assert state_of(session, educator) == before


def test_whoever_was_absent_is_seen_by_the_coordinator(
    session, educator, program_coordinator
) -> None:
    attendance.attend(session.attendances.get(), "absent", by=program_coordinator)

    done = tap(phone(educator), url_of(session), session)
    assert "confirms that you are here" in done.content.decode()

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)
    assert state_of(session, educator) == "attended"


def test_whoever_left_comes_back_with_a_yes(
    session, school, person, program, program_coordinator
) -> None:
    rosa = person("Rosa Diaz", Role.EDUCATOR, program, school)
    Membership.objects.filter(user=rosa).update(ends_on=datetime.date(2026, 9, 1))
    tap(phone(), url_of(session), session, name="Rosa", email=rosa.email)

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

    for data in ({}, {"name": "Noa"}, {"name": "Noa", "email": "not one"}, {"name": "\x07"}):
        assert tap(phone(), url, session, **data).status_code == 422
    noa = {"name": "Noa", "email": "noa@example.org"}
    assert phone().post(url, noa).status_code == 422  # and for the number
    assert not DoorSignIn.objects.exists()


def test_an_address_that_hammers_is_slowed_down(session, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"door_sign_in": "3/m/ip"}

    answers = [
        tap(phone(), url_of(session), session, name="N", email=f"n{n}@example.org").status_code
        for n in range(5)
    ]

    assert answers == [200, 200, 200, 429, 429]
    assert DoorSignIn.objects.count() == 3


def test_one_person_behind_a_schools_address_keeps_nobody_out(session, educator, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"door_sign_in": "2/m/ip", "door_sign_in_account": "2/m/user"}
    used, fresh, eve = url_of(session), url_of(session), {"name": "E", "email": "eve@example.org"}
    pictured = door.number(session)
    tap(phone(), used, session, **eve)

    for _again in range(5):
        tap(phone(), used, session, **eve)  # once more
        tap(phone(), used, session, name="F", email="fay@example.org")  # another's
        tap(phone(), fresh, session)  # nobody's
        phone().post(fresh, {"number": pictured, **eve})  # a number from before

    assert tap(phone(), fresh, session, name="N", email="n@example.org").status_code == 200
    refused = tap(phone(), url_of(session), session, name="M", email="m@example.org")
    assert refused.status_code == 429
    again = tap(phone(), fresh, session, name="N", email="n@example.org")
    assert again.status_code == 200  # who is in already hears so
    assert tap(phone(educator), url_of(session), session).status_code == 200  # by account


def test_one_account_that_hammers_is_slowed_down(session, colleague, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"door_sign_in": "9/m/ip", "door_sign_in_account": "2/m/user"}

    answers = [tap(phone(colleague), url_of(session), session).status_code for _n in range(3)]

    assert answers == [200, 200, 429]


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
    assert f"<b>{door.number(session)}</b>" in text
    assert tap(phone(educator), fresh[1], session).status_code == 200


def test_the_tablet_says_when_nobody_can_sign_in(session, program_coordinator) -> None:
    with clock.at(at(7, 9)):
        page = phone(program_coordinator).get(reverse("session_door", args=[session.pk]))

    assert "This session is over." in page.content.decode()
    assert "/here/" not in page.content.decode()


def test_the_coordinator_sees_whom_the_door_recorded_and_takes_one_back(
    session, educator, program_coordinator
) -> None:
    tap(phone(educator), url_of(session), session)
    client, page = phone(program_coordinator), reverse("cohort_detail", args=[session.cohort_id])
    refuse = reverse("door_refuse", args=[DoorSignIn.objects.get().pk])
    shown = client.get(page)
    assert [(str(one.educator), one.of_all) for one in shown.context["came_in"]] == [
        ("Ana Ruiz", 1)
    ]
    assert refuse in shown.content.decode()

    said = client.post(refuse, follow=True)

    assert "Ana Ruiz is not recorded." in said.content.decode()
    assert refuse not in said.content.decode()
    assert state_of(session, educator) == "absent"
    # From then on she is at the door only if the coordinator sees her.
    tap(phone(educator), url_of(session), session)
    assert state_of(session, educator) == "absent"
    assert DoorSignIn.objects.filter(state="waiting").count() == 1


def test_the_coordinator_sees_whose_address_was_typed(
    session, educator, program_coordinator
) -> None:
    tap(phone(), url_of(session), session, name="Eve Adams", email=educator.email)
    client = phone(program_coordinator)
    signed = DoorSignIn.objects.get()

    page = client.get(reverse("cohort_detail", args=[session.cohort_id])).content.decode()
    assert '<span class="item-title">Ana Ruiz</span>' in page
    assert "They typed “Eve Adams”" in page

    said = client.post(reverse("door_confirm", args=[signed.pk]), follow=True).content.decode()
    assert "Ana Ruiz is here." in said
    assert "Eve Adams" not in said


def test_a_yes_after_a_no_says_so(session, colleague, program_coordinator) -> None:
    tap(phone(colleague), url_of(session), session)
    client, signed = phone(program_coordinator), DoorSignIn.objects.get()
    client.post(reverse("door_refuse", args=[signed.pk]))

    said = client.post(reverse("door_confirm", args=[signed.pk]), follow=True).content.decode()

    assert "You said before that they aren&#x27;t here." in said
    assert "Cara Diaz is here." not in said


def test_a_yes_makes_no_educator_of_a_partner(
    session, person, program, school, program_coordinator
) -> None:
    fay = person("Fay Finn", Role.PARTNER, program)
    tap(phone(), url_of(session), session, name="Fay", email=fay.email)
    signed, client = DoorSignIn.objects.get(), phone(program_coordinator)

    said = client.post(
        reverse("door_confirm", args=[signed.pk]), {"school": school.pk}, follow=True
    )

    assert f"{fay.email} is here as: Partner." in said.content.decode()
    assert not fay.educators.exists()
    signed.refresh_from_db()
    assert signed.state == "waiting"


def test_a_yes_opens_no_closed_account(session, colleague, program_coordinator) -> None:
    tap(phone(colleague), url_of(session), session)
    User.objects.filter(pk=colleague.pk).update(is_active=False)

    with pytest.raises(NotReady, match="has a closed account"):
        door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    assert state_of(session, colleague) is None


@pytest.mark.parametrize("before", ["absent", "attended"])
def test_whoever_gave_their_place_up_waits_for_the_coordinator(
    session, educator, program_coordinator, before
) -> None:
    attendance.attend(session.attendances.get(), before, by=program_coordinator)
    enrolment.withdraw(CohortMember.objects.get(), by=educator)

    done = tap(phone(educator), url_of(session), session)
    assert "confirms that you are here" in done.content.decode()
    assert state_of(session, educator) == before

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)
    assert state_of(session, educator) == "attended"
    assert CohortMember.objects.get().state == "enrolled"


def test_a_guest_who_left_their_own_cohort_gets_a_place_here(
    session, course, colleague, program_coordinator, add_session
) -> None:
    with clock.at(at(6, 9)):
        other = cohorts.open_cohort(course, "Winter", by=program_coordinator)
        add_session(20, of=other)
        enrolment.enrol(other, [colleague.educators.get()], by=program_coordinator)
    guest = attendance.add_guest(
        session, CohortMember.objects.get(cohort=other), by=program_coordinator
    )
    attendance.attend(guest, "absent", by=program_coordinator)
    enrolment.withdraw(guest.member, by=colleague)
    tap(phone(colleague), url_of(session), session)

    door.confirm(DoorSignIn.objects.get(), by=program_coordinator)

    row = session.attendances.get(educator__user=colleague)
    assert (row.state, row.member.cohort) == ("attended", session.cohort)


def test_what_was_typed_is_forgotten_after_thirty_days(session, educator, colleague) -> None:
    tap(phone(educator), url_of(session), session)
    tap(phone(), url_of(session), session, name="Eve", email="eve@example.org")

    with clock.at(session.ends_at + datetime.timedelta(days=30)):
        assert door.forget() == 0
    with clock.at(session.ends_at + datetime.timedelta(days=30, seconds=1)):
        assert door.forget() == 2
        assert door.forget() == 0

    left = DoorSignIn.objects.get()
    assert (left.educator.user, left.name, left.email) == (educator, "", "")


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

    with clock.at(NOON + door.SHOWN * SECOND):
        seen = door.number(session)
        answers = at_once(
            *(
                lambda n=n: door.sign_in(code, seen, name="N", email=f"n{n}@example.org").pk
                for n in range(8)
            )
        )

    assert len([found for found in answers if isinstance(found, int)]) == 1
    assert all(isinstance(found, int | NotReady) for found in answers)
    assert DoorSignIn.objects.count() == 1


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_two_phones_of_one_person_at_once_are_one_attendance(session, educator) -> None:
    ana = educator.educators.get()

    answers = at_once(*(lambda: enter(session, ana).state for _phone in range(2)))

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
    jobs = [lambda e=e: enter(session, e).state for e in people[:15]]

    assert at_once(*jobs) == ["recorded"] * 15
    came = Attendance.objects.filter(session=session, state="attended")
    assert came.count() == 15
    assert attendance.place_of(session, people[20]).state == "expected"
    assert Membership.objects.filter(role=Role.EDUCATOR).count() == 31
