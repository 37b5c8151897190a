"""`malexbot database`: backup, restore, move."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.cli.database import block
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.leadership import Leadership

Run = Callable[..., Result]


def config(dsn: Dsn, file: Path) -> Path:
    settings = {"username": dsn.user, "name": dsn.dbname, "port": dsn.port}
    settings |= {"host": dsn.host, "password": dsn.password or "none"}
    file.write_text(yaml.safe_dump({"db": settings, "state_dir": str(file.parent)}))
    return file


@pytest.fixture
def run(database: Database, empty_database: Dsn, tmp_path: Path) -> Run:
    """`malexbot database VERB` on the full database, or on the empty one."""
    full = config(database.dsn, tmp_path / "full.yaml")
    empty = config(empty_database, tmp_path / "empty.yaml")

    def invoke(verb: str, *args: object, on_empty: bool = False) -> Result:
        file = empty if on_empty else full
        words = ["database", verb, "--config", str(file), *map(str, args)]
        return CliRunner().invoke(main, words)

    with database.transaction() as cursor:
        cursor.execute("UPDATE daemon SET epoch = 41")
    return invoke


def epoch(dsn: Dsn) -> object:
    with Database(dsn) as opened, opened.transaction() as cursor:
        cursor.execute("SELECT epoch FROM daemon")
        return cursor.fetchone()


def test_a_backup_is_restored(run: Run, empty_database: Dsn, tmp_path: Path) -> None:
    file = tmp_path / "kept.gz"
    written = run("backup", file)
    assert (written.exit_code, written.stdout) == (
        0,
        f"backed up 1 row to {file} (0.0 MB)\n",
    )
    assert "daemon: 1 row\n" in written.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    read = run("restore", file, on_empty=True)
    assert (read.exit_code, read.stdout) == (0, f"restored 1 row from {file}\n")
    assert epoch(empty_database) == (41,)


def one_line(result: Result, exit_code: int = 1) -> str:
    """What is told when it fails; the other lines on stderr are progress."""
    assert result.exit_code == exit_code
    assert not result.stdout
    (line,) = [line for line in result.stderr.splitlines() if line[0] != " "]
    return line


def test_a_cut_file_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "kept.gz"
    run("backup", file)
    file.write_bytes(file.read_bytes()[:-20])
    assert "nothing of it was restored" in one_line(run("restore", file, on_empty=True))
    file.write_bytes(b"no gzip")
    assert "no backup of malexbot" in one_line(run("restore", file, on_empty=True))
    file.write_bytes(gzip.compress(b"a letter\n"))
    assert "no backup of malexbot" in one_line(run("restore", file, on_empty=True))


def test_a_file_that_cannot_be_used_is_told(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "no" / "kept.gz"
    assert "cannot write" in one_line(run("backup", missing))
    assert "cannot read" in one_line(run("restore", missing, on_empty=True))


def test_a_failed_backup_leaves_the_old_one(
    run: Run, tmp_path: Path, empty_database: Dsn
) -> None:
    file = tmp_path / "kept.gz"
    file.write_text("the old one")
    assert "nothing to back up" in one_line(run("backup", file, on_empty=True))
    assert file.read_text() == "the old one"
    assert not list(tmp_path.glob(".kept*"))


def test_a_restore_over_something_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "kept.gz"
    run("backup", file)
    assert not run("restore", file, on_empty=True).exit_code
    assert not run("restore", file, on_empty=True).exit_code, "fresh is as good"


def url(dsn: Dsn) -> str:
    host = dsn.host.replace("/", "%2F")
    secret = f":{dsn.password}" if dsn.password else ""
    return f"postgresql://{dsn.user}{secret}@{host}:{dsn.port}/{dsn.dbname}"


def test_a_move_tells_the_new_block(run: Run, empty_database: Dsn) -> None:
    moved = run("move", "--to", url(empty_database))
    assert moved.exit_code == 0, moved.stderr
    assert moved.stdout.startswith("moved 1 row. Now put this into ")
    told = yaml.safe_load(moved.stdout[moved.stdout.index("db:") :])
    assert told["db"]["name"] == empty_database.dbname
    assert epoch(empty_database) == (41,)


def test_a_move_under_a_daemon_is_refused(
    run: Run, database: Database, empty_database: Dsn
) -> None:
    active = Leadership(database.dsn)
    try:
        assert active.try_take()
        assert "stop it first" in one_line(run("move", "--to", url(empty_database)))
    finally:
        active.close()


def test_a_backup_says_where_the_files_lie(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "kept.gz"
    assert "files" not in run("backup", file).stderr
    Contents.of(tmp_path).make()
    told = run("backup", file).stderr
    assert f"the kept files lie beside it: back up {tmp_path / 'files'} too\n" in told


def test_a_scrub_deletes_the_files_that_nobody_has(
    run: Run, database: Database, tmp_path: Path
) -> None:
    contents = Contents.of(tmp_path)
    contents.make()
    stranger, released = contents.path("ab" * 32), contents.path("cd" * 32)
    for path in (stranger, released):
        path.parent.mkdir()
        path.write_text("of somebody")
    begun = contents.folder / "partial" / "p1.f1"
    begun.write_text("of some")
    with database.transaction() as cursor:
        row = ("cd" * 32, contents.place)
        cursor.execute("INSERT INTO contents VALUES (%s, %s, 11, NULL)", row)
    result = run("scrub")
    assert result.exit_code == 0, result.stderr
    assert "  deleted: 2 kept files\n" in result.stderr
    assert not (stranger.exists() or released.exists() or begun.exists())


def test_a_bad_address_is_told_without_its_password(run: Run) -> None:
    result = run("move", "--to", "postgresql://a:geheim@db:x/y")
    assert result.exit_code == 78
    assert "not a database address" in result.stderr
    assert "geheim" not in result.output


def test_the_block_is_what_the_config_takes() -> None:
    assert yaml.safe_load(block("ann", "chat", "db", 5432)) == {
        "db": {
            "username": "ann",
            "password": None,
            "name": "chat",
            "host": "db",
            "port": 5432,
        }
    }
