"""The people of a OneRoster bundle: users.csv, in 1.2 with roles.csv, and demographics.csv."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from sys import intern

from django.utils.translation import gettext as _

from pthv.tables.problems import BadValue, Refused
from pthv.tables.rows import Row, titles
from pthv.tables.values import email as email_address
from pthv.tables.values import quoted

from . import names, values
from .archive import Bundle
from .attributes import NOTHING, RACES
from .grades import grade
from .read import LONGEST_PERSON_NAME, STUDENT, TEACHER
from .records import BadCell, base, cell, filled, ids, limited, records, said

GUARDIANS = frozenset(["guardian", "parent", "relative"])
# Roles of the standard that don't concern a roster of students, teachers and guardians.
OTHER_ROLES = frozenset(
    [
        "administrator",
        "aide",
        "counselor",
        "districtadministrator",
        "principal",
        "proctor",
        "siteadministrator",
        "sysadmin",
        "systemadministrator",
    ]
)
EXTENSION = "ext:"
# Roles, each with the orgs where it is held.
Held = list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Role:
    """What one person is, and where: a row of roles.csv."""

    row: int
    sourced_id: str
    left: bool
    user_id: str
    role: str
    primary: bool
    org_id: str


@dataclass(slots=True)
class User:
    """A person with what they are: one may be a teacher and a guardian at once.

    `student_at` and `teacher_at` are orgs; None for who is no student or no teacher, and empty
    where the file doesn't say. A phone or e-mail that can't be used is None.
    """

    row: int
    sourced_id: str
    left: bool
    given_name: str = ""
    family_name: str = ""
    preferred_name: str = ""
    student_at: tuple[str, ...] | None = None
    teacher_at: tuple[str, ...] | None = None
    guardian_as: str = ""
    email: str | None = ""
    phone: str | None = ""
    grade: str = ""
    agents: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """The first thing that the roster knows this person as."""
        if self.student_at is not None:
            return STUDENT
        return TEACHER if self.teacher_at is not None else self.guardian_as


@dataclass
class Roles:
    """What roles.csv says of each person, the primary role first."""

    active: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    ended: dict[str, tuple[Role, ...]] = field(default_factory=dict)
    # Whose rows were refused; "" is everybody.
    refused: set[str] = field(default_factory=set)

    def in_doubt(self, key: str) -> bool:
        return not self.refused.isdisjoint(("", key))

    def take(self, role: Role) -> None:
        kept = self.ended if role.left else self.active
        earlier = kept.get(role.user_id, ())
        kept[role.user_id] = (role, *earlier) if role.primary else (*earlier, role)


def roles(bundle: Bundle) -> Iterator[Role | Refused]:
    def build(row: Row) -> Role:
        line, key, left = base(row)
        wanted = said if left else filled
        role = intern(wanted(row, "role").casefold())
        if role:
            _check_role(role)
        return Role(
            line,
            key,
            left,
            wanted(row, "userSourcedId"),
            role,
            said(row, "roleType").casefold() == "primary",
            intern(said(row, "orgSourcedId")),
        )

    return records(
        bundle,
        "roles.csv",
        build,
        required=("userSourcedId", "role"),
        optional=("roleType", "orgSourcedId"),
        about=("userSourcedId",),
    )


def _check_role(role: str) -> None:
    known = role in (STUDENT, TEACHER) or role in GUARDIANS or role in OTHER_ROLES
    if not known and not role.startswith(EXTENSION):
        raise BadCell("role", _("“%(role)s” is no role here.") % {"role": quoted(role)})


def nobody(_key: str) -> Held:
    """Without a roster, nobody is anything yet."""
    return []


def users(
    bundle: Bundle,
    region: str = "US",
    by_roles: Roles | None = None,
    known_as: Callable[[str], Held] = nobody,
) -> Iterator[User | Refused]:
    """Students, teachers and guardians in full; of anybody else only that they are there.

    `region` is the country of phone numbers written without +; `by_roles` is what 1.2 keeps
    in a file of its own, and `known_as` what the roster knows people as of whom neither speaks.
    A row may be followed by the cells of it that couldn't be used.
    """
    reader = _Users(region, by_roles, known_as)
    required: tuple[str, ...] = ("givenName", "familyName")
    told: tuple[str, ...] = ("role", "orgSourcedIds")
    if by_roles is None:
        required, told = (*required, *told), ()
    for record in records(
        bundle, "users.csv", reader.user, required=required, optional=(*told, *_Users.OPTIONAL)
    ):
        yield record
        if isinstance(record, User):
            yield from reader.left_out


def has_roles_of_its_own(bundle: Bundle) -> bool:
    """Whether users.csv itself says what people are, as up to 1.1."""
    with bundle.open("users.csv") as stream:
        return "role" in (title.casefold() for title in titles(stream, "users.csv"))


class _Users:
    """Builds users, and keeps which of their cells couldn't be used."""

    OPTIONAL = (
        "primaryOrgSourcedId",
        "enabledUser",
        "email",
        "sms",
        "phone",
        "grades",
        "agentSourcedIds",
        "agents",
        "preferredGivenName",
        "preferredFirstName",
    )

    def __init__(
        self, region: str, by_roles: Roles | None, known_as: Callable[[str], Held]
    ) -> None:
        self.region, self.by_roles, self.known_as = region, by_roles, known_as
        self.left_out: list[Refused] = []

    def user(self, row: Row) -> User:
        self.left_out = []
        line, key, left = base(row)
        if left:
            return User(line, key, True)
        held = self._told(row, key)
        ended = self._ended(key)
        if not held:
            held = [(role, orgs) for role, orgs in self.known_as(key) if role not in ended]
            if not held and ended and not (self.by_roles and self.by_roles.in_doubt(key)):
                return User(line, key, True)
            if not held:
                raise BadCell("role", _("Nothing says what this person is."))
        else:
            self._check_orgs(held)
        person = User(line, key, False)
        self._place(person, held, row)
        if person.role:
            self._tell(person, row)
        return person

    def _tell(self, person: User, row: Row) -> None:
        self._name(person, row)
        person.agents = ids(row["agentSourcedIds"]) or ids(row["agents"])
        if person.student_at is not None:
            person.grade = cell(row, "grades", grade)
        if person.guardian_as:
            self._reach(person, row)
        if person.teacher_at is not None:
            self._employ(person, row)

    def _told(self, row: Row, key: str) -> Held:
        """What the row and roles.csv say that this person is."""
        orgs = ids(row["orgSourcedIds"]) or ids(row["primaryOrgSourcedId"])
        held: Held = [(one.casefold(), orgs) for one in ids(row["role"])]
        for one, _orgs in held:
            _check_role(one)
        if self.by_roles:
            for role in self.by_roles.active.get(key, ()):
                held.append((role.role, (role.org_id,) if role.org_id else orgs))
        elif not held:
            filled(row, "role")
        return held

    def _ended(self, key: str) -> set[str]:
        return {role.role for role in self.by_roles.ended.get(key, ())} if self.by_roles else set()

    def _check_orgs(self, held: Held) -> None:
        for role, orgs in held:
            if role in (STUDENT, TEACHER) and not orgs:
                column = "orgSourcedIds" if self.by_roles is None else "primaryOrgSourcedId"
                raise BadCell(column, _("It is empty."))

    def _place(self, person: User, held: Held, row: Row) -> None:
        at: dict[str, tuple[str, ...]] = {}
        for role, orgs in held:
            at[role] = tuple(dict.fromkeys((*at.get(role, ()), *orgs)))
        person.student_at = _first(at.get(STUDENT), said(row, "primaryOrgSourcedId"))
        person.teacher_at = at.get(TEACHER)
        person.guardian_as = next((role for role in at if role in GUARDIANS), "")

    def _name(self, person: User, row: Row) -> None:
        given = limited(row, "givenName", LONGEST_PERSON_NAME)
        family = limited(row, "familyName", LONGEST_PERSON_NAME)
        if person.role in (STUDENT, TEACHER):
            filled(row, "givenName")
            filled(row, "familyName")
        elif not given and not family:
            raise BadCell("familyName", _("A guardian needs a name."))
        preferred = row["preferredGivenName"] or row["preferredFirstName"]
        preferred = preferred if len(preferred) <= LONGEST_PERSON_NAME else ""
        person.given_name, person.family_name = names.readable(given, family)
        if preferred != given:
            person.preferred_name = names.readable(preferred, "")[0]

    def _reach(self, person: User, row: Row) -> None:
        """A guardian with phone and e-mail; one that can't be used is told and left out."""
        column = "sms" if said(row, "sms") else "phone"
        person.phone = self._or_hole(row, column, lambda text: values.phone(text, self.region))
        person.email = self._or_hole(row, "email", email_address)

    def _or_hole(self, row: Row, column: str, parse: Callable[[str], str]) -> str | None:
        try:
            return parse(said(row, column))
        except BadValue as bad:
            reason = _("%(reason)s The rest of the row is taken.") % {"reason": bad}
            self._leave_out(row, column, reason)
            return None

    def _leave_out(self, row: Row, column: str, reason: str) -> None:
        self.left_out.append(
            Refused("users.csv", row.number, column, reason, row["sourcedId"], part=True)
        )

    def _employ(self, person: User, row: Row) -> None:
        """A teacher; one whose account is switched off doesn't work here any more."""
        teaches_only = person.student_at is None and not person.guardian_as
        if said(row, "enabledUser").casefold() in values.FALSE:
            person.teacher_at, person.left = None, teaches_only
            return
        try:
            email = cell(row, "email", email_address)
            if not email:
                reason = _("A teacher needs an e-mail address to log in with.")
                raise BadCell("email", reason)
        except BadCell as bad:
            if teaches_only:
                raise
            self.left_out = []
            self._leave_out(row, "email", str(bad))
            person.teacher_at = None
        else:
            person.email = email


def _first(orgs: tuple[str, ...] | None, org: str) -> tuple[str, ...] | None:
    """The orgs, with this one before the others if it is among them."""
    if not orgs or org not in orgs or orgs[0] == org:
        return orgs
    return (org, *(one for one in orgs if one != org))


@dataclass(frozen=True, slots=True)
class Demographics:
    """Of one student, what the program keeps and the row says."""

    row: int
    user_id: str
    left: bool
    data: dict[str, object]


SEXES = {"m": "male", "f": "female", "x": "other", "nonbinary": "other"} | {
    sex: sex for sex in ("male", "female", "other", "unspecified")
}


def demographics(bundle: Bundle, kept: frozenset[str]) -> Iterator[Demographics | Refused]:
    """The columns of `kept` attributes alone; the rest is never taken out of a row."""
    races = RACES if "race_ethnicity" in kept else ()
    sex = ("sex",) if "sex" in kept else ()

    def build(row: Row) -> Demographics:
        line, key, left = base(row)
        data: dict[str, object] = {}
        if sex and (word := said(row, "sex").casefold()):
            if word not in SEXES:
                raise BadCell("sex", _("It is none of the words of OneRoster."))
            data["sex"] = SEXES[word]
        told = {race: cell(row, race, values.boolean) for race in races}
        if any(answer is not None for answer in told.values()):
            data["race_ethnicity"] = [race for race in races if told[race]]
        if left:
            data = {name: NOTHING[name] for name in ("sex", "race_ethnicity") if name in kept}
        return Demographics(line, key, left, data)

    return records(bundle, "demographics.csv", build, required=(), optional=(*races, *sex))
