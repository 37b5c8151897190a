"""People at VK who do not stop: what goes on while something is killed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence

from malexbot.sandbox.vk.scene import VkScene

_LOOK_S = 0.02
TEXTS = ("hello {n}", "how is {n}?", "/ban {n}")
# Of those who speak so many do it under four eyes.
_ALONE = 0.1


class VkLoad:
    """Many people in many chats write, edit, press buttons and react, at a rate.

    Each thing that they do is one update. The same seed does the same things.
    """

    def __init__(self, scene: VkScene) -> None:
        self._scene = scene
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._made = 0

    def start(
        self,
        *,
        people: int = 10,
        chats: int = 5,
        per_second: float = 100,
        most: int = 0,
        seed: int = 0,
        texts: Sequence[str] = TEXTS,
    ) -> None:
        """Until `stop`, or until `most` things were done; {n} of a text is a number."""
        self.stop()
        crowd = _Crowd(self._scene, random.Random(seed), people, chats, texts)
        self._ends.clear()
        self._made = 0
        self._thread = threading.Thread(
            target=self._run, args=(crowd, per_second, most), name="vk-load"
        )
        self._thread.daemon = True
        self._thread.start()

    def stop(self) -> int:
        """Idempotent; how many things were done."""
        self._ends.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        return self._made

    def made(self) -> int:
        """How many things were done so far."""
        return self._made

    def _run(self, crowd: _Crowd, per_second: float, most: int) -> None:
        """A busy machine may make it late; then it catches up."""
        began = time.monotonic()
        while not self._ends.wait(_LOOK_S):
            due = int((time.monotonic() - began) * per_second)
            for _ in range(self._made, min(due, most or due)):
                crowd.act()
                self._made += 1
            if most and self._made >= most:
                return


class _Crowd:
    """Who is there, and what they do next."""

    def __init__(
        self,
        scene: VkScene,
        choice: random.Random,
        people: int,
        chats: int,
        texts: Sequence[str],
    ) -> None:
        self._scene = scene
        self._choice = choice
        self._people = [scene.add_person(f"Person {n}") for n in range(people)]
        self._chats = [scene.add_chat(f"Chat {n}") for n in range(chats)]
        self._texts = texts
        self._number = 0
        # Where somebody wrote, what, and who.
        self._said: list[tuple[int, int, int]] = []
        acts: dict[Callable[[], object], int] = {
            self._say: 70,
            self._edit: 5,
            self._press: 15,
            self._react: 10,
        }
        self._acts, self._weights = [*acts], [*acts.values()]

    def act(self) -> None:
        self._number += 1
        (act,) = self._choice.choices(self._acts, self._weights)
        if self._said:
            act()
        else:
            self._say()

    def _say(self) -> None:
        who = self._choice.choice(self._people)
        where = self._choice.choice(self._chats)
        if self._choice.random() < _ALONE:
            where = who
        text = self._choice.choice(self._texts).format(n=self._number)
        self._said.append((where, self._scene.say(where, who, text), who))

    def _edit(self) -> None:
        where, cmid, _ = self._choice.choice(self._said)
        self._scene.edit(where, cmid, f"edited {self._number}")

    def _press(self) -> None:
        where, cmid, who = self._choice.choice(self._said)
        self._scene.press(where, who, cmid, {"n": self._number})

    def _react(self) -> None:
        where, cmid, who = self._choice.choice(self._said)
        number = self._choice.choice([None, 1, 2, 3])
        self._scene.react(where, who, cmid, number)
