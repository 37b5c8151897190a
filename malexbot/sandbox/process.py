"""A sandbox as a child process, which can be killed and started again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from malexbot.sandbox.child import Child
from malexbot.sandbox.control import Control


class SandboxProcess(Child[Control]):
    """`with SandboxProcess(state=file) as mattermost:` gives its control.

    After `kill()` a `start()` brings it back at the same address, with all that
    its state file knows. It ends with the process that started it. Its clock is that
    of the machine again: `clock_ahead_ms` makes it wrong before anybody can ask.
    """

    def __init__(
        self, *, state: Path | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        options = ["--state", str(state)] if state else []
        super().__init__("malexbot.sandbox", Control, settings, options)

    def start(self, *, clock_ahead_ms: int = 0) -> Control:
        return self._launch("--clock-ahead", str(clock_ahead_ms))
