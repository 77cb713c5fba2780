"""An invented district of any size as a OneRoster bundle: names of many languages, each child
with guardians, brothers and sisters, and classes."""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

GIVEN = (  # noqa: SIM905
    "Mateo Lucía José Sofía Nguyễn Thảo Đức Linh 小明 丽华 浩然 محمد ليلى فاطمة Amina Fadumo "
    "Yusuf Olena Dmytro Иван Ольга Kai Malia O'Shea Jean-Luc Zoë Łukasz Ångström Siobhán Mary"
).split()
FAMILY = (  # noqa: SIM905
    "De la Cruz|Núñez|Ramírez Vega|Trần|Phạm|Lê|王|李|张|الأحمد|حداد|Hassan|Abdi|Ковальчук|"
    "Шевченко|"
    "O'Brien|Smith|van der Berg|Kealoha|Müller|Dąbrowski|García-López|Johnson|Kim|Yılmaz|Sørensen"
).split("|")
STUDENTS_PER_SCHOOL = 500
CLASSES_PER_STUDENT = 5
STUDENTS_PER_CLASS = 25
USERS = [
    *["sourcedId", "status", "enabledUser", "orgSourcedIds", "role", "givenName", "familyName"],
    *["email", "sms", "phone", "agentSourcedIds", "grades", "password"],
]
ENROLLMENTS = [
    *["sourcedId", "status", "classSourcedId", "schoolSourcedId", "userSourcedId"],
    *["role", "primary"],
]
CHILDREN = (1, 1, 2, 2, 3)


def write_bundle(folder: Path, students: int, seed: int = 1) -> Path:
    """A bundle of so many students with two guardians each, five classes, and their teachers."""
    folder.mkdir(parents=True, exist_ok=True)
    district = _District(students, seed)
    for name, rows in district.files().items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


class _District:
    def __init__(self, students: int, seed: int) -> None:
        self.students, self.seed, self.random = students, seed, Random(seed)
        self.schools = max(1, students // STUDENTS_PER_SCHOOL)
        self.classes = max(
            CLASSES_PER_STUDENT, students * CLASSES_PER_STUDENT // STUDENTS_PER_CLASS
        )

    def files(self) -> dict[str, Iterator[list[str]]]:
        return {
            "orgs.csv": self._orgs(),
            "academicSessions.csv": self._sessions(),
            "classes.csv": self._classes(),
            "users.csv": self._users(),
            "enrollments.csv": self._enrollments(),
        }

    def _orgs(self) -> Iterator[list[str]]:
        yield ["sourcedId", "status", "dateLastModified", "name", "type"]
        for number in range(self.schools):
            yield [f"o{number}", "", "", f"School {number}", "school"]

    def _sessions(self) -> Iterator[list[str]]:
        yield ["sourcedId", "status", "title", "type", "startDate", "endDate", "schoolYear"]
        yield ["Y26", "", "2026-27", "schoolYear", "2026-08-17", "2027-06-11", "2027"]

    def _school_of_class(self, number: int) -> int:
        return number % self.schools

    def _classes(self) -> Iterator[list[str]]:
        yield ["sourcedId", "status", "title", "schoolSourcedId", "termSourcedIds"]
        for number in range(self.classes):
            yield [f"c{number}", "", f"Class {number}", f"o{self._school_of_class(number)}", "Y26"]

    def _users(self) -> Iterator[list[str]]:
        yield USERS
        for number in range(self.classes // CLASSES_PER_STUDENT):
            name = [self.random.choice(GIVEN), self.random.choice(FAMILY)]
            email = f"t{number}@district{self.seed}.example.org"
            school = f"o{self._school_of_class(number)}"
            yield [f"t{number}", "", "true", school, "teacher", *name, email, "", "", "", "", "x"]
        child = 0
        while child < self.students:
            siblings = min(self.random.choice(CHILDREN), self.students - child)
            yield from self._family(child, siblings)
            child += siblings

    def _family(self, first: int, siblings: int) -> Iterator[list[str]]:
        family = self.random.choice(FAMILY)
        # Two guardians for each child on average, so that siblings have some more.
        guardians = [f"g{first}-{number}" for number in range(2 * siblings)]
        for key in guardians:
            digits = f"{self.random.randrange(10_000):04}"
            phone = f"(503) 5{self.random.randrange(10)}5-{digits}"
            given = self.random.choice(GIVEN)
            yield [
                *[key, "", "true", "", "parent", given, family, f"{key}@example.org"],
                *[phone, "", "", "", "x"],
            ]
        for number in range(first, first + siblings):
            school, grade = f"o{number % self.schools}", f"{1 + number % 12:02}"
            given, agents = self.random.choice(GIVEN), ",".join(guardians)
            yield [
                *[f"s{number}", "", "true", school, "student", given, family, "", "", ""],
                *[agents, grade, "x"],
            ]

    def _enrollments(self) -> Iterator[list[str]]:
        yield ENROLLMENTS
        step = self.schools
        for number in range(self.students):
            for period in range(CLASSES_PER_STUDENT):
                place = (number // step * CLASSES_PER_STUDENT + period) * step + number % step
                school_class = place % self.classes
                yield [
                    *[f"e{number}-{period}", "", f"c{school_class}", f"o{number % step}"],
                    *[f"s{number}", "student", ""],
                ]
        teachers = self.classes // CLASSES_PER_STUDENT
        for number in range(self.classes):
            yield [
                *[f"et{number}", "", f"c{number}", "", f"t{number % max(1, teachers)}"],
                *["teacher", "true"],
            ]
