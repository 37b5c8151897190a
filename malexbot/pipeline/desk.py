"""Where a call waits for the answer of its handler, and no longer than it may.

What is asked is an event like any other: durable before it is acted on. Somebody who
was told that nothing will be done for him may ask again: then the first time must not
count, so what nobody could write down in time is not done later either.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from malexbot.errors import Transient
from malexbot.events import Event, Id
from malexbot.pipeline.phrases import phrase
from malexbot.pipeline.reply import ANSWER
from malexbot.pipeline.sight import english
from malexbot.pipeline.verdicts import Done, Expired, Verdict
from malexbot.ports import Effect, Entry, Job, Processor
from malexbot.runtime.deadline import Deadline

# To write a few hundred bytes takes no longer, whoever reads them.
WRITTEN_WITHIN_S = 5.0
# So many of those that were turned away are remembered; more cannot wait to be written.
MOST_TURNED_AWAY = 10_000

# What is answered: the payload of chat.answer; {} is nothing, None is: later.
Answer = Mapping[str, Any]


class Full(Transient):
    """Nothing more can be taken in now; nothing is done."""

    @property
    def retry_after_s(self) -> float:
        return 5.0


class _Waiter:
    """One call, and what is known of what it asked for."""

    __slots__ = ("answer", "is_durable", "is_patient", "runs", "signal", "written")

    def __init__(self, runs: int, *, is_patient: bool) -> None:
        self.runs = runs
        """How many processors have not said yet that they say nothing."""
        self.is_patient = is_patient
        """No: it is enough that it will be done."""
        self.is_durable = False
        self.answer: Answer | None = None
        self.signal = threading.Event()
        self.written = threading.Event()

    def give(self, answer: Answer) -> None:
        if self.answer is None:
            self.answer = answer
            self.signal.set()


class Desk:
    """Who asks waits here; safe to use from many threads."""

    def __init__(
        self,
        *,
        offer: Callable[[Event], bool],
        decide: Callable[[Event], Entry | Event | None],
        now_ms: Callable[[], int],
        locale: Callable[[Id], str] = english,
    ) -> None:
        """`now_ms` is the clock that ages are judged by, and may have to be asked for;
        `locale` is asked while somebody waits: it answers at once.
        """
        self._offer = offer
        self._decide = decide
        self._now_ms = now_ms
        self._locale = locale
        self._lock = threading.Lock()
        self._waiters: dict[str, _Waiter] = {}
        self._written: dict[str, _Waiter] = {}
        self._turned_away: dict[str, None] = {}
        self.outcomes: Counter[str] = Counter()
        """How many calls had which end."""

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return len(self._waiters)

    # From the threads of the web.

    def ask(self, event: Event, wait_s: float) -> Answer | None:
        """What its handler answers; None: it is still at it when the time is over.

        Raises Full if it is not taken in, or is not durable by then; Transient if
        nobody knows what time it is.
        """
        event = event._replace(occurred_at=self._now_ms())
        waiter = self._take(event)
        if waiter is None:
            text = phrase("unknown", self._locale(event.user.uuid))
            return self._end("unknown", refusal(event, text))
        self._wait(event, waiter, wait_s)
        if waiter.answer is not None:
            return self._end("answered" if waiter.answer else "silent", waiter.answer)
        return self._end("late", None)

    def keep(self, event: Event, wait_s: float) -> None:
        """Take what is told again, with the same id, until it is taken.

        Raises Full if it is not durable by then; it may become so nevertheless.
        """
        if waiter := self._take(event, is_patient=False):
            self._wait(event, waiter, wait_s)

    def _take(self, event: Event, *, is_patient: bool = True) -> _Waiter | None:
        entry = self._decide(event)
        if not isinstance(entry, Entry) or not entry.processors:
            return None
        return _Waiter(len(entry.processors), is_patient=is_patient)

    def _wait(self, event: Event, waiter: _Waiter, wait_s: float) -> None:
        deadline = Deadline(wait_s)
        with self._lock:
            self._waiters[event.event_id] = waiter
        try:
            if not self._offer(event):
                raise self._full("there is no room")
            waiter.signal.wait(deadline.left_s)
        finally:
            self._leave(event.event_id, waiter)
        if waiter.answer is None and not waiter.is_durable:
            raise self._full("nothing can be written")

    def _leave(self, event_id: str, waiter: _Waiter) -> None:
        """What is not durable by now is not done later: its caller may ask anew."""
        with self._lock:
            if self._waiters.get(event_id) is waiter:
                del self._waiters[event_id]
            is_open = waiter.answer is not None or waiter.is_durable
            if waiter.is_patient and not is_open:
                self._turned_away[event_id] = None
                if len(self._turned_away) > MOST_TURNED_AWAY:
                    del self._turned_away[next(iter(self._turned_away))]

    def note_written(self, event_id: str) -> None:
        """Whoever called has its answer."""
        with self._lock:
            if waiter := self._written.get(event_id):
                waiter.written.set()

    # From the threads of the pipe.

    def note_durable(self, event_id: str) -> None:
        """It will be done, whatever happens."""
        with self._lock:
            if waiter := self._waiters.get(event_id):
                waiter.is_durable = True
                if not waiter.is_patient:
                    waiter.give({})

    def begin(self, event_id: str) -> None:
        """Its handler is about to run; raises Expired if nobody wants that any more."""
        if self.has_turned_away(event_id):
            raise Expired("who asked for it was told that it is not done")
        self.note_durable(event_id)

    def has_turned_away(self, event_id: str) -> bool:
        """Yes: who asked for it was told that it is not done."""
        with self._lock:
            return event_id in self._turned_away

    def hand_over(self, event_id: str, answer: Answer) -> bool:
        """Yes: the call that waits for it has answered this.

        No: nobody waits, or nobody knows whether it was written.
        """
        with self._lock:
            waiter = self._waiters.get(event_id)
            if waiter is None or waiter.answer is not None:
                return False
            self._written[event_id] = waiter
            waiter.give(answer)
        is_written = waiter.written.wait(WRITTEN_WITHIN_S)
        with self._lock:
            del self._written[event_id]
        return is_written

    def let_go(self, event_id: str) -> None:
        """What is answered comes another way."""
        with self._lock:
            if waiter := self._waiters.get(event_id):
                waiter.give({})

    def ended(self, job: Job, verdict: Verdict, spent_s: float = 0.0) -> None:
        """A run has ended: if nothing follows, nobody waits for it any more."""
        if job.event is None or not self._waiters:
            return
        if isinstance(verdict, Done) and not any(map(_is_answer, verdict.effects)):
            self._runs_out(job.event.event_id)

    def _runs_out(self, event_id: str) -> None:
        with self._lock:
            if waiter := self._waiters.get(event_id):
                waiter.runs -= 1
                if waiter.runs <= 0:
                    waiter.give({})

    def _end(self, outcome: str, answer: Answer | None) -> Answer | None:
        with self._lock:
            self.outcomes[outcome] += 1
        return answer

    def _full(self, reason: str) -> Full:
        self._end("refused", None)
        return Full(f"not taken in: {reason}")


def refusal(event: Event, text: str) -> Answer:
    """In the words of an answer."""
    return {"error": text} if event.event_type == "dialog" else {"message": text}


def _is_answer(effect: Effect) -> bool:
    return effect.kind == ANSWER


class Witness(Processor):
    """Tells the desk what has become durable."""

    name = "desk"

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def look(self, event: Event) -> None:
        self._desk.note_durable(event.event_id)
