"""What the chat page shows beside the chat: how malexbot is, and what it keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from malexbot.cli.demo.conversation import SECRET
from malexbot.cli.demo.orders import FOR_LONG
from malexbot.cli.demo.stage import Stage
from malexbot.errors import MalexbotError

# Of what a person may type into the demo, that which the page has buttons for.
ORDERS = {"kill": f"/kill {FOR_LONG}", "start": "/start", "cut": "/cut"}


class Backstage:
    """Asked by the threads of the sandbox; what is to be done it leaves to the demo."""

    def __init__(self, stage: Stage, order: Callable[[str], None]) -> None:
        """`order` takes a line as if it had been typed, from any thread."""
        self._stage = stage
        self._order = order

    def look(self, channel_id: str, since: int) -> dict[str, Any]:
        bot = self._stage.bot_is
        seen = {"bot": bot, "may": _may(bot)}
        try:
            kept = self._stage.recent(channel_id, since)
        except MalexbotError:
            return seen | {"archive": False}
        is_awake = bot == "listening" and kept.mark_at is not None
        return seen | {
            "archive": True,
            "mark_at": kept.mark_at,
            "unwanted": self._unwanted(channel_id, kept.mark_at or 0) * is_awake,
            "from": kept.known_from,
            "posts": [asdict(post) for post in kept.posts],
        }

    def do(self, what: str) -> None:
        if what in _may(self._stage.bot_is):
            self._order(ORDERS[what])

    def _unwanted(self, channel_id: str, mark_at: int) -> list[str]:
        """What the filter leaves out, and no mark has passed yet."""
        said = self._stage.mattermost.ledger.entries(channel_id=channel_id)
        late = (each for each in said if each.create_at > mark_at)
        return [each.id for each in late if SECRET in each.text]


def _may(bot: str) -> list[str]:
    """What makes sense by now."""
    return {"down": ["start"], "listening": ["kill", "cut"]}.get(bot, ["kill"])
