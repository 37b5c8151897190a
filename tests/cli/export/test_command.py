"""`malexbot export`: the archive, as a file or as a stream for other programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from malexbot.storage.database import Database
from tests.cli.export.conftest import Run, malexbot
from tests.cli.test_database import one_line

DAY_MS = 86_400_000
MANY = 50_000
POSTS = """
INSERT INTO posts (id, channel_id, user_id, root_id, type, message, create_at,
  update_at, edit_at, delete_at, raw, kept_from)
SELECT 'p' || n, 'channel' || n %% 2, 'u', '', '', 'text ' || n, n * %s, n, 0,
  CASE WHEN n = 3 THEN 9 ELSE 0 END, '{"props": {"n": 1}}', 0
FROM generate_series(1, %s) n
"""


def fill(database: Database, count: int, apart_ms: int = DAY_MS) -> None:
    with database.transaction() as cursor:
        cursor.execute(POSTS, (apart_ms, count))


CHANNELS = """
INSERT INTO channels (source, channel_id, type, name, display_name) VALUES
  ('mattermost', 'channel0', 'O', 'town', 'Town Square'),
  ('mattermost', 'channel1', 'O', 'garden', 'Garden')
"""


@pytest.fixture(autouse=True)
def channels(database: Database) -> None:
    with database.transaction() as cursor:
        cursor.execute(CHANNELS)


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def ids(result: Result) -> list[str]:
    return [row["id"] for row in rows(result)]


def test_a_row_is_a_post_under_mattermosts_names(run: Run, database: Database) -> None:
    fill(database, 3)
    assert rows(run())[-1] == {
        "id": "p3",
        "create_at": 3 * DAY_MS,
        "update_at": 3,
        "edit_at": 0,
        "delete_at": 9,
        "user_id": "u",
        "channel_id": "channel1",
        "root_id": "",
        "type": "",
        "message": "text 3",
        "props": {"n": 1},
        "channel_name": "Garden",
        "user_name": "",
        "versions": [],
        "reactions": [],
        "files": [],
    }


def test_a_channel_is_chosen_by_what_people_call_it(
    run: Run, database: Database
) -> None:
    fill(database, 4)
    for name in ("town", "team/town", "~town", "Town Square", "channel0"):
        assert ids(run("--channel", name)) == ["p2", "p4"]
    assert "did you mean garden?" in one_line(run("--channel", "gardn"))
    assert "no channel 'x' is known here" in one_line(run("--channel", "x"))


def test_a_time_bounds_it(run: Run, database: Database) -> None:
    fill(database, 5)
    assert ids(run("--since", "1970-01-03", "--until", "1970-01-04")) == ["p2", "p3"]
    assert ids(run("--since", "1d")) == []
    assert len(ids(run("--until", "1d"))) == 5
    wrong = run("--since", "soon")
    assert wrong.exit_code == 2
    assert "2026-01-31" in wrong.stderr


def test_the_oldest_comes_first_whatever_its_channel(
    run: Run, database: Database
) -> None:
    fill(database, 5)
    assert ids(run()) == ["p1", "p2", "p3", "p4", "p5"]


def test_a_file_is_there_when_it_is_whole(
    run: Run, database: Database, tmp_path: Path
) -> None:
    fill(database, 5)
    file = tmp_path / "archive.jsonl"
    result = run("--out", file)
    assert (result.exit_code, result.stdout) == (0, f"5 posts in {file} (1.3 kB)\n")
    assert len(file.read_text().splitlines()) == 5
    assert file.stat().st_mode & 0o777 == 0o600
    with database.transaction() as cursor:
        cursor.execute("UPDATE posts SET raw = 'no json' WHERE id = 'p5'")
    assert run("--output", file).exit_code != 0
    assert len(file.read_text().splitlines()) == 5
    assert "cannot write" in one_line(run("--out", tmp_path / "no" / "x.jsonl"))


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.jsonl", "{"),
        ("a.CSV", "time,"),
        ("a.md", "# "),
        ("a.html", "<!doctype html>"),
    ],
)
def test_the_name_of_the_file_tells_the_format(
    name: str, begins: str, run: Run, database: Database, tmp_path: Path
) -> None:
    fill(database, 3)
    assert run("--out", tmp_path / name).exit_code == 0
    assert (tmp_path / name).read_text().startswith(begins)
    assert run("--format", name.partition(".")[2].lower()).stdout.startswith(begins)


def test_a_format_that_is_not_clear_is_asked_for(run: Run, tmp_path: Path) -> None:
    result = run("--out", tmp_path / "archive.txt")
    assert result.exit_code == 2
    assert "give --format" in result.stderr
    assert run("--out", tmp_path / "archive.txt", "--format", "md").exit_code == 0


def test_excel_is_told_that_it_is_utf_8(run: Run, database: Database) -> None:
    fill(database, 1)
    assert run("--format", "csv", "--bom").stdout_bytes.startswith(b"\xef\xbb\xbftime")
    assert run("--format", "csv").stdout_bytes.startswith(b"time")
    assert "--bom is for csv" in run("--bom").stderr


@pytest.mark.parametrize("form", ["jsonl", "csv", "md", "html"])
def test_an_empty_archive_is_an_empty_export(form: str, run: Run) -> None:
    result = run("--format", form)
    assert (result.exit_code, result.stderr) == (0, "")
    assert bool(result.stdout) == (form != "jsonl")


def test_a_reader_that_has_seen_enough_is_no_failure(
    file: Path, database: Database
) -> None:
    fill(database, 20_000, 1)
    export = subprocess.Popen(
        malexbot(file), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert export.stdout is not None
    assert json.loads(export.stdout.readline())["id"] == "p1"
    export.stdout.close()
    assert export.stderr is not None
    with export.stderr as told:
        assert told.read() == b""
    assert export.wait(60) == 0


def test_a_full_disk_is_told(file: Path, database: Database) -> None:
    fill(database, 2)
    with open("/dev/full", "wb") as full:
        export = subprocess.run(
            malexbot(file), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert export.returncode == 1
    assert export.stderr == "malexbot: cannot write: No space left on device\n"


def test_a_person_sees_how_far_it_is(file: Path, database: Database) -> None:
    fill(database, 20_000, 1)
    terminal, side = pty.openpty()
    try:
        export = subprocess.Popen(
            malexbot(file), stdout=subprocess.DEVNULL, stderr=side
        )
        os.close(side)
        told = b""
        while b"posts" not in told:
            told += os.read(terminal, 1024)
        export.terminate()
        while True:
            try:
                os.read(terminal, 65536)
            except OSError:  # nobody holds the other side any more
                break
        export.wait(60)
    finally:
        os.close(terminal)


@pytest.mark.untraced
@pytest.mark.parametrize("form", ["jsonl", "html"])
def test_memory_stays_the_same(form: str, file: Path, database: Database) -> None:
    """Of the whole process: twenty times the posts cost a few megabytes at most."""
    peaks = []
    for count in (MANY // 20, MANY):
        with database.transaction() as cursor:
            cursor.execute("TRUNCATE posts CASCADE")
        fill(database, count, 1)
        peaks.append(peak_of(malexbot(file, "--format", form)))
    assert peaks[1] - peaks[0] < 8_000


def peak_of(command: list[str]) -> int:
    """The largest size of a process that ran, in KiB."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss
