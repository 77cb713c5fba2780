"""Finding a family: by the name of anybody in it, or by the last digits of a phone."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Value
from django.utils.translation import gettext as _

from pthv.models import Program
from pthv.search import fold, prefix_query

from .models import Caregiver, Family, Student, children

SHOWN = 20
# Fewer letters or digits fit half of the roster, and help nobody.
FEWEST_LETTERS, FEWEST_DIGITS = 2, 4
MOST_DIGITS = 15
STUDENT, CAREGIVER, SURNAMES, PHONE = "student", "caregiver", "surnames", "phone"


@dataclass(frozen=True)
class Found:
    """A family, or a child who has none yet, and what of it was asked for."""

    family: Family | None
    student: Student | None = None
    because: str = ""


@dataclass(frozen=True)
class Finds:
    """What was found, the best first; `more` than is shown; or `short`: too little was typed."""

    rows: list[Found]
    more: bool = False
    short: bool = False


def find(typed: str, program: Program, among: Collection[int] | None = None) -> Finds:
    """The families of the program that `typed` may mean; `among` these ids alone, if given.

    Children without a family are found only by whoever may see every family.
    """
    hits = _hits(typed, program, among)
    if hits is None:
        return Finds([], short=True)
    found = list(hits)
    families = _families({family for family, *_rest in found if family})
    alone = _students({row for family, kind, row in found if family is None and kind == STUDENT})
    notes = _notes(found, typed)
    rows = [Found(family, because=notes.get(family.pk, "")) for family in families]
    rows += [Found(None, student) for student in alone]
    words = fold(typed).split()
    rows.sort(key=lambda row: _rank(row, words))
    return Finds(rows[:SHOWN], more=len(rows) > SHOWN)


def digits(typed: str) -> str:
    """The digits of a phone number somebody typed; empty if it is something else."""
    if re.search(r"[^\d\s()+./-]", typed):
        return ""
    return re.sub(r"\D", "", typed)[-MOST_DIGITS:]


def _hits(typed: str, program: Program, among: Collection[int] | None) -> Any:
    """(family, kind, row) of whatever fits, in one query; None if too little was typed."""
    if number := digits(typed):
        if len(number) < FEWEST_DIGITS:
            return None
        # A number that must not be called is no way to find anybody.
        held = Caregiver.objects.filter(ended_on=None, may_be_contacted=True).ending_in(number)
        return _part(held, PHONE, among)
    if len(typed.strip()) < FEWEST_LETTERS and typed.isascii():
        return None
    # Whole words by themselves: among all that begin so, they might not come up.
    queries = [prefix_query(typed, program.pk, whole=True), prefix_query(typed, program.pk)]
    if queries[0] is None:
        return None
    parts = [
        _part(rows.filter(searchable=query), kind, among, family)
        for query in queries
        for rows, kind, family in (
            (Student.objects.enrolled(), STUDENT, "family_id"),
            (Caregiver.objects.filter(ended_on=None), CAREGIVER, "family_id"),
            (Family.objects.filter(merged_into=None), SURNAMES, "pk"),
        )
    ]
    return parts[0].union(*parts[1:])


def _part(
    rows: QuerySet, kind: str, among: Collection[int] | None, family: str = "family_id"
) -> QuerySet:
    if among is not None:
        rows = rows.filter(**{f"{family}__in": list(among)})
    # Unordered: an order would have to read everybody whose name begins so.
    return rows.order_by().values_list(family, Value(kind), "pk")[: SHOWN + 1]


def _families(ids: set[int]) -> list[Family]:
    found = Family.objects.filter(pk__in=ids, merged_into=None).defer("folded", "searchable")
    return list(found.prefetch_related(children()))


def _students(ids: set[int]) -> list[Student]:
    if not ids:
        return []
    found = Student.objects.filter(pk__in=ids).defer("folded", "searchable")
    return list(found.select_related("school"))


def _notes(found: list[tuple[int | None, str, int]], typed: str) -> dict[int, str]:
    """Why a family was found whose label doesn't say it: by family."""
    phones = {family for family, kind, _row in found if kind == PHONE and family}
    if phones:
        note = _("A phone ends in %(digits)s") % {"digits": digits(typed)[-4:]}
        return dict.fromkeys(phones, note)
    adults = {row: family for family, kind, row in found if kind == CAREGIVER and family}
    names = Caregiver.objects.filter(pk__in=list(adults)).defer("folded", "searchable")
    return {adults[one.pk]: str(one) for one in names} if adults else {}


def _rank(row: Found, words: list[str]) -> tuple[int, str]:
    """Whole words before beginnings, then by name."""
    named = str(row.student) if row.student else row.family.label if row.family else ""
    told = fold(f"{named} {row.because}")
    whole = set(re.findall(r"[^\W_]+", told))
    return (-sum(word in whole for word in words), told)
