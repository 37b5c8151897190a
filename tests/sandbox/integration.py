"""An integration that a test plays: it keeps what it is told, and answers."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.sandbox.clients import PATIENCE_S


@dataclass(frozen=True)
class Told:
    """One call, as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The fields of a form, or of the query of a GET."""
        told = self.body or self.target.partition("?")[2]
        return parse_qsl(told, keep_blank_values=True)

    @property
    def fields(self) -> dict[str, Any]:
        """Of a form or of a JSON object."""
        if self.body.startswith("{"):
            return dict(json.loads(self.body))
        return dict(self.pairs)


@dataclass(frozen=True)
class Reply:
    """What is answered to it."""

    body: str = "{}"
    status: int = 200
    kind: str = "application/json"
    # It comes when nobody waits for it any more.
    is_late: bool = False
    is_dropped: bool = False

    @classmethod
    def of(cls, **fields: Any) -> Reply:
        return cls(json.dumps(fields))


class Integration(ThreadingHTTPServer):
    """`with Integration() as integration:`; `answer` says what comes next."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: Callable[[Told], Reply] = lambda told: Reply()
        self.is_over = threading.Event()
        self._told: queue.Queue[Told] = queue.Queue()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def will(self, reply: Reply) -> None:
        """Answer so from now on."""
        self.answer = lambda told: reply

    def take(self) -> Told:
        """The next that it was told, once that has come."""
        return self._told.get(timeout=PATIENCE_S)

    def is_idle(self) -> bool:
        """Yes: all that it was told was taken."""
        return self._told.empty()

    def hear(self, told: Told) -> Reply:
        reply = self.answer(told)
        self._told.put(told)
        return reply

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of those who did not wait for an answer nothing is said."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Integration

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size).decode()
        told = Told(self.command, self.path, self.headers.items(), body)
        reply = self.server.hear(told)
        if reply.is_late:
            self.server.is_over.wait(PATIENCE_S)
        if reply.is_late or reply.is_dropped:
            return
        self.send_response(reply.status)
        if reply.kind:
            self.send_header("Content-Type", reply.kind)
        content = reply.body.encode()
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Not to stderr."""
