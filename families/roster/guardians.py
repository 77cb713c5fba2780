"""Guardians of a OneRoster bundle: the families they form, and who comes, changes or goes.

Children with the very same guardians are one family. Those who share only some are two, so
that nobody is told of a child who isn't theirs; and a file alone moves no child from one
family to another. People who were ended by a person, or must not be contacted, don't come back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from django.utils.translation import gettext as _

from families.models import Caregiver, RosterImport, Student, joined
from pthv.models import Program

from . import family_keys
from .asked import Asked
from .barred import Barred, same_name
from .chunks import CHUNK, chunks
from .ended import forgive
from .links import Links
from .states import Data, Difference, Table

Found = Iterator[tuple[Table, Difference]]
FIELDS = ("given_name", "family_name", "preferred_name", "relation", "phone", "email")
ROW = ("pk", "family", "roster_id", "source_id", "ended_on", "may_be_contacted", *FIELDS)
# Said once; afterwards it is the people's own.
SAID_ONCE = ("relation", "preferred_name")


class Guardians:
    """Compares a bundle's guardians with the families that stand.

    `children` are the students here once the plan is applied, by name.
    """

    def __init__(
        self, program: Program, wanted: Asked, links: Links, children: dict[str, str]
    ) -> None:
        self.program, self.wanted, self.links, self.children = program, wanted, links, children
        self.barred = Barred()
        forgive(program, self.barred, [RosterImport.Kind.ONEROSTER])
        self.family_of: dict[str, int] = {}
        self.children_of: dict[int, list[str]] = defaultdict(list)
        # The guardians of each family once the plan is applied, to find whom a new child joins.
        self.families_with: dict[frozenset[str], list[int]] = defaultdict(list)
        # The ids of those whose entry another stands for since their families were merged.
        self.merged_ids: dict[int, set[str]] = defaultdict(set)
        # What the file says of them by those ids, by the entry that stands for them.
        self.also: dict[int, Data] = {}
        self.nobody_missing = wanted.nobody_is_missing()
        self.elsewhere: dict[str, Data] = {}
        self.here = self.gone = 0

    def differences(self) -> Found:
        if not self.wanted.manifest.read("users.csv") and not any(self.wanted.gone.values()):
            return
        self._know_families()
        self._know_others()
        self._know_merged()
        for family, people in self._families():
            yield from self._family(family, people)
        yield from self._new_children()

    def _know_families(self) -> None:
        found = Student.objects.exclude(family=None).values_list("source_id", "family")
        for key, family in found.iterator(CHUNK):
            if key in self.children:
                self.family_of[key] = family
                self.children_of[family].append(key)

    def _know_others(self) -> None:
        """Guardians whom a file of changes names without their own row."""
        unsaid = {one for guardians in self.links.stated.values() for one in guardians}
        for keys in chunks(unsaid - self.wanted.guardians.keys()):
            # Of somebody who stands in one family and was ended in another, the former is last.
            found = Caregiver.objects.filter(roster_id__in=keys).order_by("ended_on", "pk")
            for said in found.values("roster_id", *FIELDS):
                said["phone"] = str(said["phone"])
                self.elsewhere[said.pop("roster_id")] = said

    def _know_merged(self) -> None:
        into = family_keys.merged()
        gone = Caregiver.objects.filter(family__in=list(into)).exclude(roster_id="")
        for family, key in gone.values_list("family", "roster_id"):
            self.merged_ids[into[family]].add(key)

    def _families(self) -> Iterator[tuple[int, list[Data]]]:
        """Every family, and all who stand or stood in it."""
        seen = set()
        standing = Caregiver.objects.filter(family__merged_into=None)
        rows = standing.order_by("family", "pk").values(*ROW).iterator(CHUNK)
        for family, people in groupby(rows, key=lambda row: row["family"]):
            seen.add(family)
            yield family, [row | {"phone": str(row["phone"])} for row in people]
        for family in self.children_of.keys() - seen:
            yield family, []

    def _family(self, family: int, people: list[Data]) -> Found:
        children = self.children_of.get(family, [])
        standing = [row for row in people if row["ended_on"] is None]
        linked = {one: None for child in children for one in sorted(self.links.of(child))}
        leaving = [row for row in standing if self._leaves(row, children)]
        gone = {row["pk"] for row in leaving}
        by_id = {row["roster_id"]: row for row in standing if row["roster_id"]}
        # Whom a guardian of the file may be, by name: also one under an id that is no more.
        nameless = [row for row in standing if not row["roster_id"] or row["pk"] in gone]
        for key in [one for one in linked if one not in by_id]:
            row = _named(nameless, self._said(key))
            if row:
                nameless = [one for one in nameless if one is not row]
                gone.discard(row["pk"])
                by_id.pop(row["roster_id"], None)
                by_id[key] = row
            elif key in self.merged_ids[family] and (row := _named(standing, self._said(key))):
                self.also[row["pk"]] = self._said(key)
            else:
                yield from self._comes(key, family, people, by_id)
        if children:
            self.here += sum(1 for row in standing if row["roster_id"])
            self.gone += len(gone)
        for key, row in by_id.items():
            if row["pk"] in gone:
                yield Table.CAREGIVER, _leaving(row, family)
            elif row["pk"] is not None:
                yield from self._changes(key, row, family)
        after = frozenset(key for key, row in by_id.items() if row["pk"] not in gone)
        if children:
            self.families_with[after].append(family)

    def _leaves(self, row: Data, children: Iterable[str]) -> bool:
        """Only somebody whom roster files alone brought, and whom no child has any more."""
        key = row["roster_id"]
        if not key or row["source_id"] or self.nobody_missing or key in self.links.refused:
            return False
        return not any(self.links.stands(child, key) for child in children)

    def _said(self, key: str) -> Data:
        """What is known of a guardian, in the shape of a caregiver."""
        user = self.wanted.guardians.get(key)
        if user is None:
            return self.elsewhere[key]
        return {
            "given_name": user.given_name,
            "family_name": user.family_name,
            "preferred_name": user.preferred_name,
            "relation": user.guardian_as,
            "phone": user.phone or "",
            "email": user.email or "",
        }

    def _changes(self, key: str, row: Data, family: int) -> Found:
        user = self.wanted.guardians.get(key)
        if user is None and key == row["roster_id"] and not row["ended_on"]:
            return  # a file of changes doesn't speak of them
        said = self._said(key)
        if also := self.also.get(row["pk"]):
            said = {name: value or also[name] for name, value in said.items()}
        for name in ("phone", "email"):
            if user and getattr(user, name) is None:
                del said[name]  # it can't be used, which is told elsewhere
        self._drop_taken(key, said, self.children_of.get(family, ()), family, row["pk"])
        after = {
            name: value
            for name, value in said.items()
            if value != row[name] and not (row[name] and (row["source_id"] or name in SAID_ONCE))
        }
        before = {name: row[name] for name in after if row[name]}
        if key != row["roster_id"]:
            after["roster_id"] = key
        if row["ended_on"]:
            before["ended_on"] = f"{row['ended_on']}"
            after["ended_on"] = None
        if after:
            before |= {"caregiver": row["pk"], "household": f"#{family}"}
            line = user.row if user else None
            yield Table.CAREGIVER, Difference(key, _name(said | row), line, before, after)

    def _drop_taken(
        self,
        key: str,
        said: Data,
        children: Iterable[str],
        family: int | None = None,
        who: int | None = None,
    ) -> None:
        """Leave out a phone and e-mail that lead to somebody barred for these children."""
        families = {one for child in children for one in self.barred.families_of.get(child, ())}
        families |= {family} if family else set()
        for name, reason in self.barred.taken(said, families, who).items():
            del said[name]
            user = self.wanted.guardians.get(key)
            if user and user.row:
                self.wanted.refuse("users.csv", user.row, name, reason, key)

    def _comes(self, key: str, family: int, people: list[Data], by_id: dict[str, Data]) -> Found:
        """A guardian whom a family doesn't have yet, or had once."""
        children = self.children_of[family]
        theirs = [child for child in children if key in self.links.of(child)]
        if self._is_barred(key, theirs, family):
            return
        others = [child for child in children if child not in theirs]
        if others:
            self._refuse(key, theirs[0], self._of_some(key, theirs[0], others))
            return
        earlier = next((row for row in people if row["roster_id"] == key), None)
        if earlier is not None:
            by_id[key] = earlier
            return
        by_id[key] = {"pk": None, "roster_id": key}
        yield self._new(key, f"#{family}", children, family)

    def _of_some(self, key: str, child: str, others: list[str]) -> str:
        """Why a guardian of one child doesn't enter a family that has others."""
        names = {"child": self.children[child], "other": self.children[others[0]]}
        if untold := [one for one in others if self.links.untold(one, key)]:
            names["other"] = self.children[untold[0]]
            reason = _(
                "Is a guardian of %(child)s; of %(other)s, of the same family, this file says "
                "nothing. Send both in one file."
            )
        else:
            reason = _("Is a guardian of %(child)s and not of %(other)s, who are one family here.")
        return reason % names

    def _is_barred(self, key: str, children: Iterable[str], family: int | None = None) -> bool:
        for child in children:
            families = self.barred.families_of.get(child, set()) | ({family} if family else set())
            said = self._said(key) | {"roster_id": key}
            if reason := self.barred.why(said, families, [family] if family else []):
                self._refuse(key, child, reason)
                return True
        return False

    def _refuse(self, key: str, child: str, reason: str) -> None:
        """Say that a link is left out, on the row that it stands in."""
        row, agents = self.wanted.agents.get(child, (0, ()))
        if key not in agents:
            row, child = self.wanted.agents.get(key, (row, ()))[0], key
        who = _name(self._said(key))
        text = _("%(name)s: %(reason)s") % {"name": who, "reason": reason}
        self.wanted.refuse("users.csv", row, "agentSourcedIds", text, child)

    def _new(
        self, key: str, household: str, children: list[str], family: int | None = None
    ) -> tuple[Table, Difference]:
        user = self.wanted.guardians.get(key)
        data = {name: value for name, value in self._said(key).items() if value}
        self._drop_taken(key, data, children, family)
        names = ", ".join(self.children[child] for child in children)
        data |= {"household": household, "children": names}
        name = _name(data)
        return Table.CAREGIVER, Difference(key, name, user.row if user else None, {}, data)

    # Children without a family

    def _new_children(self) -> Found:
        groups: dict[frozenset[str], list[str]] = defaultdict(list)
        for child in self.children:
            guardians = self.links.of(child)
            if guardians and child not in self.family_of:
                may = frozenset(one for one in guardians if not self._is_barred(one, [child]))
                if may:
                    groups[may].append(child)
        for guardians, children in groups.items():
            households = self.families_with.get(guardians, [])
            if len(households) == 1 and not self._meets_barred(households[0], children):
                yield self._joins(households[0], children)
            else:
                yield from self._new_household(sorted(guardians), children)

    def _meets_barred(self, family: int, children: Iterable[str]) -> bool:
        """Whether somebody who was ended for one of the children stands in this family."""
        families = {one for child in children for one in self.barred.families_of.get(child, ())}
        if not families:
            return False
        standing = Caregiver.objects.filter(family=family, ended_on=None).values(*FIELDS)
        return any(
            self.barred.why(row | {"phone": str(row["phone"])}, families) for row in standing
        )

    def _joins(self, family: int, children: list[str]) -> tuple[Table, Difference]:
        held = sorted(self.children_of[family])
        after = {"students": sorted([*held, *children])}
        label = ", ".join(self.children[child] for child in children)
        before = {"students": held}
        return Table.HOUSEHOLD, Difference(f"#{family}", label, None, before, after)

    def _new_household(self, guardians: list[str], children: list[str]) -> Found:
        household = f"new:{children[0]}"
        people = [self._said(key) for key in guardians]
        label = joined(said["family_name"] or said["given_name"] for said in people)
        data = {"surnames": label, "students": sorted(children)}
        yield Table.HOUSEHOLD, Difference(household, label, None, {}, data)
        for key in guardians:
            yield self._new(key, household, children)


def _leaving(row: Data, family: int) -> Difference:
    before = {name: row[name] for name in FIELDS if row[name]}
    before |= {"caregiver": row["pk"], "household": f"#{family}"}
    return Difference(row["roster_id"], _name(row), None, before, {})


def _named(people: Iterable[Data], said: Data) -> Data | None:
    return next((row for row in people if same_name(row, said)), None)


def _name(said: Data) -> str:
    return f"{said['given_name']} {said['family_name']}".strip()
