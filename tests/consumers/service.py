"""A service that events are posted to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Call(NamedTuple):
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Service(ThreadingHTTPServer):
    """A service that answers as it is told."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Desk)
        self.calls: list[Call] = []
        self.lines: list[socket.socket] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        self.body = b""
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.is_mute = False
        self.unbearable = b""
        """It falls silent when it is given that."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"

    def handle_error(self, *_: object) -> None:
        """A client may hang up before it has read all."""

    def hang_up(self) -> None:
        for line in self.lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class Desk(BaseHTTPRequestHandler):
    """Where a call comes in."""

    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece.
    wbufsize = -1
    server: Service

    def setup(self) -> None:
        super().setup()
        self.server.lines.append(self.connection)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(Call(self.path, dict(self.headers), body))
        self.server.goes_on.wait(20)
        unbearable = self.server.unbearable
        if self.server.is_mute or unbearable and unbearable in body:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        told = {"Content-Length": str(len(self.server.body)), **self.server.headers}
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def dripping(begins: bytes, drips: bytes) -> Iterator[str]:
    """A service whose answer never ends; its address."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line, _ = server.accept()
        with line, suppress(OSError):
            line.recv(65536)
            line.sendall(begins)
            while True:
                line.sendall(drips)
                threading.Event().wait(0.02)

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    thread.join()
    server.close()
