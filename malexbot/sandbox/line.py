"""One TCP connection of the server, whatever is spoken on it."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time

_CHUNK = 65536
# How often a blocked writer looks whether the line was cut.
_LOOK_MS = 50


class Line:
    """Read by one thread, written by several, cut by any."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sock, select.POLLOUT)
        self._sending = threading.Lock()
        self._is_cut = threading.Event()
        self._resets = False
        # The user whose websocket this is.
        self.websocket_of = ""
        # Silent on purpose: what is sent or comes in is swallowed.
        self.is_swallowed = False

    def set_nagle(self, is_on: bool) -> None:
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not is_on)

    def receive(self, seconds: float) -> bytes:
        """Some bytes; none when the line is cut. TimeoutError when nothing came."""
        until = time.monotonic() + seconds
        while True:
            left_ms = (until - time.monotonic()) * 1000
            if left_ms <= 0 or not self._poll.poll(left_ms):
                raise TimeoutError
            try:
                content = self._sock.recv(_CHUNK)
            except ConnectionError:
                return b""
            if self._is_cut.is_set() or not content:
                return b""
            if not self.is_swallowed:
                return content

    def send(self, content: bytes) -> bool:
        """No: the line is cut."""
        with self._sending:
            if self._is_cut.is_set():
                return False
            if self.is_swallowed:
                return True
            try:
                return self._send_all(memoryview(content))
            except OSError:
                return False

    def _send_all(self, content: memoryview) -> bool:
        """A client that does not read must not keep the writer beyond a cut."""
        while content:
            try:
                sent = self._sock.send(content, socket.MSG_DONTWAIT)
                content = content[sent:]
            except BlockingIOError:
                self._writable.poll(_LOOK_MS)
                if self._is_cut.is_set():
                    return False
        return True

    def wait_cut(self, seconds: float | None) -> bool:
        """Wait, but no longer than the line lives. Yes: it is cut."""
        return self._is_cut.wait(seconds)

    def cut(self, *, resets: bool = False) -> None:
        """End it from any thread: by RST, or by FIN. Its reader does the closing."""
        if self._is_cut.is_set():
            return
        self._resets = resets
        self._is_cut.set()
        try:
            # Only wakes the reader: a FIN must not go out before the RST.
            self._sock.shutdown(socket.SHUT_RD if resets else socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        """By the thread that reads, at its end."""
        self._is_cut.set()
        if self._resets:
            now = struct.pack("ii", 1, 0)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        self._sock.close()
