"""What an act is: how something is made to go wrong, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.ground import Ground
from tests.faults.plan import Planned

# What begins an act, and returns what ends it.
Act = Callable[[Ground, Planned], Callable[[], object]]


def nothing() -> None:
    """It ended by itself."""
