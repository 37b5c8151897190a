"""People who talk while something goes wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from types import TracebackType

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import Town

# One thing happens after so long.
PAUSE_S = 0.02
PATIENCE_S = 60.0
QUESTION = "ask"


class Talk:
    """`with Talk(sandbox, town) as talk:` from there to the end of the block."""

    def __init__(self, sandbox: Sandbox, town: Town) -> None:
        self.questions: list[str] = []
        self._scene = sandbox.scene
        self._town = town
        channels = [town.channel, town.second, town.private, town.direct]
        self._channels, self._asked = cycle(channels), cycle(channels)
        self._roots: list[tuple[str, str]] = []
        self._acts = 0
        self._changed = threading.Condition()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="talk")

    def __enter__(self) -> Talk:
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

    def go_on(self, acts: int = 40) -> None:
        """Return when so much more has happened."""
        with self._changed:
            until = self._acts + acts
            is_there = self._changed.wait_for(lambda: self._acts >= until, PATIENCE_S)
            assert is_there, "the talk came to an end"

    def go_on_until(self, is_true: Callable[[], object]) -> None:
        """Return when it is true; people talk meanwhile."""
        until = time.monotonic() + PATIENCE_S
        while not is_true():
            assert time.monotonic() < until, "waited in vain"
            self.go_on(1)

    def ask(self) -> str:
        """A question that is to be answered once."""
        post_id = self._post(f"{QUESTION} {self._acts}", next(self._asked))
        self.questions.append(post_id)
        return post_id

    def _run(self) -> None:
        acts: Sequence[Callable[[], object]] = (
            self._say,
            self.ask,
            self._say,
            self._edit,
            self._reply,
            self._react,
            self._say,
            self._delete,
        )
        for act in cycle(acts):
            if self._ends.wait(PAUSE_S):
                return
            act()
            with self._changed:
                self._acts += 1
                self._changed.notify_all()

    def _say(self) -> None:
        channel_id = next(self._channels)
        post_id = self._post(f"talk {self._acts}", channel_id)
        self._roots.append((channel_id, post_id))

    def _edit(self) -> None:
        self._scene.edit(self._roots[-1][1], f"edited {self._acts}")

    def _react(self) -> None:
        self._scene.react(self._roots[-1][1], self._town.alice, "tada")

    def _reply(self) -> None:
        channel_id, root_id = self._roots[-1]
        self._post(f"reply {self._acts}", channel_id, root_id)

    def _delete(self) -> None:
        self._scene.delete(self._roots.pop(-2)[1])

    def _post(self, text: str, channel_id: str, root_id: str = "") -> str:
        alice = self._town.alice
        return self._scene.post(channel_id, alice, text, root_id=root_id)
