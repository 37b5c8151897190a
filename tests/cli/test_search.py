"""`malexbot search`: as a person and as a script see it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.storage import matching
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from tests.cli.test_database import one_line
from tests.storage.happenings import deleted, edited, kept, post, posted
from tests.support.settings import db_block

Run = Callable[..., Result]
DAY_MS = 86_400_000
FIRST, SECOND, REPLY = (letter * 26 for letter in "pqr")
POSTS = (
    post(FIRST, "We deployed the server", create_at=DAY_MS * 10),
    post(SECOND, "Сервер упал\n\nпосле\x1b[31m релиза", create_at=DAY_MS * 20),
    post(REPLY, "deploy again", create_at=DAY_MS * 30, root_id=FIRST),
)
NAMES = (
    "INSERT INTO channels (source, channel_id, name, display_name, team) VALUES"
    " ('mattermost', 'channel1', 'town-square', 'Town Square', 'crew')"
)


@pytest.fixture
def journal(database: Database) -> Iterator[DatabaseJournal]:
    leadership = Leadership(database.dsn)
    assert leadership.try_take()
    yield DatabaseJournal(leadership)
    leadership.close()


@pytest.fixture(autouse=True)
def archive(database: Database, journal: DatabaseJournal) -> None:
    journal.write([kept(*map(posted, POSTS))])
    with database.transaction() as cursor:
        cursor.execute(NAMES)


@pytest.fixture
def file(database: Database, tmp_path: Path) -> Path:
    settings = {
        "state_dir": str(tmp_path / "state"),
        "db": db_block(database.dsn) | {"password": database.dsn.password or "none"},
        "mattermost": {
            "http_host": "https://chat.example.org",
            "token": "t0ken",
            "listen_channels": ["*"],
            "target_events_processors": {"posted": ["save"]},
        },
    }
    file = tmp_path / "malexbot.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file


@pytest.fixture
def run(file: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TZ", "UTC")

    def invoke(*args: str, color: bool = False) -> Result:
        words = ["search", "--config", str(file), *args]
        return CliRunner().invoke(main, words, color=color)

    return invoke


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def ids(result: Result) -> list[str]:
    return [row["id"] for row in rows(result)]


def test_who_where_when_what_and_the_link(run: Run) -> None:
    result = run("deployed", "server")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "1970-01-11 00:00  alice in Town Square",
        "  We deployed the server",
        f"  https://chat.example.org/crew/pl/{FIRST}",
        "",
    ]


def test_what_was_found_is_bright_on_a_terminal_and_steers_it_not(run: Run) -> None:
    coloured = run("сервер релиз", color=True).stdout
    assert "\x1b[33m\x1b[1mСервер\x1b[0m упал после\ufffd[31m " in coloured
    plain = run("сервер релиз").stdout
    assert "\x1b" not in plain
    assert "  Сервер упал после\ufffd[31m релиза\n" in plain


def test_the_state_of_a_post_is_told(run: Run, journal: DatabaseJournal) -> None:
    journal.write([kept(edited(post(FIRST, "deploy", edit_at=DAY_MS * 11)))])
    journal.write([kept(deleted(post(REPLY)))])
    assert "Town Square (edited)\n" in run("deploy").stdout
    assert REPLY not in run("deploy").stdout
    assert "Town Square (deleted)\n" in run("deploy", "--deleted").stdout


def test_a_script_gets_a_line_of_json_a_post(run: Run) -> None:
    (row,) = rows(run("--json", "релизы"))
    assert row == {
        "id": SECOND,
        "link": f"https://chat.example.org/crew/pl/{SECOND}",
        "create_at": DAY_MS * 20,
        "edit_at": 0,
        "delete_at": 0,
        "channel_id": "channel1",
        "channel": "Town Square",
        "user_id": "alice",
        "user": "alice",
        "root_id": "",
        "text": POSTS[1].message,
        "snippet": "Сервер упал после\x1b[31m релиза",
        "found": ["релиза"],
    }


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ("--channel town-square", [REPLY, FIRST]),
        ("--user @alice", [REPLY, FIRST]),
        ("--from 1970-01-15", [REPLY]),
        ("--since 1970-01-15", [REPLY]),
        ("--to 1970-01-11", [FIRST]),
        ("--to 1970-01-10", []),
        (f"--thread {FIRST}", [REPLY, FIRST]),
        (f"--thread https://chat.example.org/crew/pl/{REPLY}", [REPLY, FIRST]),
        (f"--thread {SECOND}", []),
        ("--limit 1", [REPLY]),
    ],
)
def test_it_is_bounded(run: Run, bounds: str, found: list[str]) -> None:
    assert ids(run("deploy", "--json", *bounds.split())) == found


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["--channel", "town-sqare", "x"], "no channel 'town-sqare' is known here"),
        (["--user", "bob", "x"], "nobody called 'bob' has written anything here"),
        (["--thread", "nosuchpost", "x"], "no post 'nosuchpost' is kept here"),
        (["--thread", "?", "x"], "no post '?' is kept here"),
        (["..."], "there is no word in it to look for"),
        (["--", "-x"], "only what is not wanted is named"),
        (["d*"], "d* would be nearly everything"),
    ],
)
def test_what_cannot_be_looked_for_is_told(
    run: Run, args: list[str], reason: str
) -> None:
    assert one_line(run(*args)).startswith(f"malexbot: {reason}")


def test_who_finds_nothing_is_told_what_to_try(run: Run) -> None:
    result = run("nonsense", "words", "--user", "alice")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        "nothing found; try fewer words, or the beginning of one ('depl*'), or"
        " --deleted, or no bounds on where, who and when\n"
    )
    assert run("nons*", "--deleted").stderr == "nothing found; try another word\n"


def test_what_is_not_shown_is_told_beside_the_posts(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("deploy", "--limit", "1", "--json").stderr == (
        "1 of 2 matches; --limit shows more\n"
    )
    monkeypatch.setattr(matching, "NEWEST", 2)
    assert "the newest ones: --until looks further back" in run("deploy").stderr
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO unindexed (post_ids) VALUES (NULL)")
    assert "still being indexed" in run("deploy").stderr


def test_what_came_in_just_now_and_was_not_seen_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "TAIL", 1)
    told = run("deploy").stderr.splitlines()
    assert told[-1].startswith("2 posts came in just now and were not looked through")


def test_an_archive_of_an_older_version_is_told_with_the_cure(
    run: Run, database: Database
) -> None:
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM schema_version WHERE number >= 4")
        cursor.execute("DROP TABLE unindexed")
    assert one_line(run("x")).endswith("systemctl restart malexbot")


def test_a_terminal_gets_colours(file: Path) -> None:
    command = [sys.executable, "-m", "malexbot", "search", "--config", str(file)]
    terminal, side = pty.openpty()
    try:
        found = subprocess.run([*command, "deployed server"], stdout=side, timeout=60)
        os.close(side)
        told = os.read(terminal, 100_000).decode()
    finally:
        os.close(terminal)
    assert found.returncode == 0
    assert "\x1b[33m\x1b[1mdeployed\x1b[0m" in told
