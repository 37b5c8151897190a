"""The HTTP side of VK: one pool of connections, and what an answer means."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter

from malexbot import __version__
from malexbot.messengers.clock import ServerClock
from malexbot.messengers.vk.failures import (
    Answer,
    Busy,
    Failure,
    Rejected,
    Unclear,
    Unreachable,
    cause,
    refusal,
)
from malexbot.messengers.vk.pace import Pace
from malexbot.runtime.heart import outside

API_BASE = "https://api.vk.com/method"
API_VERSION = "5.199"
CONNECT_S = 5.0
READ_S = 20.0
POOL_SIZE = 16
# What leaves no doubt that the request did not leave.
NOT_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)


class Link:
    """The way to VK: the connections and the pace of all calls with one token."""

    def __init__(
        self,
        *,
        token: str,
        url: str = API_BASE,
        version: str = API_VERSION,
        pace: Pace | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.pace = pace or Pace()
        self._secret = {"access_token": token, "v": version}
        self.clock = ServerClock()
        self._session = requests.Session()
        self.way = surroundings(self._session, self.url, ca_file, proxy)
        self._session.headers["User-Agent"] = f"malexbot/{__version__}"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=POOL_SIZE))

    def __repr__(self) -> str:
        return f"Link({self.url})"

    def close(self) -> None:
        self._session.close()

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
        try:
            with outside("VK"):
                response = self._session.post(
                    f"{self.url}/{method}",
                    data={**params, **self._secret},
                    timeout=(CONNECT_S, read_s),
                    allow_redirects=False,
                    **self.way,
                )
        except requests.RequestException as error:
            raise _unanswered(method, error, is_repeatable) from error
        self.clock.note_date(response.headers.get("Date", ""), sent_at=sent_at)
        return _content(method, response, is_repeatable)


def surroundings(
    session: requests.Session, url: str, ca_file: str | None, proxy: str | None
) -> dict[str, Any]:
    """Proxy and CA of the settings, else those of the environment, looked up once."""
    proxies = {"http": proxy, "https": proxy} if proxy else {}
    way = session.merge_environment_settings(url, proxies, None, ca_file, None)
    session.trust_env = False
    return {"proxies": way["proxies"], "verify": way["verify"]}


def _unanswered(
    call: str, error: requests.RequestException, is_repeatable: bool
) -> Failure:
    told = cause(error)
    if isinstance(error, ValueError):
        return Rejected(call, told)
    is_refused = "NewConnectionError" in repr(error) or "NameResolution" in repr(error)
    if is_repeatable or is_refused or isinstance(error, NOT_SENT):
        return Unreachable(call, told)
    return Unclear(call, told)


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
