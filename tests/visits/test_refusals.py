"""What may not be is refused with its sentence by the page and by the action, and by the database
where a constraint can say it."""

import datetime
import re
from collections.abc import Callable
from html import unescape

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from pthv.blocked import NotReady
from tests.conftest import at
from training.models import Certification
from visits import answers, interpreting, invitations, scheduling, selection
from visits.models import Interpreter, Invitation, Visit

THURSDAY = at(8, 16, 30)


@pytest.fixture
def other_family(
    add_family, school, school_year, educator, partner, site_coordinator, accepted
) -> Callable[[], Invitation]:
    """Another family that said yes to the same two."""

    def other() -> Invitation:
        family = add_family("Nguyen")
        selection.plan_everyone(school, school_year, by=site_coordinator)
        invitation = Invitation.objects.get(family=family)
        Invitation.objects.filter(pk=invitation.pk).update(educator=educator.educators.get())
        invitation.refresh_from_db()
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
        return Invitation.objects.get(pk=invitation.pk)

    return other


@pytest.fixture
def attempt(request, accepted, educator) -> tuple[datetime.datetime, str, list[str]]:
    """Something that stands in the way: when it is tried, which language is to be interpreted,
    and what is said."""
    match request.param:
        case "untrained":
            Certification.objects.filter(educator__user__given_name="Ben").delete()
            return THURSDAY, "", ["Ben Lee has not been trained"]
        case "double-booked":
            other = request.getfixturevalue("other_family")()
            scheduling.schedule(other, scheduling.slot(THURSDAY), "home", by=educator)
            said = "This overlaps a visit of Ana Ruiz and Ben Lee at Thu, Oct 8, 4:30 PM."
            return at(8, 17), "", [said]
        case "too early":
            return at(8, 14), "", ["This is inside Lincoln's contract day (7:45 AM to 3:15 PM)."]
        case "over":
            return at(6, 9), "", ["This time has passed."]
        case "too soon for the interpreter":
            lan = request.getfixturevalue("lan")
            lan.program.interpreter_notice = 5
            lan.program.save()
            said = "An interpreter for Spanish needs 5 working days: pick Tue, Oct 13 or later."
            return THURSDAY, "es", [said]
        case "declined by the family":
            answers.record(accepted, "declined", by=educator)
            return THURSDAY, "", ["said no thank you"]
    raise AssertionError(request.param)


ALL = [
    "untrained",
    "double-booked",
    "too early",
    "over",
    "too soon for the interpreter",
    "declined by the family",
]


@pytest.mark.parametrize("attempt", ALL, indirect=True)
def test_the_action_refuses(attempt, accepted, educator):
    start, language, said = attempt
    before = Visit.objects.count()

    with pytest.raises(NotReady) as refused:
        scheduling.schedule(
            accepted, scheduling.slot(start), "home", by=educator, interpret=language
        )

    assert all(sentence in str(refused.value) for sentence in said)
    assert Visit.objects.count() == before


@pytest.mark.parametrize("attempt", ALL, indirect=True)
def test_the_page_refuses_and_says_why(attempt, accepted, educator):
    start, language, said = attempt
    before = Visit.objects.count()
    client = Client()
    client.force_login(educator)
    Invitation.objects.filter(pk=accepted.pk).update(interpreter_wanted=bool(language))
    form = {"slot": start.isoformat(), "minutes": 60, "place": "home", "interpret": language}

    response = client.post(f"/invitations/{accepted.pk}/schedule/", form)

    page = " ".join(re.sub(r"<[^>]+>", " ", unescape(response.content.decode())).split())
    assert response.status_code == 409
    assert all(sentence in page for sentence in said)
    assert Visit.objects.count() == before


def refused_by(sql: str, *values: object) -> str:
    with (
        pytest.raises(IntegrityError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, values)
    return str(refused.value)


def test_the_database_refuses_two_visits_of_one_educator(visit, other_family, educator):
    other = scheduling.schedule(other_family(), scheduling.slot(at(9, 17)), "home", by=educator)

    said = refused_by(
        "UPDATE visits_visit SET during = tstzrange(%s, %s, '[)') WHERE id = %s",
        at(8, 17), at(8, 18), other.pk,
    )  # fmt: skip

    assert "educator_visits_one_at_a_time" in said


def test_the_database_refuses_two_visits_of_one_interpreter(
    visit, other_family, educator, program, program_coordinator
):
    other = scheduling.schedule(other_family(), scheduling.slot(at(9, 17)), "home", by=educator)
    lan = Interpreter.objects.create(
        program=program, kind="staff", given_name="Lan", email="lan@example.org",
        languages=["es"], adult_confirmed_by=program_coordinator,
    )  # fmt: skip
    insert = (
        "INSERT INTO visits_interpreterrequest (program_id, visit_id, bound_id, during, occupies,"
        " language, state, interpreter_id, requested_at, covered_at)"
        " SELECT program_id, id, id, during, occupies, 'es', 'covered', %s, now(), now()"
        " FROM visits_visit WHERE id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(insert, [lan.pk, visit.pk])
        cursor.execute(insert, [lan.pk, other.pk])
        cursor.execute("DELETE FROM visits_visitparticipant WHERE visit_id = %s", [other.pk])

    said = refused_by(
        "UPDATE visits_visit SET during = tstzrange(%s, %s, '[)') WHERE id = %s",
        at(8, 17), at(8, 18), other.pk,
    )  # fmt: skip

    assert "interpreter_one_at_a_time" in said


def test_the_database_refuses_somebody_who_visits_to_interpret_then(interpreter_request, partner):
    Interpreter.objects.update(educator=partner.educators.get())

    said = refused_by(
        "UPDATE visits_interpreterrequest SET state = 'covered', covered_at = now(),"
        " interpreter_id = (SELECT id FROM visits_interpreter)"
    )

    assert "visits or interprets elsewhere" in said


def test_the_database_refuses_somebody_who_interprets_to_visit_then(
    interpreter_request, colleague, other_family, educator
):
    cara = colleague.educators.get()
    Interpreter.objects.update(educator=cara)
    interpreting.accept(interpreter_request.asks.get())

    said = refused_by(
        "UPDATE visits_visitparticipant SET educator_id = %s WHERE role = 'partner'", cara.pk
    )

    assert "visits or interprets elsewhere" in said


def test_the_database_refuses_a_request_at_another_time_than_its_visits(
    interpreter_request,
):
    said = refused_by(
        "UPDATE visits_interpreterrequest SET during = tstzrange(%s, %s, '[)')",
        at(9, 17), at(9, 18),
    )  # fmt: skip

    assert "interpreter_request_at_its_visits_time" in said
