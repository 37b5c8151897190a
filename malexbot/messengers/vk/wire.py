"""The line of a long poll: one request that waits, which a stop can cut at once."""

from __future__ import annotations

import socket
import threading
from typing import Any

from malexbot.messengers.line import Line
from malexbot.messengers.vk.failures import Answer, Busy, Failure, Unreachable
from malexbot.messengers.vk.garbled import CALL, parsed
from malexbot.messengers.vk.link import KINDS

Json = dict[str, Any]


class Wire:
    """Used by one thread, cut by any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._is_cut = False
        self._line: Line | None = None

    def poll(self, url: str, params: dict[str, str], *, read_s: float) -> Json:
        """The object that the server answers; raises Transient."""
        if self._line is None:
            self._line = Line("VK's long poll", url, kinds=KINDS, watch=self._watch)
        try:
            response = self._line.request(
                CALL, "get", url, is_repeatable=True, read_s=read_s, params=params
            )
        except Failure as error:
            # The address of a poll has its key in it, which is not to be told.
            told = str(error.args[-1]).partition("?")[0]
            raise Unreachable(CALL, told) from None
        if response.status_code != 200:
            raise Busy(CALL, Answer(0, "is no answer of VK", response.status_code))
        return parsed(response.content)

    def cut(self) -> None:
        """End the request that waits, and any that comes after."""
        with self._lock:
            self._is_cut = True
            sock = self._sock
        if sock is not None:
            _shut(sock)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()

    def _watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._sock = sock
            is_cut = self._is_cut
        if is_cut:
            _shut(sock)


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it ended by itself
        pass
