"""One client's connection, from its first byte to its last."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any, Literal

from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.wsgi import Gateway_10, Server

from malexbot.errors import ANYTHING
from malexbot.runtime.deadline import Deadline
from malexbot.web.arrival import Arrival
from malexbot.web.refusals import Refused

log = logging.getLogger(__name__)

# idle: nothing of a request has come; arriving: something; at work: a thread has it;
# sending: the answer leaves; leaving: it left, and the other side is to hang up.
State = Literal["idle", "arriving", "at work", "sending", "leaving"]

# After this many seconds in the queue nobody is glad of an answer any more: a dialog
# can be opened for 3 s.
PATIENCE_S = 2.0
# Called by the application with what is to be called, by the thread that sends, once
# the last byte was handed to the system; that has to be quick and raise nothing.
ON_WRITTEN = "malexbot.on_written"
_BROKEN = Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "that failed")
FULL = Refused(
    HTTPStatus.SERVICE_UNAVAILABLE, "too much at a time, try again", retry_after_s=1
)


class Headers(HeaderReader):
    """As they came, but for what has been answered and what would be mistaken.

    WSGI writes X_Forwarded_For like X-Forwarded-For, so whoever sends the one means to
    be taken for the other. (cheroot has a reader against that, which takes no bytes.)
    """

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        fields = super().__call__(rfile, hdict)
        for name in [name for name in fields if b"_" in name or name == b"Expect"]:
            del fields[name]
        return fields


class Request(HTTPRequest):
    header_reader = Headers()


class Exchange(HTTPConnection):
    """What cheroot takes for a connection: the whole request, room for the answer."""

    RequestHandlerClass = Request
    on_written: Callable[[], None]


class Gateway(Gateway_10):
    """WSGI, and beyond it a way to learn that an answer has left."""

    def get_environ(self) -> Any:
        exchange = self.req.conn
        return {
            **super().get_environ(),  # type: ignore[no-untyped-call]
            ON_WRITTEN: partial(setattr, exchange, "on_written"),
        }


class Line:
    """Belongs to the reception, and while it is at work to the thread that has it."""

    def __init__(
        self, server: Server, sock: socket.socket, address: tuple[Any, ...]
    ) -> None:
        self.sock = sock
        self.remote = str(address[0])
        self.state: State = "idle"
        self.until = Deadline.never()
        self.watched = 0
        """Which events of its socket are waited for."""
        self.arrival = Arrival()
        self.to_send = b""
        self.is_kept = False
        """Yes: after its answer another request may come."""
        self._exchange = Exchange(server, sock, lambda *_: BytesIO())
        self._exchange.remote_addr, self._exchange.remote_port = address[:2]
        self._queued: Deadline | None = None

    def queue(self) -> None:
        """From now on it waits for a thread."""
        self._queued = Deadline(PATIENCE_S)

    def answer(self) -> Refused | None:
        """Have the request answered; returns what it was refused for, if it was."""
        if self._queued is not None and self._queued.is_over:
            self.refuse(FULL)
            return FULL
        exchange: Any = self._exchange
        exchange.on_written = _nothing
        exchange.rfile, exchange.wfile = BytesIO(self.arrival.request), BytesIO()
        try:
            self.is_kept = bool(exchange.communicate())
            self.to_send = exchange.wfile.getvalue()
        except ANYTHING:
            log.error("a request ended its thread", exc_info=True)
            self.refuse(_BROKEN)
        finally:
            # cheroot's objects hold themselves: they stay until they are collected.
            exchange.rfile = exchange.wfile = BytesIO()
        return None

    def refuse(self, refused: Refused) -> None:
        self.is_kept = False
        self._exchange.on_written = _nothing
        self.to_send = refused.answer()

    def note_written(self) -> None:
        self._exchange.on_written()

    @property
    def code(self) -> int:
        """Of the answer that is to be sent: it stands behind `HTTP/1.1 `."""
        return int(self.to_send[9:12] or 0)

    def begin_anew(self) -> bytes:
        """Ready for the next request; returns what came of it already."""
        rest = self.arrival.rest
        self.arrival = Arrival()
        return rest


def _nothing() -> None:
    """Nobody wants to know."""
