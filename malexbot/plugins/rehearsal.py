"""A stage for tests of a plugin: its functions run, and nothing leaves.

    rota = Rehearsal("rota.py", settings={"people": ["anna", "boris"]})
    turn = rota.command("/rota", by="anna")
    assert turn.answer == "It is you."
    assert turn.press("Hand over", by="anna").dialog.title == "Hand over"

It takes a millisecond. What it cannot show is the way to the server and back: that is
for a test with `malexbot_daemon`, on the sandbox.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from malexbot.config.fields import Block
from malexbot.config.permissions import Permission
from malexbot.events import Button as Press
from malexbot.events import Command, Event, Form, Message, Peer, Post, User
from malexbot.plugins.decorated import Plugin, Terms, handlers, read_plugin
from malexbot.plugins.handler import Handler
from malexbot.plugins.modules import opened
from malexbot.plugins.schedule import tick
from malexbot.plugins.turn import Actor, Said, Stage, Turn
from malexbot.ports import Button, Dialog, Found, Menu, Occasion

SOURCE = "mattermost"
_USUAL = Occasion(0.0)


class Rehearsal:
    """One plugin on a stage; people and channels are what you call them."""

    def __init__(
        self,
        plugin: str | Path,
        *,
        settings: Mapping[str, Any] | None = None,
        roles: Mapping[str, Sequence[str]] | None = None,
        permissions: Mapping[str, Mapping[str, Any]] | None = None,
        locale: str = "en",
    ) -> None:
        found = read_plugin(opened(str(plugin)))
        if found is None:
            raise ValueError(f"{plugin} has no decorated function")
        asked = {
            name: Permission.model_validate(block)
            for name, block in (permissions or {}).items()
        }
        terms = Terms(roles or {}, asked, _AnyName())
        self.handlers = handlers(found, terms, _settings(found, settings or {}))
        self.stage = Stage(locale)
        self._numbers = itertools.count(1)
        self._used: set[int] = set()

    @property
    def store(self) -> dict[str, Any]:
        """What the plugin keeps, to look at and to change."""
        return self.stage.kept

    def finds(self, *posts: Found) -> None:
        """What `bot.search` finds from now on."""
        self.stage.found = posts

    # What happens.

    def command(self, text: str, *, by: str = "alice", channel: str = "town") -> Turn:
        """Somebody gives a command: `/rota take`."""
        name, _, words = text.partition(" ")
        event = self._event("command", by, channel)
        return self._play(event._replace(command=Command(name, words)))

    def say(
        self,
        text: str,
        *,
        by: str = "alice",
        channel: str = "town",
        mention: bool = False,
        direct: bool = False,
    ) -> Turn:
        """Somebody says something in a channel, maybe to the bot."""
        event = self._event("posted", by, channel)
        post = Post(
            *(event.event_id, channel, f"{by}-id", "", "", "", text),
            *(event.occurred_at, event.occurred_at, 0, 0, "{}"),
        )
        event = event._replace(
            event_type="message", message=Message(post.id, text), post=post
        )
        return self._play(event, Occasion(0.0, direct, mention))

    def tick(self, function: str, *, at_ms: int | None = None) -> Turn:
        """It is time for a function that has a schedule."""
        plugin = self.handlers[0].plugin
        due_ms = _now_ms() if at_ms is None else at_ms
        return self._play(tick(f"{plugin}.{function}", due_ms, SOURCE))

    def hook(self, path: str, body: Any, **headers: str) -> Turn:
        """Somebody who has the secret calls the plugin's address."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        data = {"path": path, "headers": told, "body": body}
        return self._play(self._event("hook", "", "")._replace(data=data))

    def press(self, said: Said, label: str, by: str, choice: str = "") -> Turn:
        """Somebody presses what has this label below a message, or chooses there."""
        control = _control(said, label)
        if (
            control.users
            and f"{by}-id" not in control.users
            and by not in control.users
        ):
            raise AssertionError(f"{label!r} is not {by}'s: the server is told nothing")
        if control.uses is not None and said.number in self._used:
            raise AssertionError(f"somebody was faster: {label!r} was used already")
        payload = json.loads(json.dumps(dict(control.payload)))
        event = self._event("button", by, said.channel)._replace(
            button=Press(said.post_id, self._whole(control.action), payload),
            data={"choice": choice} if choice else {},
        )
        turn = self._play(event)
        if not turn.refused:
            self._used.add(said.number)
        return turn

    def submit(
        self, dialog: Dialog, by: str, values: Mapping[str, Any], channel: str
    ) -> Turn:
        """Somebody fills a dialog in, with all that its fields are by default."""
        if unknown := values.keys() - {field.name for field in dialog.fields}:
            raise AssertionError(f"the dialog has no field {sorted(unknown)}")
        filled = {field.name: field.default or None for field in dialog.fields}
        return self._fill(dialog, by, channel, {**filled, **values}, False)

    def cancel(self, dialog: Dialog, by: str, channel: str) -> Turn:
        return self._fill(dialog, by, channel, {}, True)

    def _fill(
        self,
        dialog: Dialog,
        by: str,
        channel: str,
        values: Mapping[str, Any],
        is_cancelled: bool,
    ) -> Turn:
        payload = json.loads(json.dumps(dict(dialog.payload)))
        form = Form(self._whole(dialog.action), values, payload, is_cancelled)
        return self._play(self._event("dialog", by, channel)._replace(form=form))

    # How it is played.

    def _play(self, event: Event, occasion: Occasion = _USUAL) -> Turn:
        """What the functions that want the event make of it."""
        turn = Turn(self, event)
        for handler in self.handlers:
            if handler.wants(event, occasion):
                turn.called.append(handler.function)
                self._call(handler, event, occasion, turn)
        return turn

    def _call(
        self, handler: Handler, event: Event, occasion: Occasion, turn: Turn
    ) -> None:
        """What it has kept counts when it ends well, as with the real store."""
        before = json.dumps(self.stage.kept)
        try:
            handler.handle(event, occasion, Actor(self.stage, turn, handler))
        except BaseException:
            self.stage.kept.clear()
            self.stage.kept.update(json.loads(before))
            raise

    def _whole(self, action: str) -> str:
        return f"{self.handlers[0].plugin}.{action}"

    def _event(self, name: str, by: str, channel: str) -> Event:
        return Event(
            event_id=f"event{next(self._numbers)}",
            source=SOURCE,
            name=name,
            event_type=name,
            peer=Peer(channel, channel, channel or None),
            user=User(f"{by}-id" if by else "", by or None, nick=by or None),
            occurred_at=_now_ms(),
            origin="live",
            connection=1,
            raw=b"",
        )


class _AnyName(Sequence[str]):
    """On a stage every webhook has its secret."""

    def __getitem__(self, index: Any) -> Any:
        raise IndexError

    def __len__(self) -> int:
        return 0

    def __contains__(self, name: object) -> bool:
        return True


def _settings(plugin: Plugin, values: Mapping[str, Any]) -> BaseModel:
    try:
        return (plugin.params or Block).model_validate(dict(values))
    except ValidationError as error:
        raise AssertionError(f"settings of {plugin.name}: {error}") from None


def _control(said: Said, label: str) -> Button | Menu:
    controls = [each for card in said.cards for each in card.controls]
    for control in controls:
        if control.label == label:
            return control
    raise AssertionError(f"no {label!r} below it; {[each.label for each in controls]}")


def _now_ms() -> int:
    return int(time.time() * 1000)
