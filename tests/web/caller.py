"""Somebody at the other end of a real socket, who says just what he likes."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from typing import NamedTuple, Self

PATIENCE_S = 20.0


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


class Caller:
    """One connection; `with Caller(address) as caller:`."""

    def __init__(
        self, address: tuple[str, int] | None, *, source: str = "", hears: int = 0
    ) -> None:
        """Who hears little has so small a buffer for what comes."""
        assert address is not None, "the server does not listen"
        self.sock = socket.socket()
        if source:
            self.sock.bind((source, 0))
        if hears:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, hears)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def say(self, text: bytes) -> None:
        """All of it, or as much as the other side takes before it hangs up."""
        try:
            self.sock.sendall(text)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def hear(self, method: str = "GET") -> Reply:
        """One answer."""
        with HTTPResponse(self.sock, method=method) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, headers, response.read().decode())

    def ask(self, text: bytes) -> Reply:
        self.say(text)
        return self.hear("HEAD" if text.startswith(b"HEAD ") else "GET")

    @property
    def was_hung_up(self) -> bool:
        """Waits until the other side closes; no: it said something more."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


def request(
    method: str = "GET", path: str = "/healthz", body: bytes = b"", **headers: str
) -> bytes:
    """A request as it should be, but for the headers that are given."""
    fields = {"Host": "malexbot.test", **_dashed(headers)}
    if body and "Transfer-Encoding" not in fields:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
