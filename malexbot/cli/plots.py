"""Plots of signs, for a terminal of any width; no colour is needed to read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import combining, east_asian_width

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = " ▁▂▃▄▅▆▇█"
_SHADES = "·░▒▓█"


def bar(value: float, most: float, width: int) -> str:
    """A bar of this width for the most there is; what is not nothing is seen."""
    eighths = round(8 * width * value / most) if most else 0
    if value and not eighths:
        eighths = 1
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def columns(values: Sequence[float], height: int) -> Iterator[str]:
    """A column a value, line by line from the top."""
    most = max(values, default=0)
    eighths = [_height(value, most, height) for value in values]
    for line in range(height - 1, -1, -1):
        yield "".join(_LEVELS[min(8, max(0, e - 8 * line))] for e in eighths)


def _height(value: float, most: float, height: int) -> int:
    if not value:
        return 0
    return max(1, round(8 * height * value / most))


def shade(value: float, most: float) -> str:
    """A dot for nothing, and four shades for little to much."""
    if not value:
        return _SHADES[0]
    steps = len(_SHADES) - 1
    return _SHADES[min(steps, 1 + int(steps * value / (most * 1.0001)))]


def squeezed(values: Sequence[int], width: int) -> list[int]:
    """As many sums as there is room for; each of as many values as any other.

    The last one may be of fewer.
    """
    size = -(-len(values) // max(1, width)) or 1
    return [sum(values[at : at + size]) for at in range(0, len(values), size)]


def fitted(text: str, width: int) -> str:
    """Text that takes exactly this width, cut off or filled up."""
    if shown_width(text) > width:
        while text and shown_width(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - shown_width(text))


def shown_width(text: str) -> int:
    """How many columns it takes."""
    return sum(
        0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1
        for sign in text
    )
