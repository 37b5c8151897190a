"""PostgreSQL as a child of ours, in the state directory, for whoever uses it now.

Nobody but the owner of the state directory (and root) reaches it: it listens on
one Unix socket in its data directory, which PostgreSQL keeps at mode 0700.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen

from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.storage.binaries import Owner, Programs, find_programs
from malexbot.storage.dsn import Dsn
from malexbot.storage.postmaster import Postmaster

log = logging.getLogger(__name__)

ROLE = "malexbot"
# A Unix socket's path has at most 107 bytes; this is the end of ours.
_SOCKET = "/.s.PGSQL.5432"
_MAX_PATH = 107

# Long enough for the recovery after a crash.
_START_S = 60.0
# After a kill -9 the old server's children hold its memory for a moment.
_ATTEMPTS = 20
_PAUSE_S = 0.25
_WATCH_S = 1.0
_MAX_LOG = 1 << 20

# Written once, so an operator may change them in postgresql.conf.
_FIRST_SETTINGS = {
    "max_connections": "50",
    "shared_buffers": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_checkpoints": "off",
    # a failing statement holds what people wrote
    "log_min_error_statement": "panic",
}
# Given at each start, because nothing else may be true.
_FIXED_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "ssl": "off",
    "logging_collector": "off",
}


class Embedded:
    """One user's hold on the server: start() it for oneself, stop() it for oneself.

    The first user starts the server and the last one stops it. Two locks keep
    that: each user holds `postgres.lock` shared; who starts or stops the server
    holds `postgres.turn` meanwhile. A killed user's locks are gone with it.
    """

    def __init__(self, state_dir: Path, *, fsync: bool = True) -> None:
        self._home = Path(os.path.abspath(state_dir))
        self._folder = self._home / "postgres"
        self._log = self._home / "postgres.log"
        self._fsync = fsync
        self._hold: int | None = None
        self._window: int | None = None
        self._server: Postmaster | None = None
        self._child: Popen[bytes] | None = None
        self._stop = Stop()
        self._watch: threading.Thread | None = None

    def __enter__(self) -> Embedded:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> Dsn:
        """Where the pool connects to; valid from start to stop."""
        return Dsn(host=self._socket_folder(), user=ROLE, dbname=ROLE)

    @property
    def is_alive(self) -> bool:
        return self._server is not None and self._server.is_alive

    def start(self) -> None:
        """Have a server that takes connections: adopted, or started."""
        if self._hold is not None:
            return
        owner = self._own_home()
        with self._turn(owner):
            hold = self._lock_file("postgres.lock", owner)
            fcntl.flock(hold, fcntl.LOCK_SH)
            try:
                self._raise_server(owner)
            except BaseException:
                os.close(hold)
                raise
            self._hold = hold
        self._stop = Stop()
        self._watch = threading.Thread(
            target=self._keep_alive, name="embedded-postgres"
        )
        self._watch.daemon = True
        self._watch.start()

    def stop(self) -> None:
        """Give the server up; it ends if nobody else uses it."""
        if self._hold is None:
            return
        self._stop.set()
        if self._watch is not None:
            self._watch.join()
        with self._turn(Owner.of(self._home)):
            hold, self._hold = self._hold, None
            try:
                fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._end_server()
            except BlockingIOError:
                log.debug("the embedded PostgreSQL stays: another process uses it")
            finally:
                os.close(hold)
        self._forget_server()
        if self._window is not None:
            os.close(self._window)
            self._window = None

    def _keep_alive(self) -> None:
        """Start the server again when it has died, until we give it up."""
        while not self._stop.wait(_WATCH_S):
            if self.is_alive:
                continue
            log.warning("the embedded PostgreSQL has died; starting it again")
            try:
                self._restart()
            except (MalexbotError, OSError) as error:
                log.error("%s", error)

    def _restart(self) -> None:
        owner = self._own_home()
        with self._turn(owner):
            self._raise_server(owner)

    # The state directory

    def _own_home(self) -> Owner:
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            return Owner.of(self._home)
        except OSError as error:
            raise Permanent(
                f"cannot use the state directory {self._home}: {error.strerror};"
                " change `state_dir`, or run this as its owner"
            ) from error

    @contextmanager
    def _turn(self, owner: Owner) -> Iterator[None]:
        """One at a time starts or stops the server."""
        turn = self._lock_file("postgres.turn", owner)
        try:
            with outside("another process that starts PostgreSQL"):
                fcntl.flock(turn, fcntl.LOCK_EX)
            yield
        finally:
            os.close(turn)

    def _lock_file(self, name: str, owner: Owner) -> int:
        return self._open(self._home / name, os.O_RDWR, owner)

    def _open(self, path: Path, flags: int, owner: Owner) -> int:
        try:
            opened = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Transient(f"cannot open {path}: {error.strerror}") from error
        owner.give(opened)
        return opened

    def _socket_folder(self) -> str:
        """The data directory, by a short name if its own is too long for a socket."""
        folder = str(self._folder)
        if len(os.fsencode(folder + _SOCKET)) <= _MAX_PATH:
            return folder
        if self._window is None:
            self._window = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/{os.getpid()}/fd/{self._window}"

    # The server

    def _raise_server(self, owner: Owner) -> None:
        self._forget_server()
        if not self._folder.exists():
            self._make_cluster(owner)
        deadline = Deadline(_START_S)
        for _ in range(_ATTEMPTS):
            server = Postmaster.find(self._folder) or self._launch(owner)
            if server.wait_ready(deadline):
                self._server = server
                return
            server.close()
            if deadline.is_over or Stop().wait(_PAUSE_S):
                break
        raise Transient(f"the embedded PostgreSQL did not start: {self._last_words()}")

    def _launch(self, owner: Owner) -> Postmaster:
        version = int((self._folder / "PG_VERSION").read_text("ascii"))
        settings = {**_FIXED_SETTINGS, "fsync": "on" if self._fsync else "off"}
        command = [find_programs(version).path("postgres"), "-D", str(self._folder)]
        self._turn_log()
        self._child = self._spawn(owner, command + _options(settings))
        return Postmaster(self._child.pid, self._folder)

    def _end_server(self) -> None:
        server = self._server
        if server is None or not server.is_alive:
            server = Postmaster.find(self._folder)
        if server is not None:
            server.stop()
            server.close()

    def _forget_server(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._child is not None and self._child.poll() is None:
            # it outlives us, on purpose: nothing to warn of
            self._child.returncode = 0
        self._server = self._child = None

    # A new cluster

    def _make_cluster(self, owner: Owner) -> None:
        """Made beside its place and moved there whole, so a crash leaves no half."""
        for left in self._home.glob("postgres.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self._home))
        owner.give(fresh)
        programs = find_programs()
        self._finish(owner, _initdb(programs, fresh, self._fsync), b"")
        single = [programs.path("postgres"), "--single", "-D", str(fresh), "postgres"]
        self._finish(owner, single, f"CREATE DATABASE {ROLE}\n".encode())
        fresh.rename(self._folder)

    def _finish(self, owner: Owner, command: list[str], said: bytes) -> None:
        with self._spawn(owner, command, stdin=PIPE) as child:
            with outside("the making of a database"):
                child.communicate(said)
        if child.returncode != 0:
            raise Permanent(f"cannot make a database: {self._last_words()}")

    # The server's log

    def _spawn(
        self, owner: Owner, command: list[str], stdin: int | None = None
    ) -> Popen[bytes]:
        said = self._open(self._log, os.O_WRONLY | os.O_APPEND, owner)
        try:
            return owner.spawn(command, said, stdin)
        finally:
            os.close(said)

    def _turn_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _MAX_LOG:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _last_words(self) -> str:
        """What the server said last, as a reason for a person."""
        lines = self._log.read_text("utf-8", "replace").splitlines()[-20:]
        reasons = [line for line in lines if "FATAL:" in line or "rror:" in line]
        last = (reasons or lines or ["it said nothing"])[-1]
        return f"{last.strip()} (more in {self._log})"


def _initdb(programs: Programs, folder: Path, fsync: bool) -> list[str]:
    command = [programs.path("initdb"), "-D", str(folder), "-U", ROLE]
    command += ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    if programs.version >= 17:
        # an order of its own, which no update of the system's library changes
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not fsync:
        command += ["--no-sync"]
    return [*command, "--no-instructions", *_options(_FIRST_SETTINGS)]


def _options(settings: dict[str, str]) -> list[str]:
    return [part for pair in settings.items() for part in ("-c", "=".join(pair))]
