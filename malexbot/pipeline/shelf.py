"""What one plugin keeps, as one handler sees it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from malexbot.ports import Kept, Put, Seen, Store, Write

_NOTHING = Kept(None, 0)


class StoreShelf:
    """Implements ports.Shelf: it reads at once, and writes when its handler is done.

    Whatever was read must be as it was by then, or the handler runs anew. What is
    given out is a copy: only what is set is kept.
    """

    def __init__(
        self, store: Store, space: str, *, check: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._space = space
        self._check = check
        self._seen: dict[str, Kept] = {}
        self._set: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        self._check()
        value = self._set[key] if key in self._set else self._read(key).value
        return default if value is None else _copy(value)

    def set(self, key: str, value: Any) -> None:
        """Any JSON; raises TypeError or ValueError for what is none."""
        self._check()
        self._set[key] = _copy(value)

    def delete(self, key: str) -> None:
        self.set(key, None)

    def items(self, prefix: str = "") -> Mapping[str, Any]:
        self._check()
        found = self._store.scan(self._space, prefix)
        # What was read first is what the handler has decided by.
        self._seen = {**found, **self._seen}
        values = {key: self._seen[key].value for key in found}
        ours = {key: v for key, v in self._set.items() if key.startswith(prefix)}
        return {
            key: _copy(value)
            for key, value in sorted((values | ours).items())
            if value is not None
        }

    @property
    def writes(self) -> list[Write]:
        """What is to be kept; what nobody read is written whatever was there."""
        seen = {key: kept.version for key, kept in self._seen.items()}
        space, ours = self._space, self._set
        return [
            *(Put(space, key, value, seen.get(key)) for key, value in ours.items()),
            *(Seen(space, key, at) for key, at in seen.items() if key not in ours),
        ]

    def _read(self, key: str) -> Kept:
        if key not in self._seen:
            self._seen[key] = self._store.read(self._space, key)
        return self._seen[key]


class NoStore:
    """Implements ports.Store where there is none."""

    def read(self, space: str, key: str) -> Kept:
        return _NOTHING

    def scan(self, space: str, prefix: str) -> Mapping[str, Kept]:
        return {}


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))
