"""People who never stop talking: what goes on while a daemon is killed."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType

from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town

# One thing happens after so long; some of them are many posts at once.
PAUSE_S = 0.02
FLOOD_PAUSE_S = 0.05
# Whom edits, deletions and replies are about: one of the newest posts.
NEWEST = 150

KEEP = "keep"
# What appears among what was said before it says so.
LATE = "late"
# What a question says, and the rule that answers it.
RULES: dict[str, dict[str, object]] = {
    "plain": {"reply": "keep: answer to {{ event.event_id }}"},
    "thread": {"reply": "keep: answer to {{ event.event_id }}", "thread": True},
    "direct": {"reply": "keep: answer to {{ event.event_id }}", "direct": True},
    "eyes": {"react": "eyes"},
    "long": {
        "reply": "{% for n in range(150) %}"
        "answer to {{ event.event_id }}, line {{ n }}\n{% endfor %}"
    },
}
LONG_LINES = 150


class Flood:
    """`with Flood(sandbox, channels, user):` so many posts a second, half are kept."""

    def __init__(
        self, sandbox: Sandbox, channels: Sequence[str], user_id: str, per_second: int
    ) -> None:
        self.posts = 0
        """How many there were so far."""
        self._scene = sandbox.scene
        self._channels = itertools.cycle(channels)
        self._user_id = user_id
        self._per_second = per_second
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flood")

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        """A busy machine may make it late; then it catches up."""
        began = time.monotonic()
        while not self._ends.wait(FLOOD_PAUSE_S):
            due = int((time.monotonic() - began) * self._per_second)
            words = (KEEP, "drivel")
            said = [f"{words[n % 2]} flood {n}" for n in range(self.posts, due)]
            self._scene.post_many(next(self._channels), self._user_id, said)
            self.posts = due


class Traffic:
    """`with Traffic(sandbox, town, choice):` from there to the end of the block."""

    def __init__(
        self, sandbox: Sandbox, town: Town, choice: random.Random, pace: float = 1.0
    ) -> None:
        """`pace`: how quick people are; half of it takes half the work."""
        self.questions: dict[str, str] = {}
        """The ids of what was asked, with what kind of question it was."""
        self._scene = sandbox.scene
        self._clock = sandbox.clock
        self._town = town
        # Its own: the test's thread goes on choosing meanwhile.
        self._random = random.Random(choice.random())
        self._channels = [town.channel, town.second, town.private]
        self._pause_s = PAUSE_S / pace
        self._said: list[tuple[str, str]] = []
        self._number = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic")

    def __enter__(self) -> Traffic:
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
        """Everybody falls silent."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        acts: list[tuple[int, Callable[[], object]]] = [
            (30, self._keep),
            (20, self._chat),
            (15, self._edit),
            (5, self._delete),
            (5, self._react),
            (8, self._reply),
            (2, self._say_at_once),
            (3, self._say_late),
            (12, self._ask),
        ]
        weights = [weight for weight, _ in acts]
        while not self._ends.wait(self._pause_s):
            (_, act), *_ = self._random.choices(acts, weights)
            # What it is about may have gone with the root of its thread.
            with suppress(Refusal):
                act()

    # What people do.

    def _keep(self) -> None:
        self._post(f"{KEEP} {self._next()}")

    def _chat(self) -> None:
        self._post(f"idle talk {self._next()}")

    def _edit(self) -> None:
        """To something that is kept, mostly; some begin to be, some do not any more."""
        _, post_id = self._one()
        word = self._random.choice([KEEP, KEEP, KEEP, "nothing"])
        if post_id not in self.questions:
            self._scene.edit(post_id, f"{word}, edited {self._next()}")

    def _delete(self) -> None:
        self._scene.delete(self._one()[1])

    def _react(self) -> None:
        _, post_id = self._one()
        self._scene.react(post_id, self._town.alice, "tada")
        if self._random.random() < 0.3:
            self._scene.unreact(post_id, self._town.alice, "tada")

    def _reply(self) -> None:
        channel_id, root_id = self._one()
        self._post(f"{KEEP} reply {self._next()}", channel_id, root_id)

    def _say_at_once(self) -> None:
        """Several posts within one millisecond."""
        channel_id, number = self._random.choice(self._channels), self._next()
        words = [f"{KEEP} {number} at once {n}" for n in range(5)]
        self._scene.post_many(
            channel_id, self._town.alice, words, create_at=self._clock.now_ms()
        )

    def _say_late(self) -> None:
        """It appears among what was said some seconds ago."""
        ago_ms = self._random.randrange(1, 20_000)
        at = self._clock.now_ms() - ago_ms
        self._post(f"{KEEP} {LATE} {self._next()}", create_at=at)

    def _ask(self) -> None:
        kind = self._random.choice([*RULES])
        channel_id = self._town.direct if kind == "direct" else ""
        post_id = self._post(f"{KEEP} ask {kind} {self._next()}", channel_id)
        self.questions[post_id] = kind

    def _post(
        self, text: str, channel_id: str = "", root_id: str = "", create_at: int = 0
    ) -> str:
        channel_id = channel_id or self._random.choice(self._channels)
        post_id = self._scene.post(
            channel_id, self._town.alice, text, root_id=root_id, create_at=create_at
        )
        # What is a reply itself is no root of others.
        if not root_id:
            self._said.append((channel_id, post_id))
        return post_id

    def _one(self) -> tuple[str, str]:
        """One of the newest posts, with its channel."""
        if not self._said:
            self._keep()
        return self._random.choice(self._said[-NEWEST:])

    def _next(self) -> int:
        self._number += 1
        return self._number
