"""People and channels, found by how their names begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from malexbot.sandbox.call import Call, Result, Route
from malexbot.sandbox.model import Channel, User
from malexbot.sandbox.refusals import not_allowed
from malexbot.sandbox.world import World

_MOST = 100


@dataclass(frozen=True)
class Searches:
    """What fills the menus of users and channels."""

    world: World

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/users/autocomplete", self.users)
        channels = "/teams/{team_id}/channels"
        yield Route("GET", channels + "/autocomplete", self.channels)
        yield Route("POST", channels + "/search", self.search)

    def users(self, call: Call) -> Result:
        """By any of their names."""
        term = call.query.get("name", "").lower().lstrip("@")
        found = [user for user in self._people(call) if _is_called(user, term)]
        found.sort(key=lambda user: user.username)
        return {"users": [user.as_dict() for user in found[:_MOST]]}

    def channels(self, call: Call) -> Result:
        """Public ones, and private ones that one is in."""
        term = call.query.get("name", "").lower()
        mine = self.world.index.user_channels.get(call.user.id, {})
        found = [
            channel
            for channel in self._named(call, term)
            if channel.type == "O" or channel.id in mine
        ]
        return [channel.as_dict() for channel in found[:_MOST]]

    def search(self, call: Call) -> Result:
        """Public ones."""
        term = str(call.json("channel_search").get("term", "")).lower()
        found = [each for each in self._named(call, term) if each.type == "O"]
        return [channel.as_dict() for channel in found[:_MOST]]

    def _named(self, call: Call, term: str) -> list[Channel]:
        team_id = call["team_id"]
        if self.world.team_member(team_id, call.user.id) is None:
            raise not_allowed(call.user.id, "list_team_channels")
        found = [
            channel
            for channel in self.world.channels
            if channel.team_id == team_id and not channel.delete_at
            if f" {channel.name} {channel.display_name.lower()}".find(f" {term}") >= 0
        ]
        return sorted(found, key=lambda channel: channel.display_name)

    def _people(self, call: Call) -> Iterable[User]:
        team_id = call.query.get("in_team", "")
        for user in self.world.users:
            is_in = not team_id or self.world.team_member(team_id, user.id)
            if is_in and not user.delete_at:
                yield user


def _is_called(user: User, term: str) -> bool:
    names = (user.username, user.nickname, user.first_name, user.last_name)
    return any(name.lower().startswith(term) for name in names)
