"""A PostgreSQL of ours that may be killed, stopped, started, and run out of disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, Signals

from malexbot.storage.binaries import Owner
from malexbot.storage.cluster import ROLE, Cluster
from malexbot.storage.dsn import Dsn
from malexbot.storage.postmaster import Postmaster

# So much of the disk the log of transactions may take: the disk is small.
_SMALL = "max_wal_size = 64MB\nmin_wal_size = 32MB\nshared_buffers = 32MB\n"


class Postgres:
    """One data folder, and its server if there is one."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._cluster = Cluster(home, Owner.of(home), fsync=False)
        self._server: Postmaster | None = None

    @property
    def dsn(self) -> Dsn:
        return Dsn(host=str(self._cluster.folder), user=ROLE, dbname=ROLE)

    @property
    def is_alive(self) -> bool:
        return self._server is not None and self._server.is_alive

    def start(self) -> None:
        """Idempotent; one that has died is started again."""
        if self.is_alive:
            return
        is_new = not self._cluster.folder.exists()
        self._serve()
        if is_new:
            self.stop()
            with (self._cluster.folder / "postgresql.conf").open("a") as settings:
                settings.write(_SMALL)
            self._serve()

    def stop(self) -> None:
        if self._server is not None:
            self.signal_all(SIGCONT)
            self._server.stop()
            self._server.close()
            self._server = None

    def signal(self, number: Signals) -> None:
        """To the postmaster alone."""
        assert self._server is not None
        with suppress(ProcessLookupError):
            os.kill(self._server.pid, number)

    def signal_all(self, number: Signals) -> None:
        """To the postmaster and to every session of it."""
        assert self._server is not None
        self.signal(number)
        for child in _children(self._server.pid):
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def wait_dead(self, seconds: float = 20.0) -> None:
        assert self._server is not None
        assert self._server.wait(seconds), "PostgreSQL does not end"

    def _serve(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = self._cluster.serve()


def _children(pid: int) -> list[int]:
    """Those of all its threads; none if it is gone."""
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in told.split()]
