"""The client as the backfill reads it: pages of events, teams and channels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from malexbot.errors import Transient
from malexbot.events import Event
from malexbot.messengers.mattermost.borders import Changes, Room
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.depth import shallow
from malexbot.messengers.mattermost.failures import Missing
from malexbot.messengers.mattermost.hearing import Hearing
from malexbot.messengers.mattermost.names import Names
from malexbot.messengers.mattermost.translate import SOURCE, Translator
from malexbot.ports import ChannelNews
from malexbot.runtime.stop import Stop

Json = dict[str, Any]
# Intake's door for what is no event: source, raw, reason; no means that it is full.
Reject = Callable[[str, bytes, str], bool]

# The most that the server gives in one page.
PER_PAGE = 200
# So many pages are passed by at most before anything ever could be read.
MOST_BLIND = 5
# A channel that fails is left for a while and tried again: the others go on.
PATIENCE_S = 10.0
# A page of long posts is megabytes; over a slow line it comes, though not soon.
PAGE_S = 300.0


class Reading:
    """Implements borders.Pages and rooms.Directory."""

    def __init__(
        self,
        *,
        client: Client,
        translator: Translator,
        reject: Reject,
        hearing: Hearing,
        per_page: int = PER_PAGE,
    ) -> None:
        self._client = client.within(Stop(), patience_s=PATIENCE_S, read_s=PAGE_S)
        self._translator = translator
        self._names = Names(client, translator)
        self._reject = reject
        self._hearing = hearing
        self._per_page = per_page
        self._rejected: set[int] = set()
        self._has_read = False

    def wake_at(self, stop: Stop) -> None:
        """Calls that wait end when this is set."""
        self._client = self._client.within(stop, patience_s=PATIENCE_S, read_s=PAGE_S)
        self._names.wake_at(stop)

    # Pages.

    def newest(self, room: Room, number: int = 0) -> Sequence[Event]:
        return self._page(room, number)

    def before(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        return self._page(room, number, before=anchor_id)

    def after(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        return self._page(room, number, after=anchor_id)

    def since(self, room: Room, changed_after: int) -> Changes:
        rows = self._rows(room, since=changed_after)
        return Changes(self._events(room, rows.values()), len(rows))

    def post(self, room: Room, post_id: str) -> Event | None:
        try:
            row = self._client.post(post_id)
        except Missing:
            return None
        for event in self._events(room, [row]):
            return event
        raise Unreadable(f"the post {post_id} of {room.name}")

    def _page(self, room: Room, number: int, **anchor: str) -> list[Event]:
        """What cannot be read is left out: it is among the rejects.

        An empty page is an end, so one of which nothing can be read is passed by. But
        where nothing ever could be read the fault may be ours: then no end is told.
        """
        rows, passed = self._rows(room, page=number, **anchor), 0
        while rows and not (events := self._events(room, rows.values())):
            behind = self._rows(room, page=number + 1, **anchor)
            # Pages are counted: they move when a post is deleted meanwhile, or comes.
            again = self._rows(room, page=number, **anchor)
            if list(again)[-1:] != list(rows)[-1:]:
                rows = again
                continue
            rows, number, passed = behind, number + 1, passed + 1
            if not self._has_read and (not rows or passed == MOST_BLIND):
                raise Transient("none of its newest posts can be read, nor any other")
        return events if rows else []

    def _rows(self, room: Room, **where: Any) -> dict[str, Any]:
        """By id, the newest first."""
        told = self._client.posts(room.id, per_page=self._per_page, **where)
        posts = told["posts"]
        return {id: posts[id] for id in told["order"] if id in posts}

    def _events(self, room: Room, rows: Iterable[Json]) -> list[Event]:
        number = self._hearing.number
        events = []
        for row in rows:
            try:
                event = self._translator.row(row, connection=number, channel=room.name)
                events.append(event)
                self._has_read = True
            except Unreadable as error:
                self._refuse(row, str(error))
        return self._names.named(events)

    def _refuse(self, row: Any, reason: str) -> None:
        """It stands on its page each time that one is read; it is kept once.

        If there is no room for it, the page must not be written without it.
        """
        raw = _told(row)
        if hash(raw) in self._rejected:
            return
        if not self._reject(SOURCE, raw, reason):
            raise Transient("the intake has no room for what cannot be read")
        self._rejected.add(hash(raw))

    # The list of channels.

    def teams(self) -> Mapping[str, str]:
        self._names.ask()  # for whom the socket told of
        return {team["id"]: team["name"] for team in self._client.teams()}

    def channels(self, teams: Mapping[str, str]) -> Sequence[ChannelNews]:
        found = {}
        for team_id in teams:
            channels = self._client.channels(team_id)
            self._translator.learn_channels(channels)
            for channel in channels:
                if not channel.get("delete_at"):
                    team = teams.get(channel.get("team_id", ""), "")
                    found[channel["id"]] = replace(news_of(channel), team=team)
        return list(found.values())


def _told(row: Any) -> bytes:
    """As it came, unless it is nested deeper than it can be written."""
    try:
        return json.dumps(row).encode()
    except RecursionError:
        return json.dumps(shallow(row)).encode()


def news_of(channel: Json) -> ChannelNews:
    return ChannelNews(
        channel_id=channel["id"],
        team_id=channel.get("team_id", ""),
        type=channel.get("type", ""),
        name=channel.get("name", ""),
        display_name=channel.get("display_name", ""),
        messages=channel.get("total_msg_count", 0),
        last_post_at=channel.get("last_post_at", 0),
    )
