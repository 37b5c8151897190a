"""Whatever goes wrong with the line or the server, all is kept and answered once."""

from __future__ import annotations

import pytest

from tests.faults.stage import Stage, reconnected

LATE_MS = 30_000
HOUR_MS = 3_600_000
WEBSOCKET = "GET /api/v4/websocket"
# More than the server keeps for a resume.
TOO_MANY = 250


# The lines.


@pytest.mark.parametrize("resets", [True, False], ids=["by RST", "by FIN"])
def test_cut(scene: Stage, resets: bool) -> None:
    with scene.talk() as talk:
        for number in range(3):
            talk.go_on(20)
            assert scene.faults.cut(resets=resets)
            reconnected(scene, talk, number + 1)
    scene.check()


def test_half_open(scene: Stage) -> None:
    with scene.talk() as talk:
        talk.go_on()
        scene.faults.half_open()
        # By a ping, or by what its pages tell and the socket does not.
        talk.go_on_until(lambda: not scene.is_ready)
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()


def test_deaf(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.deaf()
        talk.go_on_until(lambda: "deaf: " in scene.log)
        scene.faults.heal()
        talk.go_on()
    scene.check()


def test_slow(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.slow(latency_s=0.3, chunk=4096, gap_s=0.01)
        talk.go_on()
        scene.faults.cut()
        reconnected(scene, talk)
        # Answered so late that nobody waits for it any more.
        scene.faults.slow(latency_s=1.5, pattern="POST /api/v4/posts")
        talk.go_on()
    scene.check()


def test_restart(scene: Stage) -> None:
    with scene.talk() as talk:
        talk.go_on(20)
        scene.sandbox.restart()
        reconnected(scene, talk)
    scene.check()


# The answers.


def _fail(scene: Stage, status: int, *, is_html: bool) -> None:
    """Each third call at first, then all of them, the handshake too."""
    with scene.talk() as talk:
        scene.faults.fail(status, every=3, is_html=is_html)
        talk.go_on()
        scene.faults.fail(status, is_html=is_html)
        scene.faults.cut()
        talk.go_on_until(lambda: "tries again" in scene.log)
        talk.go_on()
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()


def test_fail_429(scene: Stage) -> None:
    _fail(scene, 429, is_html=False)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_fail_5xx(scene: Stage, status: int) -> None:
    _fail(scene, status, is_html=False)


@pytest.mark.parametrize("status", [200, 502])
def test_fail_with_pages_of_a_proxy(scene: Stage, status: int) -> None:
    _fail(scene, status, is_html=True)


def test_rate_limit(scene: Stage) -> None:
    settings = scene.sandbox.settings
    settings.rate_burst, settings.rate_per_s = 5, 10
    with scene.talk() as talk:
        talk.go_on()
        scene.faults.cut()
        reconnected(scene, talk)
    scene.check()


def test_token_refused_and_valid_again(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.let_in(False)
        scene.faults.cut()
        talk.go_on_until(lambda: " ERROR " in scene.log)
        talk.go_on_until(lambda: "unauthorised" in scene.daemon.status)
        status, told = scene.ask("/readyz")
        assert (status, told["ready"]) == (503, False)
        assert scene.ask("/healthz")[0] == 200
        # Some more tries, of which nobody wants to hear.
        talk.go_on(100)
        scene.let_in(True)
        reconnected(scene, talk)
    assert scene.log.count(" ERROR ") == 1
    scene.check()


# What is saved, and what is told of it.


def test_hold_saving(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.hold_saving()
        talk.go_on_until(lambda: scene.faults.held() >= 2)
        # Until those who wait for it have given up.
        talk.go_on(100)
        scene.faults.release_saving()
    scene.check()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_strike_without_an_answer(scene: Stage, moment: str) -> None:
    with scene.talk() as talk:
        for at in (1, 2, 3):
            scene.faults.strike(at, moment)  # type: ignore[arg-type]
        talk.go_on(60)
    scene.check()


def test_late_commits(scene: Stage) -> None:
    town, clock = scene.town, scene.sandbox.clock

    def say_late() -> None:
        at = clock.now_ms() - LATE_MS
        scene.scene.post(town.channel, town.bob, f"late {at}", create_at=at)

    with scene.talk() as talk:
        say_late()
        scene.faults.fail(503, pattern=WEBSOCKET)
        scene.faults.cut()
        talk.go_on()
        say_late()
        scene.faults.heal()
        reconnected(scene, talk)
        say_late()
    scene.check()


def test_hard_deletion(scene: Stage) -> None:
    """Of the very post that a channel was read to."""
    town = scene.town
    with scene.talk() as talk:
        talk.go_on()
        scene.faults.fail(503, pattern=WEBSOCKET)
        scene.faults.cut()
        ((mark,),) = scene.rows(
            "SELECT mark_id FROM channels WHERE channel_id = %s", town.second
        )
        scene.scene.erase(mark)
        erased = scene.scene.post(town.second, town.bob, "soon gone")
        scene.scene.erase(erased)
        talk.go_on()
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()


def test_a_post_from_the_future(scene: Stage) -> None:
    """What is said after it is older than it, and to be found all the same."""
    town, people = scene.town, scene.scene
    mark = "SELECT mark_at FROM channels WHERE channel_id = %s AND mark_at > %s"
    with scene.talk() as talk:
        began_at = scene.sandbox.clock.now_ms()
        scene.wait_for((mark, town.channel, began_at))
        at = began_at + HOUR_MS
        people.post(town.channel, town.bob, "tomorrow", create_at=at)
        scene.wait_for_row(town.channel, "tomorrow")
        assert not scene.rows(mark, town.channel, at - 1)
        scene.faults.fail(503, pattern=WEBSOCKET)
        scene.faults.cut()
        people.post_many(town.channel, town.bob, ["today"] * TOO_MANY)
        talk.go_on(20)
        scene.faults.heal()
        reconnected(scene, talk)
    scene.check()


# The frames.


def test_duplicate_frames(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.duplicate_frames(20, user_id=scene.town.bot)
        talk.go_on()
    scene.check()
    assert "is open" not in scene.log


def test_dropped_frames(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.drop_frames(3, user_id=scene.town.bot)
        talk.go_on_until(lambda: "is missing" in scene.log)
        reconnected(scene, talk)
    scene.check()


def test_swapped_frames(scene: Stage) -> None:
    with scene.talk() as talk:
        talk.go_on(10)
        scene.faults.swap_frames(user_id=scene.town.bot)
        talk.go_on_until(lambda: "is missing" in scene.log)
        reconnected(scene, talk)
    scene.check()


def test_malformed_frame(scene: Stage) -> None:
    with scene.talk() as talk:
        scene.faults.malform_frame('{"event": "posted", "da', user_id=scene.town.bot)
        talk.go_on_until(lambda: "goes to the rejects" in scene.log)
        reconnected(scene, talk)
    scene.check()
    assert scene.rows(
        "SELECT 1 FROM rejects WHERE raw = %s", b'{"event": "posted", "da'
    )


def test_lost_events(scene: Stage) -> None:
    """Without a gap in the numbers: only the counters of the channel tell of it."""
    with scene.talk() as talk:
        scene.faults.lose_events(10)
        talk.go_on()
    scene.check()


# The server's own weak points.


def test_doubled_socket(scene: Stage) -> None:
    """A resume from too far back: from then on the server tells everything twice."""
    town = scene.town
    with scene.talk() as talk:
        talk.go_on(10)
        scene.faults.half_open()
        scene.scene.post_many(town.channel, town.bob, ["much"] * TOO_MANY)
        scene.faults.heal()
        reconnected(scene, talk)
        talk.go_on()
    scene.check()
    # Its end is the end of the server's hub; on a busy machine it may have been spared.
    with scene.talk() as talk:
        before = _connections(scene)
        scene.faults.cut()
        talk.go_on_until(lambda: _connections(scene) > before)
    scene.check()


def _connections(scene: Stage) -> int:
    return scene.log.count("is open") + scene.log.count("goes on where")


def test_hub_panic(scene: Stage) -> None:
    with scene.talk() as talk:
        with scene.scene.world.lock:
            scene.scene.hub.forget_all()
        # The pings tell it, or the pages.
        talk.go_on_until(lambda: "tries again" in scene.log)
        reconnected(scene, talk)
    scene.check()


def test_reaper(scene: Stage) -> None:
    """What it forgot cannot be resumed."""
    scene.sandbox.settings.stale_after_s = 0
    with scene.talk() as talk:
        talk.go_on(20)
        scene.faults.cut()
        while scene.sandbox.sockets():
            talk.go_on(1)
        scene.sandbox.reap()
        reconnected(scene, talk)
    scene.check()
    assert "is open" in scene.log
