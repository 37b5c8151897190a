"""A sandbox as a child process, which can be killed and started again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from malexbot.errors import MalexbotError
from malexbot.sandbox.control import Control

_PATIENCE_S = 30


class SandboxProcess:
    """`with SandboxProcess(state=file) as mattermost:` gives its control.

    After `kill()` a `start()` brings it back at the same address, with all that
    its state file knows. It ends with the process that started it. Its clock is that
    of the machine again: `clock_ahead_ms` makes it wrong before anybody can ask.
    """

    def __init__(
        self, *, state: Path | None = None, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._state = state
        self._settings = json.dumps(dict(settings or {}))
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, *, clock_ahead_ms: int = 0) -> Control:
        command = [*self._command(), "--clock-ahead", str(clock_ahead_ms)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise MalexbotError("the sandbox did not start")
        address = json.loads(line)
        self._port = int(address["url"].rpartition(":")[2])
        return Control(url=address["url"], door=address["door"])

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            with self._process as process:
                process.kill()
            self._process = None

    def stop(self) -> int:
        """By the end of its input; the exit status, 0 if it was stopped before."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        with process:
            assert process.stdin is not None
            process.stdin.close()
            return process.wait(_PATIENCE_S)

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "malexbot.sandbox", "--until-eof"]
        command += ["--port", str(self._port), "--settings", self._settings]
        return command + (["--state", str(self._state)] if self._state else [])

    def __enter__(self) -> Control:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
