"""Finds a Chromium; without one says so plainly, and under CI=true fails."""

import os
import shutil
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    f"no Chromium was found: none of {', '.join(NAMES)} is on the PATH, and CHROMIUM names none"
)
left_out: list[str] = []

# Playwright keeps an event loop in this thread until the last test, browser's or not, and beside
# one Django would refuse every query.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def chromium() -> str | None:
    return shutil.which(os.environ.get("CHROMIUM", "")) or next(
        filter(None, map(shutil.which, NAMES)), None
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    if chromium() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{MISSING}.", pytrace=False)
        left_out.append(item.nodeid)
        pytest.skip(MISSING)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if left_out:
        terminalreporter.section("browser tests were left out", yellow=True)
        terminalreporter.line(f"{len(left_out)} did not run: {MISSING}.")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's browser: nothing is downloaded. Root may not use its sandbox."""
    quiet = ["--disable-gpu", "--no-first-run", "--disable-background-networking"]
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
    return {**browser_type_launch_args, "executable_path": chromium(), "args": quiet + sandbox}
