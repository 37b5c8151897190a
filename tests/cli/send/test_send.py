"""`malexbot send`: it arrives once, and the command says what became of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from malexbot.cli import following
from malexbot.sandbox.fixtures import Mattermost
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from tests.cli.send.conftest import Daemon, Run
from tests.support.threads import eventually


def said(mattermost: Mattermost) -> list[str]:
    entries = mattermost.ledger.entries(user_id=mattermost.town.bot)
    return [entry.text for entry in entries]


def posts(mattermost: Mattermost) -> list[dict[str, Any]]:
    """What the bot has posted, oldest first."""
    world = mattermost.scene.world
    entries = mattermost.ledger.entries(user_id=mattermost.town.bot)
    return [asdict(world.posts[entry.id]) for entry in entries]


def test_it_is_said_in_the_channel_and_the_permalink_is_told(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    result = run("--to", "general", "--wait", "The", "backup is done.")
    assert result.exit_code == 0, result.output
    assert said(mattermost) == ["The backup is done."]
    (post,) = posts(mattermost)
    assert post["channel_id"] == mattermost.town.channel
    assert result.stdout == f"{mattermost.url}/_redirect/pl/{post['id']}\n"
    assert result.stderr == "job 2: to general\n"


def test_who_does_not_wait_leaves_it_in_the_queue(
    run: Run, daemon: Daemon, mattermost: Mattermost
) -> None:
    result = run("--to", "general", "later")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no daemon" not in result.stderr
    daemon.start()
    eventually(lambda: said(mattermost) == ["later"])


def test_without_a_daemon_it_waits_and_that_is_told(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "ALONE_S", 1e9)
    result = run("--to", "general", "later")
    assert result.exit_code == 0, "it is safe in the queue: nobody must repeat it"
    assert "no daemon is active: it is done once one runs" in result.stderr
    waits = run("--to", "general", "--wait", "more")
    assert waits.exit_code == 75
    assert "do not send it again" in waits.stderr
    assert [job.state for job in Backlog(database).list("ready")] == ["ready"] * 2


def test_a_key_sends_once_and_gives_the_same_answer(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    words = ("--to", "general", "--key", "backup 1", "--wait")
    first = run(*words, "done")
    again = run(*words, "done, again")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.stdout == again.stdout != ""
    assert "sent there before under this key" in again.stderr
    run("--to", "second", "--key", "backup 1", "--wait", "done elsewhere")
    assert said(mattermost) == ["done", "done elsewhere"]


def test_a_person_is_told_in_private(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    result = run("--to", "@alice", "--wait", "psst")
    assert result.exit_code == 0, result.output
    assert posts(mattermost)[0]["channel_id"] == mattermost.town.direct


def test_a_thread_is_answered(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    root = scene.post(town.channel, town.alice, "root")
    result = run("--thread", f"{mattermost.url}/malex/pl/{root}", "--wait", "answer")
    assert result.exit_code == 0, result.output
    assert posts(mattermost)[0]["root_id"] == root


def test_files_come_with_the_last_part_of_a_long_text(
    run: Run, sending: Daemon, mattermost: Mattermost, tmp_path: Path
) -> None:
    names = ("a.txt", "b.bin")
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    files = [word for name in names for word in ("--file", tmp_path / name)]
    mattermost.settings.max_post_runes = 4000
    text = "\n".join(f"line {n}" for n in range(700))
    result = run("--to", "general", "--wait", *files, "-", input=text)
    assert result.exit_code == 0, result.output
    first, last = posts(mattermost)
    assert f"{first['message']}\n{last['message']}" == text
    assert not first["file_ids"]
    files_there = mattermost.scene.world.files
    assert [files_there[id_].name for id_ in last["file_ids"]] == list(names)
    assert len(result.stdout.splitlines()) == 2


def test_a_file_needs_no_text_and_goes_to_a_person_too(
    run: Run, sending: Daemon, mattermost: Mattermost, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("a")
    result = run("--to", "@bob", "--wait", "--file", tmp_path / "a.txt")
    assert result.exit_code == 0, result.output
    (post,) = posts(mattermost)
    assert post["message"] == "" and post["file_ids"]


def test_nothing_is_sent_when_a_file_cannot_be(
    run: Run, mattermost: Mattermost, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "big.bin"
    file.write_bytes(b"x" * 100)
    mattermost.settings.max_file_bytes = 10
    result = run("--to", "general", "--file", file, "text")
    assert result.exit_code == 1
    assert "big.bin" in result.stderr and "nothing was sent" in result.stderr
    assert Backlog(database).list() == []


def test_what_the_server_refuses_is_told(
    run: Run, daemon: Daemon, mattermost: Mattermost
) -> None:
    root = mattermost.scene.post(mattermost.town.channel, mattermost.town.alice, "x")
    words = ("--thread", root, "--key", "k", "answer")
    assert run(*words).exit_code == 0
    mattermost.scene.delete(root)
    daemon.start()
    refused = run("--to", "general", "--key", "k", "--wait", "answer")
    assert refused.exit_code == 1
    assert "could not be done: " in refused.stderr
    assert "malexbot jobs retry 2" in refused.stderr


def test_programs_read_an_object(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    result = run("--to", "general", "--wait", "--json", "x")
    (post,) = posts(mattermost)
    told = json.loads(result.stdout)
    (job,) = told.pop("jobs")
    assert told == {"to": "general", "is_repeat": False}
    assert job["state"] == "done" and job["link"].endswith(f"/pl/{post['id']}")


def test_nobody_is_pinged_by_accident(
    run: Run, sending: Daemon, mattermost: Mattermost
) -> None:
    run("--to", "general", "--wait", "-", input="error: @all failed\n")
    run("--to", "general", "--wait", "--ping-all", "@all: down")
    quiet, loud = said(mattermost)
    assert "@all" not in quiet and "@all" in loud


def test_what_makes_no_sense_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    for words in (
        ["text"],
        ["--to", "general"],
        ["--to", "general", "-"],
        ["--to", "general", *["--file", file] * 6],
        ["--to", "general", "--within", "soon", "text"],
    ):
        result = run(*words, input="")
        assert result.exit_code == 2, result.output


def test_what_is_not_sent_in_time_is_given_up(
    run: Run, daemon: Daemon, database: Database
) -> None:
    run("--to", "general", "--within", "1s", "--key", "k", "late")
    eventually(
        lambda: database_says(
            database, "SELECT expires_at < clock_timestamp() FROM jobs WHERE number = 1"
        )
    )
    daemon.start()
    result = run("--to", "general", "--key", "k", "--wait", "late")
    assert result.exit_code == 1
    assert "was too old to be done; to do it nevertheless:" in result.stderr


def database_says(database: Database, query: str) -> bool:
    with database.transaction() as cursor:
        cursor.execute(query)
        return cursor.fetchone() == (True,)
