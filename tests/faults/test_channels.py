"""Channels come, go and change their names; then the process itself goes."""

from __future__ import annotations

import signal

import pytest

from tests.faults.stage import Stage, reconnected

WEBSOCKET = "GET /api/v4/websocket"


# The channels.


def test_removed_and_added_again(scene: Stage) -> None:
    town, people = scene.town, scene.scene
    with scene.talk() as talk:
        channel = people.add_channel(town.team, "revolving", town.admin)
        people.join(channel, town.alice, by=town.admin)
        people.join(channel, town.bot, by=town.admin)
        people.post(channel, town.alice, "he is in")
        scene.wait_for_row(channel, "he is in")
        people.leave(channel, town.bot, by=town.admin)
        people.post(channel, town.alice, "he is out")
        talk.go_on()
        people.join(channel, town.bot, by=town.admin)
        people.post(channel, town.alice, "he is back")
        scene.wait_for_row(channel, "he is back")
    scene.check()


def test_renamed_channel(scene: Stage) -> None:
    town = scene.town
    with scene.talk() as talk:
        changes = {"name": "renamed", "display_name": "Renamed"}
        scene.scene.change_channel(town.second, town.admin, changes)
        statement = "SELECT 1 FROM channels WHERE name = 'renamed'"
        talk.go_on_until(lambda: scene.rows(statement))
    scene.check()


def test_archived_channel(scene: Stage) -> None:
    """What was said before is read to the end, though it is not listed any more."""
    town, people = scene.town, scene.scene
    with scene.talk() as talk:
        channel = people.add_channel(town.team, "closing", town.admin)
        people.join(channel, town.bot, by=town.admin)
        people.post(channel, town.admin, "it closes soon")
        scene.wait_for_row(channel, "it closes soon")
        scene.faults.fail(503, pattern=WEBSOCKET)
        scene.faults.cut()
        people.post(channel, town.admin, "last words")
        people.archive_channel(channel, town.admin)
        talk.go_on()
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()


def test_lost_channel(scene: Stage) -> None:
    """It cannot be read any more; its gap stays open, and is told once."""
    town, people = scene.town, scene.scene
    gap = "SELECT 1 FROM gaps WHERE channel_id = %s AND closed_at IS NULL"
    with scene.talk() as talk:
        channel = people.add_channel(town.team, "secret", town.admin, type="P")
        people.join(channel, town.bot, by=town.admin)
        people.post(channel, town.admin, "a secret")
        scene.wait_for_row(channel, "a secret")
        people.leave(channel, town.bot, by=town.admin)
        talk.go_on_until(lambda: scene.rows(gap, channel))
        talk.go_on(150)
    scene.check()
    assert scene.rows(gap, channel)
    assert scene.log.count("no access") == 1


# The last one: it is another process afterwards.


@pytest.mark.parametrize("moment", ["before", "after"])
def test_strike_and_kill(scene: Stage, moment: str) -> None:
    with scene.talk() as talk:
        pid = scene.daemon.pid
        scene.faults.strike(2, moment, "kill", pid=pid)  # type: ignore[arg-type]
        assert scene.daemon.wait() == -signal.SIGKILL
        scene.start()
        reconnected(scene, talk)
    scene.check()
