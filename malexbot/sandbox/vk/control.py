"""A loopback VK in another process, driven by its control door."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from malexbot.sandbox.control import Part

if TYPE_CHECKING:
    from malexbot.sandbox.vk.faults import VkFaults
    from malexbot.sandbox.vk.ledger import VkLedger
    from malexbot.sandbox.vk.load import VkLoad
    from malexbot.sandbox.vk.sandbox import VkSandbox
    from malexbot.sandbox.vk.scene import VkScene

PARTS = ("scene", "faults", "ledger", "load")


class VkControl:
    """Its parts have the methods of the real ones.

    Arguments go by name, and results are plain data: `ledger.sent()` gives dicts
    where the real one gives what was sent.
    """

    def __init__(self, *, url: str, door: str) -> None:
        self.url = url
        self._sandbox = cast("VkSandbox", Part(door, "sandbox"))
        self.scene = cast("VkScene", Part(door, "scene"))
        self.faults = cast("VkFaults", Part(door, "faults"))
        self.ledger = cast("VkLedger", Part(door, "ledger"))
        self.load = cast("VkLoad", Part(door, "load"))

    @property
    def api_base(self) -> str:
        """What stands before the name of a method."""
        return f"{self.url}/method"

    def restart(self) -> None:
        self._sandbox.restart()

    def polls(self) -> int:
        return self._sandbox.polls()
