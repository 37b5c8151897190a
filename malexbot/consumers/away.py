"""A target that is not there, or takes nothing now, or not this one yet."""

from __future__ import annotations

from malexbot.errors import Transient


class Later(Transient):
    """This one is not taken now; perhaps the target tells for how long."""

    def __init__(self, text: str, wait_s: float | None = None) -> None:
        super().__init__(text)
        self._wait_s = wait_s

    @property
    def retry_after_s(self) -> float | None:
        return self._wait_s


class Away(Later):
    """No event is to blame: whatever is sent there waits, until it is back."""

    def __init__(
        self, text: str, wait_s: float | None = None, *, is_certain: bool = True
    ) -> None:
        """Uncertain: it may have been this very event that it did not bear."""
        super().__init__(text, wait_s)
        self.is_certain = is_certain


class Closed(Away):
    """Only this place is not open to us; it is there, and others are open perhaps."""
