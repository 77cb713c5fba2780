"""A family as a contacts file says it, as the program holds it, and what differs."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from families.models import Caregiver, Student, joined

from .barred import LEFT_OUT, caregiver_id
from .contacts import Contact
from .family_keys import UNNAMED, families
from .states import Data, Difference, Table

Found = tuple[Table, Difference]

UNSAID_LANGUAGE = "en"
# Of a caregiver, what one line of several may leave to the others.
TOLD = ("preferred_name", "relation", "phone", "email", "language", "preferred_channel")
# Empty, these say nothing; the others, that there is none.
SAYS_NOTHING = ("language", "preferred_channel")
NAMES = ("given_name", "family_name")
# What a file may take away from somebody, and never gives back.
MAY = ("may_be_contacted", "may_decide", "may_read")
FAMILY_FIELDS = ("language", "interpreter_wanted", "address", "address_confidential")


@dataclass(slots=True)
class Asked:
    """A household as its lines say it, and the lines that contradict an earlier one."""

    row: int
    students: list[str]
    said: Data = field(default_factory=dict)
    people: dict[str, Data] = field(default_factory=dict)
    refused: list[tuple[Contact, str, str]] = field(default_factory=list)

    @property
    def surnames(self) -> str:
        return surnames(self.people.values())


@dataclass(slots=True)
class Held:
    """The same household today: of its caregivers, whom nobody ended."""

    surnames: str
    said: Data
    students: list[str] = field(default_factory=list)
    people: dict[str, Data] = field(default_factory=dict)
    # Whom earlier files named; whoever was added by hand is missing from no file.
    from_files: set[str] = field(default_factory=set)
    # Whom a file had ended, and may bring back.
    ended: dict[str, Data] = field(default_factory=dict)


def person(line: Contact) -> str:
    return caregiver_id(line.given_name, line.family_name)


def asked(lines: list[Contact], columns: Container[str]) -> Asked:
    """What the lines of one household say; only of columns that the file has."""
    found = Asked(lines[0].row, sorted({line.student_id for line in lines}))
    for line in lines:
        said = _said(line, columns)
        earlier = found.people.setdefault(said["id"], said)
        if column := _contradiction(said, earlier):
            reason = _("An earlier line has something else for the same caregiver.")
            found.refused.append((line, column, reason))
        elif earlier is not said:
            # A sister's line may leave out what the first one said, or add to it.
            earlier |= {name: earlier[name] or said[name] for name in TOLD if name in said}
            earlier |= {name: False for name in MAY if name in said}
    spoken = [one["language"] for one in found.people.values() if one.get("language")]
    for one in found.people.values():
        if spoken and not one["language"]:
            one["language"] = spoken[0]
    _say_of_all(found, lines, spoken, columns)
    return found


def _said(line: Contact, columns: Container[str]) -> Data:
    who = {"id": person(line), "row": line.row}
    said = who | {"given_name": line.given_name, "family_name": line.family_name}
    said |= {name: getattr(line, name) for name in TOLD if name in columns}
    barred = {
        "may_be_contacted": line.do_not_contact is True,
        "may_decide": line.may_decide is False,
        "may_read": line.may_read is False,
    }
    return said | {name: False for name, is_barred in barred.items() if is_barred}


def _contradiction(said: Data, earlier: Data) -> str:
    for name in ("phone", "email"):
        one, other = said.get(name), earlier.get(name)
        if one and other and one != other:
            return name
    return ""


def _say_of_all(
    found: Asked, lines: list[Contact], spoken: list[str], columns: Container[str]
) -> None:
    """What is said on a line, and is true of the whole household."""
    if spoken:
        found.said["language"] = spoken[0]
    wanted = [line.interpreter for line in lines if line.interpreter is not None]
    if wanted:
        found.said["interpreter_wanted"] = any(wanted)
    if any(line.address_confidential for line in lines):
        found.said["address_confidential"] = True
    if "address" in columns:
        address = next((line.address for line in lines if line.address), "")
        found.said["address"] = address
        reason = _("An earlier line has another address for the same household.")
        found.refused += [
            (line, "address", reason) for line in lines if line.address not in ("", address)
        ]


def held(households: Iterable[str], forgiven: Collection[int] = ()) -> dict[str, Held]:
    """The families of these households; of those who were ended, only the `forgiven`."""
    keys: dict[int, str] = {}
    found: dict[str, Held] = {}
    rows = families(households).values_list("pk", "source_id", "surnames", *FAMILY_FIELDS)
    for pk, household, names, *said in rows:
        keys[pk] = household or f"{UNNAMED}{pk}"
        data = dict(zip(FAMILY_FIELDS, said, strict=True)) | {"household": household}
        found[keys[pk]] = Held(names, data)
    students = Student.objects.filter(family__in=keys).order_by("source_id")
    for family, student in students.values_list("family", "source_id"):
        found[keys[family]].students.append(student)
    fields = ("pk", "ended_on", *NAMES, *TOLD, *MAY)
    known = Caregiver.objects.filter(family__in=keys).order_by("pk")
    people = known.filter(Q(ended_on=None) | Q(pk__in=forgiven))
    for family, source_id, *said in people.values_list("family", "source_id", *fields):
        data = dict(zip(fields, said, strict=True))
        data["phone"] = str(data["phone"])
        one = {"id": source_id or caregiver_id(data["given_name"], data["family_name"]), **data}
        here = found[keys[family]]
        if one["ended_on"]:
            here.ended[one["id"]] = one
            continue
        here.people[one["id"]] = one
        if source_id:
            here.from_files.add(one["id"])
    return found


def admit_nobody(wanted: Asked, here: Held, lines: list[Contact]) -> None:
    """A person decided who is in a family that was split off: a file brings nobody into it.

    Of where they live it says nothing, for its household is another; nor does an empty cell,
    for what is true of both children may stand on the other one's line.
    """
    wanted.said.pop("address", None)
    strangers = wanted.people.keys() - here.people.keys() - here.ended.keys()
    reason = str(LEFT_OUT)
    wanted.refused += [(line, "family_name", reason) for line in lines if person(line) in strangers]
    wanted.people = {
        key: {name: value for name, value in one.items() if value != "" or name in NAMES}
        for key, one in wanted.people.items()
        if key not in strangers
    }


def new_family(key: str, wanted: Asked) -> Iterator[Found]:
    language = wanted.said.get("language", UNSAID_LANGUAGE)
    after = {"surnames": wanted.surnames, **wanted.said, "language": language}
    after["students"] = wanted.students
    yield Table.FAMILY, Difference(key, wanted.surnames, wanted.row, {}, after)
    for one in wanted.people.values():
        yield Table.CAREGIVER, _new_caregiver(key, one, language)


def changes(
    key: str, wanted: Asked, here: Held, tally: Counter[str], *, in_doubt: bool
) -> Iterator[Found]:
    """What would become of a family that is known, and of its caregivers.

    In doubt nobody of them is missing. `tally` counts who is here, and who would be gone.
    """
    missing = here.from_files - wanted.people.keys() - (here.from_files if in_doubt else set())
    tally.update(here=len(here.from_files), gone=len(missing))
    before: Data = {}
    after: Data = {}
    said = wanted.said | {"students": wanted.students}
    told = here.said | {"students": here.students}
    names = _new_surnames(wanted, here, missing)
    if names != here.surnames and not in_doubt:
        before["surnames"], after["surnames"] = here.surnames, names
    for name, value in said.items():
        if told[name] != value:
            # Where they lived may be confidential; that it changes is enough.
            before[name] = "" if name == "address" else told[name]
            after[name] = value
    if after:
        label = after.get("surnames", here.surnames)
        yield Table.FAMILY, Difference(key, label, wanted.row, before, after)
    language: str = wanted.said.get("language") or here.said["language"]
    for one in wanted.people.values():
        known = here.people.get(one["id"]) or here.ended.get(one["id"])
        found = _changed(key, one, known) if known else _new_caregiver(key, one, language)
        if found:
            yield Table.CAREGIVER, found
    for one in here.people.values():
        if one["id"] in missing:
            before = {"household": key, "caregiver": one["pk"]}
            before |= {name: one[name] for name in (*NAMES, "relation")}
            yield Table.CAREGIVER, Difference(one["id"], _name(one), None, before, {})


def _new_caregiver(household: str, one: Data, language: str) -> Difference:
    """Somebody new: what the file leaves open is filled in."""
    written = one.get("email") and not one.get("phone")
    channel = Caregiver.Channel.EMAIL if written else Caregiver.Channel.CALL
    after = {
        **{name: value for name, value in one.items() if name not in ("id", "row")},
        "household": household,
        "language": one.get("language") or language,
        "preferred_channel": one.get("preferred_channel") or channel.value,
    }
    return Difference(one["id"], _name(one), one["row"], {}, after)


def _changed(household: str, one: Data, known: Data) -> Difference | None:
    """A caregiver before and after: only what differs."""
    differs = {
        name: value
        for name, value in one.items()
        if name != "row" and value != known[name] and (value != "" or name not in SAYS_NOTHING)
    }
    before = {"household": household} | {name: known[name] for name in differs}
    after = {"household": household} | differs
    if known["ended_on"]:
        before["ended_on"], after["ended_on"] = f"{known['ended_on']}", None
    elif not differs:
        return None
    return Difference(one["id"], _name(one), one["row"], before, after)


def _new_surnames(wanted: Asked, here: Held, missing: Container[str]) -> str:
    """The family's surnames, kept as they are while its caregivers' are."""
    stay = {key: one for key, one in here.people.items() if key not in missing}
    people = [*(stay | wanted.people).values()]
    if {_called(one) for one in people} == {_called(one) for one in here.people.values()}:
        return here.surnames
    return surnames(people)


def surnames(people: Iterable[Data]) -> str:
    return joined(map(_called, people))


def _name(one: Data) -> str:
    return f"{one['given_name']} {one['family_name']}".strip()


def _called(one: Data) -> str:
    return one["family_name"] or one["given_name"]
