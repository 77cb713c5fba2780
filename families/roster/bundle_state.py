"""What a OneRoster bundle asks for, with every reference followed or refused."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from sys import intern
from typing import TypeVar

from django.utils.translation import gettext as _

from pthv.tables.problems import Refused, Unreadable
from pthv.tables.values import quoted

from . import read, read_people
from .archive import Bundle
from .asked import Asked
from .known import Known
from .manifest import Manifest, manifest
from .read import STUDENT, TEACHER
from .read_people import GUARDIANS, Held, Role, Roles, User
from .school_years import Span, check_near, overlap, school_years, year_key, year_name
from .states import Entry, Table

Record = TypeVar("Record")
ROWS_BETWEEN_PROGRESS = 2000
TABLE_OF = {STUDENT: Table.STUDENT, TEACHER: Table.EDUCATOR}
# What a program may keep of its students that demographics.csv tells.
DEMOGRAPHICS = frozenset(["race_ethnicity", "sex"])


class BundleState:
    """Reads a bundle once, in the order in which its files refer to each other.

    `years` are the school years the program has, `today` is its date, `known` what its roster
    holds, on which a file of changes leans; `progress` is told the rows read so far.
    """

    def __init__(
        self,
        bundle: Bundle,
        years: Iterable[Span],
        today: date,
        progress: Callable[[int], None],
        *,
        known: Known | None = None,
        region: str = "US",
        kept: frozenset[str] = frozenset(),
    ) -> None:
        self.bundle, self.today, self.progress = bundle, today, progress
        self.region, self.kept = region, kept & DEMOGRAPHICS
        self.known_years = list(years)
        self.known = known or Known()
        self.wanted = Asked(manifest=manifest(bundle))
        self.rows_read = 0
        self.roles: Roles | None = None
        # Ids that stand in a file and yet are not wanted: left, refused, or in another role.
        self.passed: dict[str, set[str]] = {"classes.csv": set(), "users.csv": set()}

    @property
    def manifest(self) -> Manifest:
        return self.wanted.manifest

    def build(self) -> Asked:
        steps = {
            "orgs.csv": self._orgs,
            "academicSessions.csv": self._sessions,
            "classes.csv": self._classes,
            "roles.csv": self._roles,
            "users.csv": self._users,
            "enrollments.csv": self._enrollments,
            "demographics.csv": self._demographics,
        }
        self.wanted.sessions.update(self.known.sessions)
        self.wanted.years.update(self.known.years)
        for name, step in steps.items():
            if self.manifest.read(name):
                step()
        if not self.manifest.read("users.csv"):
            self._roles_alone()
        return self.wanted

    def _accepted(self, records: Iterable[Record | Refused]) -> Iterator[Record]:
        for record in records:
            if not isinstance(record, Refused):
                self._count()
                yield record
                continue
            if not record.part:
                self._count()
                self._doubt(record)
            self.wanted.refused.append(record)

    def _count(self) -> None:
        self.rows_read += 1
        if self.rows_read % ROWS_BETWEEN_PROGRESS == 0:
            self.progress(self.rows_read)

    def _doubt(self, refused: Refused) -> None:
        """Remember whom a refused row may have meant."""
        if refused.file in self.passed:
            self.passed[refused.file].add(refused.key)
        elif refused.file == "roles.csv":
            self.passed["users.csv"].update(refused.about)
            self.wanted.doubtful_roles.update(refused.about or ("",))
        elif refused.file == "enrollments.csv":
            user, school_class = refused.about or ("", "")
            if user:
                self.wanted.doubtful_people.add(user)
            if school_class:
                self.wanted.doubtful_classes.add(school_class)
            if not user and not school_class:
                self.wanted.every_enrollment_in_doubt = True

    def _refuse(self, file: str, row: int, column: str, reason: str, key: str) -> None:
        self.wanted.refuse(file, row, column, reason, key)
        if file in self.passed:
            self.passed[file].add(key)

    # Places

    def _orgs(self) -> None:
        for org in self._accepted(read.orgs(self.bundle)):
            if org.kind == "school" and not org.left:
                self.wanted[Table.SCHOOL][org.sourced_id] = Entry(
                    org.name, {"name": org.name}, org.row
                )

    def _is_school(self, key: str) -> bool:
        if key in self.wanted[Table.SCHOOL]:
            return True
        return not self.manifest.bulk("orgs.csv") and key in self.known.schools

    def _sessions(self) -> None:
        file = "academicSessions.csv"
        sessions = [
            session for session in self._accepted(read.sessions(self.bundle)) if not session.left
        ]
        if not sessions and self.manifest.bulk(file):
            raise Unreadable(_("academicSessions.csv names no school year."))
        spans = school_years(sessions)
        check_near(spans, self.today)
        years = [year_key(span, self.known_years) for span in spans]
        for key, (starts, ends), known in years:
            self.wanted.years.add(key)
            name = year_name(starts, ends)
            if not known:
                data = {"name": name, "starts_on": f"{starts}", "ends_on": f"{ends}"}
                self.wanted[Table.YEAR][key] = Entry(name, data)
        for session in sessions:
            best = max(years, key=lambda year: overlap(year[1], (session.starts, session.ends)))
            self.wanted.sessions[session.sourced_id] = best[0]

    def _classes(self) -> None:
        for record in self._accepted(read.classes(self.bundle)):
            if record.left:
                self.passed["classes.csv"].add(record.sourced_id)
                self.wanted.gone[Table.CLASS].add(record.sourced_id)
                continue
            column, reason = "", ""
            found = (self.wanted.sessions.get(session) for session in record.session_ids)
            year = next((key for key in found if key), "")
            if not self._is_school(record.school_id):
                column, reason = "schoolSourcedId", no_such("orgs.csv", record.school_id)
            elif not year:
                sessions = ",".join(record.session_ids)
                column, reason = "termSourcedIds", no_such("academicSessions.csv", sessions)
            if reason:
                self._refuse("classes.csv", record.row, column, reason, record.sourced_id)
                continue
            self.wanted.years.add(year)
            self.wanted.class_years.add(year)
            data = {"title": record.title, "school": record.school_id, "year": year}
            self.wanted[Table.CLASS][record.sourced_id] = Entry(record.title, data, record.row)

    def _school_of_class(self, key: str) -> str:
        """Where a class is; empty for one that is not known."""
        if held := self.wanted[Table.CLASS].get(key):
            return held.data["school"]
        if self.manifest.bulk("classes.csv") or key in self.wanted.gone[Table.CLASS]:
            return ""
        return self.known.classes.get(key, "")

    # People

    def _roles(self) -> None:
        self.roles = Roles(refused=self.wanted.doubtful_roles)
        for role in self._accepted(read_people.roles(self.bundle)):
            if role.user_id:
                self.roles.take(role)

    def _users(self) -> None:
        if self.roles is None and not self.manifest.bulk("users.csv"):
            # Of 1.2, a file of changes may come without roles.csv.
            self.roles = None if read_people.has_roles_of_its_own(self.bundle) else Roles()
        emails: dict[str, int] = {}
        found = read_people.users(self.bundle, self.region, self.roles, self._known_as)
        for user in self._accepted(found):
            if user.left:
                self.wanted.left.add(user.sourced_id)
            if user.left or not user.role:
                self.passed["users.csv"].add(user.sourced_id)
            if user.student_at is not None:
                self._student(user)
            if user.teacher_at is not None:
                self._teacher(user, emails)
            if user.guardian_as:
                self.wanted.guardians[user.sourced_id] = user
            self._gone(user)
            if user.agents or user.student_at is not None or user.guardian_as:
                self.wanted.agents[user.sourced_id] = (user.row, user.agents)
        bulk = self.manifest.bulk("users.csv")
        if bulk and not self.wanted[Table.STUDENT] and not self.wanted.refused:
            raise Unreadable(_("users.csv names no student."))
        self._roles_alone()

    def _gone(self, user: User) -> None:
        """What somebody is no more, as far as every row about their roles could be read."""
        if not user.left and self.wanted.role_in_doubt(user.sourced_id):
            return
        is_no = {
            Table.STUDENT: user.student_at is None,
            Table.EDUCATOR: user.teacher_at is None,
            Table.CAREGIVER: not user.guardian_as,
        }
        for table in filter(is_no.get, is_no):
            self.wanted.gone[table].add(user.sourced_id)

    def _known_as(self, key: str) -> Held:
        """What the roster knows somebody as, of whom a file of changes doesn't say it."""
        if self.manifest.bulk("users.csv"):
            return []
        held: Held = []
        if key in self.known.students:
            held.append((STUDENT, ()))
        if key in self.known.educators:
            held.append((TEACHER, ()))
        if key in self.known.guardians:
            relation = self.known.guardians[key]
            held.append((relation if relation in GUARDIANS else "guardian", ()))
        return held

    def _student(self, user: User) -> None:
        orgs = user.student_at or ()
        schools = [org for org in orgs if self._is_school(org)]
        if orgs and not schools:
            reason = no_such("orgs.csv", ",".join(orgs))
            self._refuse("users.csv", user.row, "orgSourcedIds", reason, user.sourced_id)
            return
        data = {"given_name": user.given_name, "family_name": user.family_name}
        if schools:
            data["school"] = schools[0]
        data["grade"] = user.grade
        if user.preferred_name:
            data["preferred_name"] = user.preferred_name
        label = f"{user.given_name} {user.family_name}"
        self.wanted[Table.STUDENT][user.sourced_id] = Entry(label, data, user.row)

    def _teacher(self, user: User, emails: dict[str, int]) -> None:
        if emails.setdefault(user.email or "", user.row) != user.row:
            reason = _("Line %(line)s already has this address.")
            reason %= {"line": emails[user.email or ""]}
            self._refuse("users.csv", user.row, "email", reason, user.sourced_id)
            return
        data: dict[str, object] = {
            "given_name": user.given_name,
            "family_name": user.family_name,
            "email": user.email,
        }
        if user.teacher_at:
            data["schools"] = [org for org in user.teacher_at if self._is_school(org)]
        label = f"{user.given_name} {user.family_name}"
        self.wanted[Table.EDUCATOR][user.sourced_id] = Entry(label, data, user.row)

    def _roles_alone(self) -> None:
        """Rows of roles.csv, in a bundle of changes, about people whose own row stays as it was."""
        if self.roles is None or self.manifest.bulk("users.csv"):
            return
        people = {*self.roles.active, *self.roles.ended} - self.wanted.agents.keys()
        for key in sorted(people - self.passed["users.csv"]):
            active, ended = self.roles.active.get(key, ()), self.roles.ended.get(key, ())
            kinds = {role.role for role in active}
            for role in ended:
                if role.role == STUDENT and STUDENT not in kinds:
                    self.wanted.gone[Table.STUDENT].add(key)
                elif role.role in GUARDIANS and not kinds & GUARDIANS:
                    self.wanted.gone[Table.CAREGIVER].add(key)
            self._placed(key, [role for role in active if role.role == STUDENT])
            self._taught(key, active, ended)
            for role in active:
                if role.role in GUARDIANS and key not in self.known.guardians:
                    reason = no_such("users.csv", key)
                    self.wanted.refuse("roles.csv", role.row, "userSourcedId", reason, key)

    def _placed(self, key: str, roles: list[Role]) -> None:
        """A student whose role alone came along: their school."""
        if not roles:
            return
        school = next((role.org_id for role in roles if self._is_school(role.org_id)), "")
        if key not in self.known.students or not school:
            column = "orgSourcedId" if key in self.known.students else "userSourcedId"
            file = "orgs.csv" if key in self.known.students else "users.csv"
            reason = no_such(file, roles[0].org_id if file == "orgs.csv" else key)
            self.wanted.refuse("roles.csv", roles[0].row, column, reason, key)
            return
        self.wanted[Table.STUDENT][key] = Entry("", {"school": school}, roles[0].row)

    def _taught(self, key: str, active: Iterable[Role], ended: Iterable[Role]) -> None:
        """A teacher whose roles alone came along: their schools."""
        held = self.known.educators.get(key)
        added = [role for role in active if role.role == TEACHER]
        gone = {role.org_id for role in ended if role.role == TEACHER}
        if held is None:
            for role in added:
                reason = no_such("users.csv", key)
                self.wanted.refuse("roles.csv", role.row, "userSourcedId", reason, key)
        elif added or gone:
            now = {role.org_id for role in added if self._is_school(role.org_id)}
            schools = sorted((set(held) - gone) | now)
            if schools:
                self.wanted[Table.EDUCATOR][key] = Entry("", {"schools": schools})
            else:
                self.wanted.gone[Table.EDUCATOR].add(key)

    # Who is in which class

    def _is_here(self, table: Table, key: str) -> bool:
        if key in self.wanted[table]:
            return True
        if self.manifest.bulk("users.csv") or key in self.wanted.gone[table]:
            return False
        held = self.known.students if table == Table.STUDENT else self.known.educators
        return key in held

    def _enrollments(self) -> None:
        delta = not self.manifest.bulk("enrollments.csv")
        for record in self._accepted(read.enrollments(self.bundle)):
            if record.left and delta:
                self._drop(record)
            if record.left or record.role not in TABLE_OF:
                continue
            table = TABLE_OF[record.role]
            school = self._school_of_class(record.class_id)
            here = self._is_here(table, record.user_id)
            if here and school:
                self._enrol(table, record, school)
            elif record.class_id not in self.passed["classes.csv"] and not school:
                reason = no_such("classes.csv", record.class_id)
                self._refuse_enrollment(record, "classSourcedId", reason)
            elif not here and record.user_id not in self.passed["users.csv"]:
                reason = no_such("users.csv", record.user_id, role=record.role)
                self._refuse_enrollment(record, "userSourcedId", reason)

    def _enrol(self, table: Table, record: read.Enrollment, school: str) -> None:
        key = intern(record.class_id)
        self.wanted.enrolled[table].setdefault(record.user_id, {})[key] = record.sourced_id
        if record.role == TEACHER:
            self.wanted.taught_at.setdefault(record.user_id, set()).add(school)
            if record.primary:
                self.wanted.led.setdefault(record.user_id, set()).add(key)

    def _drop(self, record: read.Enrollment) -> None:
        if record.class_id and record.user_id:
            dropped = self.wanted.dropped.setdefault(record.user_id, set())
            dropped.add(record.class_id)
        else:
            self.wanted.dropped_ids.add(record.sourced_id)

    def _refuse_enrollment(self, record: read.Enrollment, column: str, reason: str) -> None:
        self._refuse("enrollments.csv", record.row, column, reason, record.sourced_id)
        self.wanted.doubtful_people.add(record.user_id)
        self.wanted.doubtful_classes.add(record.class_id)

    def _demographics(self) -> None:
        """Only what the program keeps; a program that keeps nothing doesn't even open the file."""
        if not self.kept:
            return
        for record in self._accepted(read_people.demographics(self.bundle, self.kept)):
            key = record.user_id
            if not self._is_here(Table.STUDENT, key):
                if key not in self.passed["users.csv"]:
                    reason = no_such("users.csv", key, role=STUDENT)
                    self.wanted.refuse("demographics.csv", record.row, "sourcedId", reason, key)
            elif record.data:
                student = self.wanted[Table.STUDENT].get(key)
                label = student.label if student else self.known.students.get(key, "")
                self.wanted[Table.ATTRIBUTES][key] = Entry(label, record.data, record.row)


def no_such(file: str, key: str, role: str = "") -> str:
    known = {"file": file, "key": quoted(key), "role": role}
    if role:
        return _("%(file)s has no %(role)s with the id %(key)s.") % known
    return _("%(file)s has no entry for %(key)s.") % known
