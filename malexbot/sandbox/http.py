"""The HTTP/1.1 server: a thread a TCP line, keep-alive, and the turn to a websocket."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

from malexbot.sandbox.call import Request
from malexbot.sandbox.faults import Faults, Unanswered
from malexbot.sandbox.line import Line

_log = logging.getLogger(__name__)
_MOST_HEAD = 65536
# A line is looked at this often even if nothing comes, so that a stop is seen.
_IDLE_S = 3600.0

# What the server asks of the sandbox: an answer as bytes, or none when the line
# was used up for something else (a websocket).
Handle = Callable[[Line, Request, bytes], bytes | None]


class Broken(Exception):
    """What came is no HTTP that we understand."""


class Server:
    """Listens on a port and hands each request to `handle`."""

    def __init__(
        self, handle: Handle, faults: Faults, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._handle = handle
        self._faults = faults
        self._address = (host, port)
        self._listener: socket.socket | None = None
        self._lines: dict[threading.Thread, Line] = {}
        self._lock = threading.Lock()
        self._acceptor: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Stays the same over a restart; 0 before the start."""
        return self._address[1]

    def start(self) -> None:
        self._listener = socket.create_server(self._address, backlog=128)
        self._address = self._listener.getsockname()
        self._acceptor = threading.Thread(
            target=self._accept,
            args=(self._listener,),
            name="sandbox-accept",
            daemon=True,
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Every line is closed; idempotent."""
        listener, self._listener = self._listener, None
        if listener is None or self._acceptor is None:
            return
        listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        listener.close()
        with self._lock:
            lines = self._lines.copy()
        for line in lines.values():
            line.cut()
        for thread in lines:
            thread.join()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            line = Line(sock)
            thread = threading.Thread(
                target=self._serve, args=(line,), name="sandbox-line", daemon=True
            )
            with self._lock:
                self._lines[thread] = line
            thread.start()

    def _serve(self, line: Line) -> None:
        self._faults.add(line)
        try:
            self._talk(line)
        except Unanswered:
            line.cut(resets=True)
        except (Broken, TimeoutError):
            line.cut()
        finally:
            line.close()
            self._faults.forget(line)
            with self._lock:
                del self._lines[threading.current_thread()]

    def _talk(self, line: Line) -> None:
        pending = b""
        while True:
            found = _read_request(line, pending)
            if found is None:
                return
            request, pending = found
            answer = self._answer(line, request, pending)
            if answer is None or not self._send(line, request, answer):
                return
            if request.headers.get("connection", "").lower() == "close":
                return

    def _answer(self, line: Line, request: Request, pending: bytes) -> bytes | None:
        delay_s = self._faults.delay_s(f"{request.method} {request.target}")
        if delay_s and line.wait_cut(delay_s):
            return None
        return self._handle(line, request, pending)

    def _send(self, line: Line, request: Request, answer: bytes) -> bool:
        pieces, gap_s = self._faults.pieces(answer)
        for piece in pieces:
            if not line.send(piece) or (gap_s and line.wait_cut(gap_s)):
                return False
        return True


def _read_request(line: Line, content: bytes) -> tuple[Request, bytes] | None:
    """The next request and what came behind it; None at the end of the line."""
    while (end := content.find(b"\r\n\r\n")) < 0:
        more = line.receive(_IDLE_S)
        if not more:
            return None
        content += more
        if len(content) > _MOST_HEAD:
            raise Broken
    method, target, headers = _parse_head(content[:end])
    size = _body_size(headers)
    if headers.get("expect", "").lower() == "100-continue":
        line.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts, have = [content[end + 4 :]], len(content) - end - 4
    while have < size:
        more = line.receive(_IDLE_S)
        if not more:
            return None
        parts.append(more)
        have += len(more)
    rest = b"".join(parts)
    return Request(method, target, headers, rest[:size]), rest[size:]


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Broken
    headers = {}
    for text in lines:
        name, colon, value = text.partition(":")
        if not colon:
            raise Broken
        headers[name.strip().lower()] = value.strip()
    return words[0], words[1], headers


def _body_size(headers: dict[str, str]) -> int:
    """Bodies in chunks are not understood: no client of this API sends them."""
    size = headers.get("content-length", "0")
    if "transfer-encoding" in headers or not size.isdecimal():
        raise Broken
    return int(size)
