"""Takes connections and requests in, and sends the answers; it waits for nobody.

A thread is given only to a request that is whole, and loses it before the answer is
sent. So who sends a byte a minute, or reads one, holds a socket and no thread; and when
sockets run short, who has been at it for longest has to go.
"""

from __future__ import annotations

import logging
import math
import socket
import time
from collections import deque
from collections.abc import Callable
from selectors import EVENT_READ, DefaultSelector

from cheroot.wsgi import Server

from malexbot.runtime.deadline import Deadline
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.web.bell import Bell
from malexbot.web.clerk import Clerk
from malexbot.web.crew import Crew
from malexbot.web.line import FULL, Line
from malexbot.web.refusals import Tally

log = logging.getLogger(__name__)

# Far below the 1024 files that a process may have open by default.
MOST_LINES = 256
# How often time is looked at while there are connections, and while there are none.
TICK_S = 0.25
REST_S = 60.0
TELL_S = 60.0
_ACCEPTS_A_TURN = 64


class Reception:
    """Owns every socket; `serve` is its one thread."""

    def __init__(
        self,
        *,
        server: Server,
        listener: socket.socket,
        choose: Callable[[Line], Crew[Line]],
        tally: Tally,
    ) -> None:
        """`choose` tells which crew is to answer a request that is whole."""
        self._server = server
        self._listener = listener
        self._tally = tally
        self._bell = Bell()
        self._selector = DefaultSelector()
        self._clerk = Clerk(self._selector, choose=choose, tally=tally)
        self._answered: deque[Line] = deque()
        self._is_open = False
        self._looked_at = self._told_at = -math.inf

    @property
    def lines(self) -> int:
        """How many connections there are."""
        return len(self._clerk.lines)

    def serve(self, stop: Stop, *, finish_s: float) -> None:
        """Until the stop; what has begun by then may take so much longer."""
        self._selector.register(self._bell.sock, EVENT_READ, self._hear_bell)
        self._open()
        try:
            with stop.waking(self._bell.ring):
                while not stop.is_set:
                    self._turn()
            self._drain(stop.deadline, Deadline(finish_s))
        finally:
            self._close()

    def give_back(self, line: Line) -> None:
        """Its answer can be sent; from the thread that made it."""
        self._answered.append(line)
        self._bell.ring()

    def _turn(self) -> None:
        is_quiet = self._is_open and not self.lines
        with outside("requests"):
            ready = self._selector.select(REST_S if is_quiet else TICK_S)
        for key, _ in ready:
            key.data()
        now = time.monotonic()
        if now - self._looked_at >= TICK_S:
            self._looked_at = now
            self._look_at_time(now)

    def _hear_bell(self) -> None:
        self._bell.hush()
        while self._answered:
            self._clerk.send_answer(self._answered.popleft())

    def _look_at_time(self, now: float) -> None:
        if self._server.ready:
            self._open()
        self._clerk.end_late()
        if now - self._told_at >= TELL_S and self._tell():
            self._told_at = now

    def _tell(self) -> bool:
        """Yes: there was something to tell."""
        news = self._tally.news()
        if news:
            reasons = ", ".join(f"{why} ({n})" for why, n in news.most_common())
            log.warning("refused %s: %s", _requests(news.total()), reasons)
        return bool(news)

    def _open(self) -> None:
        if not self._is_open:
            self._selector.register(self._listener, EVENT_READ, self._accept)
            self._is_open = True

    def _shut(self) -> None:
        if self._is_open:
            self._selector.unregister(self._listener)
            self._is_open = False

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            try:
                sock, address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._bear(error)
                return
            self._take(sock, address)

    def _bear(self, error: OSError) -> None:
        """As a rule, no more files may be open."""
        self._tally.refused(f"no connection can be taken: {error.strerror}")
        if not self._clerk.make_room():
            self._shut()  # until the next look at the time

    def _take(self, sock: socket.socket, address: tuple[object, ...]) -> None:
        sock.setblocking(False)
        line = Line(self._server, sock, address)
        is_welcome = self.lines < MOST_LINES or self._clerk.make_room()
        self._clerk.welcome(line)
        if not is_welcome:
            self._clerk.send_away(line, FULL)

    def _drain(self, deadline: Deadline, most: Deadline) -> None:
        """Nobody new comes in, and who has begun is served."""
        self._accept()
        self._shut()
        self._listener.close()
        self._server.ready = False
        self._clerk.close()
        while self._has_begun() and not (deadline.is_over or most.is_over):
            self._turn()

    def _has_begun(self) -> bool:
        return self._clerk.lines.count("arriving", "at work", "sending") > 0

    def _close(self) -> None:
        if left := self._clerk.lines.count("at work"):
            log.warning("%s got no answer before the end", _requests(left))
        self._tell()
        self._shut()
        self._listener.close()
        for line in self._clerk.lines:
            self._clerk.lines.hang_up(line)
        self._selector.close()
        self._bell.close()


def _requests(count: int) -> str:
    return "a request" if count == 1 else f"{count} requests"
