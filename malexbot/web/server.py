"""The HTTP server: cheroot's threads around one Flask application."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from socket import socket

from cheroot.wsgi import Server
from flask import Flask

from malexbot.errors import Transient
from malexbot.runtime.health import Health
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

Mount = Callable[[Flask], None]

THREADS = 8
# What a request that has begun may still take when the daemon stops.
FINISH_S = 5


class TidyServer(Server):
    """Leaves no socket open when the port is taken; its errors go to our log."""

    @staticmethod
    def bind_socket(socket_: socket, bind_addr: tuple[str, int]) -> socket:
        try:
            socket_.bind(bind_addr)
        except OSError as error:
            socket_.close()
            raise Transient(
                f"cannot listen on {bind_addr[0]}:{bind_addr[1]}: {error.strerror}"
                " (another program may have the port; backend.port sets ours)"
            ) from error
        return socket_

    def error_log(
        self, msg: str = "", level: int = logging.WARNING, traceback: bool = False
    ) -> None:
        log.log(level, "%s", msg, exc_info=traceback)


class WebServer:
    """Serves what is mounted on it, from the moment it runs until it is stopped."""

    name = "web"
    is_vital = False

    def __init__(
        self, *, host: str, port: int, mounts: Sequence[Mount], health: Health
    ) -> None:
        self._host = host
        self._port = port
        self._mounts = mounts
        self._health = health
        self.address: tuple[str, int] | None = None

    def run(self, stop: Stop) -> None:
        server = self._build()
        with outside("the port"):
            server.prepare()
        self.address = server.bind_addr[:2]
        log.info("listens on %s:%s", *self.address)
        self._health.tell("web", "listens on %s:%s" % self.address, is_ready=True)
        closer = threading.Thread(
            target=_close, args=(server, stop), name="web closer", daemon=True
        )
        closer.start()
        with outside("requests"):
            server.serve()
            closer.join(FINISH_S + 1)
        self.address = None

    def _build(self) -> Server:
        application = Flask("malexbot.web", static_folder=None)
        for mount in self._mounts:
            mount(application)
        return TidyServer(
            (self._host, self._port),
            application,
            numthreads=THREADS,
            server_name="malexbot",
            shutdown_timeout=FINISH_S,
        )


def _close(server: Server, stop: Stop) -> None:
    while not stop.wait(3600):
        pass
    server.shutdown_timeout = min(FINISH_S, stop.deadline.left_s)
    server.stop()
