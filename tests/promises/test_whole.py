"""What only all the parts together can keep."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml

from malexbot.pipeline import waiting
from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.promises.conftest import Life, Look
from tests.support.threads import eventually

Live = Callable[[], Any]
Write = Callable[..., Path]

HOUR_MS = 3_600_000
KEPT = "SELECT id FROM posts WHERE message LIKE 'keep%'"


def answers(mattermost: Mattermost) -> list[str]:
    entries = mattermost.ledger.entries(user_id=mattermost.town.bot)
    return [entry.text for entry in entries]


def say(mattermost: Mattermost, text: str) -> str:
    town = mattermost.town
    return mattermost.scene.post(town.channel, town.alice, text)


# Promise 2.


def is_resumed(live: Live, mattermost: Mattermost, look: Look, text: str) -> bool:
    """Lives until this was said, heard and kept."""
    with live() as life:
        eventually(lambda: life.is_at("mattermost", "connected"))
        say(mattermost, text)
        eventually(lambda: (text,) in look("SELECT message FROM posts"))
        return bool(life.is_at("mattermost", "resumed"))


def test_no_resume_goes_from_one_process_to_the_next(
    live: Live, mattermost: Mattermost, look: Look
) -> None:
    assert not is_resumed(live, mattermost, look, "keep this")
    assert not is_resumed(live, mattermost, look, "keep that")
    numbers = look("SELECT number, reason FROM connections ORDER BY 1")
    assert numbers == [(1, "start"), (2, "start")]


# Promise 7.


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_send_that_is_cut_off_is_there_once_with_the_id_of_its_job(
    live: Live, mattermost: Mattermost, look: Look, moment: str
) -> None:
    mattermost.faults.strike(1, moment)  # type: ignore[arg-type]
    with live() as life:
        eventually(lambda: life.is_at("mattermost", "connected"))
        say(mattermost, "ask")
        sends = "SELECT key::text, attempts FROM jobs WHERE kind = 'chat.post'"
        eventually(lambda: look(f"{sends} AND state = 'done'"))
    ((key, attempts),) = look(sends)
    assert attempts == 2
    (entry,) = mattermost.ledger.entries(user_id=mattermost.town.bot)
    assert entry.pending_post_id == f"{mattermost.town.bot}:{key}"
    assert entry.props["malexbot"] == key


# Promise 8 and 14.


@pytest.mark.parametrize("ahead_ms", [-3 * HOUR_MS, 3 * HOUR_MS])
def test_what_is_old_is_told_by_the_servers_clock(
    live: Live, mattermost: Mattermost, look: Look, ahead_ms: int
) -> None:
    mattermost.clock.shift(ahead_ms - HOUR_MS)
    old = say(mattermost, "ask long ago")
    mattermost.clock.shift(ahead_ms)
    lately = say(mattermost, "ask lately")
    with live() as life:
        eventually(lambda: life.is_at("mattermost", "connected"))
        now = say(mattermost, "ask now")
        eventually(lambda: len(answers(mattermost)) == 2)
        kept = "SELECT id FROM posts WHERE message LIKE 'ask%'"
        eventually(lambda: len(look(kept)) == 3)
    asked = look("SELECT event_id FROM jobs WHERE kind = 'run'")
    assert {(lately,), (now,)} <= {*asked}
    assert (old,) not in asked


# Promise 11.


def is_dropped(life: Life) -> bool:
    is_told = life.is_at("mattermost", "the intake is full")
    return is_told and not life.health.is_ready


def test_a_full_intake_costs_a_connection_and_no_post(
    live: Live,
    mattermost: Mattermost,
    database: Database,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 20
    room = {"most_events": most, "most_bytes": waiting.MOST_BYTES, "patience_s": 0.1}
    monkeypatch.setattr(waiting.Waiting.__init__, "__kwdefaults__", room)
    town = mattermost.town
    with live() as life:
        eventually(lambda: life.is_at("mattermost", "connected"))
        eventually(lambda: life.is_at("backfill", "read"))
        with database.transaction() as cursor:
            cursor.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            texts = [f"keep {number}" for number in range(3 * most)]
            mattermost.scene.post_many(town.channel, town.alice, texts)
            eventually(lambda: is_dropped(life))
        eventually(lambda: len(look(KEPT)) == len(texts))
        eventually(lambda: life.health.is_ready)
    reasons = look("SELECT reason FROM connections ORDER BY number")
    assert reasons[:2] == [("start",), ("the intake is full",)]
    gaps = look("SELECT kind, reason, closed_at IS NOT NULL FROM gaps")
    assert ("posts", "the intake is full", True) in gaps


# Promise 13.


def ready(config: Path, path: str = "readyz") -> int:
    port = yaml.safe_load(config.read_text())["backend"]["port"]
    try:
        with urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            status: int = answer.status
    except HTTPError as error:
        with error:
            status = error.code
    return status


def test_a_token_refused_while_it_runs_is_a_state_of_one_part(
    write_config: Write, migrated_database: Dsn, mattermost: Mattermost
) -> None:
    config = write_config(migrated_database)
    with DaemonProcess(config) as daemon:
        daemon.wait_for_status("mattermost: connected")
        eventually(lambda: ready(config) == 200)
        mattermost.scene.disable(mattermost.town.bot)
        mattermost.faults.cut()
        daemon.wait_for_status("mattermost: unauthorised")
        assert ready(config) == 503
        assert ready(config, "healthz") == 200
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("reloaded; changed: nothing")
        assert daemon.log.count(" ERROR ") == 1
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0


def test_a_token_refused_at_a_handover_is_a_state_too(
    write_config: Write, migrated_database: Dsn, mattermost: Mattermost
) -> None:
    with DaemonProcess(write_config(migrated_database, "first")) as first:
        first.wait_for_status("mattermost: connected")
        with DaemonProcess(write_config(migrated_database, "second")) as second:
            second.wait_for_status("standby")
            mattermost.scene.disable(mattermost.town.bot)
            first.signal(signal.SIGKILL)
            second.wait_for_status("mattermost: unauthorised")
            second.signal(signal.SIGTERM)
            assert second.wait() == 0
