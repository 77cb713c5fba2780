"""What coverage tells an outsider, who can subtract."""

from itertools import combinations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from families.models import SchoolTally
from pthv.models import Membership, Role, School
from visits.models import Tally
from visits.reports import coverage
from visits.reports.coverage import SchoolCoverage

MINIMUM = 10
COLUMNS = ("enrolled", "planned", "asked", "accepted", "visited", "second")


def a_school(number: int, *counts: int) -> SchoolCoverage:
    """Counts from `enrolled` to `second`; those left out are 0."""
    filled = (*counts, *[0] * (len(COLUMNS) - len(counts)))
    return SchoolCoverage(number, f"School {number}", **dict(zip(COLUMNS, filled, strict=True)))


def leaks(counts: dict[str, int]) -> set[str]:
    """Which of these counts, and of what lies between two of them, is a small group."""
    told = counts | {f"{a}-{b}": counts[a] - counts[b] for a, b in combinations(COLUMNS, 2)}
    return {name for name, count in told.items() if 1 <= count < MINIMUM}


def remainder(shown: coverage.Shown) -> dict[str, int]:
    """What an outsider finds who takes the visible rows from the total."""
    assert shown.total is not None
    visible = [row for row, hidden in shown.rows if not hidden]
    return {
        name: getattr(shown.total, name) - sum(getattr(row, name) for row in visible)
        for name in COLUMNS
    }


def hidden_of(shown: coverage.Shown) -> set[int | None]:
    return {row.school_id for row, hidden in shown.rows if hidden}


gaps = st.one_of(st.just(0), st.integers(1, 12), st.integers(10, 60))


@st.composite
def schools(draw) -> list[SchoolCoverage]:
    made = []
    for number in range(draw(st.integers(1, 8))):
        counts = [0]
        for _ in COLUMNS:
            counts.append(counts[-1] + draw(gaps))
        made.append(a_school(number, *reversed(counts[1:])))
    return made


@settings(max_examples=400, deadline=None)
@given(schools(), st.sets(st.integers(0, 7), max_size=2))
def test_no_subtraction_finds_a_small_group(rows, own) -> None:
    shown = coverage.for_partners(rows, minimum=MINIMUM, own=own)

    assert [row.name for row, _ in shown.rows] == sorted(row.name for row in rows)
    for row, hidden in shown.rows:
        assert not (hidden and row.school_id in own)
        if not hidden and row.school_id not in own:
            assert not leaks({name: getattr(row, name) for name in COLUMNS})
    if shown.total is not None:
        assert not leaks(remainder(shown))
    event(f"total shown: {shown.total is not None}, hidden: {bool(hidden_of(shown))}")


def test_large_schools_are_shown_with_their_total() -> None:
    rows = [a_school(1, 200, 100, 80, 60, 40, 20), a_school(2, 300, 150, 90, 60, 40, 10)]

    shown = coverage.for_partners(rows, minimum=MINIMUM)

    assert hidden_of(shown) == set()
    assert shown.total == coverage.total(rows)


def test_the_one_family_that_said_no_is_hidden() -> None:
    rows = [a_school(1, 200, 100, 90, 89, 40), a_school(2, 400, 200, 150, 120, 80)]

    assert 1 in hidden_of(coverage.for_partners(rows, minimum=MINIMUM))


def test_a_school_of_zeros_hides_nobody() -> None:
    small, zeros = a_school(1, 200, 100, 60, 40, 4), a_school(2, 200)
    middle, large = a_school(3, 300, 200, 150, 100, 60), a_school(4, 900, 600, 400, 300, 200)

    shown = coverage.for_partners([small, zeros, middle, large], minimum=MINIMUM)

    assert hidden_of(shown) == {1, 3}
    assert shown.total is not None


def test_two_small_schools_whose_sum_is_small_take_a_third() -> None:
    rows = [
        a_school(1, 200, 100, 60, 40, 2),
        a_school(2, 200, 100, 60, 40, 3),
        a_school(3, 900, 600, 400, 300, 200),
        a_school(4, 950, 650, 450, 300, 200),
    ]

    assert hidden_of(coverage.for_partners(rows, minimum=MINIMUM)) == {1, 2, 3}


def test_without_enough_to_hide_among_there_is_no_total() -> None:
    rows = [a_school(1, 200, 100, 60, 40, 20, 3), a_school(2, 400, 300, 200, 100, 60)]

    shown = coverage.for_partners(rows, minimum=MINIMUM)

    assert hidden_of(shown) == {1}
    assert shown.total is None


@pytest.fixture
def counted(program, school_year, school, other_school, educator) -> None:
    """Lincoln with 7 visits, Roosevelt with 8 of 457, Adams with none of 300."""
    adams = School.objects.create(program=program, name="Adams")
    SchoolTally.objects.filter(program=program).delete()
    Tally.objects.filter(program=program).delete()
    for where, enrolled, counts in [
        (school, 411, (100, 60, 40, 7)),
        (other_school, 457, (101, 61, 41, 8)),
        (adams, 300, (0, 0, 0, 0)),
    ]:
        SchoolTally.objects.create(program=program, school=where, enrolled=enrolled)
        names = ("planned", "asked", "accepted", "visited")
        Tally.objects.create(
            program=program,
            school_year=school_year,
            school=where,
            educator=educator.educators.get(),
            **dict(zip(names, counts, strict=True)),
        )


def page(client, user):
    client.force_login(user)
    response = client.get("/coverage/")
    names = [row.name for row, _ in response.context["rows"]]
    hidden = [row.name for row, hidden in response.context["rows"] if hidden]
    return response.content.decode(), names, hidden


def test_a_partner_sees_names_in_order_and_no_count_of_a_hidden_school(
    client, counted, funder
) -> None:
    text, names, hidden = page(client, funder)

    assert names == ["Adams", "Lincoln", "Roosevelt"]
    assert hidden == ["Lincoln", "Roosevelt"]
    assert "411" not in text and "457" not in text
    assert "300" in text and "1168" in text


def test_a_coordinator_of_one_school_is_a_partner_to_the_others(
    client, counted, program, site_coordinator
) -> None:
    text, _names, _hidden = page(client, site_coordinator)
    assert "411" in text and "Roosevelt" not in text
    Membership.objects.create(
        program=program, user=site_coordinator, role=Role.PARTNER, starts_on="2026-01-01"
    )

    text, names, hidden = page(client, site_coordinator)

    assert names == ["Adams", "Lincoln", "Roosevelt"]
    assert hidden == ["Roosevelt"]
    assert "411" in text and "457" not in text
    assert "1168" not in text  # less what is seen, it would tell Roosevelt's


def test_whoever_runs_the_program_sees_everything(client, counted, program_coordinator) -> None:
    text, names, hidden = page(client, program_coordinator)

    assert hidden == []
    assert names == ["Adams", "Lincoln", "Roosevelt"]
    assert "411" in text and "457" in text and "1168" in text
