"""The ratios as a chart: a bar each, its spread as a line, its goal as a mark."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from tests.bench.figures import Figure
from tests.bench.report import number

LEFT, WIDTH, LINE, TOP, BAR = 300, 440, 26, 34, 18
COLOURS = {True: "#2e7d5b", False: "#b3472e", None: "#6b7a8f"}
INK, GOAL = "#333", "#c90"
# A ratio beyond it would make all others unreadable.
FURTHEST = 5.0
LEGEND = "malexbot ÷ what was measured beside it: median, least to most; yellow: goal"


def chart(figures: Sequence[Figure]) -> str:
    """SVG of all figures that were measured beside something."""
    drawn = [figure for figure in figures if figure.beside]
    height = TOP + LINE * len(drawn) + 16
    furthest = max((figure.judged.most for figure in drawn), default=1.0)
    ruler = Ruler(min(FURTHEST, max(1.2, furthest)))
    parts = [_tag("rect", width="100%", height="100%", fill="white")]
    parts.append(_text(LEFT, 18, LEGEND))
    for at, figure in enumerate(drawn):
        parts += _bar(figure, TOP + at * LINE, ruler)
    parts.append(_upright(ruler.x(1.0), TOP - 6, height - 10, INK, 1))
    size = {"width": LEFT + WIDTH + 80, "height": height}
    look = {"font-family": "sans-serif", "font-size": 12}
    return _tag("svg", *parts, xmlns="http://www.w3.org/2000/svg", **size, **look)


class Ruler:
    """Where a ratio stands."""

    def __init__(self, furthest: float) -> None:
        self._furthest = furthest

    def x(self, ratio: float) -> float:
        return round(LEFT + WIDTH * min(ratio, self._furthest) / self._furthest, 1)


def _bar(figure: Figure, y: int, ruler: Ruler) -> list[str]:
    judged, middle = figure.judged, y + BAR / 2
    left, right = ruler.x(judged.least), ruler.x(judged.most)
    bar = {"width": round(ruler.x(judged.median) - LEFT, 1), "height": BAR}
    parts = [
        _text(LEFT - 8, y + 13, f"{figure.row}: {figure.name}", anchor="end"),
        _tag("rect", x=LEFT, y=y, fill=COLOURS[figure.is_met], **bar),
        _tag("line", x1=left, x2=right, y1=middle, y2=middle, stroke=INK),
        _text(right + 6, y + 13, number(judged.median)),
    ]
    if figure.goal:
        x = ruler.x(figure.goal.bound)
        parts.append(_upright(x, y - 3, y + BAR + 3, GOAL, 3))
    return parts


def _upright(x: float, top: float, bottom: float, colour: str, width: int) -> str:
    look = {"stroke": colour, "stroke-width": width}
    return _tag("line", x1=x, x2=x, y1=top, y2=bottom, **look)


def _text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return _tag("text", escape(said), x=x, y=y, fill=INK, **{"text-anchor": anchor})


def _tag(tag: str, *inside: str, **attributes: object) -> str:
    told = "".join(f" {name}={quoteattr(str(a))}" for name, a in attributes.items())
    return f"<{tag}{told}>{''.join(inside)}</{tag}>\n"
