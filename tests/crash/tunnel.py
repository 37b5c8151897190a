"""A TCP line of ours to a server: it forwards, until a test wants it broken."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

_CHUNK = 1 << 16

Dial = Callable[[], socket.socket]


class Listener(Protocol):
    """Reads along on one line: what it yields goes on; where it ends, so does it."""

    def asked(
        self, stream: io.BufferedReader, answer: Callable[[bytes], None]
    ) -> Iterator[bytes]:
        """What the client says; the server does not hear of what we `answer`."""

    def answered(self, stream: io.BufferedReader) -> Iterator[bytes]:
        """What the server says."""


class Deaf:
    """Understands nothing: all passes as it comes."""

    def asked(
        self, stream: io.BufferedReader, answer: Callable[[bytes], None]
    ) -> Iterator[bytes]:
        return iter(lambda: stream.read1(_CHUNK), b"")

    def answered(self, stream: io.BufferedReader) -> Iterator[bytes]:
        return iter(lambda: stream.read1(_CHUNK), b"")


class Tunnel:
    """`with Tunnel(dial) as tunnel:` from a port of the loopback to a server."""

    def __init__(self, dial: Dial, listener: Callable[[], Listener] = Deaf) -> None:
        self.dial = dial
        self.listener = listener
        self.gap_s = 0.0
        # It never listens, it keeps the port while the door is shut.
        self._seat = socket.socket()
        self._seat.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._seat.bind(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._is_holding = False
        self._is_ending = threading.Event()
        self._door: socket.socket | None = None
        self._thread = threading.Thread()

    def __enter__(self) -> Tunnel:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_ending.set()
        self.refuse()
        self._seat.close()
        for line in self._all():
            line.cut()
            line.thread.join()

    @property
    def port(self) -> int:
        return int(self._seat.getsockname()[1])

    # What a test orders.

    def cut(self) -> None:
        """Both ends of all lines know it at once."""
        for line in self._all():
            line.cut()

    def refuse(self) -> None:
        """Nobody new comes in; the port stays ours."""
        door, self._door = self._door, None
        if door is not None:
            with door, suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
                self._thread.join()

    def hold(self) -> None:
        """Half open: every line stays, new ones too, and nothing goes through."""
        with self._lock:
            self._is_holding = True
            for line in self._lines:
                line.is_swallowed = True

    def slow(self, gap_s: float) -> None:
        """So long a wait before each piece, in both directions."""
        self.gap_s = gap_s

    def heal(self) -> None:
        """No orders any more. Lines that were held are cut at the client's end.

        The server knows nothing of that, as when a firewall forgot the line.
        """
        with self._lock:
            self._is_holding = False
            swallowed = [line for line in self._lines if line.is_swallowed]
        self.gap_s = 0.0
        for line in swallowed:
            line.cut_near()
        self._open()

    # What its lines ask.

    def wait(self) -> None:
        """As long as it is slow, and no longer than it is there."""
        if self.gap_s:
            self._is_ending.wait(self.gap_s)

    def forget(self, line: _Line) -> None:
        with self._lock:
            self._lines.discard(line)

    def _all(self) -> list[_Line]:
        with self._lock:
            return list(self._lines)

    def _open(self) -> None:
        """Idempotent."""
        if self._door is None:
            self._door = socket.create_server(self._seat.getsockname())
            self._thread = threading.Thread(
                target=self._run, args=(self._door,), name="tunnel"
            )
            self._thread.start()

    def _run(self, door: socket.socket) -> None:
        while True:
            try:
                near, _ = door.accept()
            except OSError:
                return
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                line = _Line(self, near, is_swallowed=self._is_holding)
                self._lines.add(line)
            line.thread.start()


class _Line:
    """One client and its server, with a thread for each direction."""

    def __init__(
        self, tunnel: Tunnel, near: socket.socket, *, is_swallowed: bool
    ) -> None:
        self.is_swallowed = is_swallowed
        self.thread = threading.Thread(target=self._run, name="tunnel-line")
        self._tunnel = tunnel
        self._listener = tunnel.listener()
        self._near = near
        self._far: socket.socket | None = None

    def cut(self) -> None:
        self.cut_near()
        if self._far is not None:
            with suppress(OSError):
                self._far.shutdown(socket.SHUT_RDWR)

    def cut_near(self) -> None:
        with suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with self._near, suppress(OSError), self._tunnel.dial() as self._far:
            back = threading.Thread(target=self._from_server, name="tunnel-back")
            back.start()
            self._from_client()
            back.join()
        self._tunnel.forget(self)

    def _from_client(self) -> None:
        with suppress(OSError), self._near.makefile("rb") as stream:
            for piece in self._listener.asked(stream, self._answer):
                self._pass_on(self._far, piece)
        self._ended()

    def _from_server(self) -> None:
        assert self._far is not None
        with suppress(OSError), self._far.makefile("rb") as stream:
            for piece in self._listener.answered(stream):
                self._pass_on(self._near, piece)
        self._ended()

    def _answer(self, content: bytes) -> None:
        self._pass_on(self._near, content)

    def _pass_on(self, end: socket.socket | None, content: bytes) -> None:
        self._tunnel.wait()
        if end is not None and not self.is_swallowed:
            end.sendall(content)

    def _ended(self) -> None:
        """What one end does the other learns, unless nothing goes through."""
        if not self.is_swallowed:
            self.cut()
