"""For how long posts are kept: asked at the intake and in each walk."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.events import Event


class Retention:
    """The age at which a post goes; new settings change it while it is asked."""

    def __init__(self, keep_s: float | None, *, now_ms: Callable[[], int]) -> None:
        """`keep_s` None is for ever; `now_ms` is the server's clock."""
        self.keep_s = keep_s
        self._now_ms = now_ms

    @property
    def since_ms(self) -> int:
        """What was written before this moment is not kept; 0: all is."""
        if self.keep_s is None:
            return 0
        return max(0, self._now_ms() - round(self.keep_s * 1000))

    def wants(self, event: Event) -> bool:
        """No: it tells of a post that is too old to be kept."""
        if self.keep_s is None or event.post is None:
            return True
        return event.post.create_at >= self.since_ms
