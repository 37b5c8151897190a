"""The loopback VK as a whole, in this process."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from urllib.parse import parse_qsl

import orjson

from malexbot.sandbox.call import Answer, Request
from malexbot.sandbox.faults import Unanswered
from malexbot.sandbox.http import Server
from malexbot.sandbox.line import Line
from malexbot.sandbox.render import render
from malexbot.sandbox.vk.faults import VkFaults
from malexbot.sandbox.vk.ledger import VkLedger
from malexbot.sandbox.vk.load import VkLoad
from malexbot.sandbox.vk.longpoll import LongPoll
from malexbot.sandbox.vk.methods import Methods
from malexbot.sandbox.vk.refusals import Refusal, body
from malexbot.sandbox.vk.scene import VkScene
from malexbot.sandbox.vk.world import VkSettings, VkWorld

_log = logging.getLogger(__name__)
_METHODS = "/method/"
_POLLS = "/lp/wh"


class VkSandbox:
    """A VK on a port of its own; `with VkSandbox() as vk:`.

    `scene` makes people write and press, `load` many of them, `faults` makes things go
    wrong, `ledger` tells what truly happened, `settings` holds the limits and delays.
    The same parts are reached in another process by `control.VkControl`.
    """

    def __init__(self, *, port: int = 0, settings: VkSettings | None = None) -> None:
        self.settings = settings or VkSettings()
        self.faults = VkFaults()
        self._world = VkWorld(self.settings, self.faults)
        self.scene = VkScene(self._world)
        self.load = VkLoad(self.scene)
        self.ledger: VkLedger = self._world.ledger
        self._polls = LongPoll(self._world)
        methods = Methods(self._world, lambda: f"{self.url}{_POLLS}")
        self._methods = methods.table()
        self._lately: deque[float] = deque(maxlen=max(1, self.settings.rate_per_s))
        self._server = Server(self._handle, self.faults, port=port)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_base(self) -> str:
        """What stands before the name of a method."""
        return f"{self.url}/method"

    def start(self) -> VkSandbox:
        self._server.start()
        return self

    def stop(self) -> None:
        """Idempotent; every line is closed."""
        self.load.stop()
        self.faults.release_saving()
        self._server.stop()

    def restart(self) -> None:
        """Every line is cut; what waits in the queue stays."""
        self._server.stop()
        self._server.start()

    def polls(self) -> int:
        """How many polls wait at this moment."""
        return self._polls.waiting

    def __enter__(self) -> VkSandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What comes in.

    def _handle(self, line: Line, request: Request, pending: bytes) -> bytes | None:
        try:
            return self._answer(line, request)
        except Unanswered:
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return render(request, Answer(500, b"{}"))

    def _answer(self, line: Line, request: Request) -> bytes | None:
        failure = self.faults.failure(f"{request.method} {request.target}")
        if failure is not None:
            return render(request, failure.answer)
        if request.path == _POLLS:
            return self._poll(line, request)
        if request.path.startswith(_METHODS):
            name = request.path.removeprefix(_METHODS)
            return render(request, Answer(200, orjson.dumps(self._call(name, request))))
        return render(request, Answer(404, b"<html>404</html>", "text/html"))

    def _poll(self, line: Line, request: Request) -> bytes | None:
        told = self._polls.answer(line, request)
        if told is None:
            return None
        answer = render(request, Answer(200, told))
        if self.faults.is_cut_short():
            line.send(answer[: len(answer) // 2])
            raise Unanswered
        return answer

    def _call(self, name: str, request: Request) -> object:
        params = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        params = {**request.query, **params}
        self.ledger.call(name)
        try:
            self._check(name, params, request.token)
            with self._world.changed:
                return {"response": self._methods[name](params)}
        except Refusal as refusal:
            return body(refusal, name, params)

    def _check(self, name: str, params: dict[str, str], bearer: str) -> None:
        """As VK does it: the version, the method, the token, then the limits."""
        self.faults.refuse_now(name)
        if "v" not in params:
            raise Refusal(8)
        if name not in self._methods:
            raise Refusal(3)
        if (params.get("access_token") or bearer) != self.settings.token:
            raise Refusal(5)
        self._count()

    def _count(self) -> None:
        """Raises Refusal if there were too many calls in the last second."""
        rate = self.settings.rate_per_s
        if not rate:
            return
        with self._world.changed:
            now = time.monotonic()
            if len(self._lately) == rate and now - self._lately[0] < 1:
                raise Refusal(6)
            self._lately.append(now)


def wait_for_poll(vk: VkSandbox, *, seconds: float = 10.0) -> None:
    """Return once somebody listens; raises TimeoutError."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not vk.polls():
        if time.monotonic() > until:
            raise TimeoutError("nobody polls")
        pause.wait(0.01)
