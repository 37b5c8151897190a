"""The settings, and what is computed from them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from malexbot.config.backend import Backend
from malexbot.config.model import Config, Mattermost

API = "https://h/api/v4"
SOCKET = "wss://h/api/v4/websocket"


def mattermost(http_host: str, **settings: Any) -> Mattermost:
    return Mattermost(http_host=http_host, token="abc", **settings)


@pytest.mark.parametrize(
    ("http_host", "api", "socket"),
    [
        ("h", API, SOCKET),
        ("https://h", API, SOCKET),
        ("https://h/", API, SOCKET),
        ("wss://h/api/v4/websocket", API, SOCKET),
        ("wss://h/api/v4/websocket/", API, SOCKET),
        ("https://h/api/v4", API, SOCKET),
        ("h/api/v4/", API, SOCKET),
        ("h:8065", "https://h:8065/api/v4", "wss://h:8065/api/v4/websocket"),
        ("http://h", "http://h/api/v4", "ws://h/api/v4/websocket"),
        ("ws://h:80", "http://h:80/api/v4", "ws://h:80/api/v4/websocket"),
        (
            "https://h/chat",
            "https://h/chat/api/v4",
            "wss://h/chat/api/v4/websocket",
        ),
        (
            "wss://h/chat/api/v4/websocket",
            "https://h/chat/api/v4",
            "wss://h/chat/api/v4/websocket",
        ),
        (
            "[::1]:8065",
            "https://[::1]:8065/api/v4",
            "wss://[::1]:8065/api/v4/websocket",
        ),
    ],
)
def test_urls_come_from_every_form_of_http_host(
    http_host: str, api: str, socket: str
) -> None:
    block = mattermost(http_host)
    assert (block.api_url, block.websocket_url) == (api, socket)


@pytest.mark.parametrize(
    ("http_host", "ws_host", "socket"),
    [
        ("https://h", "wss://w", "wss://w/api/v4/websocket"),
        ("https://h", "w:9", "wss://w:9/api/v4/websocket"),
        ("https://h", "w/api/v4/websocket", "wss://w/api/v4/websocket"),
        ("https://h/chat", "wss://w", "wss://w/api/v4/websocket"),
        ("https://h/chat", "wss://h", "wss://h/chat/api/v4/websocket"),
        ("https://h/chat", "wss://h/other", "wss://h/other/api/v4/websocket"),
        ("http://h:1", "h:1", "ws://h:1/api/v4/websocket"),
        ("http://h:1", "w:1", "wss://w:1/api/v4/websocket"),
        ("https://h", "http://h", "ws://h/api/v4/websocket"),
    ],
)
def test_the_socket_may_have_an_address_of_its_own(
    http_host: str, ws_host: str, socket: str
) -> None:
    assert mattermost(http_host, ws_host=ws_host).websocket_url == socket


def test_other_locations_of_the_api_are_kept_to() -> None:
    block = mattermost("h/x/live", api_location="x/api/", ws_api_location="/live/")
    assert (block.api_url, block.websocket_url) == ("https://h/x/api", "wss://h/x/live")


def test_plain_http_is_used_only_if_it_is_written() -> None:
    for http_host in ("localhost", "127.0.0.1:80", "wss://h:80", "h/api/v4"):
        assert mattermost(http_host).api_url.startswith("https://")
        assert mattermost(http_host).websocket_url.startswith("wss://")


def test_a_tokens_line_end_does_not_reach_the_header() -> None:
    block = Mattermost(http_host="h", token=" abc\n")
    assert block.token.get_secret_value() == "abc"


@pytest.mark.parametrize("token", ["a b", "a\nb", "ключ", "\x7f"])
def test_a_token_that_fits_no_header_is_refused(token: str) -> None:
    with pytest.raises(ValidationError, match="needs one word"):
        Mattermost(http_host="h", token=token)


def test_the_daemon_serves_its_own_machine_unless_told_otherwise() -> None:
    assert Config().backend.host == "127.0.0.1"
    assert Config(backend={"host": "[::]"}).backend.host == "::"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://bot.example.org", "https://bot.example.org"),
        ("https://bot.example.org/", "https://bot.example.org"),
        ("http://10.0.0.7:8765/malexbot/", "http://10.0.0.7:8765/malexbot"),
    ],
)
def test_the_public_url_is_what_paths_are_added_to(written: str, meant: str) -> None:
    assert Backend(public_url=written).public_url == meant
    assert Backend().public_url is None


@pytest.mark.parametrize("written", ["bot.example.org", "ftp://x", "https://<here>"])
def test_a_public_url_that_nobody_could_call_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        Backend(public_url=written)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Config().drain_timeout = 5  # type: ignore[misc]


def test_a_database_left_blank_means_the_embedded_one() -> None:
    assert Config(db={"name": "", "password": "", "port": None}).db is None
    with pytest.raises(ValidationError):
        Config(db={"name": "", "host": "h"})


def test_all_secrets_are_known_to_the_masker() -> None:
    config = Config(
        db={"name": "d", "password": "pw", "host": "pg://me:url%20pw@h"},
        mattermost={"http_host": "h", "token": "abc", "listen_channels": "x://u:in@c"},
    )
    assert set(config.secrets()) == {"pw", "abc", "url%20pw", "in"}
    assert Config().secrets() == ()
