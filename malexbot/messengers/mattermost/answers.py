"""Answers as Mattermost takes them, to each of its kinds of calls.

They come as the maps of ports.Chat.answer. What was measured: only a 200 is an answer;
a body is never empty; an update without a message empties the post, and one without
props keeps buttons that should go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from malexbot.messengers.mattermost.forms import attachments, clean, clipped, props
from malexbot.pipeline.split import split

Json = dict[str, Any]
Answer = Mapping[str, Any]

# What one message may be on every server, the oldest included.
LONGEST_TEXT = 4_000

# Else the server takes <…> for what it means to Slack.
AS_IT_IS = {"skip_slack_parsing": True}


class Writer:
    """Writes them for one server."""

    def __init__(self, *, public_url: str, longest_text: Callable[[], int]) -> None:
        self._public_url = public_url
        self._longest = longest_text

    def write(self, event_type: str, answer: Answer) -> Json:
        """The body for a call of that type; {} says nothing."""
        match event_type:
            case "command":
                return self.command(answer)
            case "button":
                return self.button(answer)
            case "dialog":
                return self.dialog(answer)
        return self.hook(answer)

    def command(self, answer: Answer) -> Json:
        """The server cuts no answer that is too long: the rest are further ones."""
        texts, cards = self.texts(said(answer)), self._cards(answer)
        if not (texts or cards):
            return {}
        kind = "in_channel" if answer.get("in_channel") else "ephemeral"
        parts = [{"response_type": kind, "text": text, **AS_IT_IS} for text in texts]
        parts = parts or [{"response_type": kind, "text": "", **AS_IT_IS}]
        if cards:
            parts[-1]["attachments"] = cards
        first, *more = parts
        return first | ({"extra_responses": more} if more else {})

    def button(self, answer: Answer) -> Json:
        """What becomes of the post, and what who pressed is told."""
        told: Json = {}
        update = answer.get("update")
        if update is not None:
            told["update"] = self.changes(update)
        if text := said(answer):
            told["ephemeral_text"] = text
        return told | (AS_IT_IS if told else {})

    def changes(self, update: Answer) -> Json:
        """A post as it is to be: its whole text, and its whole props."""
        return {
            "message": self._fitting(update),
            "props": props(update.get("cards") or (), self._public_url),
        }

    def dialog(self, answer: Answer) -> Json:
        """It stays open if there is an error; else it closes."""
        told: Json = {}
        if error := answer.get("error"):
            told["error"] = clean(str(error))
        if errors := answer.get("errors"):
            told["errors"] = {name: clean(str(text)) for name, text in errors.items()}
        return told

    def hook(self, answer: Answer) -> Json:
        """Below the post, or beside it; what is too long the server cuts itself."""
        text, cards = said(answer), self._cards(answer)
        if not (text or cards):
            return {}
        kind = "post" if answer.get("in_channel") else "comment"
        told: Json = {"text": text, "response_type": kind, **AS_IT_IS}
        return told | ({"attachments": cards} if cards else {})

    def texts(self, text: str) -> Sequence[str]:
        """As many messages as it takes."""
        return split(text, self._room(text))

    def _cards(self, answer: Answer) -> Sequence[Json]:
        return attachments(answer.get("cards") or (), self._public_url)

    def _fitting(self, update: Answer) -> str:
        text = clean(str(update.get("message") or ""))
        return clipped(text, self._room(text))

    def _room(self, text: str) -> int:
        """What the server takes; it is asked only where that matters."""
        return LONGEST_TEXT if len(text) <= LONGEST_TEXT else self._longest()


def without_update(answer: Answer) -> Answer:
    """For a post that cannot be changed: what it would say, who pressed is told."""
    update = answer.get("update") or {}
    texts = (update.get("message"), answer.get("message"))
    told = "\n".join(str(text) for text in texts if text)
    return {**answer, "update": None, "message": told}


def said(answer: Answer) -> str:
    """All its words: also errors, where there is no dialog to show them in."""
    errors = answer.get("errors") or {}
    words = (answer.get("message"), answer.get("error"))
    told = [*words, *(f"{name}: {text}" for name, text in errors.items())]
    return clean("\n".join(str(text) for text in told if text))
