"""People who give commands and press buttons, and whether each was done once.

Every command makes a post with a button; it is pressed until what it does is seen, as
people do. Whoever is told that it went wrong may press again. That a post says so is
not asked for: a server that is killed within an answer has it and forgets it.

Each command has a number, and all that comes of it names that: one that was accepted
is done once, one that was refused once at the most. At VK the event is the name.
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count, product
from types import TracebackType

from malexbot.sandbox.acts import Acts
from malexbot.sandbox.ledger import Ledger
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.town import Town
from malexbot.storage.database import Database

TRIGGER = "once"
# Its handlers do something of each kind: what is kept, what is said, what is answered.
PLUGIN = """
from malexbot import Bot, Button, Card, Event, action, command

@command("/once")
def once(event: Event, bot: Bot, name: str = "") -> None:
    name = name or event.event_id
    button = Button("press", "Press", payload={"name": name})
    card = Card(controls=[button])
    bot.post(event.peer.bpid, f"button {name}", cards=[card])

@action("press")
def press(event: Event, bot: Bot, name: str) -> None:
    bot.store.set(name, bot.store.get(name, 0) + 1)
    bot.post(event.peer.bpid, f"pressed {name}")
    bot.update(f"done {name}")
"""

PAUSE_S = 0.2
# So many buttons are there at a time that nobody has pressed in earnest.
MOST_OPEN = 8
LOOK_EVERY = 10
# So often one presses with nobody beside him.
ALONE = 0.7
_SAID = re.compile(r"(button|pressed) (\w+)")
_KEPT = "SELECT key, value FROM store WHERE space = 'once'"


class Presses:
    """`with Presses(…) as presses:` from there to the end of the block."""

    def __init__(
        self,
        *,
        acts: Acts,
        ledger: Ledger,
        town: Town,
        choice: random.Random,
        pace: float = 1.0,
    ) -> None:
        self.accepted: list[str] = []
        """The numbers of the commands that nobody was told of that they went wrong."""
        self._numbers = count(1)
        self._acts = acts
        self._ledger = ledger
        self._town = town
        self._choice = choice
        self._pause_s = PAUSE_S / pace
        self._open: list[str] = []
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presses")

    def __enter__(self) -> Presses:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._ends.set()
        self._thread.join()

    def is_settled(self) -> bool:
        """Yes: what every button does is seen; no: it is pressed again."""
        self._look()
        for post_id in self._open:
            self._press(post_id)
        return not self._open and self._buttons().issuperset(self.accepted)

    def complaints(self, database: Database) -> Iterator[str]:
        """What was done twice, or never."""
        counts = Counter((what, name) for _, what, name in self._said())
        names = {name for what, name in counts if what == "button"}
        for number in self.accepted:
            if number not in names:
                yield f"never done: command {number}"
        for (what, name), times in counts.items():
            if times > 1:
                yield f"done twice: {what} {name}, {times} times"
        for name in sorted(names):
            if not counts["pressed", name]:
                yield f"never done: pressed {name}"
        with database.transaction() as cursor:
            cursor.execute(_KEPT)
            kept = dict(cursor.fetchall())
        for name in sorted(names):
            if kept.get(name) != 1:
                yield f"done twice: {name} is kept as {kept.get(name)}"

    @property
    def buttons(self) -> int:
        """How many there are by now."""
        return len(self._buttons())

    def _run(self) -> None:
        turn = 0
        while not self._ends.wait(self._pause_s):
            turn += 1
            if turn % LOOK_EVERY == 0:
                self._look()
            if self._open and self._choice.random() < len(self._open) / MOST_OPEN:
                self._press(self._choice.choice(self._open))
            else:
                self._ask()

    def _ask(self) -> None:
        number = str(next(self._numbers))
        with suppress(Refusal):
            town = self._town
            self._acts.execute(town.alice, town.channel, f"/{TRIGGER} {number}")
            self.accepted.append(number)

    def _press(self, post_id: str) -> None:
        """Now and then two press at once."""
        people = [self._town.alice, self._town.bob]
        if self._choice.random() < ALONE:
            people.remove(self._choice.choice(people))
        with suppress(Refusal):
            actions = [each["id"] for each in self._acts.actions(post_id)]
            with ThreadPoolExecutor(len(people), "press") as pool:
                for who, action in product(people, actions):
                    pool.submit(self._press_as, who, post_id, action)

    def _press_as(self, who: str, post_id: str, action: str) -> None:
        with suppress(Refusal):
            self._acts.press(who, post_id, action)

    def _look(self) -> None:
        """Which of them nobody has pressed yet, as far as can be seen."""
        said = self._said()
        pressed = {name for _, what, name in said if what == "pressed"}
        self._open = [
            post_id
            for post_id, what, name in said
            if what == "button" and name not in pressed
        ]

    def _buttons(self) -> set[str]:
        """The commands of which there is one."""
        return {name for _, what, name in self._said() if what == "button"}

    def _said(self) -> list[tuple[str, str, str]]:
        """What the bot said of buttons: the post, what of which it tells."""
        entries = self._ledger.entries(user_id=self._town.bot)
        found = ((entry.id, _SAID.match(entry.texts[0])) for entry in entries)
        return [(post_id, match[1], match[2]) for post_id, match in found if match]
