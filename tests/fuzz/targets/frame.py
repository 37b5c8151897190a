"""What comes by the websocket: frames, one a line, as a dialogue brings them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from malexbot.errors import Transient
from malexbot.messengers.mattermost.contents import Unreadable
from malexbot.messengers.mattermost.dialogue import Dialogue
from malexbot.messengers.mattermost.translate import Translator
from tests.fuzz.targets import Target
from tests.fuzz.targets.writing import NOW_MS, decider, write


def build(folder: Path) -> Target:
    decides = decider()

    def fuzz(told: bytes) -> None:
        dialogue = Dialogue(now=0.0)
        dialogue.ping(0.0)
        translator = Translator(lambda: NOW_MS)
        for number, raw in enumerate(told.split(b"\n")):
            body = _read(raw)
            try:
                dialogue.take(body, raw, float(number))
            except Transient as error:
                assert str(error) is not None
                dialogue = Dialogue(now=float(number))
            try:
                event = translator.event(body, raw=raw, connection=1)
            except Unreadable as error:
                assert str(error).encode()
            else:
                write(event, decides.decide(event))

    return fuzz


def _read(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except ValueError:
        return None
