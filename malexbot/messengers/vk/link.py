"""The HTTP side of VK: one pool of connections, and what an answer means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
import requests

from malexbot.messengers.clock import ServerClock
from malexbot.messengers.line import Kinds, Line
from malexbot.messengers.vk.failures import (
    Answer,
    Busy,
    Failure,
    Rejected,
    Unclear,
    Unreachable,
    refusal,
)
from malexbot.messengers.vk.pace import Pace

API_BASE = "https://api.vk.com/method"
API_VERSION = "5.199"
READ_S = 20.0
KINDS = Kinds(Rejected, Unreachable, Unclear)


class Link:
    """The way to VK: the connections and the pace of all calls with one token."""

    def __init__(
        self,
        *,
        token: str,
        url: str = API_BASE,
        version: str = API_VERSION,
        pace: Pace | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.pace = pace or Pace()
        self._secret = {"access_token": token, "v": version}
        self.clock = ServerClock()
        self._line = Line("VK", self.url, kinds=KINDS)

    def __repr__(self) -> str:
        return f"Link({self.url})"

    def close(self) -> None:
        self._line.close()

    def exchange(
        self,
        method: str,
        params: Mapping[str, str],
        *,
        is_repeatable: bool,
        read_s: float = READ_S,
    ) -> Any:
        """One call and its response; the token goes in the body, which nobody logs."""
        sent_at = time.monotonic()
        response = self._line.request(
            method,
            "post",
            f"{self.url}/{method}",
            is_repeatable=is_repeatable,
            read_s=read_s,
            data={**params, **self._secret},
        )
        self.clock.note_date(
            response.headers.get("Date", ""),
            sent_at=sent_at,
            is_error=not response.ok,
        )
        return _content(method, response, is_repeatable)


def _content(call: str, response: requests.Response, is_repeatable: bool) -> Any:
    """VK answers 200, errors too; all else is the word of something before it."""
    try:
        body = orjson.loads(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or response.status_code != 200:
        raise _strange(call, response, is_repeatable)
    if "error" in body:
        raise refusal(call, body["error"], is_repeatable=is_repeatable)
    if "response" not in body:
        raise _strange(call, response, is_repeatable)
    return body["response"]


def _strange(call: str, response: requests.Response, is_repeatable: bool) -> Failure:
    status = response.status_code
    message = "is no answer of VK: is vk.api_base right, is there a proxy?"
    # Who tells to come back later, or that there is nothing here, did not do it.
    is_undone = is_repeatable or status in (429, 503) or 300 <= status < 500
    return (Busy if is_undone else Unclear)(call, Answer(0, message, status))
