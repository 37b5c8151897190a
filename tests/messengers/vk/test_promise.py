"""Whatever breaks and whenever: each update is taken once."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.longpoll import Batch, LongPoll
from malexbot.messengers.vk.session import Limits
from malexbot.messengers.vk.translate import Translator
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.sandbox.vk.sandbox import VkSandbox
from tests.messengers.vk.conftest import Town

UPDATES = 200
CRASHES = 0.2
MISHAPS = 0.15


class Journal:
    """Keeps events with their mark, or neither."""

    def __init__(self) -> None:
        self.ts = "0"
        self.event_ids: list[str] = []

    def write(self, batch: Batch) -> None:
        self.event_ids += [event.event_id for event in batch.events]
        self.ts = batch.ts


def mishap(vk: VkSandbox, chance: random.Random) -> None:
    mishaps: list[Callable[[], None]] = [
        vk.faults.duplicate_updates,
        vk.faults.cut_polls_short,
        vk.scene.expire_key,
        vk.restart,
        lambda: vk.faults.answer_poll("<html>"),
        lambda: vk.faults.fail(502, times=1, is_html=True),
    ]
    chance.choice(mishaps)()


@pytest.mark.parametrize("seed", range(3))
def test_crashes_and_mishaps_lose_and_double_nothing(
    vk: VkSandbox, town: Town, client: Client, translator: Translator, seed: int
) -> None:
    chance, journal, stop = random.Random(seed), Journal(), Stop()
    left = UPDATES
    while left or journal.ts != str(vk.scene.head()):
        reader = LongPoll(
            client=client,
            group_id=vk.settings.group_id,
            translator=translator,
            health=Health(),
            limits=Limits(wait_s=0, first_server_wait_s=0.001),
        )
        for batch in reader.batches(journal.ts, stop):
            if chance.random() < CRASHES:
                break
            journal.write(batch)
            if not left and journal.ts == str(vk.scene.head()):
                break
            for _ in range(min(left, chance.randrange(8))):
                vk.scene.say(town.chat, town.anna, "hi")
                left -= 1
            if left and chance.random() < MISHAPS:
                mishap(vk, chance)
    assert vk.ledger.lost(journal.event_ids) == []
    assert vk.ledger.doubled(journal.event_ids) == []
    assert len(journal.event_ids) == UPDATES
