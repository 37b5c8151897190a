"""What was measured, for people and for programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure, Spread

MET = {True: "yes", False: "NO", None: ""}


def machine() -> Mapping[str, str]:
    """What it was measured on."""
    return {
        "processor": _after("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": _after("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load before": " ".join(f"{value:.1f}" for value in os.getloadavg()),
    }


def as_json(figures: Sequence[Figure], on: Mapping[str, str]) -> Mapping[str, Any]:
    return {"machine": on, "figures": [_told(figure) for figure in figures]}


def as_markdown(figures: Sequence[Figure], on: Mapping[str, str]) -> str:
    """As the README shows it."""
    lines = ["| row | what | malexbot | beside | ratio | goal |", "|---" * 6 + "|"]
    for figure in figures:
        *cells, ratio, goal, is_met = _cells(figure)
        cells.append(ratio if figure.beside else "")
        cells.append({"yes": f"{goal} ✓", "NO": f"{goal} ✗"}.get(is_met, goal))
        lines.append(f"| {' | '.join(cells)} |")
    told = ", ".join(f"{name}: {value}" for name, value in on.items())
    return "\n".join([*lines, "", f"({told})", ""])


def show(figures: Sequence[Figure], on: Mapping[str, str], console: Console) -> None:
    table = Table(
        *("row", "what", "malexbot", "beside", "ratio", "goal", "met"),
        caption=", ".join(f"{name}: {told}" for name, told in on.items()),
    )
    for figure in figures:
        table.add_row(*_cells(figure))
    console.print(table)


def _cells(figure: Figure) -> tuple[str, ...]:
    beside = ""
    if figure.beside:
        middle = number(Spread.of(figure.beside).median)
        beside = f"{middle} ({figure.beside_name})"
    return (
        figure.row,
        figure.name,
        f"{number(Spread.of(figure.ours).median)} {figure.unit}".strip(),
        beside,
        spread(figure.judged),
        str(figure.goal or ""),
        MET[figure.is_met],
    )


def spread(values: Spread) -> str:
    if values.least == values.most:
        return number(values.median)
    ends = f"{number(values.least)} – {number(values.most)}"
    return f"{number(values.median)}  ({ends})"


def number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _told(figure: Figure) -> Mapping[str, Any]:
    judged = figure.judged
    return {
        "row": figure.row,
        "name": figure.name,
        "unit": figure.unit,
        "ours": list(figure.ours),
        "beside": list(figure.beside),
        "beside_name": figure.beside_name,
        "ratios": figure.ratios,
        "median": judged.median,
        "least": judged.least,
        "most": judged.most,
        "goal": str(figure.goal or ""),
        "is_met": figure.is_met,
    }


def _after(file: str, name: str) -> str:
    lines = Path(file).read_text().splitlines()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "unknown")
