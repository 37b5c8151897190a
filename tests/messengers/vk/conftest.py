"""A loopback VK with a person and a chat, and the client that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.link import Link
from malexbot.messengers.vk.translate import Translator
from malexbot.sandbox.vk.sandbox import VkSandbox

NOW_MS = 1_709_107_923_000


class Town(NamedTuple):
    anna: int
    chat: int


@pytest.fixture
def vk() -> Iterator[VkSandbox]:
    with VkSandbox() as vk:
        yield vk


@pytest.fixture
def town(vk: VkSandbox) -> Town:
    anna = vk.scene.add_person("Anna", "Lind", domain="annalind")
    return Town(anna, vk.scene.add_chat("Town"))


@pytest.fixture
def link(vk: VkSandbox) -> Iterator[Link]:
    link = Link(url=vk.api_base, token=vk.settings.token)
    yield link
    link.close()


@pytest.fixture
def client(link: Link) -> Client:
    return Client(link, patience_s=5)


@pytest.fixture
def translator(vk: VkSandbox) -> Translator:
    return Translator(vk.settings.group_id, lambda: NOW_MS)
