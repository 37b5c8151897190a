"""An export that was cut off goes on, and ends like one that nobody cut."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from malexbot.cli.export import part as parts
from malexbot.cli.export.make import Export
from malexbot.cli.export.part import Part, Plan
from malexbot.cli.export.rows import Rows
from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.export import Kept, Place
from tests.cli.export.conftest import POSTS, Run, malexbot
from tests.cli.test_database import one_line

FORMATS = ["jsonl", "csv", "md", "html"]
INTERRUPTED = 130
PATIENCE_S = 60.0

Cut = Callable[[int], None]


@pytest.fixture
def database(archive: Database) -> Database:
    return archive


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cut]:
    """Somebody presses Ctrl-C after so many posts."""
    whole = Rows.after

    def press(count: int) -> None:
        def after(rows: Rows, place: Place | None) -> Iterator[Kept]:
            for number, kept in enumerate(whole(rows, place)):
                if number == count:
                    raise KeyboardInterrupt
                yield kept

        monkeypatch.setattr(Rows, "after", after)

    yield press


@pytest.mark.parametrize("form", FORMATS)
def test_what_ctrl_c_cut_ends_byte_for_byte_the_same(
    form: str, run: Run, cut: Cut, tmp_path: Path
) -> None:
    whole, file = tmp_path / f"whole.{form}", tmp_path / f"cut.{form}"
    assert run("--out", whole).exit_code == 0
    for count in (0, 1, 700, 500):
        cut(count)
        result = run("--out", file)
        assert result.exit_code == INTERRUPTED
        assert "the same command goes on" in result.stderr
        assert not file.exists()
    cut(POSTS)
    result = run("--out", file)
    assert "1,201 posts are there" in result.stderr
    assert f"{POSTS:,} posts in" in result.stdout
    assert file.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [whole.name, file.name, "malexbot.yaml"]
    )


def begin(process: subprocess.Popen[bytes], part: Path, size: int) -> None:
    """Until it has noted that so much is there."""
    note, pause = part.with_name(f"{part.name}.json"), threading.Event()
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None
        if note.exists() and json.loads(note.read_bytes())["far"]["size"] >= size:
            return
        pause.wait(0.001)
    raise AssertionError("it does not get on")


# The real one notes every two seconds.
NOTES_OFTEN = """
import sys
from malexbot.cli import main
from malexbot.cli.export import part
part.NOTED_EVERY_S = 0
main(sys.argv[1:])
"""


@pytest.mark.untraced
@pytest.mark.parametrize("form", ["jsonl", "html"])
def test_what_kill_cut_ends_byte_for_byte_the_same(
    form: str, file: Path, run: Run, tmp_path: Path
) -> None:
    whole, killed = tmp_path / f"whole.{form}", tmp_path / f"killed.{form}"
    assert run("--out", whole).exit_code == 0
    python, *_ = malexbot(file)
    words = ["export", "--config", str(file), "--out", str(killed)]
    for share in (0.2, 0.5):
        with subprocess.Popen(
            [python, "-c", NOTES_OFTEN, *words], stderr=subprocess.DEVNULL
        ) as process:
            part = killed.with_name(f"{killed.name}.part")
            begin(process, part, round(share * whole.stat().st_size))
            process.send_signal(signal.SIGKILL)
    with open(part, "ab") as sink:
        sink.write(b"what was written after the last note")
    result = run("--out", killed)
    assert "goes on with the export of" in result.stderr
    assert killed.read_bytes() == whole.read_bytes()


def test_a_full_disk_is_told_and_gone_on_after(
    file: Path, run: Run, tmp_path: Path
) -> None:
    whole, full = tmp_path / "whole.jsonl", tmp_path / "full.jsonl"
    assert run("--out", whole).exit_code == 0
    limit = whole.stat().st_size // 2048
    command = " ".join(malexbot(file, "--out", full))
    result = subprocess.run(
        ["bash", "-c", f"ulimit -f {limit}; exec {command}"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert "cannot write" in line and "the same command goes on" in line
    assert run("--out", full).exit_code == 0
    assert full.read_bytes() == whole.read_bytes()


def test_a_day_that_was_named_by_its_distance_stays_that_day(
    run: Run, cut: Cut, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    cut(100)
    assert run("--since", "3000d", "--out", file).exit_code == INTERRUPTED
    begun = json.loads((tmp_path / "a.jsonl.part.json").read_bytes())["plan"]
    assert run("--since", "3000d", "--out", file).exit_code == INTERRUPTED
    again = json.loads((tmp_path / "a.jsonl.part.json").read_bytes())
    assert again["plan"] == begun
    assert again["far"]["posts"] == 200


def test_what_is_written_meanwhile_is_for_the_next_export(
    run: Run, cut: Cut, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    cut(100)
    run("--out", file)
    cut(POSTS)
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO posts SELECT 'new', channel_id, user_id, '', '', message,"
            " create_at + 1, update_at, 0, 0, raw, 0 FROM posts"
            " ORDER BY create_at DESC LIMIT 1"
        )
    told = run("--out", file).stdout
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM posts WHERE id = 'new'")
    assert f"{POSTS:,} posts in" in told


@pytest.mark.parametrize(
    "words", [("--channel", "Deploys"), ("--since", "2024-01-01"), ("--anew",)]
)
def test_another_export_is_begun_anew(
    words: tuple[str, ...], run: Run, cut: Cut, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    cut(700)
    run("--out", file)
    cut(POSTS)
    result = run("--out", file, *words)
    assert (result.exit_code, result.stderr) == (0, "")
    expected = run("--format", "jsonl", *(w for w in words if w != "--anew"))
    assert file.read_text() == expected.stdout


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"[1]", b'{"version": 1, "plan": {"words": 3}}']
)
def test_a_note_that_cannot_be_read_is_no_note(
    damage: bytes, run: Run, cut: Cut, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    cut(700)
    run("--out", file)
    (tmp_path / "a.jsonl.part.json").write_bytes(damage)
    cut(POSTS)
    assert run("--out", file).exit_code == 0
    assert len(file.read_text().splitlines()) == POSTS


def test_a_part_that_was_shortened_is_written_anew(
    run: Run, cut: Cut, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    cut(700)
    run("--out", file)
    (tmp_path / "a.jsonl.part").write_bytes(b"")
    cut(POSTS)
    assert run("--out", file).exit_code == 0
    assert len(file.read_text().splitlines()) == POSTS


def test_two_do_not_write_the_same_file(run: Run, tmp_path: Path) -> None:
    with Part(tmp_path / "a.jsonl"):
        assert "another export" in one_line(run("--out", tmp_path / "a.jsonl"))
    assert run("--out", tmp_path / "a.jsonl").exit_code == 0


def test_only_a_file_is_put_in_the_place_of_another(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "is no file" in one_line(run("--out", pipe))
    assert pipe.is_fifo()


def test_what_was_not_begun_leaves_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def away(export: Export) -> Plan:
        raise Transient("the database is away")

    monkeypatch.setattr(Export, "plan", away)
    assert "is away" in one_line(run("--out", tmp_path / "a.csv"), 75)
    assert [path.name for path in tmp_path.iterdir()] == ["malexbot.yaml"]


def test_it_is_noted_now_and_then(
    run: Run, cut: Cut, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notes: list[int] = []

    def note(part: Part) -> None:
        notes.append(part.far.posts)

    monkeypatch.setattr(Part, "note", note)
    monkeypatch.setattr(parts, "NOTED_EVERY_S", 0.0)
    run("--out", tmp_path / "a.jsonl")
    assert notes == list(range(POSTS + 1))
