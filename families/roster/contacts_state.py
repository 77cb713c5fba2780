"""What a contacts file asks for: households with their children and caregivers."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from families.models import Caregiver, Student
from pthv.models import Program

from .archive import Bundle
from .contacts import FILE, Contact, contacts
from .problems import Refused
from .roster_state import CHUNK
from .states import Entry, Table, Wanted

LONGEST_SURNAMES = 160
UNSAID_LANGUAGE = "en"


def caregiver_id(given_name: str, family_name: str) -> str:
    """The same name in one household is the same person."""
    return f"{given_name} {family_name}".strip().casefold()


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
        self.ended = {
            (household, person)
            for household, person in Caregiver.objects.exclude(ended_on=None).values_list(
                "family__source_id", "source_id"
            )
        }

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
        if (household, person) in self.ended:
            reason = _("This caregiver was ended. Change that on the family's own page.")
            self._refuse(contact, "family_name", reason)
            return
        data = {"surnames": "", "language": "", "students": [], "caregivers": []}
        entry = self.wanted[Table.FAMILY].setdefault(household, Entry("", data, contact.row))
        if student not in entry.data["students"]:
            entry.data["students"].append(student)
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
