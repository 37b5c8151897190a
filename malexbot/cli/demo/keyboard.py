"""The lines that a person types, without a thread that waits for them."""

from __future__ import annotations

import os
import select
import sys

from malexbot.cli.demo.ending import Ended

_MOST_BYTES = 4096


class Keyboard:
    """Reads standard input, if a person sits at it."""

    def __init__(self) -> None:
        self._is_there = sys.stdin is not None and sys.stdin.isatty()
        self._begun = b""

    @property
    def is_there(self) -> bool:
        """No: nobody can type."""
        return self._is_there

    def lines(self) -> list[str]:
        """What was typed since the last look; never waits.

        Raises Ended when the terminal hangs up, or Ctrl-D says so.
        """
        if not self._is_there or not select.select([sys.stdin], [], [], 0)[0]:
            return []
        try:
            typed = os.read(sys.stdin.fileno(), _MOST_BYTES)
        except OSError as error:
            raise Ended from error
        if not typed:
            raise Ended
        *whole, self._begun = (self._begun + typed).split(b"\n")
        return [line.decode(errors="replace") for line in whole]
