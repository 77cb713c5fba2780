"""Finds a Chromium; without one says so plainly, and under CI=true fails."""

import os
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page

from pthv.models import User

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


@pytest.fixture
def worker(live_server) -> Callable[[], None]:
    """Let a real worker, a process of its own, do what waits for it."""
    environment = {
        **os.environ,
        "DATABASE_URL": os.environ["DATABASE_URL"].replace(
            urllib.parse.urlsplit(os.environ["DATABASE_URL"]).path,
            f"/{connection.settings_dict['NAME']}",
            1,
        ),
        "EMAIL_URL": "memorymail://",
    }

    def work() -> None:
        command = [sys.executable, "manage.py", "procrastinate", "worker", "--one-shot"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return work


@pytest.fixture
def open_device(browser: Browser, live_server) -> Iterator[Callable[..., Page]]:
    """Open a phone (360×740) or a desktop (1280×800) of one person, logged in or not."""
    contexts = []

    def opened(
        user: User | None = None, *, phone: bool = False, url: str = "", **options: Any
    ) -> Page:
        """`url`: where the site is reached, if not at the server itself."""
        url = url or live_server.url
        size = {"width": 360, "height": 740} if phone else {"width": 1280, "height": 800}
        context = browser.new_context(base_url=url, viewport=size, has_touch=phone, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value}
            context.add_cookies([cookie | {"url": url}])
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        # What the content security policy stops, or a script trips over, fails the test.
        page.on("pageerror", lambda error: pytest.fail(str(error), pytrace=False))
        return page

    yield opened
    for context in contexts:
        context.close()
