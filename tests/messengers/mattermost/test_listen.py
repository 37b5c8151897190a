from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from malexbot.errors import MalexbotError, Misconfigured, Transient
from malexbot.events import Event
from malexbot.messengers.mattermost import dialogue, listen
from malexbot.messengers.mattermost import socket as sockets
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import (
    SESSION_EXPIRED,
    Answer,
    Unauthorised,
)
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.listen import Ends, Listener
from malexbot.messengers.mattermost.socket import Dial
from malexbot.messengers.mattermost.translate import Translator
from malexbot.runtime.health import Health
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop
from malexbot.sandbox.fixtures import Mattermost
from tests.messengers.mattermost.detour import Detour

LIMIT_S = 15.0


def wait_until(is_so: Callable[[], object]) -> None:
    until, pause = time.monotonic() + LIMIT_S, threading.Event()
    while not is_so():
        assert time.monotonic() < until
        pause.wait(0.01)


class Home:
    """The other side of the listener: it remembers what it was told, in order."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.events: list[Event] = []
        self.rejects: list[tuple[bytes, str]] = []
        self.heard_at: dict[str, int] = {}
        self.answered_at = 0
        self.number = 0
        self.is_full = False
        self.outages = 0
        self.wish = ""
        self.own_id = self.own_name = ""

    # The intake.

    def offer(self, event: Event) -> bool:
        if self.is_full:
            return False
        self.events.append(event)
        self.told.append(event)
        return True

    def reject(self, source: str, raw: bytes, reason: str) -> bool:
        assert source == "mattermost"
        self.rejects.append((raw, reason))
        return not self.is_full

    # The numbers.

    def open_connection(self, source: str, reason: str) -> int:
        if self.outages:
            self.outages -= 1
            raise Transient("the database is down")
        self.number += 1
        self.told.append(("number", self.number, reason))
        return self.number

    # The hearing.

    def answered(self, server_ms: int) -> None:
        self.answered_at = server_ms

    def heard(self, channel_id: str, post_id: str, create_at: int) -> None:
        self.heard_at[channel_id] = create_at

    def take_wish(self) -> str:
        wish, self.wish = self.wish, ""
        return wish

    # The watcher.

    def on_new_connection(self, number: int, reason: str) -> None:
        self.told.append(("watch", number))

    def wake(self) -> None:
        self.told.append("wake")

    def on_channels_changed(self) -> None:
        self.told.append("channels")

    def know_self(self, own_id: str, own_name: str) -> None:
        self.own_id, self.own_name = own_id, own_name

    # What a test asks.

    def ends(self) -> Ends:
        return Ends(
            intake=self,
            numbers=self,
            hearing=self,
            watcher=self,
            know_self=self.know_self,
        )

    def posts(self) -> list[str]:
        return [e.message.text for e in self.events if e.name == "posted" and e.message]

    def numbers(self) -> list[int]:
        return [
            told[1]
            for told in self.told
            if isinstance(told, tuple) and told[0] == "number"
        ]


class Run:
    """A listener at work."""

    def __init__(self, listener: Listener, home: Home, health: Health) -> None:
        self.listener = listener
        self.home = home
        self.health = health
        self.stop = Stop()
        self.error: MalexbotError | None = None
        self.thread = threading.Thread(target=self._run, name="mattermost")

    def _run(self) -> None:
        try:
            self.listener.run(self.stop)
        except MalexbotError as error:
            self.error = error

    @property
    def state(self) -> str:
        return self.health.parts().get("mattermost", "")

    def has_resumed(self, so_far: int) -> bool:
        return self.listener.resumes > so_far

    def is_connected(self) -> bool:
        return self.state.startswith("connected")


@contextmanager
def listening(
    mattermost: Mattermost, *, port: int = 0, home: Home | None = None
) -> Iterator[Run]:
    town, home, health = mattermost.town, home or Home(), Health()
    address = f"127.0.0.1:{port or mattermost.port}/api/v4"
    link = Link(url=f"http://{mattermost.url[7:]}/api/v4", token=town.token)
    client = Client(link)
    listener = Listener(
        dial=Dial(url=f"ws://{address}/websocket", token=town.token),
        client=client,
        translator=Translator(client.server_now_ms),
        ends=home.ends(),
        health=health,
    )
    run = Run(listener, home, health)
    run.thread.start()
    try:
        yield run
    finally:
        run.stop.set()
        run.thread.join(LIMIT_S)
        link.close()
    assert not run.thread.is_alive()


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    def backoff() -> Backoff:
        return Backoff(first_s=0.05, longest_s=0.2)

    monkeypatch.setattr(listen, "Backoff", backoff)


def say(mattermost: Mattermost, text: str) -> str:
    town = mattermost.town
    return mattermost.scene.post(town.channel, town.alice, text)


def test_the_reason_of_a_number_is_what_ended_the_connection_before(
    mattermost: Mattermost,
) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        run.home.is_full, run.home.outages = True, 2
        say(mattermost, "no room for this")
        wait_until(lambda: not run.home.outages)
        run.home.is_full = False
        wait_until(lambda: run.home.numbers() == [1, 2])
    assert ("number", 2, "the intake is full") in run.home.told


def test_the_number_is_committed_before_the_first_event(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        say(mattermost, "hello")
        wait_until(run.home.posts)
    assert run.home.told[:2] == [("number", 1, "start"), ("watch", 1)]
    assert [e.name for e in run.home.events][0] == "hello"
    assert {e.connection for e in run.home.events} == {1}
    assert (run.home.own_id, run.home.own_name) == (mattermost.town.bot, "malexbot")
    assert run.home.heard_at.keys() == {mattermost.town.channel}
    assert not run.listener.is_vital


def test_a_cut_is_resumed_and_keeps_its_number(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        say(mattermost, "one")
        wait_until(run.home.posts)
        mattermost.faults.cut(user_id=mattermost.town.bot)
        say(mattermost, "two")
        wait_until(lambda: len(run.home.posts()) == 2)
        wait_until(lambda: "resumed 1 times" in run.state)
        assert (run.listener.is_connected, run.listener.number) == (True, 1)
    assert not run.listener.is_connected
    assert run.home.posts() == ["one", "two"]
    assert run.home.numbers() == [1]


def test_a_restarted_server_means_a_new_number(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        mattermost.restart()
        wait_until(lambda: run.home.number == 2)
        wait_until(run.is_connected)
        say(mattermost, "after")
        wait_until(run.home.posts)
    assert run.home.events[-1].connection == 2


def test_a_missing_frame_means_a_new_number_and_no_resume(
    mattermost: Mattermost,
) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        wait_until(lambda: run.home.answered_at)
        mattermost.faults.drop_frames(1)
        town = mattermost.town
        mattermost.scene.post_many(town.channel, town.alice, ["lost", "told"])
        wait_until(lambda: run.home.number == 2)
    assert "is missing" in str(run.home.told)
    assert run.listener.resumes == 0


def test_a_full_intake_drops_the_connection_on_purpose(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        run.home.is_full = True
        say(mattermost, "no room")
        wait_until(lambda: "full" in run.state)
        run.home.is_full = False
        wait_until(run.is_connected)
    assert run.home.numbers()[:2] == [1, 2]
    assert run.listener.resumes == 0
    assert "no room" not in run.home.posts()


def test_rejects_need_room_too(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        wait_until(lambda: run.home.answered_at)
        run.home.is_full = True
        mattermost.faults.malform_frame("[]")
        say(mattermost, "in its place")
        wait_until(lambda: "full" in run.state)


def test_our_own_drop_is_never_resumed(mattermost: Mattermost) -> None:
    """Not even where the connection before it was."""
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        mattermost.faults.cut(user_id=mattermost.town.bot)
        wait_until(lambda: run.listener.resumes == 1)
        run.home.wish = "deaf"
        wait_until(lambda: run.home.number == 2)
    assert run.listener.resumes == 1


def test_a_connection_that_was_well_ends_with_a_first_failure(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HEALTHY_S", 0.0)
    with listening(mattermost) as run:
        for _ in range(3):
            wait_until(run.is_connected)
            so_far = run.listener.resumes
            mattermost.faults.cut(user_id=mattermost.town.bot)
            wait_until(partial(run.has_resumed, so_far))
        assert run.listener._backoff.failures == 1


def test_without_a_number_no_event_is_taken(mattermost: Mattermost) -> None:
    home = Home()
    home.outages = 2
    with listening(mattermost, home=home) as run:
        wait_until(run.is_connected)
    assert home.numbers() == [1]
    assert home.told[0] == ("number", 1, "start")


@pytest.mark.parametrize("text", ['{"event": "posted", "se', "\ud800", "[]", "", "0"])
def test_what_is_no_event_goes_to_the_rejects(
    mattermost: Mattermost, text: str
) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        wait_until(lambda: run.home.answered_at)
        mattermost.faults.malform_frame(text)
        say(mattermost, "in its place")
        wait_until(lambda: run.home.rejects)
        wait_until(lambda: "wake" in run.home.told)
        # Nobody knows its number: so the next one shows a gap, and all is read again.
        say(mattermost, "after")
        wait_until(lambda: run.home.number == 2)
    raw, reason = run.home.rejects[0]
    assert raw == text.encode("utf-8", "surrogatepass")
    assert reason


def test_a_wish_is_granted_with_a_new_number(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        run.home.wish = "deaf: somebody said so"
        wait_until(lambda: run.home.number == 2)
    assert ("number", 2, "deaf: somebody said so") in run.home.told
    assert run.listener.resumes == 0


def test_pongs_tell_how_far_was_heard(mattermost: Mattermost) -> None:
    mattermost.clock.shift(-3_600_000)
    with listening(mattermost) as run:
        wait_until(lambda: run.home.answered_at)
        there = mattermost.clock.now_ms()
        assert abs(run.listener._client.server_now_ms() - there) < 2000
        assert abs(run.home.answered_at - there) < 10_000


def test_the_bot_added_to_a_channel_is_told(mattermost: Mattermost) -> None:
    town = mattermost.town
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        channel = mattermost.scene.add_channel(
            team_id=town.team, name="new", creator_id=town.admin
        )
        mattermost.scene.join(channel_id=channel, user_id=town.bot, by=town.admin)
        wait_until(lambda: "channels" in run.home.told)
        wait_until(lambda: any(e.name == "user_added" for e in run.home.events))
    assert run.home.numbers() == [1]


def test_the_bot_removed_from_a_channel_gets_a_new_number(
    mattermost: Mattermost,
) -> None:
    town = mattermost.town
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        mattermost.scene.leave(channel_id=town.second, user_id=town.bot, by=town.admin)
        wait_until(lambda: run.home.number == 2)
        say(mattermost, "after")
        wait_until(run.home.posts)
    assert run.home.events[-1].connection == 2
    assert ("watch", 2) in run.home.told


def test_others_who_come_and_go_change_nothing(mattermost: Mattermost) -> None:
    town = mattermost.town
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        mattermost.scene.leave(channel_id=town.channel, user_id=town.bob, by=town.admin)
        mattermost.scene.join(channel_id=town.channel, user_id=town.bob, by=town.admin)
        say(mattermost, "after")
        wait_until(lambda: "after" in run.home.posts())
    assert run.home.numbers() == [1]
    assert "channels" not in run.home.told


def test_a_proxy_that_drops_the_header_is_got_round(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    mattermost.settings.auth_wait_s = 0.3
    monkeypatch.setattr(dialogue, "NO_TOKEN_S", 0.2)
    with Detour(mattermost.port, without=b"authorization") as detour:
        with listening(mattermost, port=detour.port) as run:
            wait_until(run.is_connected)
            say(mattermost, "by message")
            wait_until(run.home.posts)
            detour.cut()
            wait_until(lambda: run.home.number == 2)
            wait_until(run.is_connected)
    assert run.listener.resumes == 0
    assert not [head for head in detour.heads if b"connection_id" in head]


def test_a_token_that_is_wrong_from_the_start_ends_the_daemon(
    mattermost: Mattermost,
) -> None:
    mattermost.scene.revoke_token(mattermost.town.token)
    with listening(mattermost) as run:
        wait_until(lambda: run.error)
    assert isinstance(run.error, Misconfigured)
    assert run.listener.is_vital
    assert mattermost.town.token not in str(run.error)
    assert "mattermost.token" in str(run.error)


def test_a_token_refused_later_is_a_state(
    mattermost: Mattermost,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(listen, "UNAUTHORISED_WAIT_S", 0.1)
    mattermost.settings.auth_wait_s = 0.1
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        mattermost.scene.disable(mattermost.town.bot)
        mattermost.faults.cut()
        wait_until(lambda: run.state.startswith("unauthorised"))
        assert not run.health.is_ready
        refusals: set[str] = set()

        def is_refused_again() -> bool:
            """Each refusal has the number of its own request."""
            refusals.add(run.state)
            return len(refusals) > 3

        wait_until(is_refused_again)
        mattermost.scene.enable(mattermost.town.bot)
        wait_until(run.is_connected)
        assert run.health.is_ready
    errors = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert run.error is None


def test_a_refused_token_is_tried_each_minute(mattermost: Mattermost) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
        refused = Unauthorised("get /users/me", Answer(401, SESSION_EXPIRED))
        assert run.listener._react(refused, run.listener._client) == 60


def test_a_proxy_that_wants_a_login_is_a_state_from_the_start(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "UNAUTHORISED_WAIT_S", 0.1)
    mattermost.faults.fail(401, is_html=True)
    with listening(mattermost) as run:
        wait_until(lambda: run.state.startswith("unauthorised"))
        mattermost.faults.heal()
        wait_until(run.is_connected)
    assert run.error is None


def test_a_server_that_is_down_at_start_is_waited_for(mattermost: Mattermost) -> None:
    mattermost.faults.fail(502, is_html=True)
    with listening(mattermost) as run:
        wait_until(lambda: run.state.startswith("down"))
        assert not run.health.is_ready
        mattermost.faults.heal()
        wait_until(run.is_connected)
    assert run.home.numbers() == [1]


def test_a_failure_is_told_once(
    mattermost: Mattermost, caplog: pytest.LogCaptureFixture
) -> None:
    mattermost.faults.fail(502, is_html=True)
    with listening(mattermost) as run:
        wait_until(lambda: run.listener._backoff.failures > 3)
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1


def test_a_stop_wakes_it_while_nothing_comes(
    mattermost: Mattermost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "TURN_S", 60.0)
    with listening(mattermost) as run:
        wait_until(run.is_connected)
    assert run.error is None


def test_a_stop_is_no_failure(
    mattermost: Mattermost, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(mattermost) as run:
        wait_until(run.is_connected)
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []
