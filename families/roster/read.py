"""OneRoster 1.1 and 1.2: a bundle's files as plain records, one at a time.

Only the columns named here are ever taken from a file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from pthv.tables.problems import Refused
from pthv.tables.rows import Row
from pthv.tables.values import day

from . import values
from .archive import Bundle
from .records import BadCell, base, cell, filled, ids, records, said

STUDENT, TEACHER = "student", "teacher"
LONGEST_PERSON_NAME = 80
LONGEST_SCHOOL_NAME = 120
LONGEST_TITLE = 160


@dataclass(frozen=True, slots=True)
class Org:
    row: int
    sourced_id: str
    left: bool
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Session:
    row: int
    sourced_id: str
    left: bool
    kind: str
    starts: date
    ends: date
    school_year: str


@dataclass(frozen=True, slots=True)
class Class:
    row: int
    sourced_id: str
    left: bool
    title: str
    school_id: str
    session_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enrollment:
    """Its dates are passed over: a full bundle lists who is enrolled, by being in it.

    One that is no more may say no more than its id.
    """

    row: int
    sourced_id: str
    left: bool
    class_id: str
    user_id: str
    role: str
    primary: bool


def orgs(bundle: Bundle) -> Iterator[Org | Refused]:
    def build(row: Row) -> Org:
        line, key, left = base(row)
        if left:
            return Org(line, key, left, "", "")
        name = filled(row, "name", LONGEST_SCHOOL_NAME)
        return Org(line, key, left, name, filled(row, "type").casefold())

    return records(bundle, "orgs.csv", build, required=("name", "type"))


def sessions(bundle: Bundle) -> Iterator[Session | Refused]:
    def build(row: Row) -> Session:
        line, key, left = base(row)
        if left:
            return Session(line, key, left, "", date.min, date.min, "")
        starts, ends = cell(row, "startDate", day), cell(row, "endDate", day)
        if starts is None or ends is None or ends <= starts:
            raise BadCell("endDate", _("It needs a first day, and a last day after it."))
        kind = said(row, "type").casefold()
        return Session(line, key, left, kind, starts, ends, said(row, "schoolYear"))

    return records(
        bundle,
        "academicSessions.csv",
        build,
        required=("startDate", "endDate"),
        optional=("type", "schoolYear"),
    )


def classes(bundle: Bundle) -> Iterator[Class | Refused]:
    def build(row: Row) -> Class:
        line, key, left = base(row)
        if left:
            return Class(line, key, left, "", "", ())
        title = filled(row, "title", LONGEST_TITLE)
        school = filled(row, "schoolSourcedId")
        terms = ids(filled(row, "termSourcedIds"))
        return Class(line, key, left, title, school, terms)

    required = ("title", "schoolSourcedId", "termSourcedIds")
    return records(bundle, "classes.csv", build, required=required)


def enrollments(bundle: Bundle) -> Iterator[Enrollment | Refused]:
    """Who is in which class, students and teachers alike."""

    def build(row: Row) -> Enrollment:
        line, key, left = base(row)
        wanted = said if left else filled
        return Enrollment(
            line,
            key,
            left,
            wanted(row, "classSourcedId"),
            wanted(row, "userSourcedId"),
            wanted(row, "role").casefold(),
            _true(row, "primary"),
        )

    return records(
        bundle,
        "enrollments.csv",
        build,
        required=("classSourcedId", "userSourcedId", "role"),
        optional=("primary",),
        about=("userSourcedId", "classSourcedId"),
    )


def _true(row: Row, column: str) -> bool:
    return said(row, column).casefold() in values.TRUE
