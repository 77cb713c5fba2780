"""Draws by lot: made once, drawn again from their record, blind to whoever a family is."""

import datetime
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from families.models import Caregiver, Enrollment, Family, Student, StudentAttributes
from pthv import clock
from pthv.blocked import NotReady
from pthv.models import AuditEntry, SchoolYear
from tests.conftest import NOW
from visits import answers, invitations, selection
from visits.models import Draw, Invitation, SelectionPlan

TOO_FEW = "Two teachers more are certified."


@pytest.fixture
def twelve(add_family) -> list[Family]:
    return [add_family(f"Family{number}", "Ari") for number in range(12)]


@pytest.fixture
def draw(school, school_year, school_class, site_coordinator) -> Callable[..., SelectionPlan]:
    """Draw so many of the class."""

    def make(size: int = 5, **more) -> SelectionPlan:
        scope = {"school_class": school_class, "by": site_coordinator} | more
        return selection.draw(school, school_year, size, **scope)

    return make


def drawn_of(plan: SelectionPlan) -> list[int]:
    return [family for made in plan.draws.order_by("number") for family in made.drawn]


def test_the_drawn_are_invited_in_the_order_of_the_draw(twelve, draw, site_coordinator) -> None:
    plan = draw(5)

    made = plan.draws.get()
    assert made.population == sorted(family.pk for family in twelve)
    assert (len(made.drawn), made.size, made.number, made.made_by) == (5, 5, 1, site_coordinator)
    invited = Invitation.objects.order_by("pk").values_list("family", flat=True)
    assert list(invited) == made.drawn
    assert re.fullmatch("[0-9a-f]{32}", made.seed)
    assert str(plan) == "A random draw in Grade 3A"


def test_the_teacher_is_shown_them_in_that_order(twelve, draw, educator, program) -> None:
    plan = draw(5)
    selection.draw_more(plan, 4, after=1, by=plan.made_by, because=TOO_FEW)

    shown = Invitation.objects.invite_next([educator.educators.get().pk], program.today)

    assert [invitation.family_id for invitation in shown] == drawn_of(plan)


def test_a_draw_is_reproduced_from_its_record_byte_for_byte(twelve, draw) -> None:
    made = draw(5).draws.get()
    # As it comes back from the database, not as it was made.
    kept = selection.record(Draw.objects.select_related("plan").get(pk=made.pk))

    assert selection.redraw(kept) == kept
    assert selection.matches(made)
    facts = json.loads(kept)
    assert facts["drawn"] == made.drawn and facts["population"] == made.population
    # As anybody would do it who has nothing but the file.
    lots = {
        hashlib.sha256(f"{facts['seed']}:{family}".encode()).hexdigest(): family
        for family in facts["population"]
    }
    assert [lots[place] for place in sorted(lots)[: facts["size"]]] == facts["drawn"]


@pytest.mark.parametrize("field", ["drawn", "seed", "size", "population"])
def test_a_record_that_was_tampered_with_does_not_match(twelve, draw, field) -> None:
    facts = json.loads(selection.record(draw(5).draws.get()))
    other = {
        "drawn": facts["drawn"][::-1],
        "seed": "0" * 32,
        "size": 4,
        "population": facts["population"][6:],
    }
    kept = json.dumps(facts | {field: other[field]}, sort_keys=True, separators=(",", ":")).encode()

    assert selection.redraw(kept) != kept


def test_no_two_draws_have_a_seed_in_common(twelve, draw, program, school_class) -> None:
    plan = draw(2)
    for after in range(1, 5):
        selection.draw_more(plan, 2, after=after, by=plan.made_by, because=TOO_FEW)

    assert len(set(plan.draws.values_list("seed", flat=True))) == 5


def test_whoever_said_no_is_not_drawn_and_is_counted(twelve, draw, school, school_year) -> None:
    selection.plan_everyone(school, school_year, by=draw(1).made_by)
    no = Invitation.objects.filter(state="not_asked").last()
    answers.record(no, "declined", by=no.educator.user)

    plan = draw(11, school_class=None)

    assert no.family_id not in plan.draws.get().population
    assert plan.families_said_no_before == 1
    assert sorted(drawn_of(plan)) == sorted(f.pk for f in twelve if f.pk != no.family_id)


def test_a_family_of_another_plan_may_be_drawn_and_is_asked_once(
    twelve, draw, school, school_year, site_coordinator
) -> None:
    everyone = selection.plan_everyone(school, school_year, by=site_coordinator)

    plan = draw(4)

    assert len(plan.draws.get().population) == 12
    assert Invitation.objects.count() == 12
    assert Invitation.objects.filter(plan=everyone).count() == 12


def test_drawing_more_draws_among_the_others(twelve, draw, site_coordinator) -> None:
    plan = draw(5)
    first = plan.draws.get()

    second = selection.draw_more(plan, 3, after=1, by=site_coordinator, because=TOO_FEW)

    assert second is not None and second.number == 2
    assert set(second.population) == {f.pk for f in twelve} - set(first.drawn)
    assert selection.matches(second) and selection.matches(first)
    assert list(plan.invitations.order_by("pk").values_list("family", flat=True)) == drawn_of(plan)
    assert AuditEntry.objects.filter(event="plan.drawn").count() == 2


def test_more_are_drawn_once_all_were_asked_or_for_a_reason(
    twelve, draw, school, school_year, educator, site_coordinator
) -> None:
    everyone = selection.plan_everyone(school, school_year, by=site_coordinator)
    plan = draw(3)
    asked = list(everyone.invitations.filter(family__in=drawn_of(plan)))
    invitations.record_attempt(asked[0], "call", "no_answer", by=educator)
    answers.record(asked[1], "declined", by=educator)

    with pytest.raises(NotReady, match="1 drawn family is not asked yet"):
        selection.draw_more(plan, 1, after=1, by=site_coordinator, because=" ")
    invitations.record_attempt(asked[2], "call", "no_answer", by=educator)
    second = selection.draw_more(plan, 1, after=1, by=site_coordinator)
    third = selection.draw_more(plan, 1, after=2, by=site_coordinator, because=TOO_FEW)

    assert second is not None and third is not None
    assert (second.because, third.because) == ("", TOO_FEW)
    assert json.loads(selection.record(third))["because"] == TOO_FEW
    assert selection.matches(third)


def test_nobody_is_drawn_or_planned_for_a_year_that_is_over(
    twelve, draw, school, school_year, site_coordinator
) -> None:
    plan = draw(3)

    with clock.at(NOW.replace(year=2027, month=7, day=31)):
        assert selection.draw_more(plan, 1, after=1, by=site_coordinator, because=TOO_FEW)
    with clock.at(NOW.replace(year=2027, month=8, day=1)):
        with pytest.raises(NotReady, match="school year is over"):
            selection.draw_more(plan, 1, after=2, by=site_coordinator, because=TOO_FEW)
        with pytest.raises(NotReady, match="school year is over"):
            selection.plan_everyone(school, school_year, by=site_coordinator)


def test_those_who_came_or_left_since_the_first_draw_are_in_or_out(
    twelve, draw, add_family, site_coordinator
) -> None:
    plan = draw(3)
    gone = next(family for family in twelve if family.pk not in drawn_of(plan))
    gone.students.update(left_on=NOW.date())
    came = add_family("Newcomer", "Ari")

    more = selection.draw_more(plan, 1, after=1, by=site_coordinator, because=TOO_FEW)

    assert more is not None
    assert came.pk in more.population and gone.pk not in more.population


def test_the_same_plan_again_is_the_one_that_stands(twelve, draw) -> None:
    plan = draw(5)
    before = drawn_of(plan)

    assert draw(5) == plan
    with pytest.raises(NotReady, match="drawn here already"):
        draw(1)
    assert selection.draw_more(plan, 5, after=0, by=plan.made_by) is None

    assert drawn_of(plan) == before
    assert Draw.objects.count() == 1


@pytest.mark.parametrize("size", [0, 13])
def test_more_than_there_are_can_not_be_drawn(twelve, draw, size) -> None:
    with pytest.raises(NotReady, match="There are 12 families to draw from"):
        draw(size)

    assert not SelectionPlan.objects.exists()


@pytest.mark.parametrize("change", [{"drawn": []}, {"seed": "1"}, {"size": 9}, None])
def test_a_draw_is_never_changed_or_deleted(twelve, draw, change) -> None:
    made = Draw.objects.filter(pk=draw(5).draws.get().pk)

    with pytest.raises(DatabaseError, match="append_only"), transaction.atomic():
        made.update(**change) if change else made.delete()


# What could be known of a family: none of it may matter.
ANYTHING = st.fixed_dictionaries(
    {
        "surnames": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
        "language": st.sampled_from(["", "en", "es", "so", "zh-Hant"]),
        "address": st.sampled_from(["", "1 Elm Street", "no fixed home"]),
        "interpreter_wanted": st.booleans(),
        "visited_last_year": st.booleans(),
        "asked_by_another_plan": st.booleans(),
    }
)
WORLD = st.lists(ANYTHING, min_size=12, max_size=12)


@given(
    seed=st.integers(min_value=0, max_value=2**128 - 1).map(lambda number: f"{number:032x}"),
    size=st.integers(min_value=1, max_value=12),
    world=WORLD,
    order=st.permutations(range(12)),
    children=st.lists(st.integers(min_value=1, max_value=3), min_size=12, max_size=12),
    home_language=st.sampled_from(["", "es", "vi"]),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_but_the_scope_and_the_seed_changes_who_is_drawn(
    program, school, school_year, school_class, educator, site_coordinator, monkeypatch,
    seed, size, world, order, children, home_language,
) -> None:  # fmt: skip
    """Two worlds with families of the same ids, who are otherwise as different as can be."""
    monkeypatch.setattr(selection.secrets, "token_hex", lambda _bytes: seed)
    base = 5_000_000

    def drawn(families: list[dict], order: list[int], children: list[int], kept: str) -> list[int]:
        undo = transaction.savepoint()
        last_year, _new = SchoolYear.objects.get_or_create(
            program=program, name="2025", starts_on=datetime.date(2025, 8, 1),
            ends_on=datetime.date(2026, 7, 31),
        )  # fmt: skip
        for number in order:
            facts = dict(families[number])
            years = {last_year: facts.pop("visited_last_year"),
                     school_year: facts.pop("asked_by_another_plan")}  # fmt: skip
            family = Family.objects.create(program=program, pk=base + number, **facts)
            for year in (year for year, was in years.items() if was):
                Invitation.objects.create(
                    program=program, school=school, school_year=year, family=family,
                    educator=educator.educators.get(), state="asked", asked_at=clock.now(),
                )  # fmt: skip
            Caregiver.objects.create(
                program=program, family=family, given_name="M", relation="mother",
                language=families[number]["language"], may_be_contacted=bool(number % 2),
            )  # fmt: skip
            for child in range(children[number]):
                student = Student.objects.create(
                    program=program, school=school, family=family, given_name=kept or "Ari",
                    source_id=f"{number}-{child}", grade="3",
                )  # fmt: skip
                Enrollment.objects.create(
                    program=program, school_class=school_class, student=student
                )
                StudentAttributes.objects.create(
                    program=program, student=student, home_language=kept, race_ethnicity=[kept]
                ) if kept else None
        plan = selection.draw(
            school, school_year, size, school_class=school_class, by=site_coordinator
        )
        found = [family - base for family in drawn_of(plan)]
        transaction.savepoint_rollback(undo)
        return found

    plain = {"surnames": "A", "language": "en", "address": "", "interpreter_wanted": False}
    plain |= {"visited_last_year": False, "asked_by_another_plan": False}
    assert drawn([plain] * 12, list(range(12)), [1] * 12, "") == drawn(
        world, order, children, home_language
    )


def test_over_many_seeds_each_family_is_drawn_about_equally_often() -> None:
    population, rounds, size = range(1000, 1020), 4000, 5
    seeds = [f"{number:032x}" for number in range(rounds)]

    often = Counter(family for seed in seeds for family in selection.lot(seed, population, size))
    first = Counter(selection.lot(seed, population, 1)[0] for seed in seeds)

    # Each is drawn 1,000 times on average; five standard deviations are 137.
    assert set(often) == set(population)
    assert all(abs(often[family] - 1000) < 137 for family in population)
    assert all(abs(first[family] - 200) < 69 for family in population)
