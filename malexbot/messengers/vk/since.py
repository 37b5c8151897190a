"""How long ago that may have happened of which VK tells no time.

VK keeps what nobody fetches, and tells a press that waited there for an hour like one
of this moment.
"""

from __future__ import annotations

from collections.abc import Callable

# A poll that is answered later than this waited for what it tells, unless that was
# there; one that is made sooner than this after the last was away too shortly for
# anything to grow old.
SOON_S = 1.0


class Since:
    """When VK was last heard, by a clock that is never set."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.heard_at: float | None = None
        """None: never, as far as anybody knows."""

    def begin(self, ago_s: float | None) -> None:
        """It was heard so long ago, maybe by a process before this one."""
        self.heard_at = None if ago_s is None else self._clock() - ago_s

    def hear(
        self, asked_at: float, *, is_all: bool = True, was_there: bool = False
    ) -> float:
        """It is heard now; returns how many seconds what it tells may be old.

        That is since it was heard before, unless it was waited for just now: not
        what `was_there`, however slowly it came. Not `is_all`: more waits there,
        which is as old.
        """
        now, before = self._clock(), self.heard_at
        if is_all or before is None:
            self.heard_at = now
        if before is None or asked_at - before < SOON_S:
            return 0.0
        was_waited_for = not was_there and now - asked_at > SOON_S
        return 0.0 if was_waited_for else now - before
