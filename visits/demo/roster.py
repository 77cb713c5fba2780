"""The demo's roster as the files a district would send: read, planned and applied as such."""

import csv
import datetime
import random
from pathlib import Path

from .people import CLASS_SIZE, SCHOOLS, Household

CLASSES_EACH = 6


def write_bundle(
    folder: Path,
    year: datetime.date,
    households: list[Household],
    staff: list[list[tuple[str, str, str]]],
) -> None:
    """A OneRoster bundle of the school year that starts on `year`."""
    ends = datetime.date(year.year + 1, 7, 31)
    name = f"{year.year}–{str(ends.year)[2:]}"
    term = f"Y{year.year}"
    children = [child for household in households for child in household.children]
    classes, users, enrollments = [], [], []
    for number, (school, _name, _hours, grades) in enumerate(SCHOOLS):
        for teacher, (email, given, family) in enumerate(staff[number]):
            users.append(
                [f"T{school}{teacher}", "true", school, "teacher", given, family, email, ""]
            )
        for place, grade in enumerate(grades):
            class_id = f"{school}-{place + 1}-{year.year}"
            title = f"Grade {int(grade)}" if grade != "KG" else "Kindergarten"
            section = "B" if grades.index(grade) != place else "A"
            classes.append([class_id, f"{title} {section}", "scheduled", school, term])
            enrollments.append([class_id, school, f"T{school}{place}", "teacher", "true"])
            start = (number * CLASSES_EACH + place) * CLASS_SIZE
            for child in children[start : start + CLASS_SIZE]:
                users.append(
                    [child.id, "true", school, "student", child.given, child.family, "", grade]
                )
                enrollments.append([class_id, school, child.id, "student", ""])
    _write(
        folder / "manifest.csv",
        ["propertyName", "value"],
        [["manifest.version", "1.0"], ["oneroster.version", "1.1"]]
        + [
            [f"file.{file}", "bulk"]
            for file in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
        ],
    )
    _write(
        folder / "orgs.csv",
        ["sourcedId", "name", "type", "parentSourcedId"],
        [["0", "Willow Creek Public Schools", "district", ""]]
        + [[school, name, "school", "0"] for school, name, _hours, _grades in SCHOOLS],
    )
    _write(
        folder / "academicSessions.csv",
        ["sourcedId", "title", "type", "startDate", "endDate", "schoolYear"],
        [[term, name, "schoolYear", year, ends, ends.year]],
    )
    _write(folder / "courses.csv", ["sourcedId", "title", "orgSourcedId"], [["C", "Homeroom", "0"]])
    _write(
        folder / "classes.csv",
        ["sourcedId", "title", "courseSourcedId", "classType", "schoolSourcedId", "termSourcedIds"],
        [[found[0], found[1], "C", *found[2:]] for found in classes],
    )
    _write(
        folder / "users.csv",
        ["sourcedId", "enabledUser", "orgSourcedIds", "role", "givenName", "familyName", "email",
         "grades"],
        users,
    )  # fmt: skip
    _write(
        folder / "enrollments.csv",
        ["sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary"],
        [[f"{row[0]}_{row[2]}", *row] for row in enrollments],
    )


def write_contacts(path: Path, households: list[Household], dice: random.Random) -> None:
    """The contacts file: a row for each child and caregiver; a few families are missing."""
    rows = []
    for household in households:
        if dice.random() < 0.03:
            continue
        for child in household.children:
            for number, (given, family, relation, phone, channel) in enumerate(
                household.caregivers
            ):
                email = f"{household.id.lower()}.{number + 1}@family.example"
                rows.append(
                    [child.id, household.id, given, family, relation, phone, email,
                     household.language, channel]
                )  # fmt: skip
    _write(
        path,
        ["student_id", "household", "given_name", "family_name", "relation", "phone", "email",
         "language", "preferred_channel"],
        rows,
    )  # fmt: skip


def _write(path: Path, header: list[str], rows: list[list]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
