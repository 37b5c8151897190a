"""A TCP line to a PostgreSQL that a test can cut or make deaf."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from malexbot.storage.dsn import Dsn


class Proxy:
    """Forwards between a port of the loopback and the server."""

    def __init__(self, target: Dsn) -> None:
        self._target = target
        self._door = socket.create_server(("127.0.0.1", 0))
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._ends = threading.Event()
        self.is_deaf = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy")

    @property
    def dsn(self) -> Dsn:
        port = self._door.getsockname()[1]
        return replace(self._target, host="127.0.0.1", port=port)

    def cut(self) -> None:
        for line in list(self._pairs):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._door, selectors.EVENT_READ)
            while not self._ends.is_set():
                for key, _ in selector.select(0.02):
                    self._serve(selector, key.fileobj)
            for line in self._pairs:
                line.close()

    def _serve(self, selector: selectors.BaseSelector, ready: object) -> None:
        if ready is self._door:
            near, far = self._door.accept()[0], self._dial()
            for one, other in ((near, far), (far, near)):
                self._pairs[one] = other
                selector.register(one, selectors.EVENT_READ)
        elif isinstance(ready, socket.socket) and ready in self._pairs:
            self._forward(selector, ready)

    def _forward(self, selector: selectors.BaseSelector, line: socket.socket) -> None:
        try:
            said = line.recv(1 << 16)
            if said and not self.is_deaf.is_set():
                self._pairs[line].sendall(said)
        except OSError:
            said = b""
        if not said:
            for end in (line, self._pairs[line]):
                selector.unregister(end)
                del self._pairs[end]
                end.close()

    def _dial(self) -> socket.socket:
        if not self._target.host.startswith("/"):
            return socket.create_connection((self._target.host, self._target.port))
        line = socket.socket(socket.AF_UNIX)
        line.connect(f"{self._target.host}/.s.PGSQL.{self._target.port}")
        return line

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        self._thread.start()
        try:
            yield self
        finally:
            self._ends.set()
            self._thread.join()
            self._door.close()
