"""Events as a messenger makes them, with only what a test is about."""

from __future__ import annotations

from typing import Any

from malexbot.events import (
    Button,
    Command,
    Event,
    Form,
    Message,
    Peer,
    Post,
    Reaction,
    User,
)

NOW = 1_700_000_000_000
BOT = "malexbot-id"


def post(id: str = "p1", message: str = "hello", **values: Any) -> Post:
    known: dict[str, Any] = {
        "id": id,
        "channel_id": "c1",
        "user_id": "alice-id",
        "root_id": "",
        "original_id": "",
        "type": "",
        "message": message,
        "create_at": NOW,
        "update_at": NOW,
        "edit_at": 0,
        "delete_at": 0,
        "raw": "{}",
    }
    return Post(**{**known, **values})


def posted(id: str = "p1", text: str = "hello", **values: Any) -> Event:
    """A live post of alice in channel c1; what belongs to a Post may be given too."""
    fields = {key: values.pop(key) for key in list(values) if key in Post._fields}
    said = post(id, text, **fields)
    known: dict[str, Any] = {
        "event_id": id,
        "source": "mattermost",
        "name": "posted",
        "event_type": "message",
        "peer": Peer(said.channel_id, said.channel_id),
        "user": User(said.user_id, nick="alice"),
        "occurred_at": said.create_at,
        "origin": "live",
        "connection": 1,
        "raw": said.raw.encode(),
        "message": Message(said.id, said.message, attachments=said.texts),
        "post": said,
    }
    return Event(**{**known, **values})


def edited(id: str = "p1", text: str = "hello", **values: Any) -> Event:
    at = values.pop("edit_at", NOW + 1)
    return posted(id, text, edit_at=at, **values)._replace(
        event_id=f"{id}:{at}", name="post_edited", event_type="edit"
    )


def deleted(id: str = "p1", text: str = "hello", **values: Any) -> Event:
    return posted(id, text, **values)._replace(
        event_id=f"{id}:deleted", name="post_deleted", event_type="delete"
    )


def reacted(id: str = "p1", emoji: str | None = "+1", **values: Any) -> Event:
    return posted(id, **values)._replace(
        event_id=f"{id}:alice-id:{emoji}:{NOW}",
        name="reaction_added" if emoji else "reaction_removed",
        event_type="reaction",
        message=None,
        post=None,
        reaction=Reaction(id, emoji),
    )


def happened(name: str = "hello", channel: str = "", **values: Any) -> Event:
    """An event that has no post."""
    return posted(**values)._replace(
        event_id=f"1:{name}",
        name=name,
        event_type=name,
        peer=Peer(channel, channel),
        user=User("", nick=None),
        message=None,
        post=None,
    )


def commanded(text: str = "", id: str = "e1", **values: Any) -> Event:
    """Alice gave /deploy in channel c1, and waits."""
    return _asked("command", id, command=Command("/deploy", text), **values)


def pressed(action: str = "rota.approve", id: str = "e1", **values: Any) -> Event:
    """Alice pressed a button below post p1, in channel c1."""
    payload = values.pop("payload", {})
    return _asked("button", id, button=Button("p1", action, payload), **values)


def filled_in(name: str = "rota.request", id: str = "e1", **values: Any) -> Event:
    """Alice sent a dialog off that was opened in channel c1."""
    form = Form(name, values.pop("values", {}), values.pop("payload", {}))
    return _asked("dialog", id, form=form, **values)


def _asked(kind: str, id: str, **values: Any) -> Event:
    data = {"trigger_id": "t1"} | values.pop("data", {})
    happened_ = happened(kind, "c1")
    known: dict[str, Any] = {"event_id": id, "data": data}
    known |= {"user": User("alice-id", nick="alice")}
    return happened_._replace(**{**known, **values})
