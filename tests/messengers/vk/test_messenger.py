"""The service that listens to VK: each batch is handed over whole, with its mark."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from malexbot.config.vk import Vk as Settings
from malexbot.errors import Transient
from malexbot.events import Event, User
from malexbot.messengers.vk.messenger import LOCALE, Community, Listener
from malexbot.messengers.vk.session import Limits
from malexbot.ports import Feed, Grant, Granted, Lost, Mark, Polled, Reject
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from tests.messengers.mattermost.scripted import SILENCE, Scripted
from tests.messengers.vk.conftest import Town
from tests.support.grants import MemoryGrants
from tests.support.store import MemoryStore
from tests.support.threads import PATIENCE_S, eventually

QUICK = Limits(wait_s=0.2, first_server_wait_s=0.01)


class MemoryIntake:
    """Takes all, or nothing while it is full."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.marks: list[Mark] = []
        self.rejects: list[Reject] = []
        # How many marks there were each time that all of it was waited for.
        self.settled: list[int] = []
        self.has_room = threading.Event()
        self.has_room.set()

    def deliver(
        self,
        events: Sequence[Event],
        marks: Sequence[Mark],
        stop: Stop,
        *,
        rejects: Sequence[Reject] = (),
    ) -> bool:
        with stop.waking(self.has_room.set):
            self.has_room.wait(PATIENCE_S)
        if stop.is_set:
            return False
        self.events += events
        self.marks += marks
        self.rejects += rejects
        return True

    def settle(self, stop: Stop) -> None:
        self.settled.append(len(self.marks))


class MemoryFeeds:
    def __init__(self, intake: MemoryIntake) -> None:
        self._intake = intake
        self.ago_s = 0.0
        self.connections = 0

    def open_connection(self, source: str, reason: str) -> int:
        self.connections += 1
        return self.connections

    def feed(self, source: str, feed: str) -> Feed | None:
        polled = [mark for mark in self._intake.marks if isinstance(mark, Polled)]
        assert all(mark[:2] == (source, feed) for mark in polled)
        return Feed(polled[-1].ts, self.ago_s) if polled else None


class Failing(MemoryGrants):
    """Cannot tell, so many times."""

    failures = 0

    def look(self, ref: str) -> Granted | None:
        if self.failures:
            self.failures -= 1
            raise Transient("the database is away")
        return super().look(ref)


class World:
    def __init__(self, vk: VkSandbox) -> None:
        settings = Settings.model_validate(
            {
                "token": vk.settings.token,
                "group_id": vk.settings.group_id,
                "api_base": vk.api_base,
            }
        )
        self.vk = vk
        self.community = Community(settings)
        self.intake = MemoryIntake()
        self.feeds = MemoryFeeds(self.intake)
        self.grants = Failing(time.monotonic)
        self.health = Health()
        self.thread: threading.Thread | None = None

    def start(self) -> Stop:
        stop = Stop()
        self.listener = Listener(
            self.community,
            intake=self.intake,
            feeds=self.feeds,
            grants=self.grants,
            health=self.health,
        )
        self.listener.poll._limits = QUICK
        self.thread = threading.Thread(target=self.listener.run, args=(stop,))
        self.thread.start()
        eventually(lambda: self.listener.is_connected and self.intake.marks)
        return stop

    def end(self, stop: Stop) -> None:
        stop.set()
        assert self.thread is not None
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()

    def heard(self, count: int) -> list[Event]:
        eventually(lambda: len(self.intake.events) >= count)
        return self.intake.events


@pytest.fixture
def world(vk: VkSandbox) -> Iterator[World]:
    world = World(vk)
    yield world
    world.community.link.close()


@pytest.fixture
def run(world: World) -> Iterator[Callable[[], Stop]]:
    """Starts it; what still runs at the end of the test is ended."""
    stops: list[Stop] = []

    def start() -> Stop:
        stops.append(world.start())
        return stops[-1]

    yield start
    for stop in stops:
        stop.set()
    for stop in stops[-1:]:
        world.end(stop)


def test_a_batch_comes_with_its_mark_and_what_is_odd_in_it(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    run()
    with vk.scene._world.changed:
        vk.scene.say(town.chat, town.anna, "one")
        vk.faults.malform_update('{"type": 5}')
        vk.scene.say(town.chat, town.anna, "odd")
        vk.scene.say(town.chat, town.anna, "two")
    assert [e.message.text for e in world.heard(2) if e.message] == ["one", "two"]
    eventually(lambda: world.intake.rejects)
    assert [reject.raw for reject in world.intake.rejects] == [b'{"type":5}']
    eventually(lambda: world.intake.marks[-1][2] == "3")
    assert {event.connection for event in world.intake.events} == {1}
    assert world.health.parts()["vk"] == "connected"


def test_nothing_is_polled_while_the_intake_is_full(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    run()
    world.intake.has_room.clear()
    vk.scene.say(town.chat, town.anna, "one")
    eventually(lambda: not vk.polls())
    marks = len(world.intake.marks)
    vk.scene.say(town.chat, town.anna, "two")
    assert not vk.polls() and len(world.intake.marks) == marks
    world.intake.has_room.set()
    world.heard(2)


def test_it_goes_on_where_it_was_ended(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    world.end(run())
    vk.scene.say(town.chat, town.anna, "meanwhile")
    run()
    (event,) = world.heard(1)
    assert (event.origin, event.connection) == ("replay", 2)
    # Before each start; and the very first mark is durable before a poll.
    assert world.intake.settled[:2] == [0, 1]
    assert len(world.intake.settled) == 3


def test_the_end_cuts_a_poll_that_waits(world: World, vk: VkSandbox) -> None:
    stop = Stop()
    listener = Listener(
        world.community,
        intake=world.intake,
        feeds=world.feeds,
        grants=world.grants,
        health=world.health,
    )
    thread = threading.Thread(target=listener.run, args=(stop,))
    thread.start()
    wait_for_poll(vk)
    began = time.monotonic()
    stop.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive() and time.monotonic() - began < 5


def test_the_end_does_not_wait_for_room(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    stop = run()
    world.intake.has_room.clear()
    vk.scene.say(town.chat, town.anna, "one")
    eventually(lambda: not vk.polls())
    world.end(stop)
    assert world.intake.events == []


def test_what_was_lost_is_a_gap_in_the_batch_that_tells_it(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    stop = run()
    world.end(stop)
    vk.scene.say(town.chat, town.anna, "lost")
    vk.scene.outdate_history()
    run()
    (event,) = world.heard(1)
    assert (event.event_type, event.name) == ("gap", "gap")
    lost = [mark for mark in world.intake.marks if isinstance(mark, Lost)]
    assert [mark.reason for mark in lost] == [
        "updates between 0 and 1 are lost: the history is outdated"
    ]
    place = world.intake.marks.index(lost[0])
    assert world.intake.marks[place + 1][2] == "1"


def grant(world: World, town: Town) -> str:
    ref = "ab" * 16
    chat, payload = str(town.chat), {"week": 7}
    world.grants.make(
        [Grant(ref, "button", "rota.approve", payload, chat, expires_s=60.0)]
    )
    return ref


def test_what_a_press_sets_off_is_waited_for(
    world: World,
    vk: VkSandbox,
    town: Town,
    run: Callable[[], Stop],
    caplog: pytest.LogCaptureFixture,
) -> None:
    cmid = vk.scene.say(town.chat, town.anna, "one")
    ref = grant(world, town)
    run()
    world.grants.failures = 3
    vk.scene.press(town.chat, town.anna, cmid, {"ref": ref})
    (event,) = world.heard(1)
    assert event.button == (cmid, "rota.approve", {"week": 7})
    told = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert ["cannot be read yet" in r.getMessage() for r in told] == [True]


@pytest.mark.parametrize("ago_s", [600.0, 0.1])
def test_a_press_that_waited_is_as_old_as_our_absence(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop], ago_s: float
) -> None:
    world.end(run())
    vk.scene.press(town.chat, town.anna, 1, {})
    world.feeds.ago_s = ago_s
    run()
    (event,) = world.heard(1)
    age_s = (world.community.now_ms() - event.occurred_at) / 1000
    assert age_s == pytest.approx(ago_s, abs=60)


def test_names_that_are_in_mind_are_there_at_once(
    world: World, vk: VkSandbox, town: Town, run: Callable[[], Stop]
) -> None:
    run()
    vk.scene.say(town.chat, town.anna, "one")
    (first,) = world.heard(1)
    assert first.user == User(town.anna)
    whole = world.community.directory.complete_one(first)
    vk.scene.say(town.chat, town.anna, "two")
    assert world.heard(2)[1].user == whole.user
    assert vk.ledger.calls()["users.get"] == 1


def test_two_who_poll_with_one_token_both_hear_all(vk: VkSandbox, town: Town) -> None:
    """A second daemon elsewhere takes nothing away from the first."""
    worlds = [World(vk), World(vk)]
    stops = [world.start() for world in worlds]
    for text in ("one", "two"):
        vk.scene.say(town.chat, town.anna, text)
    ids = [[event.event_id for event in world.heard(2)] for world in worlds]
    assert ids[0] == ids[1] == [told.event_id for told in vk.ledger.updates()]
    for world, stop in zip(worlds, stops, strict=True):
        world.end(stop)
        world.community.link.close()


def test_the_clock_is_that_of_vk(world: World) -> None:
    world.community.client.group()
    assert world.community.link.clock.is_told
    assert world.community.now_ms() == pytest.approx(time.time() * 1000, abs=60_000)


def test_the_core_sees_who_it_is(world: World) -> None:
    neighbour = world.community.neighbour(MemoryStore())
    heard = neighbour.audience.now
    assert heard.own_id == -world.vk.settings.group_id
    assert neighbour.sight.locale(7) == LOCALE
    assert neighbour.sight.find(7, "words", most=1, skip=0) == ()


def test_a_vk_that_says_nothing_holds_nobody_up_who_asks_the_time() -> None:
    """Workers ask it, and whoever waits for them has less patience."""
    with Scripted(SILENCE) as silent:
        address = f"http://127.0.0.1:{silent.port}/method"
        told = {"token": "t", "group_id": 7, "api_base": address}
        community = Community(Settings.model_validate(told))
        began = time.monotonic()
        with pytest.raises(Transient):
            community.now_ms()
        assert time.monotonic() - began < 10
        community.link.close()
    assert len(silent.requests) == 1
