"""A line to a Redis that reads along, and breaks when a test wants it to."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator

from tests.crash.strikes import Strike, Strikes
from tests.crash.tunnel import Tunnel

_CHUNK = 1 << 16


class RedisLine(Tunnel):
    """Forwards between a port of the loopback and a Redis; a step is what is asked."""

    def __init__(self, port: int) -> None:
        self.strikes = Strikes()
        super().__init__(
            lambda: socket.create_connection(("127.0.0.1", port)),
            lambda: _Listener(self.strikes),
        )

    def __enter__(self) -> RedisLine:
        super().__enter__()
        return self

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def strike(self, strike: Strike) -> None:
        """What is asked does not arrive, or its answer does not; `act` comes first."""
        self.strikes.add(strike)

    def heal(self) -> None:
        self.strikes.clear()
        super().heal()


class _Listener:
    """One session: a client asks the next thing when it was answered the last one."""

    def __init__(self, strikes: Strikes) -> None:
        self._strikes = strikes
        self._asked = b""

    def asked(
        self, stream: io.BufferedReader, answer: Callable[[bytes], None]
    ) -> Iterator[bytes]:
        while piece := stream.read1(_CHUNK):
            self._asked = piece
            if self._strikes.strike_now("before", [piece]):
                return
            yield piece

    def answered(self, stream: io.BufferedReader) -> Iterator[bytes]:
        while piece := stream.read1(_CHUNK):
            if self._strikes.strike_now("after", [self._asked]):
                return
            yield piece
