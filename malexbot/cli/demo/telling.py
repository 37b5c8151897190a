"""What the demo tells: plain lines, with few colours on a terminal and none off it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.cells import set_cell_size
from rich.console import Console
from rich.text import Text

# A line stays readable on a wide screen too.
_WIDEST = 100
# A narrow one breaks the lines instead.
_NARROWEST = 20
_CLOCK = 9
_NAME = 9
_MARK = 16
_PROMPT = "> "

KEPT = "✓ kept"
LEFT_OUT = "- not kept"
LATE = "… waits"
_STYLES = {KEPT: "green", LEFT_OUT: "yellow", LATE: "magenta"}


class Teller:
    """Writes the story; `invite` shows that a person may type."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._width = min(console.width, _WIDEST)
        self._invites = False

    @property
    def is_terminal(self) -> bool:
        return self._console.is_terminal

    def invite(self) -> None:
        """From now on a prompt stands below what is told."""
        self._invites = self.is_terminal
        self._show_prompt()

    def dismiss(self) -> None:
        if self._invites:
            self._clear()
        self._invites = False

    def swallow(self) -> None:
        """Take away a line that was typed: the story tells it again, and better."""
        if self._invites:
            self._write("\x1b[1A\r\x1b[2K")

    def title(self, text: str) -> None:
        self._print(Text(text, "bold"))

    def text(self, text: str = "") -> None:
        self._print(Text(text))

    def note(self, text: str, style: str = "cyan") -> None:
        """Something that happens to malexbot rather than to people."""
        self._print(Text.assemble((clock(time.time()), "dim"), "  ", (text, style)))

    def said(self, *, at_s: float, who: str, text: str, mark: str = "") -> None:
        """One line: when, who, what, and whether it is kept."""
        room = self._width - _CLOCK - _NAME - _MARK - 6
        self._print(
            Text.assemble(
                (clock(at_s), "dim"),
                "  ",
                (set_cell_size(plain(who), _NAME), "bold"),
                "  ",
                fitted(text, max(room, _NARROWEST)),
                "  ",
                (mark, _STYLES.get(mark, "")),
            )
        )

    def show(self, table: object) -> None:
        """Something of rich's."""
        self._clear_prompt()
        self._console.print(table, width=self._width)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Told when it begins; the time that it took follows when it is done."""
        began = time.monotonic()
        self._console.print(Text(f"  {text} "), end="")
        try:
            yield
        except BaseException:
            self._console.print()
            raise
        took = f"{time.monotonic() - began:.1f} s"
        self._console.print(Text(f"({took})", "dim"))

    def _print(self, line: Text) -> None:
        self._clear_prompt()
        line.rstrip()
        self._console.print(line, soft_wrap=True)
        self._show_prompt()

    def _show_prompt(self) -> None:
        if self._invites:
            self._write(_PROMPT)

    def _clear_prompt(self) -> None:
        if self._invites:
            self._clear()

    def _clear(self) -> None:
        self._write("\r\x1b[2K")

    def _write(self, codes: str) -> None:
        self._console.file.write(codes)
        self._console.file.flush()


def clock(at_s: float) -> str:
    """The time of a day, with that day if it is not this one."""
    at, now = time.localtime(at_s), time.localtime()
    is_today = (at.tm_year, at.tm_yday) == (now.tm_year, now.tm_yday)
    return time.strftime("%H:%M:%S " if is_today else "%a %H:%M", at)


def plain(text: str) -> str:
    """On one line, and without a sign that a terminal would obey."""
    words = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "·" for sign in words)


def fitted(text: str, room: int) -> str:
    """Exactly so wide; what is cut off shows as three dots."""
    told = plain(text)
    whole = set_cell_size(told, room)
    if len(whole.rstrip()) >= len(told):
        return whole
    return set_cell_size(told, room - 1) + "…"


def named(names: Mapping[str, str], user_id: str) -> str:
    return names.get(user_id, "somebody")
