"""Hopes and what was learned, over a term: counts of themes, never of a person.

A cell is the visits on which a theme was tapped, and the people behind them: families for hopes,
educators for what was learned. Both the people and those besides them must be as many as the
program's minimum. Nobody who subtracts the schools shown from the sum finds a smaller group.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet, Value

from pthv import clock, wording
from pthv.models import Program, SchoolYear
from visits.models import ReflectionTheme, Theme, VisitTheme

NEW_YEAR = (1, 1)


@dataclass(frozen=True)
class Term:
    """Half a school year: until New Year, or from then on."""

    year: SchoolYear
    number: int
    first: datetime.date
    last: datetime.date

    @property
    def key(self) -> str:
        return f"{self.year.pk}-{self.number}"

    def __str__(self) -> str:
        months = [wording.MONTHS[day.month - 1] for day in (self.first, self.last)]
        return f"{months[0]} {self.first.year} – {months[1]} {self.last.year}"


@dataclass(frozen=True)
class Cell:
    """So many visits, and the people behind them."""

    visits: int = 0
    people: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.visits + other.visits, self.people + other.people)

    def __sub__(self, other: "Cell") -> "Cell":
        return Cell(self.visits - other.visits, self.people - other.people)

    @classmethod
    def at_least(cls, cells: "Iterable[Cell]") -> "Cell":
        """Of these together: who is behind one may be behind another, too."""
        found = list(cells)
        people = max((cell.people for cell in found), default=0)
        return cls(sum(cell.visits for cell in found), people)

    def small(self, minimum: int) -> bool:
        return 0 < self.people < minimum or 0 < self.visits < minimum


NONE = Cell()


@dataclass(frozen=True)
class Group:
    """A school, or the program: all visits with a theme, and those with each theme."""

    school_id: int | None
    name: str
    all: Cell = NONE
    themes: dict[int, Cell] = field(default_factory=dict)


@dataclass(frozen=True)
class Share:
    """What may be shown of one theme in one group; `percent` is None where it is hidden."""

    theme: str
    visits: int | None
    percent: int | None


@dataclass(frozen=True)
class Row:
    """One group as it may be shown; `visits` is None where it is hidden, and then nothing is."""

    school_id: int | None
    name: str
    visits: int | None
    shares: list[Share]

    @property
    def ranked(self) -> list[Share]:
        """Those that may be shown, the most frequent first."""
        told = [share for share in self.shares if share.percent]
        return sorted(told, key=lambda share: -(share.visits or 0))

    @property
    def hides_some(self) -> bool:
        return any(share.percent is None for share in self.shares)


@dataclass(frozen=True)
class Shown:
    """The program, its schools by name, and the themes in their order."""

    themes: list[str]
    total: Row
    rows: list[Row]

    def of(self, schools: Collection[int]) -> "Shown":
        """What whoever works at these schools sees: theirs alone, and no more than others do."""
        rows = [row for row in self.rows if row.school_id in schools]
        nothing = Row(None, "", None, [])
        return Shown(self.themes, rows[0] if len(rows) == 1 else nothing, rows)


def terms(years: Iterable[SchoolYear], today: datetime.date) -> list[Term]:
    """The halves of these years that have begun, the latest first. Only halves are counted: a
    whole year less one half would tell the other."""
    found = []
    for year in years:
        middle = datetime.date(year.ends_on.year, *NEW_YEAR)
        before = middle - datetime.timedelta(days=1)
        if year.starts_on < middle <= year.ends_on:
            found += [Term(year, 1, year.starts_on, before), Term(year, 2, middle, year.ends_on)]
        else:
            found.append(Term(year, 1, year.starts_on, year.ends_on))
    return sorted(
        (term for term in found if term.first <= today), key=lambda term: term.first, reverse=True
    )


def of_families(program: Program, term: Term) -> Shown:
    """What families hoped for, on the visits of a term."""
    taps = VisitTheme.objects.filter(program=program)
    groups, total = _groups(taps, "visit", "visit", "visit__family", program, term)
    return shown(groups, _names(Theme.Kind.HOPE), minimum=program.minimum_cell, total=total)


def of_educators(program: Program, term: Term) -> Shown:
    """What educators learned, on the visits of a term."""
    taps = ReflectionTheme.objects.filter(program=program)
    way = "reflection__visit"
    groups, total = _groups(taps, way, "reflection", "reflection__educator", program, term)
    return shown(groups, _names(Theme.Kind.LEARNED), minimum=program.minimum_cell, total=total)


def _names(kind: str) -> dict[int, str]:
    return dict(
        Theme.objects.filter(kind=kind).order_by("position", "pk").values_list("pk", "name")
    )


def _groups(
    taps: QuerySet, visit: str, counted: str, person: str, program: Program, term: Term
) -> tuple[list[Group], Group]:
    """Each school's cells, and those of all schools, where somebody of two schools is one."""
    begins = clock.day_of(term.first, program.zone)[0]
    ends = clock.day_of(term.last, program.zone)[1]
    during = f"{visit}__during__startswith"
    taps = taps.filter(**{f"{during}__gte": begins, f"{during}__lt": ends}).order_by()
    cells = {"n": Count(counted, distinct=True), "people": Count(person, distinct=True)}
    school = {"called": F(f"{visit}__school__name"), "at": F(f"{visit}__school")}
    everywhere = {"called": Value(""), "at": Value(0)}
    one, every = {"tapped": F("theme")}, {"tapped": Value(0)}
    # One question, though it counts four times.
    first, *others = (
        taps.annotate(**by).values_list(*by).annotate(**cells)
        for by in (school | one, school | every, everywhere | one, everywhere | every)
    )
    names: dict[int, str] = {}
    found: dict[int, dict[int, Cell]] = defaultdict(lambda: defaultdict(Cell))
    for name, at, theme, visits, people in first.union(*others, all=True):
        names[at] = name
        found[at][theme] = Cell(visits, people)
    groups = [Group(at, names[at], told.pop(0), dict(told)) for at, told in found.items()]
    return [group for group in groups if group.school_id], next(
        (group for group in groups if not group.school_id), Group(None, "")
    )


def shown(
    groups: Iterable[Group], names: dict[int, str], *, minimum: int, total: Group | None = None
) -> Shown:
    """What may be shown of these schools, and of all of them.

    A school whose visits are too few is hidden whole, and as many others with it as it takes
    for those hidden to be a large enough group. Then the same for each theme among the rest.
    """
    groups = sorted(groups, key=lambda group: group.name)
    total = total or _sum(groups)
    open_groups = _open([group.all for group in groups], minimum)
    of_theme: dict[int, list[bool]] = {}
    all_of_theme: dict[int, bool] = {}
    for theme in names:
        cells = [_both(group, theme) for group in groups]
        of_theme[theme] = _open_pairs(cells, open_groups, minimum)
        sums = _both(total, theme)
        all_of_theme[theme] = not any(cell.small(minimum) for cell in sums)
    whole_open = not total.all.small(minimum)
    rows = [
        _row(group, names, visible, {theme: of_theme[theme][place] for theme in names})
        for place, (group, visible) in enumerate(zip(groups, open_groups, strict=True))
    ]
    return Shown(list(names.values()), _row(total, names, whole_open, all_of_theme), rows)


def _both(group: Group, theme: int) -> tuple[Cell, Cell]:
    """Those with the theme, and those without."""
    has = group.themes.get(theme, NONE)
    return has, group.all - has


def _open(cells: list[Cell], minimum: int) -> list[bool]:
    """Which of these may be seen, beside their sum."""
    return _open_pairs([(cell, NONE) for cell in cells], [True] * len(cells), minimum)


def _open_pairs(cells: list[tuple[Cell, Cell]], among: list[bool], minimum: int) -> list[bool]:
    """Which of those `among` may be seen: none small, and what is hidden together not small."""

    def small(pair: tuple[Cell, Cell]) -> bool:
        return any(cell.small(minimum) for cell in pair)

    visible = [shows and not small(pair) for shows, pair in zip(among, cells, strict=True)]
    # A school that has nobody would hide nobody.
    sizes = {place: sum(cell.people for cell in pair) for place, pair in enumerate(cells)}
    for place in sorted(filter(sizes.get, sizes), key=sizes.__getitem__):
        hidden = [pair for pair, shows in zip(cells, visible, strict=True) if not shows]
        has = Cell.at_least(pair[0] for pair in hidden)
        has_not = Cell.at_least(pair[1] for pair in hidden)
        if not small((has, has_not)):
            break
        visible[place] = False
    return visible


def _sum(groups: list[Group]) -> Group:
    themes: dict[int, Cell] = defaultdict(Cell)
    for group in groups:
        for theme, cell in group.themes.items():
            themes[theme] += cell
    return Group(None, "", sum((group.all for group in groups), NONE), dict(themes))


def _row(group: Group, names: dict[int, str], visible: bool, themes: dict[int, bool]) -> Row:
    shares = []
    for theme, name in names.items():
        cell = group.themes.get(theme, NONE)
        if visible and themes[theme] and group.all.visits:
            share = round(100 * cell.visits / group.all.visits)
            shares.append(Share(name, cell.visits, share))
        else:
            shares.append(Share(name, None, None))
    return Row(group.school_id, group.name, group.all.visits if visible else None, shares)
