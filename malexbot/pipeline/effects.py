"""What a handler is given to act with: it collects what is to be sent."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from malexbot.events import Event, Id
from malexbot.pipeline.controls import Place, lay_out, lay_out_dialog
from malexbot.pipeline.event_log import EventLog
from malexbot.pipeline.reply import Reply, asked, own_target
from malexbot.pipeline.shelf import StoreShelf
from malexbot.pipeline.sight import Sight
from malexbot.pipeline.split import split
from malexbot.ports import Card, Dialog, Effect, Found, Processor, Shelf, Terms, Write

POST = "chat.post"
REACT = "chat.react"
EDIT = "chat.edit"
UPLOAD = "chat.upload"
DIALOG = "chat.dialog"

_PLAIN = Terms()
# A messenger that tells no limit gets what the oldest of them takes.
LONGEST_TEXT = 4_000
# It waits in the database until it is sent.
MOST_BYTES = 10 * 2**20
# So many posts are found at once at most.
MOST_FOUND = 100


class Collector:
    """The Bot of one handler, for one event; nothing leaves before the handler ends.

    `longest_text` is asked by the name of a messenger; `check` raises once the handler
    was given up, so it cannot act any more.
    """

    def __init__(
        self,
        event: Event,
        *,
        processor: Processor | None = None,
        check: Callable[[], None] = lambda: None,
        longest_text: Callable[[str], int] = lambda messenger: LONGEST_TEXT,
        sight: Sight | None = None,
    ) -> None:
        self._event = event
        self._name = processor.name if processor else "malexbot"
        self._plugin = plugin_of(self._name)
        self._settings = processor.settings if processor else None
        self._check = check
        self._longest_text = longest_text
        self._sight = sight or Sight()
        self._answer = Reply(event)
        self._dialogs: list[Effect] = []
        self._said: list[Effect] = []
        self._shelf: StoreShelf | None = None

    # What becomes of it.

    @property
    def effects(self) -> list[Effect]:
        """What somebody waits for first: a dialog can be opened for seconds only."""
        return [*self._dialogs, *self._answer.effects, *self._said]

    @property
    def writes(self) -> list[Write]:
        """What is kept in the transaction that makes the effects."""
        kept = self._shelf.writes if self._shelf else ()
        return [*kept, *self._answer.writes]

    # What is said.

    def reply(
        self,
        text: str,
        *,
        thread: bool = False,
        cards: Sequence[Card] = (),
        terms: Terms = _PLAIN,
    ) -> None:
        """Answer where it was said: in its thread, or in one below it if `thread`."""
        root_id = _thread_of(self._event) or (_said(self._event) if thread else "")
        channel = self._event.peer.bpid
        if not channel:
            raise ValueError(f"{self._event.name} is of no channel: say it with post")
        self.post(channel, text, root_id=root_id, cards=cards, terms=terms)

    def post(
        self,
        channel: Id,
        text: str,
        *,
        root_id: str = "",
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = _PLAIN,
    ) -> None:
        """Say it in a channel; what is too long becomes several messages."""
        where = {"channel_id": channel, "root_id": root_id}
        place = Place(self._plugin, channel)
        self._say(self._target(channel), where, text, place, (cards, name, terms))

    def direct(
        self,
        user: Id,
        text: str,
        *,
        cards: Sequence[Card] = (),
        name: str = "",
        terms: Terms = _PLAIN,
    ) -> None:
        """Say it to one person."""
        place = Place(self._plugin, users=(user,))
        more = (cards, name, terms)
        self._say(self._target(f"@{user}"), {"user_id": user}, text, place, more)

    def react(self, emoji: str, *, terms: Terms = _PLAIN) -> None:
        """Put an emoji on what was said."""
        self._check()
        channel, post_id = self._event.peer.bpid, _said(self._event)
        if not post_id:
            raise ValueError(f"{self._event.name} is nothing to react to")
        payload = {"channel_id": channel, "post_id": post_id, "emoji": emoji.strip(":")}
        self._said.append(Effect(REACT, self._target(channel), payload, terms))

    def edit(
        self,
        channel: Id,
        post_id: str,
        text: str,
        *,
        cards: Sequence[Card] | None = None,
    ) -> None:
        """Change a post of the bot; None leaves its cards, () takes them away."""
        self._check()
        payload: dict[str, Any] = {"channel_id": channel, "post_id": post_id}
        payload["message"] = self._fitting(text)
        laid = lay_out(cards or (), Place(self._plugin, channel))
        if cards is not None:
            payload["cards"] = laid.cards
        target = self._target(channel)
        self._said.append(Effect(EDIT, target, payload, grants=laid.grants))

    def upload(
        self,
        channel: Id,
        name: str,
        content: bytes,
        *,
        text: str = "",
        root_id: str = "",
    ) -> None:
        """Post a file."""
        self._check()
        if len(content) > MOST_BYTES:
            most = MOST_BYTES // 2**20
            raise ValueError(f"{name} is too large: a file may have {most} MiB")
        payload = {
            "channel_id": channel,
            "root_id": root_id,
            "message": self._fitting(text),
            "name": name,
            "content": base64.b64encode(content).decode(),
        }
        self._said.append(Effect(UPLOAD, self._target(channel), payload))

    def tell(self, target: str, text: str, *, terms: Terms = _PLAIN) -> None:
        """Say it in a channel of any messenger: `mattermost:ID`, `vk:ID`."""
        where: dict[str, Id] = {"channel_id": target.partition(":")[2], "root_id": ""}
        self._say(target, where, text, Place(self._plugin), ((), "", terms))

    def deliver(
        self, kind: str, lane: str, payload: Mapping[str, Any], *, terms: Terms = _PLAIN
    ) -> None:
        """Hand it on as a job of that kind; what is in one lane keeps its order."""
        self._check()
        self._said.append(Effect(kind, lane, payload, terms, is_keyed=True))

    # What is answered to who gave a command, pressed a button or filled a form in.

    def answer(
        self, text: str, *, in_channel: bool = False, cards: Sequence[Card] = ()
    ) -> None:
        """Tell that person, who alone sees it; or the channel."""
        self._check()
        event = self._event
        # What one person sees may come to him in a channel of his own.
        hers = Place(self._plugin, users=(event.user.uuid,))
        place = Place(self._plugin, event.peer.bpid) if in_channel else hers
        self._answer.say(text, lay_out(cards, place), in_channel=in_channel)

    def update(self, text: str, *, cards: Sequence[Card] = ()) -> None:
        """Change the message whose button was pressed; without cards, none is left.

        What one person alone sees no server changes: it is said anew.
        """
        self._check()
        if self._event.data.get("is_ephemeral"):
            return self.answer(text, cards=cards)
        place = Place(self._plugin, self._event.peer.bpid)
        self._answer.update(self._fitting(text), lay_out(cards, place))

    def refuse(self, error: str = "", **fields: str) -> None:
        """Leave the dialog open, and tell what is wrong; a button is as unpressed."""
        self._check()
        self._answer.refuse(error, fields)

    def open_dialog(self, dialog: Dialog) -> None:
        """Open it before that person, who alone may fill it in."""
        self._check()
        event = self._event
        trigger_id = event.data.get("trigger_id")
        if not trigger_id:
            raise ValueError(f"{event.name} opens no dialog: a command or a button can")
        place = Place(self._plugin, event.peer.bpid, (event.user.uuid,))
        told, grant = lay_out_dialog(dialog, place)
        payload = {**told, "trigger_id": trigger_id, "asked": asked(event)}
        # An answer does not wait for the server to open it, nor it for the answer.
        target = f"{own_target(event)}/dialog"
        self._dialogs.append(Effect(DIALOG, target, payload, grants=(grant,)))

    # What is known.

    def search(self, words: str, *, most: int = 10, skip: int = 0) -> Sequence[Found]:
        """Posts of the archive that the person of the event may read."""
        self._check()
        person = self._event.user.uuid
        if not person:
            raise ValueError(f"{self._event.name} is of nobody: nobody could read it")
        most = min(most, MOST_FOUND)
        return self._sight.find(person, words, most=most, skip=skip)

    def named(self, name: str) -> str:
        """The id of the post that was given this name; "" if it is not there."""
        self._check()
        kept = self._sight.store.read(posts_of(self._plugin), name)
        return str(kept.value["post_id"]) if kept.value else ""

    @property
    def store(self) -> Shelf:
        if self._shelf is None:
            store, check = self._sight.store, self._check
            self._shelf = StoreShelf(store, self._plugin, check=check)
        return self._shelf

    @property
    def settings(self) -> Any:
        return self._settings

    @property
    def locale(self) -> str:
        return self._sight.locale(self._event.user.uuid)

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        return EventLog(self._name, self._event)

    # Inside.

    def _say(
        self,
        target: str,
        where: dict[str, Id],
        text: str,
        place: Place,
        more: tuple[Sequence[Card], str, Terms],
    ) -> None:
        """What can be pressed stands below the last part, which has the name."""
        self._check()
        cards, name, terms = more
        longest = self._longest_text(target.partition(":")[0])
        *parts, last = split(text, longest) or [""]
        for part in parts:
            self._said.append(Effect(POST, target, {**where, "message": part}, terms))
        if not last and not cards:
            return
        payload: dict[str, Any] = {**where, "message": last}
        laid = lay_out(cards, place)
        if laid.cards:
            payload["cards"] = laid.cards
        if name:
            payload["named"] = [posts_of(self._plugin), name]
        self._said.append(Effect(POST, target, payload, terms, laid.grants))

    def _target(self, channel: Id) -> str:
        return f"{self._event.source}:{channel}"

    def _fitting(self, text: str) -> str:
        """One post is one text; raises ValueError for one that is too long for it."""
        longest = self._longest_text(self._event.source)
        if len(text) > longest:
            raise ValueError(f"{len(text)} signs: a post has {longest} at most")
        return text


def plugin_of(processor: str) -> str:
    """To which plugin a processor belongs."""
    return processor.partition(".")[0]


def posts_of(plugin: str) -> str:
    """In which space the posts are noted that this plugin gave names to."""
    return f"{plugin}/posts"


def _thread_of(event: Event) -> str:
    return event.post.root_id if event.post else str(event.data.get("root_id") or "")


def _said(event: Event) -> str:
    """The id of the message that the event is about; "" if it is about none."""
    about = event.message or event.reaction or event.button
    return str(about.cmid) if about else ""
