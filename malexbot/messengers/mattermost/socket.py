"""One websocket to Mattermost: opens it, reads its frames, keeps its pings going.

websocket-client is imported here only; what is said is understood in `dialogue`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
import websocket

from malexbot import __version__
from malexbot.errors import Transient
from malexbot.messengers.line import cause
from malexbot.messengers.mattermost.dialogue import Broken, Dialogue, Resume
from malexbot.messengers.mattermost.failures import (
    Failure,
    Unauthorised,
    Unreachable,
    answer,
    failure,
)
from malexbot.runtime.heart import outside

CONNECT_S = 10.0
# How often a quiet line is looked at: pings, wishes, the heart.
TURN_S = 0.5
AHEAD_BYTES = 65_536
# How a frame begins: the last one of a text, of so many bytes; 126 means that the next
# two tell how many.
WHOLE_TEXT = 0x81
SIZE_FOLLOWS = 126
LONGEST_HEAD = 4
# Where an operator's own certificates are told to everything else.
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Linux only: without it a server with Nagle's algorithm on is 40 ms late.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_FAULTS = (OSError, websocket.WebSocketException, ValueError)


class Frame(NamedTuple):
    """What came in; `body` is None where that is no JSON."""

    raw: bytes
    body: Any


class _Ahead(websocket.WebSocket):
    """Reads what is there, not what the next part of a frame needs.

    The library asks the system three times a frame, and builds it in steps. Measured:
    14.4 µs a frame with its JSON become 7.6 by reading ahead, and 4.9 by taking a frame
    that is there as a whole.
    """

    turn_ends = float("inf")
    """A frame may take longer than a turn, or never end though bytes keep coming."""
    _ahead = b""
    _at = 0

    def recv_data(self, control_frame: bool = False) -> tuple[int, bytes]:
        """The library's, but for a plain frame that was read already.

        While the library has part of a message, nothing is read ahead: it gives up
        only when all that was read is with it.
        """
        if (frame := self._take_whole()) is not None:
            return websocket.ABNF.OPCODE_TEXT, frame
        found: tuple[int, bytes] = super().recv_data(control_frame)
        return found

    def _take_whole(self) -> bytes | None:
        """A text of less than 64 KiB in one unmasked frame, if all of it is there."""
        ahead, at = self._ahead, self._at
        if len(ahead) - at < LONGEST_HEAD or ahead[at] != WHOLE_TEXT:
            return None
        size, begin = ahead[at + 1], at + 2
        if size == SIZE_FOLLOWS:
            size, begin = ahead[at + 2] << 8 | ahead[at + 3], at + LONGEST_HEAD
        elif size > SIZE_FOLLOWS:
            return None
        end = begin + size
        if end > len(ahead):
            return None
        self._at = end
        return ahead[begin:end]

    def _recv(self, bufsize: int) -> bytes:
        if self._at >= len(self._ahead):
            if _QUICKACK is not None and self.sock is not None:
                _hurry(self.sock)
            self._ahead, self._at = self._read(), 0
        piece = self._ahead[self._at : self._at + bufsize]
        self._at += len(piece)
        return piece

    def _read(self) -> bytes:
        if time.monotonic() > self.turn_ends:
            raise websocket.WebSocketTimeoutException("the frame goes on")
        data: bytes = super()._recv(AHEAD_BYTES)  # type: ignore[no-untyped-call]
        return data


class Websocket:
    """An open websocket; one thread reads it, any thread may `abort` it."""

    def __init__(self, opened: _Ahead, dialogue: Dialogue) -> None:
        self._socket = opened
        self.dialogue = dialogue

    def frames(self) -> Iterator[Frame | None]:
        """Events as they come, None when none came for a turn.

        Raises `Cut`, `Broken` or `Unauthorised` at its end.
        """
        dialogue, now = self.dialogue, time.monotonic()
        while True:
            if now >= dialogue.ping_at:
                self._send(dialogue.ping(now))
            self._socket.turn_ends = now + TURN_S
            raw, now = self._receive(), time.monotonic()
            if raw is None:
                dialogue.check(now)
                yield None
                continue
            try:
                body = orjson.loads(raw)
            except ValueError:
                body = None
            if dialogue.take(body, raw, now):
                yield tuple.__new__(Frame, (raw, body))

    def send_token(self, token: str) -> None:
        self._send(self.dialogue.challenge(token))

    def abort(self) -> None:
        """End it now, without a word; the reader wakes. Idempotent."""
        self._socket.abort()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """For the reading thread: end it and give the socket back."""
        self._socket.shutdown()  # type: ignore[no-untyped-call]

    def resume(self) -> Resume | None:
        """Where a new connection could go on."""
        return self.dialogue.resume(time.monotonic())

    def _receive(self) -> bytes | None:
        try:
            opcode, data = self._socket.recv_data()
        except websocket.WebSocketTimeoutException:
            return None
        except _FAULTS as error:
            raise self._cut(cause(error)) from error
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise self._cut("the server said goodbye")
        return bytes(data)

    def _send(self, text: str) -> None:
        try:
            self._socket.send(text)
        except websocket.WebSocketTimeoutException as error:
            raise Broken("the line takes nothing any more") from error
        except _FAULTS as error:
            raise self._cut(cause(error)) from error

    def _cut(self, reason: str) -> Transient:
        return self.dialogue.cut(reason, time.monotonic())


def _hurry(tcp: socket.socket) -> None:
    """Acknowledge at once; the system forgets it, so before each read."""
    assert _QUICKACK is not None
    try:
        tcp.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
    except OSError:  # it is closed, which the read tells better
        pass


class Dial:
    """How to reach the server's websocket."""

    def __init__(self, *, url: str, token: str) -> None:
        self.url = url
        self._token = token

    def __repr__(self) -> str:
        return f"Dial({self.url})"

    def open(
        self, *, resume: Resume | None = None, by_message: bool = False
    ) -> Websocket:
        """Connect; who we are goes in the header, or `by_message` after it.

        Raises Transient, or Rejected where something is that is no websocket.
        """
        try:
            with outside("Mattermost"):
                opened = self._connect(resume, by_message)
        except websocket.WebSocketBadStatusException as error:
            raise _refusal(error) from error
        except _FAULTS as error:
            raise Unreachable("websocket", cause(error)) from error
        line = Websocket(opened, Dialogue(now=time.monotonic(), resume=resume))
        if by_message:
            line.send_token(self._token)
        return line

    def _connect(self, resume: Resume | None, by_message: bool) -> _Ahead:
        headers = [f"User-Agent: malexbot/{__version__}"]
        if not by_message:
            headers.append(f"Authorization: Bearer {self._token}")
        opened = websocket.create_connection(
            self._address(resume),
            timeout=CONNECT_S,
            class_=_Ahead,
            header=headers,
            # A proxy that changes the host would make an origin a foreign one.
            suppress_origin=True,
            # The token is for nobody else.
            redirect_limit=0,
            # Measured: 14 times as fast; orjson looks at the bytes anyway.
            skip_utf8_validation=True,
            sslopt=_certificates(),
        )
        opened.settimeout(TURN_S)
        assert isinstance(opened, _Ahead)
        return opened

    def _address(self, resume: Resume | None) -> str:
        if resume is None:
            return self.url
        asked = {
            "connection_id": resume.connection_id,
            "sequence_number": resume.next_sequence,
        }
        return f"{self.url}?{urlencode(asked)}"


def _certificates() -> dict[str, str]:
    """Those that requests trusts too; a proxy the library finds by itself."""
    named = (os.environ.get(name) for name in CA_VARIABLES)
    path = next(filter(None, named), None)
    if path is None:
        return {}
    return {"ca_cert_path" if os.path.isdir(path) else "ca_certs": path}


def _refusal(error: websocket.WebSocketBadStatusException) -> Failure:
    """No websocket, but an answer: of a server that is busy, or of a proxy."""
    status, headers = error.status_code, error.resp_headers or {}
    body = error.resp_body or b""
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    said = {name.title(): str(value) for name, value in headers.items()}
    told = answer(status, None, text, said)
    if status == 403:
        return Unauthorised("websocket", told)
    return failure("websocket", told, is_json=False, is_repeatable=True)
