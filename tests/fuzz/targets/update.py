"""What VK tells by long poll: updates, one a line; and the way of an event from there.

The first line is also read as an event that somebody else has written.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from malexbot import bus
from malexbot.errors import Transient
from malexbot.messengers.vk.contents import Unreadable
from malexbot.messengers.vk.translate import SOURCE, Translator
from malexbot.messengers.vk.wire import parsed
from tests.fuzz.targets import Target
from tests.fuzz.targets.writing import NOW_MS, decider, write

GROUP = 218730916


def build(folder: Path) -> Target:
    decides = decider(SOURCE)
    translator = Translator(GROUP, lambda: NOW_MS)

    def fuzz(told: bytes) -> None:
        for raw in told.split(b"\n"):
            try:
                body = parsed(raw)
                event = translator.event(body, origin="live", connection=1)
            except (Transient, Unreadable) as error:
                assert str(error).encode()
                continue
            write(event, decides.decide(event), is_archived=False)
            handed_on = bus.decode(bus.encode(event))
            assert bus.encode(handed_on) == bus.encode(event)
            assert orjson.dumps([event.as_dict(), event.to_flat()])
        _read(told.partition(b"\n")[0])

    return fuzz


def _read(told: bytes) -> None:
    try:
        event = bus.decode(told)
    except bus.NoEvent as error:
        assert str(error)
    else:
        assert bus.decode(bus.encode(event)) == event
