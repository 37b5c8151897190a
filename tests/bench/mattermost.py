"""The Mattermost of a measurement: a sandbox in a process of its own, with a load."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from malexbot.sandbox.events import Event
from malexbot.sandbox.posts import Draft
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import build
from tests.bench.remote import Remote, obey

# What a post says: with its frame it is as long as those of people are.
TEXT = "message number {} with a bit of text, to be as long as what people write"
WORD = "wanted"
# Between two posts of the history. Denser ones would share their milliseconds.
APART_MS = 1_000
# The daemon may lag behind by everything; the server must not hang up on it.
ENDLESS = 10_000_000
# So many parts a second are let go at a given speed.
BEATS = 100
# What a page of posts is asked for with.
PAGES = r"^GET .*/channels/\w+/posts\?"
SAMPLES = 100
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is, who may come in, and where is talked."""

    url: str
    token: str
    alice_token: str
    channels: tuple[str, ...]

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/api/v4/websocket"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to be in the archive at the end: so many posts, these among them."""

    posts: int
    samples: tuple[str, ...]

    @classmethod
    def of(cls, posts: int, ids: Sequence[str]) -> Wanted:
        """The last one is a sample, and others from all over."""
        return cls(posts, (*ids[:: max(1, len(ids) // SAMPLES)], ids[-1]))


class Load:
    """In the process of the sandbox: makes posts, and lets them go."""

    def __init__(self, sandbox: Sandbox, channels: int) -> None:
        scene = sandbox.scene
        self._world, self._posts = sandbox.load.world, sandbox.load.posts
        self._faults = sandbox.faults
        town = build(scene)
        self._alice = self._world.user(town.alice)
        self._bot = town.bot
        self._prepared: list[Event] = []
        made = [
            scene.add_channel(town.team, f"bench-{number}", town.admin)
            for number in range(channels)
        ]
        for channel in made:
            for member in (town.bot, town.alice):
                scene.join(channel, member, by=town.admin)
        self.place = Place(
            sandbox.url, town.token, scene.add_token(town.alice), tuple(made)
        )

    def fill(self, posts: int) -> Wanted:
        """A history, spread over time and channels; all posts that the bot can see."""
        first = self._world.now_ms() - (posts + 1) * APART_MS
        ids = [
            _id(self._make(number, WORD, first + number * APART_MS))
            for number in range(posts)
        ]
        seen = self._world.index.channel_users
        with self._world.lock:
            count = sum(
                self._bot in seen.get(post.channel_id, {}) for post in self._world.posts
            )
        return Wanted.of(count, ids)

    def think(self, seconds: float) -> float:
        """From now on each page of posts takes so much longer; no CPU of ours."""
        self._faults.slow(latency_s=seconds, pattern=PAGES)
        return seconds

    def prepare(self, posts: int, wanted_of: int = 1) -> Wanted:
        """Posts of now, not told yet; one of so many has the word, the last one too."""
        ids: list[str] = []
        for number in range(posts):
            is_wanted = (posts - 1 - number) % wanted_of == 0
            event = self._make(number, WORD if is_wanted else "idle", 0)
            # Made here, not when it is sent.
            assert event.body
            self._prepared.append(event)
            if is_wanted:
                ids.append(_id(event))
        return Wanted.of(len(ids), ids)

    def release(self, per_second: float = 0) -> float:
        """Tell them all, as fast as can be or at a speed; the seconds that took."""
        events, self._prepared = self._prepared, []
        chunk = max(1, int(per_second / BEATS)) if per_second else _CHUNK
        never, start = threading.Event(), time.monotonic()
        for at in range(0, len(events), chunk):
            if per_second:
                never.wait(max(0.0, start + at / per_second - time.monotonic()))
            with self._world.lock:
                for event in events[at : at + chunk]:
                    self._world.publish(event)
        return time.monotonic() - start

    def _make(self, number: int, word: str, at: int) -> Event:
        channels = self.place.channels
        text = f"{TEXT.format(number)} {word}"
        draft = Draft(channels[number % len(channels)], text, create_at=at)
        with self._world.lock:
            return self._posts.prepare(self._alice, draft)


class Mattermost(Remote):
    """The other side: `with Mattermost(channels=50) as mattermost:`."""

    def __init__(self, *, channels: int) -> None:
        super().__init__("tests.bench.mattermost", str(channels))

    def meet(self, told: Any) -> None:
        self.place = Place(**told)

    def fill(self, posts: int) -> Wanted:
        return Wanted(**self.order("fill", posts=posts))

    def think(self, seconds: float) -> None:
        self.order("think", seconds=seconds)

    def prepare(self, posts: int, wanted_of: int = 1) -> Wanted:
        return Wanted(**self.order("prepare", posts=posts, wanted_of=wanted_of))

    def release(self, per_second: float = 0) -> float:
        return float(self.order("release", per_second=per_second))


def _serve(channels: int) -> None:
    with Sandbox(settings=Settings(send_queue=ENDLESS)) as sandbox:
        load = Load(sandbox, channels)
        obey(load, load.place)


def _id(event: Event) -> str:
    return str(json.loads(event.data["post"])["id"])


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
