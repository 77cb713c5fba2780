"""No page asks the database more for thirty rows than for one, and none asks much."""

import datetime
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from families import amendments
from families.models import Caregiver, ClassTeacher, Enrollment, SchoolClass, Student
from pthv import clock
from pthv.models import Message, Role
from tests.conftest import at
from tests.visits.test_interpreting_views import like
from visits import (
    answers,
    debriefs,
    family_messages,
    interpreter_asks,
    invitations,
    logs,
    pay,
    reflections,
    rota,
    safety,
    scheduling,
    selection,
    teams,
    themes,
)
from visits.models import (
    InterpreterRequest,
    Invitation,
    PayBatch,
    PayLine,
    SafetyCheck,
    SchoolHoliday,
    SelectionPlan,
    Theme,
    TimeOff,
    Visit,
)

# session, person and memberships are three of them
PAGE, DETAIL, DASHBOARD, MERGE, FINDING = 8, 10, 11, 12, 15
DESK, ASKING = 8, 9


@pytest.fixture
def count(client) -> Callable[..., int]:
    """How many queries a page costs somebody, the note of the look itself aside."""

    def count(url: str, user) -> int:
        client.force_login(user)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(url).status_code == 200
        return sum("pthv_recordview" not in query["sql"] for query in queries)

    return count


@pytest.fixture
def live(
    add_family,
    school,
    school_year,
    school_class,
    site_coordinator,
    educator,
    partner,
    trained,
    pay_rate,
):
    """Let that many families be asked and visited, one after another."""
    begun = at(10, 9)

    def live(families: int, *, until: str = "reflected") -> None:
        nonlocal begun
        for number in range(families):
            add_family(f"Family{number}", "Ari", "Bo")
        plan(school_class)
        for invitation in Invitation.objects.filter(state="not_asked"):
            invitations.record_attempt(invitation, "call", "reached", by=educator)
            answers.record(invitation, "accepted", by=educator)
            if until == "yes":
                continue
            invitations.choose_team(invitation, [partner.educators.get()], by=educator)
            visit = scheduling.schedule(invitation, scheduling.slot(begun), "home", by=educator)
            begun += datetime.timedelta(hours=2)
            while begun.weekday() < 5 or not 9 <= begun.hour < 19:
                begun += datetime.timedelta(hours=1)
            if until == "scheduled":
                continue
            with clock.at(visit.during.upper):
                promise = {"promise": "A card", "promise_due_on": at(30, 9).date()}
                logs.write(visit, logs.Entry(40, "es", 1, True, **promise), by=educator)
                for user in (educator, partner):
                    reflections.reflect(visit, reflections.Thoughts("Much."), by=user)

    def plan(chosen: SchoolClass) -> None:
        selection.plan_everyone(school, school_year, school_class=chosen, by=site_coordinator)

    live.plan = plan
    return live


def flat(count, pages: dict, grow: Callable[[], None], budget: int) -> None:
    """Every page costs the same before and after `grow`, and keeps to its budget."""
    before = {url: count(url, user) for url, user in pages.items()}
    grow()
    after = {url: count(url, user) for url, user in pages.items()}

    assert after == before
    assert {url: n for url, n in after.items() if n > budget} == {}


def test_families_visits_and_pay(
    count, live, fund, educator, site_coordinator, program_coordinator, other_school, finance
):
    live(1)
    pages = {
        "/families/": educator,
        "/families/?state=accepted&q=ari": site_coordinator,
        "/visits/": educator,
        "/visits/?state=completed": site_coordinator,
        "/pay/": finance,
        "/pay/?flagged=1": site_coordinator,
        "/pay/mine/": educator,
        f"/plans/{SelectionPlan.objects.get().pk}/": site_coordinator,
        "/plans/new/": program_coordinator,
    }

    flat(count, pages, lambda: live(30), PAGE)


def test_hours_and_holidays(count, person, program, school, educator, site_coordinator, holiday):
    ana = educator.educators.get()
    pages = {
        "/availability/": educator,
        "/availability/people/": site_coordinator,
        f"/availability/?educator={ana.pk}": site_coordinator,
        "/holidays/": site_coordinator,
    }

    def grow():
        for number in range(30):
            day = at(1, 9).date() + datetime.timedelta(days=number)
            days = {"program": program, "starts_on": day, "ends_on": day}
            SchoolHoliday.objects.create(**days, name="Snow")
            TimeOff.objects.create(**days, educator=ana)
            person(f"Number {number}", Role.EDUCATOR, program, school)

    flat(count, pages, grow, PAGE)


def test_weeks_and_pairs(
    count, live, person, program, school, educator, site_coordinator, program_coordinator
):
    live(1, until="scheduled")
    pages = {
        "/visits/week/?on=2026-10-10": educator,
        f"/visits/week/?on=2026-10-10&school={school.pk}": site_coordinator,
        "/visits/day/?on=2026-10-10": program_coordinator,
        "/pairs/": site_coordinator,
        f"/visits/{Visit.objects.get().pk}/swap/": educator,
    }

    def grow():
        live(8, until="scheduled")
        for number in range(10):
            pair(number)

    def pair(number: int) -> None:
        two = [
            person(f"{name} {number}", Role.EDUCATOR, program, school).educators.get()
            for name in ("Number", "Other")
        ]
        teams.stand(school, two, by=site_coordinator)

    pair(10)
    flat(count, pages, grow, DETAIL)
    assert count("/pairs/", site_coordinator) <= PAGE


def test_plans(count, live, program, school, school_year, educator, site_coordinator):
    live(1)

    def grow():
        for number in range(29):
            more = SchoolClass.objects.create(
                program=program,
                school=school,
                school_year=school_year,
                source_id=str(number),
                title=f"{number}",
            )
            ClassTeacher.objects.create(
                program=program, school_class=more, educator=educator.educators.get()
            )
            Enrollment.objects.create(
                program=program, school_class=more, student=Student.objects.first()
            )
            live.plan(more)

    flat(count, {"/plans/": site_coordinator}, grow, PAGE)


def test_a_plan_drawn_by_lot(
    count, add_family, school, school_year, school_class, site_coordinator
):
    for number in range(40):
        add_family(f"Family{number}")
    plan = selection.draw(school, school_year, 1, school_class=school_class, by=site_coordinator)

    def grow():
        for after in range(1, 10):
            selection.draw_more(plan, 3, after=after, by=site_coordinator, because="More")

    flat(count, {f"/plans/{plan.pk}/?check=1": site_coordinator}, grow, PAGE + 1)


def test_batches(count, live, fund, program, site_coordinator, finance):
    live(1)
    pay.approve(PayLine.objects.earned(), fund, by=site_coordinator)
    first = pay.batch(program, by=finance)
    one = count(f"/pay/batches/{first.pk}/", finance)

    def grow():
        fund.budget = 10_000
        fund.save(update_fields=["budget"])
        live(30)
        for line in PayLine.objects.earned()[:29]:
            pay.approve([line], fund, by=site_coordinator)
            pay.batch(program, by=finance)
        pay.approve(PayLine.objects.earned(), fund, by=site_coordinator)
        pay.batch(program, by=finance)

    flat(count, {"/pay/batches/": finance}, grow, PAGE)
    largest = PayBatch.objects.order_by("number").last()
    assert largest.lines.count() == 31
    assert count(f"/pay/batches/{largest.pk}/", finance) == one <= PAGE


def test_one_family_whatever_its_story(count, live, educator, partner, family, invitation):
    url = f"/families/{family.pk}/"
    assert count(url, educator) <= PAGE

    invitations.record_attempt(invitation, "text", "left_message", by=educator)
    flat(
        count,
        {url: educator},
        lambda: [
            invitations.record_attempt(invitation, "call", "reached", by=educator)
            for _ in range(29)
        ],
        PAGE,
    )
    answers.record(invitation, "accepted", by=educator)
    assert count(url, educator) <= DETAIL
    live(0, until="scheduled")
    invitations.choose_team(invitation, [partner.educators.get()], by=educator)
    assert count(url, educator) <= DETAIL
    scheduling.schedule(invitation, scheduling.slot(at(8, 16, 30)), "home", by=educator)
    assert count(url, educator) <= DETAIL


def test_one_visit_and_its_forms(count, live, educator, site_coordinator, accepted, visit):
    live(0)
    assert count(f"/visits/{visit.pk}/", educator) <= PAGE
    assert count(f"/invitations/{accepted.pk}/schedule/", educator) <= FINDING

    with clock.at(at(8, 18)):
        scheduling.hold(visit, by=educator)
        entry = logs.Entry(40, "es", 1, True, promise="A card", promise_due_on=at(30, 9).date())
        logs.write(visit, entry, by=educator)
        reflections.reflect(visit, reflections.Thoughts("Much."), by=educator)
    forms = [f"/visits/{visit.pk}/log/", f"/visits/{visit.pk}/reflect/"]
    assert max(count(url, educator) for url in forms) <= PAGE
    assert count(f"/visits/{visit.pk}/", educator) <= DETAIL
    assert count(f"/visits/{visit.pk}/", site_coordinator) <= DETAIL


def test_messages_to_families(count, live, educator, program_coordinator, site_coordinator):
    def grow(number: int = 1) -> None:
        live(number, until="yes")
        Caregiver.objects.update(preferred_channel="text")
        for invitation in Invitation.objects.filter(state="accepted"):
            invitation.state = "asked"
            invitation.answered_at = invitation.answered_by = None
            invitation.save()
            family_messages.invite(invitation, by=educator)
        Message.objects.to_families().update(state="failed")

    grow()
    pages = {
        "/messages/": program_coordinator,
        "/messages/?show=not_arrived": site_coordinator,
        "/wording/": program_coordinator,
        "/wording/invitation/?language=vi": program_coordinator,
    }

    flat(count, pages, lambda: grow(30), PAGE)
    assert count("/desk/", site_coordinator) <= DESK


def test_today_and_the_desk(count, live, fund, educator, site_coordinator, program_coordinator):
    live(1)
    live(1, until="scheduled")
    live(1, until="yes")
    pages = {
        "/today/": educator,
        "/desk/": site_coordinator,
        "/asking/": site_coordinator,
        "/coverage/": program_coordinator,
        "/more/": educator,
    }

    def grow():
        live(10)
        live(10, until="scheduled")
        live(10, until="yes")

    flat(count, pages, grow, DASHBOARD)
    assert Visit.objects.count() == 22
    assert count("/desk/", site_coordinator) <= DESK
    assert count("/asking/", site_coordinator) <= ASKING


def test_a_visit_under_way_and_pairs_that_call(
    count, live, program, educator, site_coordinator, visit
):
    """Today costs the same with taps; the desk one question more for however many pairs."""
    live(0)
    pages = {"/today/": educator, f"/visits/{visit.pk}/": educator}
    with clock.at(visit.during.lower):
        before = {url: count(url, user) for url, user in pages.items()}
        safety.arrive(visit, by=educator)
        assert {url: count(url, user) for url, user in pages.items()} == before
        live(8, until="scheduled")
        calm = count("/desk/", site_coordinator)
        safety.ask_help(visit, by=educator)
        one = count("/desk/", site_coordinator)
        for other in Visit.objects.exclude(pk=visit.pk):
            SafetyCheck.objects.create(
                program=program, visit=other, expected_end=at(1, 9), watched=True,
                arrived_at=at(1, 8), arrived_by=educator,
            )  # fmt: skip
        assert count("/desk/", site_coordinator) == one == calm + 1
        assert count(f"/visits/{visit.pk}/help/", educator) <= PAGE
        assert count("/safety/", educator) <= PAGE


def test_finding_the_other_family_to_merge_with(
    count, add_family, family, program_coordinator, site_coordinator
):
    add_family("Ortega", "Lucía")
    url = f"/families/{family.pk}/merge/"
    pages = {
        f"{url}?{query}{user.pk}": user
        for user in (site_coordinator, program_coordinator)
        for query in ("", "q=ortega&", "q=0142&")
    }

    def grow():
        for number in range(9):
            add_family("Ortega", f"Child{number}")

    flat(count, pages, grow, MERGE)


def test_a_familys_page_whoever_looks_and_however_many_they_are(
    count, live, program, school, school_class, family, educator, colleague, site_coordinator,
    program_coordinator, completed,
):  # fmt: skip
    url = f"/families/{family.pk}/"
    pages = {f"{url}?{user.pk}": user for user in (educator, site_coordinator, program_coordinator)}

    def grow():
        for number in range(12):
            child = Student.objects.create(
                program=program, school=school, family=family, source_id=f"C{number}",
                given_name=f"Child{number}", family_name="Ortega", grade="3",
            )  # fmt: skip
            Enrollment.objects.create(program=program, school_class=school_class, student=child)
            Caregiver.objects.create(program=program, family=family, given_name=f"Aunt{number}")
            Student.objects.filter(pk=child.pk).update(grade="4")

    flat(count, pages, grow, PAGE)

    proposal = {"relation": "aunt"}
    amendments.propose(family, proposal, by=educator, caregiver=family.caregivers.first())
    assert count(url, site_coordinator) <= PAGE


def test_interpreters(
    count,
    interpreter_request,
    lan,
    visit,
    program,
    program_coordinator,
    site_coordinator,
    add_family,
):
    pages = {
        "/interpreters/": program_coordinator,
        "/interpreters/requests/": site_coordinator,
        "/interpreters/requests/?show=ended": site_coordinator,
        f"/interpreters/requests/{interpreter_request.pk}/": site_coordinator,
    }
    InterpreterRequest.objects.create(
        program=program, visit=visit, during=visit.during, language="vi", state="cancelled",
        ended_at=clock.now(),
    )  # fmt: skip

    def grow():
        for number in range(30):
            facts = {name: getattr(lan, name) for name in rota.FIELDS}
            facts |= {"given_name": f"No{number}", "email": f"{number}@example.org"}
            rota.add(program, facts, by=program_coordinator)
            then = at(10, 17) + datetime.timedelta(days=number)
            other = like(visit, add_family(f"No{number}"), then)
            request = InterpreterRequest.objects.create(
                program=program, visit=other, bound=other, during=other.during, language="vi"
            )
            interpreter_asks.ask_next(request)
            InterpreterRequest.objects.create(
                program=program, visit=visit, during=visit.during, language="vi",
                state="cancelled", ended_at=clock.now(),
            )  # fmt: skip

    facts = {name: getattr(lan, name) for name in rota.FIELDS}
    rota.add(program, facts | {"email": "eva@example.org"}, by=program_coordinator)
    flat(count, pages, grow, MERGE)  # everybody's diary takes five of them
    assert count("/interpreters/requests/", site_coordinator) <= PAGE - 1


def test_debriefs_themes_and_hopes(
    count, program, school, person, ana, educator, site_coordinator, program_coordinator, debrief,
    ask, theme, school_year, completed,
):  # fmt: skip
    def grow() -> None:
        for number in range(30):
            planned = debriefs.Plan(at(20, 16), school=school)
            held = debriefs.plan(program, planned, by=site_coordinator)
            came = person(f"N{number} Kim", Role.EDUCATOR, program, school).educators.get()
            with clock.at(at(20, 18)):
                debriefs.hold(held, [came, ana], "Radios", by=site_coordinator)
            debriefs.ask_for(program, f"Book {number}", school=school)
            learned = Theme.objects.create(program=program, kind="learned", name=str(number))
            hope = Theme.objects.create(program=program, kind="hope", name=str(number))
            themes.tap_visit(completed, [theme.pk, hope.pk])
            themes.tap_reflection(completed.reflections.first(), [learned.pk])

    with clock.at(at(20, 18)):
        debriefs.hold(debrief, [ana], "Radios", by=site_coordinator)
    themes.tap_visit(completed, [theme.pk])
    debriefs.plan(program, debriefs.Plan(at(20, 16), school=school), by=site_coordinator)
    page = f"/debriefs/{debrief.pk}/"
    lists = {
        "/debriefs/": educator,
        "/resources/": site_coordinator,
        "/themes/": program_coordinator,
    }
    with clock.at(at(20, 19)):
        flat(count, lists | {"/hopes/": program_coordinator}, grow, PAGE + 2)
        assert count(page, educator) <= DETAIL
        assert count(page, site_coordinator) <= DASHBOARD
        assert max(count(url, user) for url, user in lists.items()) <= PAGE
