"""ports.Grants in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from malexbot.ports import Grant, Granted
from tests.support.fakes import Fail, never


@dataclass
class GrantRow:
    """A grant as it stands."""

    grant: Grant
    expires_at: float
    post_id: str = ""
    used: int = 0
    used_by: set[str] = field(default_factory=set)

    @property
    def choice(self) -> str:
        return self.grant.choice or self.grant.ref

    @property
    def is_left(self) -> bool:
        return self.grant.uses is None or self.used < self.grant.uses


class MemoryGrants:
    """ports.Grants; what the end of a job writes has a method each."""

    def __init__(self, clock: Callable[[], float], fail: Fail = never) -> None:
        self._clock = clock
        self.fail = fail
        self._lock = threading.Lock()
        self.rows: dict[str, GrantRow] = {}

    # The port.

    def look(self, ref: str) -> Granted | None:
        self.fail("look")
        with self._lock:
            row = self.rows.get(ref)
            if row is None:
                return None
            uses = row.grant.uses
            left = None if uses is None else max(0, uses - row.used)
            is_expired = row.expires_at <= self._clock()
            return Granted(row.grant, row.post_id, left, is_expired)

    def take(self, ref: str, *, event_id: str) -> bool:
        self.fail("take")
        with self._lock:
            is_taken = self._take(ref, event_id)
        self.fail("taken")
        return is_taken

    def _take(self, ref: str, event_id: str) -> bool:
        row = self.rows.get(ref)
        if row is None:
            return False
        if event_id in row.used_by:
            return True
        if not row.is_left or row.expires_at <= self._clock():
            return False
        row.used_by.add(event_id)
        self._count(row, 1)
        return True

    # As the end of a job writes it.

    def make(self, grants: Iterable[Grant]) -> None:
        with self._lock:
            for grant in grants:
                row = GrantRow(grant, self._clock() + grant.expires_s)
                self.rows.setdefault(grant.ref, row)

    def give_back(self, ref: str, event_id: str) -> None:
        with self._lock:
            row = self.rows.get(ref)
            if row is not None and event_id in row.used_by:
                row.used_by.remove(event_id)
                self._count(row, -1)

    def know_post(self, refs: Iterable[str], post_id: str) -> None:
        with self._lock:
            for ref in refs:
                if ref in self.rows:
                    self.rows[ref].post_id = post_id

    def _count(self, used: GrantRow, times: int) -> None:
        """One use counts for all of its choice; of what has no limit, for none."""
        if used.grant.uses is not None:
            for row in self.rows.values():
                if row.choice == used.choice:
                    row.used += times
