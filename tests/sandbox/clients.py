"""The clients that the tests speak to a sandbox with."""

from __future__ import annotations

import json
import time
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any

import requests
import websocket

PATIENCE_S = 10.0


class Rest:
    """A session of one user."""

    def __init__(
        self, url: str, token: str = "", *, keeps_cookies: bool = True
    ) -> None:
        self._api = url + "/api/v4"
        self._session = requests.Session()
        if not keeps_cookies:
            policy = DefaultCookiePolicy(allowed_domains=[])
            self._session.cookies.set_policy(policy)
        if token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(
            method, self._api + path, timeout=PATIENCE_S, **more
        )

    def get(self, path: str, **more: Any) -> Any:
        return self("GET", path, **more).json()

    def post(self, path: str, body: Any = None) -> Any:
        return self("POST", path, json=body).json()

    def put(self, path: str, body: Any = None) -> Any:
        return self("PUT", path, json=body).json()

    def delete(self, path: str) -> Any:
        return self("DELETE", path).json()

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Rest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Client:
    """A websocket of one user; the token goes with the handshake."""

    TEXT = websocket.ABNF.OPCODE_TEXT
    PONG = websocket.ABNF.OPCODE_PONG
    PING = websocket.ABNF.OPCODE_PING

    def __init__(self, url: str, token: str = "", query: str = "", **more: Any) -> None:
        self.connection_id = ""
        address = url.replace("http://", "ws://") + "/api/v4/websocket" + query
        header = [f"Authorization: Bearer {token}"] if token else []
        self.socket = websocket.create_connection(
            address,
            header=header,
            suppress_origin=True,
            timeout=PATIENCE_S,
            **more,
        )

    def receive(self) -> dict[str, Any]:
        frame = json.loads(self.socket.recv())
        assert isinstance(frame, dict)
        return frame

    def until(self, wanted: str) -> dict[str, Any]:
        """The next frame of that event, or the next reply ("reply")."""
        while True:
            frame = self.receive()
            if frame.get("event", "reply") == wanted:
                return frame

    def upto_reply(self) -> list[dict[str, Any]]:
        """All that comes before the answer to a ping."""
        self.send(action="ping", seq=999)
        frames = []
        while True:
            frame = self.receive()
            if frame.get("seq_reply") == 999:
                return frames
            frames.append(frame)

    def send(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def is_closed(self) -> bool:
        """Reads on until the server closes; no: it did not, in good time."""
        try:
            while self.socket.recv_frame().opcode != websocket.ABNF.OPCODE_CLOSE:
                pass
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return True
        except websocket.WebSocketTimeoutException:
            return False
        return True

    def drop(self) -> None:
        """The TCP line ends without a close frame."""
        self.socket.shutdown()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.shutdown()


def message(frame: dict[str, Any]) -> str:
    """The text of the post in an event."""
    return str(json.loads(frame["data"]["post"])["message"])


def short(frame: dict[str, Any]) -> str:
    """A frame in a word or two: `3:posted:text`."""
    data = frame.get("data", {})
    what = data.get("status", "")
    if "post" in data:
        what = message(frame)
    return f"{frame.get('seq', '-')}:{frame.get('event', 'reply')}:{what}"


def wait_until(check: Any, what: str = "") -> None:
    """Ask again and again, quickly, until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < end, f"never happened: {what}"
