"""What goes wrong, when, and for how long: made by a seed, or written by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Things go wrong that often, on the average; some overlap.
EVERY_S = 1.5
# The first thing goes wrong when the daemon listens, the last one long before the end.
CALM_S = 2.0
# A moment in between, so that something goes right as well. What was said late, or was
# missed, has to be read before the clock jumps again: a walk goes back one minute.
REST_S = {"clock": 45.0}
SHORTEST_REST_S = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can go wrong."""

    name: str
    weight: int
    touches: frozenset[str]
    """What it is about: two that touch the same do not overlap."""
    shortest_s: float = 0.0
    longest_s: float = 0.0
    most: int = 1
    """How much of it: how many seconds, posts, or the k-th of something."""
    needs_root: bool = False


def _kind(
    name: str,
    weight: int,
    touches: str,
    lasts: tuple[float, float] = (0, 0),
    most: int = 1,
) -> Kind:
    needs_root = name.startswith("disk full")
    return Kind(name, weight, frozenset(touches.split()), *lasts, most, needs_root)


# The daemon is left alone more often than not: what leaks needs time for it. What is
# shorter than the waits of the daemon (see hasty.py) must be borne without a double;
# nobody can promise that of a process that stands still for longer.
KINDS = (
    _kind("daemon: SIGKILL", 5, "daemon", (0, 3)),
    _kind("daemon: SIGTERM", 4, "daemon", (0, 1)),
    _kind("daemon: SIGSTOP", 4, "daemon", (0.5, 3)),
    _kind("daemon: two at once", 4, "daemon", (1, 4)),
    _kind("daemon: clock step", 3, "wall", (0, 0), 7200),
    _kind("daemon: SIGHUP, a good config", 4, "daemon config", (0.5, 2), 400),
    _kind("daemon: SIGHUP, a bad config", 4, "daemon config", (0.5, 2)),
    _kind("daemon: killed before a COMMIT", 4, "daemon line", (2, 4), 9),
    _kind("daemon: killed after a COMMIT", 4, "daemon line", (2, 4), 9),
    _kind("daemon: killed before a POST", 4, "daemon server", (2, 4), 5),
    _kind("daemon: killed after a POST", 4, "daemon server", (2, 4), 5),
    _kind("database: SIGKILL", 4, "database", (0, 4)),
    _kind("database: SIGTERM", 4, "database", (0, 4)),
    _kind("database: SIGSTOP", 4, "database", (0.5, 5)),
    _kind("database: line cut", 5, "line"),
    _kind("database: line refused", 4, "line", (1, 4)),
    _kind("database: line half open", 4, "line", (1, 6)),
    _kind("database: line slow", 4, "line", (1, 5), 30),
    _kind("disk full: database", 4, "database", (1, 4)),
    _kind("disk full: state directory", 3, "state", (1, 4)),
    _kind("server: line cut", 6, "server"),
    _kind("server: half open", 4, "server", (1, 6)),
    _kind("server: line half open", 4, "server", (1, 6)),
    _kind("server: line refused", 4, "server", (1, 4)),
    _kind("server: deaf", 4, "server", (1, 5)),
    _kind("server: slow", 4, "server", (1, 5)),
    _kind("server: 429", 4, "server", (1, 4)),
    _kind("server: 5xx", 4, "server", (1, 4)),
    _kind("server: no answer to a POST", 5, "server", (1, 3), 5),
    _kind("server: frames doubled, lost, swapped", 5, "server", (1, 3), 5),
    _kind("server: restart", 4, "server"),
    _kind("server: SIGKILL", 4, "server power people", (0, 3)),
    _kind("server: clock step", 3, "clock power", (0, 0), 25),
    _kind("server: clock steps back", 3, "clock power", (2, 15), 25),
    _kind("vk: line cut", 3, "vk"),
    _kind("vk: half open", 3, "vk", (1, 6)),
    _kind("vk: slow", 2, "vk", (1, 5)),
    _kind("vk: too fast", 2, "vk", (1, 4)),
    _kind("vk: internal errors", 2, "vk", (1, 4)),
    _kind("vk: 429", 2, "vk", (1, 4)),
    _kind("vk: 5xx", 2, "vk", (1, 4)),
    _kind("vk: answers cut short", 2, "vk", (1, 3), 5),
    _kind("vk: updates doubled", 2, "vk", (1, 3), 5),
    _kind("vk: updates malformed", 2, "vk", (1, 3), 3),
    _kind("vk: no answer to a send", 3, "vk", (1, 3), 3),
    _kind("vk: failed 1", 2, "vk"),
    _kind("vk: failed 2", 2, "vk"),
    _kind("vk: failed 3", 2, "vk"),
    _kind("vk: restart", 2, "vk"),
    _kind("redis: SIGKILL", 4, "redis", (0, 4)),
    _kind("redis: SIGSTOP", 4, "redis", (0.5, 6)),
    _kind("redis: CLIENT KILL", 4, "redis"),
    _kind("redis: full", 4, "redis", (1, 4)),
    _kind("redis: line half open", 3, "redis", (1, 6)),
    _kind("people: late commits", 5, "people", (0, 0), 20),
    _kind("people: a flood", 3, "people", (0, 0), 500),
)
BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Planned:
    """From when to when, after the beginning, something is wrong."""

    at_s: float
    kind: Kind
    lasts_s: float = 0.0
    amount: int = 1

    @property
    def until_s(self) -> float:
        return self.at_s + self.lasts_s

    def __str__(self) -> str:
        return f"{self.kind.name} ({self.amount}, {self.lasts_s:.1f} s)"


def at(at_s: float, name: str, lasts_s: float = 0.0, amount: int = 1) -> Planned:
    """One line of a plan that is written by hand."""
    return Planned(at_s, BY_NAME[name], lasts_s, amount)


def by_seed(seed: int, seconds: float, *, is_root: bool) -> Sequence[Planned]:
    """The same for the same seed; a longer one begins as a shorter one does."""
    possible = [kind for kind in KINDS if is_root or not kind.needs_root]
    return list(_plan(random.Random(seed), seconds - CALM_S, possible))


def _plan(
    choice: random.Random, end_s: float, kinds: Sequence[Kind]
) -> Iterator[Planned]:
    weights = [kind.weight for kind in kinds]
    busy_until: dict[str, float] = {}
    at_s = CALM_S
    while at_s < end_s:
        (kind,) = choice.choices(kinds, weights)
        lasts_s = choice.uniform(kind.shortest_s, kind.longest_s)
        amount = choice.randint(1, kind.most)
        free_at = [busy_until.get(each, 0.0) for each in kind.touches]
        planned = Planned(max(at_s, *free_at), kind, lasts_s, amount)
        if planned.until_s < end_s:
            yield planned
        for each in kind.touches:
            rest_s = REST_S.get(each, SHORTEST_REST_S)
            busy_until[each] = planned.until_s + rest_s
        at_s += choice.expovariate(1 / EVERY_S)
