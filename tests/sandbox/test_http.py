"""The HTTP server on its plain sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import PATIENCE_S, Rest

PING = b"GET /api/v4/system/ping HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def line(mattermost: Mattermost) -> Iterator[socket.socket]:
    address = ("127.0.0.1", mattermost.port)
    with socket.create_connection(address, timeout=PATIENCE_S) as line:
        yield line


def read(line: socket.socket, until: bytes = b'"OK"}') -> bytes:
    content = b""
    while not content.endswith(until) and (more := line.recv(65536)):
        content += more
    return content


def test_one_line_serves_many_requests(line: socket.socket) -> None:
    for _ in range(3):
        line.sendall(PING)
        assert read(line).startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_may_come_together_or_in_pieces(line: socket.socket) -> None:
    line.sendall(PING + PING[:20])
    assert read(line).count(b'"OK"') == 1
    line.sendall(PING[20:])
    assert read(line).count(b'"OK"') == 1


def test_who_asks_for_a_close_gets_it(line: socket.socket) -> None:
    line.sendall(PING.replace(b"Host: x", b"Connection: close"))
    assert read(line, b"never").endswith(b'"OK"}')


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70000,
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_the_line(line: socket.socket, request_: bytes) -> None:
    line.sendall(request_)
    try:
        assert line.recv(1) == b""
    except ConnectionResetError:
        pass


def test_who_waits_for_a_continue_gets_it(line: socket.socket) -> None:
    head = b"POST /api/v4/users/login HTTP/1.1\r\nExpect: 100-continue\r\n"
    line.sendall(head + b"Content-Length: 2\r\n\r\n")
    assert line.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(b"{}")
    assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_a_line_cut_in_a_request_is_let_go(mattermost: Mattermost) -> None:
    for part in (PING[:10], b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"):
        with socket.create_connection(("127.0.0.1", mattermost.port)) as line:
            line.sendall(part)
    with Rest(mattermost.url) as rest:
        assert rest.get("/system/ping")["status"] == "OK"


def test_long_answers_are_packed_for_those_who_can_unpack(
    mattermost: Mattermost, bot: Rest
) -> None:
    town = mattermost.town
    mattermost.scene.post(town.channel, town.alice, "x" * 5000)
    path = f"/channels/{town.channel}/posts"
    packed = bot("GET", path)
    plain = bot("GET", path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_many_write_at_once_and_nothing_is_lost(mattermost: Mattermost) -> None:
    town = mattermost.town
    made: list[Any] = []

    def write(name: str) -> None:
        with Rest(mattermost.url, town.token) as rest:
            for number in range(25):
                body = {"channel_id": town.channel, "message": f"{name}{number}"}
                made.append(rest.post("/posts", body)["id"])

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = mattermost.ledger.entries(channel_id=town.channel)
    assert {entry.id for entry in entries} == set(made)
    assert len(made) == 100
