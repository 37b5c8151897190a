"""An order lasts until it is obeyed, whatever becomes of the process meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from malexbot.pipeline.hold import Hold
from malexbot.pipeline.orders import BACKFILL, LOOK_S, BackfillOrders
from malexbot.pipeline.runner import Runner, Work
from malexbot.ports import Effect
from tests.support.events import posted
from tests.support.fakes import Clock
from tests.support.queue import MemoryJobs, Row

MANY = 1000


@dataclass
class Asked:
    """An order, as a messenger keeps it."""

    channel_id: str | None
    since_ms: int | None
    is_done: bool = False
    channels: int = 0
    posts: int = 0


@dataclass
class Reads:
    """A messenger's backfill that reads when a test says so."""

    state: str = ""
    asked: list[Asked] = field(default_factory=list)

    def request(
        self, channel_id: str | None = None, since_ms: int | None = None
    ) -> Asked:
        self.asked.append(Asked(channel_id, since_ms))
        return self.asked[-1]


class World:
    """A queue with one order in it, and the daemon that obeys it."""

    def __init__(self, messenger: str = "mattermost") -> None:
        self.clock = Clock()
        self.jobs = MemoryJobs(self.clock)
        self.jobs.offer(posted(), "any")
        (parent,) = self.jobs.claim(kinds=["run"], limit=1, lease_s=90)
        payload = {"channel": "c1", "since_ms": 5}
        self.jobs.finish(parent, [Effect(BACKFILL, messenger, payload)])
        self.start()

    def start(self) -> None:
        """A new process: what the old one knew is gone."""
        self.reads = Reads()
        orders = BackfillOrders({"mattermost": self.reads})
        self.runner = Runner(jobs=self.jobs, handlers={BACKFILL: orders})

    def look(self) -> Row:
        """The job has its turn once; then its next one is due."""
        (job,) = self.jobs.claim(kinds=self.runner.kinds, limit=9, lease_s=90)
        hold = Hold(lease_s=90, time_out_s=60)
        self.runner.run(Work(job, hold), goes_on=False)
        self.clock.now += LOOK_S
        return self.jobs.rows[job.id]


def test_an_order_is_given_once_and_tells_how_far_it_is() -> None:
    world = World()
    assert world.look().reason == "about to begin"
    world.reads.state = "new posts: 12 of 50 channels, 3000 posts"
    row = world.look()
    assert (row.state, row.reason) == ("ready", world.reads.state)
    assert world.reads.asked == [Asked("c1", 5)]


def test_an_order_ends_with_what_was_read() -> None:
    world = World()
    world.look()
    (asked,) = world.reads.asked
    asked.is_done, asked.channels, asked.posts = True, 50, 3000
    row = world.look()
    assert (row.state, row.reason) == ("done", "50 channels, 3000 posts")


def test_a_new_process_asks_again() -> None:
    world = World()
    world.look()
    world.start()
    assert world.look().state == "ready"
    assert world.reads.asked == [Asked("c1", 5)]


def test_an_order_that_takes_long_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    for _ in range(MANY):
        assert world.look().state == "ready"
    assert len(world.reads.asked) == 1
    assert not caplog.records


def test_an_order_that_found_nothing_to_read_is_told() -> None:
    world = World()
    world.look()
    world.reads.asked[0].is_done = True
    row = world.look()
    assert row.state == "dead"
    assert "listen_channels names no such channel" in row.reason


def test_an_order_for_a_messenger_that_is_not_there_is_told() -> None:
    row = World("icq").look()
    assert (row.state, row.reason) == ("dead", "no messenger 'icq' is configured")
