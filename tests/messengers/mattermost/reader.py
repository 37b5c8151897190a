"""A backfill by the real client on a loopback server, with a store behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from malexbot.events import Event
from malexbot.messengers.mattermost.backfill import Backfill
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.edits import Edits
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.means import Means
from malexbot.messengers.mattermost.progress import Progress
from malexbot.messengers.mattermost.reading import Reading
from malexbot.messengers.mattermost.rooms import Listed, Rooms
from malexbot.messengers.mattermost.translate import Translator
from malexbot.messengers.mattermost.walks import CatchUp, History
from malexbot.ports import Mark
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.sandbox.fixtures import Mattermost
from tests.simulation.store import Store

PER_PAGE = 7
MINUTE_MS = 60_000


class Reader:
    """The backfill with a store in the place of intake and database."""

    def __init__(
        self,
        mattermost: Mattermost,
        client: Client,
        *,
        names: Sequence[str] = ("*",),
        with_direct: bool = False,
    ) -> None:
        self.mattermost, self.town = mattermost, mattermost.town
        self.store = Store()
        self.rejected: list[bytes] = []
        self.has_room = self.knows_self = True
        self.events: list[Event] = []
        self.listened: frozenset[str] = frozenset()
        self.direct: frozenset[str] | None = frozenset()
        self.requests: list[str] = []
        self._exchange = client.link.exchange
        client.link.exchange = self._note  # type: ignore[method-assign]
        now_ms = mattermost.clock.now_ms
        hearing = Hearing(now_ms)
        reading = Reading(
            client=client,
            translator=Translator(now_ms),
            reject=self._reject,
            hearing=hearing,
            per_page=PER_PAGE,
        )
        self.backfill = Backfill(
            rooms=Rooms(
                directory=reading,
                bookmarks=self.store,
                listed=Listed(names, with_direct=with_direct),
                publish=self._listen,
                now_ms=now_ms,
            ),
            means=Means(
                catch_up=CatchUp(pages=reading, hearing=hearing, now_ms=now_ms),
                edits=Edits(pages=reading, archive=self.store, now_ms=now_ms),
                history=History(reading),
                deliver=self._deliver,
                settle=lambda stop: None,
                gaps=self.store,
                hearing=hearing,
                progress=Progress(Health()),
                knows_self=lambda: self.knows_self,
                workers=1,
            ),
            wake_at=reading.wake_at,
        )

    def _note(self, method: str, endpoint: str, **body: Any) -> Any:
        self.requests.append(f"{method} {endpoint}")
        return self._exchange(method, endpoint, **body)

    def _listen(self, channels: frozenset[str], direct: frozenset[str] | None) -> None:
        self.listened, self.direct = channels, direct

    def _deliver(
        self, events: Sequence[Event], marks: Sequence[Mark], stop: Stop
    ) -> None:
        """As intake does: nothing is kept of where nobody listens."""
        events = [event for event in events if event.peer.bpid in self.listened]
        self.events += events
        self.store.write(events, marks)

    def _reject(self, source: str, raw: bytes, reason: str) -> bool:
        if self.has_room:
            self.rejected.append(raw)
        return self.has_room

    def read(self) -> bool:
        self.backfill.on_new_connection(self.store.open_connection("", ""))
        return self.backfill.read(Stop())

    def pass_minutes(self, minutes: int) -> None:
        clock = self.mattermost.clock
        clock.freeze(clock.now_ms() + minutes * MINUTE_MS)

    def say(self, count: int) -> list[str]:
        """Ten seconds apart."""
        posts = []
        for number in range(count):
            clock = self.mattermost.clock
            clock.freeze(clock.now_ms() + 10_000)
            town, text = self.town, f"no {number}"
            posts.append(self.mattermost.scene.post(town.channel, town.alice, text))
        return posts

    def kept(self) -> dict[str, str]:
        posts = self.store.living(self.town.channel).values()
        return {post.id: post.message for post in posts if not post.is_system}
