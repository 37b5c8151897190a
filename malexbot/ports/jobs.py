"""The jobs: everything that acts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from malexbot.errors import MalexbotError, Transient
from malexbot.events import Event
from malexbot.ports.grants import Grant
from malexbot.ports.processors import Terms
from malexbot.ports.store import Write

# A job that fails holds up those behind it for so long at most, unless nobody is where
# they all go.
LANE_HELD_S = 30.0


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing to send or do, rendered; it becomes a job of its own."""

    kind: str
    """Which handler does it: "chat.post", "chat.react", …"""
    target: str
    """Where to: the messenger and channel. Effects of one target keep their order."""
    payload: Mapping[str, Any]
    terms: Terms = Terms()
    grants: Sequence[Grant] = ()
    """What may be pressed on it; they are there before it is."""
    is_keyed: bool = False
    """Yes: who gets it knows it by the key of its job, and takes it once."""


JobState = Literal["ready", "leased", "done", "dead", "expired", "dropped"]


class End(NamedTuple):
    """What became of a job that another one took along."""

    job_id: int
    state: JobState
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was claimed and is ours until the lease ends."""

    id: int
    key: str
    """What a messenger knows it by; no other job anywhere has the same."""
    kind: str
    """"run" for a processor, else the kind of its effect."""
    name: str
    """The processor, or the target."""
    lane: str
    event: Event | None
    payload: Mapping[str, Any]
    attempts: int
    """How often it was begun, this time included."""
    failures: int
    """How often it ended in a retry; other attempts were cut off: we died of it?"""
    left_s: float | None
    """How long it may still be done, by the database's clock; None is for ever."""
    sent_ago_s: float | None
    """When the first byte of an uncertain send left, by the database's clock."""
    epoch: int
    parent: int | None = None
    """The job that has asked for it."""
    failing_s: float = math.inf
    """Since when it fails; 0 if it only waited, for a target that was away."""
    is_noted: bool = False
    """Its first byte may leave at once: that is noted since it was made."""


class LeaseLost(MalexbotError):
    """The job is not ours any more: it was ended, dropped, or somebody has it."""


class Conflict(Transient):
    """Somebody else wrote what this job has read: it is to be done anew."""


class Jobs(Protocol):
    """The one queue of what acts; safe to use from many threads.

    What ends a job raises LeaseLost when it is not ours; so a second try after a lost
    answer does no harm.
    """

    def claim(self, *, kinds: Sequence[str], limit: int, lease_s: float) -> list[Job]:
        """Of each lane its oldest unfinished job, if it is ready; begun with this."""
        ...

    def expire(self) -> list[Job]:
        """Those that wait and are too old come to their end; returns them, or some."""
        ...

    def behind(self, job: Job, *, most: int, most_bytes: int) -> list[Job]:
        """Those right behind it in its lane that are ready, of its kind, in order.

        They are not begun: while this one is ours, nobody else begins them, and none
        will be too old. So whoever is cut off has left them as they were. None if it is
        not ours any more, or was cut off before: then it may be what kills us.
        """
        ...

    def finish(
        self,
        job: Job,
        effects: Sequence[Effect],
        note: str = "",
        *,
        writes: Sequence[Write] = (),
        along: Sequence[End] = (),
        lease_s: float = 0.0,
    ) -> Job | None:
        """It is done, its effects are jobs, and its writes are kept: all or nothing.

        So are those that it took along.
        Raises Conflict if what it read is another by now; then to ask again is in vain.
        Effects with a quiet_key that another job's effect had within their quiet_s
        are left out. With a lease, the caller goes on with the first of them at once:
        it is returned, begun and noted, unless others of its lane come before it.
        """
        ...

    def retry(
        self,
        job: Job,
        *,
        wait_s: float,
        reason: str,
        is_uncertain: bool = False,
        is_of_target: bool = False,
    ) -> None:
        """Ready again after a wait; only an uncertain send keeps `sent_ago_s`.

        Its lane waits for it for so long only, unless that is because of the target.
        """
        ...

    def give_up(
        self,
        job: Job,
        *,
        state: JobState,
        reason: str,
        effects: Sequence[Effect] = (),
        writes: Sequence[Write] = (),
        along: Sequence[End] = (),
    ) -> None:
        """It is not done and will not be; what there is to say of that as in finish."""
        ...

    def mark_sending(self, job: Job) -> None:
        """Note durably that the first byte is about to leave now."""
        ...

    def due_s(self) -> float | None:
        """When the next job can be claimed, in seconds; None when none waits."""
        ...
