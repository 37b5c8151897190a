"""An answer that costs something: asked for by a thread of its own, and kept a while.

Who asks waits for it only so long, however long the other side takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from malexbot.errors import Transient

KEEP_S = 5.0
PATIENCE_S = 2.0

Answer = TypeVar("Answer")


class Fresh(Generic[Answer]):
    """Calls `ask` at most once in `keep_s`, and never twice at a time."""

    def __init__(
        self,
        ask: Callable[[], Answer],
        *,
        name: str,
        keep_s: float = KEEP_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._ask = ask
        self._name = name
        self._keep_s = keep_s
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._answer: Future[Answer] | None = None
        self._asked_at = 0.0

    def __call__(self) -> Answer:
        """The answer, or what was raised instead; Transient if it takes too long."""
        answer, asked_at = self._current()
        left_s = asked_at + self._patience_s - time.monotonic()
        try:
            return answer.result(max(0.0, left_s))
        except TimeoutError:
            raise Transient(f"{self._name}: no answer yet") from None

    def _current(self) -> tuple[Future[Answer], float]:
        with self._lock:
            if self._answer is None or self._is_stale(self._answer):
                self._answer, self._asked_at = Future(), time.monotonic()
                thread = threading.Thread(
                    target=self._get, args=(self._answer,), name=self._name, daemon=True
                )
                try:
                    thread.start()
                except RuntimeError as error:  # there is room for no other thread
                    self._answer.set_exception(Transient(f"{self._name}: {error}"))
            return self._answer, self._asked_at

    def _is_stale(self, answer: Future[Answer]) -> bool:
        return answer.done() and time.monotonic() - self._asked_at > self._keep_s

    def _get(self, answer: Future[Answer]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as error:
            answer.set_exception(error)
