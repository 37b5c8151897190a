"""Many posts at a given speed: what benchmarks measure a daemon with."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from malexbot.sandbox.events import Event
from malexbot.sandbox.posts import Draft, Posts
from malexbot.sandbox.world import World

_CHUNK = 500


@dataclass(frozen=True)
class Load:
    """Prepared first and then let go, so that making the posts costs no speed.

    The sandbox needs a `send_queue` as long as the daemon may lag behind.
    """

    world: World
    posts: Posts
    _prepared: list[Event] = field(default_factory=list)

    def prepare(self, channel_id: str, user_id: str, messages: list[str]) -> int:
        """Save posts and make their events; how many are ready now."""
        with self.world.lock:
            user = self.world.user(user_id)
            for message in messages:
                draft = Draft(channel_id=channel_id, message=message)
                event = self.posts.prepare(user, draft)
                # Made here, not when it is sent.
                assert event.body
                self._prepared.append(event)
            return len(self._prepared)

    def release(self, *, per_second: float = 0) -> float:
        """Tell all that is prepared, as fast as can be or at a speed; the seconds."""
        events, self._prepared[:] = list(self._prepared), []
        never = threading.Event()
        start = time.monotonic()
        for at in range(0, len(events), _CHUNK):
            if per_second:
                never.wait(max(0.0, start + at / per_second - time.monotonic()))
            with self.world.lock:
                for event in events[at : at + _CHUNK]:
                    self.world.publish(event)
        return time.monotonic() - start
