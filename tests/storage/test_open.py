"""Which database the configuration means."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from malexbot.config import model
from malexbot.errors import Misconfigured
from malexbot.storage import binaries
from malexbot.storage.dsn import Dsn
from malexbot.storage.open import open_database


def test_a_db_block_is_an_external_server(empty_database: Dsn, tmp_path: Path) -> None:
    there = empty_database
    block = model.Database(
        username=there.user,
        password=SecretStr(there.password or "none"),
        name=there.dbname,
        host=there.host,
        port=there.port,
    )
    state_dir = tmp_path / "state"
    with open_database(model.Config(db=block, state_dir=state_dir)) as database:
        with database.transaction() as cursor:
            cursor.execute("SELECT current_database()")
            assert cursor.fetchone() == (there.dbname,)
    assert not state_dir.exists()


def test_without_one_it_is_our_own(short_dir: Path) -> None:
    state_dir = short_dir / "own"
    with open_database(model.Config(state_dir=state_dir)) as database:
        with database.transaction() as cursor:
            cursor.execute("SELECT current_setting('data_directory')")
            assert cursor.fetchone() == (str(state_dir / "postgres"),)
        assert (state_dir / "postgres/postmaster.pid").exists()
    assert not (state_dir / "postgres/postmaster.pid").exists()


def test_without_either_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match="no database: install"):
        with open_database(model.Config(state_dir=tmp_path)):
            pass
