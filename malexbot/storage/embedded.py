"""PostgreSQL as a child of ours, in the state directory, for whoever uses it now.

Nobody but the owner of the state directory (and root) reaches it: it listens on
one Unix socket in its data directory, which PostgreSQL keeps at mode 0700.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from malexbot.errors import MalexbotError, Misconfigured, Transient
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.storage.binaries import Owner
from malexbot.storage.cluster import ROLE, Cluster, open_private
from malexbot.storage.dsn import Dsn
from malexbot.storage.postmaster import Postmaster

log = logging.getLogger(__name__)

# A Unix socket's path has at most 107 bytes; this is the end of ours.
_SOCKET = "/.s.PGSQL.5432"
_MAX_PATH = 107

_WATCH_S = 1.0


class Embedded:
    """One user's hold on the server: start() it for oneself, stop() it for oneself.

    The first user starts the server and the last one stops it. Two locks keep
    that: each user holds `postgres.lock` shared; who starts or stops the server
    holds `postgres.turn` meanwhile. A killed user's locks are gone with it.
    """

    def __init__(self, state_dir: Path, *, fsync: bool = True) -> None:
        self._home = Path(os.path.realpath(state_dir))
        self._fsync = fsync
        self._hold: int | None = None
        self._window: int | None = None
        self._server: Postmaster | None = None
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
        """Have a server that takes connections; one that dies is started again."""
        if self._hold is not None:
            return
        with self._turn() as owner:
            hold = open_private(self._home / "postgres.lock", os.O_RDWR, owner)
            try:
                fcntl.flock(hold, fcntl.LOCK_SH)
                self._server = Cluster(self._home, owner, fsync=self._fsync).serve()
            except BaseException:
                os.close(hold)
                raise
            self._hold = hold
        self._stop = Stop()
        self._watch = threading.Thread(
            target=self._keep_alive, name="embedded-postgres", daemon=True
        )
        self._watch.start()

    def stop(self) -> None:
        """Give the server up; it ends if nobody else uses it."""
        if self._hold is None:
            return
        self._stop.set()
        if self._watch is not None:
            self._watch.join()
        hold, self._hold = self._hold, None
        try:
            with self._turn():
                self._leave(hold)
        finally:
            os.close(hold)
            self._forget()

    def _leave(self, hold: int) -> None:
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.debug("the embedded PostgreSQL stays: another process uses it")
            return
        if not self.is_alive:
            # another user may have started it again
            self._replace(Postmaster.find(self._home / "postgres"))
        if self._server is not None:
            self._server.stop()

    def _forget(self) -> None:
        self._replace(None)
        if self._window is not None:
            os.close(self._window)
            self._window = None

    def _replace(self, server: Postmaster | None) -> None:
        if self._server is not None:
            self._server.close()
        self._server = server

    def _keep_alive(self) -> None:
        """Start the server again when it has died, until we give it up."""
        # Heavy: a command whose server is another one does without.
        from malexbot.runtime.retry import Backoff

        backoff, wait_s, told = Backoff(), _WATCH_S, ""
        while not self._stop.wait(wait_s):
            if self.is_alive:
                backoff.reset()
                wait_s, told = _WATCH_S, ""
                continue
            wait_s = max(backoff.next_s(), _WATCH_S)
            if not told:
                log.warning("the embedded PostgreSQL has died; starting it again")
            try:
                with self._turn() as owner:
                    cluster = Cluster(self._home, owner, fsync=self._fsync)
                    self._replace(cluster.serve())
            except MalexbotError as error:
                if str(error) != told:
                    log.error("%s; it is tried again", error)
                told = str(error)

    @contextmanager
    def _turn(self) -> Iterator[Owner]:
        """One at a time starts or stops the server."""
        owner = self._own_home()
        try:
            turn = open_private(self._home / "postgres.turn", os.O_RDWR, owner)
            try:
                with outside("another process that starts PostgreSQL"):
                    fcntl.flock(turn, fcntl.LOCK_EX)
                yield owner
            finally:
                os.close(turn)
        except OSError as error:
            raise Transient(
                f"cannot use {error.filename or self._home}: {error.strerror}"
            ) from error

    def _own_home(self) -> Owner:
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            return Owner.of(self._home)
        except OSError as error:
            raise Misconfigured(
                f"cannot use the state directory {self._home}: {error.strerror}",
                "change `state_dir`, or run this as its owner",
            ) from error

    def _socket_folder(self) -> str:
        """The data directory, by a short name if its own is too long for a socket."""
        folder = str(self._home / "postgres")
        if len(os.fsencode(folder + _SOCKET)) <= _MAX_PATH:
            return folder
        if self._window is None:
            self._window = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        return f"/proc/{os.getpid()}/fd/{self._window}"
