"""Addresses are taken in every form that operators write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.config.address import Address, location, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("chat.example.org", Address(None, "chat.example.org", None, "")),
        ("chat.example.org:8065/", Address(None, "chat.example.org", 8065, "")),
        ("https://Chat.Example.org", Address(True, "chat.example.org", None, "")),
        ("WSS://chat/", Address(True, "chat", None, "")),
        ("http://localhost:8065", Address(False, "localhost", 8065, "")),
        ("ws://10.0.0.1//a//b/", Address(False, "10.0.0.1", None, "/a/b")),
        ("::1", Address(None, "[::1]", None, "")),
        ("[::1]:8065", Address(None, "[::1]", 8065, "")),
        ("https://[2001:db8::1]/x", Address(True, "[2001:db8::1]", None, "/x")),
        ("https://чат.рф", Address(True, "xn--80a0bn.xn--p1ai", None, "")),
        ("https://chat:/", Address(True, "chat", None, "")),
    ],
)
def test_every_form_of_an_address_is_read(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("wss://{mattermost_host}", "placeholder"),
        ("https://<your-server>", "placeholder"),
        ("ftp://chat", "needs https://"),
        ("https://me:pw@chat", "user or a password"),
        ("chat?x=1", "more than a server"),
        ("chat#x", "more than a server"),
        ("my chat", "more than a server"),
        ("", "name of a server"),
        ("https://", "name of a server"),
        ("-chat", "name of a server"),
        ("a..b", "name of a server"),
        ("http://[::1", "name of a server"),
        ("x" * 300, "name of a server"),
        ("chat:0", "port from 1 to 65535"),
        ("chat:web", "port from 1 to 65535"),
        ("chat:99999", "port from 1 to 65535"),
    ],
)
def test_what_is_no_address_is_told_so(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_address(text)


@given(text=st.text(alphabet="ab:/[].@?#{}% \u2100é1\u200b", max_size=12))
def test_an_error_never_repeats_the_address(text: str) -> None:
    try:
        parse_address(f"S3cret{text}")
    except ValueError as error:
        assert "S3cret" not in str(error)


def test_a_location_has_one_slash_before_each_part() -> None:
    assert [location(path) for path in ("", "/", "api/v4/", "//api//v4")] == [
        "",
        "",
        "/api/v4",
        "/api/v4",
    ]


def test_a_location_that_holds_the_path_already_is_not_doubled() -> None:
    address = Address(True, "chat", None, "/sub")
    assert (
        address.url("ws", "/sub/api/v4/websocket") == "wss://chat/sub/api/v4/websocket"
    )
    assert address.url("http", "/api/v4") == "https://chat/sub/api/v4"
