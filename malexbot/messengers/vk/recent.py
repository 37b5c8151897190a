"""The ids of the updates of late, so that one that is told twice counts once."""

from __future__ import annotations

# What VK tells twice it tells within minutes.
MOST = 20_000


class Recent:
    """Remembers so many; the oldest is forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def is_new(self, event_id: str) -> bool:
        """Yes: it was not seen before; from now on it was."""
        if event_id in self._ids:
            return False
        if len(self._ids) >= self._most:
            del self._ids[next(iter(self._ids))]
        self._ids[event_id] = None
        return True
