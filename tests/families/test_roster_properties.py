"""Any sequence of files ends as its last whole file, with the changes that followed, alone."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from families.models import RosterImport

from .roster_files import bundle_files, zipped
from .snapshot import roster_snapshot

pytestmark = pytest.mark.django_db

SCHOOLS = ("10", "20", "30")
CLASSES = ("A", "B", "C", "D")
GIVEN = ("Ana", "Núria", "小明", "محمد", "Thảo", "Jean-Luc")
FAMILY = ("Ruiz", "王", "Hassan", "O'Brien", "Nguyễn")
COLUMNS = {
    "orgs.csv": ["name", "type"],
    "classes.csv": ["title", "schoolSourcedId", "termSourcedIds"],
    "users.csv": [
        *["role", "orgSourcedIds", "givenName", "familyName", "email", "sms", "agentSourcedIds"]
    ],
    "enrollments.csv": ["classSourcedId", "userSourcedId", "role", "primary"],
}
Files = dict[str, dict[str, dict[str, str]]]


@dataclass
class District:
    """What is true one day. Households stay whole: their children have the same guardians."""

    schools: dict[str, str] = field(default_factory=dict)
    classes: dict[str, tuple[str, str]] = field(default_factory=dict)
    students: dict[str, dict[str, str]] = field(default_factory=dict)
    teachers: dict[str, dict[str, str]] = field(default_factory=dict)
    guardians: dict[str, dict[str, str]] = field(default_factory=dict)
    # The id of each enrollment by its person and class.
    enrolled: dict[tuple[str, str], str] = field(default_factory=dict)

    def rows(self, *, by_child: bool) -> Files:
        """Each file's rows by their ids."""
        classes = {
            key: {"title": title, "schoolSourcedId": school, "termSourcedIds": "Y26"}
            for key, (title, school) in self.classes.items()
        }
        orgs = {key: {"name": name, "type": "school"} for key, name in self.schools.items()}
        enrollments = {
            own: {
                "classSourcedId": school_class,
                "userSourcedId": person,
                "role": "student" if person.startswith("s") else "teacher",
                "primary": "true" if person == "t0" else "",
            }
            for (person, school_class), own in self.enrolled.items()
        }
        return {
            "orgs.csv": orgs,
            "classes.csv": classes,
            "users.csv": self._users(by_child=by_child),
            "enrollments.csv": enrollments,
        }

    def _users(self, *, by_child: bool) -> dict[str, dict[str, str]]:
        users = {}
        for role, people in (
            ("student", self.students),
            ("teacher", self.teachers),
            ("parent", self.guardians),
        ):
            for key, said in people.items():
                agents = ""
                if role == "student" and by_child:
                    agents = ",".join(self.guardians_of(said["home"]))
                elif role == "parent" and not by_child:
                    agents = ",".join(self.children_in(said["home"]))
                users[key] = {
                    "role": role,
                    "orgSourcedIds": said.get("school", ""),
                    "givenName": said["given"],
                    "familyName": said["family"],
                    "email": f"{key}@example.org" if role == "teacher" else "",
                    "sms": said.get("sms", ""),
                    "agentSourcedIds": agents,
                }
        return users

    def guardians_of(self, home: str) -> list[str]:
        return [key for key, said in self.guardians.items() if said["home"] == home]

    def children_in(self, home: str) -> list[str]:
        return [key for key, said in self.students.items() if said["home"] == home]


def some_day(random: Random) -> District:
    """A district of a few people, each time another, out of the same names."""
    district = District()
    for key in SCHOOLS[: random.randint(1, 3)]:
        district.schools[key] = random.choice(["Lincoln", "Roosevelt", "Truth"]) + f" {key}"
    schools = list(district.schools)
    for key in random.sample(CLASSES, random.randint(1, 4)):
        district.classes[key] = (f"Class {random.randint(1, 2)}", random.choice(schools))
    classes = list(district.classes)

    def person(home: str) -> dict[str, str]:
        return {"given": random.choice(GIVEN), "family": random.choice(FAMILY), "home": home}

    # A child's home, and so their guardians' name, is the same on every day.
    for number in random.sample(range(8), random.randint(1, 8)):
        key = f"s{number}"
        district.students[key] = person(f"h{number // 2}") | {"school": random.choice(schools)}
        for school_class in random.sample(classes, random.randint(0, min(2, len(classes)))):
            district.enrolled[key, school_class] = f"{key}-{school_class}"
    for number in range(random.randint(0, 2)):
        key = f"t{number}"
        district.teachers[key] = person("") | {"school": random.choice(schools)}
        school_class = random.choice(classes)
        district.enrolled[key, school_class] = f"{key}-{school_class}"
    for number in random.sample(range(8), random.randint(0, 8)):
        home = f"h{number // 2}"
        if district.children_in(home):
            district.guardians[f"g{number}"] = {
                "given": GIVEN[number % len(GIVEN)],
                "family": f"{FAMILY[number % len(FAMILY)]} {number}",
                "home": home,
                "sms": f"50355{number}{1000 + random.randint(0, 99):04}",
            }
    if random.random() < 0.3:
        renumber(district, random)
    return district


def renumber(district: District, random: Random) -> None:
    """Some vendors count their enrollments anew every night."""
    pairs = list(district.enrolled)
    random.shuffle(pairs)
    district.enrolled = {pair: f"e{number}" for number, pair in enumerate(pairs)}


def written(name: str, rows: list[dict[str, str]], random: Random) -> str:
    """A file as another vendor might write it: rows and columns in any order, and more of both."""
    columns = ["sourcedId", "status", *COLUMNS[name]]
    if random.random() < 0.5:
        columns.insert(random.randrange(len(columns)), "metadata.colour")
        random.shuffle(columns)
    rows = list(rows)
    if random.random() < 0.3:
        nonsense = dict.fromkeys(columns, "nowhere") | {"status": "perhaps"}
        rows.append(nonsense | {"sourcedId": f"x{random.randint(0, 9)}"})
    random.shuffle(rows)
    sheet = io.StringIO()
    ends = random.choice(["\n", "\r\n", "\r"])
    quoting = random.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])
    writer = csv.DictWriter(sheet, columns, "", lineterminator=ends, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return random.choice(["", "\ufeff"]) + sheet.getvalue()


def whole(now: Files, random: Random) -> bytes:
    files = {
        name: written(name, [row | {"sourcedId": key} for key, row in rows.items()], random)
        for name, rows in now.items()
    }
    return zipped(files | {"academicSessions.csv": bundle_files()["academicSessions.csv"]})


def changes(before: Files, now: Files, random: Random) -> bytes:
    """What must be said to come from one day to another; a file without changes is absent."""
    files, manifest = {}, ["propertyName,value"]
    for name, rows in now.items():
        said = [
            row | {"sourcedId": key}
            for key, row in rows.items()
            # Of teachers each row is said: which of their schools a class brought along
            # is known from it alone.
            if before[name].get(key) != row or row.get("role") == "teacher"
        ]
        for key in before[name].keys() - rows.keys():
            gone = {"sourcedId": key, "status": random.choice(["tobedeleted", "Inactive"])}
            said.append(gone if random.random() < 0.5 else before[name][key] | gone)
        if said:
            files[name] = written(name, said, random)
        mode = "delta" if said else "absent"
        manifest.append(f"file.{name.removesuffix('.csv')},{mode}")
    manifest.append("file.academicSessions,absent")
    return zipped(files | {"manifest.csv": "\n".join(manifest)})


def roster_of(apply_file: Callable[[bytes], RosterImport], files: list[bytes]) -> dict[str, list]:
    """The roster after these files, which is taken back again."""
    with transaction.atomic():
        for file in files:
            apply_file(file)
        found = roster_snapshot()
        transaction.set_rollback(True)
    return found


@settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),  # one random day is as small as another
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.randoms(use_true_random=False),
    st.lists(st.booleans(), min_size=1, max_size=4),
    st.lists(st.just(False), max_size=2),
    st.booleans(),
)
def test_any_sequence_of_files_ends_as_its_last_whole_one_and_what_followed(
    apply_file, plan_file, random: Random, earlier: list[bool], later: list[bool], by_child: bool
) -> None:
    files: list[bytes] = []
    before: Files = {name: {} for name in COLUMNS}
    last = 0
    for is_whole in [True, *earlier, True, *later]:
        now = some_day(random).rows(by_child=by_child)
        if is_whole:
            last = len(files)
        files.append(whole(now, random) if is_whole else changes(before, now, random))
        before = now

    found, alone = roster_of(apply_file, files), roster_of(apply_file, files[last:])

    # A school stays, for it keeps its visits.
    assert set(found.pop("schools")) >= set(alone.pop("schools"))
    assert found == alone


@settings(
    max_examples=10,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_same_file_again_is_nothing_to_do(
    apply_file, plan_file, random: Random, by_child: bool
) -> None:
    days = [some_day(random).rows(by_child=by_child) for _day in range(3)]
    with transaction.atomic():
        for now in days:
            apply_file(whole(now, random))
        found = plan_file(whole(days[-1], random))
        told = set(found.changes.values_list("kind", flat=True))
        transaction.set_rollback(True)

    assert told <= {"refused", "beside"}
