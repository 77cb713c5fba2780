"""The attributes file: of each student, what the program chose to count by, and nothing else."""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from families.models import Student
from pthv.models import Program
from pthv.search import fold
from pthv.tables.columns import Places
from pthv.tables.problems import BadValue, Refused
from pthv.tables.sheets import Sheet

from . import progress, values
from .attributes import differences
from .chunks import CHUNK
from .columns import STUDENT
from .contacts import language, value
from .records import BadCell
from .states import Difference, Entry, Table, Wanted

FILE = "attributes"
SEXES = {
    "female": "female", "f": "female", "girl": "female", "woman": "female",
    "male": "male", "m": "male", "boy": "male", "man": "male",
    "other": "other", "x": "other", "nonbinary": "other", "non binary": "other",
    "unspecified": "unspecified", "unknown": "unspecified", "u": "unspecified",
}  # fmt: skip
# The names that OneRoster gives them, by what lists call them.
RACES = {
    "american indian or alaska native": "americanIndianOrAlaskaNative",
    "american indian": "americanIndianOrAlaskaNative",
    "alaska native": "americanIndianOrAlaskaNative",
    "native american": "americanIndianOrAlaskaNative",
    "asian": "asian",
    "black or african american": "blackOrAfricanAmerican",
    "black": "blackOrAfricanAmerican",
    "african american": "blackOrAfricanAmerican",
    "native hawaiian or other pacific islander": "nativeHawaiianOrOtherPacificIslander",
    "native hawaiian": "nativeHawaiianOrOtherPacificIslander",
    "pacific islander": "nativeHawaiianOrOtherPacificIslander",
    "white": "white",
    "two or more races": "demographicRaceTwoOrMoreRaces",
    "two or more": "demographicRaceTwoOrMoreRaces",
    "multiracial": "demographicRaceTwoOrMoreRaces",
    "multiple races": "demographicRaceTwoOrMoreRaces",
    "hispanic or latino": "hispanicOrLatinoEthnicity",
    "hispanic": "hispanicOrLatinoEthnicity",
    "latino": "hispanicOrLatinoEthnicity",
    "latina": "hispanicOrLatinoEthnicity",
    "latinx": "hispanicOrLatinoEthnicity",
    "hispanic latino": "hispanicOrLatinoEthnicity",
}
BY_CODE = {code.casefold(): code for code in RACES.values()}
BETWEEN = re.compile(r"[;,|]")
WORD = re.compile(r"[^\W_]+")
TOLD_APART = frozenset({"not hispanic or latino", "not hispanic", "non hispanic"})


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a line says of one student: an empty cell says nothing."""

    row: int
    student_id: str
    said: dict[str, Any]
    cells: dict[str, str]


def attributes(sheet: Sheet, columns: Places, program: Program) -> Iterator[Attributes | Refused]:
    """Every line, with the attributes that the program keeps."""
    kept = [name for name in PARSERS if name in program.attributes_kept and name in columns]
    places = {name: columns[name] for name in (STUDENT.name, *kept)}
    for row in sheet.rows(places, STUDENT.name):
        if isinstance(row, Refused):
            yield row
            continue
        try:
            if not row[STUDENT.name]:
                raise BadCell(STUDENT.name, _("It is empty."))
            said = {name: value(row, name, PARSERS[name]) for name in kept if row[name]}
        except BadCell as bad:
            key = row[STUDENT.name]
            yield Refused(FILE, row.number, bad.column, str(bad), key, cells=row.cells)
        else:
            yield Attributes(row.number, row[STUDENT.name], said, row.cells)


class AttributesState:
    """Reads an attributes file once, and compares it with what is held."""

    def __init__(self, sheet: Sheet, columns: Places, program: Program) -> None:
        self.sheet, self.columns, self.program = sheet, columns, program
        self.wanted = Wanted()
        self.rows_read = 0

    def read(self) -> Wanted:
        """An entry for each student of the roster of whom the file says something."""
        wanted = self.wanted
        entries = wanted[Table.ATTRIBUTES]
        names = Student.objects.values_list("source_id", "given_name", "family_name")
        students = {key: f"{given} {family}" for key, given, family in names.iterator(CHUNK)}
        taken: dict[str, int] = {}
        for line in attributes(self.sheet, self.columns, self.program):
            self.rows_read += 1
            if self.rows_read % CHUNK == 0:
                progress.advance(CHUNK)
            if isinstance(line, Refused):
                wanted.refused.append(line)
            elif reason := _unwelcome(line, students, taken):
                wanted.refuse(FILE, line.row, STUDENT.name, reason, line.student_id, line.cells)
            elif line.said:
                entries[line.student_id] = Entry(students[line.student_id], line.said, line.row)
        return wanted

    def leaving(self) -> list[dict[str, object]]:
        """Nobody leaves by such a file."""
        return []

    def differences(self) -> Iterator[tuple[Table, Difference]]:
        """What of it differs from what is held."""
        for found in differences(self.wanted[Table.ATTRIBUTES]):
            yield Table.ATTRIBUTES, found


def _unwelcome(line: Attributes, students: Container[str], taken: dict[str, int]) -> str:
    if line.student_id not in students:
        return _("The roster has no student with this id.")
    earlier = taken.setdefault(line.student_id, line.row)
    if earlier != line.row:
        return _("Line %(line)s already has this student.") % {"line": earlier}
    return ""


# No sentence here quotes the cell: who is what stands on no page.


def _home_language(text: str) -> str:
    try:
        return language(text)
    except BadValue:
        reason = _("It is not a language we know. Use its name in English or a tag: es.")
        raise BadValue(reason) from None


def _english_learner(text: str) -> bool | None:
    try:
        return values.yes_or_no(text)
    except BadValue:
        raise BadValue(_("It is neither yes nor no.")) from None


def _race_ethnicity(text: str) -> list[str]:
    found = set()
    for part in filter(None, map(str.strip, BETWEEN.split(text))):
        words = " ".join(WORD.findall(fold(part)))
        if words in TOLD_APART:
            continue
        code = RACES.get(words) or BY_CODE.get(part.casefold())
        if code is None:
            raise BadValue(_("It names a race or ethnicity that isn’t on our list."))
        found.add(code)
    return sorted(found)


def _sex(text: str) -> str:
    found = SEXES.get(" ".join(WORD.findall(fold(text))))
    if found is None:
        raise BadValue(_("It is none of female, male, other, unspecified."))
    return found


PARSERS: dict[str, Callable[[str], Any]] = {
    "home_language": _home_language,
    "english_learner": _english_learner,
    "race_ethnicity": _race_ethnicity,
    "sex": _sex,
}
