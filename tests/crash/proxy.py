"""A line to a PostgreSQL that reads along, and breaks when a test wants it to.

It knows as much of the wire protocol as it takes to see a COMMIT go by and its
answer come back. What is asked outside of a transaction is one by itself.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, Literal

from malexbot.storage.dsn import Dsn

Moment = Literal["before", "after"]

# What may come instead of a startup message (protocol 3.0).
_CANCEL, _ENCRYPT = 80877102, (80877103, 80877104)
_QUERY, _PARSE, _COMPLETE, _READY = b"Q", b"P", b"C", b"Z"


def _nothing() -> None:
    """The line is cut, and that is all."""


@dataclass(slots=True)
class Strike:
    """Something that happens at the k-th COMMIT from now, before or after it."""

    at: int
    moment: Moment
    act: Callable[[], None] = _nothing
    wrote: str = ""
    """Counts only transactions in which this was asked, a regular expression."""
    seen: int = 0

    def is_due(self, moment: Moment, statements: list[bytes]) -> bool:
        """Counts one more commit; yes: this is the one."""
        if self.moment != moment or not self._fits(statements):
            return False
        self.seen += 1
        return self.seen == self.at

    def _fits(self, statements: list[bytes]) -> bool:
        return any(re.search(self.wrote.encode(), asked) for asked in statements)


class Proxy:
    """Forwards between a port of the loopback and the server."""

    def __init__(self, target: Dsn) -> None:
        self._target = target
        self._door = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._strikes: list[Strike] = []
        self._is_refusing = False
        self._is_holding = False
        self._thread = threading.Thread(target=self._run, name="proxy")

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._door.close()
        for line in self._all():
            line.cut()
            line.thread.join()

    @property
    def dsn(self) -> Dsn:
        port = self._door.getsockname()[1]
        return replace(self._target, host="127.0.0.1", port=port)

    # What a test orders.

    def strike(self, strike: Strike) -> None:
        """The line of that COMMIT is cut: it does not arrive, or its answer does not.

        Before that, `act` is done.
        """
        with self._lock:
            self._strikes.append(strike)

    def cut(self) -> None:
        """Both ends of all lines know it at once."""
        for line in self._all():
            line.cut()

    def refuse(self, is_refusing: bool = True) -> None:
        """Hang up on everybody who comes new."""
        self._is_refusing = is_refusing

    def hold(self) -> None:
        """Half open: every line stays, new ones too, and nothing goes through."""
        with self._lock:
            self._is_holding = True
            for line in self._lines:
                line.is_swallowed = True

    def heal(self) -> None:
        """No orders any more. Lines that were held are cut at the client's end.

        The server knows nothing of that, as when a firewall forgot the line.
        """
        with self._lock:
            self._is_refusing = self._is_holding = False
            self._strikes.clear()
            swallowed = [line for line in self._lines if line.is_swallowed]
        for line in swallowed:
            line.cut_near()

    # What its lines ask.

    def strike_now(self, moment: Moment, statements: list[bytes]) -> bool:
        """Yes: it struck, and the line is to be cut."""
        with self._lock:
            due = [s for s in self._strikes if s.is_due(moment, statements)]
            for strike in due:
                self._strikes.remove(strike)
        for strike in due:
            strike.act()
        return bool(due)

    def dial(self) -> socket.socket:
        if not self._target.host.startswith("/"):
            return socket.create_connection((self._target.host, self._target.port))
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(f"{self._target.host}/.s.PGSQL.{self._target.port}")
        except OSError:
            line.close()
            raise
        return line

    def forget(self, line: _Line) -> None:
        with self._lock:
            self._lines.discard(line)

    def _all(self) -> list[_Line]:
        with self._lock:
            return list(self._lines)

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if self._is_refusing:
                near.close()
                continue
            near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                line = _Line(self, near, is_swallowed=self._is_holding)
                self._lines.add(line)
            line.thread.start()


class _Line:
    """One client and its session, with a thread for each direction."""

    def __init__(
        self, proxy: Proxy, near: socket.socket, *, is_swallowed: bool
    ) -> None:
        self.is_swallowed = is_swallowed
        self.thread = threading.Thread(target=self._run, name="proxy-line")
        self._proxy = proxy
        self._near = near
        self._far: socket.socket | None = None
        self._statements: list[bytes] = []
        self._is_open = False
        self._is_at_once = False

    def cut(self) -> None:
        self.cut_near()
        if self._far is not None:
            with suppress(OSError):
                self._far.shutdown(socket.SHUT_RDWR)

    def cut_near(self) -> None:
        with suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with self._near, suppress(OSError), self._proxy.dial() as self._far:
            back = threading.Thread(target=self._from_server, name="proxy-back")
            back.start()
            self._from_client()
            back.join()
        self._proxy.forget(self)

    def _from_client(self) -> None:
        with suppress(OSError), self._near.makefile("rb") as stream:
            if self._start(stream):
                for kind, frame in _frames(stream):
                    if self._is_struck_by_client(kind, frame):
                        break
                    self._pass_on(self._far, frame)
        self._ended()

    def _from_server(self) -> None:
        assert self._far is not None
        with suppress(OSError), self._far.makefile("rb") as stream:
            for kind, frame in _frames(stream):
                if self._is_committed(kind, frame):
                    if self._proxy.strike_now("after", self._statements):
                        break
                self._pass_on(self._near, frame)
        self._ended()

    def _start(self, stream: IO[bytes]) -> bool:
        """Yes: a session begins. We offer no encryption."""
        while len(head := stream.read(8)) == 8:
            length, code = struct.unpack("!II", head)
            if code in _ENCRYPT:
                self._pass_on(self._near, b"N")
                continue
            self._pass_on(self._far, head + stream.read(length - 8))
            return bool(code != _CANCEL)
        return False

    def _is_struck_by_client(self, kind: bytes, frame: bytes) -> bool:
        if kind not in (_QUERY, _PARSE):
            return False
        texts = frame[5:].split(b"\0")
        # A statement that is parsed has a name first, mostly an empty one.
        asked = texts[1] if kind == _PARSE else texts[0]
        self._is_at_once = not self._is_open and not asked.startswith(b"BEGIN")
        if not self._is_open:
            self._statements.clear()
        self._is_open = not asked.startswith((b"COMMIT", b"ROLLBACK")) and (
            self._is_open or asked.startswith(b"BEGIN")
        )
        self._statements.append(asked)
        is_commit = asked == b"COMMIT" or self._is_at_once
        return is_commit and self._proxy.strike_now("before", self._statements)

    def _is_committed(self, kind: bytes, frame: bytes) -> bool:
        """Yes: what was asked has happened, and the client does not know it yet."""
        if self._is_at_once and kind == _READY:
            self._is_at_once = False
            return True
        return kind == _COMPLETE and frame[5:] == b"COMMIT\0"

    def _pass_on(self, end: socket.socket | None, content: bytes) -> None:
        if end is not None and not self.is_swallowed:
            end.sendall(content)

    def _ended(self) -> None:
        """What one end does the other learns, unless nothing goes through."""
        if not self.is_swallowed:
            self.cut()


def _frames(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each message whole, with its kind."""
    while len(head := stream.read(5)) == 5:
        rest = int.from_bytes(head[1:]) - 4
        body = stream.read(rest)
        if len(body) < rest:
            return
        yield head[:1], head + body
