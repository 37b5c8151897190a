"""What is wrong with a VK community, and what is to be changed where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from malexbot.cli.doctor.checks import Finding, State, examine
from malexbot.cli.doctor.vk import theme
from malexbot.config.model import Config
from malexbot.config.plugins import Plugged
from malexbot.ports import Processor
from malexbot.sandbox.vk.sandbox import VkSandbox

FILE = Path("/etc/malexbot.yaml")


@pytest.fixture
def vk() -> Iterator[VkSandbox]:
    with VkSandbox() as vk:
        yield vk


def look(
    vk: VkSandbox, handlers: Sequence[Processor] = (), **settings: Any
) -> list[Finding]:
    block = {
        "token": vk.settings.token,
        "group_id": vk.settings.group_id,
        "api_base": vk.api_base,
        "target_events_processors": {"message_new": ["log"], "gap": ["log"]},
    }
    config = Config.model_validate({"vk": block | settings})
    return list(examine([theme(config.plugged_with(Plugged(handlers=handlers)), FILE)]))


def states(found: Sequence[Finding]) -> list[State]:
    return [finding.state for finding in found]


def test_a_community_that_is_well(vk: VkSandbox) -> None:
    found = look(vk)
    assert [(finding.name, finding.what) for finding in found] == [
        ("VK", f"the community malexbot ({vk.settings.group_id})"),
        ("VK rights", "to messages and manage"),
        ("VK events", "VK tells of message_new"),
    ]
    assert set(states(found)) == {State.OK}


def test_without_the_block_nothing_is_said() -> None:
    assert list(examine([theme(Config(), FILE)])) == []


def test_a_refused_token_is_the_only_fault(vk: VkSandbox) -> None:
    found = look(vk, token="wrong")
    assert states(found) == [State.FAULT, State.UNASKED, State.UNASKED]
    assert "User authorization failed" in found[0].what
    assert "vk.token of /etc/malexbot.yaml" in found[0].cure
    assert "wrong" not in str(found)


def test_the_number_of_another_community_is_told(vk: VkSandbox) -> None:
    found = look(vk, group_id=7)
    assert found[0].state is State.FAULT and "vk.group_id is 7" in found[0].what


def test_a_token_with_few_rights_is_told(vk: VkSandbox) -> None:
    vk.settings.rights = ["photos", "manage"]
    found = look(vk)[1]
    assert found.what == "the token has no right to: messages"


def test_events_that_are_switched_off_are_named(vk: VkSandbox) -> None:
    class Pressed(Processor):
        events = ("button", "tick")

    vk.settings.events = ["message_reply"]
    found = look(vk, [Pressed()])[2]
    assert found.what == "VK does not tell of message_event, message_new: switched off"
    assert found.cure.endswith("Long Poll API > Event types: switch them on")


def test_a_long_poll_that_is_switched_off_is_told(vk: VkSandbox) -> None:
    vk.settings.is_long_poll = False
    assert look(vk)[2].what == "the Long Poll API is off"


def test_doing_nothing_could_be_better(vk: VkSandbox) -> None:
    assert look(vk, target_events_processors={})[2].state is State.ADVICE


def test_nobody_there_is_told_with_what_to_try(vk: VkSandbox) -> None:
    found = look(vk, api_base="http://127.0.0.1:1/method")
    assert "refused" in found[0].what and "vk.api_base" in found[0].cure
