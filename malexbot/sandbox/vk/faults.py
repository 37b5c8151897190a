"""What can go wrong with VK: beside lines and answers, its errors and its updates."""

from __future__ import annotations

import re
from dataclasses import dataclass

from malexbot.sandbox.faults import Faults
from malexbot.sandbox.vk.refusals import Refusal


@dataclass(slots=True)
class _Rule:
    """Calls whose method fits are refused."""

    code: int
    pattern: re.Pattern[str]
    # How many more; below zero without end.
    times: int
    # 1 = each call, 3 = each third one.
    every: int
    seen: int = 0

    def hits(self, method: str) -> bool:
        if not self.times or not self.pattern.search(method):
            return False
        self.seen += 1
        if self.seen % self.every:
            return False
        self.times -= 1
        return True


class VkFaults(Faults):
    """The switches; those of lines, answers and strikes are the Mattermost's.

    A strike counts messages.send.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rules: list[_Rule] = []
        self._polls: list[bytes] = []
        self._malformed: list[bytes] = []
        self._doubled = 0
        self._lost = 0
        self._cut_short = 0

    def refuse(
        self, code: int, *, method: str = "", times: int = -1, every: int = 1
    ) -> None:
        """Answer calls with this error of VK."""
        with self._lock:
            self._rules.append(_Rule(code, re.compile(method), times, every))

    def answer_poll(self, text: str, *, times: int = 1) -> None:
        """The next polls are answered with this text, whatever it is."""
        with self._lock:
            self._polls += [text.encode("utf-8", "surrogatepass")] * times

    def malform_update(self, text: str) -> None:
        """The next update has this text instead of its own: JSON or not."""
        with self._lock:
            self._malformed.append(text.encode("utf-8", "surrogatepass"))

    def duplicate_updates(self, count: int = 1) -> None:
        """The next so many updates come twice, with the same event_id."""
        with self._lock:
            self._doubled += count

    def lose_updates(self, count: int = 1) -> None:
        """The next so many updates are told nobody, and no number is left out."""
        with self._lock:
            self._lost += count

    def cut_polls_short(self, count: int = 1) -> None:
        """The next so many answers to polls break off in the middle."""
        with self._lock:
            self._cut_short += count

    @property
    def is_deaf(self) -> bool:
        """Yes: the session of now is told nothing; one that is made anew is."""
        return self._is_deaf

    def heal(self) -> None:
        super().heal()
        with self._lock:
            self._rules, self._polls, self._malformed = [], [], []
            self._doubled = self._lost = self._cut_short = 0

    # Asked by the server.

    def refuse_now(self, method: str) -> None:
        """Raises the error that this call is to end with."""
        with self._lock:
            code = next((rule.code for rule in self._rules if rule.hits(method)), 0)
        if code:
            raise Refusal(code)

    def poll(self) -> bytes | None:
        """What this poll is answered with; None means the truth."""
        with self._lock:
            return self._polls.pop(0) if self._polls else None

    def updates(self, update: bytes) -> list[bytes]:
        """What is told instead of this update; without a plan, this."""
        with self._lock:
            if self._lost:
                self._lost -= 1
                return []
            if self._malformed:
                return [self._malformed.pop(0)]
            if self._doubled:
                self._doubled -= 1
                return [update, update]
        return [update]

    def is_cut_short(self) -> bool:
        with self._lock:
            if not self._cut_short:
                return False
            self._cut_short -= 1
            return True
