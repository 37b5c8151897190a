"""The HTTP server: one Flask application, and who may take how much of it.

cheroot reads a request that is whole and runs the application on it. Connections and
threads are ours: cheroot would give each connection a thread from its first byte on,
so that eight clients who send nothing take all eight threads.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cheroot.wsgi import Server
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from malexbot.errors import Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.heart import outside
from malexbot.runtime.stop import Stop
from malexbot.web.crew import Crew
from malexbot.web.line import Gateway, Line
from malexbot.web.proxies import Proxies
from malexbot.web.reception import Reception
from malexbot.web.refusals import Refused, Tally

log = logging.getLogger(__name__)

Mount = Callable[[Flask], None]

# A call waits 2.5 s for its handler at most, so it is 6 a second when all are slow.
CALL_THREADS = 16
MOST_CALLS = 128
# Whoever calls, these are answered: they have threads of their own.
PROBES = frozenset({"/healthz", "/readyz", "/metrics", "/status"})
PROBE_THREADS = 2
MOST_PROBES = 32
BACKLOG = 128
# What a request that has begun may still take when the daemon stops.
FINISH_S = 5.0
# What a thread that hangs is still waited for after that.
LAST_S = 1.0


class Site(Server):
    """What cheroot has to know of us; its own threads and sockets are never made."""

    software = "malexbot"

    @property
    def can_add_keepalive_connection(self) -> bool:
        return self.ready

    def error_log(
        self, msg: str = "", level: int = logging.WARNING, traceback: bool = False
    ) -> None:
        log.log(level, "%s", msg, exc_info=traceback)


class WebServer:
    """Serves what is mounted on it, from the moment it runs until it is stopped."""

    name = "web"
    is_vital = False

    def __init__(
        self,
        *,
        host: str,
        port: int,
        mounts: Sequence[Mount],
        health: Health,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._mounts = mounts
        self._health = health
        self._trusted_proxies = trusted_proxies
        self._reception: Reception | None = None
        self._crews: Sequence[Crew[Line]] = ()
        self.tally = Tally()
        self.address: tuple[str, int] | None = None

    @property
    def connections(self) -> int:
        return self._reception.lines if self._reception else 0

    @property
    def waiting(self) -> int:
        """Requests that wait for a thread."""
        return sum(crew.waiting for crew in self._crews)

    def application(self) -> Flask:
        """What is served, as a new application."""
        application = Flask("malexbot.web", static_folder=None)
        application.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
        application.register_error_handler(HTTPException, _put_plainly)
        application.register_error_handler(Refused, _tell_why)
        for mount in self._mounts:
            mount(application)
        proxies = Proxies(application.wsgi_app, trusted=self._trusted_proxies)
        application.wsgi_app = proxies  # type: ignore[method-assign]
        return application

    def run(self, stop: Stop) -> None:
        with outside("the port"):
            listener = _listen(self._host, self._port)
        with listener, self._at_work(listener) as reception:
            self.address = listener.getsockname()[:2]
            log.info("listens on %s:%s", *self.address)
            self._health.tell("web", "listens on %s:%s" % self.address, is_ready=True)
            reception.serve(stop, finish_s=FINISH_S)
            self.address = None

    @contextmanager
    def _at_work(self, listener: socket.socket) -> Iterator[Reception]:
        """A reception, and the threads that answer what comes in there."""
        application = self.application()
        site = Site(listener.getsockname()[:2], application, server_name="malexbot")
        site.ready, site.gateway = True, Gateway

        def answer(line: Line) -> None:
            if refused := line.answer():
                self.tally.refused(refused.why)
            reception.give_back(line)

        calls = Crew("web", threads=CALL_THREADS, most=MOST_CALLS, do=answer)
        probes = Crew("probe", threads=PROBE_THREADS, most=MOST_PROBES, do=answer)
        self._crews = (calls, probes)

        def choose(line: Line) -> Crew[Line]:
            head = line.arrival.head
            return probes if head and head.path in PROBES else calls

        reception = Reception(
            server=site, listener=listener, choose=choose, tally=self.tally
        )
        self._reception = reception
        for crew in self._crews:
            crew.start()
        try:
            yield reception
        finally:
            last = Deadline(LAST_S)
            for crew in self._crews:
                crew.stop(last)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server(
            (host, port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        # Python adds the address once more.
        reason = (error.strerror or str(error)).partition(" (while ")[0]
        raise Transient(
            f"cannot listen on {host}:{port}: {reason}"
            " (another program may have the port; backend.port sets ours)"
        ) from error
    listener.setblocking(False)
    return listener


def _put_plainly(error: HTTPException) -> Response:
    """Its headers stay: a 405 says what is allowed."""
    headers = error.get_response().headers
    text = f"{error.code} {error.name}\n"
    answer = Response(text, error.code, content_type="text/plain; charset=utf-8")
    if allowed := headers.get("Allow"):
        answer.headers["Allow"] = allowed
    return answer


def _tell_why(refused: Refused) -> Response:
    answer = Response(refused.text, refused.status, mimetype="text/plain")
    if refused.retry_after_s:
        answer.headers["Retry-After"] = str(refused.retry_after_s)
    return answer
