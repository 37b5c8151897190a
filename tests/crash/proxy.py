"""A line to a PostgreSQL that reads along, and breaks when a test wants it to.

It knows as much of the wire protocol as it takes to see a COMMIT go by and its
answer come back. What is asked outside of a transaction is one by itself.
"""

from __future__ import annotations

import io
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from malexbot.storage.dsn import Dsn
from tests.crash.strikes import Strike, Strikes
from tests.crash.tunnel import Tunnel

# What may come instead of a startup message (protocol 3.0).
_CANCEL, _ENCRYPT = 80877102, (80877103, 80877104)
_QUERY, _PARSE, _COMPLETE, _READY = b"Q", b"P", b"C", b"Z"
# What was planned before is asked by its name only.
_PREPARE = re.compile(rb"PREPARE (\w+) AS (.*)", re.DOTALL)
_EXECUTE = re.compile(rb"EXECUTE (\w+)")


class Proxy(Tunnel):
    """Forwards between a port of the loopback and the database."""

    def __init__(self, target: Dsn) -> None:
        super().__init__(self._reach, lambda: _Listener(self.strikes))
        self._target = target
        self.strikes = Strikes()

    def __enter__(self) -> Proxy:
        super().__enter__()
        return self

    @property
    def dsn(self) -> Dsn:
        return replace(self._target, host="127.0.0.1", port=self.port)

    def strike(self, strike: Strike) -> None:
        """The line of that COMMIT is cut: it does not arrive, or its answer does not.

        Before that, `act` is done.
        """
        self.strikes.add(strike)

    def heal(self) -> None:
        self.strikes.clear()
        super().heal()

    def _reach(self) -> socket.socket:
        if not self._target.host.startswith("/"):
            return socket.create_connection((self._target.host, self._target.port))
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(f"{self._target.host}/.s.PGSQL.{self._target.port}")
        except OSError:
            line.close()
            raise
        return line


class _Listener:
    """Follows one session: what was asked in the transaction that is open."""

    def __init__(self, strikes: Strikes) -> None:
        self._strikes = strikes
        self._statements: list[bytes] = []
        self._planned: dict[bytes, bytes] = {}
        self._is_open = False
        self._is_at_once = False

    def asked(
        self, stream: io.BufferedReader, answer: Callable[[bytes], None]
    ) -> Iterator[bytes]:
        startup = _startup(stream, answer)
        yield startup
        if startup[4:8] == struct.pack("!I", _CANCEL):
            return
        for kind, frame in _frames(stream):
            if self._is_struck_by_client(kind, frame):
                return
            yield frame

    def answered(self, stream: io.BufferedReader) -> Iterator[bytes]:
        for kind, frame in _frames(stream):
            if self._is_committed(kind, frame):
                if self._strikes.strike_now("after", self._statements):
                    return
            yield frame

    def _is_struck_by_client(self, kind: bytes, frame: bytes) -> bool:
        if kind not in (_QUERY, _PARSE):
            return False
        texts = frame[5:].split(b"\0")
        # A statement that is parsed has a name first, mostly an empty one.
        asked = texts[1] if kind == _PARSE else texts[0]
        if plan := _PREPARE.match(asked):
            self._planned[plan[1]] = plan[2]
            return False
        self._is_at_once = not self._is_open and not asked.startswith(b"BEGIN")
        if not self._is_open:
            self._statements.clear()
        self._is_open = not asked.startswith((b"COMMIT", b"ROLLBACK")) and (
            self._is_open or asked.startswith(b"BEGIN")
        )
        self._statements.append(_EXECUTE.sub(self._words, asked))
        is_commit = asked == b"COMMIT" or self._is_at_once
        return is_commit and self._strikes.strike_now("before", self._statements)

    def _words(self, execute: re.Match[bytes]) -> bytes:
        return self._planned.get(execute[1], execute[0])

    def _is_committed(self, kind: bytes, frame: bytes) -> bool:
        """Yes: what was asked has happened, and the client does not know it yet."""
        if self._is_at_once and kind == _READY:
            self._is_at_once = False
            return True
        return kind == _COMPLETE and frame[5:] == b"COMMIT\0"


def _startup(stream: io.BufferedReader, answer: Callable[[bytes], None]) -> bytes:
    """The message that begins a session, or cancels one. We offer no encryption."""
    while len(head := stream.read(8)) == 8:
        length, code = struct.unpack("!II", head)
        if code not in _ENCRYPT:
            return head + stream.read(length - 8)
        answer(b"N")
    return b""


def _frames(stream: io.BufferedReader) -> Iterator[tuple[bytes, bytes]]:
    """Each message whole, with its kind."""
    while len(head := stream.read(5)) == 5:
        rest = int.from_bytes(head[1:]) - 4
        body = stream.read(rest)
        if len(body) < rest:
            return
        yield head[:1], head + body
