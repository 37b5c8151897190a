"""Killed at any moment, malexbot loses nothing and says nothing twice."""

from __future__ import annotations

import os
import random
import threading

import pytest

from malexbot.sandbox.orders import Moment
from tests.crash.proxy import Proxy
from tests.crash.stage import Stage
from tests.crash.strikes import Strike
from tests.crash.traffic import Traffic

# For a long night: MALEXBOT_CRASH_ROUNDS=20 kills twenty times as often.
ROUNDS = int(os.environ.get("MALEXBOT_CRASH_ROUNDS", "1"))
POSTS = 5 * ROUNDS
LATE_POSTS = 2 * ROUNDS
RANDOM_KILLS = 30 * ROUNDS
# How far into its life a daemon is killed at random.
YOUNG_S = 1.5
CONNECTED_S = 1.0

MOMENTS: tuple[Moment, ...] = ("before", "after")
# The windows at commits, by what is written there.
COMMITS = {
    "a number for the connection": "INSERT INTO connections",
    "what came in": "^COPY ",
    "jobs that are begun": "is_deadly",
    "a send that is begun": "SET sending_at",
    "what a job says at its end": "INSERT INTO jobs .*lane, parent",
}


@pytest.mark.parametrize("wrote", COMMITS.values(), ids=COMMITS.keys())
def test_killed_around_a_commit(
    stage: Stage, proxy: Proxy, choice: random.Random, wrote: str
) -> None:
    with Traffic(stage.sandbox, stage.town, choice) as traffic:
        for moment in MOMENTS * ROUNDS:
            at = 1 if "connections" in wrote else choice.randrange(1, 8)
            stage.tell(f"killed {moment} commit {at} with {wrote!r}")
            proxy.strike(Strike(at, moment, stage.kill, wrote))
            stage.start()
            stage.wait_for_the_kill()
        stage.start()
    stage.wait_until_right(traffic.questions)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_around_a_post(
    stage: Stage, choice: random.Random, moment: Moment
) -> None:
    with Traffic(stage.sandbox, stage.town, choice) as traffic:
        for _ in range(POSTS):
            _kill_at_a_post(stage, choice.randrange(1, 8), moment)
        stage.start()
    stage.wait_until_right(traffic.questions)


@pytest.mark.slow
def test_killed_around_a_post_and_started_much_later(
    stage: Stage, choice: random.Random
) -> None:
    """The server has forgotten the keys of what was sent: it has to be looked for."""
    stage.sandbox.settings.dedupe_s = 0
    with Traffic(stage.sandbox, stage.town, choice) as traffic:
        for moment in MOMENTS * LATE_POSTS:
            _kill_at_a_post(stage, choice.randrange(1, 8), moment)
            stage.let_a_minute_pass()
        stage.start()
    stage.wait_until_right(traffic.questions)


@pytest.mark.slow
def test_killed_at_random_moments(stage: Stage, choice: random.Random) -> None:
    pause = threading.Event()
    with Traffic(stage.sandbox, stage.town, choice) as traffic:
        for _ in range(RANDOM_KILLS):
            daemon = stage.start()
            if is_connected := choice.random() < 0.7:
                daemon.wait_for_log("is open")
            after_s = choice.random() * (CONNECTED_S if is_connected else YOUNG_S)
            since = "its connection" if is_connected else "its start"
            stage.tell(f"killed {after_s:.3f} s after {since}")
            pause.wait(after_s)
            stage.kill()
            stage.wait_for_the_kill()
        stage.start()
    stage.wait_until_right(traffic.questions)


def _kill_at_a_post(stage: Stage, at: int, moment: Moment) -> None:
    stage.tell(f"killed {moment} post {at} is saved")
    daemon = stage.start()
    stage.sandbox.faults.strike(at, moment, "kill", pid=daemon.pid)
    stage.wait_for_the_kill()
