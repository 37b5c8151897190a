"""A process that obeys: lines of JSON go in, `[method, arguments]`, and come out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, is_dataclass
from types import TracebackType
from typing import Any, Self


class Remote:
    """The obeying process, as its master sees it: `with Remote("module") as it:`."""

    def __init__(self, module: str, *words: str) -> None:
        self._command = [sys.executable, "-m", module, *words]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.meet(self.hear())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process as process:
            process.kill()

    def meet(self, told: Any) -> None:
        """What it says of itself before anybody asks."""

    def order(self, method: str, **arguments: float) -> Any:
        """What that method answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([method, arguments]) + "\n")
        self._process.stdin.flush()
        return self.hear()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def obey(servant: object, place: Any) -> None:
    """Say where it is, then do what comes in, until nothing comes any more."""
    _say(place)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        _say(getattr(servant, method)(**arguments))


def _say(answer: Any) -> None:
    is_ours = is_dataclass(answer) and not isinstance(answer, type)
    print(json.dumps(asdict(answer) if is_ours else answer), flush=True)
