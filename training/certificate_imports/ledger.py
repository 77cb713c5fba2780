"""What is certified already, and what a line of a list would add to it."""

import datetime
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from pthv import wording
from pthv.models import Educator, Program
from pthv.search import fold
from pthv.tables import values
from pthv.tables.problems import BadValue
from training import certification
from training.models import CertificateLine, Certification, Course

from .read import Said, day

Kind = CertificateLine.Kind
LONGEST_LABEL = LONGEST_PROBLEM = 255
# Whoever means more has mistyped a year.
LONGEST_VALIDITY = datetime.timedelta(days=20 * 366)


class Held(NamedTuple):
    """A certificate that is here, or that an earlier line brings."""

    issued_on: datetime.date
    expires_on: datetime.date
    revoked_on: datetime.date | None = None
    line: int = 0


class Verdict(NamedTuple):
    """What becomes of a line, as it is kept for people to look at."""

    kind: str
    label: str
    problem: str
    data: dict[str, Any]


class Ledger:
    """Judges the lines of a list one after the other."""

    def __init__(self, program: Program) -> None:
        self.today = program.today
        courses = list(Course.objects.all())
        # The very name counts for more than one that is like it.
        self.courses = {fold(course.name): course for course in courses}
        self.courses |= {course.name: course for course in courses}
        self.people = {
            educator.user.email: educator
            for educator in Educator.objects.select_related("user").only(
                "user__email", "user__given_name", "user__family_name"
            )
        }
        self.held: dict[tuple[int, int], list[Held]] = defaultdict(list)
        rows = Certification.objects.order_by().values_list(
            "educator", "course", "issued_on", "expires_on", "revoked_at"
        )
        for educator, course, issued_on, expires_on, revoked_at in rows.iterator():
            revoked_on = revoked_at and revoked_at.astimezone(program.zone).date()
            self.held[educator, course].append(Held(issued_on, expires_on, revoked_on))

    def judge(self, line: Said) -> Verdict:
        cells = line.cells
        label = (cells.get("name") or cells.get("email") or "")[:LONGEST_LABEL]
        try:
            if line.problem:
                raise BadValue(line.problem)
            educator, course = self._educator(cells), self._course(cells)
            label = str(educator.user)
            issued_on, expires_on = self._days(cells, course)
            there = self.held[educator.pk, course.pk]
            if known := _known(there, issued_on, expires_on):
                return Verdict(Kind.SAME, label, known, cells)
        except BadValue as bad:
            return Verdict(Kind.REFUSED, label, str(bad)[:LONGEST_PROBLEM], cells)
        there.append(Held(issued_on, expires_on, line=line.number))
        days = {"issued_on": issued_on.isoformat(), "expires_on": expires_on.isoformat()}
        ids = {"educator": educator.pk, "course_id": course.pk}
        return Verdict(Kind.NEW, label, "", {**cells, "course": course.name, **days, **ids})

    def _educator(self, cells: Mapping[str, str]) -> Educator:
        address = values.email(cells["email"])
        if not address:
            raise BadValue(_("It has no e-mail address."))
        if address not in self.people:
            raise BadValue(_("No educator here has the address %(email)s.") % {"email": address})
        return self.people[address]

    def _course(self, cells: Mapping[str, str]) -> Course:
        name = cells["course"]
        found = self.courses.get(name) or self.courses.get(fold(name))
        if not name:
            raise BadValue(_("It names no course."))
        if found is None:
            named = {"course": values.quoted(name)}
            raise BadValue(_("No course here is called “%(course)s”.") % named)
        return found

    def _days(
        self, cells: Mapping[str, str], course: Course
    ) -> tuple[datetime.date, datetime.date]:
        issued_on = day(cells["issued_on"])
        if issued_on is None:
            raise BadValue(_("It doesn't say when it was issued."))
        shown = {"day": wording.day(issued_on, self.today)}
        if issued_on > self.today:
            raise BadValue(_("It is issued on %(day)s, which is still to come.") % shown)
        if issued_on < certification.EARLIEST:
            raise BadValue(_("It is issued on %(day)s, before there were home visits.") % shown)
        expires_on = day(cells.get("expires_on", ""))
        expires_on = expires_on or certification.expiry(course, issued_on)
        if expires_on < issued_on:
            raise BadValue(_("It ends before it starts."))
        if expires_on - issued_on > LONGEST_VALIDITY:
            raise BadValue(_("It would count for more than 20 years."))
        return issued_on, expires_on


def _known(there: list[Held], issued_on: datetime.date, expires_on: datetime.date) -> str:
    """Why a certificate of these days adds nothing; BadValue if it can't be added, "" if it can."""
    for one in there:
        shown = {"line": one.line, "day": wording.day(one.revoked_on or one.expires_on)}
        if one.line and one.issued_on == issued_on:
            raise BadValue(_("Line %(line)s has the same certificate.") % shown)
        if one.revoked_on is None and one.issued_on <= issued_on and expires_on <= one.expires_on:
            if one.line:
                return _("Line %(line)s has one that counts as long.") % shown
            return _("Here already, until %(day)s.") % shown
    for one in there:
        shown = {"day": wording.day(one.revoked_on or one.expires_on)}
        overlaps = one.issued_on <= expires_on and issued_on <= one.expires_on
        if one.revoked_on and overlaps and issued_on <= one.revoked_on:
            raise BadValue(_("It was revoked on %(day)s; a list can't bring it back.") % shown)
        if one.issued_on == issued_on:
            raise BadValue(_("It is here, and ends on %(day)s: a list can't prolong it.") % shown)
    return ""
