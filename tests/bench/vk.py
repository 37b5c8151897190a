"""The VK of a measurement: a sandbox in a process of its own, with a load.

It keeps VK's limits: 20 calls a second with one token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from malexbot.sandbox.vk.sandbox import VkSandbox
from tests.bench.remote import Remote, obey

PEOPLE, CHATS = 200, 20
# When events come at a speed, each so many comes from somebody who never wrote before.
NEW_OF = 50
TEXT = "message number {} with a bit of text, to be as long as what people write"
_PATIENCE_S = 30.0
_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Community:
    """Where it is, and who may come in."""

    url: str
    token: str
    group_id: int

    @property
    def api_base(self) -> str:
        return f"{self.url}/method"


class Load:
    """In the process of the sandbox: makes people write."""

    def __init__(self, vk: VkSandbox) -> None:
        self._vk = vk
        self._people = [self._somebody() for _ in range(PEOPLE)]
        self._chats = [vk.scene.add_chat(f"Chat {number}") for number in range(CHATS)]
        self._said = 0

    def burst(self, messages: int) -> float:
        """All at once; when that was, in seconds of the machine's clock."""
        self._vk.faults.deaf(True)
        for _ in range(messages - 1):
            self._say()
        self._vk.faults.deaf(False)
        # With the last one, all of them are told.
        self._say()
        return time.time()

    def stream(self, messages: int, per_second: float) -> Sequence[float]:
        """At a speed; when each was told."""
        never, start = threading.Event(), time.monotonic()
        told_at = []
        for number in range(messages):
            never.wait(max(0.0, start + number / per_second - time.monotonic()))
            if number % NEW_OF == NEW_OF - 1:
                self._people[self._said % PEOPLE] = self._somebody()
            told_at.append(time.time())
            self._say()
        return told_at

    def calls(self) -> int:
        """How many there were of all methods."""
        return sum(self._vk.ledger.calls().values())

    def await_poll(self) -> int:
        """Until somebody waits for what will be told; how many do."""
        never, until = threading.Event(), time.monotonic() + _PATIENCE_S
        while not self._vk.polls() and time.monotonic() < until:
            never.wait(_LOOK_S)
        return self._vk.polls()

    def _say(self) -> None:
        chat, person = self._said % CHATS, self._said % PEOPLE
        text = TEXT.format(self._said)
        self._vk.scene.say(self._chats[chat], self._people[person], text)
        self._said += 1

    def _somebody(self) -> int:
        return self._vk.scene.add_person("Anna", "Lind")


class Vk(Remote):
    """The other side: `with Vk() as vk:`."""

    def __init__(self) -> None:
        super().__init__("tests.bench.vk")

    def meet(self, told: Any) -> None:
        self.place = Community(**told)

    def burst(self, messages: int) -> float:
        return float(self.order("burst", messages=messages))

    def stream(self, messages: int, per_second: float) -> Sequence[float]:
        told: list[float] = self.order(
            "stream", messages=messages, per_second=per_second
        )
        return told

    def calls(self) -> int:
        return int(self.order("calls"))

    def await_poll(self) -> int:
        return int(self.order("await_poll"))


def _serve() -> None:
    with VkSandbox() as vk:
        settings = vk.settings
        place = Community(vk.url, settings.token, settings.group_id)
        obey(Load(vk), place)


if __name__ == "__main__":
    _serve()
