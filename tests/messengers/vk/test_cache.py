"""What many ask for at once is asked in few calls."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from malexbot.messengers.vk.cache import Cache, Together

MANY = 8


class Slow:
    """Answers when it is let go; tells what it was asked."""

    def __init__(self, cache: Cache[str]) -> None:
        self.cache = cache
        self.asked: list[list[int]] = []
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, ids: Sequence[int]) -> None:
        self.asked.append(list(ids))
        self.is_asked.set()
        assert self.may_answer.wait(10)
        for id in ids:
            self.cache.keep(id, str(id))


def test_who_comes_while_one_asks_shares_the_next_call() -> None:
    cache: Cache[str] = Cache(60, clock=lambda: 0.0)
    slow = Slow(cache)
    together = Together(cache, slow)
    found: list[str | None] = []

    def learn(id: int) -> None:
        together.learn([id, 1])
        found.append(cache.get(id))

    threads = [threading.Thread(target=learn, args=(n,)) for n in range(1, MANY)]
    threads[0].start()
    assert slow.is_asked.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(together._wanted) < MANY - 1:  # all but the first, which is asked for
        assert not slow.may_answer.wait(0.001)
    slow.may_answer.set()
    for thread in threads:
        thread.join()
    assert slow.asked == [[1], [2, 3, 4, 5, 6, 7]]
    assert sorted(filter(None, found)) == [str(n) for n in range(1, MANY)]


def test_what_is_known_is_not_asked_for() -> None:
    cache: Cache[str] = Cache(60, clock=lambda: 0.0)
    slow = Slow(cache)
    slow.may_answer.set()
    together = Together(cache, slow)
    for _ in range(3):
        together.learn([3, 1, 3])
    assert slow.asked == [[1, 3]]
    assert (cache.hits, cache.misses) == (4, 2)
