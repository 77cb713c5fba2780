"""What a contacts file asks for: households with their children and caregivers."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from families.models import Caregiver, Student
from pthv.models import Program

from .archive import Bundle
from .barred import Barred, caregiver_id, described, standing
from .contacts import FILE, Contact, contacts
from .problems import Refused
from .roster_state import CHUNK
from .states import Difference, Entry, Table, Wanted

LONGEST_SURNAMES = 160
UNSAID_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Line:
    """Which caregiver a line of the file gives to which child."""

    row: int
    student: str
    person: str


class ContactsState:
    """Reads a contacts file once; `progress` is told the rows read so far."""

    def __init__(self, bundle: Bundle, program: Program, progress: Callable[[int], None]) -> None:
        self.bundle, self.program, self.progress = bundle, program, progress
        self.wanted = Wanted()
        self.rows_read = 0
        self.household_of: dict[str, tuple[str, int]] = {}
        # Households with a refused row: whom it named we can't say, so nobody of them is missing.
        self.in_doubt: set[str] = set()
        self.students = dict(
            Student.objects.values_list("source_id", "family__source_id").iterator(CHUNK)
        )
        self.lines: dict[str, list[Line]] = defaultdict(list)

    def build(self) -> Wanted:
        doubtful_students = set()
        for record in contacts(self.bundle, self.program.phone_region):
            self.rows_read += 1
            if self.rows_read % CHUNK == 0:
                self.progress(self.rows_read)
            if isinstance(record, Refused):
                self.wanted.refused.append(record)
                doubtful_students.add(record.key)
            else:
                self._take(record)
        for student in doubtful_students:
            household, _line = self.household_of.get(student, (self.students.get(student), 0))
            self.in_doubt.add(household or "")
        self._keep_out_barred()
        for entry in self.wanted[Table.FAMILY].values():
            self._finish(entry)
        return self.wanted

    def _take(self, contact: Contact) -> None:
        student = contact.student_id
        if student not in self.students:
            reason = _("The roster has no student with this id.")
            self._refuse(contact, "student_id", reason)
            return
        own = self.household_of.get(student, ("", 0))[0]
        household = contact.household or own or self.students[student] or f"student:{student}"
        first, line = self.household_of.setdefault(student, (household, contact.row))
        if first != household:
            reason = _("Line %(line)s puts this student into another household.")
            self._refuse(contact, "household", reason % {"line": line})
            return
        person = caregiver_id(contact.given_name, contact.family_name)
        data = {"surnames": "", "language": "", "students": [], "caregivers": []}
        entry = self.wanted[Table.FAMILY].setdefault(household, Entry("", data, contact.row))
        if student not in entry.data["students"]:
            entry.data["students"].append(student)
        self.lines[household].append(Line(contact.row, student, person))
        self._add_caregiver(entry, contact, person)

    def _add_caregiver(self, entry: Entry, contact: Contact, person: str) -> None:
        said = {
            "id": person,
            "given_name": contact.given_name,
            "family_name": contact.family_name,
            "relation": contact.relation,
            "phone": contact.phone,
            "email": contact.email,
            "language": contact.language,
            "preferred_channel": contact.preferred_channel,
        }
        people = entry.data["caregivers"]
        earlier = next((other for other in people if other["id"] == person), None)
        if earlier is None:
            people.append(said)
            return
        for name in ("phone", "email"):
            if said[name] and earlier[name] and said[name] != earlier[name]:
                reason = _("An earlier line has something else for the same caregiver.")
                self._refuse(contact, name, reason)
                return
        # A sibling's line may leave out what the first one said, or add to it.
        for name, value in said.items():
            earlier[name] = earlier[name] or value

    def _keep_out_barred(self) -> None:
        """Refuse the lines that would bring back whom a child's families had put an end to.

        A family's end of somebody goes along with each of its children, whatever the
        household is called in this file, and holds for the sisters and brothers met there.
        """
        barred = Barred()
        families: dict[str, set[int]] = defaultdict(set)
        for household, family in barred.households.items():
            families[household].add(family)
        for student, known in barred.families_of.items():
            household, _line = self.household_of.get(student, (self.students[student], 0))
            families[household or ""] |= known
        named = families.keys() & self.wanted[Table.FAMILY].keys()
        held = standing(named)
        for household in sorted(named):
            self._keep_out(household, held.get(household, []), families[household], barred)

    def _keep_out(
        self, household: str, held: list[Caregiver], families: set[int], barred: Barred
    ) -> None:
        entry = self.wanted[Table.FAMILY][household]
        known = {described(person)["id"] for person in held}
        here = [described(person) for person in held if person.may_be_reached]
        # Whoever stands in this household already comes in with no line of this file.
        out = {
            said["id"]: barred.why(said, families)
            for said in entry.data["caregivers"]
            if said["id"] not in known
        }
        met = {
            student: next(filter(None, (barred.why(one, earlier) for one in here)), "")
            for student in entry.data["students"]
            if self.students[student] != household
            and (earlier := barred.families_of.get(student, set()))
        }
        kept = []
        for line in self.lines[household]:
            if reason := out.get(line.person) or met.get(line.student):
                self.wanted.refuse(FILE, line.row, "family_name", reason, line.student)
                self.in_doubt.add(household)
            else:
                kept.append(line)
        self._keep_only(household, kept)

    def _keep_only(self, household: str, kept: list[Line]) -> None:
        entry = self.wanted[Table.FAMILY][household]
        students, people = {line.student for line in kept}, {line.person for line in kept}
        for student in set(entry.data["students"]) - students:
            self.household_of[student] = (self.students[student] or "", 0)
            self.in_doubt.add(self.students[student] or household)
        entry.data["students"] = [one for one in entry.data["students"] if one in students]
        entry.data["caregivers"] = [one for one in entry.data["caregivers"] if one["id"] in people]
        if not kept:
            del self.wanted[Table.FAMILY][household]

    def stays(self, student: str, household: str) -> bool:
        """The file puts this child of the household into no other."""
        return self.household_of.get(student, (household, 0))[0] == household

    def moves(self) -> list[Difference]:
        """The children who would leave one family for another, each with both surnames."""
        moving = {
            student: household
            for household, entry in self.wanted[Table.FAMILY].items()
            for student in entry.data["students"]
            if self.students[student] not in (None, household)
        }
        children = Student.objects.filter(source_id__in=list(moving)).select_related("family")
        return [
            Difference(
                child.source_id,
                str(child),
                self.household_of[child.source_id][1],
                {"family": child.family.surnames},
                {"family": self.wanted[Table.FAMILY][moving[child.source_id]].label},
            )
            for child in children
        ]

    def _finish(self, entry: Entry) -> None:
        people = entry.data["caregivers"]
        spoken = (person["language"] for person in people if person["language"])
        entry.data["language"] = next(spoken, UNSAID_LANGUAGE)
        for person in people:
            written = person["email"] and not person["phone"]
            person["language"] = person["language"] or entry.data["language"]
            person["preferred_channel"] = (
                person["preferred_channel"]
                or (Caregiver.Channel.EMAIL if written else Caregiver.Channel.CALL).value
            )
        surnames = dict.fromkeys(person["family_name"] or person["given_name"] for person in people)
        entry.data["surnames"] = entry.label = " & ".join(surnames)[:LONGEST_SURNAMES]
        entry.data["students"].sort()
        people.sort(key=lambda person: person["id"])

    def _refuse(self, contact: Contact, column: str, reason: str) -> None:
        self.wanted.refuse(FILE, contact.row, column, reason, contact.student_id)
        self.in_doubt.add(contact.household or self.students.get(contact.student_id) or "")
