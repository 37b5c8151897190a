"""The town of a soak: `python -m tests.soak.talk`, a sandbox in its own process.

It obeys one line of JSON after the other, a number of events, and answers each with
what there was to keep and to answer so far; it ends with its input.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import build
from tests.bench.mattermost import ENDLESS, Place

CHANNELS = 50
KEEP, ASK = "keep", "ask"
RULE = {"when": f"{ASK!r} in event.message.text", "reply": f"{KEEP}: an answer"}
# Whom edits and deletions are about: one of the newest that are kept.
NEWEST = 500
TEXT = "message number {} with a bit of text, to be as long as what people write: {}"


@dataclass(slots=True)
class Told:
    """What there was so far."""

    kept: int = 0
    asked: int = 0
    edited: int = 0
    deleted: int = 0
    marker: str = ""
    """The last post that is to be kept."""


@dataclass
class Talk:
    """In the process of the sandbox: people who talk, ask, edit and delete."""

    sandbox: Sandbox
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        town, scene = build(self.sandbox.scene), self.sandbox.scene
        channels = []
        for number in range(CHANNELS):
            channels.append(scene.add_channel(town.team, f"soak-{number}", town.admin))
            for member in (town.bot, town.alice):
                scene.join(channels[-1], member, by=town.admin)
        token = scene.add_token(town.alice)
        self.place = Place(self.sandbox.url, town.token, token, tuple(channels))
        self._alice = town.alice
        self._random = random.Random(1)
        self._number = 0
        self._newest: deque[str] = deque(maxlen=NEWEST)

    def go_on(self, events: int) -> Told:
        """So many happen, half of them of no interest; the last one is kept."""
        acts: list[tuple[int, Callable[[], None]]] = [
            (50, self._chat),
            (44, self._keep),
            (2, self._ask),
            (3, self._edit),
            (1, self._delete),
        ]
        weights = [weight for weight, _ in acts]
        for _, act in self._random.choices(acts, weights, k=events - 1):
            act()
        self._keep()
        self.told.marker = self._newest[-1]
        return self.told

    def _chat(self) -> None:
        self._post("of no interest")

    def _keep(self) -> None:
        self._newest.append(self._post(KEEP))
        self.told.kept += 1

    def _ask(self) -> None:
        self._post(f"{KEEP} {ASK}")
        self.told.kept += 1
        self.told.asked += 1

    def _edit(self) -> None:
        if self._newest:
            post_id = self._random.choice(self._newest)
            self.sandbox.scene.edit(post_id, f"{KEEP}, edited {self._number}")
            self._number += 1
            self.told.edited += 1

    def _delete(self) -> None:
        if len(self._newest) > 1:
            self.sandbox.scene.delete(self._newest.popleft())
            self.told.deleted += 1

    def _post(self, word: str) -> str:
        self._number += 1
        channel = self.place.channels[self._number % CHANNELS]
        text = TEXT.format(self._number, word)
        return self.sandbox.scene.post(channel, self._alice, text)


class Town:
    """The other side: `with Town() as town:`."""

    def __enter__(self) -> Town:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.talk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.place = Place(**self._hear())
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    def go_on(self, events: int) -> Told:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{events}\n")
        self._process.stdin.flush()
        return Told(**self._hear())

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def _serve() -> None:
    with Sandbox(settings=Settings(send_queue=ENDLESS)) as sandbox:
        talk = Talk(sandbox)
        print(json.dumps(asdict(talk.place)), flush=True)
        for line in sys.stdin:
            print(json.dumps(asdict(talk.go_on(int(line)))), flush=True)


if __name__ == "__main__":
    _serve()
