"""A loopback VK as a child process, which outlives whatever is killed around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from malexbot.sandbox.child import Child
from malexbot.sandbox.vk.control import VkControl


class VkSandboxProcess(Child[VkControl]):
    """`with VkSandboxProcess() as vk:` gives its control.

    It keeps its world in memory: with it all of that is gone.
    """

    def __init__(self, *, settings: Mapping[str, Any] | None = None) -> None:
        """`settings`: those of VkSettings that are to differ."""
        super().__init__("malexbot.sandbox.vk", VkControl, settings)
