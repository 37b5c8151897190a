"""What is measured: figures in turns, their ratios, medians and spread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of several measurements, and the two that lie furthest from it."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on the ratio; where nothing is measured beside, on the figure itself."""

    bound: float
    is_least: bool = False
    """Yes: it has to reach the bound. No: it must not go beyond it."""

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.is_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of a row: malexbot's measurements, and in turn those of something else.

    `ours[i]` and `beside[i]` were taken one after the other.
    """

    row: str
    name: str
    unit: str
    ours: Sequence[float]
    beside: Sequence[float] = ()
    beside_name: str = ""
    goal: Goal | None = None

    @property
    def ratios(self) -> list[float]:
        return [
            a / b if b else math.inf
            for a, b in zip(self.ours, self.beside, strict=False)
        ]

    @property
    def judged(self) -> Spread:
        """What the goal is held against."""
        return Spread.of(self.ratios or self.ours)

    @property
    def is_met(self) -> bool | None:
        return None if self.goal is None else self.goal.is_met(self.judged.median)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
