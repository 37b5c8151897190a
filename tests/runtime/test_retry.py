from __future__ import annotations

from malexbot.runtime.retry import Backoff


def test_waits_grow_to_the_longest_and_are_jittered() -> None:
    def longest_of_many(failures: int) -> float:
        waits = []
        for _ in range(300):
            backoff = Backoff(first_s=1, longest_s=20)
            for _ in range(failures):
                last = backoff.next_s()
            waits.append(last)
        assert len(set(waits)) > 200
        return max(waits)

    assert longest_of_many(1) <= 1
    assert 2 < longest_of_many(3) <= 4
    assert 15 < longest_of_many(12) <= 20


def test_success_starts_over() -> None:
    backoff = Backoff(first_s=1, longest_s=60)
    for _ in range(10):
        backoff.next_s()
    assert backoff.failures == 10
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.next_s() <= 1


def test_failures_of_an_earlier_life_count() -> None:
    waits = [Backoff(first_s=1, longest_s=64, failures=5).next_s() for _ in range(300)]
    assert 16 < max(waits) <= 32
    assert Backoff(failures=5).failures == 5
