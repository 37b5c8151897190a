"""The rows of an export, in its order, over restarts of the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from malexbot.cli.export.part import Plan
from malexbot.errors import Transient
from malexbot.storage.database import Database
from malexbot.storage.export import Kept, Place, Share, Snapshot, snapshot

if TYPE_CHECKING:
    from malexbot.runtime.retry import Backoff

# A database that is away for longer needs a person.
PATIENCE_S = 600.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0

Waits = Callable[[Transient], object]


class Rows:
    """All posts of a plan, each once; waits for a database that goes away meanwhile."""

    def __init__(
        self,
        database: Database,
        plan: Plan,
        *,
        is_by_thread: bool,
        waits: Waits,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._database = database
        self._plan = plan
        self._is_by_thread = is_by_thread
        self._waits = waits
        self._patience_s = patience_s
        self._backoff: Backoff | None = None

    def after(self, place: Place | None) -> Generator[Kept, None, None]:
        """What stands after this place; a new session goes on where the last ended."""
        heard_at = time.monotonic()
        while True:
            try:
                with closing(self._read(place)) as rows:
                    for kept in rows:
                        place, heard_at = kept.place, time.monotonic()
                        yield kept
                return
            except Transient as error:
                if time.monotonic() - heard_at > self._patience_s:
                    raise
                self._waits(error)
                self._pause()

    def _pause(self) -> None:
        if self._backoff is None:
            from malexbot.runtime.retry import Backoff

            self._backoff = Backoff(first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S)
        threading.Event().wait(self._backoff.next_s())

    def _read(self, after: Place | None) -> Generator[Kept, None, None]:
        plan = self._plan
        with snapshot(self._database) as archive:
            if self._is_by_thread:
                yield from self._by_thread(archive, after)
                return
            yield from archive.by_time(
                channel_id=plan.words.get("channel_id"),
                since=plan.since,
                until=plan.until,
                after=after,
            )

    def _by_thread(self, archive: Snapshot, after: Place | None) -> Iterator[Kept]:
        """Channel by channel, as the plan has them."""
        for share in _left(self._plan.shares, after):
            is_begun = after is not None and share.channel_id == after.channel_id
            yield from archive.by_thread(
                share.channel_id,
                since=self._plan.since,
                until=self._plan.until,
                after=after if is_begun else None,
            )


def _left(shares: Sequence[Share], after: Place | None) -> Sequence[Share]:
    """From the channel on in which that place is."""
    if after is None:
        return shares
    ids = [share.channel_id for share in shares]
    return shares[ids.index(after.channel_id) :]
