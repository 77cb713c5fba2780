"""What we ship of others is exactly what was reviewed."""

import hashlib
from pathlib import Path

from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"


def _listed() -> dict[str, str]:
    lines = (VENDOR / "checksums.txt").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def test_every_file_is_the_one_reviewed() -> None:
    listed = _listed()

    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name not in {"README.md", "checksums.txt"}
    }

    assert found == listed


def test_every_package_brings_its_licence() -> None:
    packages = {path.name for path in VENDOR.iterdir() if path.is_dir()}

    assert packages == {Path(name).parent.name for name in _listed() if name.endswith("LICENSE")}


def test_no_file_asks_for_a_source_map() -> None:
    # The manifest storage would look for the map and refuse to collect.
    asking = [name for name in _listed() if b"sourceMappingURL" in (VENDOR / name).read_bytes()]

    assert asking == []
