"""A sandbox as a child process: started, killed, and started again at its port."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from malexbot.errors import MalexbotError

_PATIENCE_S = 30


class Child:
    """One program of ours; it ends with the process that started it."""

    def __init__(self, module: str, options: Sequence[str]) -> None:
        """`module`: what is run, as `program.py` says how."""
        self._command = [sys.executable, "-m", module, "--until-eof", *options]
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self, *more: str) -> Mapping[str, Any]:
        """Where it listens, and where its door is; the same port each time."""
        self._process = subprocess.Popen(
            [*self._command, "--port", str(self._port), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.stop()
            raise MalexbotError("the sandbox did not start")
        address: Mapping[str, Any] = json.loads(line)
        self._port = int(address["url"].rpartition(":")[2])
        return address

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
