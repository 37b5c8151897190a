"""People at VK who do not stop, and whether each thing was answered and done once.

They are those of the loopback VK's load; beside them one presses what the bot shows.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from malexbot.sandbox.control import ControlError
from malexbot.sandbox.vk.control import VkControl
from malexbot.storage.database import Database
from tests.faults.presses import TRIGGER

ASKED = "tell me"
# The rule that answers it.
RULE = {
    "when": f"event.source == 'vk' and {ASKED!r} in event.message.text",
    "reply": "told {{ event.event_id }}",
    "direct": True,
}
TEXTS = ("hello {n}", "how is {n}?", f"{ASKED} {{n}}", f"/{TRIGGER}")
PEOPLE, CHATS, PER_SECOND = 6, 4, 8.0
PAUSE_S = 0.3
# Each look presses so many: what VK lets the bot answer meanwhile, and no backlog.
MOST_AT_ONCE = 5
_SAID = re.compile(r"(told|button|pressed) (\w+)")
_KEPT = "SELECT key, value FROM store WHERE space = 'once'"
# Updates by what they are, and how the bot tells that it has seen to them.
_OWED = {"told": ASKED, "button": f"/{TRIGGER}"}


class Community:
    """`with Community(…) as community:` from there to the end of the block."""

    def __init__(self, vk: VkControl, choice: random.Random, pace: float = 1.0) -> None:
        self._vk = vk
        self._choice = choice
        self._pace = pace
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="community")

    def __enter__(self) -> Community:
        self._vk.load.start(
            people=PEOPLE,
            chats=CHATS,
            per_second=PER_SECOND * self._pace,
            seed=self._choice.getrandbits(32),
            texts=TEXTS,
        )
        self._who = self._vk.scene.add_person(first_name="Eve")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Everybody falls silent; idempotent."""
        self._ends.set()
        self._thread.join()
        self._vk.load.stop()

    def is_settled(self) -> bool:
        """Yes: what every button does is seen; no: it is pressed again."""
        unpressed = self._unpressed()
        buttons = [
            button
            for button in self._vk.scene.buttons()
            if (button["peer_id"], button["cmid"]) in unpressed
        ]
        for button in buttons[:MOST_AT_ONCE]:
            self._press(button)
        return not unpressed

    def owed(self, kind: str) -> list[str]:
        """The event ids of the messages that the bot has to see to in this way."""
        told: Any = self._vk.ledger.updates(type="message_new")
        return [
            each["event_id"]
            for each in told
            if each["ts"] and _OWED[kind] in each["object"]["message"]["text"]
        ]

    def complaints(self, database: Database) -> Iterator[str]:
        """What was answered or done twice, or never though VK told of it."""
        counts = Counter((what, name) for what, name, _ in self._said())
        excused = set(self._vk.ledger.declared_lost())
        for (what, name), count in sorted(counts.items()):
            if count > 1:
                twice = "answered" if what == "told" else "done"
                yield f"{twice} twice: {what} {name} at VK, {count} times"
        yield from _missing(
            "never answered", self.owed("told"), "told", counts, excused
        )
        yield from _missing(
            "never done", self.owed("button"), "button", counts, excused
        )
        shown = [name for what, name in counts if what == "button"]
        yield from _missing("never done", shown, "pressed", counts, ())
        with database.transaction() as cursor:
            cursor.execute(_KEPT)
            kept = dict(cursor.fetchall())
        for name in sorted(shown):
            if kept.get(name) != 1:
                yield f"done twice: {name} of VK is kept as {kept.get(name)}"
        answered: Any = self._vk.ledger.press_answers()
        presses = Counter(each["event_id"] for each in answered)
        yield from (f"answered twice: press {p}" for p, n in presses.items() if n > 1)

    def _run(self) -> None:
        while not self._ends.wait(PAUSE_S / self._pace):
            if buttons := self._vk.scene.buttons():
                self._press(self._choice.choice(buttons))

    def _press(self, button: Mapping[str, Any]) -> None:
        with suppress(ControlError):
            self._vk.scene.press(**button, user_id=self._who)

    def _unpressed(self) -> set[tuple[int, int]]:
        """Where buttons stand of which nobody has said yet what they do."""
        pressed = {name for what, name, _ in self._said() if what == "pressed"}
        return {
            place
            for what, name, place in self._said()
            if what == "button" and name not in pressed
        }

    def _said(self) -> list[tuple[str, str, tuple[int, int]]]:
        """What the bot said, of which event, and where."""
        sent: Any = self._vk.ledger.sent()
        found = ((_SAID.match(s["text"]), (s["peer_id"], s["cmid"])) for s in sent)
        return [(match[1], match[2], place) for match, place in found if match]


def _missing(
    complaint: str,
    ids: Collection[str],
    what: str,
    counts: Mapping[tuple[str, str], int],
    excused: Collection[str],
) -> Iterator[str]:
    for id in ids:
        if id not in excused and not counts.get((what, id)):
            yield f"{complaint}: {what} {id} at VK"
