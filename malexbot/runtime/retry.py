"""The one retry policy: try again after a jittered, growing wait."""

from __future__ import annotations

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_random_exponential

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0


class Backoff:
    """How long to wait before the next try; full jitter, so that nobody marches."""

    def __init__(
        self,
        *,
        first_s: float = FIRST_WAIT_S,
        longest_s: float = LONGEST_WAIT_S,
        failures: int = 0,
    ) -> None:
        self._wait = wait_random_exponential(multiplier=first_s, max=longest_s)
        self._state = RetryCallState(Retrying(), None, (), {})
        self._state.attempt_number += failures

    @property
    def failures(self) -> int:
        return self._state.attempt_number - 1

    def next_s(self) -> float:
        """The wait after one more failure."""
        seconds = self._wait(self._state)
        self._state.attempt_number += 1
        return seconds

    def reset(self) -> None:
        """It works again: the next failure is the first one."""
        self._state.attempt_number = 1
