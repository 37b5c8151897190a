"""Things that happen on a Mattermost, as events; short to write in a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from malexbot.events import Event, Message, Origin, Peer, Post, Reaction, User
from malexbot.ports import Entry, Parcel

CHANNEL = "channel1"
ALICE = "alice"


def post(
    post_id: str = "p1",
    message: str = "hello",
    *,
    create_at: int = 1000,
    edit_at: int = 0,
    update_at: int | None = None,
    **other: Any,
) -> Post:
    told: dict[str, Any] = {
        "id": post_id,
        "channel_id": CHANNEL,
        "user_id": ALICE,
        "root_id": "",
        "original_id": "",
        "type": "",
        "message": message,
        "create_at": create_at,
        "update_at": edit_at or create_at if update_at is None else update_at,
        "edit_at": edit_at,
        "delete_at": 0,
    } | other
    try:
        raw = orjson.dumps(told | {"props": {"n": 1}}).decode()
    except TypeError:
        raw = "{}"
    return Post(raw=raw, **told)


def happening(
    name: str,
    about: Post | None,
    *,
    event_id: str,
    origin: Origin = "live",
    connection: int = 1,
    **other: Any,
) -> Event:
    channel = about.channel_id if about else CHANNEL
    filled: dict[str, Any] = {
        "source": "mattermost",
        "event_type": name,
        "peer": Peer(channel, channel, "town square"),
        "user": User(ALICE, nick="alice"),
        "occurred_at": about.update_at if about else 1000,
        "raw": b"frame " + event_id.encode("utf-8", "replace"),
        "post": about,
        "message": Message(about.id, about.message) if about else None,
    } | other
    return Event(
        event_id=event_id, name=name, origin=origin, connection=connection, **filled
    )


def posted(about: Post, **other: Any) -> Event:
    return happening("posted", about, event_id=about.id, **other)


def edited(about: Post, **other: Any) -> Event:
    event_id = f"{about.id}:{about.edit_at}"
    return happening("post_edited", about, event_id=event_id, **other)


def deleted(about: Post, at: int = 9000, **other: Any) -> Event:
    """Live: the post as it was, and the time from the clock."""
    event_id = f"{about.id}:deleted"
    return happening("post_deleted", about, event_id=event_id, occurred_at=at, **other)


def deleted_row(post_id: str = "p1", at: int = 9000, **other: Any) -> Event:
    """By `since`: the time is told, the text is not."""
    return deleted(post(post_id, "", delete_at=at, **other), at=5, origin="backfill")


def old_version(post_id: str, message: str, edit_at: int, changed_at: int) -> Event:
    """By `since`: what the post said before the change; it has an id of its own."""
    row = post(
        f"old-{post_id}-{changed_at}",
        message,
        original_id=post_id,
        edit_at=edit_at,
        update_at=changed_at,
        delete_at=changed_at,
    )
    return edited(row, origin="backfill")


def reacted(
    post_id: str = "p1", emoji: str = "tada", at: int = 2000, removed: bool = False
) -> Event:
    return happening(
        "reaction_removed" if removed else "reaction_added",
        None,
        event_id=f"{post_id}:{ALICE}:{emoji}:{at}",
        occurred_at=at,
        reaction=Reaction(post_id, None if removed else emoji),
    )


def kept(*events: Event) -> Parcel:
    return Parcel([Entry(event, keeps=True) for event in events])


def passing(*events: Event) -> Parcel:
    return Parcel([Entry(event, keeps=False) for event in events])


def acted_on(*events: Event, by: Sequence[str] = ("response",)) -> Parcel:
    return Parcel([Entry(event, keeps=False, processors=by) for event in events])
