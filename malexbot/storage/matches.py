"""What a search finds, as handlers are given it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from malexbot import ports
from malexbot.storage.database import Database
from malexbot.storage.query import Question
from malexbot.storage.search import Found, Search
from malexbot.storage.snippets import Piece


class Matches:
    """The best of the whole archive, whoever may read it; `link` leads to a server."""

    def __init__(self, database: Database, *, server: str) -> None:
        """`server`: the address that people reach it at."""
        self._search = Search(database)
        self._server = server

    def __call__(
        self, words: str, *, without: Collection[str] = (), most: int
    ) -> Sequence[ports.Found]:
        """Raises Permanent if there is nothing to look for in these words."""
        answer = self._search.find(Question(text=words, without=without, limit=most))
        return [self._shown(found) for found in answer.found]

    def _shown(self, found: Found) -> ports.Found:
        return ports.Found(
            post_id=found.id,
            channel_id=found.channel_id,
            channel=found.channel,
            user=found.user,
            said_at=found.create_at,
            snippet="".join(map(_marked, found.snippet)),
            link=found.permalink(self._server),
        )


def _marked(piece: Piece) -> str:
    return f"**{piece.text}**" if piece.is_match else piece.text
