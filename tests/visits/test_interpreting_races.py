"""Two who answer at once, an answer while the visit is cancelled or moved: threads on real
PostgreSQL."""

import time

import pytest

from pthv.blocked import NotReady
from tests.conftest import at
from tests.visits.test_concurrency import at_once
from tests.visits.test_interpreting_views import like
from training import certification
from visits import interpreter_asks, interpreting, moving, rota, scheduling
from visits.models import Interpreter, InterpreterAsk, InterpreterRequest, Visit

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
ROUNDS = 8


@pytest.fixture
def eva(lan, program, program_coordinator) -> Interpreter:
    facts = {name: getattr(lan, name) for name in rota.FIELDS}
    facts |= {"given_name": "Eva", "email": "eva@example.org"}
    return rota.add(program, facts, by=program_coordinator)


def sorted_out(results: list[object]) -> tuple[int, list[str]]:
    """How many came through, and what the others were told; anything else is a failure."""
    refused = [str(one) for one in results if isinstance(one, NotReady)]
    broken = [
        one for one in results if isinstance(one, Exception) and not isinstance(one, NotReady)
    ]
    assert not broken, broken
    return len(results) - len(refused), refused


def test_two_who_say_yes_at_once_leave_one(interpreter_request, lan, eva):
    interpreter_asks.ask_next(interpreter_request)
    asks = list(InterpreterAsk.objects.order_by("pk"))
    for _round in range(ROUNDS):
        through, refused = sorted_out(
            at_once(*[lambda ask=a: interpreting.accept(ask) for a in asks])
        )

        assert through == 1 and "Somebody else interprets" in refused[0]
        request = InterpreterRequest.objects.get()
        assert request.state == "covered"
        assert InterpreterAsk.objects.filter(answer="accepted").get().interpreter == (
            request.interpreter
        )
        InterpreterRequest.objects.update(
            state="pending", interpreter=None, covered_at=None, hourly_rate=None
        )
        InterpreterAsk.objects.update(answer="lapsed")


def test_a_yes_tapped_four_times_is_one(interpreter_request):
    ask = interpreter_request.asks.get()

    through, _refused = sorted_out(at_once(*[lambda: interpreting.accept(ask)] * 4))

    assert through == 4
    assert InterpreterRequest.objects.get().state == "covered"


def test_a_yes_while_the_visit_is_cancelled(interpreter_request, visit, educator):
    """Whoever is first: nobody is left covering a visit that won't be."""
    ask = interpreter_request.asks.get()

    _through, refused = sorted_out(
        at_once(
            lambda: interpreting.accept(ask),
            lambda: scheduling.cancel(visit, "educator_cancelled", by=educator),
        )
    )

    assert InterpreterRequest.objects.get().state in {"cancelled", "wasted"}
    assert not refused or "needs no interpreter any more" in refused[0]


def test_a_yes_while_the_visit_is_moved(interpreter_request, visit, lan, educator):
    ask = interpreter_request.asks.get()

    sorted_out(
        at_once(
            lambda: interpreting.accept(ask),
            lambda: moving.move(visit, scheduling.slot(at(9, 17)), "home", by=educator),
        )
    )

    new = InterpreterRequest.objects.standing().get()
    assert new.state in {"pending", "no_resource"} and new.during == scheduling.slot(at(9, 17))


def test_one_interpreter_says_yes_to_two_visits_at_once(
    interpreter_request, visit, lan, add_family, program, educator
):
    other = like(visit, add_family("Nguyen"), visit.during.lower)
    second = InterpreterRequest.objects.create(
        program=program, visit=other, bound=other, during=other.during, language="vi"
    )

    through, refused = sorted_out(
        at_once(
            lambda: interpreting.cover(interpreter_request, lan, by=educator),
            lambda: interpreting.cover(second, lan, by=educator),
        )
    )

    assert through == 1 and "is at another visit then" in refused[0]
    assert InterpreterRequest.objects.filter(state="covered").count() == 1


def test_an_educator_covers_while_they_are_scheduled_to_visit(
    visit, lan, colleague, educator, accepted, partner, add_family, course, program_coordinator,
    program, pay_rate,
):  # fmt: skip
    """Cara says that she interprets while she is swapped into another visit of that time."""
    cara = colleague.educators.get()
    mine = rota.be_asked(cara, True, by=colleague, languages=["es"])
    from_august(cara, course, program_coordinator)
    other = like(visit, add_family("Nguyen"), visit.during.lower)
    request = InterpreterRequest.objects.create(
        program=program, visit=other, bound=other, during=other.during, language="es"
    )

    through, _refused = sorted_out(
        at_once(
            lambda: interpreting.cover(request, mine, by=educator),
            lambda: (
                time.sleep(0.02),
                moving.swap(visit, partner.educators.get(), cara, by=educator),
            ),
        )
    )

    covers = InterpreterRequest.objects.filter(state="covered", interpreter=mine).count()
    goes = Visit.objects.get(pk=visit.pk).participants.filter(educator=cara).count()
    assert (through, covers + goes) == (1, 1)


def from_august(person, course, by) -> None:
    certification.issue(person, course, on=at(20, 0, month=8).date(), by=by)


def test_two_workers_ask_the_next_once(interpreter_request, lan, eva, program):
    interpreting.decline(interpreter_request.asks.get())
    InterpreterAsk.objects.filter(interpreter=eva).delete()

    counts = at_once(*[lambda: interpreter_asks.ask_on(program)] * 4)

    assert sorted(counts) == [0, 0, 0, 1]
