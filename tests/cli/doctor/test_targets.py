"""Whether somebody is there whom events and the workstream log are handed to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from malexbot.cli.doctor.checks import Finding, State, examine
from malexbot.cli.doctor.targets import theme
from malexbot.config.model import Config
from tests.support.redis import RedisServer
from tests.support.settings import free_port

FILE = Path("/etc/malexbot.yaml")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody takes connections there, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def look(**blocks: Any) -> Sequence[Finding]:
    return list(examine([theme(Config.model_validate(blocks), FILE)]))


def test_without_the_blocks_nothing_is_said() -> None:
    assert look() == []
    assert look(workstream={"to": "journal"}) == []


def test_who_is_there_takes_connections(port: int) -> None:
    url = f"http://127.0.0.1:{port}/hooks/a-secret"
    found = look(http={"ops": url}, workstream={"to": f"tcp:127.0.0.1:{port}"})
    assert [(each.name, each.state, each.what) for each in found] == [
        ("http", State.OK, f"ops: 127.0.0.1:{port} takes connections"),
        ("workstream", State.OK, f"127.0.0.1:{port} takes connections"),
    ]


def test_who_is_not_there_is_told_with_the_setting() -> None:
    port = free_port()
    found = look(
        http={"ops": f"http://127.0.0.1:{port}/hooks/a-secret"},
        redis={"url": f"redis://127.0.0.1:{port}"},
        workstream={"to": f"tcp:127.0.0.1:{port}"},
    )
    assert [each.state for each in found] == [State.FAULT] * 3
    redis, http, workstream = found
    assert "look at redis.url of /etc/malexbot.yaml" in redis.cure
    refused = "nothing listens there: the connection was refused"
    assert http.what == f"ops: 127.0.0.1:{port}: {refused}"
    assert "http.ops.url" in http.cure and f"http://127.0.0.1:{port}" in http.cure
    assert "a-secret" not in str(found)
    assert workstream.what == f"127.0.0.1:{port}: {refused}"
    assert "workstream.to" in workstream.cure


def test_what_speaks_no_tls_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1024)
                line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        speaker = threading.Thread(target=speak)
        speaker.start()
        port = server.getsockname()[1]
        (found,) = look(http={"ops": f"https://127.0.0.1:{port}/"})
        speaker.join()
    assert found.state is State.FAULT
    assert found.what == f"ops: 127.0.0.1:{port}: no TLS is spoken there"


def test_behind_a_proxy_it_cannot_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:word@proxy.example.org:3128")
    (found,) = look(http={"ops": "https://ops.example.org/hooks/x"})
    assert found.state is State.UNASKED
    assert found.what == "ops is reached by the proxy http://proxy.example.org:3128"


def test_redis_is_asked_and_told_of_what_it_would_throw_away(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    try:
        (found,) = look(redis={"url": server.url})
        assert (found.state, found.what) == (State.OK, f"{server.url} answers")
        with server.client() as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        (found,) = look(redis={"url": server.url.replace("/0", "/99")})
        assert found.state is State.FAULT and "DB index" in found.what
        assert "look at redis.url of" in found.cure
        (found,) = look(redis={"url": server.url})
        assert found.state is State.ADVICE and "allkeys-lru" in found.what
        assert "noeviction" in found.cure
        with server.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("appendonly", "no")
        (found,) = look(redis={"url": server.url})
        assert found.state is State.ADVICE and "its appendonly is no" in found.what
        assert found.cure == "`redis-cli config set appendonly yes`"
        with server.client() as client:
            client.config_set("requirepass", "a password")
        (found,) = look(redis={"url": server.url})
        assert "look at redis.password of" in found.cure
        (found,) = look(redis={"url": server.url, "username": "me", "password": "no"})
        assert "look at redis.username and redis.password of" in found.cure
        assert found.cure.endswith(" --user me --askpass ping")
    finally:
        server.stop()
