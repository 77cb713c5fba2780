"""Roster files for tests: the invented district under data/, whole or altered."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.spreadsheets import zipped

DATA = Path(__file__).parent / "data"
BUNDLE = DATA / "bundle"
CONTACTS = DATA / "contacts.csv"
PROJECT = Path(__file__).resolve().parents[2]
# What the worker tells a task of its job.
FIRST_TRY = SimpleNamespace(job=SimpleNamespace(attempts=0))
SHARED = Path(os.environ.get("PTHV_SHARED_DATA", PROJECT.parent / "shared" / "data"))
SAMPLE = SHARED / "oneroster-sample-a"

needs_sample = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"the sample roster is not at {SAMPLE}; set PTHV_SHARED_DATA"
)


def bundle_files() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(BUNDLE.glob("*.csv"))}


def bundle(**altered: str | bytes | None) -> bytes:
    """The invented bundle as a zip; `users="…"` replaces users.csv, None leaves it out."""
    files: dict[str, str | bytes | None] = dict(bundle_files())
    files |= {f"{stem}.csv": content for stem, content in altered.items()}
    return zipped({name: content for name, content in files.items() if content is not None})


def without_rows(file: str, **cells: str) -> str:
    """A file of the bundle less the rows whose cells have these values."""
    rows = list(csv.DictReader(io.StringIO(bundle_files()[file])))
    kept = [row for row in rows if not all(row[name] == value for name, value in cells.items())]
    assert len(kept) < len(rows)
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, rows[0])
    writer.writeheader()
    writer.writerows(kept)
    return sheet.getvalue()


def replaced(file: str, old: str, new: str) -> str:
    """A file of the bundle with one text in place of another."""
    text = bundle_files()[file]
    assert old in text
    return text.replace(old, new)


@dataclass
class Roster:
    """A small district in the making: two schools, a class in each, whoever is added."""

    users: list[dict[str, str]] = field(default_factory=list)
    enrollments: list[dict[str, str]] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=lambda: {"3A": "10", "E7": "20"})
    version: str = "1.1"

    def user(self, key: str) -> dict[str, str]:
        return next(user for user in self.users if user["sourcedId"] == key)

    def add(self, key: str, role: str, given: str, family: str, **cells: str) -> None:
        row = {"sourcedId": key, "status": "", "role": role, "orgSourcedIds": "10"}
        row |= {"givenName": given, "familyName": family, "email": "", "sms": "", "phone": ""}
        row |= {"agentSourcedIds": "", "grades": ""}
        self.users.append(row | cells)

    def student(
        self, key: str, given: str, family: str, school: str = "10", agents: str = "", **cells: str
    ) -> None:
        self.add(
            key, "student", given, family, orgSourcedIds=school, agentSourcedIds=agents, **cells
        )

    def teacher(self, key: str, given: str, family: str, **cells: str) -> None:
        self.add(key, "teacher", given, family, email=f"{key}@example.org", **cells)

    def guardian(self, key: str, given: str, family: str, role: str = "parent", **cells: str):
        self.add(key, role, given, family, orgSourcedIds="", **cells)

    def enrol(self, key: str, school_class: str, role: str = "student", **cells: str) -> None:
        row = {"sourcedId": f"{school_class}_{key}", "status": "", "classSourcedId": school_class}
        row |= {"userSourcedId": key, "role": role, "primary": "", "schoolSourcedId": ""}
        self.enrollments.append(row | cells)

    def files(self, without: tuple[str, ...] = ()) -> dict[str, str]:
        users = [user for user in self.users if user["sourcedId"] not in without]
        here = {user["sourcedId"] for user in users}
        classes = [
            {"sourcedId": key, "status": "", "title": f"Class {key}", "schoolSourcedId": school,
             "termSourcedIds": "Y26"}
            for key, school in self.classes.items()
        ]  # fmt: skip
        enrollments = [row for row in self.enrollments if row["userSourcedId"] in here]
        return {
            "orgs.csv": bundle_files()["orgs.csv"],
            "academicSessions.csv": bundle_files()["academicSessions.csv"],
            "classes.csv": as_csv(classes),
            "users.csv": as_csv(users),
            "enrollments.csv": as_csv(enrollments, NO_ENROLLMENT),
        }

    def bundle(self, without: tuple[str, ...] = ()) -> bytes:
        """All of it as a whole bundle without a manifest."""
        return zipped(dict(self.files(without)))


NO_ENROLLMENT = "sourcedId,status,classSourcedId,userSourcedId,role,primary\n"


def as_csv(rows: Sequence[Mapping[str, str]], empty: str = "") -> str:
    sheet = io.StringIO()
    if not rows:
        return empty
    writer = csv.DictWriter(sheet, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return sheet.getvalue()


def delta(modes: str = "delta", version: str = "1.1", **files: str) -> bytes:
    """A bundle of changes: the files given, and the others absent."""
    manifest = ["propertyName,value", f"oneroster.version,{version}"]
    manifest += [f"file.{name},{modes}" for name in files]
    return zipped({f"{name}.csv": text for name, text in files.items()}
                  | {"manifest.csv": "\n".join(manifest)})  # fmt: skip
