"""The websocket of one client: a reader, a writer, and the actions it understands."""

from __future__ import annotations

import base64
import hashlib
import struct
import threading
import time
from collections.abc import Callable

from wsproto import ConnectionType
from wsproto.connection import Connection as Protocol
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from malexbot.sandbox.actions import Actions, Hang
from malexbot.sandbox.connection import Connection
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.line import Line

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# A whole frame; the protocol object belongs to the reader and may be closing.
_PING = b"\x89\x00"
# How many frames go out in one write.
_BATCH = 64
_TOO_BIG = 1009


def accept_key(key: str) -> str:
    digest = hashlib.sha1(key.encode() + _GUID).digest()
    return base64.b64encode(digest).decode()


def text_frame(payload: bytes) -> bytes:
    """A server's text frame: no mask, so two bytes and a length are all it takes."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


class Socket:
    """Runs in the thread of its TCP line, with a writer beside it."""

    def __init__(
        self,
        *,
        line: Line,
        connection: Connection,
        first: list[bytes],
        actions: Actions,
        faults: Faults,
        on_end: Callable[[Connection], None],
    ) -> None:
        """`first`: the frames that a resume sends again, before all that waits."""
        self._line = line
        self._connection = connection
        self._first = first
        self._actions = actions
        self._faults = faults
        self._on_end = on_end
        self._settings = connection.settings
        self._protocol = Protocol(ConnectionType.SERVER)
        self._message = bytearray()
        self._pong_at = time.monotonic()
        self._has_ended = threading.Event()

    def run(self, early: bytes = b"") -> None:
        """Until the socket ends; `early` came together with the handshake."""
        name = f"sandbox-writer-{self._connection.id[:6]}"
        writer = threading.Thread(target=self._write, name=name, daemon=True)
        writer.start()
        try:
            self._read(early)
        finally:
            self._has_ended.set()
            self._line.cut()
            self._connection.outbox.wake()
            writer.join()
            self._on_end(self._connection)

    # Reading.

    def _read(self, early: bytes) -> None:
        content = early or self._receive()
        while content and self._take(content):
            content = self._receive()

    def _receive(self) -> bytes:
        """Nothing when the line is cut, or no pong came for too long."""
        left_s = self._pong_at + self._settings.pong_wait_s - time.monotonic()
        try:
            return self._line.receive(left_s) if left_s > 0 else b""
        except TimeoutError:
            return self._receive()

    def _take(self, content: bytes) -> bool:
        """No: the socket ends here."""
        try:
            self._protocol.receive_data(content)
            return all(self._handle(event) for event in self._protocol.events())
        except (RemoteProtocolError, LocalProtocolError, Hang):
            return False

    def _handle(self, event: Event) -> bool:
        if isinstance(event, Pong):
            self._pong_at = time.monotonic()
        elif isinstance(event, Ping):
            return self._line.send(self._protocol.send(event.response()))
        elif isinstance(event, CloseConnection):
            self._line.send(self._protocol.send(event.response()))
            return False
        elif isinstance(event, TextMessage | BytesMessage):
            return self._collect(event)
        return True

    def _collect(self, event: TextMessage | BytesMessage) -> bool:
        piece = event.data
        self._message += piece.encode() if isinstance(piece, str) else bytes(piece)
        if len(self._message) > self._settings.max_frame_bytes:
            close = CloseConnection(code=_TOO_BIG)
            self._line.send(self._protocol.send(close))
            return False
        if event.message_finished:
            message, self._message = bytes(self._message), bytearray()
            self._actions.handle(self._connection, message)
        return True

    # Writing.

    def _write(self) -> None:
        outbox = self._connection.outbox
        self._send(self._first)
        now = time.monotonic()
        ping_at = now + self._settings.ping_every_s
        auth_at = now + self._settings.auth_wait_s
        while not self._has_ended.is_set():
            wait_s = min(ping_at, auth_at) - time.monotonic()
            items = outbox.take(_BATCH, max(0.0, wait_s), self._has_ended.is_set)
            if not items and outbox.is_closed:
                self._end()
            self._send(
                [
                    item if isinstance(item, bytes) else self._connection.number(item)
                    for item in items
                ]
            )
            now = time.monotonic()
            if now >= ping_at:
                self._line.send(_PING)
                ping_at += self._settings.ping_every_s
            if now >= auth_at:
                auth_at = float("inf")
                if not self._connection.user_id:
                    self._end()

    def _send(self, payloads: list[bytes]) -> None:
        payloads = self._faults.frames(self._line, payloads)
        frames = [text_frame(payload) for payload in payloads]
        if frames and not self._line.send(b"".join(frames)):
            self._end()

    def _end(self) -> None:
        """From the writer: close the TCP line, the reader does the rest."""
        self._has_ended.set()
        self._line.cut()
