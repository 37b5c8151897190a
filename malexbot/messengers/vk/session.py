"""The session of a long poll: where it is asked, and how long it is trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from malexbot.messengers.vk.failures import Busy

# Proxies cut what waits for 30 s.
WAIT_S = 25.0
# A session grows deaf without a word: after so long it is made anew, and when
# nothing was told for so long.
SESSION_S = 9 * 3600.0
SILENT_S = 1800.0
FIRST_SERVER_WAIT_S = 1.0
FIRST_POLL_WAIT_S = 0.2


class Limits(NamedTuple):
    """The waits; tests shorten them."""

    wait_s: float = WAIT_S
    session_s: float = SESSION_S
    silent_s: float = SILENT_S
    first_server_wait_s: float = FIRST_SERVER_WAIT_S
    first_poll_wait_s: float = FIRST_POLL_WAIT_S


LIMITS = Limits()


class Session(NamedTuple):
    """Where to poll, and how far the queue was when it began."""

    server: str
    key: str
    ts: str
    began: float


def read_session(told: Mapping[str, Any], now: float) -> Session:
    """What VK answers who asks for a server; raises Busy for what is none."""
    server, key, ts = told.get("server"), told.get("key"), read_ts(told.get("ts"))
    if not (isinstance(server, str) and isinstance(key, str) and ts is not None):
        raise Busy("groups.getLongPollServer", "an answer without server, key or ts")
    url = server if "://" in server else f"https://{server}"
    return Session(url, key, ts, now)


def read_news(told: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """The ts and the updates of an answer to a poll; raises Busy for what is none."""
    ts, updates = read_ts(told.get("ts")), told.get("updates")
    if ts is None or not isinstance(updates, list):
        raise Busy("long poll", "an answer without ts or updates")
    return ts, updates


def read_ts(told: Any) -> str | None:
    """VK writes it as a string here and as a number there; None if it is none."""
    if isinstance(told, bool) or not isinstance(told, int | str):
        return None
    text = str(told)
    return text if text.isascii() and text.isdecimal() else None
