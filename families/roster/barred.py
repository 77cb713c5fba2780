"""Caregivers who were ended or must not be contacted: no file brings one back unnoticed."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from families.households import children_ever
from families.models import Caregiver, Family, Student
from pthv.search import fold

from . import family_keys
from .apart import split_families

ADDRESSES = ("phone", "email")
LEFT_OUT = gettext_lazy(
    "A person left them out of this child’s family; they can be added on its page."
)
WORD = re.compile(r"[^\W_]+")


def caregiver_id(given_name: str, family_name: str) -> str:
    """The same name in one household is the same person."""
    return f"{given_name} {family_name}".strip().casefold()


class Barred:
    """The barred caregivers of the program, and every child whose family had one.

    Those who stand on the other side of a split are barred from this one, too.
    """

    def __init__(self) -> None:
        # Of a family that was merged, the other one holds the entries that count.
        into = family_keys.merged()
        self.together = split_families(into)
        barred = Caregiver.objects.filter(~Q(ended_on=None) | Q(may_be_contacted=False))
        barred = barred.filter(family__merged_into=None)
        families = set(barred.order_by().values_list("family", flat=True).distinct())
        families |= self.together.keys()
        earlier = [pk for pk, keep in into.items() if keep in families]
        self.families_of = {
            child: {into.get(one, one) for one in known}
            for child, known in children_ever([*families, *earlier]).items()
        }
        # The family that each child of a split one belongs to today.
        self.home = self._homes()
        families |= set(self.home.values())
        self.people: dict[int, list[Caregiver]] = defaultdict(list)
        for person in Caregiver.objects.filter(family__in=families):
            self.people[person.family_id].append(person)
        known = Family.objects.filter(pk__in=families).exclude(source_id="")
        self.households = dict(known.values_list("source_id", "pk"))

    def _homes(self) -> dict[str, int]:
        children = [
            child for child, known in self.families_of.items() if known & self.together.keys()
        ]
        found = Student.objects.filter(source_id__in=children).exclude(family=None)
        return dict(found.values_list("source_id", "family")) if children else {}

    def home_of(self, child: str) -> set[int]:
        return {self.home[child]} if child in self.home else set()

    def why(
        self, said: Mapping[str, str], families: Iterable[int], home: Collection[int] = ()
    ) -> str:
        """Why this person may not come in for a child of these families; empty if they may.

        `home` is where the child belongs today.
        """
        families = list(families)
        people = [person for family in families for person in self.people.get(family, ())]
        barred = [person for person in people if not person.may_be_reached]
        found = [person for person in barred if same_name(said, described(person))]
        # A telephone may be shared: whoever is known by name is judged by the name alone.
        known = any(
            person.may_be_reached and same_name(said, described(person)) for person in people
        )
        if not known:
            found += [person for person in barred if same_address(said, described(person))]
        if not found:
            return str(LEFT_OUT) if self._is_apart(said, families, home) else ""
        ended_on = next((person.ended_on for person in found if person.ended_on), None)
        if ended_on is None:
            return _("Must not be contacted for this child; an administrator can change that.")
        day = {"day": date_format(ended_on)}
        reason = _("Was ended for this child on %(day)s; an administrator can bring them back.")
        return reason % day

    def taken(
        self, said: Mapping[str, str], families: Iterable[int], who: int | None = None
    ) -> dict[str, str]:
        """Of the phone and e-mail said of a person, who may be `who`, those that must not be
        theirs, each with the reason."""
        people = [person for family in families for person in self.people.get(family, ())]
        reason = _("Is of somebody who was ended or must not be contacted; not taken.")
        return dict.fromkeys(taken(said, people, who), reason)

    def _is_apart(
        self, said: Mapping[str, str], families: Iterable[int], home: Collection[int]
    ) -> bool:
        """Whether a person put them on the other side when they split the child's family."""
        sides = {one for family in families for one in self.together.get(family, ())}
        if not home or any(_is(said, person) for person in self._standing(home)):
            return False
        others = self._standing(sides.difference(home))
        return any(_is(said, one) or same_address(said, described(one)) for one in others)

    def _standing(self, families: Iterable[int]) -> list[Caregiver]:
        people = (person for family in families for person in self.people.get(family, ()))
        return [person for person in people if person.ended_on is None]


def taken(said: Mapping[str, Any], people: Iterable[Caregiver], who: int | None) -> list[str]:
    """Which of a phone and e-mail lead to one of these who was ended or must not be contacted.

    One that somebody else of them has as well may be shared.
    """
    found = []
    for name in ADDRESSES:
        address = str(said.get(name) or "").casefold()
        has = [one for one in people if address and described(one)[name].casefold() == address]
        if has and not any(one.pk == who or one.may_be_reached for one in has):
            found.append(name)
    return found


def _is(said: Mapping[str, str], person: Caregiver) -> bool:
    key = said.get("roster_id")
    return (bool(key) and key == person.roster_id) or same_name(said, described(person))


def standing(households: Iterable[str]) -> dict[str, list[Caregiver]]:
    """Whom these households hold and nobody ended."""
    found = defaultdict(list)
    keys = {family.pk: family_keys.key(family) for family in family_keys.families(households)}
    for person in Caregiver.objects.filter(family__in=keys, ended_on=None):
        found[keys[person.family_id]].append(person)
    return found


def described(person: Caregiver) -> dict[str, str]:
    """A caregiver as a contacts file says one; by hand, with the id that a file would give."""
    return {
        "id": person.source_id or caregiver_id(person.given_name, person.family_name),
        "given_name": person.given_name,
        "family_name": person.family_name,
        "phone": str(person.phone),
        "email": person.email,
    }


def same_address(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return any(one[name] and one[name].casefold() == other[name].casefold() for name in ADDRESSES)


def same_name(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Luis Cruz, Luis A. Cruz and Luís Alberto Cruz Vega: one name, more or less of it told."""
    family, others = _words(one["family_name"]), _words(other["family_name"])
    told, also = set(family), set(others)
    surnames = told <= also or also <= told if told and also else told == also
    return surnames and _same_given(_words(one["given_name"]), _words(other["given_name"]))


def _same_given(one: list[str], other: list[str]) -> bool:
    if not one or not other:
        return one == other
    short, long = sorted((one[0], other[0]), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))


def _words(name: str) -> list[str]:
    """The words of a name, folded; without initials, unless there is nothing else."""
    words = WORD.findall(fold(name))
    return [word for word in words if len(word) > 1] or words
