"""A line of the diff in words that a coordinator reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from families.models import RosterChange, RosterImport, SchoolClass
from pthv.models import School

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
    "language": gettext_lazy("Language"),
    "students": gettext_lazy("Children"),
    "caregivers": gettext_lazy("Caregivers"),
    "preferred_name": gettext_lazy("Preferred name"),
    "relation": gettext_lazy("Relation"),
    "phone": gettext_lazy("Phone"),
    "family": gettext_lazy("Family"),
    "home_language": gettext_lazy("Home language"),
    "english_learner": gettext_lazy("English learner"),
    "race_ethnicity": gettext_lazy("Race and ethnicity"),
    "sex": gettext_lazy("Sex"),
    "left_on": gettext_lazy("Left on"),
    "ended_on": gettext_lazy("Ended on"),
}
TABLES: dict[str, Any] = {
    Table.YEAR: gettext_lazy("School year"),
    Table.SCHOOL: gettext_lazy("School"),
    Table.CLASS: gettext_lazy("Class"),
    Table.EDUCATOR: gettext_lazy("Teacher"),
    Table.STUDENT: gettext_lazy("Student"),
    Table.ATTRIBUTES: gettext_lazy("Attributes of a student"),
    Table.HOUSEHOLD: gettext_lazy("Family of guardians"),
    Table.CAREGIVER: gettext_lazy("Guardian"),
    Table.FAMILY: gettext_lazy("Family"),
    Table.MOVE: gettext_lazy("Child of another family until now"),
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


def lines(roster_import: RosterImport, changes: list[RosterChange]) -> list[Line]:
    """A page of a diff, its ids replaced by names."""
    names = _Names(roster_import, changes)
    return [
        Line(change, str(TABLES.get(change.table, change.table)), _facts(change, names))
        for change in changes
    ]


def _facts(change: RosterChange, names: "_Names") -> list[Fact]:
    if change.table == Table.MOVE:
        families = {"old": change.before["family"], "new": change.after["family"]}
        text = _("moves from the %(old)s family to the %(new)s family")
        return [Fact(str(TABLES[Table.FAMILY]), "", text % families)]
    shown = [name for name in FIELDS if name in change.before or name in change.after]
    facts = [
        Fact(
            str(FIELDS[name]),
            names.text(name, change.before.get(name)),
            names.text(name, change.after.get(name)),
        )
        for name in shown
    ]
    return [fact for fact in facts if fact.old != fact.new]


class _Names:
    """Names for the ids on one page: three queries, however many lines it has."""

    def __init__(self, roster_import: RosterImport, changes: list[RosterChange]) -> None:
        schools: set[str] = set()
        classes: set[str] = set()
        for data in _datas(changes):
            schools.update(data.get("schools", ()), [data.get("school", "")])
            classes.update(data.get("classes", ()), data.get("primary", ()))
        self.names = {
            "school": dict(
                School.objects.filter(source_id__in=schools).values_list("source_id", "name")
            ),
            "class": dict(
                SchoolClass.objects.filter(source_id__in=classes).values_list("source_id", "title")
            ),
        }
        # What the import itself brings wins: it is what the coordinator is asked about.
        brought = roster_import.changes.filter(
            table__in=[Table.SCHOOL, Table.CLASS], source_id__in=schools | classes
        )
        for table, key, label in brought.values_list("table", "source_id", "label"):
            self.names[table][key] = label

    def text(self, name: str, value: object) -> str:
        if not value:
            return ""
        if name == "school":
            return self.names["school"].get(str(value), str(value))
        if name == "caregivers" and isinstance(value, list):
            return "; ".join(map(_caregiver, value))
        if isinstance(value, list):
            table = {"schools": "school", "classes": "class", "primary": "class"}.get(name, "")
            known = self.names.get(table, {})
            return ", ".join(sorted(known.get(key) or key for key in value))
        return str(value)


def _datas(changes: Iterable[RosterChange]) -> Iterable[Data]:
    for change in changes:
        yield change.before
        yield change.after


def _caregiver(person: dict[str, str]) -> str:
    """Ana Ramírez (mother), +15035550123, es, by text."""
    name = f"{person['given_name']} {person['family_name']}".strip()
    if person["relation"]:
        name = f"{name} ({person['relation']})"
    reached = [person["phone"], person["email"], person["language"]]
    channel = _("by %(channel)s") % {"channel": person["preferred_channel"]}
    return ", ".join([name, *filter(None, reached), channel])
