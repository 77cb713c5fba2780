"""Rosters on their way into the cast's program."""

from collections.abc import Callable
from pathlib import Path

import pytest

from families.models import RosterImport
from families.roster import apply, upload
from families.roster.plan import plan
from pthv.models import Program, User


@pytest.fixture(autouse=True)
def uploads(tmp_path: Path, settings) -> Path:
    """Where uploads wait for the worker, empty at first."""
    settings.UPLOADS_FOLDER = tmp_path / "uploads"
    return settings.UPLOADS_FOLDER


@pytest.fixture
def plan_file(
    tmp_path: Path, program: Program, program_coordinator: User
) -> Callable[..., RosterImport]:
    """Plan a file's bytes (or a path); answers the import."""

    def make(source: bytes | Path, kind: str = "oneroster") -> RosterImport:
        path = source
        if isinstance(source, bytes):
            path = tmp_path / "sent"
            path.write_bytes(source)
        found = upload.start(kind, "sent", program=program, by=program_coordinator)
        plan(found, path)
        return found

    return make


@pytest.fixture
def apply_file(plan_file, program: Program, program_coordinator: User) -> Callable:
    """Plan a file and apply it, whoever leaves; answers the import."""

    def make(source: bytes | Path, kind: str = "oneroster") -> RosterImport:
        found = plan_file(source, kind)
        assert found.problem == ""
        apply.begin(found, leaving_confirmed=True)
        apply.run(found.pk, program=program, by=program_coordinator)
        found.refresh_from_db()
        assert found.state == RosterImport.State.APPLIED
        return found

    return make
