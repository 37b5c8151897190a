"""The bot's process around the walks under test: it listens, queues, and dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from malexbot.events import Event
from malexbot.messengers.mattermost.backfill import Backfill
from malexbot.messengers.mattermost.edits import Edits
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.means import Means
from malexbot.messengers.mattermost.progress import Progress
from malexbot.messengers.mattermost.rooms import Listed, Rooms
from malexbot.messengers.mattermost.walks import CatchUp, History
from malexbot.ports import Mark
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop

from .server import Server, ServerDirectory
from .store import Store

Parcel = tuple[Sequence[Event], Sequence[Mark]]


@dataclass(frozen=True, slots=True)
class Habits:
    """How the bot works; the mutations change one of these each."""

    catch_up: type[CatchUp] = CatchUp
    overlap_ms: int = 60_000
    numbers_removals: bool = True


class Process:
    """One life of the daemon; `on_deliver` is called after each parcel is queued."""

    def __init__(
        self,
        server: Server,
        store: Store,
        *,
        habits: Habits | None = None,
        names: Sequence[str] = ("*",),
    ) -> None:
        self.server = server
        self.store = store
        self.habits = habits or Habits()
        self.queue: deque[Parcel] = deque()
        self.delivered: list[Parcel] = []
        self.on_deliver: Callable[[], None] = lambda: None
        self.listened: frozenset[str] = frozenset()
        self.stop = Stop()
        self.health = Health()
        self.hearing = Hearing(server.now_ms)
        self.rooms = Rooms(
            directory=ServerDirectory(server),
            bookmarks=store,
            listed=Listed(names),
            publish=self._listen,
            now_ms=server.now_ms,
        )
        self.backfill = Backfill(rooms=self.rooms, means=self._means())

    def _means(self) -> Means:
        server = self.server
        return Means(
            catch_up=self.habits.catch_up(
                pages=server,
                hearing=self.hearing,
                now_ms=server.now_ms,
                overlap_ms=self.habits.overlap_ms,
            ),
            edits=Edits(
                pages=server,
                archive=self.store,
                now_ms=server.now_ms,
                since_limit=server.since_limit,
            ),
            history=History(server),
            deliver=self._deliver,
            settle=self._settle,
            gaps=self.store,
            hearing=self.hearing,
            progress=Progress(self.health),
            knows_self=lambda: True,
            workers=1,
        )

    # The listener.

    def connect(self) -> None:
        """A new number is committed, and no event is taken before."""
        self.server.connect()
        number = self.store.open_connection("mattermost", "test")
        self.backfill.on_new_connection(number)

    def cut(self) -> None:
        self.server.socket = None

    def hear(self, count: int) -> None:
        """The reader takes so many frames from the socket."""
        for _ in range(count):
            if not self.server.socket:
                return
            kind, event, at = self.server.socket.popleft()
            if kind == "pong":
                self.hearing.answered(at)
            elif kind == "removed" and self.habits.numbers_removals:
                number = self.store.open_connection("mattermost", "removed")
                self.backfill.on_new_connection(number)
            elif event is not None:
                self._offer(event)

    def _offer(self, event: Event) -> None:
        assert (post := event.post) is not None
        if event.name == "posted":
            self.hearing.heard(post.channel_id, post.id, post.create_at)
        numbered = event._replace(connection=self.hearing.number)
        self.queue.append(([numbered], []))

    # Intake: what is not listened to is decided when it is written.

    def _listen(self, channels: frozenset[str], direct: frozenset[str] | None) -> None:
        self.listened = channels

    def _deliver(
        self, events: Sequence[Event], marks: Sequence[Mark], stop: Stop
    ) -> None:
        self.queue.append((events, marks))
        self.delivered.append((events, marks))
        self.on_deliver()

    def write(self, count: int) -> None:
        """Intake writes so many parcels in one transaction."""
        taken = [self.queue.popleft() for _ in range(min(count, len(self.queue)))]
        events = [e for events, _ in taken for e in events if self._counts(e)]
        if taken:
            self.store.write(events, [mark for _, marks in taken for mark in marks])

    def _settle(self, stop: Stop) -> None:
        self.on_deliver()
        self.write(len(self.queue))

    def _counts(self, event: Event) -> bool:
        return event.peer.bpid in self.listened

    def flush(self) -> None:
        self.hear(len(self.server.socket or ()))
        self.write(len(self.queue))

    def read(self) -> bool:
        """One pass of the backfill."""
        return self.backfill.read(self.stop)
