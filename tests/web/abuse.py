"""The table of every route, and of what people send who mean us no good."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from malexbot.web.arrival import MOST_BODY
from tests.web.caller import request

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


class Route(NamedTuple):
    """One route of the daemon."""

    path: str
    """As a stranger would call it."""
    methods: tuple[str, ...]
    takes: tuple[str, ...] = ()
    """Kinds of bodies; none: it does not look at the body."""


ROUTES: Mapping[str, Route] = {
    "/healthz": Route("/healthz", ("GET", "HEAD")),
    "/readyz": Route("/readyz", ("GET", "HEAD")),
    "/metrics": Route("/metrics", ("GET", "HEAD")),
    "/status": Route("/status", ("GET", "HEAD")),
    "/reach": Route("/reach", ("POST",)),
    "/slash": Route("/slash", ("GET", "POST"), (FORM,)),
    "/actions": Route("/actions", ("POST",), (JSON,)),
    "/dialogs": Route("/dialogs", ("POST",), (JSON,)),
    "/hooks/outgoing": Route("/hooks/outgoing", ("POST",), (FORM, JSON)),
    "/hooks/<name>": Route("/hooks/nobody", ("POST",), (FORM, JSON, "text/xml")),
}

# Below /hooks every name is as good as another to who may not come in.
_NOWHERE = (401, 404)


class Attack(NamedTuple):
    """What is sent to a route, and what it may get for that."""

    text: Callable[[Route], bytes]
    codes: tuple[int, ...]
    is_meant_for: Callable[[Route], bool] = lambda route: True


def _post(kind: str, body: bytes, **headers: str) -> Callable[[Route], bytes]:
    return lambda route: request("POST", route.path, body, content_type=kind, **headers)


def _with(line: bytes) -> Callable[[Route], bytes]:
    """A request as the route wants it, and one header more."""
    return lambda route: request(route.methods[0], route.path).replace(
        b"\r\n", b"\r\n" + line + b"\r\n", 1
    )


def _takes(kind: str) -> Callable[[Route], bool]:
    return lambda route: kind in route.takes


def _is_door(route: Route) -> bool:
    return bool(route.takes)


def _is_strict(route: Route) -> bool:
    return _is_door(route) and "text/xml" not in route.takes


ATTACKS: Mapping[str, Attack] = {
    "a body of 10 MB": Attack(_post(JSON, b"x" * 10_000_000), (413,)),
    "a body of 10 MB that is announced only": Attack(
        _post(JSON, b"x", content_length="10000000"), (413,)
    ),
    "a body of 10 MB in chunks": Attack(
        _post(
            JSON,
            (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 160 + b"0\r\n\r\n",
            transfer_encoding="chunked",
        ),
        (413,),
    ),
    "a length that is none": Attack(_with(b"Content-Length: 1e3"), (400,)),
    "a length below nothing": Attack(_with(b"Content-Length: -1"), (400,)),
    "two lengths": Attack(_with(b"Content-Length: 1\r\nContent-Length: 2"), (400,)),
    "a length and chunks": Attack(
        _with(b"Content-Length: 4\r\nTransfer-Encoding: chunked"), (400,)
    ),
    "an encoding nobody knows": Attack(_with(b"Transfer-Encoding: xchunked"), (501,)),
    "two hosts": Attack(_with(b"Host: elsewhere"), (400,)),
    "two authorizations": Attack(
        _with(b"Authorization: Token a\r\nAuthorization: Token b"), (400,)
    ),
    "a header in two lines": Attack(_with(b"A: b\r\n c: d"), (400,)),
    "a header without a name": Attack(_with(b": b"), (400,)),
    "a header with a NUL": Attack(_with(b"A: \0"), (400,)),
    "half a line end": Attack(_with(b"A: b\nC: d"), (400,)),
    "a header of 100 kB": Attack(_with(b"A: " + b"x" * 100_000), (431,)),
    "1000 headers": Attack(_with(b"\r\n".join([b"A: b"] * 1000)), (431,)),
    "an address of 100 kB": Attack(
        lambda route: request(route.methods[0], f"{route.path}?{'x' * 100_000}"), (414,)
    ),
    "half a megabyte of parameters": Attack(
        lambda route: request("GET", f"{route.path}?{'a=b&' * 125_000}"), (414,)
    ),
    "a version of the future": Attack(
        lambda route: f"GET {route.path} HTTP/9.9\r\nHost: x\r\n\r\n".encode(), (505,)
    ),
    "another server's address": Attack(
        lambda route: f"GET http://x{route.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        (400,),
    ),
    "a miracle that is expected": Attack(_with(b"Expect: a miracle"), (417,)),
    "TLS": Attack(lambda route: b"\x16\x03\x01\x02\x00\x01\x00", (400,)),
    "HTTP/2": Attack(lambda route: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400,)),
    "a path above": Attack(
        lambda route: request(route.methods[0], f"{route.path}/../../etc/passwd"),
        (404,),
    ),
    "a path with a NUL": Attack(
        lambda route: request(route.methods[0], f"{route.path}%00"), _NOWHERE
    ),
    "a path that is no text": Attack(
        lambda route: request(route.methods[0], f"{route.path}%ff%fe"), _NOWHERE
    ),
    "deep JSON": Attack(
        _post(JSON, b"[" * 50_000 + b"]" * 50_000), (400,), _takes(JSON)
    ),
    "JSON as deep as it may be large": Attack(
        _post(JSON, b'{"a":' * (MOST_BODY // 5)), (400,), _takes(JSON)
    ),
    "half of JSON": Attack(_post(JSON, b'{"user_id":'), (400,), _takes(JSON)),
    "JSON that is no text": Attack(_post(JSON, b'{"a":"\xff"}'), (400,), _takes(JSON)),
    "a form of 10 000 fields": Attack(
        _post(FORM, b"&".join(b"f%d=x" % n for n in range(10_000))),
        (400,),
        _takes(FORM),
    ),
    "a compressed body": Attack(
        _post(JSON, b"\x1f\x8b" * 100, content_encoding="gzip"), (415,), _is_door
    ),
    "a body of another kind": Attack(
        _post("application/x-java-serialized-object", b"\xac\xed"), (415,), _is_strict
    ),
    "a form with files": Attack(
        _post("multipart/form-data; boundary=x", b"--x--\r\n"), (415,), _is_strict
    ),
}


def meant() -> Iterator[tuple[str, str]]:
    """Each attack with each route that it is meant for."""
    for rule, route in ROUTES.items():
        for name, attack in ATTACKS.items():
            if attack.is_meant_for(route):
                yield rule, name


# Chunks that begin and do not end, heads that never come to an end, and silence.
DRIPS = (
    b"",
    b"P",
    b"POST /slash HTTP/1.1\r\nHost: x\r\n",
    b"POST /actions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{",
    b"POST /hooks/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n{",
)
