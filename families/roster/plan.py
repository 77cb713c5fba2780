"""The plan: what applying a file would do, written as a diff and nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django_scopes import scope

from families.models import RosterChange, RosterImport
from pthv.models import Educator, Program, SchoolYear

from .apply_people import outside_accounts
from .archive import open_bundle, open_lone_file
from .bundle_state import BundleState
from .contacts import FILE
from .contacts_state import ContactsState
from .problems import Unreadable
from .roster_state import CHUNK, family_state, roster_state
from .states import Difference, Entries, Entry, State, Table, Wanted, differences

Kind = RosterChange.Kind
# More than this share of a school's students (or of the staff) leaving at once is asked about.
LEAVING_ASKED_ABOVE = 0.05
# An account is its owner's: of those who have one, the file decides only where they teach.
LONGEST_REASON = 255
ACCOUNT_FIELDS = ("given_name", "family_name", "email")


@dataclass(frozen=True)
class Leaving:
    """How many would leave one school, or the staff (no school), out of how many."""

    school: str
    left: int
    of: int

    @property
    def many(self) -> bool:
        return self.left > self.of * LEAVING_ASKED_ABOVE


@dataclass(frozen=True)
class Plan:
    """Everything that a file would do."""

    differences: list[tuple[Table, Difference]]
    wanted: Wanted
    leaving: list[Leaving] = field(default_factory=list)
    years: list[str] = field(default_factory=list)


def plan(roster_import: RosterImport, path: Path) -> None:
    """Read the file at `path` and write the diff; for an import that was planned, nothing.

    What can't be read leaves one sentence in `problem` and no line of a diff.
    """
    with scope(program=roster_import.program):
        if roster_import.state != RosterImport.State.READING:
            return
        try:
            found = _compare(roster_import, path)
        except Unreadable as unreadable:
            refuse(roster_import, str(unreadable))
            return
        _write(roster_import, found)


def refuse(roster_import: RosterImport, problem: str) -> None:
    """End an import that couldn't be read, with the sentence that says why.

    One that was planned or put away in the meantime stays what it is.
    """
    reading = RosterImport.objects.filter(pk=roster_import.pk, state=RosterImport.State.READING)
    if reading.update(state=RosterImport.State.REFUSED, problem=problem):
        roster_import.state, roster_import.problem = RosterImport.State.REFUSED, problem


def _compare(roster_import: RosterImport, path: Path) -> Plan:
    def progress(rows: int) -> None:
        RosterImport.objects.filter(pk=roster_import.pk).update(rows_read=rows)

    program = roster_import.program
    if roster_import.kind == RosterImport.Kind.CONTACTS:
        with open_lone_file(path, FILE) as bundle:
            contacts = ContactsState(bundle, program, progress)
            wanted = contacts.build()
        roster_import.rows_read = contacts.rows_read
        return Plan(_family_differences(contacts, wanted), wanted)
    years = SchoolYear.objects.values_list("starts_on", "ends_on")
    with open_bundle(path) as bundle:
        state = BundleState(bundle, years, program.today, progress)
        wanted = state.build()
    roster_import.rows_read = state.rows_read
    present = roster_state(program, state.year_keys, wanted)
    _keep_what_is_in_doubt(wanted, present)
    _refuse_taken_addresses(wanted, present)
    _refuse_outside_accounts(program, wanted, present)
    leaving = _leaving(wanted, present)
    return Plan(_roster_differences(wanted, present), wanted, leaving, sorted(state.year_keys))


def _keep_what_is_in_doubt(wanted: Wanted, present: State) -> None:
    """Take back from the file what only a refused row would have taken away."""
    classes = wanted.refused_keys("classes.csv") | wanted.doubtful_classes
    everything = wanted.every_enrollment_in_doubt or wanted.in_doubt("classes.csv")
    _keep_missing(wanted, present, Table.CLASS, "classes.csv")
    for table in (Table.EDUCATOR, Table.STUDENT):
        for key, entry in wanted[table].items():
            held = present[table].get(key)
            if held and (everything or key in wanted.doubtful_people):
                _keep(entry, held, set(held.data.get("classes", ())))
            elif held:
                _keep(entry, held, classes.intersection(held.data.get("classes", ())))
        _keep_missing(wanted, present, table, "users.csv")


def _keep(entry: Entry, held: Entry, classes: set[str]) -> None:
    """Leave a person in these classes, and an educator then in their schools."""
    if not classes:
        return
    entry.data["classes"] = sorted(classes.union(entry.data["classes"]))
    if "primary" in entry.data:
        led = classes.intersection(held.data["primary"])
        entry.data["primary"] = sorted(led.union(entry.data["primary"]))
        entry.data["schools"] = sorted({*entry.data["schools"], *held.data["schools"]})


def _keep_missing(wanted: Wanted, present: State, table: Table, file: str) -> None:
    """Whoever's row was refused is not missing; if we can't say whose it was, nobody is."""
    refused, everyone = wanted.refused_keys(file), wanted.in_doubt(file)
    for key, held in list(present[table].items()):
        if key not in wanted[table] and (everyone or key in refused):
            wanted[table][key] = held


def _refuse_taken_addresses(wanted: Wanted, present: State) -> None:
    """An account that stands for one teacher of the roster isn't given to another id."""
    new = {
        entry.data["email"]: key
        for key, entry in wanted[Table.EDUCATOR].items()
        if key not in present[Table.EDUCATOR]
    }
    taken = (
        Educator.objects.exclude(source_id="")
        .annotate(address=Lower("user__email"))
        .filter(address__in=list(new))
        .values_list("address", "source_id")
    )
    for address, owner in taken:
        key = new[address]
        reason = _("This address belongs to the teacher with the id %(id)s.") % {"id": owner}
        row = wanted[Table.EDUCATOR].pop(key).row or 0
        wanted.refuse("users.csv", row, "email", reason[:LONGEST_REASON], key)
        if owner in present[Table.EDUCATOR]:
            wanted[Table.EDUCATOR].setdefault(owner, present[Table.EDUCATOR][owner])


def _refuse_outside_accounts(program: Program, wanted: Wanted, present: State) -> None:
    """A file lets nobody into the program whose account was made for something else."""
    new = {
        entry.data["email"]: key
        for key, entry in wanted[Table.EDUCATOR].items()
        if key not in present[Table.EDUCATOR]
    }
    for user in outside_accounts(program, new):
        row = wanted[Table.EDUCATOR].pop(new[user.email]).row or 0
        reason = _(
            "This address has an account outside this program; ask an administrator to add them."
        )
        wanted.refuse("users.csv", row, "email", reason, new[user.email])


def _roster_differences(wanted: Wanted, present: State) -> list[tuple[Table, Difference]]:
    for key in present[Table.EDUCATOR].keys() & wanted[Table.EDUCATOR].keys():
        entry = wanted[Table.EDUCATOR][key]
        entry.data = {
            name: value for name, value in entry.data.items() if name not in ACCOUNT_FIELDS
        }
    # A school is never taken away: it keeps its visits even when a file leaves it out.
    for key in present[Table.SCHOOL].keys() - wanted[Table.SCHOOL].keys():
        del present[Table.SCHOOL][key]
    tables = (Table.YEAR, Table.SCHOOL, Table.CLASS, Table.EDUCATOR, Table.STUDENT)
    return [(table, found) for table in tables for found in _of(table, wanted, present[table])]


def _of(table: Table, wanted: Wanted, present: Entries) -> Iterable[Difference]:
    return differences(wanted[table], present, naming="year" if table == Table.CLASS else "")


def _family_differences(contacts: ContactsState, wanted: Wanted) -> list[tuple[Table, Difference]]:
    """Families of the file only: a household that it leaves out stays as it is."""
    present = family_state(wanted[Table.FAMILY])
    for key, held in present.items():
        said = wanted[Table.FAMILY][key].data
        stay = {one for one in held.data["students"] if contacts.stays(one, key)}
        said["students"] = sorted(stay.union(said["students"]))
        if key in contacts.in_doubt or "" in contacts.in_doubt:
            listed = {person["id"] for person in said["caregivers"]}
            kept = [person for person in held.data["caregivers"] if person["id"] not in listed]
            said["caregivers"] = sorted([*said["caregivers"], *kept], key=lambda one: one["id"])
            said["surnames"] = held.data["surnames"]
    moves = [(Table.MOVE, found) for found in contacts.moves()]
    return moves + [(Table.FAMILY, found) for found in _of(Table.FAMILY, wanted, present)]


def _leaving(wanted: Wanted, present: State) -> list[Leaving]:
    """Who leaves, or keeps no class at all, by school; only where it is too many to be usual."""
    names = {key: entry.label for key, entry in present[Table.SCHOOL].items()}
    names |= {key: entry.label for key, entry in wanted[Table.SCHOOL].items()}
    here: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for key, held in present[Table.STUDENT].items():
        if "left_on" in held.data:
            continue
        school = names.get(held.data["school"]) or held.data["school"]
        here[school] += 1
        entry = wanted[Table.STUDENT].get(key)
        if entry is None or (held.data["classes"] and not entry.data["classes"]):
            gone[school] += 1
    staff = {key for key, held in present[Table.EDUCATOR].items() if "left" not in held.data}
    here[""], gone[""] = len(staff), len(staff - wanted[Table.EDUCATOR].keys())
    found = [Leaving(school, gone[school], here[school]) for school in sorted(here)]
    return [leaving for leaving in found if leaving.many]


def _write(roster_import: RosterImport, found: Plan) -> None:
    lines = [_line(roster_import, table, difference) for table, difference in found.differences]
    lines += [
        RosterChange(
            program=roster_import.program,
            roster_import=roster_import,
            kind=Kind.REFUSED,
            table=refused.file,
            source_id=refused.key,
            row=refused.row,
            column=refused.column,
            reason=refused.reason,
        )
        for refused in found.wanted.refused
    ]
    tally: dict[str, Counter[str]] = {kind: Counter() for kind in Kind}
    for line in lines:
        tally[line.kind][line.table] += 1
    roster_import.counts = {kind: counter.total() for kind, counter in tally.items()} | {
        "tables": {kind: dict(counter) for kind, counter in tally.items() if counter},
        "leaving": [asdict(school) for school in found.leaving],
        "years": found.years,
    }
    roster_import.state = RosterImport.State.PLANNED
    with transaction.atomic():
        held = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
        if held.state != RosterImport.State.READING:
            return  # another worker was faster
        RosterChange.objects.bulk_create(lines, batch_size=CHUNK)
        roster_import.save(update_fields=["state", "counts", "rows_read"])


def _line(roster_import: RosterImport, table: Table, found: Difference) -> RosterChange:
    kind = Kind.CHANGED if found.before else Kind.NEW
    if not found.after:
        kind = Kind.LEFT
    return RosterChange(
        program=roster_import.program,
        roster_import=roster_import,
        kind=kind,
        table=table,
        source_id=found.key,
        label=found.label[:255],
        row=found.row,
        before=found.before,
        after=found.after,
    )
