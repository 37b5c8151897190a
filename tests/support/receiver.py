"""A logging service as services had it: a connection a line, read once, then a word."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Answer = Callable[[socket.socket], object]


class Receiver:
    """Keeps what it is told; `answer` does with the line what it likes."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.lines: list[Any] = []
        self._thread = threading.Thread(target=self._serve, name="receiver")
        self._is_over = False

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    @property
    def name(self) -> str:
        """As the settings call it."""
        return f"tcp:127.0.0.1:{self.port}"

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while True:
            line, _ = self._server.accept()
            with line, suppress(OSError):
                if self._is_over:
                    return
                self.lines.append(json.loads(line.recv(1024)))
                self._answer(line)


def saying(*words: bytes) -> Answer:
    def answer(line: socket.socket) -> None:
        for word in words:
            line.sendall(word)

    return answer
