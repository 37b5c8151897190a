"""The HTTP side of Mattermost: one pool of connections, and what an answer means."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from malexbot.messengers.clock import ServerClock
from malexbot.messengers.line import Kinds, Line
from malexbot.messengers.mattermost.depth import cut_off
from malexbot.messengers.mattermost.failures import (
    Busy,
    Rejected,
    Unclear,
    Unreachable,
    answer,
    failure,
)
from malexbot.messengers.mattermost.pace import Pace
from malexbot.runtime.heart import outside

READ_S = 30.0
# Integers of fewer digits fit into 64 bits.
SURE_DIGITS = 19
# What a file's answer may be; the last one tells that it has no such byte.
STREAMED = (200, 206, 416)
KINDS = Kinds(Rejected, Unreachable, Unclear)


class Bearer(AuthBase):
    """The token on each request; as `auth`, so that no ~/.netrc replaces it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Link:
    """The way to one server: the connections, the pace and the clock of all calls."""

    def __init__(self, *, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.pace = Pace()
        self.clock = ServerClock()
        self.own_id = ""
        self._line = Line("Mattermost", self.url, kinds=KINDS, silent_s=READ_S)
        self._line.session.auth = Bearer(token)
        # How long a whole file takes is its length's business.
        self._line.session.mount(f"{self.url}/files/", HTTPAdapter())

    def __repr__(self) -> str:
        return f"Link({self.url})"

    def close(self) -> None:
        self._line.close()

    def exchange(
        self,
        method: str,
        endpoint: str,
        *,
        is_repeatable: bool,
        read_s: float = READ_S,
        **body: Any,
    ) -> Any:
        """One request and what its answer holds, as JSON."""
        call = f"{method} {endpoint}"
        sent_at = time.monotonic()
        response = self._line.request(
            call,
            method,
            self.url + endpoint,
            is_repeatable=is_repeatable,
            read_s=read_s,
            **body,
        )
        self._learn(response, sent_at)
        return _content(call, response, is_repeatable)

    @contextmanager
    def stream(
        self, endpoint: str, *, headers: Mapping[str, str], read_s: float
    ) -> Iterator[requests.Response]:
        """A file on its way: 200, 206, or 416; whatever else it is, is a Failure."""
        call = f"get {endpoint}"
        sent_at = time.monotonic()
        response = self._line.request(
            call,
            "get",
            self.url + endpoint,
            is_repeatable=True,
            read_s=read_s,
            headers=headers,
            stream=True,
        )
        with response:
            self._learn(response, sent_at)
            if response.status_code not in STREAMED:
                self._refuse(call, response)
            yield response

    def tell(self, url: str, body: Any, *, read_s: float = READ_S) -> None:
        """POST this to an address that is its own right: a webhook, without a token.

        It answers "ok", which is no JSON; and it may be on another server, whose pace
        and clock are not this one's.
        """
        # What an address tells must not be in an error.
        call = "post a webhook"
        response = self._line.request(
            call,
            "post",
            url,
            is_repeatable=False,
            read_s=read_s,
            json=body,
            auth=_nobody,
        )
        if response.status_code != 200:
            _content(call, response, is_repeatable=False)
            raise Unclear(call, f"{response.status_code}, not what Mattermost answers")

    def _refuse(self, call: str, response: requests.Response) -> None:
        """Raises what an answer means that is no file."""
        try:
            with outside("Mattermost"):
                _content(call, response, is_repeatable=True)
        except requests.RequestException as error:
            raise self._line.broken(call, error, is_repeatable=True) from error
        told = answer(response.status_code, None, "an answer that is no file", {})
        raise Busy(call, told)

    def _learn(self, response: requests.Response, sent_at: float) -> None:
        self.pace.note(response.headers)
        self.clock.note_date(
            response.headers.get("Date", ""),
            sent_at=sent_at,
            is_error=not response.ok,
        )


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Without our token."""
    return request


def _content(call: str, response: requests.Response, is_repeatable: bool) -> Any:
    try:
        body = orjson.loads(response.content or b"{}")
        is_json = True
    except ValueError:
        body, is_json = _lenient(response)
    status = response.status_code
    text = "" if is_json else response.content[:400].decode(errors="replace")
    told = answer(status, body, text, response.headers)
    if not 200 <= status < 300:
        raise failure(call, told, is_json=is_json, is_repeatable=is_repeatable)
    if not is_json:
        unclear = Busy if is_repeatable else Unclear
        raise unclear(call, told._replace(message="an answer that is no JSON"))
    return body


def _lenient(response: requests.Response) -> tuple[Any, bool]:
    """orjson refuses half a surrogate pair, and what is nested too deep.

    One such post must not hide its page.
    """
    try:
        content = cut_off(response.content)
        return json.loads(content, parse_int=_number), True
    except (ValueError, RecursionError):
        return None, False


def _number(digits: str) -> int | float:
    """As orjson reads it: what 64 bits cannot hold is a fraction."""
    return int(digits) if len(digits) < SURE_DIGITS else float(digits)
