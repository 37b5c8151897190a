"""What can go wrong, as switches: the lines, the answers, the frames."""

from __future__ import annotations

import os
import re
import signal
import threading

import orjson

from malexbot.sandbox.events import Event
from malexbot.sandbox.line import Line
from malexbot.sandbox.model import Json
from malexbot.sandbox.orders import Act, Failure, FramePlan, Moment, Strike


class Unanswered(Exception):
    """The request gets no answer: its line is reset."""


class Faults:
    """Every method may be called from any thread, and from outside by `Control`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: set[Line] = set()
        self._failures: list[Failure] = []
        self._strikes: list[Strike] = []
        self._plans: list[FramePlan] = []
        self._held: dict[Line, list[bytes]] = {}
        self._rows: dict[str, bytes] = {}
        self._lost_events = 0
        self._is_deaf = False
        self._is_half_open = False
        self._latency: tuple[float, re.Pattern[str]] = (0.0, re.compile(""))
        self._trickle: tuple[int, float] = (0, 0.0)
        self._waiting = 0
        self._may_save = threading.Event()
        self._may_save.set()

    # The lines.

    def cut(self, *, user_id: str = "", resets: bool = True) -> int:
        """Cut all lines (HTTP too), or the websockets of one user. How many were."""
        with self._lock:
            lines = [line for line in self._lines if user_id in ("", line.websocket_of)]
        for line in lines:
            line.cut(resets=resets)
        return len(lines)

    def half_open(self) -> None:
        """From now on nothing is answered or sent, though every line stays open."""
        with self._lock:
            self._is_half_open = True
            for line in self._lines:
                line.is_swallowed = True

    def deaf(self, is_deaf: bool = True) -> None:
        """Sockets stay open and answer pings, but no event comes any more."""
        self._is_deaf = is_deaf

    def slow(
        self,
        *,
        latency_s: float = 0,
        pattern: str = "",
        chunk: int = 0,
        gap_s: float = 0,
    ) -> None:
        """Wait before each answer that fits; send it in chunks with gaps."""
        self._latency = (latency_s, re.compile(pattern))
        self._trickle = (chunk, gap_s)

    def heal(self) -> None:
        """All switches off; lines that were half open are cut."""
        with self._lock:
            swallowed = [line for line in self._lines if line.is_swallowed]
            self._is_half_open = self._is_deaf = False
            self._failures, self._strikes = [], []
            self._plans.clear()
            self._rows.clear()
            self._lost_events = 0
        self.slow()
        self.release_saving()
        for line in swallowed:
            line.cut()

    # The answers.

    def fail(
        self,
        status: int,
        *,
        pattern: str = "",
        times: int = -1,
        every: int = 1,
        is_html: bool = False,
        retry_after_s: int = 1,
    ) -> None:
        """Answer with an error: 429 and 5xx, as JSON or as a proxy's HTML page."""
        rule = Failure(
            status, re.compile(pattern), times, every, is_html, retry_after_s
        )
        with self._lock:
            self._failures.append(rule)

    def strike(
        self, at: int, moment: Moment, act: Act = "reset", *, pid: int = 0
    ) -> None:
        """At the k-th POST /posts from now, before or after it is saved.

        `kill`: send SIGKILL to `pid`, then reset; `reset`: cut without an answer.
        """
        with self._lock:
            self._strikes.append(Strike(at, moment, act, pid))

    def malform_post(self, post_id: str, text: str) -> None:
        """Answers show this text where the post is to stand; JSON or not."""
        with self._lock:
            self._rows[post_id] = text.encode("utf-8", "surrogatepass")

    def hold_saving(self) -> None:
        """New posts by REST are received but not saved until `release_saving`."""
        self._may_save.clear()

    def held(self) -> int:
        """How many posts wait to be saved."""
        return self._waiting

    def release_saving(self) -> None:
        self._may_save.set()

    # The frames.

    def duplicate_frames(self, count: int = 1, *, user_id: str = "") -> None:
        """The next so many frames (of that user) come twice, with the same number."""
        self._plan("duplicate", count, user_id)

    def drop_frames(self, count: int = 1, *, user_id: str = "") -> None:
        """The next so many frames do not come: a gap in the numbers."""
        self._plan("drop", count, user_id)

    def swap_frames(self, *, user_id: str = "") -> None:
        """The next frame comes after the one behind it."""
        self._plan("hold", 1, user_id)

    def malform_frame(self, text: str, *, user_id: str = "") -> None:
        """The next frame has this text instead of its own."""
        content = text.encode("utf-8", "surrogatepass")
        self._plan("replace", 1, user_id, content)

    def utter(self, told: str, *, user_id: str = "") -> int:
        """Write these bytes, in hex, on the websockets (of that user): frames or not.

        How many took them.
        """
        with self._lock:
            lines = [line for line in self._lines if line.websocket_of]
        ours = [line for line in lines if user_id in ("", line.websocket_of)]
        return sum(line.send(bytes.fromhex(told)) for line in ours)

    def lose_events(self, count: int = 1) -> None:
        """The next so many posts are told nobody: no gap in the numbers."""
        with self._lock:
            self._lost_events += count

    # Asked by the server.

    def add(self, line: Line) -> None:
        with self._lock:
            line.is_swallowed = self._is_half_open
            self._lines.add(line)

    def forget(self, line: Line) -> None:
        with self._lock:
            self._lines.discard(line)
            self._held.pop(line, None)

    def failure(self, request: str) -> Failure | None:
        with self._lock:
            hits = (rule for rule in self._failures if rule.hits(request))
            return next(hits, None)

    def delay_s(self, request: str) -> float:
        seconds, pattern = self._latency
        return seconds if seconds and pattern.search(request) else 0.0

    def pieces(self, answer: bytes) -> tuple[list[bytes], float]:
        """The answer as it is to be sent, and how long to wait between the pieces."""
        chunk, gap_s = self._trickle
        if not chunk:
            return [answer], 0.0
        starts = range(0, len(answer), chunk)
        return [answer[at : at + chunk] for at in starts], gap_s

    def rows(self, posts: Json) -> Json:
        """What is shown instead of these posts, by their ids."""
        if not self._rows:
            return posts
        with self._lock:
            bad = {id: row for id, row in self._rows.items() if id in posts}
        return posts | {id: orjson.Fragment(row) for id, row in bad.items()}

    def wait_to_save(self) -> None:
        with self._lock:
            self._waiting += 1
        self._may_save.wait()
        with self._lock:
            self._waiting -= 1

    def strike_now(self, moment: Moment) -> None:
        """Called once before and once after each post is saved."""
        with self._lock:
            due = [strike for strike in self._strikes if strike.is_due(moment)]
            for strike in due:
                self._strikes.remove(strike)
        for strike in due:
            if strike.act == "kill":
                os.kill(strike.pid, signal.SIGKILL)
        if due:
            raise Unanswered

    def swallows_event(self, event: Event) -> bool:
        if self._lost_events and event.name == "posted":
            with self._lock:
                self._lost_events -= 1
            return True
        return self._is_deaf

    def frames(self, line: Line, payloads: list[bytes]) -> list[bytes]:
        """What is sent on this line instead of these; without a plan, these."""
        if not self._plans and not self._held:
            return payloads
        sent: list[bytes] = []
        with self._lock:
            for payload in payloads:
                sent += self._mangled(line, payload)
        return sent

    def _plan(self, kind: str, count: int, user_id: str, text: bytes = b"") -> None:
        with self._lock:
            self._plans += [FramePlan(kind, user_id, text)] * count

    def _mangled(self, line: Line, payload: bytes) -> list[bytes]:
        fits = (p for p in self._plans if p.user_id in ("", line.websocket_of))
        plan = next(fits, None)
        if plan is None:
            return [payload, *self._held.pop(line, [])]
        self._plans.remove(plan)
        if plan.kind == "hold":
            self._held.setdefault(line, []).append(payload)
            return []
        frames = {"duplicate": [payload] * 2, "drop": [], "replace": [plan.text]}
        return frames[plan.kind] + self._held.pop(line, [])
