"""Listens to VK: polls for updates and hands them on, batch by batch, in their order.

A batch comes with the `ts` after it, which whoever takes batches keeps in the
transaction of the events. The next poll is made only when the next batch is asked for:
VK keeps what nobody has taken.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from malexbot.errors import MalexbotError, Permanent, Transient
from malexbot.events import Event, Origin
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.failures import Busy, Unauthorised, gist
from malexbot.messengers.vk.garbled import CALL, Detour, Garbled, beginning
from malexbot.messengers.vk.session import (
    LIMITS,
    Limits,
    Session,
    read_news,
    read_session,
    read_ts,
)
from malexbot.messengers.vk.since import Since
from malexbot.messengers.vk.translate import SOURCE, Translator
from malexbot.messengers.vk.updates import Updates
from malexbot.messengers.vk.wire import Json, Wire
from malexbot.ports import Reject
from malexbot.runtime.health import Health
from malexbot.runtime.heart import beat
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# How much later than it should an answer may come.
GRACE_S = 10.0
# After so many failures in a row, the session may be what is wrong.
MOST_FAILURES = 3
# A session that lasted so long was well: its end is the first failure.
HEALTHY_S = 60.0
# After so long without a poll, what is told next may have waited.
HELD_UP_S = 10.0
# Of an answer that nobody can read so much is kept.
MOST_KEPT = 2**16
LONGEST_POLL_WAIT_S = 30.0
# VK bars who asks for servers in a tight loop.
LONGEST_SERVER_WAIT_S = 300.0
REFUSED_WAIT_S = 60.0


class Batch(NamedTuple):
    """What was told up to `ts`; to be written together with it, or not at all."""

    ts: str
    events: Sequence[Event] = ()
    rejects: Sequence[Reject] = ()
    lost: str = ""
    """What was lost before it, in words; "" if nothing."""
    answered_at: float = 0.0
    """When all that was there had been told, by the clock."""


class Ended(Transient):
    """The session is over; a new one is to be made."""


class LongPoll:
    """The reader of one community; its batches are taken by one thread."""

    def __init__(
        self,
        *,
        client: Client,
        group_id: int,
        translator: Translator,
        health: Health,
        limits: Limits = LIMITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._group_id = group_id
        self._translator = translator
        self._health = health
        self._limits = limits
        self._clock = clock
        self._polls = Backoff(
            first_s=limits.first_poll_wait_s, longest_s=LONGEST_POLL_WAIT_S
        )
        self._servers = Backoff(
            first_s=limits.first_server_wait_s, longest_s=LONGEST_SERVER_WAIT_S
        )
        self._told = ""
        self._session: Session | None = None
        self._lost = ""
        self._heard_at = 0.0
        self._since = Since(clock)
        self._detour = Detour()
        self.duplicates = 0
        """How many updates came once more, and were dropped."""
        self.gaps = 0
        """How often updates were lost before they could be fetched."""
        self.sessions = 0
        """How often a server was asked for, and given."""

    @property
    def is_connected(self) -> bool:
        """Yes: what happens is told as it happens."""
        return self._session is not None and not self._told

    def batches(
        self,
        ts: str | None,
        stop: Stop,
        *,
        connection: int = 0,
        answered_ago_s: float | None = None,
    ) -> Iterator[Batch]:
        """From `ts` on, or from now on if it is None; empty ones too, to show life.

        `answered_ago_s`: when VK last told anything, if `ts` is of that time. Ends
        when the stop comes; goes on over all that may fail at VK.
        """
        self._since.begin(answered_ago_s)
        reading = _Reading(
            Wire(),
            self._client.within(stop, patience_s=0),
            Updates(self._translator, connection),
        )
        self._session, self._lost = None, ""
        self._tell("connects", is_ready=False)
        try:
            with stop.waking(reading.wire.cut):
                while not stop.is_set:
                    beat()
                    try:
                        batch = self._turn(reading, ts)
                    except MalexbotError as error:
                        if not stop.is_set:
                            stop.wait(self._react(error))
                        continue
                    ts = batch.ts
                    yield from self._hand_on(batch)
        finally:
            reading.wire.close()

    def _hand_on(self, batch: Batch) -> Iterator[Batch]:
        """Who takes it may be held up: a new session tells what waited meanwhile."""
        handed_on_at = self._clock()
        yield batch
        if self._clock() - handed_on_at > HELD_UP_S:
            self._session = None

    # One poll.

    def _turn(self, reading: _Reading, ts: str | None) -> Batch:
        if self._session is None:
            session = self._session = self._open(reading.client)
            if ts is None:
                # The mark comes before the first event: a crash then loses none.
                return self._at_head(session.ts)
            if self._lost:
                reason, self._lost = self._lost, ""
                gap, lost = self._gap(ts, session.ts, reason, reading)
                return self._at_head(session.ts, [gap], lost)
        session = self._session
        asked, asked_at = ts or session.ts, self._clock()
        try:
            answer = self._poll(reading.wire, session, asked, self._limits.wait_s)
        except Garbled as error:
            if told := beginning(error.content):
                # Each of them counts one.
                after = str(int(asked) + len(told))
                return self._told_of(told, asked, after, asked_at, session, reading)
            return self._pass(error, asked, session, reading)
        if "failed" in answer:
            return self._failed(answer, asked, reading)
        after, updates = read_news(answer)
        self._went_well(session, is_news=bool(updates))
        return self._told_of(updates, asked, after, asked_at, session, reading)

    def _told_of(
        self,
        updates: Sequence[Any],
        asked: str,
        after: str,
        asked_at: float,
        session: Session,
        reading: _Reading,
    ) -> Batch:
        # What is up to the session's ts was there before it began.
        head, end = int(session.ts), int(after)
        origin: Origin = "live" if end > head else "replay"
        ago_s = self._since.hear(
            asked_at, is_all=end >= head, was_there=int(asked) < head
        )
        found = reading.updates.read(updates, origin, ago_ms=round(ago_s * 1000))
        self.duplicates += found.duplicates
        return Batch(after, found.events, found.rejects, answered_at=self._heard())

    def _at_head(self, ts: str, events: Sequence[Event] = (), lost: str = "") -> Batch:
        """Nothing that happened before this moment is to come."""
        self._since.hear(self._clock())
        return Batch(ts, events, lost=lost, answered_at=self._heard())

    def _pass(
        self, error: Garbled, ts: str, session: Session, reading: _Reading
    ) -> Batch:
        """Behind what stays garbled in a new session too, if it can be read there."""
        if self._polls.failures < MOST_FAILURES:
            raise error
        behind = self._detour.find(
            int(ts),
            int(session.ts),
            lambda at: read_news(self._poll(reading.wire, session, str(at), 0.0)),
        )
        if behind is None:
            raise error
        gap, lost = self._gap(ts, str(behind), "VK tells them as no JSON", reading)
        reject = Reject(SOURCE, error.content[:MOST_KEPT], lost)
        return Batch(str(behind), [gap], [reject], lost, answered_at=self._heard())

    def _heard(self) -> float:
        """When VK was last heard to its end."""
        heard_at = self._since.heard_at
        return self._clock() if heard_at is None else heard_at

    def _poll(self, wire: Wire, session: Session, ts: str, wait_s: float) -> Json:
        began = self._clock()
        answer = wire.poll(
            session.server,
            {"act": "a_check", "key": session.key, "ts": ts, "wait": f"{wait_s:g}"},
            read_s=wait_s + GRACE_S,
        )
        is_nothing = answer.get("updates") == [] and read_ts(answer.get("ts")) == ts
        if is_nothing and self._clock() - began < wait_s / 2:
            raise Busy(CALL, "nothing is told, and nobody waited for it")
        return answer

    def _failed(self, answer: Json, ts: str, reading: _Reading) -> Batch:
        """failed 1: go on with its ts; 2: a new key, the same ts; 3: both anew."""
        failed, after = answer["failed"], read_ts(answer.get("ts"))
        if failed == 1 and after not in (None, ts):
            gap, lost = self._gap(ts, after, "the history is outdated", reading)
            return self._at_head(after, [gap], lost)
        if failed == 3 or after is None and failed == 1:
            self._lost = "VK lost what it kept"
        raise Ended(f"failed {str(failed)[:40]}")

    def _gap(
        self, ts: str, after: str, reason: str, reading: _Reading
    ) -> tuple[Event, str]:
        """What was lost nobody can fetch: it is said, and it goes on."""
        self.gaps += 1
        lost = f"updates between {ts} and {after} are lost: {reason}"
        log.warning("VK: %s", lost)
        return reading.updates.gap(ts, after, reason), lost

    # The session.

    def _open(self, client: Client) -> Session:
        told = client.long_poll_server(self._group_id)
        session = read_session(told, self._clock())
        self.sessions += 1
        self._heard_at = session.began
        if not self._told:
            self._tell("connected", is_ready=True)
        return session

    def _went_well(self, session: Session, *, is_news: bool) -> None:
        """A session that is old or silent may be deaf: it is made anew, from its ts."""
        now = self._clock()
        self._polls.reset()
        if self._told:
            log.info("VK is heard again")
            self._tell("connected", is_ready=True)
            self._told = ""
        if now - session.began > HEALTHY_S:
            self._servers.reset()
        if is_news:
            self._heard_at = now
        is_old = now - session.began > self._limits.session_s
        if is_old or now - self._heard_at > self._limits.silent_s:
            log.info("the session with VK is %s", "old" if is_old else "silent")
            self._session = None

    def _react(self, error: MalexbotError) -> float:
        """Say what happened; returns how long to wait for the next try."""
        if isinstance(error, Ended):
            log.info("VK ended the session: %s", error)
            self._session = None
            return self._servers.next_s()
        wait_s = self._wait_s(error)
        self._tell_change(error)
        state = "unauthorised" if isinstance(error, Unauthorised) else "down"
        self._tell(f"{state}: {error}; next try in {wait_s:.0f} s", is_ready=False)
        return wait_s

    def _wait_s(self, error: MalexbotError) -> float:
        """A poll is tried anew soon; who asks for servers too often is barred."""
        if self._session is not None:
            if not (self._polls.failures + 1) % MOST_FAILURES:
                self._session = None
            return self._polls.next_s()
        asked_s = (
            error.retry_after_s if isinstance(error, Transient) else REFUSED_WAIT_S
        )
        return max(self._servers.next_s(), asked_s or 0.0)

    def _tell_change(self, error: MalexbotError) -> None:
        """What goes on as before is told once."""
        if gist(error) != self._told:
            level = logging.ERROR if isinstance(error, Permanent) else logging.WARNING
            log.log(level, "%s; tries again", error)
            self._told = gist(error)

    def _tell(self, state: str, *, is_ready: bool) -> None:
        self._health.tell(SOURCE, state, is_ready=is_ready)


class _Reading(NamedTuple):
    """What one call of `batches` has for itself."""

    wire: Wire
    client: Client
    updates: Updates
