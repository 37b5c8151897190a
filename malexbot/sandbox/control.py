"""The door for tests in another process: the parts of a sandbox over HTTP.

`POST /sandbox/{part}/{method}` with the arguments as a JSON object; the answer is
the result. Nothing but the public methods of the parts can be called.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.error import HTTPError
from urllib.request import Request as HttpRequest
from urllib.request import build_opener

import orjson

from malexbot.errors import MalexbotError
from malexbot.sandbox.call import Answer, Request

if TYPE_CHECKING:
    from malexbot.sandbox.clock import Clock
    from malexbot.sandbox.faults import Faults
    from malexbot.sandbox.ledger import Ledger
    from malexbot.sandbox.load import Load
    from malexbot.sandbox.scene import Scene

PREFIX = "/sandbox/"
_PATIENCE_S = 30


class Door:
    """The server's side."""

    def __init__(self, parts: Mapping[str, object]) -> None:
        self._parts = parts

    def answer(self, request: Request) -> Answer:
        part, _, method = request.path[len(PREFIX) :].partition("/")
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

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.scene = cast("Scene", _Part(self.url, "scene"))
        self.faults = cast("Faults", _Part(self.url, "faults"))
        self.ledger = cast("Ledger", _Part(self.url, "ledger"))
        self.load = cast("Load", _Part(self.url, "load"))
        self.clock = cast("Clock", _Part(self.url, "clock"))

    def restart(self) -> None:
        _call(f"{self.url}{PREFIX}server/restart", {})

    def sockets(self) -> int:
        return int(_call(f"{self.url}{PREFIX}server/sockets", {}))


class _Part:
    """Sends each call over the line."""

    def __init__(self, url: str, name: str) -> None:
        self._url = f"{url}{PREFIX}{name}"

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
