"""The columns of a list: what each says, and which of a file's columns is which of ours."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.functional import Promise

from pthv.search import fold

Places = dict[str, int]

HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
WORD = re.compile(r"[^\W_]+")
# As alike as "Telephon" and "Telephone".
ALIKE = 0.85
LONG_ENOUGH_TO_BE_MISSPELT = 5
# A likeness above this one is a title's very name.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ours: `spellings` are other titles of it, `examples` two cells."""

    name: str
    label: Promise
    meaning: Promise
    spellings: tuple[str, ...]
    examples: tuple[str, str]
    required: bool = False


def likeness(column: Column, heading: str, beside: Set[str] = frozenset()) -> float:
    """How surely this title is that column's: 0 for not at all. `beside` are words that a title
    may hold besides, and that don't say which column it is."""
    found = words(heading)
    title = "".join(found)
    if not title:
        return 0
    names = [_joined(column.name), *map(_joined, column.spellings)]
    if title in names:
        return NAMED + 1 - names.index(title) / 100
    shorter = "".join(word for word in found if word not in beside)
    if shorter in names:
        return NAMED - names.index(shorter) / 100
    if len(title) < LONG_ENOUGH_TO_BE_MISSPELT:
        return 0
    alike = max(SequenceMatcher(None, title, name).ratio() for name in names)
    return alike if alike >= ALIKE else 0


def match(
    headings: Sequence[str],
    ours: Sequence[Column],
    likeness: Callable[[Column, str], float] = likeness,
) -> Places:
    """Where each of our columns stands in a file, as far as its titles say it.

    The best likeness is given away first; no column of the file is taken twice.
    """
    likenesses = [
        (-likeness(column, heading), place, number)
        for number, column in enumerate(ours)
        for place, heading in enumerate(headings)
    ]
    found: Places = {}
    taken = set()
    for alike, place, number in sorted(likenesses):
        name = ours[number].name
        if alike and place not in taken and name not in found:
            found[name] = place
            taken.add(place)
    return {column.name: found[column.name] for column in ours if column.name in found}


def missing(columns: Mapping[str, int], ours: Sequence[Column]) -> list[Column]:
    """The columns that a file must have and for which none was named."""
    return [column for column in ours if column.required and column.name not in columns]


def words(heading: str) -> list[str]:
    return WORD.findall(fold(HUMPS.sub(" ", heading)))


def _joined(words: str) -> str:
    return "".join(WORD.findall(words))
