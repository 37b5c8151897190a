"""VK as one part of the daemon: built from its settings, joined to the pipe."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from malexbot.config.vk import Vk as Settings
from malexbot.errors import Transient
from malexbot.events import Event
from malexbot.messengers.clock import ASKED_S
from malexbot.messengers.vk.chat import VkChat
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.directory import Directory
from malexbot.messengers.vk.link import Link
from malexbot.messengers.vk.longpoll import Batch, LongPoll
from malexbot.messengers.vk.presses import Presses
from malexbot.messengers.vk.translate import SOURCE, Translator
from malexbot.pipeline.audience import Audience, Heard
from malexbot.pipeline.neighbour import Neighbour
from malexbot.pipeline.sight import Sight
from malexbot.ports import Feed, Feeds, Grants, Lost, Mark, Polled, Reject, Store
from malexbot.runtime.health import Health
from malexbot.runtime.heart import beat
from malexbot.runtime.retry import Backoff
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# VK does not tell which language somebody who pressed speaks; almost all speak this.
LOCALE = "ru"
# How long a batch waits at most until the database is asked once more.
LONGEST_WAIT_S = 3.0


class Intake(Protocol):
    """Where all that comes in goes."""

    def deliver(
        self,
        events: Sequence[Event],
        marks: Sequence[Mark],
        stop: Stop,
        *,
        rejects: Sequence[Reject] = (),
    ) -> bool: ...

    def settle(self, stop: Stop) -> None: ...


class Community:
    """The way to VK, for who listens to it and who writes to it."""

    def __init__(self, settings: Settings) -> None:
        self.group_id = settings.group_id
        self.link = Link(
            token=settings.token.get_secret_value(),
            url=settings.api_url,
            version=settings.api_version,
        )
        self.client = Client(self.link)
        self._clock = self.client.within(Stop(), patience_s=0, read_s=ASKED_S)
        self.chat = VkChat(self.client)
        self.translator = Translator(settings.group_id, self.now_ms)
        self.directory = Directory(self.client, self.translator)

    def now_ms(self) -> int:
        """VK's clock; raises Transient, and soon, while VK has told no time."""
        return self._clock.server_now_ms()

    def neighbour(self, store: Store) -> Neighbour:
        """How the core sees it."""
        mention = re.compile(rf"\[(?:club|public){self.group_id}\|")
        heard = Heard(own_id=-self.group_id, mention=mention, sign="[")
        return Neighbour(
            audience=Audience(heard),
            now_ms=self.now_ms,
            complete=self.directory.complete_one,
            sight=Sight(store, locale=lambda user: LOCALE),
        )


class Listener:
    """Takes what VK tells, batch by batch, each with its mark in one transaction."""

    name = SOURCE
    is_vital = False

    def __init__(
        self,
        community: Community,
        *,
        intake: Intake,
        feeds: Feeds,
        grants: Grants,
        health: Health,
    ) -> None:
        self._feed = str(community.group_id)
        self._intake = intake
        self._feeds = feeds
        self._presses = Presses(grants)
        self._directory = community.directory
        self.number = 0
        self.poll = LongPoll(
            client=community.client,
            group_id=community.group_id,
            translator=community.translator,
            health=health,
        )

    def run(self, stop: Stop) -> None:
        # What a turn before this one has handed over moves the mark that is read now.
        self._intake.settle(stop)
        feed = self._feeds.feed(SOURCE, self._feed)
        for batch in self._batches(feed, stop):
            if not self._take(batch, stop):
                return
            if feed is None:
                # What comes after a mark that is not durable could be lost with it.
                self._intake.settle(stop)
                feed = Feed(batch.ts, 0.0)

    def _batches(self, feed: Feed | None, stop: Stop) -> Iterator[Batch]:
        """From where it was read to, or from now on."""
        began = time.monotonic()
        self.number = self._feeds.open_connection(SOURCE, "start")
        where = f"ts {feed.ts}" if feed else "now"
        log.info("VK: community %s is read from %s on", self._feed, where)
        return self.poll.batches(
            feed.ts if feed else None,
            stop,
            connection=self.number,
            answered_ago_s=(
                feed.answered_ago_s + time.monotonic() - began if feed else None
            ),
        )

    @property
    def is_connected(self) -> bool:
        return self.poll.is_connected

    @property
    def resumes(self) -> int:
        """How often a session was made anew, and went on where the last one ended."""
        return max(0, self.poll.sessions - 1)

    def _take(self, batch: Batch, stop: Stop) -> bool:
        """No: the stop came first, and the batch comes once more after the start."""
        events = self._read(batch.events, stop)
        if events is None:
            return False
        marks: list[Mark] = []
        if batch.lost:
            marks.append(Lost(SOURCE, self._feed, batch.lost))
        marks.append(Polled(SOURCE, self._feed, batch.ts, batch.answered_at))
        return self._intake.deliver(events, marks, stop, rejects=batch.rejects)

    def _read(self, events: Sequence[Event], stop: Stop) -> list[Event] | None:
        """With what was pressed, and names as far as they are in mind.

        What a press sets off stands in the database, which is waited for.
        """
        backoff = Backoff(first_s=0.1, longest_s=LONGEST_WAIT_S)
        while not stop.is_set:
            beat()
            try:
                return [
                    self._presses.read(self._directory.recall(each)) for each in events
                ]
            except Transient as error:
                if not backoff.failures:
                    log.warning("VK: what was pressed cannot be read yet: %s", error)
                stop.wait(backoff.next_s())
        return None
