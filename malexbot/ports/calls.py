"""HTTP calls that come in, as they are handed to who understands them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple


class Call(NamedTuple):
    """One call, read whole; its size and its time were bounded on the way."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes
    remote: str
    """The address it came from, as a trusted proxy tells it."""


def _nothing() -> None:
    """Nobody wants to know."""


class Answered(NamedTuple):
    """What is answered to it."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    retry_after_s: int | None = None
    on_written: Callable[[], None] = _nothing
    """Called once all of it is written to whoever called, and only then."""


# Answers within the time that the caller has; raises nothing.
Door = Callable[[Call], Answered]
