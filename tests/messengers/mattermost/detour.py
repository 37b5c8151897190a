"""Something between us and the server: it drops headers, cuts lines, speaks TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading


class Detour:
    """Forwards TCP to a port of this machine."""

    def __init__(
        self, port: int, *, without: bytes = b"", tls: ssl.SSLContext | None = None
    ) -> None:
        """`without`: the name of a header, in lower case, that does not pass."""
        self.heads: list[bytes] = []
        """The first line of each request."""
        self.sent: list[bytes] = []
        """All that passed, either way."""
        self._port = port
        self._without = without
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def __enter__(self) -> Detour:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Reset every line."""
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            try:
                linger = struct.pack("ii", 1, 0)
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _start(self, target: object, *args: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=args, name="detour")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            self._start(self._serve, near)

    def _serve(self, near: socket.socket) -> None:
        try:
            if self._tls is not None:
                near = self._tls.wrap_socket(near, server_side=True)
            far = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            near.close()
            return
        with self._lock:
            self._lines += [near, far]
        self._start(self._forward, far, near)
        self._forward(near, far)

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(self._filtered(data))
        except OSError:
            pass
        for line in (source, sink):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        source.close()

    def _filtered(self, data: bytes) -> bytes:
        self.sent.append(data)
        if b"\r\n\r\n" not in data:
            return data
        self.heads.append(data.partition(b"\r\n")[0])
        if not self._without:
            return data
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        kept = [x for x in lines if not x.lower().startswith(self._without + b":")]
        return b"\r\n".join(kept) + b"\r\n\r\n" + body
