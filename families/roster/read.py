"""OneRoster 1.1: a bundle's files as plain records, one at a time.

Only the columns named here are ever taken from a file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from django.utils.translation import gettext as _

from . import names, values
from .archive import Bundle
from .problems import BadValue, Refused, Unreadable
from .tables import Row, rows

STATUSES = {"": False, "active": False, "inactive": True, "tobedeleted": True}
STUDENT, TEACHER = "student", "teacher"
# Roles of the standard that don't concern a roster of students and their teachers.
OTHER_ROLES = frozenset(
    ["administrator", "aide", "guardian", "parent", "proctor", "relative", "sysadmin"]
)
LONGEST_PERSON_NAME = 80
LONGEST_SCHOOL_NAME = 120
LONGEST_TITLE = 160

Value = TypeVar("Value")
Record = TypeVar("Record")


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
class User:
    row: int
    sourced_id: str
    left: bool
    role: str
    org_ids: tuple[str, ...]
    given_name: str
    family_name: str
    email: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """Its dates are passed over: a full bundle lists who is enrolled, by being in it."""

    row: int
    sourced_id: str
    left: bool
    class_id: str
    user_id: str
    role: str
    primary: bool


class BadCell(BadValue):
    """A value that can't be used, and the column it stands in."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def check_version(bundle: Bundle) -> None:
    """Refuse the kinds of OneRoster that would be misread as a full 1.1 bundle."""
    if "manifest.csv" not in bundle:
        return
    columns = ("propertyName", "value")
    with bundle.open("manifest.csv") as stream:
        found = rows(stream, "manifest.csv", columns=columns, required=columns, key="propertyName")
        said = {row["propertyName"]: row["value"] for row in found if isinstance(row, Row)}
    version = said.get("oneroster.version", "1.1")
    if version not in ("1.0", "1.1"):
        raise Unreadable(
            _("This is OneRoster %(version)s. Export it as OneRoster 1.1 CSV.")
            % {"version": values.quoted(version)}
        )
    if "delta" in (mode.casefold() for mode in said.values()):
        raise Unreadable(_("This bundle holds only what changed. Export the full (bulk) bundle."))


def orgs(bundle: Bundle) -> Iterator[Org | Refused]:
    def build(row: Row) -> Org:
        name = _filled(row, "name", LONGEST_SCHOOL_NAME)
        return Org(*_base(row), name=name, kind=_filled(row, "type").casefold())

    return _records(bundle, "orgs.csv", build, required=("name", "type"))


def sessions(bundle: Bundle) -> Iterator[Session | Refused]:
    def build(row: Row) -> Session:
        starts, ends = _cell(row, "startDate", values.day), _cell(row, "endDate", values.day)
        if starts is None or ends is None or ends <= starts:
            raise BadCell("endDate", _("It needs a first day, and a last day after it."))
        kind = _filled(row, "type").casefold()
        return Session(*_base(row), kind, starts, ends, row["schoolYear"])

    return _records(
        bundle,
        "academicSessions.csv",
        build,
        required=("type", "startDate", "endDate"),
        optional=("schoolYear",),
    )


def classes(bundle: Bundle) -> Iterator[Class | Refused]:
    def build(row: Row) -> Class:
        return Class(
            *_base(row),
            title=_filled(row, "title", LONGEST_TITLE),
            school_id=_filled(row, "schoolSourcedId"),
            session_ids=_ids(_filled(row, "termSourcedIds")),
        )

    required = ("title", "schoolSourcedId", "termSourcedIds")
    return _records(bundle, "classes.csv", build, required=required)


def users(bundle: Bundle) -> Iterator[User | Refused]:
    """Students and teachers in full; of people in other roles only that they are there."""
    return _records(
        bundle,
        "users.csv",
        _user,
        required=("role", "orgSourcedIds", "givenName", "familyName"),
        optional=("enabledUser", "email", "grades"),
    )


def _user(row: Row) -> User:
    base = _base(row)
    role = _filled(row, "role").casefold()
    if role in OTHER_ROLES:
        return User(*base, role, (), "", "")
    if role not in (STUDENT, TEACHER):
        raise BadCell("role", _("“%(role)s” is no role here.") % {"role": values.quoted(role)})
    given = _filled(row, "givenName", LONGEST_PERSON_NAME)
    family = _filled(row, "familyName", LONGEST_PERSON_NAME)
    orgs_of_user = _ids(_filled(row, "orgSourcedIds"))
    person = User(*base, role, orgs_of_user, *names.readable(given, family))
    return _student(person, row) if role == STUDENT else _teacher(person, row)


def _student(person: User, row: Row) -> User:
    """A student; enabledUser is their account's switch and says nothing about enrolment."""
    return replace(person, grade=_cell(row, "grades", values.grade))


def _teacher(person: User, row: Row) -> User:
    """A teacher; one whose account is switched off doesn't work here any more."""
    email = _cell(row, "email", values.email)
    if not email:
        raise BadCell("email", _("A teacher needs an e-mail address to log in with."))
    disabled = row["enabledUser"].casefold() == "false"
    return replace(person, email=email, left=person.left or disabled)


def enrollments(bundle: Bundle) -> Iterator[Enrollment | Refused]:
    """Who is in which class, students and teachers alike."""

    def build(row: Row) -> Enrollment:
        return Enrollment(
            *_base(row),
            class_id=_filled(row, "classSourcedId"),
            user_id=_filled(row, "userSourcedId"),
            role=_filled(row, "role").casefold(),
            primary=row["primary"].casefold() == "true",
        )

    return _records(
        bundle,
        "enrollments.csv",
        build,
        required=("classSourcedId", "userSourcedId", "role"),
        optional=("primary",),
    )


def _records(
    bundle: Bundle,
    name: str,
    build: Callable[[Row], Record],
    *,
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
) -> Iterator[Record | Refused]:
    required = ("sourcedId", *required)
    columns = (*required, "status", *optional)
    taken: dict[str, int] = {}
    with bundle.open(name) as stream:
        for row in rows(stream, name, columns=columns, required=required, key="sourcedId"):
            if isinstance(row, Refused):
                yield row
                continue
            try:
                record = build(row)
                earlier = taken.setdefault(row["sourcedId"], row.number)
                if earlier != row.number:
                    reason = _("Line %(line)s already has this id.") % {"line": earlier}
                    raise BadCell("sourcedId", reason)
            except BadCell as bad:
                yield Refused(name, row.number, bad.column, str(bad), row["sourcedId"])
            else:
                yield record


def _base(row: Row) -> tuple[int, str, bool]:
    status = row["status"].casefold()
    if status not in STATUSES:
        reason = _("“%(status)s” is not a status of OneRoster.")
        raise BadCell("status", reason % {"status": values.quoted(status)})
    return row.number, _filled(row, "sourcedId"), STATUSES[status]


def _filled(row: Row, column: str, longest: int = 0) -> str:
    text = row[column]
    if not text:
        raise BadCell(column, _("It is empty."))
    if longest and len(text) > longest:
        raise BadCell(column, _("It is longer than %(limit)s characters.") % {"limit": longest})
    return text


def _cell(row: Row, column: str, parse: Callable[[str], Value]) -> Value:
    try:
        return parse(row[column])
    except BadValue as bad:
        raise BadCell(column, str(bad)) from bad


def _ids(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
