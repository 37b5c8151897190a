"""Wakes a thread that waits for sockets."""

from __future__ import annotations

import socket


class Bell:
    """`sock` can be read from once somebody has rung; `hush` is for then."""

    def __init__(self) -> None:
        self.sock, self._cord = socket.socketpair()
        self.sock.setblocking(False)
        self._cord.setblocking(False)

    def ring(self) -> None:
        """From any thread; after `close` it does nothing."""
        try:
            self._cord.send(b"!")
        except OSError:
            pass  # it rings already, or nobody listens any more

    def hush(self) -> None:
        self.sock.recv(4096)

    def close(self) -> None:
        self.sock.close()
        self._cord.close()
