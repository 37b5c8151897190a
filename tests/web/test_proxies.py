"""Whom the application takes for its caller."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from malexbot.web.proxies import Proxies, read_address

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


def seen(
    peer: str, trusted: tuple[str, ...] = TRUSTED, **claims: str
) -> WSGIEnvironment:
    """The environment as the application behind them gets it."""
    found: WSGIEnvironment = {}

    def application(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        found.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "inside"}
    environ |= {f"HTTP_{name.upper()}": value for name, value in claims.items()}
    Proxies(application, trusted=trusted)(environ, lambda *_: lambda _: None)
    return found


@pytest.mark.parametrize(
    "peer, forwarded, caller",
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.7, 10.2.3.4", "203.0.113.7"),
        ("127.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1, unknown, 10.2.3.4", "10.2.3.4"),
        ("127.0.0.1", "203.0.113.7:1234", "203.0.113.7"),
        ("fd00::1", "[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("203.0.113.1", "127.0.0.1", "203.0.113.1"),
        ("", "127.0.0.1", ""),
    ],
)
def test_the_caller_is_the_last_stranger(
    peer: str, forwarded: str, caller: str
) -> None:
    assert seen(peer, x_forwarded_for=forwarded)["REMOTE_ADDR"] == caller


def test_a_trusted_proxy_tells_how_it_was_called() -> None:
    environ = seen(
        "10.0.0.1", x_forwarded_proto="http, https", x_forwarded_host="bot.example.org"
    )
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "bot.example.org"


@pytest.mark.parametrize("trusted", [TRUSTED, ()])
def test_nothing_of_it_counts_from_a_stranger(trusted: tuple[str, ...]) -> None:
    environ = seen(
        "203.0.113.1",
        trusted,
        x_forwarded_for="127.0.0.1",
        x_forwarded_proto="https",
        x_forwarded_host="bot.example.org",
    )
    assert environ["REMOTE_ADDR"] == "203.0.113.1"
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == "inside"


@pytest.mark.parametrize("peer", ["127.0.0.1", "203.0.113.1"])
def test_no_claim_is_left_for_others_to_believe(peer: str) -> None:
    claims = {
        name: "x"
        for name in (
            *("forwarded", "proxy", "x_real_ip", "x_forwarded_for"),
            *("x_forwarded_proto", "x_forwarded_host", "x_forwarded_port"),
        )
    }
    assert not {name for name in seen(peer, **claims) if "FORW" in name or "X_" in name}


def test_a_scheme_that_is_none_is_not_taken() -> None:
    environ = seen("127.0.0.1", x_forwarded_proto="gopher")
    assert environ["wsgi.url_scheme"] == "http"


def test_addresses() -> None:
    assert read_address("no address") is None
    assert str(read_address(" ::ffff:10.0.0.1 ")) == "10.0.0.1"
