"""Whatever the server's clock does, all is kept and answered once.

What it called the future stays in front of all that is said for an hour: so these
have a server of their own.
"""

from __future__ import annotations

from tests.faults.stage import Stage, reconnected

HOUR_MS = 3_600_000
WEBSOCKET = "GET /api/v4/websocket"
# More than a page, and more than the server keeps for a resume.
TOO_MANY = 250


def test_clock_shift(scene: Stage) -> None:
    clock = scene.sandbox.clock
    with scene.talk() as talk:
        clock.shift(HOUR_MS)
        talk.go_on()
    scene.check()
    clock.shift(0)
    # Until the daemon knows, it takes what is said for an hour old.
    probes: list[str] = []
    while not any(scene.sandbox.ledger.answers(id_) for id_ in probes):
        probes.append(scene.probe())
    with scene.talk() as talk:
        talk.go_on()
    scene.check()


def test_clock_set_back_while_away(scene: Stage) -> None:
    """What is said, edited and deleted then is older than all that was read."""
    town, clock = scene.town, scene.sandbox.clock
    clock.shift(HOUR_MS)
    with scene.talk() as talk:
        talk.go_on()
        unwanted = scene.scene.post(town.channel, town.bob, "soon gone")
        ahead = clock.now_ms() - HOUR_MS // 2
        mark = "SELECT 1 FROM channels WHERE channel_id = %s AND edits_until > %s"
        scene.wait_for((mark, town.channel, ahead))
    scene.check()
    with scene.talk() as talk:
        scene.faults.fail(503, pattern=WEBSOCKET)
        scene.faults.cut()
        clock.shift(0)
        scene.sandbox.restart()
        scene.scene.delete(unwanted)
        scene.scene.post_many(town.channel, town.bob, ["today"] * TOO_MANY)
        talk.go_on()
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()
    assert "the server's clock was set back" in scene.log
    assert not scene.rows(mark, town.channel, ahead)
