"""What comes by the REST API: a post, or a page of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.depth import cut_off
from malexbot.messengers.mattermost.translate import Translator
from tests.fuzz.targets import Target
from tests.fuzz.targets.writing import NOW_MS, decider, write


def build(folder: Path) -> Target:
    decides = decider()

    def fuzz(told: bytes) -> None:
        translator = Translator(lambda: NOW_MS)
        for row in _rows(_read(told)):
            try:
                event = translator.row(row, connection=1, channel="town")
            except Unreadable as error:
                assert str(error).encode()
            else:
                write(event, decides.decide(event))

    return fuzz


def _read(told: bytes) -> Any:
    """As the link reads it, which takes more than orjson does."""
    try:
        return orjson.loads(told)
    except ValueError:
        pass
    try:
        return json.loads(cut_off(told))
    except (ValueError, RecursionError):
        return None


def _rows(body: Any) -> Iterator[Any]:
    if isinstance(body, dict) and isinstance(body.get("posts"), dict):
        yield from body["posts"].values()
    else:
        yield body
