"""What the counts of themes tell an outsider, who can subtract."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from families.models import Family
from pthv.models import School, SchoolYear
from tests.conftest import at
from visits.models import Invitation, Visit, VisitTheme
from visits.reports import hopes
from visits.reports.hopes import Cell, Group

MINIMUM = 10
NAMES = {1: "Reading", 2: "Friends"}


def leaks(people: int, visits: int) -> bool:
    return 0 < people < MINIMUM or 0 < visits < MINIMUM


cells = st.integers(0, 40).flatmap(
    lambda people: st.integers(people, people + 5).map(lambda visits: Cell(visits, people))
)


@st.composite
def groups(draw) -> list[Group]:
    """Schools, each with visits with and without each of two themes."""
    made = []
    for number in range(draw(st.integers(1, 7))):
        has, has_not = draw(cells), draw(cells)
        both = has + has_not
        other = draw(st.integers(0, both.people))
        themes = {1: has, 2: Cell(other, other)}
        if both.people:
            made.append(Group(number, f"School {number}", both, themes))
    return made


@settings(max_examples=300, deadline=None)
@given(groups())
def test_nobody_who_subtracts_finds_a_small_group(found):
    """Whatever is shown, and the sum less what is shown, is nobody or enough, of each theme and
    of those without it."""
    told = hopes.shown(found, NAMES, minimum=MINIMUM)
    by_id = {group.school_id: group for group in found}

    visible = [by_id[row.school_id].all for row in told.rows if row.visits is not None]
    total = sum((group.all for group in found), Cell())
    assert not any(leaks(cell.people, cell.visits) for cell in visible)
    if told.total.visits is not None:
        rest = total - sum(visible, Cell())
        assert not leaks(rest.people, rest.visits)
    for place, theme in enumerate(NAMES):
        seen, seen_not, left, left_not = [Cell()] * 4
        for row in told.rows:
            group = by_id[row.school_id]
            has = group.themes.get(theme, Cell())
            if row.shares[place].percent is None:
                left, left_not = left + has, left_not + (group.all - has)
                continue
            assert not leaks(has.people, has.visits)
            seen, seen_not = seen + has, seen_not + (group.all - has)
            assert not leaks((group.all - has).people, (group.all - has).visits)
        if told.total.shares[place].percent is not None:
            assert not leaks(left.people, left.visits)
            assert not leaks(left_not.people, left_not.visits)


def test_one_family_that_is_visited_often_is_one_family():
    often = Group(1, "Lincoln", Cell(visits=24, people=12), {1: Cell(visits=14, people=3)})

    told = hopes.shown([often], NAMES, minimum=MINIMUM)

    assert told.total.visits == 24
    assert [share.percent for share in told.total.shares] == [None, 0]


def test_a_school_is_hidden_with_another():
    small = Group(1, "A", Cell(4, 4), {1: Cell(2, 2)})
    middle = Group(2, "B", Cell(20, 20), {1: Cell(20, 20)})
    large = Group(3, "C", Cell(60, 60), {1: Cell(30, 30)})

    told = hopes.shown([large, small, middle], NAMES, minimum=MINIMUM)

    assert [(row.name, row.visits) for row in told.rows] == [("A", None), ("B", None), ("C", 60)]
    assert told.total.visits == 84
    alone = told.of({2})
    assert [row.visits for row in alone.rows] == [None] and alone.total.visits is None


def test_terms_end_at_new_year_and_only_those_that_began_are_there(school_year):
    before = SchoolYear(
        pk=99, name="2025", starts_on=datetime.date(2025, 8, 1), ends_on=datetime.date(2026, 7, 31)
    )

    found = hopes.terms([before, school_year], datetime.date(2026, 10, 6))

    assert [str(term) for term in found] == [
        "Aug 2026 – Dec 2026", "Jan 2026 – Jul 2026", "Aug 2025 – Dec 2025",
    ]  # fmt: skip


@pytest.fixture
def many(program, school, school_year, school_class, educator, theme, program_coordinator):
    """Let so many families of a school be visited, of whom some hope for reading."""

    def many(where: School, number: int, reading: int, *, month: int = 10) -> None:
        plan = Invitation.objects.earliest("pk").plan
        other = type(theme).objects.get_or_create(
            program=program, kind="hope", name="Music", position=1
        )[0]
        for place in range(number):
            family = Family.objects.create(program=program, surnames=f"Canary{place}")
            invitation = Invitation.objects.create(
                program=program, plan=plan, family=family, school=where, school_year=school_year,
                educator=educator.educators.get(), kind="first", state="accepted",
                asked_at=at(1, 9), answered_at=at(1, 9), answered_by=educator,
            )  # fmt: skip
            starts = at(2, 9, month=month) + datetime.timedelta(minutes=place)
            visit = Visit.objects.create(
                program=program, invitation=invitation, school=where, family=family, kind="first",
                during=(starts, starts + datetime.timedelta(minutes=30)), scheduled_by=educator,
            )  # fmt: skip
            chosen = theme if place < reading else other
            VisitTheme.objects.create(program=program, visit=visit, theme=chosen)

    return many


def test_on_screen_a_sentence_bars_and_a_table_of_nobody(
    client, many, invitation, school, other_school, funder, site_coordinator, program_coordinator
):
    many(school, 30, 18)
    many(other_school, 12, 12)

    for user in (funder, program_coordinator):
        client.force_login(user)
        page = " ".join(client.get("/hopes/").text.split())
        assert "on 42 visits families told us their hopes." in page
        assert "Reading (71 %), Music (29 %)." in page
        assert '<td class="num">18</td>' in page
        assert "Canary" not in page and "Ruiz" not in page
    client.force_login(site_coordinator)
    page = client.get("/hopes/").text
    assert "Lincoln" in page and "Roosevelt" not in page and "on 42 visits" not in page


def test_another_term_is_another_count(client, many, invitation, school, funder, program):
    many(school, 30, 18, month=11)
    client.force_login(funder)
    year = invitation.school_year_id

    assert "on 30 visits" in client.get(f"/hopes/?term={year}-1").text
    assert "on 30 visits" in client.get("/hopes/?term=nonsense").text


def test_a_small_school_is_hidden(client, many, invitation, school, program_coordinator):
    many(school, 9, 9)
    client.force_login(program_coordinator)

    page = client.get("/hopes/").text

    assert "groups under 10 are never shown" in page and '<td class="num">9</td>' not in page


def test_without_themes_the_page_says_what_it_is(client, funder, school_year):
    client.force_login(funder)

    assert "No themes yet" in client.get("/hopes/").text


def test_a_family_of_two_schools_is_one(
    client, many, invitation, school, other_school, program_coordinator
):
    many(school, 6, 6)
    many(other_school, 6, 6, month=11)
    theirs = list(Visit.objects.filter(school=school, held_at=None).order_by("pk"))
    for visit, other in zip(
        theirs, Visit.objects.filter(school=other_school).order_by("pk"), strict=True
    ):
        Invitation.objects.filter(pk=other.invitation_id).update(
            family=visit.family_id, kind="second"
        )
        Visit.objects.filter(pk=other.pk).update(family=visit.family_id, kind="second")
    client.force_login(program_coordinator)

    page = client.get("/hopes/").text

    assert "on 12 visits" not in page and '<td class="num">12</td>' not in page
