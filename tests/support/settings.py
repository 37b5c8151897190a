"""Pieces of a configuration that tests write for a daemon."""

from __future__ import annotations

import socket

from malexbot.storage.dsn import Dsn


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def db_block(dsn: Dsn) -> dict[str, object]:
    """What stands below `db:` for this database."""
    return {
        "host": dsn.host,
        "port": dsn.port,
        "username": dsn.user,
        "password": dsn.password,
        "name": dsn.dbname,
    }
