"""Answers that are there in time as a whole, however a service lets them drip.

The time-out of `requests` is for each read: who sends a byte now and then would hold a
thread for ever. And it sends all that is said under the time-out for connecting, which
is short: here each piece of it has the time-out of a read.
"""

from __future__ import annotations

import io
import math
import socket
from collections.abc import Callable
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from malexbot.runtime.deadline import Deadline

Watch = Callable[[socket.socket], object]


class TimelyAdapter(HTTPAdapter):
    """Mounted, it makes the time-out of a read that of the whole answer."""

    def __init__(
        self,
        *,
        watch: Watch = lambda line: None,
        connect_s: float = math.inf,
        silent_s: float = math.inf,
        **more: Any,
    ) -> None:
        """`watch` is told of every line that it opens, be it by way of a proxy.

        To connect takes no longer than `connect_s`, whatever is asked for. An answer
        of which nothing comes for `silent_s` ends earlier.
        """
        self._watch = watch
        self._connect_s = connect_s
        self._answer = type("Answer", (_Answer,), {"silent_s": silent_s})
        super().__init__(**more)

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        *args: Any,
        **more: Any,
    ) -> Response:
        if isinstance(timeout, tuple):
            _, timeout = timeout
            if isinstance(request.body, bytes):
                # What is read like a file is sent piece by piece.
                body: Any = io.BytesIO(request.body)
                request.body = body
        return super().send(request, stream, timeout, *args, **more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self._make_timely(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        is_known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **more)
        if not is_known:
            self._make_timely(manager)
        return manager

    def _make_timely(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            scheme: self._timely(pool)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }

    def _timely(self, pool: Any) -> Any:
        """The same class of pool, be it of a proxy, whose lines answer in time."""
        base = pool.ConnectionCls

        def connect(line: Any) -> None:
            line_s, line.timeout = line.timeout, min(line.timeout, self._connect_s)
            base.connect(line)
            line.timeout = line_s
            line.sock.settimeout(line_s)
            self._watch(line.sock)

        ours = {"response_class": self._answer, "connect": connect}
        line = type(base.__name__, (base,), ours)
        return type(pool.__name__, (pool,), {"ConnectionCls": line})


class _Reader(io.RawIOBase):
    """What comes in over a line, until its time is over."""

    def __init__(
        self, line: socket.socket, incoming: io.RawIOBase, *, silent_s: float
    ) -> None:
        self._line = line
        self._incoming = incoming
        self._silent_s = silent_s
        self._deadline = Deadline(line.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._deadline.left_s
        if not left_s:
            raise TimeoutError("the answer took too long")
        self._line.settimeout(min(left_s, self._silent_s))
        return self._incoming.readinto(buffer)

    def close(self) -> None:
        self._incoming.close()
        super().close()


class _Answer(HTTPResponse):
    """Reads itself in time."""

    silent_s = math.inf

    def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        incoming: Any = self.fp
        self.fp = io.BufferedReader(
            _Reader(sock, incoming.detach(), silent_s=self.silent_s)
        )
