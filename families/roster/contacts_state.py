"""What a contacts file asks for: households with their children and caregivers."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from django.utils.translation import gettext as _

from families.models import Caregiver, RosterImport, Student
from pthv.models import Program
from pthv.tables.columns import Places
from pthv.tables.problems import Refused
from pthv.tables.sheets import Sheet

from . import family_keys, family_state, progress
from .barred import Barred, described, standing
from .chunks import CHUNK
from .contacts import FILE, Contact, contacts
from .ended import forgive
from .family_state import Asked, Found, Held, person
from .leaving import Leaving
from .states import Difference, Table, Wanted

# A household of more children is a column that says something else.
MOST_CHILDREN = 30
# Whom files of these kinds had ended, a contacts file brings back.
ENDED_BY = (RosterImport.Kind.ONEROSTER, RosterImport.Kind.CONTACTS)


class ContactsState:
    """Reads a contacts file once, and compares it household by household."""

    def __init__(self, sheet: Sheet, columns: Places, program: Program) -> None:
        self.sheet, self.columns, self.program = sheet, columns, program
        self.wanted = Wanted()
        self.rows_read = 0
        self.households: dict[str, list[Contact]] = defaultdict(list)
        self.household_of: dict[str, tuple[str, int]] = {}
        # Households with a refused row: whom it named we can't say, so nobody of them is missing;
        # of none at all ("") where it can't be said whose row it was.
        self.in_doubt: set[str] = set()
        # The student and the household of each refused row, as far as it says them.
        self.doubtful: set[tuple[str, str]] = set()
        # Whom earlier files had ended, and this one may bring back.
        self.forgiven: set[int] = set()
        self.tally: Counter[str] = Counter()
        # What a file calls a family that it didn't bring.
        self.adopted: dict[str, str] = {}
        self.students = family_keys.families_of_students()
        self.meant = family_keys.merged_households()

    def read(self) -> Wanted:
        """Every line, sorted into households."""
        for record in contacts(self.sheet, self.columns, self.program.phone_region):
            self.rows_read += 1
            if self.rows_read % CHUNK == 0:
                progress.advance(CHUNK)
            if isinstance(record, Refused):
                self.wanted.refused.append(record)
                self.doubtful.add((record.key, record.cells.get("household", "")))
            else:
                self._take(record)
        self._adopt()
        self._doubt()
        self._refuse_crowds()
        self._keep_out_barred()
        return self.wanted

    def _take(self, contact: Contact) -> None:
        student = contact.student_id
        if student not in self.students:
            self._refuse(contact, "student_id", _("The roster has no student with this id."))
            self.doubtful.add((student, contact.household))
            return
        own = self.household_of.get(student, ("", 0))[0]
        named = self.meant.get(contact.household, contact.household)
        if (self.students[student] or "").startswith(family_keys.SPLIT):
            named = ""  # a person put the child there
        household = named or own or self.students[student] or f"student:{student}"
        first, line = self.household_of.setdefault(student, (household, contact.row))
        if first != household:
            reason = _("Line %(line)s puts this student into another household.")
            self._refuse(contact, "household", reason % {"line": line})
            self.doubtful.add((student, contact.household))
            return
        self.households[household].append(contact)

    def _doubt(self) -> None:
        """Whoever is missing may stand in a refused row: of the household that it names, or of
        the one its student belongs to."""
        now = {household: family for family, household in self.adopted.items()}
        for student, said in self.doubtful:
            named = self.meant.get(said, said)
            own, _line = self.household_of.get(student, ("", 0))
            meant = {now.get(named, named), own, self.students.get(student) or ""}
            self.in_doubt |= meant - {""} or {""}

    def _adopt(self) -> None:
        """Let a household that is new be the one family that its children have already.

        Such a family came by hand or from a roster's guardians, and no file named it before.
        """
        known = family_keys.known_households(self.households)
        adopted = set()
        for household in [one for one in self.households if one not in known]:
            lines = self.households[household]
            # A sister or brother without a family joins it.
            families = {self.students[line.student_id] for line in lines} - {None}
            family = families.pop() if len(families) == 1 else None
            if family is None or family in adopted or household == family:
                continue
            if not family_keys.is_unnamed(family):
                continue
            adopted.add(family)
            self.households[family] += self.households.pop(household)
            self.adopted[family] = household
            for line in lines:
                self.household_of[line.student_id] = (family, line.row)

    def _refuse_crowds(self) -> None:
        for household, lines in list(self.households.items()):
            students = {line.student_id for line in lines}
            if len(students) <= MOST_CHILDREN:
                continue
            reason = _("%(count)s students have this household; a family has at most %(most)s.")
            counted = {"count": len(students), "most": MOST_CHILDREN}
            for line in lines:
                self._refuse(line, "household", reason % counted)
            self._keep_only(household, [])

    def _keep_out_barred(self) -> None:
        """Refuse the lines that would bring back whom a child's families had put an end to.

        A family's end of somebody goes along with each of its children, whatever the
        household is called in this file, and holds for the sisters and brothers met there.
        """
        barred = Barred()
        self.forgiven = forgive(self.program, barred, ENDED_BY)
        families: dict[str, set[int]] = defaultdict(set)
        homes: dict[str, set[int]] = defaultdict(set)
        for household, family in barred.households.items():
            families[household].add(family)
            homes[household].add(family)
        for student, known in barred.families_of.items():
            household, _line = self.household_of.get(student, (self.students[student], 0))
            families[household or ""] |= known
            homes[household or ""] |= barred.home_of(student)
        named = families.keys() & self.households.keys()
        held = standing(named)
        for household in sorted(named):
            sides = families[household], homes[household]
            self._keep_out(household, held.get(household, []), sides, barred)

    def _keep_out(
        self,
        household: str,
        held: list[Caregiver],
        sides: tuple[set[int], set[int]],
        barred: Barred,
    ) -> None:
        lines = self.households[household]
        known = {described(person)["id"]: person for person in held}
        here = [described(person) for person in held if person.may_be_reached]
        # Whoever stands in this household already comes in with no line of this file.
        said = {person(line): line for line in reversed(lines) if person(line) not in known}
        out = {one: barred.why(_spoken_of(line), *sides) for one, line in said.items()}
        met = {
            student: next(
                filter(None, (barred.why(one, earlier, barred.home_of(student)) for one in here)),
                "",
            )
            for student in {line.student_id for line in lines}
            if self.students[student] != household
            and (earlier := barred.families_of.get(student, set()))
        }
        kept = []
        for line in lines:
            if reason := out.get(person(line)) or met.get(line.student_id):
                self._refuse(line, "family_name", reason)
                self.in_doubt.add(household)
            else:
                kept.append(self._without_taken(line, known.get(person(line)), sides[0], barred))
        self._keep_only(household, kept)

    def _without_taken(
        self, line: Contact, known: Caregiver | None, families: set[int], barred: Barred
    ) -> Contact:
        """The line with the phone and e-mail held where its own lead to somebody barred."""
        taken = barred.taken(_spoken_of(line), families, known.pk if known else None)
        for name, reason in taken.items():
            self._refuse(line, name, reason)
        held = {name: str(getattr(known, name, "")) for name in taken}
        return replace(line, **held) if held else line  # type: ignore[arg-type]

    def _keep_only(self, household: str, kept: list[Contact]) -> None:
        students = {line.student_id for line in kept}
        for student in {line.student_id for line in self.households[household]} - students:
            self.household_of[student] = (self.students[student] or "", 0)
            self.in_doubt.add(self.students[student] or household)
        self.households[household] = kept
        if not kept:
            del self.households[household]

    def differences(self) -> Iterator[Found]:
        """What differs, household by household; one that the file leaves out stays as it is."""
        households = iter(self.households)
        while keys := list(islice(households, CHUNK)):
            wanted = {key: family_state.asked(self.households[key], self.columns) for key in keys}
            here = family_state.held(wanted, self.forgiven)
            yield from self._moves(wanted)
            for key, household in wanted.items():
                if key.startswith(family_keys.SPLIT):
                    family_state.admit_nobody(household, here[key], self.households[key])
                for line, column, reason in household.refused:
                    self._refuse(line, column, reason)
                yield from self._compared(key, household, here.get(key))
            progress.advance(sum(len(self.households[key]) for key in keys))

    def leaving(self) -> list[dict[str, object]]:
        """Whether unusually many would be ended of those whom files named in these households."""
        caregivers = Leaving("", self.tally["gone"], self.tally["here"], "caregivers")
        return [caregivers.told()] if caregivers.many else []

    def _compared(self, key: str, wanted: Asked, here: Held | None) -> Iterator[Found]:
        if here is None:
            return family_state.new_family(key, wanted)
        if key in self.adopted:
            wanted.said["household"] = self.adopted[key]
        stay = {student for student in here.students if self._stays(student, key)}
        wanted.students = sorted(stay.union(wanted.students))
        in_doubt = key in self.in_doubt or "" in self.in_doubt
        return family_state.changes(key, wanted, here, self.tally, in_doubt=in_doubt)

    def _stays(self, student: str, household: str) -> bool:
        """The file puts this child of the household into no other."""
        return self.household_of.get(student, (household, 0))[0] == household

    def _moves(self, wanted: dict[str, Asked]) -> Iterator[Found]:
        """The children who would leave one family for another, each with both surnames."""
        moving = {
            student: key
            for key, household in wanted.items()
            for student in household.students
            if self.students[student] not in (None, key)
        }
        children = Student.objects.filter(source_id__in=list(moving)).select_related("family")
        for child in children if moving else ():
            before = {"family": child.family.surnames}
            after = {"family": wanted[moving[child.source_id]].surnames}
            line = self.household_of[child.source_id][1]
            yield Table.MOVE, Difference(child.source_id, str(child), line, before, after)

    def _refuse(self, contact: Contact, column: str, reason: str) -> None:
        self.wanted.refuse(FILE, contact.row, column, reason, contact.student_id, contact.cells)


def _spoken_of(line: Contact) -> dict[str, str]:
    """A line's caregiver as `Barred` compares people."""
    return {name: getattr(line, name) for name in ("given_name", "family_name", "phone", "email")}
