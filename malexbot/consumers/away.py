"""A target that is not there, or cannot take anything now: no event is to blame."""

from __future__ import annotations

from malexbot.errors import Transient


class Away(Transient):
    """Whatever is sent there waits, until it is back."""

    def __init__(
        self, text: str, wait_s: float | None = None, *, is_certain: bool = True
    ) -> None:
        """Uncertain: it may have been this very event that it did not bear."""
        super().__init__(text)
        self.is_certain = is_certain
        self._wait_s = wait_s

    @property
    def retry_after_s(self) -> float | None:
        return self._wait_s


class Closed(Away):
    """Only this place is not open to us; it is there, and others are open perhaps."""
