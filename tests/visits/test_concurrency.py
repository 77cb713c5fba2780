"""What holds when thumbs double-tap and people race: threads on real PostgreSQL."""

import contextvars
import datetime
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from families import people
from families.models import Caregiver
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import Message
from tests.conftest import NOW, at
from tests.visits.test_answers import link_of
from training.models import Cohort
from visits import (
    answers,
    family_messages,
    invitations,
    logs,
    pay,
    reflections,
    scheduling,
    selection,
)
from visits.models import (
    Draw,
    Invitation,
    InvitationAnswer,
    PayLine,
    Reflection,
    Visit,
    VisitLog,
    VisitParticipant,
)

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


def at_once(*jobs: Callable[[], object]) -> list[object]:
    """Run the jobs at the same moment, each on a connection of its own; return what each
    gave, an exception among them."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        try:
            start.wait(timeout=20)
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        # A thread knows neither the clock nor the program's scope unless told.
        threads = [pool.submit(contextvars.copy_context().run, run, job) for job in jobs]
        return [thread.result(timeout=60) for thread in threads]


@pytest.fixture
def two_yeses(
    add_family, school, school_year, school_class, educator, partner, trained, pay_rate,
    site_coordinator,
) -> list[Invitation]:  # fmt: skip
    """Two families said yes to the same pair."""
    for surname in ("Ortega", "Nguyen"):
        add_family(surname)
    selection.plan_everyone(school, school_year, school_class=school_class, by=site_coordinator)
    found = list(Invitation.objects.order_by("pk"))
    for invitation in found:
        answers.record(invitation, "accepted", by=educator)
        invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    return found


def overlaps() -> int:
    """Pairs of standing visits in which one educator would be in two places."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM visits_visitparticipant a JOIN visits_visitparticipant b
               ON a.educator_id = b.educator_id AND a.id < b.id AND a.during && b.during
               WHERE a.occupies AND b.occupies"""
        )
        return cursor.fetchone()[0]


def test_an_educator_is_never_in_two_places(two_yeses, educator, partner):
    one, other = two_yeses
    wins = []
    for attempt in range(200):
        start = at(8, 16, attempt % 60)
        results = at_once(
            lambda start=start: scheduling.schedule(
                one, scheduling.slot(start), "home", by=educator
            ),
            lambda start=start: scheduling.schedule(
                other, scheduling.slot(start, 30), "home", by=partner
            ),
        )
        won = [result for result in results if isinstance(result, Visit)]
        lost = [result for result in results if isinstance(result, NotReady)]
        assert (len(won), len(lost)) == (1, 1), results
        assert overlaps() == 0
        wins.append(results.index(won[0]))
        scheduling.cancel(won[0], "educator_cancelled", by=educator)

    assert Visit.objects.count() == 200


def test_the_same_form_posted_twenty_times_is_one_visit_and_one_pay_line_each(
    two_yeses, educator, partner, finance
):
    invitation = two_yeses[0]
    slot = {"day": "2026-10-08", "time": "16:30", "minutes": "60", "place": "home"}
    log = {"minutes": "40", "adults_present": "1", "language": "es", "hopes": "To read"}
    thoughts = {"learned": "He builds radios."}

    def post(user, name: str, pk: int, data: dict) -> set[int]:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value

        def once() -> int:
            mine = Client()
            mine.cookies["sessionid"] = session
            return mine.post(reverse(name, args=[pk]), data).status_code

        return set(at_once(*[once] * 20))

    assert post(educator, "visit_schedule", invitation.pk, slot) == {302}
    visit = Visit.objects.get()
    with clock.at(at(8, 18)):
        assert post(educator, "visit_log", visit.pk, log) == {302}
        assert post(educator, "visit_reflect", visit.pk, thoughts) == {302}
        assert post(partner, "visit_reflect", visit.pk, thoughts) == {302}

    assert VisitParticipant.objects.count() == 2
    assert VisitLog.objects.count() == 1
    assert Reflection.objects.count() == 2
    assert sorted(PayLine.objects.values_list("payee__email", flat=True)) == [
        "ana.ruiz@example.org",
        "ben.lee@example.org",
    ]
    assert Message.objects.filter(kind="visit_scheduled").count() == 2  # one each


@pytest.fixture
def earned(held, educator, partner) -> list[PayLine]:
    """Two lines of a completed visit, forty dollars each."""
    entry = logs.Entry(minutes=40, language="es", adults_present=1, student_present=True)
    logs.write(held, entry, by=educator)
    for user in (educator, partner):
        reflections.reflect(held, reflections.Thoughts("Much."), by=user)
    return list(PayLine.objects.order_by("pk"))


def test_two_approvals_never_spend_the_same_money(earned, finance, fund):
    fund.budget = Decimal(60)  # enough for one of the two lines
    fund.save()

    results = at_once(*[lambda line=line: pay.approve([line], fund, by=finance) for line in earned])

    assert sorted(isinstance(result, NotReady) for result in results) == [False, True]
    fund.refresh_from_db()
    assert fund.used == Decimal(40)


def test_a_batch_made_twice_at_once_takes_each_line_once(earned, finance, fund, program):
    pay.approve(earned, fund, by=finance)

    results = at_once(*[lambda: pay.batch(program, by=finance)] * 4)

    assert sorted(isinstance(result, NotReady) for result in results) == [False, True, True, True]
    assert PayLine.objects.filter(batch__number=1).count() == 2


def test_a_cohort_form_posted_five_times_opens_one(course, program_coordinator) -> None:
    def post() -> int:
        client = Client()
        client.force_login(program_coordinator)
        form = {"course": course.pk, "name": "Fall evenings"}
        return client.post(reverse("cohort_new"), form).status_code

    assert sorted(at_once(*[post] * 5)) == [302, 409, 409, 409, 409]
    assert Cohort.objects.count() == 1


def test_two_caregivers_who_answer_at_once_leave_one_state(two_yeses):
    invitation = two_yeses[0]
    mother = link_of(invitation, "Marta")
    father = link_of(invitation, "Luis")
    for _round in range(10):
        InvitationAnswer.objects.all().delete()
        Message.objects.all().delete()
        results = at_once(
            *(lambda: answers.record(invitation, "accepted", link=mother) for _ in range(3)),
            *(lambda: answers.record(invitation, "declined", link=father) for _ in range(3)),
        )
        assert all(isinstance(result, InvitationAnswer) for result in results), results

        invitation.refresh_from_db()
        assert invitation.state == Invitation.State.DECLINED and invitation.differing_at
        kept = InvitationAnswer.objects.order_by("answer").values_list("answer", flat=True)
        assert list(kept) == ["accepted", "declined"]
        # Each of the team hears of either answer once.
        assert Message.objects.filter(kind="family_answered").count() == 4
        Invitation.objects.filter(pk=invitation.pk).update(
            state="asked", answered_at=None, answered_caregiver=None, differing_at=None
        )


@pytest.fixture
def nine(add_family) -> None:
    for number in range(9):
        add_family(f"Family{number}")


def test_a_draw_tapped_four_times_at_once_is_one(
    nine, school, school_class, site_coordinator
) -> None:
    form = {"school": school.pk, "scope": f"class:{school_class.pk}", "kind": "draw", "size": 3}

    def post(url: str, typed: dict) -> str:
        client = Client()
        client.force_login(site_coordinator)
        return client.post(url, typed).headers["Location"]

    plans = set(at_once(*[lambda: post(reverse("plan_new"), form)] * 4))
    made = Draw.objects.get()
    assert plans == {reverse("plan_detail", args=[made.plan_id])}
    assert Invitation.objects.count() == 3

    more = {"size": 2, "after": 1, "because": "Two teachers more"}
    at_once(*[lambda: post(reverse("plan_draw", args=[made.plan_id]), more)] * 4)

    assert [draw.number for draw in Draw.objects.order_by("number")] == [1, 2]
    assert Invitation.objects.count() == 5


@pytest.fixture
def told(two_yeses, monkeypatch) -> Invitation:
    """A family that is told by e-mail when its visit is cancelled, which takes a moment."""
    invitation = two_yeses[0]
    invitation.family.caregivers.update(preferred_channel="email", email="marta@example.org")
    tell = family_messages.tell_cancelled

    def slowly(visit: Visit) -> list[Message]:
        time.sleep(0.3)
        return tell(visit)

    monkeypatch.setattr(family_messages, "tell_cancelled", slowly)
    return invitation


def test_a_no_and_a_cancellation_at_once_both_hold(told, educator):
    link = link_of(told, "Marta")
    visit = scheduling.schedule(told, scheduling.slot(at(8, 16)), "home", by=educator)
    Message.objects.update(
        state="sent", sent_at=clock.now()
    )  # who was told when is told that it won't be

    results = at_once(
        lambda: scheduling.cancel(visit, "educator_cancelled", by=educator),
        lambda: (time.sleep(0.1), answers.record(told, "declined", link=link)),
    )

    assert not [result for result in results if isinstance(result, Exception)], results
    told.refresh_from_db()
    visit.refresh_from_db()
    assert told.state == "declined" and visit.state == "educator_cancelled"


def test_settling_messages_while_a_caregiver_is_ended_waits_for_it(
    told, program, educator, site_coordinator, monkeypatch
):
    (person,) = told.family.caregivers.all()
    Invitation.objects.filter(pk=told.pk).update(state="asked", answered_at=None, answered_by=None)
    (refused,) = family_messages.invite(told, by=educator)
    Message.objects.filter(pk=refused.pk).update(state="failed", problem="refused")
    answers.record(told, "accepted", link=told.links.get())
    waiting = Message.objects.get(kind="thank_you")
    Caregiver.objects.filter(pk=person.pk).update(may_decide=False)
    mark = people.mark_dead

    def slowly(*args, **which) -> Caregiver:
        time.sleep(0.4)
        return mark(*args, **which)

    monkeypatch.setattr(people, "mark_dead", slowly)

    results = at_once(
        lambda: family_messages.settle(program),
        lambda: (
            time.sleep(0.1),
            people.end_caregiver(person, because="Moved away", by=site_coordinator),
        ),
    )

    assert not [result for result in results if isinstance(result, Exception)], results
    waiting.refresh_from_db()
    assert waiting.state == "withdrawn"


def test_two_workers_remind_a_family_once(family, invitation, educator, program):
    family.caregivers.update(preferred_channel="text")
    family_messages.invite(invitation, by=educator)
    Message.objects.update(state="sent", sent_at=NOW)
    with clock.at(NOW + datetime.timedelta(days=6)):
        counts = at_once(*[lambda: family_messages.remind(program)] * 4)

    assert sorted(counts) == [0, 0, 0, 1]
    assert Message.objects.filter(kind="please_answer").count() == 1
