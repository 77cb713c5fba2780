"""An interpreter for a visit: notice, who is asked when, answers, and visits that change."""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from pthv import clock, tokens
from pthv.blocked import NotReady
from pthv.models import AuditEntry, Message
from tests.conftest import NOW, at
from visits import interpreter_asks, interpreting, moving, rota, scheduling
from visits.models import (
    Availability,
    Interpreter,
    InterpreterAsk,
    InterpreterRequest,
    SchoolHoliday,
    TimeOff,
    Visit,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(program, program_coordinator) -> Callable[..., Interpreter]:
    """Put somebody on the rota for Spanish, after all who are there."""

    def add(name: str, **facts) -> Interpreter:
        known = {
            "kind": "staff",
            "given_name": name,
            "family_name": "Rota",
            "email": f"{name.lower()}@example.org",
            "phone": "",
            "languages": ["es"],
            "hourly_rate": None,
        }
        return rota.add(program, known | facts, by=program_coordinator)

    return add


@pytest.fixture
def eva(lan, add) -> Interpreter:
    """Asked after Lan."""
    return add("Eva")


def asked(request: InterpreterRequest) -> list[tuple[str, str]]:
    """Whom, in their order, and what they said."""
    asks = request.asks.select_related("interpreter")
    return [(ask.interpreter.given_name, ask.answer) for ask in asks]


def ask_of(request: InterpreterRequest, person: Interpreter) -> InterpreterAsk:
    return request.asks.get(interpreter=person)


def again(request: InterpreterRequest) -> InterpreterRequest:
    return InterpreterRequest.objects.get(pk=request.pk)


def told(kind: str) -> list[str]:
    return sorted(Message.objects.filter(kind=kind).values_list("address", flat=True))


# Notice.


@pytest.fixture
def noticed(program):
    """The notices that a program begins with, and today is a Tuesday."""
    program.interpreter_notice, program.interpreter_notice_outside = 5, 10
    program.save()


def refused(language: str, school, day: datetime.date, team=()) -> list[str]:
    school.refresh_from_db()
    return interpreter_asks.blockers(language, list(team), school, day)


def test_too_soon_is_refused_with_the_first_day_that_is_not(lan, noticed, school):
    monday, tuesday = at(12, 0).date(), at(13, 0).date()

    assert refused("vi", school, tuesday) == []
    assert refused("vi", school, monday) == [
        "An interpreter for Vietnamese needs 5 working days: pick Tue, Oct 13 or later."
    ]


def test_days_on_which_the_school_is_closed_are_no_working_days(lan, noticed, program, school):
    SchoolHoliday.objects.create(
        program=program, name="Fall break", starts_on=at(8, 0), ends_on=at(9, 0)
    )

    assert "pick Thu, Oct 15 or later" in refused("vi", school, at(14, 0).date())[0]


def test_the_shortest_notice_on_the_rota_decides(add, noticed, school):
    add("Ola", kind="outside", languages=["so"])
    day = at(13, 0).date()

    assert "needs 10 working days: pick Tue, Oct 20" in refused("so", school, day)[0]

    add("Abdi", kind="staff", languages=["so"])
    assert refused("so", school, day) == []


def test_sign_language_needs_its_own_notice(add, noticed, school):
    add("Sig", languages=["ase"])

    (sentence,) = refused("ase", school, at(13, 0).date())
    assert sentence == (
        "An interpreter for American Sign Language needs 20 working days: pick Tue, Nov 3 or later."
    )


def test_where_nobody_interprets_a_language_it_says_what_to_do(lan, school):
    (sentence,) = refused("hmn", school, at(30, 0).date())

    assert sentence.startswith("Nobody is on the rota for Hmong.")
    assert "schedule the visit without an interpreter" in sentence


def test_whoever_visits_does_not_count_as_their_own_interpreter(
    educator, ana, lan, school, program_coordinator
):
    rota.be_asked(ana, True, by=educator, languages=["so"])

    assert refused("so", school, at(30, 0).date(), [ana])
    assert refused("so", school, at(30, 0).date()) == []


def test_scheduling_is_refused_by_notice_and_makes_nothing(accepted, lan, noticed, educator):
    with pytest.raises(NotReady, match=r"pick Tue, Oct 13 or later\."):
        scheduling.schedule(
            accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator, interpret="es"
        )

    assert not Visit.objects.exists() and not InterpreterRequest.objects.exists()


def test_scheduling_asks_the_first_of_the_rota(accepted, lan, eva, educator):
    visit = scheduling.schedule(
        accepted, scheduling.slot(at(8, 16, 30)), "home", by=educator, interpret="es"
    )

    request = visit.interpreter_requests.get()
    assert (request.state, request.language) == ("pending", "es")
    assert asked(request) == [("Lan", "waiting")]
    (message,) = Message.objects.filter(kind="interpreter_ask")
    assert message.address == "lan@example.org"
    assert "Spanish" in message.body and "{link}" in message.body
    assert "Ortega" not in message.body + message.subject


def test_the_same_request_twice_is_one(interpreter_request, visit, educator):
    again = interpreting.request_for(visit, "es", by=educator)

    assert again == interpreter_request
    assert Message.objects.filter(kind="interpreter_ask").count() == 1


# Who is asked.


def test_whoever_is_away_busy_or_may_not_be_asked_is_passed_over(
    program, visit, lan, add, educator, program_coordinator
):
    Interpreter.objects.filter(pk=lan.pk).update(willing=False)
    away, other_hours = add("Away"), add("Hours")
    add("Free")
    TimeOff.objects.create(program=program, interpreter=away, starts_on=at(8, 0), ends_on=at(8, 0))
    Availability.objects.create(
        program=program, interpreter=other_hours, weekday=3, starts="17:00", ends="20:00"
    )

    request = interpreting.request_for(visit, "es", by=educator)

    assert asked(request) == [("Free", "waiting")]
    said = {str(one): why for one, why in interpreter_asks.why_not(request, request.visit)}
    assert said == {
        "Away Rota": "Away Rota is away that day.",
        "Hours Rota": "Hours Rota has other hours.",
    }


def test_whoever_goes_on_the_visit_is_not_asked_to_interpret_at_it(visit, lan, partner, educator):
    Interpreter.objects.filter(pk=lan.pk).update(ended_on=at(1, 0).date())
    rota.be_asked(partner.educators.get(), True, by=partner, languages=["es"])
    rota_of_others = Interpreter.objects.on_the_rota("es")
    assert rota_of_others.count() == 1

    with pytest.raises(NotReady, match="Nobody is on the rota"):
        interpreting.request_for(visit, "es", by=educator)


def test_an_educator_with_a_visit_of_their_own_then_is_passed_over(
    visit, lan, eva, add_family, colleague, partner, educator, course, program_coordinator,
    school, school_year, school_class, site_coordinator,
):  # fmt: skip
    """Cara interprets, too, and visits at that time."""
    cara = colleague.educators.get()
    mine = rota.be_asked(cara, True, by=colleague, languages=["es"])
    Interpreter.objects.filter(pk=mine.pk).update(position=0)
    # As if she went along on another visit.
    other = Visit.objects.get(pk=visit.pk)
    scheduled = other.participants.first()
    scheduled.pk, scheduled.educator = None, cara
    scheduled.save()

    request = interpreting.request_for(visit, "es", by=educator)

    assert asked(request) == [("Lan", "waiting")]


def test_an_answer_that_is_late_lets_the_next_be_asked(interpreter_request, eva, program):
    until = interpreter_asks.waits_until(
        ask_of(interpreter_request, Interpreter.objects.get(given_name="Lan")),
        interpreter_request.visit,
    )
    with clock.at(until - datetime.timedelta(minutes=1)):
        assert interpreter_asks.ask_on(program) == 0
    with clock.at(until):
        assert interpreter_asks.ask_on(program) == 1
        assert interpreter_asks.ask_on(program) == 0

    assert asked(interpreter_request) == [("Lan", "lapsed"), ("Eva", "waiting")]
    assert NOW < until <= NOW + datetime.timedelta(days=1)


def test_where_the_visit_is_near_nobody_is_waited_for_over_the_weekend(interpreter_request):
    ask, visit = interpreter_request.asks.get(), interpreter_request.visit
    ask.asked_at, visit.during = at(10, 9), scheduling.slot(at(12, 17))

    assert interpreter_asks.waits_until(ask, visit) == at(10, 23)


def test_a_day_is_no_weekend_day_where_there_is_time(interpreter_request):
    ask = interpreter_request.asks.get()
    friday = at(9, 15)
    visit = interpreter_request.visit
    ask.asked_at, visit.during = friday, scheduling.slot(at(20, 16))

    assert interpreter_asks.waits_until(ask, visit) == at(12, 15)


def test_a_question_that_came_back_lets_the_next_be_asked_at_once(
    interpreter_request, eva, program
):
    Message.objects.filter(kind="interpreter_ask").update(state="failed", problem="refused")

    assert interpreter_asks.ask_on(program) == 1
    assert asked(interpreter_request)[-1] == ("Eva", "waiting")


def test_nobody_left_is_said_once_and_whoever_is_added_later_is_asked(
    interpreter_request, lan, add, program
):
    interpreting.decline(ask_of(interpreter_request, lan))
    request = again(interpreter_request)
    assert request.state == "no_resource"
    assert interpreter_asks.ask_on(program) == 0
    assert told("interpreter_none") == ["ana.ruiz@example.org", "ben.lee@example.org"]

    add("Eva")
    assert interpreter_asks.ask_on(program) == 1
    assert again(interpreter_request).state == "pending"


def test_a_request_nobody_covered_closes_when_its_visit_begins(interpreter_request, visit, program):
    with clock.at(visit.during.lower):
        interpreter_asks.ask_on(program)

    assert again(interpreter_request).state == "cancelled"
    assert asked(interpreter_request) == [("Lan", "lapsed")]


def test_whoever_we_cannot_write_to_is_left_to_people(visit, lan, add, educator, settings):
    settings.TEXT_URL = ""
    Interpreter.objects.filter(pk=lan.pk).update(email="", phone="+13125550177")

    request = interpreting.request_for(visit, "es", by=educator)

    assert request.state == "no_resource"
    ((_lan, why),) = interpreter_asks.why_not(request, request.visit)
    assert why == "We can't write to Lan Tran. Call, and note what they say."


def test_with_a_number_alone_they_are_asked_by_text(visit, lan, educator):
    Interpreter.objects.filter(pk=lan.pk).update(email="", phone="+13125550177")

    interpreting.request_for(visit, "es", by=educator)

    (message,) = Message.objects.filter(kind="interpreter_ask")
    assert (message.channel, message.address) == ("text", "+13125550177")
    assert "STOP" in message.body


# What they say.


def test_a_yes_covers_keeps_the_rate_and_tells_everybody_once(interpreter_request, lan):
    ask = ask_of(interpreter_request, lan)

    interpreting.accept(ask)
    interpreting.accept(ask)

    request = again(interpreter_request)
    assert (request.state, request.interpreter, request.hourly_rate) == ("covered", lan, 45)
    assert asked(request) == [("Lan", "accepted")]
    assert told("interpreter_found") == ["ana.ruiz@example.org", "ben.lee@example.org"]
    (thanks,) = Message.objects.filter(kind="interpreter_covered")
    assert thanks.address == "lan@example.org" and thanks.calendar_method == "REQUEST"
    assert "SUMMARY:Home visit" in thanks.calendar
    assert "Ortega" not in thanks.calendar + thanks.body + thanks.subject


def test_the_rate_of_that_day_stays_when_hers_changes(
    interpreter_request, lan, program_coordinator
):
    interpreting.accept(ask_of(interpreter_request, lan))
    facts = {name: getattr(lan, name) for name in rota.FIELDS}

    rota.change(lan, facts | {"hourly_rate": Decimal(60)}, by=program_coordinator)

    assert again(interpreter_request).hourly_rate == 45
    assert interpreting.cost(again(interpreter_request)) == Decimal("45.00")


def test_a_no_asks_the_next(interpreter_request, lan, eva):
    interpreting.decline(ask_of(interpreter_request, lan))

    assert asked(interpreter_request) == [("Lan", "declined"), ("Eva", "waiting")]


def test_whoever_did_not_answer_in_time_may_come_while_nobody_else_does(
    interpreter_request, lan, eva
):
    interpreter_asks.ask_next(interpreter_request)
    assert asked(interpreter_request) == [("Lan", "lapsed"), ("Eva", "waiting")]

    interpreting.accept(ask_of(interpreter_request, lan))

    assert again(interpreter_request).interpreter == lan
    assert asked(interpreter_request) == [("Lan", "accepted"), ("Eva", "lapsed")]
    with pytest.raises(NotReady, match="Somebody else interprets"):
        interpreting.accept(ask_of(interpreter_request, eva))


def test_not_after_all_asks_the_next_and_leaves_the_calendar(interpreter_request, lan, eva):
    interpreting.accept(ask_of(interpreter_request, lan))
    with clock.at(NOW + datetime.timedelta(hours=1)):
        interpreting.decline(ask_of(interpreter_request, lan))

    request = again(interpreter_request)
    assert (request.state, request.interpreter, request.hourly_rate) == ("pending", None, None)
    assert asked(request) == [("Lan", "declined"), ("Eva", "waiting")]
    assert len(told("interpreter_lost")) == 2
    off = Message.objects.get(kind="interpreter_left")
    on = Message.objects.get(kind="interpreter_covered")
    assert off.calendar_method == "CANCEL" and sequence(off) > sequence(on)
    assert line(off, "UID") == line(on, "UID")


def line(message: Message, name: str) -> str:
    return next(one for one in message.calendar.splitlines() if one.startswith(name + ":"))


def sequence(message: Message) -> int:
    return int(line(message, "SEQUENCE").split(":")[1])


def test_double_booking_is_refused_by_sentence_and_by_the_database(
    interpreter_request, lan, visit, add_family, partner, educator
):
    """At another visit then, however it came about."""
    interpreting.accept(ask_of(interpreter_request, lan))
    later = Visit.objects.get(pk=visit.pk)
    later.pk = None
    later.family, later.invitation_id = add_family("Nguyen"), visit.invitation_id
    other = _another(visit, later)
    request = InterpreterRequest.objects.create(
        program=visit.program, visit=other, bound=other, during=other.during, language="es"
    )
    Interpreter.objects.filter(pk=lan.pk).update(email="lan@example.org")

    with pytest.raises(NotReady, match="Lan Tran is at another visit then"):
        interpreting.cover(request, lan, by=educator)
    with pytest.raises(IntegrityError, match="interpreter_one_at_a_time"), transaction.atomic():
        InterpreterRequest.objects.filter(pk=request.pk).update(
            state="covered", interpreter=lan, covered_at=clock.now()
        )


def _another(visit: Visit, wanted: Visit) -> Visit:
    """Another visit of the same time, of another invitation."""
    invitation = visit.invitation
    invitation.pk, invitation.family = None, wanted.family
    invitation.save()
    wanted.invitation = invitation
    wanted.save()
    return wanted


def test_staff_note_an_answer_given_on_the_phone(interpreter_request, eva, educator, lan):
    """Of somebody who was not even asked; whoever is waited for is waited for all the same."""
    interpreting.turn_down(interpreter_request, eva, by=educator)
    assert asked(interpreter_request) == [("Lan", "waiting"), ("Eva", "declined")]

    interpreting.cover(interpreter_request, eva, by=educator)

    request = again(interpreter_request)
    assert request.interpreter == eva
    assert asked(request) == [("Lan", "lapsed"), ("Eva", "accepted")]
    assert ask_of(request, eva).recorded_by == educator


def test_nobody_is_noted_who_may_not_be_asked(interpreter_request, eva, educator):
    Interpreter.objects.filter(pk=eva.pk).update(willing=False)

    with pytest.raises(NotReady, match="Eva Rota is not on the rota"):
        interpreting.cover(interpreter_request, eva, by=educator)


# When the visit changes.


def test_cancelled_early_costs_nothing_and_whoever_comes_is_told(accepted, lan, educator, program):
    program.interpreter_notice = 4
    program.save()
    visit = scheduling.schedule(
        accepted, scheduling.slot(at(20, 16, 30)), "home", by=educator, interpret="es"
    )
    request = visit.interpreter_requests.get()
    interpreting.accept(request.asks.get())

    scheduling.cancel(visit, "educator_cancelled", by=educator)

    assert again(request).state == "cancelled"
    off = Message.objects.get(kind="interpreter_off")
    assert off.address == "lan@example.org" and off.calendar_method == "CANCEL"


def test_cancelled_late_is_kept_with_its_cost_and_was_said_before(accepted, lan, educator, program):
    program.interpreter_notice = 4
    program.save()
    visit = scheduling.schedule(
        accepted, scheduling.slot(at(20, 16, 30)), "home", by=educator, interpret="es"
    )
    request = visit.interpreter_requests.get()
    interpreting.accept(request.asks.get())
    visit = Visit.objects.get(pk=visit.pk)
    assert interpreting.price(visit) == (False, Decimal("45.00"))

    with clock.at(at(19, 9)):
        assert interpreting.price(visit) == (True, Decimal("45.00"))
        scheduling.cancel(visit, "family_cancelled", by=educator)

    assert (again(request).state, again(request).interpreter) == ("wasted", lan)


def test_nobody_home_was_in_vain(interpreter_request, lan, visit, educator):
    interpreting.accept(ask_of(interpreter_request, lan))

    with clock.at(visit.during.upper):
        scheduling.cancel(visit, "not_home", by=educator)

    assert again(interpreter_request).state == "wasted"
    assert not told("interpreter_off")


def test_a_question_nobody_has_read_is_not_taken_back_but_stays(
    interpreter_request, visit, educator
):
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    assert again(interpreter_request).state == "cancelled"
    assert Message.objects.get(kind="interpreter_ask").state == "withdrawn"
    assert not told("interpreter_off")


def test_a_moved_visit_asks_anew_whoever_had_promised(
    interpreter_request, lan, eva, visit, educator
):
    """Before all others, and whatever notice they need: they had planned for it."""
    Interpreter.objects.filter(pk=eva.pk).update(position=0)
    interpreting.accept(ask_of(interpreter_request, lan))

    moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)

    new = InterpreterRequest.objects.standing().get()
    assert new.pk != interpreter_request.pk and new.during == scheduling.slot(at(9, 17))
    assert asked(new) == [("Lan", "waiting")]
    message = Message.objects.get(kind="interpreter_ask", link_nonce=new.asks.get().nonce)
    assert "on Thu, Oct 8, 4:30 PM, at which you interpret, moves to" in message.body
    assert message.calendar_method == "CANCEL"


def test_moved_late_is_paid_unless_the_same_person_comes(interpreter_request, lan, visit, educator):
    interpreting.accept(ask_of(interpreter_request, lan))
    with clock.at(at(8, 8)):
        moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)
        assert again(interpreter_request).state == "wasted"

        interpreting.accept(InterpreterRequest.objects.standing().get().asks.get())

    assert again(interpreter_request).state == "cancelled"
    assert InterpreterRequest.objects.standing().get().state == "covered"


def test_moved_to_a_time_when_they_are_away_the_next_is_asked_and_they_are_told(
    interpreter_request, lan, eva, visit, educator, program
):
    interpreting.accept(ask_of(interpreter_request, lan))
    TimeOff.objects.create(program=program, interpreter=lan, starts_on=at(9, 0), ends_on=at(9, 0))

    moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator)

    assert asked(InterpreterRequest.objects.standing().get()) == [("Eva", "waiting")]
    assert told("interpreter_off") == ["lan@example.org"]


def test_another_place_at_the_same_time_changes_nothing(interpreter_request, lan, visit, educator):
    interpreting.accept(ask_of(interpreter_request, lan))

    moving.move(visit, visit.during, "virtual", by=educator)

    assert again(interpreter_request).state == "covered"


def test_whoever_interprets_can_not_be_swapped_in(
    interpreter_request, visit, colleague, course, educator, partner, program_coordinator
):
    cara = colleague.educators.get()
    mine = rota.be_asked(cara, True, by=colleague, languages=["es"])
    interpreting.cover(interpreter_request, mine, by=educator)

    with pytest.raises(NotReady, match="Cara Diaz interprets at this visit"):
        moving.swap(visit, partner.educators.get(), cara, by=educator)


def test_no_interpreter_is_needed_after_all(interpreter_request, lan, educator):
    interpreting.accept(ask_of(interpreter_request, lan))

    interpreting.call_off(interpreter_request, by=educator)

    assert not InterpreterRequest.objects.standing().exists()
    assert told("interpreter_off") == ["lan@example.org"]


def test_after_the_end_nothing_is_accepted(interpreter_request, lan, visit, educator):
    ask = ask_of(interpreter_request, lan)
    scheduling.cancel(visit, "educator_cancelled", by=educator)

    with pytest.raises(NotReady, match="needs no interpreter any more"):
        interpreting.accept(ask)


def test_what_happened_stands_in_the_audit_log(interpreter_request, lan):
    interpreting.accept(ask_of(interpreter_request, lan))

    found = AuditEntry.objects.filter(event__startswith="interpreter.").order_by("pk")
    assert list(found.values_list("event", flat=True)) == [
        "interpreter.added",
        "interpreter.requested",
        "interpreter.asked",
        "interpreter.covered",
    ]


def test_no_token_is_in_the_database(interpreter_request):
    ask = interpreter_request.asks.get()
    (message,) = Message.objects.filter(kind="interpreter_ask")

    token = tokens.token(ask.nonce)
    assert token not in message.body and ask.token_hash == tokens.hashed(token)


def test_what_ended_keeps_the_time_and_the_cost_it_was_promised(
    interpreter_request, lan, visit, educator, program
):
    """Moved late, and moved again to half an hour: who was to come is owed the first hour."""
    interpreting.cover(interpreter_request, lan, by=educator)
    program.interpreter_notice = 10
    program.save()
    moving.move(visit, scheduling.slot(at(26, 17)), "home", by=educator)
    moving.move(visit, scheduling.slot(at(27, 17), 30), "home", by=educator)

    interpreter_request.refresh_from_db()
    assert interpreter_request.state == "wasted"
    assert interpreter_request.during.lower == at(8, 16, 30)
    assert interpreting.cost(interpreter_request) == Decimal("45.00")
