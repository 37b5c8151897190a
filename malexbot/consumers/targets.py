"""All targets of routes that are no chat, by the settings of now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from malexbot.config.model import Config
from malexbot.config.targets import HttpTarget, Redis
from malexbot.consumers.http import HttpLine
from malexbot.consumers.parcel import HTTP, REDIS, place
from malexbot.consumers.target import Line, Target
from malexbot.errors import Permanent
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import Done, Ended, Verdict
from malexbot.ports import Job, Jobs
from malexbot.runtime.deadline import Deadline
from malexbot.runtime.health import Health
from malexbot.runtime.stop import Stop

if TYPE_CHECKING:
    from malexbot.consumers.redis import RedisBus

# After a reload it looks at what is new so soon.
TURN_S = 10.0

# An attempt that is begun in time ends within that.
BEYOND_S = 60.0

# What the daemon before this one had in hand is done anew within that. It may only have
# been stopped, and wake up long after: so what ends by then stays known to Redis.
INHERITS_S = 120.0

Settings = Redis | HttpTarget


class Targets:
    """The handler of "redis" and "http", and the service that closes their lines."""

    name = "targets"
    is_vital = False

    def __init__(self, config: Config, *, jobs: Jobs, health: Health) -> None:
        self._jobs = jobs
        self._health = health
        self._targets: Mapping[str, Target] = {}
        self._looked_at: Target | None = None
        self.inheriting = Deadline(INHERITS_S)
        self.prepare(config)()

    def __call__(self, job: Job, hold: Hold) -> Done | Ended:
        return self._target(job)(job, hold)

    def prepare(self, config: Config) -> Callable[[], None]:
        """Those of other settings; what stays as it is keeps its line."""
        fresh = {name: self._made(name, block) for name, block in _blocks(config)}

        def adopt() -> None:
            before, self._targets = self._targets, fresh
            for name, target in before.items():
                if fresh.get(name) is not target:
                    target.retire()

        return adopt

    def run(self, stop: Stop) -> None:
        self.look()
        while not stop.wait(TURN_S):
            self.look()
        self.close()

    @property
    def all(self) -> Sequence[Target]:
        return [*self._targets.values()]

    @property
    def bus(self) -> RedisBus | None:
        """The line to Redis, if there is one."""
        redis = self._targets.get(REDIS)
        return cast("RedisBus", redis.line) if redis else None

    def look(self) -> None:
        """See whether Redis is there, and fit for it, before anything waits for it."""
        redis = self._targets.get(REDIS)
        if redis and redis is not self._looked_at:
            self._looked_at = redis
            redis.look()

    def close(self) -> None:
        for target in self._targets.values():
            target.retire()

    def _made(self, name: str, block: Settings) -> Target:
        known = self._targets.get(name)
        if known and known.settings == block:
            return known
        return Target(
            name, block, _line(name, block), jobs=self._jobs, health=self._health
        )

    def ended(self, job: Job, verdict: Verdict, spent_s: float) -> None:
        """A listener of the runner: that is durable by now."""
        if job.kind not in (REDIS, HTTP):
            return
        target = self._targets.get(target_of(job))
        if target and isinstance(verdict, Ended) and verdict.state == "expired":
            target.note_expired()
        is_ours = job.kind == REDIS and self.inheriting.is_over
        if (bus := self.bus) and is_ours and isinstance(verdict, Done):
            bus.note_ended(job)

    def _target(self, job: Job) -> Target:
        """Raises Permanent if the settings have none of its name."""
        if target := self._targets.get(target_of(job)):
            return target
        if job.kind == REDIS:
            raise Permanent("no `redis:` block is in the settings")
        raise Permanent(f"no target {place(job)!r} is below `http` in the settings")


def target_of(job: Job) -> str:
    """The name of the target that it is for; all streams are in one Redis."""
    return REDIS if job.kind == REDIS else f"{HTTP}:{place(job)}"


def _blocks(config: Config) -> Iterator[tuple[str, Settings]]:
    if redis := config.redis:
        # What is tried for so long must be known for as long, or it is there twice.
        tried_s = config.give_up_after_s(REDIS) + BEYOND_S
        remember = max(redis.remember, tried_s)
        yield REDIS, redis.model_copy(update={"remember": remember})
    for name, block in config.http.items():
        yield f"{HTTP}:{name}", block


def _line(name: str, block: Settings) -> Line:
    if isinstance(block, HttpTarget):
        return HttpLine(name, block)
    # Not everybody has that package.
    from malexbot.consumers.redis import RedisBus

    return RedisBus(block)
