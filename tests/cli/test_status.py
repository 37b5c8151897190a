"""`malexbot status` as a person and a program read it."""

from __future__ import annotations

import json
import socket

import pytest
from click.testing import CliRunner

from malexbot import __version__
from malexbot.cli import findings, main
from malexbot.cli.report import clean, lasted
from malexbot.cli.survey import address
from malexbot.config.backend import Backend
from malexbot.runtime.health import Health
from malexbot.storage.leadership import Leadership
from tests.cli.conftest import Execute, Run, Server
from tests.cli.test_findings import CHANNELS, GAP, nowhere

# For a terminal, and for a program.


FILES = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, raw, kept_from)
VALUES ('p1', 'c1', 'u1', '', '', '', 1, 1, 0, '{}', 0);
INSERT INTO files (post_id, id, size, state, sha256, due_at) VALUES
  ('p1', 'f1', 5, 'kept', 'aa', now()), ('p1', 'f2', 5, 'kept', 'aa', now()),
  ('p1', 'f3', 5, 'waiting', NULL, now()), ('p1', 'f4', 5, 'fetching', NULL, now()),
  ('p1', 'f5', 5, 'gone', NULL, now()), ('p1', 'f6', 5, 'closed', NULL, now()),
  ('p1', 'f7', 1000000000, 'waiting', NULL, now());
INSERT INTO contents VALUES ('aa', 'here', 5, NULL), ('aa', 'there', 5, NULL);
INSERT INTO unfiled DEFAULT VALUES
"""


def test_the_files_are_told_by_what_became_of_them(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    port = serve()
    assert "files" not in status(port=port).stdout
    execute(FILES)
    assert (
        "\nfiles        2 kept (5 B), 2 not fetched, 1 too large,"
        " 1 not for the bot to read, 1 gone from the server,"
        " older posts are still looked through\n"
    ) in status(port=port).stdout
    told = json.loads(status("--json", port=port).stdout)["database"]["files"]
    assert (told["states"]["kept"], told["bytes"], told["is_whole"]) == (2, 5, False)


def test_a_full_disk_says_what_to_do(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("files", "the disk of /x is full", is_ready=False)
    shown = status(port=serve()).stdout
    assert "malexbot is not well: files are not kept: the disk of /x is full\n" in shown
    assert "  -> make room: df -h " in shown


def test_names_cannot_steer_the_terminal(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS, "UPDATE channels SET display_name = e'\\x1b[2J\\u202e!'")
    shown = status("--all", port=serve()).stdout
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "[2J" in shown
    assert clean("Größe ✓ 東京") == "Größe ✓ 東京"


def test_what_no_terminal_can_show_is_told_nevertheless(
    status: Run, serve: Server, active: Leadership, health: Health
) -> None:
    health.tell("intake", "cannot write \ud800", is_ready=False)
    port = serve()
    assert "cannot write \N{REPLACEMENT CHARACTER}" in status(port=port).stdout
    told = json.loads(status("--json", port=port).stdout)
    assert told["findings"][0]["what"] == "intake: cannot write \ud800"


def test_colours_are_for_a_terminal(status: Run) -> None:
    assert "\x1b[31m" in status(color=True).stdout
    assert "\x1b" not in status().stdout


def test_the_object_has_the_same_keys_whatever_is_away(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute(CHANNELS, f"{GAP} 'c1', 'posts', 'a cut')")
    result = status("--json", port=serve(events_total=12))
    there = json.loads(result.stdout)
    away = json.loads(status("--json", dsn=nowhere()).stdout)
    assert result.exit_code == 1
    for key in ("daemon", "database"):
        assert there[key].keys() == away[key].keys()
        assert there[key]["error"] is None and away[key]["error"]
    assert (
        there.keys()
        == away.keys()
        == {
            "is_well",
            "summary",
            "findings",
            "daemon",
            "database",
        }
    )
    assert (there["is_well"], there["findings"]) == (
        False,
        [
            {
                "what": "posts are missing in Town 1",
                "cure": "they are fetched by themselves,"
                " at once with malexbot backfill",
            }
        ],
    )
    assert there["daemon"]["version"] == __version__
    assert there["daemon"]["readings"]["malexbot_events_total"] == 12
    assert {"name": "intake", "state": "works", "is_ready": True} in (
        there["daemon"]["parts"]
    )
    assert there["database"]["holder"]["host"] == socket.gethostname()
    assert there["database"]["jobs"]["dead"] == 0
    (gap,) = there["database"]["gaps"]
    assert (gap["channel_id"], gap["kind"], gap["reason"]) == ("c1", "posts", "a cut")
    assert gap["opened_at"].endswith("+00:00")
    assert there["database"]["channels"][0]["name"] == "Town 1"
    assert away["database"]["gaps"] is None


def test_a_bad_configuration_is_78() -> None:
    result = CliRunner().invoke(main, ["status", "--config", "/nowhere/x.yaml"])
    assert result.exit_code == 78


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("0.0.0.0", "127.0.0.1:80"),
        ("::", "[::1]:80"),
        ("10.0.0.1", "10.0.0.1:80"),
        ("::1", "[::1]:80"),
    ],
)
def test_what_listens_everywhere_is_asked_at_home(host: str, asked: str) -> None:
    assert address(Backend(host=host, port=80)) == asked


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (119, "119 s"), (300, "5 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert lasted(seconds) == words


def test_the_kind_that_does_not_heal_is_the_one_that_is_written() -> None:
    from malexbot.messengers.mattermost.rooms import NO_ACCESS

    assert findings.NO_ACCESS == NO_ACCESS


def test_what_the_search_does_not_know_yet_is_told(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    port = serve()
    assert "search       all is indexed\n" in status(port=port).stdout
    execute("INSERT INTO unindexed (post_ids) VALUES ('{a,b}')")
    assert (
        "search       2 posts not indexed yet, the oldest for"
        in status(port=port).stdout
    )
    told = json.loads(status("--json", port=port).stdout)["database"]["unindexed"]
    assert told["posts"] == 2 and told["seconds"] > 0


def test_an_archive_without_a_search_yet_is_told_all_the_same(
    status: Run, serve: Server, active: Leadership, execute: Execute
) -> None:
    execute("DROP TABLE unindexed")
    assert status(port=serve()).exit_code == 0
