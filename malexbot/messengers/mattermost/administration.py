"""What an administrator's token is needed for: the slash commands of a team.

Bots may not make them. The driver's own calls for a single command go astray: their
addresses lack a slash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from malexbot.messengers.mattermost.client import Client, Json
from malexbot.messengers.mattermost.failures import Busy, Missing

COMMANDS = "/commands"
# What a server takes of each.
LONGEST_NAME = 64
LONGEST_HELP = 128


class Wanted(NamedTuple):
    """A slash command as it should be."""

    trigger: str
    """Without its slash, in small letters."""
    url: str
    usage: str = ""
    help: str = ""

    def as_json(self, team_id: str) -> Json:
        return {
            "team_id": team_id,
            "trigger": self.trigger,
            "method": "P",
            "url": self.url,
            "display_name": f"malexbot /{self.trigger}"[:LONGEST_NAME],
            "description": self.help[:LONGEST_HELP],
            "auto_complete": True,
            "auto_complete_hint": self.usage,
            "auto_complete_desc": self.help,
        }


class Known(NamedTuple):
    """A slash command that the server has."""

    id: str
    trigger: str
    url: str
    token: str
    """"" where the server keeps it to itself."""
    told: Mapping[str, Any]

    def is_as(self, wanted: Wanted, team_id: str) -> bool:
        """Yes: nothing is to be changed."""
        return all(
            self.told.get(name) == value
            for name, value in wanted.as_json(team_id).items()
        )


class Administration:
    """The slash commands of a server's teams; each call raises a Failure."""

    def __init__(self, client: Client) -> None:
        """`client`: with the token of somebody who may make them."""
        self._client = client

    def commands(self, team_id: str) -> list[Known]:
        """All that people have made there, not those of the server itself."""
        params = {"team_id": team_id, "custom_only": "true"}
        told = self._client.call("get", COMMANDS, params=params)
        if not isinstance(told, list):
            raise Busy(COMMANDS, "not what Mattermost answers")
        return [_known(row) for row in told]

    def make(self, wanted: Wanted, team_id: str) -> Known:
        told = self._client.call("post", COMMANDS, options=wanted.as_json(team_id))
        return _known(told)

    def change(self, known: Known, wanted: Wanted, team_id: str) -> Known:
        """The server takes it whole; what is not ours to say stays as it is."""
        command = {**known.told, **wanted.as_json(team_id)}
        told = _known(
            self._client.call("put", f"{COMMANDS}/{known.id}", options=command)
        )
        return told if told.token else told._replace(token=known.token)

    def new_token(self, command_id: str) -> str:
        """The old one is good for nothing from now on."""
        told = self._client.call("put", f"{COMMANDS}/{command_id}/regen_token")
        return str(told["token"])

    def delete(self, command_id: str) -> bool:
        """No: it was not there any more."""
        try:
            self._client.call("delete", f"{COMMANDS}/{command_id}")
        except Missing:
            return False
        return True


def _known(row: Any) -> Known:
    if not isinstance(row, dict) or not row.get("id"):
        raise Busy(COMMANDS, "not what Mattermost answers")
    return Known(
        id=str(row["id"]),
        trigger=str(row.get("trigger", "")),
        url=str(row.get("url", "")),
        token=str(row.get("token") or ""),
        told=row,
    )
