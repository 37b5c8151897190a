"""Whether events come: a websocket that greets us and answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from malexbot.cli.doctor.checks import Check, Verdict, advice, fault, ok
from malexbot.cli.doctor.remedies import gist
from malexbot.cli.doctor.visit import Visit
from malexbot.errors import Transient
from malexbot.messengers.mattermost.dialogue import NoHello
from malexbot.messengers.mattermost.failures import Busy, Failure, Rejected
from malexbot.messengers.mattermost.socket import Websocket
from malexbot.runtime.deadline import Deadline

# A server that gets no token hangs up after 5 s; then the other way is tried.
LIMIT_S = 12.0
UPGRADE = (
    "nginx needs, where it passes /api/v4/websocket on: proxy_http_version 1.1;"
    ' proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
)
PASS_TOKEN = (
    "it works without, but nothing can be resumed; nginx:"
    " proxy_set_header Authorization $http_authorization;"
)
RELIABLE = "config.json of Mattermost: ServiceSettings.EnableReliableWebSockets: true"


def check(visit: Visit) -> Check:
    return visit.check(
        "websocket",
        _websocket,
        needs=("token",),
        lack="the websocket does not work",
        limit_s=LIMIT_S,
    )


def _websocket(visit: Visit) -> Verdict:
    try:
        try:
            is_resumable = _greeted(visit)
        except NoHello as error:
            if not error.was_waited_for:
                raise
            visit.by_message = True
            _greeted(visit)
            return advice(
                "a proxy takes the Authorization header off the websocket", PASS_TOKEN
            )
    except (Busy, Rejected) as error:
        return fault(f"{visit.dial.url} is no websocket: {gist(error)}", UPGRADE)
    except Failure as error:
        return fault(f"{visit.dial.url}: {gist(error)}", visit.remedy(error))
    except Transient as error:
        return fault(f"{visit.dial.url} opens and then fails: {error}", UPGRADE)
    if not is_resumable:
        return advice(
            "good, but what is missed while the line is down must be read again",
            RELIABLE,
        )
    return ok(f"{visit.dial.url} greets and answers")


def _greeted(visit: Visit) -> bool:
    """Yes: the connection could be resumed; raises what went wrong."""
    with opened(visit) as line:
        return bool(line.dialogue.connection_id) and not visit.by_message


@contextmanager
def opened(visit: Visit) -> Iterator[Websocket]:
    """A websocket that has greeted us and answered a ping."""
    line = visit.dial.open(by_message=visit.by_message)
    try:
        for _ in line.frames():
            if line.dialogue.is_greeted and line.dialogue.pong:
                break
        yield line
    finally:
        line.close()


def wait_for(line: Websocket, event: str, post_id: str, *, seconds: float) -> bool:
    """Yes: this event about this post came in time."""
    deadline = Deadline(seconds)
    for frame in line.frames():
        if frame is not None and isinstance(frame.body, dict):
            if frame.body.get("event") == event and post_id.encode() in frame.raw:
                return True
        if deadline.is_over:
            return False
    return False
