"""What a pass over the channels works with, and what it remembers for the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import Place, Room
from malexbot.messengers.mattermost.edits import Edits
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.progress import Progress
from malexbot.messengers.mattermost.walks import CatchUp, History
from malexbot.ports import Mark
from malexbot.runtime.stop import Stop

# So many channels are read side by side; the client keeps to the server's limit.
WORKERS = 4


class Deliver(Protocol):
    """Intake's door for pages: waits for room, or for the stop."""

    def __call__(
        self, events: Sequence[Event], marks: Sequence[Mark], stop: Stop
    ) -> object: ...


class Settle(Protocol):
    """Waits until all that intake holds now is durable, or for the stop.

    A pass decides by what the database says: a page, or what came live, that is
    still on its way there would be taken for missing, or for not archived.
    """

    def __call__(self, stop: Stop) -> object: ...


class Gaps(Protocol):
    """The report of what is missing; part of ports.Bookmarks."""

    def open_gap(
        self, source: str, channel_id: str, kind: str, reason: str
    ) -> None: ...

    def open_gaps(
        self, source: str, channel_ids: Sequence[str], kind: str, reason: str
    ) -> None: ...

    def close_gap(self, source: str, channel_id: str, kind: str) -> None: ...

    def close_gaps(
        self, source: str, channel_ids: Sequence[str], kind: str
    ) -> None: ...


def everything(event: Event) -> bool:
    """Yes to each event: nothing grows too old to be kept."""
    return True


@dataclass(frozen=True, slots=True)
class Means:
    """What a pass works with."""

    catch_up: CatchUp
    edits: Edits
    history: History
    deliver: Deliver
    settle: Settle
    gaps: Gaps
    hearing: Hearing
    progress: Progress
    knows_self: Callable[[], bool]
    """No: what is read now could all be the bot's own, and nobody would answer it."""
    is_wanted: Callable[[Event], bool] = everything
    """Asked for each event of each walk: no keeps it from coming back."""
    workers: int = WORKERS


@dataclass(slots=True)
class Order:
    """What an operator asked for: a channel or all, and how far back."""

    channel_id: str | None = None
    since_ms: int | None = None
    stands: dict[str, Place] = field(default_factory=dict)
    """How far each channel was read, for when it is interrupted."""
    done: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    """Those of the done ones that cannot be read."""
    is_done: bool = False
    """Yes: there is no channel left for it."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of a channel one thread counts at a time; others only look."""

    @property
    def channels(self) -> int:
        """How many were read to the end."""
        return len(self.done - self.refused)

    @property
    def posts(self) -> int:
        """How many were handed on; some of them were archived before."""
        return sum(list(self.counts.values()))

    def wants(self, room: Room) -> bool:
        return self.channel_id in (None, room.id)

    def covers(self, room: Room) -> bool:
        return self.wants(room) and room.id not in self.done


@dataclass(slots=True)
class Memory:
    """What lasts from one pass to the next, as long as the process does."""

    edits_read: dict[str, int] = field(default_factory=dict)
    """For which connection the edits of a channel are known."""
    gone_read: dict[str, int] = field(default_factory=dict)
    """For which connection a channel that is not listed any more was read."""
    orders: list[Order] = field(default_factory=list)

    def count(self, room: Room, posts: int) -> None:
        """So many posts were handed on, for who ordered what is new there.

        Who ordered it from a time on wants to know what there was since then.
        """
        for order in list(self.orders):
            if order.since_ms is None and order.wants(room):
                order.counts[room.id] += posts

    def give_up(self, room: Room) -> None:
        """No order can be obeyed in this channel."""
        for order in list(self.orders):
            if order.covers(room):
                order.refused.add(room.id)
                order.done.add(room.id)

    def forget(self, rooms: Sequence[Room]) -> None:
        """Orders that are obeyed in all these channels are done."""
        for order in list(self.orders):
            if not any(map(order.covers, rooms)):
                self.orders.remove(order)
                order.is_done = True
