"""What must change in the roster to become what a OneRoster bundle asks for.

The roster is read row by row and never held whole.
"""

from collections import Counter
from collections.abc import Iterator

from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from families.models import ClassTeacher, Enrollment
from pthv.accounts import outside_accounts
from pthv.models import Educator, Program

from . import attributes
from .asked import Asked
from .chunks import chunks
from .guardians import Guardians
from .known import Known
from .leaving import Leaving
from .lines import Lines
from .links import Links
from .manifest import Mode
from .roster_state import Held, classes, educators, schools, students
from .states import Data, Difference, Entry, Table

LONGEST_REASON = 255
# An account is its owner's: of those who have one, the file decides only where they teach.
MARKS_OF_LEAVING = ("left", "left_on")
ACCOUNT_FIELDS = ("given_name", "family_name", "email")


class Comparison:
    """Compares once, and remembers how many leave."""

    def __init__(self, program: Program, wanted: Asked, known: Known, lines: Lines) -> None:
        self.program, self.wanted, self.known, self.lines = program, wanted, known, lines
        # The students here once the plan is applied, by name.
        self.children: dict[str, str] = {}
        self.sides: list[str] = []
        self.guardians = Leaving("", 0, 0, "guardians")
        self.here: Counter[str] = Counter()
        self.gone: Counter[str] = Counter()
        self.refused = {
            "classes.csv": wanted.refused_keys("classes.csv"),
            "users.csv": wanted.refused_people(),
        }
        self.nobody_missing = {
            "classes.csv": wanted.in_doubt("classes.csv"),
            "users.csv": wanted.nobody_is_missing(),
        }
        self.school_names: dict[str, str] = {}
        self.classes_gone: set[str] = set()
        self.in_doubt = self.refused["classes.csv"] | wanted.doubtful_classes
        self.every_class_in_doubt = (
            wanted.every_enrollment_in_doubt or self.nobody_missing["classes.csv"]
        )
        self.schools_of_classes: dict[str, str] = {}
        # Whoever a whole file leaves out, and yet stays, stays as they are in every respect.
        self.only_doubt_keeps = wanted.manifest.bulk("users.csv")

    def differences(self) -> Iterator[tuple[Table, Difference]]:
        self._follow_ids()
        for key, entry in self.wanted[Table.YEAR].items():
            yield Table.YEAR, Difference(key, entry.label, entry.row, {}, entry.data)
        tables = {
            Table.SCHOOL: self._schools,
            Table.CLASS: self._classes,
            Table.EDUCATOR: self._educators,
            Table.STUDENT: self._students,
        }
        for table, found in tables.items():
            for difference in found():
                yield table, difference
        for difference in attributes.differences(self.wanted[Table.ATTRIBUTES]):
            yield Table.ATTRIBUTES, difference
        links = Links(self.wanted, self.known, self.children)
        self.sides = sorted(links.told_sides)
        guardians = Guardians(self.program, self.wanted, links, self.children)
        yield from guardians.differences()
        self.guardians = Leaving("", guardians.gone, guardians.here, "guardians")

    def leaving(self) -> list[dict[str, object]]:
        """Who leaves, or keeps no class at all, by school; only where it is unusually many."""
        found = [Leaving(one, self.gone[one], self.here[one]) for one in sorted(self.here)]
        return [one.told() for one in (*found, self.guardians) if one.many]

    def _follow_ids(self) -> None:
        """Find what enrollments meant that are named by their ids alone, or mean another now."""
        if self.wanted.manifest.mode("enrollments.csv") != Mode.DELTA:
            return
        now: dict[str, tuple[str, str]] = {}
        for people in self.wanted.enrolled.values():
            for person, held in people.items():
                now |= {key: (person, school_class) for school_class, key in held.items()}
        stored = (
            (Enrollment.objects.filter(left_on=None), "student__source_id"),
            (ClassTeacher.objects.all(), "educator__source_id"),
        )
        for keys in chunks(sorted(self.wanted.dropped_ids | now.keys())):
            for rows, person_id in stored:
                found = rows.filter(source_id__in=keys)
                for key, person, school_class in found.values_list(
                    "source_id", person_id, "school_class__source_id"
                ):
                    if now.get(key) != (person, school_class):
                        self.wanted.dropped.setdefault(person, set()).add(school_class)

    def _stays(self, table: Table, file: str, key: str) -> bool:
        """Somebody or something that the file doesn't ask for, and yet doesn't take away."""
        if self.nobody_missing[file] or key in self.refused[file]:
            return True
        bulk = self.wanted.manifest.bulk(file)
        return not bulk and key not in self.wanted.gone[table]

    # Places

    def _schools(self) -> Iterator[Difference]:
        """A school is never taken away: it keeps its visits even when a file leaves it out."""
        held = schools()
        asked = self.wanted[Table.SCHOOL]
        self.school_names = held | {key: entry.label for key, entry in asked.items()}
        for key, entry in asked.items():
            if key not in held:
                yield Difference(key, entry.label, entry.row, {}, entry.data)
            elif held[key] != entry.label:
                before = {"name": held[key]}
                yield Difference(key, entry.label, entry.row, before, entry.data)

    def _classes(self) -> Iterator[Difference]:
        asked, manifest = dict(self.wanted[Table.CLASS]), self.wanted.manifest
        whole = self.wanted.years if manifest.bulk("academicSessions.csv") else None
        may_leave = self.wanted.class_years if whole is None else whole
        for key, title, school, year in classes(self.wanted.years):
            entry = asked.get(key)
            if entry and entry.data["year"] != year:
                continue  # another year's class may bear the same id
            self.schools_of_classes[key] = entry.data["school"] if entry else school
            held = {"title": title, "school": school, "year": year}
            if entry:
                del asked[key]
                yield from _changes(key, title, held, entry, naming="year")
            elif self._stays(Table.CLASS, "classes.csv", key):
                continue
            elif not manifest.bulk("classes.csv") or year in may_leave:
                self.classes_gone.add(key)
                yield Difference(key, title, None, held, {})
        for key, entry in asked.items():
            yield Difference(key, entry.label, entry.row, {}, entry.data)

    def _classes_after(self, table: Table, key: str, held: dict[str, str]) -> set[str]:
        """The classes of a person who has been in `held`."""
        added = self.wanted.enrolled[table].get(key, {})
        for school_class, own in added.items():
            if held.get(school_class) != own:
                self.lines.enrollment_id(table, key, school_class, own)
        if not self.wanted.manifest.bulk("enrollments.csv"):
            kept = held.keys() - self.wanted.dropped.get(key, set()) - self.classes_gone
        elif self.every_class_in_doubt or key in self.wanted.doubtful_people:
            kept = set(held)
        else:
            kept = held.keys() & self.in_doubt
        return kept | added.keys()

    # People

    def _educators(self) -> Iterator[Difference]:
        asked = dict(self.wanted[Table.EDUCATOR])
        present = educators(self.program, self.wanted.years, asked)
        new = {
            entry.data["email"]: key
            for key, entry in asked.items()
            if key not in present and "email" in entry.data
        }
        kept = self._refuse_taken_addresses(new, asked) | self._refuse_outside(new, asked)
        for key, held in present.items():
            entry = asked.pop(key, None)
            if not held.left:
                self.here[""] += 1
            if (
                entry is None
                and key not in kept
                and not self._stays(Table.EDUCATOR, "users.csv", key)
            ):
                self.gone[""] += 1
                yield Difference(key, held.label, None, held.data, {})
                continue
            if entry is None and self.only_doubt_keeps:
                continue
            said = entry or Entry(held.label, {})
            data = {
                name: value for name, value in said.data.items() if name not in ACCOUNT_FIELDS
            } | self._teaching(key, said.data, held)
            if entry and not data["schools"]:
                self._refuse_nowhere(key, entry)
                continue
            yield from _changes(key, held.label, held.data, Entry(said.label, data, said.row))
        for key, entry in asked.items():
            data = entry.data | self._teaching(key, entry.data, Held(entry.label, {}))
            if data["schools"]:
                yield Difference(key, entry.label, entry.row, {}, data)
            else:
                self._refuse_nowhere(key, entry)

    def _teaching(self, key: str, said: Data, held: Held) -> Data:
        """Where somebody teaches, whom the file may or may not speak of."""
        added = self.wanted.enrolled[Table.EDUCATOR].get(key, {})
        after = self._classes_after(Table.EDUCATOR, key, held.classes)
        before = set(held.data.get("schools", ()))
        schools = set(said["schools"]) if "schools" in said else set(before)
        schools |= self.wanted.taught_at.get(key, set())
        schools |= {self.schools_of_classes[one] for one in after & held.classes.keys()}
        if self.wanted.in_doubt("orgs.csv") or self.wanted.role_in_doubt(key):
            schools |= before
        schools |= self.wanted.refused_keys("orgs.csv") & before
        led = set(held.data.get("primary", ())) & (after - added.keys())
        return {
            "schools": sorted(schools),
            "classes": sorted(after),
            "primary": sorted(led | self.wanted.led.get(key, set())),
        }

    def _refuse_taken_addresses(self, new: dict[str, str], asked: dict[str, Entry]) -> set[str]:
        """An account that stands for one teacher of the roster isn't given to another id.

        Answers whose accounts these are: they are not missing from the file.
        """
        taken = (
            Educator.objects.exclude(source_id="")
            .annotate(address=Lower("user__email"))
            .filter(address__in=list(new))
            .values_list("address", "source_id")
        )
        owners = set()
        for address, owner in taken:
            reason = _("This address belongs to the teacher with the id %(id)s.") % {"id": owner}
            self._refuse_teacher(new.pop(address), asked, reason)
            owners.add(owner)
        return owners

    def _refuse_outside(self, new: dict[str, str], asked: dict[str, Entry]) -> set[str]:
        """A file lets nobody into the program whose account was made for something else."""
        for user in outside_accounts(self.program, new):
            reason = _(
                "This address has an account outside this program; "
                "ask an administrator to add them."
            )
            self._refuse_teacher(new.pop(user.email), asked, reason)
        return set()

    def _refuse_teacher(self, key: str, asked: dict[str, Entry], reason: str) -> None:
        row = asked.pop(key).row or 0
        self.wanted.refuse("users.csv", row, "email", reason[:LONGEST_REASON], key)

    def _refuse_nowhere(self, key: str, entry: Entry) -> None:
        reason = _("It names no school of orgs.csv, and no class of one.")
        self.wanted.refuse("users.csv", entry.row or 0, "orgSourcedIds", reason, key)

    def _students(self) -> Iterator[Difference]:
        asked = self.wanted[Table.STUDENT]
        for key, held in students(self.wanted.years):
            entry = asked.pop(key, None)
            if held.left and entry is None:
                continue
            if not held.left:
                self._count(held.data["school"])
            if entry is None and not self._stays(Table.STUDENT, "users.csv", key):
                self._count(held.data["school"], gone=True)
                yield Difference(key, held.label, None, _with_classes(held), {})
                continue
            self.children[key] = entry.label if entry and entry.label else held.label
            if entry is None and self.only_doubt_keeps:
                continue
            after = self._classes_after(Table.STUDENT, key, held.classes)
            if held.classes and not after:
                self._count(held.data["school"], gone=True)
            said = entry or Entry(held.label, {})
            said.data["classes"] = sorted(after)
            if self.wanted.role_in_doubt(key) and not held.left:
                said.data["school"] = held.data["school"]  # the other role may say so
            yield from _changes(key, said.label or held.label, _with_classes(held), said)
        while asked:
            key = next(iter(asked))
            entry = asked.pop(key)
            self.children[key] = entry.label
            entry.data["classes"] = sorted(self._classes_after(Table.STUDENT, key, {}))
            yield Difference(key, entry.label, entry.row, {}, entry.data)

    def _count(self, school: str, *, gone: bool = False) -> None:
        name = self.school_names.get(school) or school
        (self.gone if gone else self.here)[name] += 1


def _with_classes(held: Held) -> Data:
    return held.data if held.left else held.data | {"classes": sorted(held.classes)}


def _changes(
    key: str, label: str, held: Data, entry: Entry, naming: str = ""
) -> Iterator[Difference]:
    """What differs between what is held and what the file says, if anything does.

    The field `naming` is told in any case, where an id alone doesn't say which row is meant.
    """
    fields = [name for name, value in entry.data.items() if held.get(name) != value]
    if not fields:
        return
    before = {name: held[name] for name in MARKS_OF_LEAVING if name in held}
    before |= {name: held[name] for name in fields if name in held}
    after = {name: entry.data[name] for name in entry.data if name == naming or name in fields}
    if naming:
        before[naming] = held[naming]
    yield Difference(key, label, entry.row, before, after)
