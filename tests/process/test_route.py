"""What is said in one channel is routed to others, once, by a real daemon."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.sandbox.fixtures import (
    Mattermost,
    StartDaemon,
    malexbot_daemon,
    mattermost,
)
from malexbot.sandbox.town import Town
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from tests.support.receiver import Receiver, saying
from tests.support.settings import db_block
from tests.support.threads import eventually

__all__ = ["malexbot_daemon", "mattermost"]

pytestmark = pytest.mark.untraced


def test_what_the_rules_take_arrives_once_and_all_that_is_done_is_shown(
    mattermost: Mattermost, empty_database: Dsn, malexbot_daemon: StartDaemon
) -> None:
    town = mattermost.town
    routes: list[dict[str, Any]] = [
        {
            "name": "outages",
            "when": "'outage' in event.message.text",
            "to": [f"mattermost:{town.second}", f"mattermost:{town.private}"],
        },
        {"name": "asked", "when": "'?' in event.message.text", "to": "mattermost:x y"},
    ]
    settings = {
        "http_host": mattermost.url,
        "token": town.token,
        "listen_channels": ["malex/general"],
        "target_events_processors": {"posted": ["route"]},
    }
    block = db_block(empty_database)
    block["password"] = block["password"] or "none"
    with Receiver(saying(b"202")) as receiver:
        daemon = malexbot_daemon(
            mattermost=settings,
            db=block,
            routes=routes,
            routing={"strict": True},
            workstream={"to": receiver.name},
        )
        _route(mattermost, empty_database)
        daemon.stop()
    _look_at_all_that_was_told(receiver, town)


def _route(mattermost: Mattermost, empty_database: Dsn) -> None:
    town, scene = mattermost.town, mattermost.scene
    scene.post(town.channel, town.alice, "an outage")
    scene.post(town.channel, town.alice, "nothing")
    scene.post(town.channel, town.alice, "what?")
    said = mattermost.wait_for_posts(2)
    assert {post.channel_id for post in said} == {town.second, town.private}
    assert [post.texts for post in said] == [["alice: an outage"]] * 2

    with Database(empty_database) as database:

        def reasons() -> list[str]:
            with database.transaction() as cursor:
                cursor.execute(
                    "SELECT reason FROM jobs WHERE state = 'dead' ORDER BY 1"
                )
                return [reason for (reason,) in cursor.fetchall()]

        eventually(lambda: len(reasons()) == 2)
        unnamed, untaken = sorted(reasons(), key=lambda reason: "no rule" in reason)
        assert untaken == "no rule takes it, and routing.strict is set"
        assert "comes to no name" in unnamed
    assert len(mattermost.ledger.entries(user_id=town.bot)) == 2


def _look_at_all_that_was_told(receiver: Receiver, town: Town) -> None:
    """Each job with its end, by ids; of the two that were told to, the run."""
    told = [line["text"] for line in receiver.lines]
    assert not [text for text in told if "outage" in text or "what?" in text]
    runs = [line for line in receiver.lines if line["text"].startswith("run ")]
    assert {line["name"] for line in runs} == {"malexbot.route"}
    assert sorted(line["mode"] for line in runs) == ["error", "error", "info"]
    (done,) = [text for text in told if text.startswith("run done in ")]
    assert f" user={town.alice} peer={town.channel}" in done
    sends = [text for text in told if text.startswith("chat.post done in ")]
    job = done.partition(" job=")[2].split()[0]
    assert len(sends) == 2 and all(f" parent={job} " in text for text in sends)
    assert any(text.startswith("part ready") for text in told)
