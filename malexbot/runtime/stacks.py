"""Where every thread of the process stands, as text."""

from __future__ import annotations

import sys
import threading
import traceback


def stack_of(ident: int | None) -> str:
    """The calls that one thread is in, the innermost last; "" when it is gone."""
    frame = sys._current_frames().get(ident or 0)
    return "".join(traceback.format_stack(frame)).rstrip() if frame else ""


def dump() -> str:
    """The stacks of all threads, each under its name."""
    return "\n".join(
        f"thread {thread.name}:\n{stack_of(thread.ident)}"
        for thread in threading.enumerate()
    )
