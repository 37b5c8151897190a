"""Mattermost as one part of the daemon: built from its settings, joined to the pipe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from malexbot.config.backfill import Backfill as BackfillSettings
from malexbot.config.backfill import since_ms
from malexbot.config.mattermost import Mattermost as Settings
from malexbot.events import Event
from malexbot.messengers.clock import ASKED_S
from malexbot.messengers.mattermost.backfill import Backfill
from malexbot.messengers.mattermost.chat import MattermostChat
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.edits import Edits
from malexbot.messengers.mattermost.files import MattermostFiles
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.link import Link
from malexbot.messengers.mattermost.listen import Ends, Listener
from malexbot.messengers.mattermost.means import Means
from malexbot.messengers.mattermost.people import People
from malexbot.messengers.mattermost.progress import Progress
from malexbot.messengers.mattermost.reading import Reading
from malexbot.messengers.mattermost.rooms import Listed, Rooms
from malexbot.messengers.mattermost.socket import Dial
from malexbot.messengers.mattermost.translate import Translator
from malexbot.messengers.mattermost.walks import CatchUp, History
from malexbot.pipeline.audience import Audience
from malexbot.pipeline.retention import Retention
from malexbot.ports import Bookmarks, Mark
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop
from malexbot.runtime.supervisor import Service


class Intake(Protocol):
    """Where all that comes in goes."""

    def offer(self, event: Event) -> bool: ...

    def reject(self, source: str, raw: bytes, reason: str) -> bool: ...

    def deliver(
        self, events: Sequence[Event], marks: Sequence[Mark], stop: Stop
    ) -> bool: ...

    def settle(self, stop: Stop) -> None: ...


class Server:
    """The way to the server, for who listens to it and who writes to it."""

    def __init__(self, settings: Settings, *, public_url: str = "") -> None:
        """`public_url`: where the server reaches us, if it does."""
        token = settings.token.get_secret_value()
        self.client = Client(Link(url=settings.api_url, token=token))
        self._hasty = self.client.within(Stop(), patience_s=0, read_s=ASKED_S)
        self.dial = Dial(url=settings.websocket_url, token=token)
        self.people = People(self.client)
        self.files = MattermostFiles(self.client.link)
        self.chat = MattermostChat(
            self.client,
            site=settings.site_url,
            public_url=public_url,
        )
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Other tokens and webhooks; they count from the next call on."""
        self.settings = settings
        self.chat.webhooks = {
            name: hook.url.get_secret_value()
            for name, hook in settings.incoming_webhooks.items()
        }

    def now_ms(self) -> int:
        """The server's clock; raises Transient, and soon, if it cannot be asked."""
        return self._hasty.server_now_ms()

    def own_id(self) -> str:
        """The bot's user id; raises Transient, and soon, if it cannot be asked."""
        return self._hasty.own_id


class Mattermost:
    """What comes before the intake: who listens, and who reads what nobody heard."""

    def __init__(
        self,
        server: Server,
        *,
        intake: Intake,
        audience: Audience,
        bookmarks: Bookmarks,
        backfill: BackfillSettings,
        retention: Retention,
        health: Health,
    ) -> None:
        self._server = server
        hearing = Hearing(server.now_ms)
        translator = Translator(server.now_ms)
        pages = Reading(
            client=server.client,
            translator=translator,
            reject=intake.reject,
            hearing=hearing,
        )
        self._rooms = Rooms(
            directory=pages,
            bookmarks=bookmarks,
            listed=_listed(server.settings),
            publish=audience.hear,
            now_ms=server.now_ms,
        )
        now_ms = server.now_ms
        since = partial(history_since_ms, backfill, retention, now_ms)
        means = Means(
            catch_up=CatchUp(
                pages=pages, hearing=hearing, now_ms=now_ms, since_ms=since
            ),
            edits=Edits(pages=pages, archive=bookmarks, now_ms=now_ms),
            history=History(pages, since_ms=since),
            deliver=intake.deliver,
            settle=intake.settle,
            gaps=bookmarks,
            hearing=hearing,
            progress=Progress(health),
            knows_self=lambda: bool(audience.now.own_id),
            is_wanted=retention.wants,
        )
        self.backfill = Backfill(rooms=self._rooms, means=means, wake_at=pages.wake_at)
        self.listener = Listener(
            dial=server.dial,
            client=server.client,
            translator=translator,
            ends=Ends(
                intake=intake,
                numbers=bookmarks,
                hearing=hearing,
                watcher=self.backfill,
                know_self=audience.know_self,
            ),
            health=health,
        )

    @property
    def services(self) -> Sequence[Service]:
        """In the order of their start: who reads what was missed is there first."""
        return (self.backfill, self.listener)

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Other settings, as far as they count at once."""
        listed = _listed(settings)

        def adopt() -> None:
            self._server.adopt(settings)
            self._rooms.listed = listed
            self.backfill.on_channels_changed()

        return adopt


def history_since_ms(
    backfill: BackfillSettings, retention: Retention, now_ms: Callable[[], int]
) -> int:
    """As far back as is wished for, and as is kept, just now; 0 is all the way."""
    wished = since_ms(backfill.since, now_ms=now_ms()) if backfill.since else 0
    return max(wished, retention.since_ms)


def _listed(settings: Settings) -> Listed:
    return Listed(settings.listen_channels, with_direct=settings.direct == "archive")
