from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from flask import Flask

from malexbot.errors import Transient
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.web.health import mount_health
from malexbot.web.server import Mount, WebServer


@contextmanager
def serving(
    *mounts: Mount, health: Health | None = None, trusted: Sequence[str] = ()
) -> Iterator[tuple[WebServer, Stop]]:
    server = WebServer(
        host="127.0.0.1",
        port=0,
        mounts=mounts,
        health=health or Health(),
        trusted_proxies=trusted,
    )
    stop = Stop()
    thread = threading.Thread(target=server.run, args=(stop,))
    thread.start()
    until = time.monotonic() + 20
    while server.address is None:
        assert time.monotonic() < until
        thread.join(0.01)
    try:
        yield server, stop
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def url(server: WebServer, path: str) -> str:
    host, port = server.address or ("", 0)
    return f"http://{host}:{port}{path}"


def ask(server: WebServer, path: str) -> tuple[int, object]:
    try:
        with urlopen(url(server, path), timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def is_listening(server: WebServer) -> bool:
    try:
        socket.create_connection(server.address or ("", 0), timeout=5).close()
    except OSError:
        return False
    return True


def test_tells_where_it_listens() -> None:
    health = Health()
    with serving(health=health) as (server, _):
        until = time.monotonic() + 20
        while not health.parts():
            assert time.monotonic() < until
        assert health.line() == "web: listens on %s:%s" % (server.address or ())


def test_a_half_sent_request_does_not_hold_up_a_stop_without_time() -> None:
    with serving() as (server, stop):
        with socket.create_connection(server.address or ("", 0)) as line:
            line.sendall(b"GET /heal")
            started = time.monotonic()
            stop.set()
            while server.address:
                assert time.monotonic() - started < 4


def test_tells_health() -> None:
    health = Health()
    with serving(lambda application: mount_health(application, health)) as (server, _):
        assert ask(server, "/healthz") == (200, {"status": "alive"})
        assert ask(server, "/readyz") == (200, {"ready": True, "parts": {}})
        health.tell("mattermost", "unauthorised", is_ready=False)
        assert ask(server, "/readyz") == (
            503,
            {"ready": False, "parts": {"mattermost": "unauthorised"}},
        )
        assert ask(server, "/healthz")[0] == 200


def test_a_stop_finishes_the_request_that_has_begun() -> None:
    has_begun, may_end = threading.Event(), threading.Event()
    answers: list[object] = []

    def mount(application: Flask) -> None:
        @application.get("/slow")
        def slow() -> dict[str, bool]:
            has_begun.set()
            return {"done": may_end.wait(20)}

    with serving(mount) as (server, stop):
        thread = threading.Thread(target=lambda: answers.append(ask(server, "/slow")))
        thread.start()
        assert has_begun.wait(20)
        stop.set(Deadline(20))
        until = time.monotonic() + 20
        while is_listening(server):
            assert time.monotonic() < until
        may_end.set()
        thread.join(20)
    assert answers == [(200, {"done": True})]


def test_a_taken_port_is_told_with_the_setting_that_helps() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = WebServer(host="127.0.0.1", port=port, mounts=[], health=Health())
        with pytest.raises(Transient) as refused:
            server.run(Stop())
    assert str(refused.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use"
        " (another program may have the port; backend.port sets ours)"
    )


def test_a_request_that_makes_no_sense_is_refused() -> None:
    with serving() as (server, _):
        assert server.address
        with socket.create_connection(server.address, timeout=10) as line:
            line.sendall(b"nonsense\r\n\r\n")
            assert b"400" in line.recv(200)
