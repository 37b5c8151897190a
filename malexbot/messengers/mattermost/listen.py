"""Listens to Mattermost: keeps one websocket open and hands on what it tells.

The one thread of the service waits for nobody longer than a moment: when the intake
stays full, the connection is dropped on purpose. Every connection that is not a proven
resume has a number, committed before its first event is taken; by it backfill knows
where live posts begin.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from malexbot.errors import MalexbotError, Misconfigured, Permanent
from malexbot.events import Event
from malexbot.messengers.mattermost.borders import LEAST_SET_BACK_MS
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.dialogue import Broken, Cut, NoHello, Resume
from malexbot.messengers.mattermost.failures import Unauthorised, gist
from malexbot.messengers.mattermost.socket import Dial, Frame, Websocket
from malexbot.messengers.mattermost.translate import SOURCE, Translator
from malexbot.runtime.health import Health
from malexbot.runtime.heart import beat
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# A connection that lasted so long was well: its end is the first failure.
HEALTHY_S = 60.0
UNAUTHORISED_WAIT_S = 60.0
# What can change the list of the bot's channels, whoever did it.
OF_CHANNELS = frozenset(
    {
        "added_to_team",
        "channel_converted",
        "channel_created",
        "channel_deleted",
        "channel_restored",
        "channel_updated",
        "direct_added",
        "group_added",
        "update_team",
    }
)
# The same, if it is done to the bot.
OF_MEMBERS = frozenset({"user_added", "user_removed", "leave_team"})


class Full(Broken):
    """The intake has no room: what comes now is fetched later."""


class Intake(Protocol):
    """Where events go; hardly waits, no means that there is no room."""

    def offer(self, event: Event) -> bool: ...

    def reject(self, source: str, raw: bytes, reason: str) -> bool: ...


class Numbers(Protocol):
    """Part of ports.Bookmarks."""

    def open_connection(self, source: str, reason: str) -> int: ...


class Hearing(Protocol):
    """What is remembered of the connection, for those who look for gaps."""

    def answered(self, server_ms: int) -> None: ...

    def heard(self, channel_id: str, post_id: str, create_at: int) -> None: ...

    def take_wish(self) -> str: ...


class Watcher(Protocol):
    """Who reads what nobody heard."""

    def on_new_connection(self, number: int, reason: str) -> None: ...

    def on_channels_changed(self) -> None: ...

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Ends:
    """Where what is heard goes."""

    intake: Intake
    numbers: Numbers
    hearing: Hearing
    watcher: Watcher
    know_self: Callable[[str, str], None]
    """Told the bot's own user id and name before the first event."""


class Listener:
    """The service "mattermost"."""

    name = SOURCE

    def __init__(
        self,
        *,
        dial: Dial,
        client: Client,
        translator: Translator,
        ends: Ends,
        health: Health,
    ) -> None:
        self._dial = dial
        self._client = client
        self._translator = translator
        self._ends = ends
        self._health = health
        self._backoff = Backoff()
        self._resume: Resume | None = None
        self._by_message = False
        self._reason = "start"
        self._own_id = ""
        self._told = ""
        self.number = 0
        """That of the connection of now, or of the last one."""
        self.is_connected = False
        """Yes: the server has greeted us on the connection of now."""
        self.resumes = 0
        """How often a connection went on where the last one ended."""
        self.is_start = True
        """No: the process was up before this; a refused token is a state then."""
        self.is_vital = False
        """Yes only once the token was refused at start: then the daemon ends."""

    def run(self, stop: Stop) -> None:
        client = self._client.within(stop, patience_s=0)
        self._tell("connects", is_ready=False)
        while not stop.is_set:
            try:
                self._know_ourselves(client)
                self._converse(stop)
            except Misconfigured:
                raise
            except MalexbotError as error:
                if not stop.is_set:
                    stop.wait(self._react(error, client))

    # One connection.

    def _know_ourselves(self, client: Client) -> None:
        if self._own_id:
            return
        me = client.me()
        self._own_id = client.own_id
        self._ends.know_self(self._own_id, str(me.get("username") or ""))
        self._translator.learn_users([me])
        log.info("to Mattermost we are %s (%s)", me.get("username"), self._own_id)

    def _converse(self, stop: Stop) -> None:
        """From the handshake to the end, which is raised unless it is the stop."""
        resume, self._resume = self._resume, None
        line = self._dial.open(resume=resume, by_message=self._by_message)
        began = time.monotonic()
        try:
            with stop.waking(line.abort):
                self._listen(line, stop)
        except Cut:
            # One who authenticates by message is a new one to the server each time.
            self._resume = None if self._by_message else line.resume()
            raise
        finally:
            self.is_connected = False
            line.close()
            if time.monotonic() - began > HEALTHY_S:
                self._backoff.reset()

    def _listen(self, line: Websocket, stop: Stop) -> None:
        is_open = False
        for frame in line.frames():
            beat()
            if stop.is_set:
                return
            if not is_open and line.dialogue.is_greeted:
                self._open(line)
                is_open = True
            if frame is not None:
                self._take(frame)
            if line.dialogue.pong is not None or frame is None:
                self._look_around(line)

    def _open(self, line: Websocket) -> None:
        """The number first; then the others may know, and events be taken."""
        if line.dialogue.is_resumed:
            self.resumes += 1
            log.info("connection %d goes on where it was cut", self.number)
        else:
            self._renumber(self._reason)
            log.info("connection %d is open: %s", self.number, self._reason)
        self._reason = ""
        self.is_connected = True
        times = f", resumed {self.resumes} times" if self.resumes else ""
        self._told = ""
        self._tell(f"connected{times}", is_ready=True)

    def _renumber(self, reason: str) -> None:
        """From here on live posts do not continue those of before."""
        self.number = self._ends.numbers.open_connection(SOURCE, reason)
        self._ends.watcher.on_new_connection(self.number, reason)

    def _look_around(self, line: Websocket) -> None:
        pong, line.dialogue.pong = line.dialogue.pong, None
        if pong is not None:
            clock = self._client.link.clock
            back_ms = clock.note_pong(pong.server_ms, sent_at=pong.sent_at)
            if back_ms > LEAST_SET_BACK_MS:
                self._ends.watcher.wake()
            self._ends.hearing.answered(pong.server_ms)
        if wish := self._ends.hearing.take_wish():
            raise Broken(wish)

    # One frame.

    def _take(self, frame: Frame) -> None:
        try:
            event = self._translator.event(
                frame.body, raw=frame.raw, connection=self.number
            )
        except Unreadable as error:
            self._reject(frame, "no JSON" if frame.body is None else str(error))
            return
        if not self._ends.intake.offer(event):
            raise Full("the intake is full")
        if event.name == "posted" and (post := event.post) is not None:
            self._ends.hearing.heard(post.channel_id, post.id, event.occurred_at)
        elif event.name in OF_CHANNELS:
            self._ends.watcher.on_channels_changed()
        elif event.name in OF_MEMBERS:
            self._see_member(event)

    def _reject(self, frame: Frame, reason: str) -> None:
        log.warning("a frame that is no event goes to the rejects: %s", reason)
        if not self._ends.intake.reject(SOURCE, frame.raw, reason):
            raise Full("the intake is full")
        # If it was to tell of a post, its page may be in better order.
        self._ends.watcher.wake()

    def _see_member(self, event: Event) -> None:
        """Who was removed misses what is said until he is back: a new number."""
        is_removal = event.name != "user_added"
        # The removed one is told without his id, in an event for him alone.
        if event.user.uuid not in ("", self._own_id):
            return
        if is_removal:
            self._renumber(f"the bot was removed: {event.name}")
        else:
            self._ends.watcher.on_channels_changed()

    # Its end.

    def _react(self, error: MalexbotError, client: Client) -> float:
        """Say what happened; returns how long to wait for the next try."""
        if isinstance(error, NoHello):
            error = self._explain(error, client)
        # What ended the last connection; tries that fail after it do not matter.
        self._reason = self._reason or str(error)
        if isinstance(error, Unauthorised):
            return self._shut_out(error)
        wait_s = self._backoff.next_s()
        level = logging.ERROR if isinstance(error, Permanent) else logging.WARNING
        self._tell_change(level, "%s; tries again", error)
        self._tell(f"down: {error}; next try in {wait_s:.0f} s", is_ready=False)
        return wait_s

    def _explain(self, error: NoHello, client: Client) -> MalexbotError:
        """The token is refused; or it is good, and something drops the header."""
        try:
            client.me()
        except MalexbotError as refused:
            return refused
        if not (error.was_waited_for or self._by_message):
            return error
        self._by_message = not self._by_message
        way = "by message" if self._by_message else "by header"
        log.info("the token is good, but nobody greets us: it is told %s now", way)
        return error

    def _shut_out(self, error: Unauthorised) -> float:
        if self.is_start and not self.number and error.is_session_expired:
            self.is_vital = True
            raise Misconfigured(
                f"{error}: the server takes no such token; write a valid one to"
                " mattermost.token, or enable the bot"
            )
        self._tell_change(logging.ERROR, "unauthorised: %s; tries each minute", error)
        self._tell(f"unauthorised: {error}", is_ready=False)
        return UNAUTHORISED_WAIT_S

    def _tell_change(self, level: int, told: str, error: MalexbotError) -> None:
        """What goes on as before is told once."""
        if gist(error) != self._told:
            log.log(level, told, error)
            self._told = gist(error)

    def _tell(self, state: str, *, is_ready: bool) -> None:
        self._health.tell(SOURCE, state, is_ready=is_ready)
