"""Roster files for tests: the invented district under data/, whole or altered."""

import csv
import io
import os
import zipfile
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"
BUNDLE = DATA / "bundle"
CONTACTS = DATA / "contacts.csv"
PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("PTHV_SHARED_DATA", PROJECT.parent / "shared" / "data"))
SAMPLE = SHARED / "oneroster-sample-a"

needs_sample = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason=f"the sample roster is not at {SAMPLE}; set PTHV_SHARED_DATA"
)


def bundle_files() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(BUNDLE.glob("*.csv"))}


def zipped(files: dict[str, str | bytes]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return kept.getvalue()


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
