"""The grade a student is in, from the many ways in which exports write it."""

import re

from django.utils.translation import gettext as _

from pthv.tables.problems import BadValue
from pthv.tables.values import quoted

# The codes of OneRoster (CEDS).
CODES = frozenset(
    ["IT", "PR", "PK", "TK", "KG", "PS", "UG", "Other", *(f"{year:02}" for year in range(1, 14))]
)
OTHER = "Other"
SPELLINGS = {
    "0": "KG", "00": "KG", "-1": "PK", "-2": "PR", "k": "KG", "kf": "KG", "kh": "KG", "kn": "KG",
    "k5": "KG", "kinder": "KG", "kindergarten": "KG", "kindergarden": "KG", "k4": "PK", "k3": "PK",
    "prek": "PK", "prekindergarten": "PK", "prekinder": "PK", "pk3": "PK", "pk4": "PK", "p3": "PK",
    "p4": "PK", "vpk": "PK", "4k": "PK", "3k": "PK", "5k": "KG", "preschool": "PR", "ps3": "PR",
    "ee": "PR", "ec": "PR", "infant": "IT", "toddler": "IT", "infanttoddler": "IT",
    "transitionalkindergarten": "TK", "transitional": "TK", "ungraded": "UG",
    "postsecondary": "PS", "postgraduate": "PS", "first": "01", "second": "02", "third": "03",
    "fourth": "04", "fifth": "05", "sixth": "06", "seventh": "07", "eighth": "08", "ninth": "09",
    "tenth": "10", "eleventh": "11", "twelfth": "12", "freshman": "09", "sophomore": "10",
    "junior": "11", "senior": "12", "other": OTHER, "adult": OTHER, "graduate": OTHER,
    "p1": "01", "p2": "02", "j1": "07", "j2": "08", "j3": "09", "h1": "10", "h2": "11", "h3": "12",
}  # fmt: skip
NUMBERED = re.compile(r"(?:grade|gr|g|level)?(\d{1,2})(?:st|nd|rd|th)?(?:grade|gr)?")
# A code of the district's own: G-7B, SP, 5/6. Words that mean no grade are none.
LOCAL = re.compile(r"\w{1,3}|(?=.*\d).{1,6}")


def grade(text: str) -> str:
    """One grade code; of several ("05,06") the first; Other for a code of the district's own."""
    first = text.partition(",")[0].partition(";")[0].strip()
    if not first:
        return ""
    if first.upper() in CODES:
        return first.upper()
    plain = re.sub(r"[^\w-]|_", "", first.casefold())
    plain = plain if plain[:1] == "-" else plain.replace("-", "")
    short = plain.removesuffix("grade") or plain
    if code := SPELLINGS.get(plain) or SPELLINGS.get(short):
        return code
    number = NUMBERED.fullmatch(plain)
    if number and f"{int(number[1]):02}" in CODES:
        return f"{int(number[1]):02}"
    if plain and LOCAL.fullmatch(first):
        return OTHER
    raise BadValue(_("“%(text)s” is not a grade such as KG or 03.") % {"text": quoted(text)})
