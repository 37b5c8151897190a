"""A few threads that do the same to each item of a list."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from malexbot.runtime.heart import outside

Item = TypeVar("Item")
# How often the one who waits for them looks up.
TURN_S = 1.0


def each(
    items: Iterable[Item], work: Callable[[Item], None], *, threads: int, name: str
) -> None:
    """Returns when all is done; raises the first error, after which none is begun."""
    waiting = deque(items)
    errors: list[Exception] = []

    def labour() -> None:
        while waiting and not errors:
            try:
                item = waiting.popleft()
            except IndexError:  # another one was quicker
                return
            try:
                work(item)
            except Exception as error:
                errors.append(error)

    crew = [
        threading.Thread(target=labour, name=f"{name}-{number}", daemon=True)
        for number in range(1, min(threads, len(waiting)) + 1)
    ]
    for thread in crew:
        thread.start()
    with outside(f"{name} and the server"):
        for thread in crew:
            while thread.is_alive():
                thread.join(TURN_S)
    if errors:
        raise errors[0]
