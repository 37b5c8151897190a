"""Reads requests off connections and sends the answers, as far as that goes at once."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from http import HTTPStatus
from selectors import BaseSelector

from malexbot.runtime.deadline import Deadline
from malexbot.web.crew import Crew
from malexbot.web.line import FULL, Line, State
from malexbot.web.lines import Lines
from malexbot.web.refusals import Refused, Tally

MOST_HELD = 64 * 1024 * 1024
# From its first byte to its last; Mattermost sends all of it at once.
REQUEST_S = 10.0
SEND_S = 10.0
# How long the other side may take to hang up when all is said.
LEAVE_S = 2.0
# Longer than Go's clients (90 s) and Nginx (60 s) keep a connection, so that it is
# they who close it, never we in the moment of their next request.
IDLE_S = 120.0
# At a stop: what a request that has begun to come may still take to be whole.
LAST_S = 1.0
_CHUNK = 64 * 1024
_GOES_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_SLOW = Refused(HTTPStatus.REQUEST_TIMEOUT, "the request took too long")


class Clerk:
    """Serves every line in turn; belongs to the one thread that does so."""

    def __init__(
        self,
        selector: BaseSelector,
        *,
        choose: Callable[[Line], Crew[Line]],
        tally: Tally,
    ) -> None:
        """`choose` tells which crew is to answer a request that is whole."""
        self.lines = Lines(selector, self._be_ready)
        self._choose = choose
        self._tally = tally

    def welcome(self, line: Line) -> None:
        self.lines.put(line, "idle", REQUEST_S)

    def send_away(self, line: Line, refused: Refused) -> None:
        """Its place is needed at once, so nobody waits until it has heard that."""
        self._refuse(line, refused)
        self.lines.hang_up(line)

    def make_room(self) -> bool:
        """Let go who has said nothing for longest, or else who is at it for longest."""
        if line := self.lines.first_over("leaving", "idle"):
            self.lines.hang_up(line)
            return True
        return self._let_the_slowest_go()

    def end_late(self) -> None:
        """Whose time is over."""
        for line in self.lines.late():
            if line.state == "arriving":
                self._refuse(line, _TOO_SLOW)
                continue
            if line.state == "sending":
                self._tally.refused("the answer was not taken")
            self.lines.hang_up(line)

    def close(self) -> None:
        """From now on who has begun is served, and no more."""
        for line in self.lines:
            if line.state == "idle":
                self._read(line)
            if line.state == "idle":
                self.lines.hang_up(line)
            elif line.state == "arriving":
                line.until = Deadline(min(LAST_S, line.until.left_s))

    def send_answer(self, line: Line) -> None:
        self._tally.answered(line.code)
        self._send(line)
        if line.to_send and line in self.lines:
            self.lines.put(line, "sending", SEND_S)

    def _be_ready(self, line: Line) -> None:
        """Others may have changed it since the selector saw it."""
        if line not in self.lines:
            return
        if line.state == "at work":
            self.lines.ignore(line)
        else:
            _READY[line.state](self, line)

    def _let_the_slowest_go(self) -> bool:
        line = self.lines.first_over("arriving")
        if line:
            self.send_away(line, _TOO_SLOW)
        return line is not None

    # Requests.

    def _read(self, line: Line) -> None:
        data = _receive(line)
        if data:
            self._feed(line, data)
        elif data is not None:
            if line.state == "arriving":
                self._tally.refused("the request was broken off")
            self.lines.hang_up(line)

    def _feed(self, line: Line, data: bytes) -> None:
        if line.state == "idle":
            self.lines.put(line, "arriving", REQUEST_S)
        is_news = line.arrival.head is None
        try:
            line.arrival.feed(data)
        except Refused as refused:
            self._refuse(line, refused)
            return
        head = line.arrival.head
        if line.arrival.is_whole:
            self._hand_over(line)
        elif head and head.waits and is_news:
            self._say_go_on(line)
        elif line.arrival.size > _CHUNK and self.lines.held > MOST_HELD:
            self._let_the_slowest_go()

    def _say_go_on(self, line: Line) -> None:
        try:
            line.sock.send(_GOES_ON)
        except OSError:
            self.lines.hang_up(line)

    def _hand_over(self, line: Line) -> None:
        self.lines.put(line, "at work", math.inf)
        line.queue()
        if not self._choose(line).offer(line):
            self._refuse(line, FULL)

    # Answers.

    def _refuse(self, line: Line, refused: Refused) -> None:
        self._tally.refused(refused.why)
        line.refuse(refused)
        self.send_answer(line)

    def _send(self, line: Line) -> None:
        try:
            sent = line.sock.send(line.to_send)
        except BlockingIOError:
            return
        except OSError:
            self.lines.hang_up(line)
            return
        line.to_send = line.to_send[sent:]
        if not line.to_send:
            line.note_written()
            self._go_on(line)

    def _go_on(self, line: Line) -> None:
        if not line.is_kept:
            self._say_good_bye(line)
            return
        rest = line.begin_anew()
        self.lines.put(line, "idle", IDLE_S)
        if rest:
            self._feed(line, rest)

    def _say_good_bye(self, line: Line) -> None:
        """Closed at once, a line takes its answer back if more of the request comes."""
        try:
            line.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.lines.hang_up(line)
            return
        self.lines.put(line, "leaving", LEAVE_S)

    def _discard(self, line: Line) -> None:
        if _receive(line) == b"":
            self.lines.hang_up(line)


_READY: dict[State, Callable[[Clerk, Line], None]] = {
    "idle": Clerk._read,
    "arriving": Clerk._read,
    "sending": Clerk._send,
    "leaving": Clerk._discard,
}


def _receive(line: Line) -> bytes | None:
    """What came; b"" when nothing comes any more, None when nothing came yet."""
    try:
        return line.sock.recv(_CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
