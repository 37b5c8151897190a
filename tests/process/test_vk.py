"""A real daemon that has nothing but a VK community."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from malexbot.sandbox.vk.sandbox import VkSandbox, wait_for_poll
from malexbot.sandbox.vk.world import VkSettings
from malexbot.storage.dsn import Dsn
from tests.process.conftest import Start
from tests.support.threads import eventually

pytestmark = pytest.mark.untraced

PLUGIN = """
from malexbot import Bot, Button, Card, Event, action, command, listen


@command("/lunch")
def lunch(event: Event, bot: Bot, what: str = "soup") -> None:
    join = Button("join", "Join", payload={"what": what})
    bot.reply(f"{what} for {event.user.firstname}?", cards=[Card(controls=[join])])


@action("join")
def join(event: Event, bot: Bot, what: str) -> None:
    bot.update(f"{what} with {event.user.firstname}")
    bot.answer("you are in")


@listen(pattern="^hello$")
def hear(event: Event, bot: Bot) -> None:
    bot.reply(f"hello, {event.user.name} of {event.peer.name}")
"""


GROUP = VkSettings().group_id


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
    empty_database: Dsn,
    vk: VkSandbox,
    start: Start,
    write_config: Callable[..., Path],
    folder: Path,
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

    # A button that is pressed calls the plugin, and shows what it says.
    scene.say(town, anna, "/lunch borsch")
    eventually(lambda: len(texts(vk)) == 3)
    offer = vk.ledger.sent()[-1]
    assert offer.text == "borsch for Anna?" and offer.keyboard is not None
    (action,) = [b["action"] for row in offer.keyboard["buttons"] for b in row]
    press = scene.press(town, anna, offer.cmid, action["payload"])
    eventually(vk.ledger.press_answers)
    (answer,) = vk.ledger.press_answers()
    assert (answer.event_id, answer.user_id) == (press, anna)
    assert answer.shown == {"type": "show_snackbar", "text": "you are in"}
    eventually(lambda: scene.text(town, offer.cmid) == "borsch with Anna")
    # Who presses it once more is told that somebody was faster.
    scene.press(town, anna, offer.cmid, action["payload"])
    eventually(lambda: len(vk.ledger.press_answers()) == 2)
    assert "you are in" not in str(vk.ledger.press_answers()[1].shown)

    # What VK lost is told, and it goes on; what comes twice is done once.
    scene.lose_information()
    eventually(lambda: len(texts(vk)) == 4)
    assert texts(vk)[-1] == "VK lost what it kept"
    wait_for_poll(vk)
    vk.faults.duplicate_updates()
    scene.say(anna, anna, "press")
    eventually(lambda: len(texts(vk)) == 5)
    assert vk.ledger.sent()[-1].peer_id == anna

    # Other processors count at once, another community after a restart.
    text = config.read_text()
    config.write_text(text.replace("    - response\n", "").replace(str(GROUP), "7"))
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_log("needs a restart to take effect: vk.group_id")
    assert "vk.target_events_processors" in daemon.log
    config.write_text(text)

    # A poll that waits for minutes holds up no end.
    wait_for_poll(vk)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(seconds=10) == 0
    # Nor does what VK tells once more to a daemon that remembers nothing.
    first = vk.ledger.updates(type="message_new")[0]
    scene.happen(first.type, first.object, event_id=first.event_id)
    scene.say(town, anna, "ping")
    daemon = start(config)
    eventually(lambda: len(texts(vk)) == 6)
    assert texts(vk)[-1] == "pong"
    assert "(replay)" in daemon.log and vk.ledger.repeated() == []
    assert vk.ledger.calls()["users.get"] == 2


def test_a_token_that_is_refused_is_a_state_of_one_part(
    empty_database: Dsn,
    vk: VkSandbox,
    start: Start,
    write_config: Callable[..., Path],
) -> None:
    vk.faults.refuse(5)
    daemon = start(write_config("vk", empty_database, vk=block(vk)))
    daemon.wait_for_status("vk: unauthorised")
    assert "write a valid vk.token" in daemon.status
    daemon.wait_for_status("intake: writes")
