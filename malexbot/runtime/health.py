"""What the parts of the daemon say of themselves; read by STATUS and /readyz."""

from __future__ import annotations

import threading
from collections.abc import Callable

# Told of a part that begins to do its work or ceases to, and its state, by its thread.
OnChange = Callable[[str, str, bool], None]


class Health:
    """One line a part: how it is, and whether that keeps the daemon from its work."""

    def __init__(self, mask: Callable[[str], str] = str) -> None:
        """`mask` hides what is secret; an error of anybody's may quote it."""
        self._mask = mask
        self.on_change: OnChange | None = None
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[str, bool]] = {}

    def tell(self, part: str, state: str, *, is_ready: bool) -> None:
        told = self._mask(state)
        with self._lock:
            before = self._parts.get(part)
            self._parts[part] = (told, is_ready)
        if self.on_change and (before is None or before[1] != is_ready):
            self.on_change(part, told, is_ready)

    def forget(self, part: str) -> None:
        with self._lock:
            self._parts.pop(part, None)

    @property
    def is_ready(self) -> bool:
        """Yes means that every part does its work."""
        with self._lock:
            return all(is_ready for _, is_ready in self._parts.values())

    def parts(self) -> dict[str, str]:
        with self._lock:
            return {part: state for part, (state, _) in self._parts.items()}

    def states(self) -> dict[str, dict[str, str | bool]]:
        """Each part's state, and whether that keeps the daemon from its work."""
        with self._lock:
            return {
                part: {"state": state, "is_ready": is_ready}
                for part, (state, is_ready) in self._parts.items()
            }

    def line(self) -> str:
        """All parts in one line, for `systemctl status`."""
        return "; ".join(f"{part}: {state}" for part, state in self.parts().items())
