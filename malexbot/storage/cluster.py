"""The data directory of the embedded PostgreSQL: made, and served by a server."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from subprocess import PIPE, Popen

from malexbot.errors import Permanent, Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.storage.binaries import Owner, Programs, find_programs
from malexbot.storage.postmaster import Postmaster, recorded_pid

ROLE = "malexbot"

# Long enough for the recovery after a crash.
_START_S = 60.0
# After a kill -9 the old server's children hold its memory for a moment.
_ATTEMPTS = 20
_PAUSE_S = 0.25
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
    # so do the details and the context of an error
    "log_error_verbosity": "terse",
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


class Cluster:
    """One data directory, whose files belong to the owner of the state directory."""

    def __init__(self, home: Path, owner: Owner, *, fsync: bool) -> None:
        self.folder = self.folder_in(home)
        self._home = home
        self._log = home / "postgres.log"
        self._owner = owner
        self._fsync = fsync

    @staticmethod
    def folder_in(home: Path) -> Path:
        return home / "postgres"

    def serve(self) -> Postmaster:
        """A server that takes connections: found running, or started."""
        if not self.folder.exists():
            self._make()
        deadline = Deadline(_START_S)
        for _ in range(_ATTEMPTS):
            server = Postmaster.find(self.folder) or self._launch()
            if server.wait_ready(deadline):
                return server
            server.close()
            if deadline.is_over or Stop().wait(_PAUSE_S):
                break
        raise Transient(f"the embedded PostgreSQL did not start: {self._last_words()}")

    def _launch(self) -> Postmaster:
        self._forget_the_dead()
        settings = _FIXED_SETTINGS | {"fsync": "on" if self._fsync else "off"}
        programs = find_programs(self._version())
        command = [programs.path("postgres"), "-D", str(self.folder)]
        self._turn_log()
        child = self._spawn(command + _options(settings))
        return Postmaster(child.pid, self.folder, child)

    def _version(self) -> int:
        file = self.folder / "PG_VERSION"
        try:
            return int(file.read_text("ascii"))
        except (OSError, ValueError) as error:
            raise Permanent(
                f"{self.folder} holds no PostgreSQL database that can be read: put a"
                " copy of it back, or move it away and restore a backup"
            ) from error

    def _forget_the_dead(self) -> None:
        """Take away the pid of a server that is gone.

        After a reboot somebody else may have that pid, perhaps we ourselves, and
        PostgreSQL would not start. A server that does run still holds its memory,
        which a second one finds by the directory.
        """
        if recorded_pid(self.folder) is not None:
            for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
                (self.folder / name).unlink(missing_ok=True)

    def _make(self) -> None:
        """Made beside its place and moved there whole, so a crash leaves no half."""
        programs = find_programs()
        for left in self._home.glob("postgres.new-*"):
            shutil.rmtree(left, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self._home))
        self._owner.give(fresh)
        self._finish(_initdb(programs, fresh, self._fsync), b"")
        single = [programs.path("postgres"), "--single", "-D", str(fresh), "postgres"]
        self._finish(single, f"CREATE DATABASE {ROLE}\n".encode())
        fresh.rename(self.folder)

    def _finish(self, command: list[str], said: bytes) -> None:
        with self._spawn(command, stdin=PIPE) as child:
            with outside("the making of a database"):
                child.communicate(said)
        if child.returncode != 0:
            raise Transient(f"cannot make a database: {self._last_words()}")

    def _spawn(self, command: list[str], stdin: int | None = None) -> Popen[bytes]:
        said = open_private(self._log, os.O_WRONLY | os.O_APPEND, self._owner)
        try:
            return self._owner.spawn(command, said, stdin)
        finally:
            os.close(said)

    def _turn_log(self) -> None:
        if self._log.exists() and self._log.stat().st_size > _MAX_LOG:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _last_words(self) -> str:
        """What was said last, as a reason for a person."""
        lines = self._log.read_text("utf-8", "replace").splitlines()[-20:]
        reasons = [line for line in lines if "FATAL:" in line or "rror:" in line]
        last = (reasons or lines or ["it said nothing"])[-1]
        return f"{last.strip()} (more in {self._log})"


def open_private(path: Path, flags: int, owner: Owner) -> int:
    """Open a file of the state directory for its owner alone, making it if needed."""
    opened = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    owner.give(opened)
    return opened


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
