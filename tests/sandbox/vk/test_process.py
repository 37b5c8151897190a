"""A loopback VK in a process of its own, driven from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from malexbot.sandbox.control import ControlError
from malexbot.sandbox.vk.control import VkControl
from malexbot.sandbox.vk.process import VkSandboxProcess

PATIENCE_S = 10.0
TOKEN = "of-the-test"


@pytest.fixture(scope="module")
def child() -> Iterator[VkSandboxProcess]:
    child = VkSandboxProcess(settings={"token": TOKEN})
    yield child
    child.kill()


@pytest.fixture(scope="module")
def vk(child: VkSandboxProcess) -> VkControl:
    return child.start()


def call(vk: VkControl, method: str, **params: Any) -> Any:
    data = {"access_token": TOKEN, "v": "5.199", **params}
    url = f"{vk.api_base}/{method}"
    return requests.post(url, data=data, timeout=PATIENCE_S).json()


def wait_for(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "waited in vain"


def test_the_parts_have_the_same_names_outside(vk: VkControl) -> None:
    anna = vk.scene.add_person(first_name="Anna")
    chat = vk.scene.add_chat(title="Town")
    vk.scene.say(peer_id=chat, user_id=anna, text="hello")
    (told,) = vk.ledger.updates(type="message_new")
    assert told["object"]["message"]["text"] == "hello"  # type: ignore[index]
    vk.faults.refuse(code=10, method="messages.send", times=1)
    send = {"peer_id": chat, "random_id": 7, "message": "hi"}
    assert call(vk, "messages.send", **send)["error"]["error_code"] == 10
    assert "response" in call(vk, "messages.send", **send)
    (sent,) = vk.ledger.sent(peer_id=chat)
    assert (sent["random_id"], sent["text"]) == (7, "hi")  # type: ignore[index]
    assert vk.polls() == 0
    with pytest.raises(ControlError, match="917"):
        vk.scene.say(peer_id=2_000_009_999, user_id=anna, text="to nobody")


def test_a_load_does_what_its_seed_says(vk: VkControl) -> None:
    def played() -> list[tuple[str, Any, Any]]:
        before = len(vk.ledger.updates())
        vk.load.start(people=3, chats=2, per_second=5000, most=200, seed=7)
        wait_for(lambda: vk.load.made() == 200)
        assert vk.load.stop() == 200
        told: Any = vk.ledger.updates()[before:]
        assert len({one["event_id"] for one in told}) == len(told) == 200
        objects = [one["object"] for one in told]
        texts = [one.get("message", one).get("text") for one in objects]
        payloads = [one.get("payload") for one in objects]
        return [*zip([one["type"] for one in told], texts, payloads, strict=True)]

    first = played()
    assert {"message_new", "message_edit", "message_event"} < {t for t, *_ in first}
    assert first == played()


def test_a_child_comes_back_at_its_address_with_nothing(
    child: VkSandboxProcess, vk: VkControl
) -> None:
    vk.scene.add_person()
    child.kill()
    again = child.start()
    assert again.url == vk.url
    assert again.ledger.updates() == []
    assert (child.stop(), child.stop()) == (0, 0)
