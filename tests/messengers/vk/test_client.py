from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from malexbot.errors import Permanent, Transient
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.failures import (
    Busy,
    Failure,
    Forbidden,
    Rejected,
    Unauthorised,
    Unclear,
    Unreachable,
)
from malexbot.messengers.vk.link import Link
from malexbot.messengers.vk.pace import Pace
from malexbot.runtime.stop import Stop
from malexbot.sandbox.vk.sandbox import VkSandbox
from malexbot.sandbox.vk.world import VkSettings
from tests.consumers.service import dripping
from tests.messengers.vk.conftest import Town


def hasty(link: Link) -> Client:
    """One that tries once."""
    return Client(link, patience_s=0)


def test_the_community_of_the_token_is_known(client: Client, vk: VkSandbox) -> None:
    assert client.group()["id"] == vk.settings.group_id


def test_people_are_told_and_communities_are_not(client: Client, town: Town) -> None:
    (row,) = client.users([town.anna, 999_999])
    assert (row["id"], row["domain"]) == (town.anna, "annalind")


@pytest.mark.parametrize("code", [1, 6, 10])
def test_what_passes_is_tried_again(
    client: Client, vk: VkSandbox, town: Town, code: int
) -> None:
    vk.faults.refuse(code, times=1)
    assert client.users([town.anna])
    assert vk.ledger.calls()["users.get"] == 2


@pytest.mark.parametrize(
    ("code", "least_s"), [(1, None), (6, 1), (9, 30), (10, None), (29, 300), (32, 5)]
)
def test_what_passes_tells_when_to_come_again(
    link: Link, vk: VkSandbox, code: int, least_s: float | None
) -> None:
    vk.faults.refuse(code)
    with pytest.raises(Busy) as caught:
        hasty(link).users([1])
    assert isinstance(caught.value, Transient)
    assert (caught.value.code, caught.value.retry_after_s) == (code, least_s)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (5, Unauthorised),
        (27, Unauthorised),
        (15, Forbidden),
        (917, Forbidden),
        (100, Rejected),
        (113, Rejected),
        (14, Rejected),
        (4242, Rejected),
    ],
)
def test_what_stays_refused_is_asked_once(
    client: Client, vk: VkSandbox, code: int, kind: type[Failure]
) -> None:
    vk.faults.refuse(code)
    with pytest.raises(kind) as caught:
        client.users([1])
    assert isinstance(caught.value, Permanent)
    assert vk.ledger.calls()["users.get"] == 1


@pytest.fixture
def misled(vk: VkSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    """Of a machine whose clock is two hours ahead."""
    ahead_s = time.time() + 7200
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: ahead_s)
        link = Link(url=vk.api_base, token=vk.settings.token)
    yield link
    link.close()


@pytest.mark.parametrize("code", [None, 5, 10], ids=["fine", "refused", "busy"])
def test_vk_is_the_one_that_tells_the_time(
    misled: Link, vk: VkSandbox, code: int | None
) -> None:
    if code:
        vk.faults.refuse(code)
    # It is asked, since nothing was heard of it yet; a refusal tells it as well.
    assert abs(hasty(misled).server_now_ms() / 1000 - time.time()) < 10
    hasty(misled).server_now_ms()
    assert vk.ledger.calls() == {"utils.getServerTime": 1}


def test_while_vk_tells_no_time_ours_does_not_count(unused_port: int) -> None:
    link = Link(url=f"http://127.0.0.1:{unused_port}/method", token="t")
    with pytest.raises(Unreachable):
        hasty(link).server_now_ms()
    link.close()


def test_a_method_whose_limit_was_met_is_left_alone(link: Link, vk: VkSandbox) -> None:
    vk.faults.refuse(29, method="users.get")
    for _ in range(3):
        with pytest.raises(Busy) as caught:
            hasty(link).users([1])
        assert caught.value.retry_after_s == 300
    assert vk.ledger.calls()["users.get"] == 1
    assert hasty(link).group()


def test_too_many_calls_hold_up_every_call(link: Link, vk: VkSandbox) -> None:
    vk.faults.refuse(6, times=1)
    for ask in (hasty(link).group, lambda: hasty(link).users([1])):
        with pytest.raises(Busy) as caught:
            ask()
        assert caught.value.retry_after_s == 1
    assert vk.ledger.calls() == {"groups.getById": 1}


def test_a_send_above_the_limit_is_to_wait_and_no_failure(
    vk: VkSandbox, town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    link = Link(url=vk.api_base, token=vk.settings.token, pace=Pace(1))
    for number in range(4):
        try:
            hasty(link).send(town.chat, "hi", random_id=number + 1)
        except Busy as error:
            assert error.is_of_target
    link.close()
    assert len(vk.ledger.sent()) == 1
    assert caplog.text.count("is met") == 1


@pytest.mark.parametrize(("code", "is_limit"), [(6, True), (29, True), (10, False)])
def test_only_a_limit_holds_of_all_that_is_sent(
    link: Link, vk: VkSandbox, code: int, is_limit: bool
) -> None:
    vk.faults.refuse(code)
    with pytest.raises(Busy) as caught:
        hasty(link).users([1])
    assert caught.value.is_of_target is is_limit


def test_the_token_is_in_no_error(vk: VkSandbox) -> None:
    link = Link(url=vk.api_base, token="vk1.a.secret")
    with pytest.raises(Unauthorised) as caught:
        hasty(link).group()
    link.close()
    assert "secret" not in f"{caught.value!s}{caught.value!r}{link!r}"
    assert "vk.token" in str(caught.value)


def test_many_threads_keep_the_limit() -> None:
    """VK's is higher than ours here: it counts when calls arrive, be that late."""
    with VkSandbox(settings=VkSettings(rate_per_s=4)) as vk:
        link = Link(url=vk.api_base, token=vk.settings.token, pace=Pace(2))
        threads = [threading.Thread(target=Client(link).group) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        link.close()
        # One more would have been a call that VK refused.
        assert vk.ledger.calls() == {"groups.getById": 5}


def test_a_page_of_a_proxy_is_no_answer(link: Link, vk: VkSandbox) -> None:
    vk.faults.fail(502, is_html=True)
    with pytest.raises(Busy, match="502"):
        hasty(link).users([1])


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_send_that_a_proxy_lost_is_uncertain(
    link: Link, vk: VkSandbox, town: Town, status: int
) -> None:
    vk.faults.fail(status, is_html=True)
    with pytest.raises(Unclear):
        hasty(link).send(town.chat, "hi", random_id=7)


@pytest.mark.parametrize("code", [1, 10])
def test_a_send_that_vk_stumbled_over_is_uncertain(
    link: Link, vk: VkSandbox, town: Town, code: int
) -> None:
    vk.faults.refuse(code)
    with pytest.raises(Unclear):
        hasty(link).send(town.chat, "hi", random_id=7)


def test_a_send_whose_line_breaks_is_uncertain(
    client: Client, vk: VkSandbox, town: Town
) -> None:
    vk.faults.strike(1, "after")
    with pytest.raises(Unclear):
        client.send(town.chat, "hi", random_id=7)
    assert client.send(town.chat, "hi", random_id=7) == 1
    assert len(vk.ledger.sent()) == 1


@pytest.mark.parametrize(
    ("begins", "drips"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    ],
)
def test_an_answer_that_drips_holds_nobody(begins: bytes, drips: bytes) -> None:
    """Each byte comes in time, the answer as a whole never does."""
    with dripping(begins, drips) as url:
        link = Link(url=url, token="t")
        with pytest.raises(Unclear):
            Client(link, patience_s=0, read_s=0.2).send(1, "hi", random_id=7)
        link.close()


def test_a_look_up_whose_line_breaks_is_made_again(
    client: Client, vk: VkSandbox, town: Town
) -> None:
    assert client.users([town.anna])
    vk.restart()
    assert client.users([town.anna])


def test_nobody_there_is_no_uncertain_send() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    link = Link(url=f"http://127.0.0.1:{port}/method", token="t")
    with pytest.raises(Unreachable):
        hasty(link).send(1, "hi", random_id=7)
    link.close()


def test_an_error_of_the_one_peer_is_the_sends(client: Client, vk: VkSandbox) -> None:
    shy = vk.scene.add_person(takes_messages=False)
    with pytest.raises(Forbidden) as caught:
        client.send(shy, "hi", random_id=7)
    assert caught.value.code == 901


def test_half_characters_and_nul_are_sent_as_what_vk_takes(
    client: Client, vk: VkSandbox, town: Town
) -> None:
    client.send(town.chat, "a\0b\ud83dc", random_id=7)
    assert vk.ledger.sent()[0].text == "a\N{REPLACEMENT CHARACTER}b?c"


def test_a_stop_ends_the_wait_for_a_seat(vk: VkSandbox) -> None:
    pace = Pace()
    pace.hold(60)
    link = Link(url=vk.api_base, token=vk.settings.token, pace=pace)
    stop = Stop()
    client = Client(link, stop=stop, patience_s=120)
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Unreachable, match="stops"):
        client.group()
    assert time.monotonic() - began < 30
    timer.join()
    link.close()


@pytest.mark.parametrize("text", ["[]", "{}", "7", "<html>", '{"error":7}', ""])
def test_odd_answers_pass(text: str) -> None:
    """Whatever comes: it is a Failure, and one that may pass."""
    with OneAnswer(text) as url:
        odd = Link(url=url, token="t")
        with pytest.raises(Busy):
            hasty(odd).users([1])
        odd.close()


class OneAnswer:
    """A server that gives one answer."""

    def __init__(self, text: str) -> None:
        self._body = text.encode()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        line, _ = self._server.accept()
        with line:
            line.recv(65536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(self._body)}\r\n\r\n"
            line.sendall(head.encode() + self._body)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._server.close()
