"""A request that has come in, its answer, and the table that brings them together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from malexbot.sandbox import refusals
from malexbot.sandbox.clock import is_id
from malexbot.sandbox.model import Json, User

PREFIX = "/api/v4"


@dataclass(frozen=True)
class Request:
    """As it came over the line; the names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def token(self) -> str:
        """From `Authorization: Bearer T` (in any case) or the cookie of a login."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() in ("bearer", "token"):
            return token.strip()
        for part in self.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == "MMAUTHTOKEN":
                return value
        return ""

    @property
    def site(self) -> str:
        """The address by which the server was asked."""
        return f"http://{self.headers.get('host', '')}"

    @property
    def query(self) -> dict[str, str]:
        """The first value of each name."""
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    # Without the headers that the API puts on its answers.
    is_bare: bool = False


@dataclass(frozen=True)
class Call:
    """A request with its user and the ids from its path."""

    request: Request
    user: User
    params: dict[str, str]
    query: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """A part of the path; `me` is the user's own id, and ids must look like ids."""
        value = self.params[name]
        if name == "user_id" and value == "me":
            return self.user.id
        if name.endswith("_id") and not is_id(value):
            raise refusals.bad_url(name)
        return value

    def text(self, name: str, what: str) -> str:
        """A field of the body that must be there."""
        value = self.json(what).get(name)
        if not isinstance(value, str) or not value:
            raise refusals.bad_body(what)
        return value

    def json(self, name: str) -> Json:
        """The body as an object; `name` is what the server calls it in its error."""
        body = self._parsed(name)
        if not isinstance(body, dict):
            raise refusals.bad_body(name)
        return body

    def strings(self, name: str) -> list[str]:
        """The body as a list of texts."""
        body = self._parsed(name)
        if not isinstance(body, list) or not all(isinstance(i, str) for i in body):
            raise refusals.bad_body(name)
        return body

    def number(self, name: str, default: int) -> int:
        """From the query; what is no number or negative counts as not given."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() else default

    def _parsed(self, name: str) -> Any:
        body = self.request.body
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
        try:
            # Lone surrogates: the server reads them as U+FFFD.
            return _with_surrogates(body)
        except (ValueError, RecursionError) as error:
            raise refusals.bad_body(name) from error


# An Answer as it is, or data for a 200.
Result = Answer | Json | list[Any]
Handler = Callable[[Call], Result]


@dataclass(frozen=True)
class Route:
    """`path` as in the API's documentation, below /api/v4 or another base."""

    method: str
    path: str
    handler: Handler
    is_public: bool = False
    # No: the handler takes the world's lock itself, for as long as it must.
    is_locked: bool = True
    base: str = PREFIX


class Room(Protocol):
    """The routes of one kind of thing."""

    def routes(self) -> Iterable[Route]: ...


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = (route.base + route.path).strip("/").split("/")
            key = (route.method, len(parts))
            self._routes.setdefault(key, []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        parts = unquote(path).strip("/").split("/")
        for pattern, route in self._routes.get((method, len(parts)), ()):
            params = _match(pattern, parts)
            if params is not None:
                return route, params
        return None


def created(body: Any) -> Answer:
    return Answer(201, orjson.dumps(body))


OK: Json = {"status": "OK"}


def _match(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    params = {}
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted.startswith("{"):
            params[wanted[1:-1]] = part
        elif wanted != part:
            return None
    return params


def _with_surrogates(body: bytes) -> Any:
    text = json.dumps(json.loads(body), ensure_ascii=False)
    return json.loads(
        text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )
