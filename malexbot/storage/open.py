"""Opens the database that the configuration names, or the embedded one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from malexbot.config.model import Config
from malexbot.storage.cluster import Cluster
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.embedded import Embedded


@contextmanager
def open_database(config: Config, *, size: int = 8) -> Iterator[Database]:
    """A pool on the database; the embedded server runs at least as long as it.

    No session is made before the first transaction, so an external server that
    is away is met there, as Transient.
    """
    if config.db is not None:
        with Database(Dsn.from_settings(config.db), size=size) as database:
            yield database
        return
    with Embedded(config.state_dir) as server:
        with Database(server.dsn, size=size) as database:
            yield database


def is_made(config: Config) -> bool:
    """No: it would be the embedded one, and that was never started."""
    if config.db is not None:
        return True
    try:
        return Cluster.folder_in(config.state_dir).exists()
    except OSError:
        return True
