"""What is said on a websocket, without the socket: hello, numbers, pings, resume.

Pure: it is told what came in and what time it is, and says what that means. The
server numbers its events from 0, the hello, without a gap; so a number that is
missing is an event that is missing. What ends the dialogue is raised: `Cut` came
from outside and may be resumed, `Broken` is our own verdict and never is.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, NamedTuple

import orjson

from malexbot.errors import Transient
from malexbot.messengers.mattermost.failures import Answer, Unauthorised

# Measured: a server that gets no token closes after 5 s.
HELLO_S = 6.0
# Its closing after so long without a hello means that it saw no token.
NO_TOKEN_S = 4.0
PING_EVERY_S = 30.0
PONG_S = 10.0
# A close is only trusted to lose nothing if the other side was heard just before,
# and if we were there to see it: a process that was stopped for longer was not.
HEARD_S = 5.0
# On a doubled socket the second copy follows at once.
COPY_S = 5.0
_ID_LENGTH = 26


class Cut(Transient):
    """The other side ended the connection, or the line did."""


class Broken(Transient):
    """The connection is of no use any more, and we drop it."""


class NoHello(Broken):
    """Nobody greeted us; `was_waited_for` tells a lost token from a lost line."""

    def __init__(self, reason: str, *, was_waited_for: bool) -> None:
        super().__init__(reason)
        self.was_waited_for = was_waited_for


class Resume(NamedTuple):
    """Where an ended connection could go on."""

    connection_id: str
    next_sequence: int


class Pong(NamedTuple):
    """The answer to a ping: the server's clock then, and when it was asked."""

    server_ms: int
    sent_at: float


class Dialogue:
    """One connection, from the handshake to its end."""

    def __init__(self, *, now: float, resume: Resume | None = None) -> None:
        self.connection_id = resume.connection_id if resume else ""
        self.is_greeted = False
        """Yes: a hello came, or the resume is proven; events are taken from now on."""
        self.is_resumed = False
        self.is_doubled = False
        self.pong: Pong | None = None
        """The last one; whoever reads it may take it away."""
        self.ping_at = now
        """When something is to be done about pings; looked at often, so kept bare."""
        self._resume = resume
        self._opened_at = self._heard_at = self._looked_at = now
        self._has_stalled = False
        self._expected = resume.next_sequence if resume else 0
        self._asked_at: float | None = None
        self._number = 0
        self._copies: OrderedDict[bytes, float] = OrderedDict()

    # What comes in.

    def take(self, frame: Any, raw: bytes, now: float) -> bool:
        """Yes: it is an event to hand on. No: it was for us, or came before."""
        self._look(now)
        self._heard_at = now
        if type(frame) is not dict:
            return True
        if "event" not in frame:
            return not self._is_reply(frame, now)
        sequence = frame.get("seq")
        if type(sequence) is not int:
            return True
        if frame["event"] == "hello":
            self._greet(frame, sequence)
        elif not self.is_greeted:
            self._prove_resume(sequence)
        if sequence != self._expected:
            return self._is_odd(sequence)
        self._expected += 1
        return not (self.is_doubled and self._is_copy(raw, now))

    def _greet(self, frame: dict[str, Any], sequence: int) -> None:
        told = frame.get("data")
        connection_id = told.get("connection_id") if isinstance(told, dict) else ""
        if not self.is_greeted:
            self.is_greeted = True
            self.connection_id = str(connection_id or "")
            self._expected = sequence
        elif connection_id != self.connection_id:
            raise Broken("the server began anew on the same socket")
        elif sequence == self._expected:
            # Both of its writers greet, and from now on both tell everything. To
            # close this socket can panic the server's hub: it is kept.
            self.is_doubled = True

    def _prove_resume(self, sequence: int) -> None:
        if self._resume is None or sequence != self._resume.next_sequence:
            raise Broken(f"event {sequence} came without a hello")
        self.is_greeted = self.is_resumed = True

    def _is_odd(self, sequence: int) -> bool:
        """The last one once more is no harm; any other number is a gap."""
        if sequence == self._expected - 1:
            return False
        raise Broken(f"event {self._expected} is missing, {sequence} came")

    def _is_copy(self, raw: bytes, now: float) -> bool:
        """Of two that differ in their numbers only, the second is one."""
        copies = self._copies
        while copies and next(iter(copies.values())) < now - COPY_S:
            copies.popitem(last=False)
        what = raw[: raw.rfind(b'"seq"')]
        if copies.pop(what, None) is not None:
            return True
        copies[what] = now
        return False

    # Pings, which are answered behind all events that came before them.

    def ping(self, now: float) -> str:
        """What to send now; raises Broken if the last one was not answered."""
        if self._asked_at is not None:
            raise Broken(f"no answer to a ping for {now - self._asked_at:.0f} s")
        self._number += 1
        self._asked_at, self.ping_at = now, now + PING_EVERY_S
        return orjson.dumps({"seq": self._number, "action": "ping"}).decode()

    def challenge(self, token: str) -> str:
        """The token as a message, for where the header does not arrive."""
        self._number += 1
        told = {"seq": self._number, "action": "authentication_challenge"}
        return orjson.dumps({**told, "data": {"token": token}}).decode()

    def check(self, now: float) -> None:
        """Raises if what should have come by now did not; asked when nothing comes."""
        self._look(now)
        if not self.is_greeted and now - self._opened_at > HELLO_S:
            raise NoHello("no hello", was_waited_for=True)
        if self._asked_at is not None and now - self._asked_at > PONG_S:
            raise Broken(f"no answer to a ping for {now - self._asked_at:.0f} s")

    def _look(self, now: float) -> None:
        """We look twice a second, or else it was we who were not there."""
        if now - self._looked_at > HEARD_S:
            self._has_stalled = True
        self._looked_at = now

    def _is_reply(self, frame: dict[str, Any], now: float) -> bool:
        """Yes: it answers something that we sent."""
        status = frame.get("status")
        if status == "FAIL":
            raise self._failure(frame.get("error"))
        if status != "OK":
            return False
        if frame.get("seq_reply") != self._number or self._asked_at is None:
            return True
        told = frame.get("data")
        if not isinstance(told, dict) or told.get("text") != "pong":
            raise Broken("a ping was answered with something else")
        if not self.is_greeted and self._resume is not None:
            self.is_greeted = self.is_resumed = True
        server_ms = told.get("server_time")
        if type(server_ms) is int:
            self.pong = Pong(server_ms, self._asked_at)
        self._asked_at = None
        return True

    def _failure(self, told: Any) -> Transient:
        """Its message shows the token, so only its id is told."""
        told = told if isinstance(told, dict) else {}
        id_ = str(told.get("id", ""))
        if told.get("status_code") == 401:
            return Unauthorised("websocket", Answer(401, id_, "the token is refused"))
        return Broken(f"the server refused a ping: {id_}")

    # The end.

    def cut(self, reason: str, now: float) -> Transient:
        """The connection is gone; the error that says so."""
        if self.is_greeted:
            return Cut(reason)
        waited_s = now - self._opened_at
        return NoHello(
            f"{reason} before the hello", was_waited_for=waited_s > NO_TOKEN_S
        )

    def resume(self, now: float) -> Resume | None:
        """Where to go on after a cut; None where that could lose something."""
        is_id = len(self.connection_id) == _ID_LENGTH and self.connection_id.isalnum()
        if not (self.is_greeted and is_id and self._expected > 0):
            return None
        if self.is_doubled or self._has_stalled or now - self._heard_at > HEARD_S:
            return None
        return Resume(self.connection_id, self._expected)
