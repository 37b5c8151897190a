"""A server that says word for word what a test has written for it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence

RESET = b"RESET"
SILENCE = b"SILENCE"


def answer(status: str, body: bytes = b"{}", **headers: str) -> bytes:
    """An HTTP answer; the names of headers have _ for -."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Scripted:
    """Answers request by request what stands in the script, then its last line."""

    def __init__(self, *script: bytes) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = list(script)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="scripted")]

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v4"

    def heads(self) -> Sequence[str]:
        return [request.decode(errors="replace") for request in self.requests]

    def __enter__(self) -> Scripted:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for line in self._open:
            _close(line)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(line)
            thread = threading.Thread(target=self._serve, args=[line], name="scripted")
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        try:
            while request := _read(line):
                self.requests.append(request)
                said = self._script.pop(0) if self._script[1:] else self._script[0]
                if said == RESET:
                    linger = struct.pack("ii", 1, 0)
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    break
                if said != SILENCE:
                    line.sendall(said)
        except OSError:
            pass
        finally:
            line.close()


def _read(line: socket.socket) -> bytes:
    """One request with its body."""
    text = b""
    while b"\r\n\r\n" not in text:
        if not (piece := line.recv(65536)):
            return b""
        text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    lengths = [
        x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")
    ]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += line.recv(65536)
    return head + b"\r\n\r\n" + body


def _close(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
