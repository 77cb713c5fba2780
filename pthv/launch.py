"""What `make run` runs: database, migrations, demo program, web server and worker.

    python -m pthv.launch          until Ctrl-C
    python -m pthv.launch prepare  everything but the servers
    python -m pthv.launch stop     what a launcher that was killed left running

One process does it all, because each start of Django costs most of a second.
"""

# ruff: noqa: T201 (it talks to a terminal)

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import django
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from pthv.embedded_postgres import PROJECT, Cluster, EmbeddedPostgresError, command_line

HOST = "127.0.0.1"
WEB_SECONDS = 60  # a first start compiles every module
FAREWELL_SECONDS = 15


def main() -> None:
    """Prepare, serve until told to stop, then end what was started."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pthv.settings")
    if sys.argv[1:] == ["stop"]:
        stop_left_overs()
        return
    port = wanted_port()
    serving = sys.argv[1:] != ["prepare"]
    if serving and in_use(port):
        sys.exit(
            f"Port {port} is in use, perhaps by an earlier `make run` (`make stop` ends it)."
            f" Or take another: `make run PORT={port + 1}`."
        )
    embedded = None if os.environ.get("DATABASE_URL") else Cluster()
    prepare(embedded)
    if serving:
        serve(port, embedded)


def wanted_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        sys.exit(f"PORT must be a number from 1 to 65535, not “{text}”.")
    return int(text)


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def prepare(embedded: Cluster | None) -> None:
    """A database with today's schema and, if it holds nobody yet, the demo program."""
    if embedded:
        os.environ["DATABASE_URL"] = embedded.start()
    django.setup()
    try:
        connection.ensure_connection()
    except OperationalError as problem:
        sys.exit(f"The database in DATABASE_URL does not answer: {problem}".strip())
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Building the database …", flush=True)
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable")
    if settings.DEMO_LOGINS:
        call_command("demo", if_empty=True)


def serve(port: int, embedded: Cluster | None) -> NoReturn:
    """Run web server and worker until told to stop; what dies meanwhile is started again.

    Only the end of the web server ends everything: it respawns its own workers.
    """
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, interrupt)
    web = start(
        *("-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning"),
        *("--host", HOST, "--port", str(port), "--workers", "2", "--blocking-threads", "2"),
        *("--respawn-failed-workers", "pthv.wsgi:application"),
    )
    worker = start("manage.py", "procrastinate", "--skip-checks", "worker")
    try:
        wait_for(web, port)
        greet(port)
        connection.close_pool()  # type: ignore[attr-defined]  # every PostgreSQL connection has it
        while web.poll() is None:
            if embedded and not embedded.postmaster():
                embedded.start()
            if worker.poll() is not None:
                worker = start("manage.py", "procrastinate", "--skip-checks", "worker")
            time.sleep(1)
        sys.exit(f"The web server ended by itself (exit code {web.returncode}).")
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
        sys.exit(0)
    finally:
        end(web, worker)


def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """A Python process of its own session: Ctrl-C reaches it through us, not twice."""
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=PROJECT, start_new_session=True)  # noqa: S603


def wait_for(web: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + WEB_SECONDS
    while web.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        if time.monotonic() > deadline:
            sys.exit(f"The web server did not answer within {WEB_SECONDS} seconds.")
        time.sleep(0.05)
    sys.exit(f"The web server ended at once (exit code {web.returncode}).")


def greet(port: int) -> None:
    """Say where it is and who may log in: the last thing on the screen."""
    if settings.DEMO_LOGINS:
        call_command("demo", people=True)
    print(f"\nOpen http://{HOST}:{port} (Ctrl-C stops it)", flush=True)


def end(*processes: subprocess.Popen[bytes]) -> None:
    """Ask all to leave, wait together, and kill those that stay."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + FAREWELL_SECONDS
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def stop_left_overs() -> None:
    """End a launcher, and the servers that one killed the hard way left behind."""
    found = False
    for kind in ("pthv.launch", "granian", "procrastinate"):  # a launcher ends its own
        found = bool(running(kind)) or found
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            for pid in running(kind):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal_number)
            deadline = time.monotonic() + FAREWELL_SECONDS
            while running(kind) and time.monotonic() < deadline:
                time.sleep(0.05)
    print("Web server and worker stopped." if found else "No web server was running.")


def running(kind: str) -> list[int]:
    """Processes of this project, other than this one, that do the thing named."""
    proc = Path("/proc/self").exists()
    if proc:
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    else:
        listed = subprocess.check_output(["ps", "-ax", "-o", "pid="], text=True)  # noqa: S607
        pids = [int(pid) for pid in listed.split()]
    return [
        pid
        for pid in pids
        if pid != os.getpid()
        and (words := command_line(pid)).startswith(f"{sys.executable} ")
        and kind in words
        and (not proc or works_here(pid))
    ]


def works_here(pid: int) -> bool:
    """Two checkouts may share one environment, never one folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == PROJECT
    except OSError:
        return False


if __name__ == "__main__":
    try:
        main()
    except EmbeddedPostgresError as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)  # before anything was served
