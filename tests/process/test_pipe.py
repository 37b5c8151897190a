"""The whole way of an event, in a daemon of its own beside a Mattermost of our own."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from malexbot.sandbox.fixtures import Mattermost, mattermost
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.support.threads import eventually

__all__ = ["mattermost"]
Write = Callable[..., Path]


def settings(mattermost: Mattermost, **changes: Any) -> dict[str, Any]:
    block = {
        "http_host": mattermost.url,
        "token": mattermost.town.token,
        "listen_channels": ["malex/general"],
        "target_events_processors": {"posted": ["save", "response"]},
        **changes,
    }
    return {"mattermost": block, "responses": [rule("ping", "pong")]}


def rule(question: str, answer: str) -> dict[str, Any]:
    return {"when": f"{question!r} in event.message.text", "reply": answer}


def change(file: Path, **blocks: Any) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | blocks))


def said(mattermost: Mattermost) -> list[str]:
    entries = mattermost.ledger.entries(user_id=mattermost.town.bot)
    return [entry.text for entry in entries]


def archived(dsn: Dsn) -> list[str]:
    with Database(dsn) as database, database.transaction() as cursor:
        cursor.execute("SELECT message FROM posts ORDER BY create_at, id")
        return [str(message) for (message,) in cursor.fetchall()]


def test_what_was_said_before_and_what_is_said_now_is_kept_and_answered(
    start: Start, write_config: Write, empty_database: Dsn, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.post(town.channel, town.alice, "ping before")
    scene.post(town.second, town.alice, "ping elsewhere")
    daemon = start(write_config("one", empty_database, **settings(mattermost)))
    daemon.wait_for_status("mattermost: connected")
    eventually(lambda: len(said(mattermost)) == 1)
    scene.post(town.channel, town.alice, "ping now")
    eventually(lambda: said(mattermost) == ["pong", "pong"])
    eventually(lambda: archived(empty_database)[-4:].count("pong") == 2)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    kept = archived(empty_database)
    assert {"ping before", "ping now"} <= {*kept} and "ping elsewhere" not in kept


def test_other_rules_and_channels_count_from_the_reload_on(
    start: Start, write_config: Write, empty_database: Dsn, mattermost: Mattermost
) -> None:
    town, scene = mattermost.town, mattermost.scene
    file = write_config("one", empty_database, **settings(mattermost))
    daemon = start(file)
    daemon.wait_for_status("1 of 1 channels read")
    fresh = settings(mattermost, listen_channels=["malex/second"])
    fresh |= {"responses": [rule("ping", "other")], "workstream": {"to": "journal"}}
    change(file, **fresh)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("changed: mattermost.listen_channels, responses, workstream")
    scene.post(town.second, town.alice, "ping, heard from now on")
    eventually(lambda: said(mattermost) == ["other"])
    scene.post(town.channel, town.alice, "ping, not heard any more")
    scene.post(town.second, town.alice, "ping, heard too")
    eventually(lambda: said(mattermost) == ["other", "other"])
    daemon.wait_for_log("workstream: done [who=response what=run outcome=done job=")
    assert "needs a restart" not in daemon.log


def test_a_refused_token_ends_the_daemon_only_at_its_start(
    start: Start, write_config: Write, empty_database: Dsn, mattermost: Mattermost
) -> None:
    wrong = settings(mattermost, token="no-such-token-at-all-of-26")
    daemon = start(write_config("one", empty_database, **wrong))
    assert daemon.wait() == 78
    assert "mattermost.token" in daemon.log and "Traceback" not in daemon.log


def test_a_standby_neither_listens_nor_serves(
    start: Start, write_config: Write, empty_database: Dsn, mattermost: Mattermost
) -> None:
    first = start(write_config("one", empty_database, **settings(mattermost)))
    first.wait_for_status("mattermost: connected")
    file = write_config("two", empty_database, **settings(mattermost))
    second = start(file)
    second.wait_for_status("standby")
    assert mattermost.sockets() == 1
    port = yaml.safe_load(file.read_text())["backend"]["port"]
    with socket.socket() as line:
        assert line.connect_ex(("127.0.0.1", port)) != 0
    first.signal(signal.SIGKILL)
    second.wait_for_status("mattermost: connected")
    mattermost.scene.post(mattermost.town.channel, mattermost.town.alice, "ping")
    eventually(lambda: said(mattermost) == ["pong"])
