"""`malexbot stats`: how much was said, by whom, where and when."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from malexbot.cli import main
from malexbot.cli.plots import shown_width
from malexbot.cli.stats.times import Times
from malexbot.storage.database import Database
from malexbot.storage.stats import SLOT_MS
from tests.cli.test_database import config, one_line

Run = Callable[..., Result]

# Thursday, 2025-11-20, 22:30 UTC: Friday in Moscow.
LATE = 1_763_677_800_000
HOUR_MS = 3_600_000
POSTS = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, delete_at, raw, kept_from)
SELECT 'p' || n, 'c' || n %% 12, 'u' || n %% 20,
  '', '', '', {at} - n * {apart}::bigint, 0,
  n %% 2, 0, '{{}}', 0
FROM generate_series(0, {count} - 1) n
"""
NAMES = """
INSERT INTO channels (source, channel_id, type, name, display_name) VALUES
  ('mattermost', 'c0', 'O', 'town', 'Town Square'),
  ('mattermost', 'c1', 'O', 'odd', E'odd\\u001b[31m name');
INSERT INTO people VALUES ('mattermost', 'u0', 'alice')
"""


@pytest.fixture(params=["UTC"], autouse=True)
def zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    del os.environ["TZ"]
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    file = config(database.dsn, tmp_path / "malexbot.yaml")

    def invoke(*words: str, color: bool = False, width: int = 80) -> Result:
        return CliRunner().invoke(
            main,
            ["stats", "--config", str(file), *words],
            env={"COLUMNS": str(width)},
            color=color,
        )

    return invoke


def fill(database: Database, count: int, apart_ms: int = HOUR_MS) -> None:
    with database.transaction() as cursor:
        cursor.execute(POSTS.format(at=LATE, apart=apart_ms, count=count), ())
        cursor.execute(NAMES)


def told(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_the_overview_tells_who_where_and_when(run: Run, database: Database) -> None:
    fill(database, 2400)
    page = told(run())
    assert page.startswith("2,400 posts by 20 people in 12 channels\n2025-08-12 – ")
    assert "0 replies, 1,200 edited, 0 deleted" in page
    assert re.search("  Town Square +██", page) and " 200   8 %" in page
    assert "4 more: --by channel" in page and "12 more: --by person" in page
    assert "at most 48 in 2 days" in page
    assert "  Thu  ███" in page


def test_no_line_is_wider_than_there_is_room(run: Run, database: Database) -> None:
    fill(database, 2400)
    for width in (20, 60, 80, 300):
        for by in ((), ("--by", "person"), ("--by", "hour")):
            lines = told(run(*by, width=width)).splitlines()
            # the sums are a sentence
            widths = [shown_width(line) for line in lines[3:]]
            assert max(widths) <= min(max(width, 40), 100)


def test_off_a_terminal_there_is_no_colour(run: Run, database: Database) -> None:
    fill(database, 50)
    assert "\x1b" not in told(run())
    assert "\x1b[36m" in told(run(color=True))


def test_a_name_does_not_steer_the_terminal(run: Run, database: Database) -> None:
    fill(database, 50)
    assert "odd\N{REPLACEMENT CHARACTER}[31m name" in told(run("--by", "channel"))


def test_all_of_a_kind_is_told_one_a_line(run: Run, database: Database) -> None:
    fill(database, 120)
    for by, lines, first in (
        ("channel", 12, "Town Square"),
        ("person", 20, "alice"),
        ("day", 6, "2025-11-15 Sat"),
        ("hour", 24, "00:00"),
    ):
        rows = told(run("--by", by)).split("\n\n")[1].splitlines()
        assert len(rows) == lines
        assert rows[0].startswith(f"  {first}")


def test_days_without_a_post_are_days_too(run: Run, database: Database) -> None:
    fill(database, 2, apart_ms=72 * HOUR_MS)
    rows = told(run("--by", "day")).split("\n\n")[1].splitlines()
    assert [row.split()[-3:][0] for row in rows] == ["1", "0", "0", "1"]


def test_a_program_gets_one_object(run: Run, database: Database) -> None:
    fill(database, 4)
    answer = json.loads(told(run("--json")))
    assert answer["posts"] == 4 and answer["edited"] == 2
    assert answer["last_at"] == LATE
    assert answer["people"][0] == {
        **{"id": "u0", "name": "alice", "posts": 1, "replies": 0},
        **{"edited": 0, "deleted": 0, "first_at": LATE, "last_at": LATE},
    }
    assert answer["channels"][0]["name"] == "Town Square"
    assert answer["files"] == dict.fromkeys(answer["files"], 0)
    assert answer["days"] == {"2025-11-20": 4}
    assert answer["week"][3][22] == answer["hours"][22] == 1
    assert [len(answer["week"]), len(answer["hours"])] == [7, 24]


def test_files_are_told_with_their_bytes(run: Run, database: Database) -> None:
    fill(database, 2)
    file(database, "'p0', 'f1', 2000, 'waiting', NULL")
    assert "\n1 file, 2.0 kB\n" in told(run())
    file(database, "'p1', 'f2', 500, 'kept', 'aa'")
    assert "\n2 files, 2.5 kB; 1 of them kept here, 500 B\n" in told(run())
    assert "\n1 file, 500 B; all kept here, 500 B\n" in told(run("--user", "u1"))
    assert json.loads(told(run("--json")))["files"] == {
        **{"files": 2, "bytes": 2500, "kept": 1, "kept_bytes": 500}
    }


def file(database: Database, row: str) -> None:
    columns = "post_id, id, size, state, sha256, due_at"
    with database.transaction() as cursor:
        cursor.execute(f"INSERT INTO files ({columns}) VALUES ({row}, now())")


def test_it_is_about_what_is_asked_for(run: Run, database: Database) -> None:
    fill(database, 2400)
    assert told(run("--channel", "town")).startswith("200 posts by 5 people in 1 ch")
    assert told(run("--user", "@alice")).startswith("120 posts by 1 person in 3 ch")
    assert told(run("--since", "2025-11-20")).startswith("23 posts")
    assert told(run("--until", "2025-11-19")).startswith("2,377 posts")
    assert "nobody called 'bob'" in one_line(run("--user", "bob"))
    assert "did you mean alice?" in one_line(run("--user", "alise"))


def test_nothing_is_told_of_nothing(run: Run) -> None:
    assert told(run()) == "No post of that kind is kept.\n"
    answer = json.loads(told(run("--json")))
    assert (answer["posts"], answer["first_at"], answer["days"]) == (0, None, {})


@pytest.mark.parametrize(
    ("zone", "weekday", "hour"),
    [("UTC", 3, 22), ("Europe/Moscow", 4, 1), ("Asia/Kathmandu", 4, 4)],
    indirect=["zone"],
)
def test_days_and_hours_are_those_of_the_reader(
    zone: None, weekday: int, hour: int
) -> None:
    times = Times([(LATE // SLOT_MS, 1)])
    assert times.week[weekday][hour] == 1
    (day,) = times.days
    assert day == datetime.fromtimestamp(LATE / 1000).date()
