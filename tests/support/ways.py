"""ports.AnswerWays in memory."""

from __future__ import annotations

from collections import defaultdict

from malexbot.ports import Use


class MemoryWays:
    """ports.AnswerWays; a way that is `closed` is too old."""

    def __init__(self, most: int = 5) -> None:
        self._most = most
        self.used: dict[str, list[str]] = defaultdict(list)
        self.closed: set[str] = set()

    def use(self, event_id: str, *, key: str) -> Use | None:
        keys = self.used[event_id]
        is_repeat = key in keys
        if event_id in self.closed or not (is_repeat or len(keys) < self._most):
            return None
        if not is_repeat:
            keys.append(key)
        return Use(is_repeat)
