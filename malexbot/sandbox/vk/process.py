"""A loopback VK as a child process, which outlives whatever is killed around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from malexbot.sandbox.child import Child
from malexbot.sandbox.vk.control import VkControl


class VkSandboxProcess:
    """`with VkSandboxProcess() as vk:` gives its control.

    It keeps its world in memory: with it all of that is gone.
    """

    def __init__(self, *, settings: Mapping[str, Any] | None = None) -> None:
        """`settings`: those of VkSettings that are to differ."""
        options = ["--settings", json.dumps(dict(settings or {}))]
        self._child = Child("malexbot.sandbox.vk", options)

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> VkControl:
        address = self._child.start()
        return VkControl(url=address["url"], door=address["door"])

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def stop(self) -> int:
        """By the end of its input; the exit status, 0 if it was stopped before."""
        return self._child.stop()

    def __enter__(self) -> VkControl:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
