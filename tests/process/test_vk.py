"""A real daemon that has nothing but a VK community."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.support.threads import eventually

PLUGIN = """
from malexbot import Bot, Button, Card, Event, action, command, listen


@command("/lunch")
def lunch(event: Event, bot: Bot, what: str = "soup") -> None:
    join = Button("Join", "join", payload={"what": what})
    bot.reply(f"{what} for {event.user.firstname}?", cards=[Card(controls=[join])])


@action("join")
def join(event: Event, bot: Bot, what: str) -> None:
    bot.update(f"{what} with {event.user.firstname}")
    bot.answer("you are in")


@listen(pattern="^hello$")
def hear(event: Event, bot: Bot) -> None:
    bot.reply(f"hello, {event.user.name} of {event.peer.name}")
"""


@pytest.fixture
def vk() -> Iterator[VkSandbox]:
    with VkSandbox() as vk:
        yield vk


def block(vk: VkSandbox, **events: list[str]) -> dict[str, Any]:
    return {
        "token": vk.settings.token,
        "group_id": vk.settings.group_id,
        "api_base": vk.api_base,
        "target_events_processors": events,
    }


def texts(vk: VkSandbox) -> list[str]:
    return [sent.text for sent in vk.ledger.sent()]


def test_what_is_said_at_vk_is_answered_there_once(
    vk: VkSandbox,
    start: Start,
    write_config: Callable[..., Path],
    folder: Path,
    empty_database: Dsn,
) -> None:
    scene = vk.scene
    anna = scene.add_person("Anna", "Lind", domain="annalind")
    town = scene.add_chat("Town")
    (folder / "lunch.py").write_text(PLUGIN)
    config = write_config(
        "vk",
        empty_database,
        vk=block(vk, message_new=["log", "response", "route"], gap=["route"]),
        plugins=["lunch.py"],
        responses=[{"when": "'ping' in event.message.text", "reply": "pong"}],
        routes=[
            {
                "name": "gaps",
                "when": "event.event_type == 'gap'",
                "to": f"vk:{town}",
                "text": "{{ event.data.reason }}",
            },
            {
                "name": "presses",
                "when": "'press' in event.message.text",
                "to": f"vk:{anna}",
            },
        ],
    )
    daemon = start(config)
    daemon.wait_for_status("vk: connected")
    wait_for_poll(vk)
    scene.say(town, anna, "ping")
    scene.say(town, anna, "hello")
    eventually(lambda: len(texts(vk)) == 2)
    assert sorted(texts(vk)) == ["hello, Anna Lind of Town", "pong"]
    scene.say(town, anna, "/lunch borsch")
    eventually(lambda: len(texts(vk)) == 3)
    offer = vk.ledger.sent()[-1]
    assert offer.text == "borsch for Anna?" and offer.keyboard is not None
