"""ports.Store in memory."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterable, Mapping

from malexbot.ports import Conflict, Kept, Put, Seen
from tests.support.fakes import Fail, never

_NOTHING = Kept(None, 0)


class MemoryStore:
    """ports.Store; `write` is what the end of a job does, all of it or nothing."""

    def __init__(self, fail: Fail = never) -> None:
        self.fail = fail
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self.kept: dict[tuple[str, str], Kept] = {}

    # The port.

    def read(self, space: str, key: str) -> Kept:
        self.fail("read")
        with self._lock:
            return _fresh(self.kept.get((space, key), _NOTHING))

    def scan(self, space: str, prefix: str) -> Mapping[str, Kept]:
        self.fail("scan")
        with self._lock:
            return {
                key: _fresh(kept)
                for (where, key), kept in sorted(self.kept.items())
                if where == space and key.startswith(prefix)
            }

    # As the end of a job writes it.

    def require(self, writes: Iterable[Put | Seen]) -> None:
        """Raises Conflict if something of it is another by now."""
        seen: dict[tuple[str, str], int] = {}
        for write in writes:
            if write.version is not None:
                seen.setdefault((write.space, write.key), write.version)
        with self._lock:
            for where, version in seen.items():
                if self.kept.get(where, _NOTHING).version != version:
                    raise Conflict(f"somebody else has written {where}")

    def put(self, put: Put) -> None:
        with self._lock:
            self.kept.pop((put.space, put.key), None)
            if put.value is not None:
                kept = _fresh(Kept(put.value, next(self._versions)))
                self.kept[put.space, put.key] = kept


def _fresh(kept: Kept) -> Kept:
    """What is changed in a value that was read changes nothing here."""
    return kept._replace(value=json.loads(json.dumps(kept.value)))
