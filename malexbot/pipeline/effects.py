"""What a handler is given to act with: it collects what is to be sent."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.events import Event, Id
from malexbot.pipeline.split import split
from malexbot.ports import Effect, Terms

POST = "chat.post"
REACT = "chat.react"

_PLAIN = Terms()
# A messenger that tells no limit gets what the oldest of them takes.
LONGEST_TEXT = 4_000


class Collector:
    """The Bot of one handler, for one event; nothing leaves before the handler ends.

    `check` raises once the handler was given up, so it cannot act any more.
    """

    def __init__(
        self,
        event: Event,
        *,
        check: Callable[[], None] = lambda: None,
        longest_text: int = LONGEST_TEXT,
    ) -> None:
        self._event = event
        self._check = check
        self._longest = longest_text
        self.effects: list[Effect] = []

    def reply(self, text: str, *, thread: bool = False, terms: Terms = _PLAIN) -> None:
        """Answer where it was said: in its thread, or in one below it if `thread`."""
        root_id = _thread_of(self._event) or (_said(self._event) if thread else "")
        self.post(self._event.peer.bpid, text, root_id=root_id, terms=terms)

    def post(
        self, channel: Id, text: str, *, root_id: str = "", terms: Terms = _PLAIN
    ) -> None:
        """Say it in a channel; what is too long becomes several messages."""
        where = {"channel_id": channel, "root_id": root_id}
        self._say(f"{self._event.source}:{channel}", where, text, terms)

    def direct(self, user: Id, text: str, *, terms: Terms = _PLAIN) -> None:
        """Say it to one person."""
        self._say(f"{self._event.source}:@{user}", {"user_id": user}, text, terms)

    def react(self, emoji: str, *, terms: Terms = _PLAIN) -> None:
        """Put an emoji on what was said."""
        self._check()
        channel, post_id = self._event.peer.bpid, _said(self._event)
        if not post_id:
            raise ValueError(f"{self._event.name} is nothing to react to")
        payload = {"channel_id": channel, "post_id": post_id, "emoji": emoji.strip(":")}
        target = f"{self._event.source}:{channel}"
        self.effects.append(Effect(REACT, target, payload, terms))

    def _say(self, target: str, where: dict[str, Id], text: str, terms: Terms) -> None:
        self._check()
        for part in split(text, self._longest):
            payload = {**where, "message": part}
            self.effects.append(Effect(POST, target, payload, terms))


def _thread_of(event: Event) -> str:
    return event.post.root_id if event.post else ""


def _said(event: Event) -> str:
    """The id of the message that the event is about; "" if it is about none."""
    about = event.message or event.reaction
    return str(about.cmid) if about else ""
