"""Whether the server reaches us: buttons, dialogs and slash commands need that.

It is asked to by submitting a dialog, which any member of a channel may do and which
goes to any address, by the same rule about internal ones as buttons do. What answers
there is the daemon or, if that does not run, the same door opened for a moment.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from malexbot.cli.doctor.checks import Check, Verdict, fault, ok, unasked
from malexbot.cli.doctor.remedies import gist
from malexbot.cli.doctor.server import WEB_SERVER
from malexbot.cli.doctor.visit import Visit
from malexbot.cli.survey import Silent, ask_daemon
from malexbot.config.backend import Backend
from malexbot.errors import MalexbotError, Uncertain
from malexbot.messengers.mattermost.failures import Failure, Rejected
from malexbot.messengers.mattermost.rooms import DIRECT_TYPES
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.web.reach import HEARD, PATH, mount_reach
from malexbot.web.server import WebServer

ALLOWED = (
    "System Console > Environment > Developer > Allow untrusted internal connections to"
)
INSECURE = f"{WEB_SERVER} > Enable Insecure Outgoing Connections"
# What the server says of every call of an integration that failed.
INTEGRATION_FAILED = "api.post.do_action.action_integration.app_error"
FORBIDDEN = "address forbidden"
OPENS_S = 5.0
NEAR_S = 2.0
LIMIT_S = 14.0


def check(visit: Visit, backend: Backend, public_url: str) -> Check:
    return visit.check(
        "callbacks",
        lambda at: _callbacks(at, backend, public_url),
        needs=("teams",),
        limit_s=LIMIT_S,
    )


def _callbacks(visit: Visit, backend: Backend, public_url: str) -> Verdict:
    place = _place(visit)
    if place is None:
        return unasked(
            f"not asked: {visit.bot} is in no channel of a team to ask from",
            f"/invite {visit.bot} in one",
        )
    with open_door(backend):
        try:
            answer = visit.client.submit_dialog(f"{public_url}{PATH}", *place)
        except Uncertain:
            return fault(
                f"the server gets no answer from {public_url}",
                "does a firewall stand between the two?"
                f" on the server: curl -m 5 {public_url}/healthz",
            )
        except Rejected as error:
            return _unreached(visit, public_url, error)
        except Failure as error:
            return fault(f"the server could not be asked: {gist(error)}", "try again")
    if answer.get("error") == HEARD:
        return ok(f"the server reaches {public_url}")
    return fault(
        f"something else than malexbot answers at {public_url}", _lead_here(backend)
    )


def _place(visit: Visit) -> tuple[str, str] | None:
    """A channel and its team, which the dialog seems to come from."""
    for news in visit.channels:
        if news.type not in DIRECT_TYPES:
            return news.channel_id, news.team_id
    return None


def _unreached(visit: Visit, public_url: str, error: Rejected) -> Verdict:
    if error.id != INTEGRATION_FAILED:
        internal = internal_address(public_url, visit.host)
        return unasked(
            f"the server does not say whether it reaches {public_url}: {gist(error)}",
            f"if buttons do nothing: {ALLOWED}: {internal}" if internal else "",
        )
    is_open = _answers_here(public_url)
    internal = internal_address(public_url, visit.host)
    if internal and is_open:
        return fault(
            f"the server does not call {public_url}, whose address {internal} is"
            " internal",
            f"{ALLOWED}: add {urlsplit(public_url).hostname}",
        )
    if is_open:
        return fault(
            f"the server does not reach {public_url}, though this machine does",
            f"on the server: curl -m 5 {public_url}/healthz; if it does not trust the"
            f" certificate, that of a known CA is needed, or {INSECURE}",
        )
    return fault(
        f"{public_url} does not lead to malexbot, from the server or from here",
        "it needs a proxy that passes it on to backend.host and backend.port",
    )


def _lead_here(backend: Backend) -> str:
    return (
        "let the proxy at backend.public_url pass it on to"
        f" {backend.host}:{backend.port}"
    )


def internal_address(url: str, server: str) -> str:
    """The address in it that a server refuses of itself; "" if there is none.

    Internal is what is not for the whole internet, and what the server has itself.
    """
    host = urlsplit(url).hostname or ""
    own = set(_addresses(server))
    for found in _addresses(host):
        if not ip_address(found).is_global or found in own:
            return found
    return ""


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(address[4][0]).partition("%")[0] for address in found]


def _answers_here(public_url: str) -> bool:
    """Yes: from this machine malexbot is behind that address."""
    request = Request(f"{public_url}{PATH}", data=b"{}", method="POST")
    try:
        with urlopen(request, timeout=NEAR_S) as answer:
            return bool(json.loads(answer.read(1000)).get("error") == HEARD)
    except (OSError, HTTPException, ValueError, AttributeError):
        return False


@contextmanager
def open_door(backend: Backend) -> Iterator[None]:
    """Somebody answers at backend.host and backend.port: the daemon, or we."""
    try:
        ask_daemon(backend)
        yield
        return
    except Silent:
        pass
    server = WebServer(
        host=backend.host, port=backend.port, mounts=[mount_reach], health=Health()
    )
    stop = Stop()
    # Whatever hangs, it does not stay open, and holds nobody.
    closer = threading.Timer(LIMIT_S, stop.set)
    closer.daemon = True
    closer.start()
    thread = threading.Thread(
        target=_serve, args=(server, stop), name="doctor door", daemon=True
    )
    thread.start()
    try:
        _wait_open(server, thread)
        yield
    finally:
        closer.cancel()
        stop.set()
        thread.join(OPENS_S)


def _serve(server: WebServer, stop: Stop) -> None:
    try:
        server.run(stop)
    except MalexbotError:
        pass  # the port is taken, which its own check tells


def _wait_open(server: WebServer, thread: threading.Thread) -> None:
    deadline, pause = Deadline(OPENS_S), Stop()
    while server.address is None and thread.is_alive() and not deadline.is_over:
        pause.wait(0.02)
