"""The doors that a Mattermost server knocks at, and what is answered there."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from malexbot.config.tokens import Token
from malexbot.errors import ANYTHING, MalexbotError, Transient
from malexbot.events import Event
from malexbot.messengers.mattermost.answers import without_update
from malexbot.messengers.mattermost.callbacks.outgoing import OutgoingHooks
from malexbot.messengers.mattermost.callbacks.presses import Presses
from malexbot.messengers.mattermost.callbacks.refusals import Own, Refused, Unfit
from malexbot.messengers.mattermost.callbacks.slash import SlashCommands
from malexbot.messengers.mattermost.callbacks.submissions import Submissions
from malexbot.messengers.mattermost.callbacks.tokens import CommandTokens, HookTokens
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.messenger import Server
from malexbot.messengers.mattermost.people import People
from malexbot.pipeline.phrases import phrase
from malexbot.ports import Answered, Call, Commands, Door, Grants
from malexbot.runtime.alarm import Alarm
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.stop import Stop

log = logging.getLogger(__name__)

# A dialog can be opened within 3 s of the press on an old server, and a person waits.
WAIT_S = 2.5
# Of these, the server may take so long to say whether it has a post.
KEPT_S = 1.0
RETRY_AFTER_S = 2

# They say nothing of why.
UNFIT = Answered(status=400)
REFUSED = Answered(status=401)
FAILED = Answered(status=500)
BUSY = Answered(status=503, retry_after_s=RETRY_AFTER_S)


class Desk(Protocol):
    """Who takes events of people in, and gives back what they are answered."""

    def ask(self, event: Event, wait_s: float) -> Mapping[str, Any] | None:
        """The answer; None: not in time, it comes later. Transient: not taken."""
        ...

    def note_written(self, event_id: str) -> None:
        """Whoever called has the answer; without this it is given another way too."""
        ...


class CallbackDoor:
    """One kind of call: read, made durable, answered; raises nothing."""

    def __init__(
        self,
        *,
        read: Callable[[Call], Event],
        write: Callable[[Event, Mapping[str, Any]], Mapping[str, Any]],
        desk: Desk,
        moment: Callable[[Event], Mapping[str, Any]],
        alarm: Alarm,
    ) -> None:
        """`moment`: what is answered while there is no answer yet."""
        self._read = read
        self._write = write
        self._desk = desk
        self._moment = moment
        self._alarm = alarm

    def __call__(self, call: Call) -> Answered:
        deadline = Deadline(WAIT_S)
        try:
            event = self._read(call)
            answer = self._desk.ask(event, deadline.left_s)
        except Own:
            return Answered()
        except Refused as error:
            self._alarm.warn(call.path, call.remote, error)
            return REFUSED
        except Unfit as error:
            self._alarm.warn(call.path, call.remote, error)
            return UNFIT
        except Transient as error:
            log.info("a call of %s has to come again: %s", call.path, error)
            return BUSY
        except ANYTHING:
            log.error("a call of %s is beyond us", call.path, exc_info=True)
            return FAILED
        return self._answered(event, answer)

    def _answered(self, event: Event, answer: Mapping[str, Any] | None) -> Answered:
        """The event is taken: whatever is wrong with the answer, it is not called for
        once more. The desk, which hears of no answer, then tries another way.
        """
        try:
            told = self._moment(event) if answer is None else self._write(event, answer)
            written = partial(self._desk.note_written, event.event_id)
            return Answered(body=_body(told), on_written=written)
        except MalexbotError as error:
            log.error("event %s cannot be answered: %s", event.event_id, error)
        except ANYTHING:
            log.error("event %s: a fault in its answer", event.event_id, exc_info=True)
        return Answered()


def doors(
    server: Server, *, desk: Desk, grants: Grants, commands: Commands
) -> Mapping[str, Door]:
    """By their paths, as backend.public_url leads to them."""
    writer, now_ms = server.chat.writer, server.client.link.clock.now_ms
    tokens = CommandTokens(commands, lambda: _secrets(server.settings.command_tokens))
    hooks = HookTokens(lambda: _secrets(server.settings.outgoing_tokens))

    def write(event: Event, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        if event.data.get("is_ephemeral"):
            answer = without_update(answer)
        return writer.write(event.event_type, answer)

    def moment(event: Event) -> Mapping[str, Any]:
        if event.event_type != "command":
            return {}
        locale = server.people.locale(str(event.user.uuid))
        return writer.command({"message": phrase("moment", locale)})

    readers: Mapping[str, Callable[[Call], Event]] = {
        "/slash": SlashCommands(tokens, now_ms),
        "/actions": Presses(grants, now_ms, partial(_keeps, _hasty(server.client))),
        "/dialogs": Submissions(grants, now_ms),
        "/hooks/outgoing": OutgoingHooks(hooks, now_ms, own_id=server.own_id),
    }
    knock, alarm = partial(CallbackDoor, desk=desk, write=write, moment=moment), Alarm()
    return {
        path: knock(read=_naming(read, server.people), alarm=alarm)
        for path, read in readers.items()
    }


def _hasty(client: Client) -> Client:
    return client.within(Stop(), patience_s=KEPT_S, read_s=KEPT_S)


def _keeps(client: Client, post_id: str) -> bool:
    """Yes: it is a post like others. No: it is not, or the server cannot tell."""
    try:
        client.post(post_id)
    except MalexbotError:
        return False
    return True


def _naming(read: Callable[[Call], Event], people: People) -> Callable[[Call], Event]:
    """Whoever is let in is told by name too, and where he is: of dialogs the server
    leaves both out.
    """

    def reading(call: Call) -> Event:
        event = read(call)
        user_id = str(event.user.uuid)
        if event.user.nick:
            people.meet(user_id, event.user.nick)
        if event.peer.name:
            people.meet_at(str(event.peer.bpid), event.peer.name)
        if event.form is None:
            return event
        name = people.name(user_id) or None
        channel = people.channel(str(event.peer.bpid)) or None
        return event._replace(
            user=event.user._replace(name=name, nick=name),
            peer=event.peer._replace(name=channel),
        )

    return reading


def _secrets(named: Mapping[str, Token]) -> dict[str, str]:
    return {name: one.token.get_secret_value() for name, one in named.items()}


def _body(told: Any) -> bytes:
    """Half a character is written as what it is; the server puts a sign for it."""
    return json.dumps(told).encode()
