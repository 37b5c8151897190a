"""The door for tests in another process: the parts of a sandbox over HTTP.

It has a port of its own, so that no fault of the sandbox shuts it.
`POST /{part}/{method}` with the arguments as a JSON object; the answer is the
result. Nothing but the public methods of the parts can be called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import build_opener

import orjson

from malexbot.errors import MalexbotError
from malexbot.sandbox.call import Answer, Request
from malexbot.sandbox.faults import Faults
from malexbot.sandbox.http import Server
from malexbot.sandbox.line import Line
from malexbot.sandbox.render import render

if TYPE_CHECKING:
    from malexbot.sandbox.acts import Acts
    from malexbot.sandbox.clock import Clock
    from malexbot.sandbox.ledger import Ledger
    from malexbot.sandbox.load import Load
    from malexbot.sandbox.sandbox import Sandbox
    from malexbot.sandbox.scene import Scene

_PATIENCE_S = 30
PARTS = ("scene", "faults", "ledger", "load", "clock", "acts")


class Door:
    """The server's side."""

    def __init__(self, sandbox: object, parts: Sequence[str]) -> None:
        """`parts`: the names of what can be reached, beside the sandbox itself."""
        self._parts = {name: getattr(sandbox, name) for name in parts}
        self._parts["sandbox"] = sandbox
        self._server = Server(self._handle, Faults())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def _handle(self, line: Line, request: Request, pending: bytes) -> bytes:
        return render(request, self._answer(request))

    def _answer(self, request: Request) -> Answer:
        part, _, method = request.path.strip("/").partition("/")
        call = getattr(self._parts.get(part), method, None)
        if method.startswith("_") or not callable(call):
            return Answer(404, b'{"error":"no such part or method"}')
        try:
            result = call(**orjson.loads(request.body or b"{}"))
        except (TypeError, KeyError, orjson.JSONDecodeError, MalexbotError) as error:
            return Answer(400, orjson.dumps({"error": repr(error)}))
        return Answer(200, orjson.dumps(result))


class ControlError(MalexbotError):
    """The sandbox did not do what was asked."""


class Control:
    """A sandbox in another process; its parts have the methods of the real ones.

    Arguments go by name, and results are plain data: `ledger.entries()` gives
    dicts where the real one gives entries.
    """

    def __init__(self, *, url: str, door: str) -> None:
        """`url` is the Mattermost's, `door` that of the control door."""
        self.url = url
        self._sandbox = cast("Sandbox", Part(door, "sandbox"))
        self.scene = cast("Scene", Part(door, "scene"))
        self.faults = cast("Faults", Part(door, "faults"))
        self.ledger = cast("Ledger", Part(door, "ledger"))
        self.load = cast("Load", Part(door, "load"))
        self.clock = cast("Clock", Part(door, "clock"))
        self.acts = cast("Acts", Part(door, "acts"))

    def restart(self) -> None:
        self._sandbox.restart()

    def sockets(self) -> int:
        return self._sandbox.sockets()

    def panics(self) -> int:
        return self._sandbox.panics()

    def reap(self) -> None:
        self._sandbox.reap()


class Part:
    """One part of a sandbox in another process: sends each call over the line."""

    def __init__(self, door: str, name: str) -> None:
        self._url = f"{door}/{name}"

    def __getattr__(self, method: str) -> Any:
        def call(**arguments: Any) -> Any:
            return _call(f"{self._url}/{method}", arguments)

        return call


def _call(url: str, arguments: dict[str, Any]) -> Any:
    request = HttpRequest(url, data=orjson.dumps(arguments), method="POST")
    try:
        with build_opener().open(request, timeout=_PATIENCE_S) as answer:
            return orjson.loads(answer.read())
    except HTTPError as error:
        with error:
            raise ControlError(error.read().decode()) from error
