"""The sandbox as a whole: a Mattermost server in this process."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from urllib.parse import urlsplit

from malexbot.sandbox.actions import Actions
from malexbot.sandbox.acts import Acts
from malexbot.sandbox.api import Api
from malexbot.sandbox.call import PREFIX, Answer, Request
from malexbot.sandbox.clock import is_id
from malexbot.sandbox.connection import Connection
from malexbot.sandbox.faults import Faults, Unanswered
from malexbot.sandbox.http import Server
from malexbot.sandbox.ledger import Ledger
from malexbot.sandbox.line import Line
from malexbot.sandbox.load import Load
from malexbot.sandbox.parts import Parts
from malexbot.sandbox.render import render
from malexbot.sandbox.scene import Scene
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.socket import Socket, accept_key
from malexbot.sandbox.webpage import WebPage
from malexbot.sandbox.world import World

_log = logging.getLogger(__name__)
_WEBSOCKET = PREFIX + "/websocket"
_SWITCHED = (
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n"
)


class Sandbox:
    """A loopback Mattermost on a port of its own; `with Sandbox() as mattermost:`.

    Its parts are there for tests: `scene` makes people, channels and posts happen,
    `faults` makes things go wrong, `ledger` tells what was truly posted, `clock`
    can be wrong, `acts` presses buttons and fills in dialogs, and `settings` holds
    the limits and delays. The same parts, with the same names, are reached in another
    process by `control.Control`. `page` is what a browser is shown at the root.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        settings: Settings | None = None,
        state: Path | None = None,
    ) -> None:
        """`state`: a file that keeps all that happens, for a start after a kill."""
        self.settings = settings or Settings()
        self._world = World(self.settings, state)
        self.faults = Faults()
        parts = Parts.of(self._world, self.faults)
        self._hub = parts.hub
        self._tellers = parts.tellers
        self._actions = Actions(self._world, parts.rooms, parts.hub)
        self._api = Api(self._world, parts.router())
        self.scene = Scene(
            world=self._world,
            people=parts.people,
            rooms=parts.rooms,
            posts=parts.posts,
            changes=parts.changes,
            hub=parts.hub,
        )
        self.acts = Acts(
            world=self._world,
            commands=parts.commands,
            buttons=parts.buttons,
            forms=parts.dialogs,
            site=lambda: self.url,
        )
        self.load = Load(self._world, parts.posts)
        self.page = WebPage(self._world, parts.people)
        self.ledger: Ledger = self._world.ledger
        self.clock = self._world.clock
        self._server = Server(self._handle, self.faults, port=port)
        self._stopping = threading.Event()
        self._reaper: threading.Thread | None = None

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Sandbox:
        self._server.start()
        self._stopping.clear()
        self._reaper = threading.Thread(
            target=self._reap, name="sandbox-reaper", daemon=True
        )
        self._reaper.start()
        return self

    def stop(self) -> None:
        """Idempotent; every line is closed."""
        self._stopping.set()
        self.faults.release_saving()
        self._server.stop()
        self._tellers.stop()
        if self._reaper is not None:
            self._reaper.join()
        self._world.close()

    def restart(self) -> None:
        """As if the server had been started anew: no connection is known any more."""
        self._server.stop()
        with self._world.lock:
            self._hub.forget_all()
            for user in self._world.users:
                user.status = "offline"
        self._server.start()

    def sockets(self, user_id: str = "") -> int:
        """How many websockets (of that user) the hub believes to be open."""
        with self._world.lock:
            return self._hub.count(user_id) if user_id else len(self._hub)

    def panics(self) -> int:
        """How often the hub panicked, since the process began."""
        return self._hub.panics

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # What comes in.

    def _handle(self, line: Line, request: Request, pending: bytes) -> bytes | None:
        try:
            return self._answer(line, request, pending)
        except Unanswered:
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, request.target)
            return render(request, Answer(500, b"{}"))

    def _answer(self, line: Line, request: Request, pending: bytes) -> bytes | None:
        shown = self.page.answer(request)
        if shown is not None:
            return render(request, shown)
        failure = self.faults.failure(f"{request.method} {request.target}")
        if failure is not None:
            return render(request, failure.answer)
        if request.path == _WEBSOCKET:
            return self._open_socket(line, request, pending)
        return self._api.answer(request)

    def _reap(self) -> None:
        while not self._stopping.wait(self.settings.reaper_every_s):
            self.reap()

    def reap(self) -> None:
        """What the server does each five minutes: forget quiet dropped connections."""
        with self._world.lock:
            self._hub.reap()

    # Websockets.

    def _open_socket(
        self, line: Line, request: Request, pending: bytes
    ) -> bytes | None:
        refused = self._refuse_upgrade(request)
        if refused is not None:
            return refused
        key = request.headers.get("sec-websocket-key", "")
        line.set_nagle(self.settings.has_nagle)
        line.send(_SWITCHED.format(accept_key(key)).encode())
        with self._world.lock:
            opened = self._connect(request)
            if opened is None:
                return None
            connection, first = opened
            line.websocket_of = connection.user_id
            if connection.user_id:
                self._hub.register(connection)
                self._hub.greet_user(connection)
        Socket(
            line=line,
            connection=connection,
            first=first,
            actions=self._actions,
            faults=self.faults,
            on_end=self._socket_ended,
        ).run(pending)
        return None

    def _refuse_upgrade(self, request: Request) -> bytes | None:
        headers = request.headers
        if "upgrade" not in headers.get("connection", "").lower():
            return self._api.no_upgrade(request)
        origin = headers.get("origin")
        if origin and urlsplit(origin).netloc != headers.get("host"):
            return render(request, Answer(403, b"Forbidden\n", "text/plain"))
        return self._api.limited(request)

    def _connect(self, request: Request) -> tuple[Connection, list[bytes]] | None:
        """The connection and what is sent first; None: the server hangs up at once."""
        user = self._world.user_of_token(request.token)
        token = request.token if user is not None else ""
        connection = Connection(self.settings, token, user.id if user else "")
        asked = request.query.get("connection_id", "")
        if not self.settings.is_reliable or not asked or user is None:
            return connection, []
        if not is_id(asked):
            return None
        old = self._hub.dropped(user.id, asked)
        if old is None:
            return connection, []
        number = request.query.get("sequence_number", "")
        if not number.isdecimal():
            return None
        connection.take_over(old, int(number))
        return connection, connection.resend()

    def _socket_ended(self, connection: Connection) -> None:
        with self._world.lock:
            self._hub.unregister(connection)
