"""A line of the diff in words that a coordinator reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from families.models import Caregiver, RosterChange, RosterImport, SchoolClass, Student
from pthv.languages import name as language
from pthv.models import School

from .family_keys import is_unnamed
from .states import Data, Table

FIELDS: dict[str, Any] = {
    "name": gettext_lazy("Name"),
    "starts_on": gettext_lazy("First day"),
    "ends_on": gettext_lazy("Last day"),
    "title": gettext_lazy("Title"),
    "school": gettext_lazy("School"),
    "schools": gettext_lazy("Schools"),
    "year": gettext_lazy("School year from"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("E-mail"),
    "grade": gettext_lazy("Grade"),
    "classes": gettext_lazy("Classes"),
    "primary": gettext_lazy("Leads"),
    "surnames": gettext_lazy("Surnames"),
    "household": gettext_lazy("Household"),
    "preferred_name": gettext_lazy("Preferred name"),
    "relation": gettext_lazy("Relation"),
    "phone": gettext_lazy("Phone"),
    "language": gettext_lazy("Language"),
    "preferred_channel": gettext_lazy("Preferred channel"),
    "interpreter_wanted": gettext_lazy("Interpreter"),
    "address": gettext_lazy("Address"),
    "address_confidential": gettext_lazy("Address confidential"),
    "may_be_contacted": gettext_lazy("May be contacted"),
    "may_decide": gettext_lazy("May decide"),
    "may_read": gettext_lazy("May read"),
    "students": gettext_lazy("Children"),
    "family": gettext_lazy("Family"),
    "left_on": gettext_lazy("Left on"),
    "ended_on": gettext_lazy("Ended on"),
}
TABLES: dict[str, Any] = {
    Table.YEAR: gettext_lazy("School year"),
    Table.SCHOOL: gettext_lazy("School"),
    Table.CLASS: gettext_lazy("Class"),
    Table.EDUCATOR: gettext_lazy("Teacher"),
    Table.STUDENT: gettext_lazy("Student"),
    Table.HOUSEHOLD: gettext_lazy("Family of guardians"),
    Table.FAMILY: gettext_lazy("Family"),
    Table.CAREGIVER: gettext_lazy("Caregiver"),
    Table.MOVE: gettext_lazy("Child of another family until now"),
    Table.ATTRIBUTES: gettext_lazy("Student attributes"),
    "contacts": gettext_lazy("Contacts file"),
}
SEVERAL: dict[str, Any] = {
    Table.YEAR: gettext_lazy("School years"),
    Table.SCHOOL: gettext_lazy("Schools"),
    Table.CLASS: gettext_lazy("Classes"),
    Table.EDUCATOR: gettext_lazy("Teachers"),
    Table.STUDENT: gettext_lazy("Students"),
    Table.HOUSEHOLD: gettext_lazy("Families of guardians"),
    Table.FAMILY: gettext_lazy("Families"),
    Table.CAREGIVER: gettext_lazy("Caregivers"),
    Table.MOVE: gettext_lazy("To another family"),
    Table.ATTRIBUTES: gettext_lazy("Student attributes"),
}
# Of a student, that it changes; what it is stands on no page.
ATTRIBUTES: dict[str, Any] = {
    "home_language": gettext_lazy("Home language"),
    "english_learner": gettext_lazy("English learner"),
    "race_ethnicity": gettext_lazy("Race and ethnicity"),
    "sex": gettext_lazy("Sex"),
}
# It may be confidential, and who may see it then is decided on the family's page alone.
UNSAID = ("address",)
TITLES = ("name", "title", "given_name", "family_name", "surnames")
COUNTED = (
    RosterChange.Kind.NEW,
    RosterChange.Kind.CHANGED,
    RosterChange.Kind.MOVED,
    RosterChange.Kind.LEFT,
    RosterChange.Kind.REFUSED,
)
# Which of a school's rows the names of the ids in a field are.
NAMED = {
    "school": "school",
    "schools": "school",
    "classes": "class",
    "primary": "class",
    "students": "student",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One field: what it was (empty when new), and what it would be (empty when left)."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: what it is about, and each field old and new."""

    change: RosterChange
    about: str
    facts: list[Fact]
    # The school that somebody left.
    school: str = ""

    @property
    def id(self) -> str:
        """What the files know it by; of a caregiver that is the name again."""
        own = self.change.table == Table.CAREGIVER or is_unnamed(self.change.source_id)
        return "" if own else self.change.source_id


def tables(table: str) -> str:
    """A table as the name of a filter."""
    return str(SEVERAL.get(table, TABLES.get(table, table)))


def everything() -> str:
    """The filter that leaves all."""
    return _("All")


def lines(roster_import: RosterImport, changes: list[RosterChange]) -> list[Line]:
    """A page of a diff, its ids replaced by names."""
    names = _Names(roster_import, changes)
    return [
        Line(
            change,
            str(TABLES.get(change.table, change.table)),
            _facts(change, names),
            names.text("school", change.before.get("school"))
            if change.kind == RosterChange.Kind.LEFT
            else "",
        )
        for change in changes
    ]


def _facts(change: RosterChange, names: "_Names") -> list[Fact]:
    if change.kind == RosterChange.Kind.REFUSED:
        return []
    if change.table == Table.MOVE:
        families = {"old": change.before["family"], "new": change.after["family"]}
        text = _("moves from the %(old)s family to the %(new)s family")
        return [Fact(str(TABLES[Table.FAMILY]), "", text % families)]
    if change.table == Table.ATTRIBUTES:
        return [
            Fact(str(label), "", _("changed") if change.before else _("set"))
            for name, label in ATTRIBUTES.items()
            if name in change.before or name in change.after
        ]
    # The title of somebody new says what they are called.
    titles = TITLES if change.kind == RosterChange.Kind.NEW else ()
    told = (change.before.keys() | change.after.keys()).difference(titles)
    shown = [name for name in FIELDS if name in told]
    facts = [
        _unsaid(change, name)
        if name in UNSAID
        else Fact(
            str(FIELDS[name]),
            names.text(name, change.before.get(name)),
            names.text(name, change.after.get(name)),
        )
        for name in shown
    ]
    return [fact for fact in facts if fact.old != fact.new]


def _unsaid(change: RosterChange, name: str) -> Fact:
    """That a field changes, or is set; what it is, whoever looks, is on no page of an import."""
    if change.before:
        return Fact(str(FIELDS[name]), "", _("changed"))
    return Fact(str(FIELDS[name]), "", _("set") if change.after.get(name) else "")


class _Names:
    """Names for the ids on one page: three queries, however many lines it has."""

    def __init__(self, roster_import: RosterImport, changes: list[RosterChange]) -> None:
        ids: dict[str, set[str]] = {"school": set(), "class": set(), "student": set()}
        for data in _datas(changes):
            for name, table in NAMED.items():
                said = data.get(name) or ()
                ids[table].update([said] if isinstance(said, str) else said)
        rows: dict[str, Any] = {
            "school": (School, "name"),
            "class": (SchoolClass, "title"),
            "student": (Student, Concat("given_name", Value(" "), "family_name")),
        }
        self.names = {
            table: dict(
                model.objects.filter(source_id__in=ids[table]).values_list("source_id", label)
            )
            if ids[table]
            else {}
            for table, (model, label) in rows.items()
        }
        # What the import itself brings wins: it is what the coordinator is asked about.
        brought = roster_import.changes.filter(
            table__in=[Table.SCHOOL, Table.CLASS], source_id__in=ids["school"] | ids["class"]
        )
        for table, key, label in brought.values_list("table", "source_id", "label"):
            self.names[table][key] = label

    def text(self, name: str, value: object) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if not value:
            return ""
        known = self.names.get(NAMED.get(name, ""), {})
        if isinstance(value, list):
            return ", ".join(sorted(known.get(key) or key for key in value))
        if name == "language":
            return language(str(value))
        if name == "preferred_channel":
            return str(Caregiver.Channel(str(value)).label)
        return known.get(str(value), str(value))


def _datas(changes: Iterable[RosterChange]) -> Iterable[Data]:
    for change in changes:
        yield change.before
        yield change.after


def told(counts: dict[str, Any]) -> str:
    """ "12 new, 3 changed, 1 refused": a whole import on one line."""
    words = [f"{counts[kind]} {kind.label.lower()}" for kind in COUNTED if counts.get(kind)]
    return ", ".join(words)
