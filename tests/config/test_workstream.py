"""Who is told what malexbot does: what may be written there."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from malexbot.config.workstream import Workstream, receiver


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("journal", "journal", ""),
        ("redis:workstream", "redis", "workstream"),
        ("redis:a:b", "redis", "a:b"),
        ("http:ops", "http", "ops"),
        ("tcp:172.19.0.5:7560", "tcp", "172.19.0.5:7560"),
        (" TCP: log.example.org:1 ", "tcp", "log.example.org:1"),
    ],
)
def test_each_form_is_read(text: str, kind: str, name: str) -> None:
    assert receiver(text) == (kind, name)
    assert Workstream(to=text).receiver == (kind, name)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp:172.19.0.5:7560", ("172.19.0.5", 7560)),
        ("tcp:[::1]:7560", ("::1", 7560)),
    ],
)
def test_a_tcp_receiver_has_an_address(text: str, address: tuple[str, int]) -> None:
    assert receiver(text).address == address


@pytest.mark.parametrize(
    "text",
    [
        *("journal:x", "syslog", "redis:", "redis: x y", "redis::x", "http:"),
        *("http://log.example.org/", "tcp:", "tcp:host", "tcp::7560", "tcp:host:0"),
        *("tcp:host:65536", "tcp:host:x", "tcp:a b:7", "tcp:::1:7560", "x" * 300),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="needs"):
        Workstream(to=text)


@pytest.mark.parametrize("text", ["", None])
def test_nobody_is_nobody(text: str | None) -> None:
    assert Workstream(to=text).receiver is None
