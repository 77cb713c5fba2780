"""How far the cells of a spreadsheet reach, counted before anything holds them in memory."""

import re
from typing import NoReturn
from xml.parsers import expat

from django.utils.translation import gettext as _

from .problems import Unreadable

# What a spreadsheet spreads its cells over is held in memory; empty ones count.
MOST_CELLS = 16_000_000
PLACE = re.compile(r"([A-Z]{0,9})(\d{0,9})", re.ASCII)
# A cell that has none of these is only painted, and counts for nothing.
VALUES = ("v", "is", "f")


class Extent:
    """Counts the rows and columns of one part of a spreadsheet, by what they say of themselves
    and by their order; raises Unreadable beyond what a list would fill.

    Any part may be a sheet: which one is, only another part says.
    """

    def __init__(self) -> None:
        # Where the row and the cell stand that are being read, and the furthest that had a value.
        self.row = self.cell_row = self.column = 0
        self.lowest = self.widest = 0
        # Whatever encoding it claims to have: spreadsheets have this one.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = _doctype

    def feed(self, part: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(part, last)
        except expat.ExpatError as error:
            raise damaged() from error

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        name = element.rpartition(":")[2]
        if name == "c":
            letters, digits = _place(attributes)
            self.column = _number(letters) if letters else self.column + 1
            self.cell_row = int(digits) if digits else self.row
        elif name == "row":
            digits = _place(attributes)[1]
            self.row = self.cell_row = int(digits) if digits else self.row + 1
            self.column = 0
        elif name in VALUES:
            self.widest = max(self.widest, self.column)
            self.lowest = max(self.lowest, self.row, self.cell_row)
            if self.widest * self.lowest > MOST_CELLS:
                raise Unreadable(_("The spreadsheet is too large. Save the list alone, as CSV."))


def damaged() -> Unreadable:
    return Unreadable(_("The spreadsheet is damaged. Save it again, or as CSV UTF-8."))


def _doctype(*_said: object) -> NoReturn:
    raise damaged()


def _place(attributes: dict[str, str]) -> tuple[str, str]:
    """The letters and digits of a place such as XFD1048576; of a row, digits alone."""
    told = next((attributes[name] for name in attributes if name.rpartition(":")[2] == "r"), "")
    found = PLACE.fullmatch(told.strip().upper())
    if found is None:
        raise damaged()
    return found[1], found[2]


def _number(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place
