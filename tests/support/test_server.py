"""Prints the address of the server that a config names for tests: db.host_test."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from malexbot.config.load import load
from malexbot.errors import MalexbotError, Misconfigured


def address(config_file: Path) -> str:
    """As a URL, with the password: for the environment, not for the eye."""
    database = load(config_file).db
    if database is None or database.host_test is None:
        raise Misconfigured(f"{config_file} names no db.host_test to test on")
    user = quote(database.username or "", safe="")
    secret = database.password.get_secret_value() if database.password else ""
    host, port = database.host_test, database.port_test or database.port
    login = f"{user}:{quote(secret, safe='')}@" if user else ""
    if host.startswith("/"):
        return f"postgresql://{login}/{database.name}?host={quote(host)}&port={port}"
    return f"postgresql://{login}{host}:{port}/{database.name}"


if __name__ == "__main__":
    try:
        print(address(Path(sys.argv[1])))
    except MalexbotError as error:
        raise SystemExit(f"tests/run: {error}") from error
