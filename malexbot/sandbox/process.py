"""A sandbox as a child process, which can be killed and started again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from malexbot.sandbox.child import Child
from malexbot.sandbox.control import Control


class SandboxProcess:
    """`with SandboxProcess(state=file) as mattermost:` gives its control.

    After `kill()` a `start()` brings it back at the same address, with all that
    its state file knows. It ends with the process that started it. Its clock is that
    of the machine again: `clock_ahead_ms` makes it wrong before anybody can ask.
    """

    def __init__(
        self, *, state: Path | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        options = ["--settings", json.dumps(dict(settings or {}))]
        options += ["--state", str(state)] if state else []
        self._child = Child("malexbot.sandbox", options)

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self, *, clock_ahead_ms: int = 0) -> Control:
        address = self._child.start("--clock-ahead", str(clock_ahead_ms))
        return Control(url=address["url"], door=address["door"])

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def stop(self) -> int:
        """By the end of its input; the exit status, 0 if it was stopped before."""
        return self._child.stop()

    def __enter__(self) -> Control:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
