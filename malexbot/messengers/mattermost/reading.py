"""The client as the backfill reads it: pages of events, teams and channels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from malexbot.events import Event
from malexbot.messengers.mattermost.borders import Room
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.failures import Missing
from malexbot.ports import ChannelNews
from malexbot.runtime.stop import Stop

Json = dict[str, Any]
# None: it is no post that could be understood; whoever translates tells of it.
Translate = Callable[[Json, Room], Event | None]

# The most that the server gives in one page.
PER_PAGE = 200
# A channel that fails is left for a while and tried again: the others go on.
PATIENCE_S = 10.0


class Reading:
    """Implements borders.Pages and rooms.Directory."""

    def __init__(
        self, client: Client, translate: Translate, *, per_page: int = PER_PAGE
    ) -> None:
        self._client = client.within(Stop(), patience_s=PATIENCE_S)
        self._translate = translate
        self._per_page = per_page

    def wake_at(self, stop: Stop) -> None:
        """Calls that wait end when this is set."""
        self._client = self._client.within(stop, patience_s=PATIENCE_S)

    # Pages.

    def newest(self, room: Room, number: int = 0) -> Sequence[Event]:
        return self._page(room, page=number)

    def before(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        return self._page(room, before=anchor_id, page=number)

    def after(self, room: Room, anchor_id: str, number: int = 0) -> Sequence[Event]:
        return self._page(room, after=anchor_id, page=number)

    def since(self, room: Room, changed_after: int) -> Sequence[Event]:
        return self._page(room, since=changed_after)

    def post(self, room: Room, post_id: str) -> Event | None:
        try:
            return self._translate(self._client.post(post_id), room)
        except Missing:
            return None

    def _page(self, room: Room, **where: Any) -> list[Event]:
        told = self._client.posts(room.id, per_page=self._per_page, **where)
        posts = told["posts"]
        rows = (posts[id] for id in told["order"] if id in posts)
        events = (self._translate(row, room) for row in rows)
        return [event for event in events if event is not None]

    # The list of channels.

    def teams(self) -> Mapping[str, str]:
        return {team["id"]: team["name"] for team in self._client.teams()}

    def channels(self, team_ids: Iterable[str]) -> Sequence[ChannelNews]:
        found = {}
        for team_id in team_ids:
            for channel in self._client.channels(team_id):
                if not channel.get("delete_at"):
                    found[channel["id"]] = _news(channel)
        return list(found.values())


def _news(channel: Json) -> ChannelNews:
    return ChannelNews(
        channel_id=channel["id"],
        team_id=channel.get("team_id", ""),
        type=channel.get("type", ""),
        name=channel.get("name", ""),
        display_name=channel.get("display_name", ""),
        messages=channel.get("total_msg_count", 0),
        last_post_at=channel.get("last_post_at", 0),
    )
