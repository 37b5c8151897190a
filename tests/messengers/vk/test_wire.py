from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from malexbot.errors import Transient
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.failures import Unreachable
from malexbot.messengers.vk.wire import Wire
from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from tests.consumers.service import dripping


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def query(
    vk: VkSandbox, client: Client, wait: str = "60"
) -> tuple[str, dict[str, str]]:
    told = client.long_poll_server(vk.settings.group_id)
    asked = {"act": "a_check", "key": told["key"], "ts": told["ts"], "wait": wait}
    return told["server"], asked


def test_a_cut_ends_a_poll_that_waits(
    wire: Wire, vk: VkSandbox, client: Client
) -> None:
    url, asked = query(vk, client)
    errors: list[Exception] = []

    def poll() -> None:
        try:
            wire.poll(url, asked, read_s=60)
        except Transient as error:
            errors.append(error)

    thread = threading.Thread(target=poll)
    thread.start()
    wait_for_poll(vk)
    wire.cut()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(errors[0], Unreachable)


def test_what_is_cut_polls_no_more(wire: Wire, vk: VkSandbox, client: Client) -> None:
    """Also one that had not yet connected when it was cut."""
    url, asked = query(vk, client)
    wire.cut()
    with pytest.raises(Unreachable):
        wire.poll(url, asked, read_s=60)


def test_a_cut_reaches_a_line_that_was_used_before(
    wire: Wire, vk: VkSandbox, client: Client
) -> None:
    url, asked = query(vk, client, wait="0")
    assert wire.poll(url, asked, read_s=5) == {"ts": "0", "updates": []}
    wire.cut()
    with pytest.raises(Unreachable):
        wire.poll(url, {**asked, "wait": "60"}, read_s=60)


def test_a_cut_twice_and_before_anything_is_harmless(wire: Wire) -> None:
    wire.cut()
    wire.cut()


def test_who_never_answers_is_left_in_time(
    wire: Wire, vk: VkSandbox, client: Client
) -> None:
    url, asked = query(vk, client)
    vk.faults.half_open()
    with pytest.raises(Unreachable):
        wire.poll(url, asked, read_s=0.2)


def test_an_answer_that_drips_is_left_in_time(wire: Wire) -> None:
    begins = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
    with dripping(begins, b" ") as url, pytest.raises(Unreachable):
        wire.poll(url, {}, read_s=0.2)


def test_an_error_does_not_tell_the_key(wire: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable) as caught:
        wire.poll(f"http://127.0.0.1:{port}/lp", {"key": "secret"}, read_s=5)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error}"
        error = error.__cause__


def test_a_proxy_is_gone_through_and_can_be_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proxy is asked for the whole address, and its line is the one to cut."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        wire = Wire()
        errors: list[Exception] = []

        def poll() -> None:
            try:
                wire.poll("http://lp.example/wh", {}, read_s=60)
            except Transient as error:
                errors.append(error)

        thread = threading.Thread(target=poll)
        thread.start()
        line, _ = proxy.accept()
        with line:
            assert line.recv(4096).startswith(b"GET http://lp.example/wh HTTP/1.1")
            wire.cut()
            thread.join(10)
        wire.close()
    assert len(errors) == 1
