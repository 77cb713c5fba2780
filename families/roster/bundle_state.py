"""What a OneRoster bundle asks for, with every reference followed or refused."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import TypeVar

from django.utils.translation import gettext as _

from . import read, values
from .archive import Bundle
from .problems import Refused, Unreadable
from .read import STUDENT, TEACHER
from .states import Entry, Table, Wanted

Record = TypeVar("Record")
Span = tuple[date, date]
ROWS_BETWEEN_PROGRESS = 2000
FARTHEST_YEARS = 10
FARTHEST_DAY = timedelta(days=FARTHEST_YEARS * 366)


class BundleState:
    """Reads a bundle once, in the order in which its files refer to each other.

    `years` are the school years the program has, `today` is its date; `progress` is told
    the rows read so far.
    """

    def __init__(
        self,
        bundle: Bundle,
        years: Iterable[Span],
        today: date,
        progress: Callable[[int], None],
    ) -> None:
        self.bundle, self.today, self.progress = bundle, today, progress
        self.known_years = list(years)
        self.wanted = Wanted()
        self.rows_read = 0
        self.year_of_session: dict[str, str] = {}
        # Ids that stand in a file and yet are not wanted: left, refused, or in another role.
        self.passed: dict[str, set[str]] = {"classes.csv": set(), "users.csv": set()}

    def build(self) -> Wanted:
        read.check_version(self.bundle)
        self._orgs()
        self._sessions()
        self._classes()
        self._users()
        if not self.wanted[Table.STUDENT] and not self.wanted.refused:
            raise Unreadable(_("users.csv names no student."))
        self._enrollments()
        return self.wanted

    def _accepted(self, records: Iterable[Record | Refused]) -> Iterator[Record]:
        for record in records:
            self.rows_read += 1
            if self.rows_read % ROWS_BETWEEN_PROGRESS == 0:
                self.progress(self.rows_read)
            if isinstance(record, Refused):
                self.wanted.refused.append(record)
                if record.file in self.passed:
                    self.passed[record.file].add(record.key)
                elif record.file == "enrollments.csv":
                    self.wanted.every_enrollment_in_doubt = True
            else:
                yield record

    def _orgs(self) -> None:
        for org in self._accepted(read.orgs(self.bundle)):
            if org.kind == "school" and not org.left:
                self.wanted[Table.SCHOOL][org.sourced_id] = Entry(
                    org.name, {"name": org.name}, org.row
                )

    def _sessions(self) -> None:
        sessions = [
            session for session in self._accepted(read.sessions(self.bundle)) if not session.left
        ]
        if not sessions:
            raise Unreadable(_("academicSessions.csv names no school year."))
        spans = school_years(sessions)
        for day in (day for span in spans for day in span):
            if abs(day - self.today) > FARTHEST_DAY:
                raise Unreadable(far_away(day))
        years = [year_key(span, self.known_years) for span in spans]
        for key, (starts, ends), known in years:
            name = year_name(starts, ends)
            if not known:
                data = {"name": name, "starts_on": f"{starts}", "ends_on": f"{ends}"}
                self.wanted[Table.YEAR][key] = Entry(name, data)
        for session in sessions:
            best = max(years, key=lambda year: overlap(year[1], (session.starts, session.ends)))
            self.year_of_session[session.sourced_id] = best[0]

    @property
    def year_keys(self) -> set[str]:
        """The first days of the school years that this bundle speaks of."""
        return set(self.year_of_session.values())

    def _classes(self) -> None:
        for record in self._accepted(read.classes(self.bundle)):
            if record.left:
                self.passed["classes.csv"].add(record.sourced_id)
                continue
            column, reason = "", ""
            found = (self.year_of_session.get(session) for session in record.session_ids)
            year = next((key for key in found if key), "")
            if record.school_id not in self.wanted[Table.SCHOOL]:
                column, reason = "schoolSourcedId", no_such("orgs.csv", record.school_id)
            elif not year:
                sessions = ",".join(record.session_ids)
                column, reason = "termSourcedIds", no_such("academicSessions.csv", sessions)
            if reason:
                self._refuse("classes.csv", record.row, column, reason, record.sourced_id)
                continue
            data = {"title": record.title, "school": record.school_id, "year": year}
            self.wanted[Table.CLASS][record.sourced_id] = Entry(record.title, data, record.row)

    def _refuse(self, file: str, row: int, column: str, reason: str, key: str) -> None:
        self.wanted.refuse(file, row, column, reason, key)
        if file in self.passed:
            self.passed[file].add(key)

    def _users(self) -> None:
        emails: dict[str, int] = {}
        for user in self._accepted(read.users(self.bundle)):
            if user.left or user.role not in (STUDENT, TEACHER):
                self.passed["users.csv"].add(user.sourced_id)
                continue
            schools = [org for org in user.org_ids if org in self.wanted[Table.SCHOOL]]
            if user.role == STUDENT and schools:
                self._student(user, schools[0])
            elif user.role == STUDENT:
                reason = no_such("orgs.csv", ",".join(user.org_ids))
                self._refuse("users.csv", user.row, "orgSourcedIds", reason, user.sourced_id)
            elif emails.setdefault(user.email, user.row) != user.row:
                reason = _("Line %(line)s already has this address.")
                reason %= {"line": emails[user.email]}
                self._refuse("users.csv", user.row, "email", reason, user.sourced_id)
            else:
                self._teacher(user, schools)

    def _student(self, user: read.User, school: str) -> None:
        data = {
            "given_name": user.given_name,
            "family_name": user.family_name,
            "school": school,
            "grade": user.grade,
            "classes": [],
        }
        label = f"{user.given_name} {user.family_name}"
        self.wanted[Table.STUDENT][user.sourced_id] = Entry(label, data, user.row)

    def _teacher(self, user: read.User, schools: list[str]) -> None:
        data = {
            "given_name": user.given_name,
            "family_name": user.family_name,
            "email": user.email,
            "schools": schools,
            "classes": [],
            "primary": [],
        }
        label = f"{user.given_name} {user.family_name}"
        self.wanted[Table.EDUCATOR][user.sourced_id] = Entry(label, data, user.row)

    def _enrollments(self) -> None:
        for record in self._accepted(read.enrollments(self.bundle)):
            if record.left or record.role not in (STUDENT, TEACHER):
                continue
            table = Table.STUDENT if record.role == STUDENT else Table.EDUCATOR
            person = self.wanted[table].get(record.user_id)
            known_class = record.class_id in self.wanted[Table.CLASS]
            if person and known_class:
                self._enrol(person, record)
            elif record.class_id not in self.passed["classes.csv"] and not known_class:
                reason = no_such("classes.csv", record.class_id)
                self._refuse_enrollment(record, "classSourcedId", reason)
            elif not person and record.user_id not in self.passed["users.csv"]:
                reason = no_such("users.csv", record.user_id, role=record.role)
                self._refuse_enrollment(record, "userSourcedId", reason)
        for table in (Table.STUDENT, Table.EDUCATOR):
            for entry in self.wanted[table].values():
                for name in ("classes", "schools", "primary"):
                    if name in entry.data:
                        entry.data[name] = sorted(set(entry.data[name]))

    def _enrol(self, person: Entry, record: read.Enrollment) -> None:
        person.data["classes"].append(record.class_id)
        if record.role == TEACHER:
            person.data["schools"].append(self.wanted[Table.CLASS][record.class_id].data["school"])
            if record.primary:
                person.data["primary"].append(record.class_id)

    def _refuse_enrollment(self, record: read.Enrollment, column: str, reason: str) -> None:
        self._refuse("enrollments.csv", record.row, column, reason, record.sourced_id)
        self.wanted.doubtful_people.add(record.user_id)
        self.wanted.doubtful_classes.add(record.class_id)


def no_such(file: str, key: str, role: str = "") -> str:
    known = {"file": file, "key": values.quoted(key), "role": role}
    if role:
        return _("%(file)s has no %(role)s with the id %(key)s.") % known
    return _("%(file)s has no entry for %(key)s.") % known


def far_away(day: date) -> str:
    known = {"year": day.year, "limit": FARTHEST_YEARS}
    return (
        _("academicSessions.csv has a school year of %(year)s, more than %(limit)s years from now.")
        % known
    )


def school_years(sessions: list[read.Session]) -> list[Span]:
    """The school years of a bundle: those it names, or else what its terms add up to."""
    named = [session for session in sessions if session.kind == "schoolyear"]
    if named:
        return merged([(session.starts, session.ends) for session in named])
    by_year: dict[str, list[read.Session]] = {}
    for session in sessions:
        by_year.setdefault(session.school_year, []).append(session)
    return merged(
        [
            (min(term.starts for term in terms), max(term.ends for term in terms))
            for terms in by_year.values()
        ]
    )


def merged(spans: list[Span]) -> list[Span]:
    """Spans joined where they share a day, for a program's years never overlap."""
    joined: list[Span] = []
    for starts, ends in sorted(spans):
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((starts, ends))
    return joined


def overlap(one: Span, other: Span) -> timedelta:
    return min(one[1], other[1]) - max(one[0], other[0])


def year_key(span: Span, known: list[Span]) -> tuple[str, Span, bool]:
    """A year's first day as its key: the program's own year where one holds these days."""
    best = max(known, key=lambda year: overlap(year, span), default=None)
    if best and overlap(best, span) >= timedelta(0):
        return f"{best[0]}", best, True
    return f"{span[0]}", span, False


def year_name(starts: date, ends: date) -> str:
    return f"{starts.year}–{ends.year % 100:02}" if ends.year > starts.year else f"{starts.year}"
