"""What was found, as lines for a person and as an object for a program."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import click

from malexbot.cli.doctor.checks import Finding, State
from malexbot.cli.report import WIDTH, clean, counted, fact

MARKS = {State.OK: "✓", State.ADVICE: "!", State.FAULT: "✗", State.UNASKED: "–"}
# Where the terminal has no such signs.
PLAIN = {State.OK: "+", State.ADVICE: "!", State.FAULT: "x", State.UNASKED: "-"}
COLOURS = {State.OK: "green", State.ADVICE: "yellow", State.FAULT: "red"}
NARROWEST = 40
INDENT = "  "
ARROW = "    -> "


def show(findings: Iterable[Finding]) -> list[Finding]:
    """Print each as soon as it is there; returns them all."""
    seen = []
    for finding in _joined(findings):
        seen.append(finding)
        mark = _marks()[finding.state]
        colour = COLOURS.get(finding.state)
        first, *more = _lines(clean(_told(finding)), INDENT, len(INDENT) + WIDTH)
        click.echo(f"{click.style(mark, fg=colour, bold=True)} {first.lstrip()}")
        for line in more:
            click.echo(line)
        if finding.cure:
            for line in _lines(clean(finding.cure), ARROW, len(ARROW)):
                click.echo(line)
    return seen


def summary(findings: Sequence[Finding]) -> str:
    """One line: is it well, in words."""
    faults = sum(finding.state is State.FAULT for finding in findings)
    hints = sum(finding.state is State.ADVICE for finding in findings)
    if faults:
        is_one = faults == 1
        return (
            f"malexbot cannot do all its work: {counted(faults, 'thing')}"
            f" {'is' if is_one else 'are'} wrong"
        )
    better = f", {counted(hints, 'thing')} could be better" if hints else ""
    return f"malexbot can do its work{better}"


def is_well(findings: Iterable[Finding]) -> bool:
    return all(finding.state is not State.FAULT for finding in findings)


def as_dict(findings: Sequence[Finding]) -> dict[str, Any]:
    """What `--json` prints: as `status --json`, and what was looked at."""
    return {
        "is_well": is_well(findings),
        "summary": summary(findings),
        "findings": [
            {"what": finding.what, "cure": finding.cure}
            for finding in findings
            if finding.state is State.FAULT
        ],
        "checks": [finding._asdict() for finding in findings],
    }


def _joined(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Those that were not asked for the same reason are one line."""
    for (state, what, cure), group in groupby(findings, key=lambda each: each[1:]):
        if state is State.UNASKED:
            yield Finding(", ".join(each.name for each in group), state, what, cure)
        else:
            yield from group


def _told(finding: Finding) -> str:
    if "," in finding.name:
        return f"{finding.name}: {finding.what}"
    return fact(finding.name, finding.what)


def _lines(text: str, begin: str, indent: int) -> Sequence[str]:
    """As wide as the terminal; as long as it is where none is."""
    if not sys.stdout.isatty():
        return [f"{begin}{text}"]
    width = max(shutil.get_terminal_size().columns, NARROWEST)
    return textwrap.wrap(
        text,
        width,
        initial_indent=begin,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _marks() -> dict[State, str]:
    try:
        "".join(MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN
    return MARKS
