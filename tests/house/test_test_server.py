"""`tests/run --database CONFIG` finds the server that the config names."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest
import yaml

from malexbot.errors import Misconfigured
from malexbot.storage.dsn import Dsn
from tests.support.test_server import address


def write(folder: Path, **database: object) -> Path:
    file = folder / "malexbot.yaml"
    file.write_text(yaml.safe_dump({"db": database}))
    return file


def test_the_address_leads_to_the_server(tmp_path: Path, empty_database: Dsn) -> None:
    file = write(
        tmp_path,
        username=empty_database.user,
        password=empty_database.password,
        name=empty_database.dbname,
        host="nowhere.invalid",
        host_test=empty_database.host,
        port_test=empty_database.port,
    )
    dsn = Dsn.from_url(address(file))
    connection = psycopg2.connect(**dsn.parameters())
    try:
        assert connection.info.dbname == empty_database.dbname
    finally:
        connection.close()


def test_a_password_with_any_sign_arrives(tmp_path: Path) -> None:
    secret = "p@ss/w:rd?&%"
    file = write(
        tmp_path, username="u", password=secret, name="n", host_test="h", port_test=5
    )
    assert Dsn.from_url(address(file)).password == secret


def test_a_config_without_such_a_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="db.host_test"):
        address(write(tmp_path, username="u", name="n", host="h"))
