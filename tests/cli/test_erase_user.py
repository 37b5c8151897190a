"""`malexbot erase-user`: shows what there is, asks, erases, and says what stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.storage.contents import Contents
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.storage.happenings import kept, post, posted, reacted
from tests.support.settings import db_block

Run = Callable[..., Result]
KEPT_FILE = """
INSERT INTO contents VALUES (%(sha256)s, %(place)s, 8, NULL);
INSERT INTO files (post_id, id, size, state, sha256, due_at)
VALUES ('p1', 'f1', 8, 'kept', %(sha256)s, now())
"""
STRANGER = "5jx3c7k1ytd3zxs4apo8brhq7e"


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    """`malexbot erase-user` beside a daemon, on an archive with something of alice."""
    dsn = database.dsn
    settings = {
        "state_dir": str(tmp_path / "state"),
        "db": db_block(dsn) | {"password": dsn.password or "none"},
    }
    file = tmp_path / "malexbot.yaml"
    file.write_text(yaml.safe_dump(settings))
    leadership = Leadership(dsn)
    assert leadership.try_take()
    journal = DatabaseJournal(leadership)
    journal.write([kept(posted(post("p1")), posted(post("p2")), reacted("p1"))])
    leadership.close()

    def invoke(*words: str, said: str | None = None) -> Result:
        command = ["erase-user", "--config", str(file), *words]
        return CliRunner().invoke(main, command, input=said)

    return invoke


def test_the_files_of_theirs_that_are_here_go_too(
    run: Run, database: Database, tmp_path: Path
) -> None:
    contents = Contents.of(tmp_path / "state")
    contents.make()
    path = contents.path("ab" * 32)
    path.parent.mkdir()
    path.write_text("of alice")
    with database.transaction() as cursor:
        cursor.execute(KEPT_FILE, {"sha256": "ab" * 32, "place": contents.place})
    result = run("alice", "--yes", "--quick")
    assert result.exit_code == 0, result.stderr
    assert "  1  files\n" in result.stdout and not path.exists()


def posts(database: Database) -> int:
    with database.transaction() as cursor:
        cursor.execute("SELECT count(*) FROM posts")
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def test_it_shows_what_there_is_and_asks(run: Run, database: Database) -> None:
    result = run("alice", said="n\n")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "Of alice (alice) there is here:\n  2  posts\n  1  reactions\n  1  names\n"
    )
    assert "Erase it for good? [y/N]" in result.stdout
    assert posts(database) == 2
    with database.transaction() as cursor:
        cursor.execute("SELECT FROM erased")
        assert cursor.rowcount == 0


def test_who_says_yes_has_it_erased_and_hears_what_stays(
    run: Run, database: Database
) -> None:
    result = run("@alice", said="y\n")
    assert result.exit_code == 0
    assert posts(database) == 0
    assert "Erased. Nothing of alice is kept from now on" in result.stdout
    assert "the Mattermost server, which still has it all" in result.stdout
    assert "the WAL, its archive and the replicas of your PostgreSQL" in result.stdout
    assert "anew: posts" in result.stderr


def test_again_it_says_so_and_does_no_harm(run: Run, database: Database) -> None:
    assert run(STRANGER, "--yes", "--quick").exit_code == 0
    again = run(STRANGER, "--yes", "--quick")
    assert again.exit_code == 0
    told = f"Of {STRANGER}, who was erased before, there is nothing here.\n"
    assert again.stdout.startswith(told)
    assert "until `malexbot database scrub`" in again.stdout
    assert "anew" not in again.stderr
    assert posts(database) == 2


def test_a_program_gets_one_object_and_the_question_beside_it(
    run: Run, database: Database
) -> None:
    result = run("alice", "--json", "--quick", said="y\n")
    assert result.exit_code == 0 and "Erase it for good? [y/N]" in result.stderr
    told = json.loads(result.stdout)
    erased = {kind: count for kind, count in told.pop("erased").items() if count}
    assert erased == {"posts": 2, "reactions": 1, "names": 1}
    assert "the Mattermost server, which still has it all" in told.pop("not_reached")
    assert told == {
        "source": "mattermost",
        "user_id": "alice",
        "name": "alice (alice)",
        "was_erased_before": False,
        "is_scrubbed": False,
    }
    assert posts(database) == 0
    again = json.loads(run(STRANGER, "--json", "--yes", "--quick").stdout)
    assert not again["was_erased_before"] and not any(again["erased"].values())


def test_who_is_at_vk_is_named_by_the_number(run: Run, database: Database) -> None:
    result = run("vk:206295116", "--quick", said="y\n")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("Of vk:206295116 there is nothing here.\n")
    assert "Nothing of vk:206295116 is kept from now on" in result.stdout
    assert "VK, which still has it all" in result.stdout
    assert "so short" not in result.stdout and "Mattermost" not in result.stdout
    with database.transaction() as cursor:
        cursor.execute("SELECT source, user_id FROM erased")
        assert cursor.fetchall() == [("vk", "206295116")]
    assert "a number so short may be anything" in run("vk:7", "--yes", "--quick").stdout


def test_what_is_no_persons_number_is_refused(run: Run) -> None:
    for who in ("vk:anna", "vk:2000000001", "vk:-5", "vk:", "vk:07"):
        result = run(who, "--yes")
        assert result.exit_code == 1
        assert f"{who} is no person: at VK give the number" in result.stderr


def test_of_whom_there_is_nothing_it_asks_something_else(run: Run) -> None:
    result = run(STRANGER, said="n\n")
    assert "Keep nothing of theirs from now on? [y/N]" in result.stdout


def test_a_name_that_nobody_has_is_no_order(run: Run, database: Database) -> None:
    result = run("alicia", "--yes")
    assert result.exit_code == 1
    assert "did you mean alice?; an id can be erased too" in result.stderr
    assert posts(database) == 2


def test_a_database_of_before_is_refused(run: Run, database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute("DROP TABLE grants CASCADE")
    result = run("alice", "--yes")
    assert result.exit_code == 1
    assert "start the daemon of this one first" in result.stderr
