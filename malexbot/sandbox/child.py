"""A sandbox as a child process: started, killed, and started again at its port."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar

from malexbot.errors import MalexbotError

_PATIENCE_S = 30

Control = TypeVar("Control")


class Child(Generic[Control]):
    """`with Child(…) as control:`, and it is killed at the end of the block.

    It ends with the process that started it, too.
    """

    def __init__(
        self,
        module: str,
        control: Callable[..., Control],
        settings: Mapping[str, Any] | None,
        options: Sequence[str] = (),
    ) -> None:
        """`module`: what is run, as `program.py` says how."""
        told = json.dumps(dict(settings or {}))
        self._command = [sys.executable, "-m", module, "--until-eof"]
        self._command += ["--settings", told, *options]
        self._control = control
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    def start(self) -> Control:
        """What reaches it; at the same port each time."""
        return self._launch()

    def _launch(self, *more: str) -> Control:
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
        address = json.loads(line)
        self._port = int(address["url"].rpartition(":")[2])
        return self._control(url=address["url"], door=address["door"])

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

    def __enter__(self) -> Control:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
