"""The ports in memory: they behave as the real ones do, and fail when they are told to.

`fail` is called at each door with its name, before and after the work is done: what it
raises after is a lost answer. Time is that of `clock`, so a test moves it as it likes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from malexbot.errors import Transient, Uncertain
from malexbot.pipeline.hold import Hold
from malexbot.ports import Entry, Job, Mark, Parcel, Reject, Sent

Fail = Callable[[str], None]


def never(door: str) -> None:
    """No door fails."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class MemoryJournal:
    """ports.Journal."""

    def __init__(self, fail: Fail = never) -> None:
        self.fail = fail
        self._changed = threading.Condition()
        self.batches: list[list[Parcel]] = []
        """What was written, each batch as often as it was."""

    def write(
        self,
        parcels: Sequence[Parcel],
        *,
        seats: int = 0,
        lease_s: float = 0.0,
        is_behind: bool = False,
    ) -> list[Job]:
        self.fail("write")
        with self._changed:
            self.batches.append(list(parcels))
            self._changed.notify_all()
        self.fail("written")
        return []

    def wait_for(self, is_so: Callable[[MemoryJournal], bool], seconds: float) -> bool:
        """Yes: it came to be so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: is_so(self), seconds)

    @property
    def entries(self) -> list[Entry]:
        return [e for batch in self.batches for parcel in batch for e in parcel.entries]

    @property
    def ids(self) -> list[str]:
        """The events, each once, as they became durable."""
        return list(dict.fromkeys(entry.event.event_id for entry in self.entries))

    @property
    def marks(self) -> list[Mark]:
        return [m for batch in self.batches for parcel in batch for m in parcel.marks]

    @property
    def rejects(self) -> list[Reject]:
        return [r for batch in self.batches for parcel in batch for r in parcel.rejects]


class Late(Uncertain):
    """The client gave up, and what it sent arrives nevertheless."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class MemoryChat:
    """ports.Chat, with the memory for keys that a Mattermost server has."""

    clock: Callable[[], float]
    fail: Fail = never
    longest_text: int = 4000
    timeout_s: float = 10.0
    window_s: float = 30.0
    posts: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    reactions: list[Mapping[str, Any]] = field(default_factory=list)
    edits: list[Mapping[str, Any]] = field(default_factory=list)
    answers: list[Mapping[str, Any]] = field(default_factory=list)
    dialogs: list[Mapping[str, Any]] = field(default_factory=list)
    uploads: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, str]] = {}
        self._late: list[tuple[float, str, Mapping[str, Any]]] = []

    def send(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        self.settle()
        try:
            self.fail("send")
        except Late as error:
            self._late.append((self.clock() + error.seconds, key, payload))
            raise
        with self._lock:
            sent = self._save(key, payload, self.clock())
        self.fail("sent")
        return sent

    def settle(self) -> None:
        """What was on its way for long enough is there now."""
        now = self.clock()
        for at, key, payload in [late for late in self._late if late[0] <= now]:
            self._save(key, payload, at)
        self._late = [late for late in self._late if late[0] > now]

    def _save(self, key: str, payload: Mapping[str, Any], now: float) -> Sent:
        at, post_id = self._seen.get(key, (float("-inf"), ""))
        if now - at < self.window_s:
            return Sent(post_id, is_repeat=True)
        self.posts.append((key, payload))
        self._seen[key] = (now, f"post-{len(self.posts)}")
        return Sent(f"post-{len(self.posts)}")

    def find(
        self, payload: Mapping[str, Any], *, key: str, ago_s: float
    ) -> Sent | None:
        self.settle()
        self.fail("find")
        with self._lock:
            found = [n for n, (known, _) in enumerate(self.posts) if known == key]
        return Sent(f"post-{found[0] + 1}", is_repeat=True) if found else None

    def react(self, payload: Mapping[str, Any]) -> None:
        self.fail("react")
        with self._lock:
            if payload not in self.reactions:
                self.reactions.append(payload)
        self.fail("reacted")

    def edit(self, payload: Mapping[str, Any]) -> None:
        self._note("edit", self.edits, payload)

    def answer(self, payload: Mapping[str, Any], *, key: str) -> Sent:
        """Late; what it says comes as a post, as to one person it does."""
        self._note("answer", self.answers, payload)
        if payload.get("response_url") or not payload.get("message"):
            return Sent(str(payload.get("post_id") or ""))
        with self._lock:
            return self._save(key, payload, self.clock())

    def open_dialog(self, payload: Mapping[str, Any]) -> None:
        self._note("open_dialog", self.dialogs, payload)

    def upload(self, payload: Mapping[str, Any]) -> str:
        self._note("upload", self.uploads, payload)
        return f"file-{len(self.uploads)}"

    def _note(
        self, door: str, noted: list[Mapping[str, Any]], payload: Mapping[str, Any]
    ) -> None:
        self.fail(door)
        with self._lock:
            noted.append(payload)
        self.fail(f"{door} done")

    @property
    def messages(self) -> list[str]:
        return [payload["message"] for _, payload in self.posts]


class Failing:
    """Fails at a door as often as it was told to, with what it was told to raise."""

    def __init__(self) -> None:
        self._left: dict[str, list[Exception]] = {}

    def at(self, door: str, *errors: Exception) -> None:
        self._left.setdefault(door, []).extend(errors)

    def always_at(self, door: str, message: str = "down") -> None:
        self._left[door] = _Endless(Transient(message))

    def heal(self, door: str) -> None:
        self._left.pop(door, None)

    def __call__(self, door: str) -> None:
        if errors := self._left.get(door):
            raise errors.pop(0)


class _Endless(list[Exception]):
    """The same error again and again."""

    def __init__(self, error: Exception) -> None:
        super().__init__([error])

    def pop(self, index: Any = 0) -> Exception:
        return self[0]


class Idle:
    """Workers who have no seat, and note where they were told that jobs wait."""

    def __init__(self) -> None:
        self.woken: list[list[str]] = []

    def take_seats(self, most: int) -> list[Hold]:
        return []

    def begin(self, jobs: Sequence[Job], holds: Sequence[Hold]) -> None:
        assert not jobs

    def wake(self, lanes: Iterable[str] = ()) -> None:
        self.woken.append(list(lanes))
