"""Where the need for interpreters is seen and met: the lists, a request's page, the visit's, the
desk, Today, and moving a visit."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse

from families.models import Family
from pthv import clock
from pthv.models import Message
from tests.conftest import at
from tests.visits.test_family_page import text_of
from visits import interpreter_asks, interpreting, rota, scheduling, tasks
from visits.models import Interpreter, InterpreterRequest, Invitation, Visit

pytestmark = pytest.mark.django_db


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def seen(user, name: str, *args, query: str = "") -> str:
    response = client_of(user).get(reverse(name, args=args) + query)
    assert response.status_code == 200
    return text_of(response)


def do(user, name: str, request: InterpreterRequest, **data) -> str:
    """Press a button of a request's page, and read what comes next."""
    url = reverse(f"interpreter_request_{name}", args=[request.pk])
    return text_of(client_of(user).post(url, data, follow=True))


@pytest.fixture
def eva(lan, program, program_coordinator) -> Interpreter:
    facts = {name: getattr(lan, name) for name in rota.FIELDS}
    facts |= {"given_name": "Eva", "email": "eva@example.org", "hourly_rate": None}
    return rota.add(program, facts, by=program_coordinator)


def test_a_family_that_needs_one_is_scheduled_with_one_from_the_page(
    accepted, lan, educator, family
):
    family.interpreter_wanted = True
    family.save()
    url = reverse("visit_schedule", args=[accepted.pk])
    page = client_of(educator).get(url)
    assert "With an interpreter (Spanish)" in text_of(page)
    (day, *_rest) = page.context["offer"].suiting + [
        day for _monday, days in page.context["offer"].weeks for day in days
    ]

    client_of(educator).post(
        url,
        {"slot": day.times[0].value, "minutes": 60, "place": "home", "interpret": "es"},
    )

    request = InterpreterRequest.objects.get()
    assert (request.language, request.state) == ("es", "pending")
    assert request.asks.get().interpreter == lan


def test_too_soon_for_the_interpreter_is_said_on_the_page(accepted, lan, educator, family, program):
    program.interpreter_notice = 5
    program.save()
    family.interpreter_wanted = True
    family.save()
    data = {"slot": "other", "day": "2026-10-08", "time": "16:30", "minutes": 60, "place": "home"}

    url = reverse("visit_schedule", args=[accepted.pk])
    response = client_of(educator).post(url, data | {"interpret": "es"})

    assert response.status_code == 409 and not Visit.objects.exists()
    assert "An interpreter for Spanish needs 5 working days: pick Tue, Oct 13 or later." in text_of(
        response
    )


def test_where_nobody_interprets_the_page_schedules_without(accepted, educator, family):
    family.interpreter_wanted = True
    family.save()
    url = reverse("visit_schedule", args=[accepted.pk]) + "?interpret=es"

    page = client_of(educator).get(url)

    assert "Nobody who may be asked interprets Spanish yet" in text_of(page)
    assert '<input type="hidden" name="interpret" value="">' in page.content.decode()


def test_needs_stand_first(interpreter_request, lan, site_coordinator, visit, program, add_family):
    interpreting.accept(interpreter_request.asks.get())
    assert "Covered" in seen(site_coordinator, "interpreter_request_list")
    first = InterpreterRequest.objects.by_need()
    other = like(visit, add_family("Nguyen"), at(7, 17))
    request = InterpreterRequest.objects.create(
        program=program,
        visit=other,
        bound=other,
        during=other.during,
        language="vi",
        state="no_resource",
    )

    assert list(first) == [request, interpreter_request]
    said = seen(site_coordinator, "interpreter_request_list")
    assert said.index("Nobody can") < said.index("Covered")


def test_what_was_interpreted_stays_to_be_found(interpreter_request, site_coordinator, visit):
    interpreting.accept(interpreter_request.asks.get())
    done = "interpreter_request_list"
    assert "Nobody has interpreted yet" in seen(site_coordinator, done, query="?show=done")

    with clock.at(visit.during.upper + datetime.timedelta(minutes=1)):
        said = seen(site_coordinator, done, query="?show=done")

    assert "Lan Tran" in said and "$45.00" in said


def like(visit: Visit, family: Family, starts: datetime.datetime) -> Visit:
    """A visit of the same people at another family."""
    other, invitation = Visit.objects.get(pk=visit.pk), Invitation.objects.get(visits=visit)
    invitation.pk, invitation.family = None, family
    invitation.save()
    other.pk, other.family, other.invitation = None, family, invitation
    other.during = scheduling.slot(starts)
    other.save()
    return other


def test_the_page_of_a_request_says_who_was_asked_and_who_is_left(
    interpreter_request, eva, site_coordinator
):
    said = seen(site_coordinator, "interpreter_request_detail", interpreter_request.pk)

    assert "Interpreter for Spanish" in said and "Looking for an interpreter" in said
    assert "Lan Tran" in said and "No answer yet" in said
    assert "Eva Tran Asked next" in said
    assert "Ortega" not in said


def test_an_answer_is_noted_from_the_page(interpreter_request, eva, site_coordinator):
    said = do(site_coordinator, "answer", interpreter_request, interpreter=eva.pk, answer="yes")

    assert "Noted." in said and "Covered" in said
    assert InterpreterRequest.objects.get().interpreter == eva


@pytest.mark.parametrize("data", [{}, {"interpreter": "0", "answer": "yes"}, {"answer": "maybe"}])
def test_half_an_answer_changes_nothing(interpreter_request, site_coordinator, data):
    said = do(site_coordinator, "answer", interpreter_request, **data)

    assert "Choose who it was, and what they said." in said
    assert InterpreterRequest.objects.get().state == "pending"


def test_the_next_is_asked_by_a_button_until_nobody_is_left(
    interpreter_request, eva, site_coordinator
):
    assert "Eva Tran is asked now." in do(site_coordinator, "next", interpreter_request)
    said = do(site_coordinator, "next", interpreter_request)

    assert "Nobody on the rota is left to be asked." in said
    assert InterpreterRequest.objects.get().state == "no_resource"


def test_no_interpreter_is_needed_by_a_button(interpreter_request, lan, site_coordinator):
    interpreting.accept(interpreter_request.asks.get())

    with clock.at(at(8, 8)):
        said = do(site_coordinator, "end", interpreter_request)

    assert "Whoever was asked is told." in said
    assert Message.objects.filter(kind="interpreter_off").count() == 1
    cancelled = seen(site_coordinator, "interpreter_request_list", query="?show=ended")
    assert "costs $45.00 all the same" in cancelled


def test_the_desk_says_where_nobody_can(interpreter_request, lan, site_coordinator):
    assert "no interpreter" not in seen(site_coordinator, "desk")

    interpreting.decline(interpreter_request.asks.get())

    said = seen(site_coordinator, "desk")
    assert "One visit has no interpreter: nobody on the rota can" in said
    with clock.at(at(8, 20)):
        assert "no interpreter" not in seen(site_coordinator, "desk")


def test_the_visit_and_today_say_who_interprets(interpreter_request, lan, visit, educator, partner):
    for name, args in (("today", []), ("visit_detail", [visit.pk])):
        assert "Looking for an interpreter (Spanish)" in seen(educator, name, *args)

    interpreting.accept(interpreter_request.asks.get())

    for name, args in (("today", []), ("visit_detail", [visit.pk])):
        assert "Interpreter Lan Tran" in seen(educator, name, *args)


def test_an_interpreter_can_be_asked_later_from_the_visits_page(visit, lan, educator):
    assert "Ask for an interpreter for Spanish" in seen(educator, "visit_detail", visit.pk)
    url = reverse("visit_interpret", args=[visit.pk])

    said = text_of(client_of(educator).post(url, follow=True))

    assert "An interpreter is asked." in said
    assert "Ask for an interpreter for Spanish" not in said
    assert InterpreterRequest.objects.get().asks.get().interpreter == lan


def test_where_nobody_is_on_the_rota_the_visit_says_so(visit, educator):
    url = reverse("visit_interpret", args=[visit.pk])

    said = text_of(client_of(educator).post(url, follow=True))

    assert "Nobody is on the rota for Spanish." in said


def test_a_late_change_says_before_what_it_costs(interpreter_request, lan, visit, educator):
    warning = "The interpreter may have to be paid: $45.00."
    pages = [("visit_detail", visit.pk), ("visit_move", visit.pk)]
    assert not any(warning in seen(educator, *page) for page in pages)

    interpreting.accept(interpreter_request.asks.get())
    with clock.at(at(8, 8)):
        assert all(warning in seen(educator, *page) for page in pages)
    Interpreter.objects.update(hourly_rate=None)
    InterpreterRequest.objects.update(hourly_rate=None)
    with clock.at(at(8, 8)):
        assert "The interpreter may have to be paid." in seen(educator, *pages[0])


def test_moving_offers_times_when_somebody_interprets(
    interpreter_request, lan, visit, educator, program
):
    url = reverse("visit_move", args=[visit.pk])

    page = client_of(educator).get(url)
    assert page.context["interpret"] == "es"
    assert client_of(educator).get(url + "?interpret=").context["interpret"] == ""
    data = {"slot": "other", "day": "2026-10-09", "time": "17:00", "minutes": 60, "place": "home"}
    assert client_of(educator).post(url, data).status_code == 302

    request = InterpreterRequest.objects.standing().get()
    assert request.during == scheduling.slot(at(9, 17))


def test_a_teacher_of_another_school_sees_nothing_of_it(
    interpreter_request, person, program, other_school, visit
):
    teacher = client_of(person("Tom Elsewhere", "educator", program, other_school))

    assert teacher.get(reverse("visit_detail", args=[visit.pk])).status_code == 404
    assert teacher.post(reverse("visit_interpret", args=[visit.pk])).status_code == 404
    page = reverse("interpreter_request_detail", args=[interpreter_request.pk])
    assert teacher.get(page).status_code == 403


def test_another_schools_coordinator_sees_none_of_its_requests(
    interpreter_request, other_site_coordinator
):
    assert "No visit needs an interpreter" in seen(
        other_site_coordinator, "interpreter_request_list"
    )


def test_the_task_asks_in_every_program(interpreter_request, eva, program):
    until = interpreter_asks.waits_until(interpreter_request.asks.get(), interpreter_request.visit)
    with clock.at(until):
        tasks.ask_interpreters(0)

    assert interpreter_request.asks.count() == 2
