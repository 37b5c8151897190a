"""The messages of one order: its text in parts that fit, its files with the last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from malexbot.cli.send.place import HOOK, Line, Place
from malexbot.errors import MalexbotError, Permanent, Transient, Uncertain
from malexbot.pipeline.split import split

if TYPE_CHECKING:
    from malexbot.messengers.mattermost.client import Client

# What the oldest servers take.
LONGEST_TEXT = 4_000


def parcel(
    line: Line, place: Place, message: str, files: Sequence[Path]
) -> list[dict[str, Any]]:
    """What the jobs carry; the files are at the server once this returns.

    A file that is there and in no post is seen by nobody: to upload one twice, after
    something broke, does no harm.
    """
    texts = split(message, _longest(line, message)) or [""]
    parts: list[dict[str, Any]] = [{**place.where, "message": text} for text in texts]
    if files:
        parts[-1]["file_ids"] = _uploaded(line, place, files)
    return parts


def _longest(line: Line, message: str) -> int:
    """How much one message may be: the server's word, if that matters."""
    if len(message) <= LONGEST_TEXT:
        return LONGEST_TEXT
    try:
        told = line.client.client_config().get("MaxPostSize", "")
    except Transient:
        return LONGEST_TEXT
    return max(int(told), 1) if told.isdecimal() else LONGEST_TEXT


def _uploaded(line: Line, place: Place, files: Sequence[Path]) -> list[str]:
    if place.channel_id.startswith(HOOK):
        raise Permanent("an incoming webhook takes no files: leave --file out")
    client = line.client
    try:
        channel_id = place.channel_id or client.direct_channel(place.user_id)["id"]
        return [_upload(client, str(channel_id), file) for file in files]
    except (Transient, Uncertain) as error:
        raise Transient(f"{error}; nothing was sent, try again later") from error


def _upload(client: Client, channel_id: str, file: Path) -> str:
    click.echo(f"uploading {file.name}", err=True)
    try:
        return client.upload(channel_id, file.name, file.read_bytes())
    except OSError as error:
        raise Permanent(f"cannot read {file}: {error.strerror}") from error
    except Permanent as error:
        raise MalexbotError(f"{file}: {error}; nothing was sent") from error
