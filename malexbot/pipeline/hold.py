"""A worker's hold on its job: until its lease or its time ends, or it is revoked."""

from __future__ import annotations

import threading
import time

from malexbot.errors import MalexbotError
from malexbot.runtime.deadline import Deadline


class Revoked(MalexbotError):
    """The handler took too long and was given up: it may do nothing any more."""


class TooLate(MalexbotError):
    """The lease ends before what is to be done would: somebody else does it."""


class Hold:
    """Whoever ends the job takes the hold first, so that it is ended once.

    It is made before the job is claimed: counted from there, the lease ends before the
    database's does, and nothing that the claim tells is taken for newer than it is.
    """

    def __init__(self, *, lease_s: float, time_out_s: float) -> None:
        self.lease_s = lease_s
        self.time_out_s = time_out_s
        self.lease = Deadline(lease_s)
        self.time_out = Deadline(time_out_s)
        self._asked_at = self._begun_at = time.monotonic()
        self._lock = threading.Lock()
        self._is_taken = False
        self._is_revoked = False

    def start(self) -> None:
        """What is begun has all its time from now on."""
        self._begun_at = time.monotonic()
        self.time_out = Deadline(self.time_out_s)

    def next(self) -> Hold:
        """The one that the same worker would have on a job that it begins now."""
        return Hold(lease_s=self.lease_s, time_out_s=self.time_out_s)

    @property
    def age_s(self) -> float:
        """How old what the claim told is, at most."""
        return time.monotonic() - self._asked_at

    @property
    def spent_s(self) -> float:
        """How long the job is under way by now."""
        return time.monotonic() - self._begun_at

    @property
    def is_ending(self) -> bool:
        """Yes: somebody has taken it."""
        return self._is_taken

    def take(self) -> bool:
        """Yes: the caller ends the job. No: somebody else did or does."""
        with self._lock:
            was_taken, self._is_taken = self._is_taken, True
            return not was_taken

    def give_back(self) -> None:
        """Whoever took it could not end the job, and begins it anew."""
        with self._lock:
            self._is_taken = False

    def revoke(self) -> bool:
        """Give the handler up; no: it has just come to its end."""
        if not self.take():
            return False
        self._is_revoked = True
        return True

    def check(self) -> None:
        """Raises Revoked in a handler that was given up."""
        if self._is_revoked:
            raise Revoked("the handler took too long and was given up")

    def check_for(self, seconds: float) -> None:
        """Raises unless there is so much time left for one more step."""
        self.check()
        if self.lease.left_s <= seconds:
            raise TooLate(f"the lease ends in {self.lease.left_s:.0f} s")
