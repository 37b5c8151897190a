"""Checks, what they find, and how they are done: one by one, none for too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import NamedTuple

from malexbot.errors import MalexbotError
from malexbot.runtime.deadline import Deadline

# Longer than a connection that is refused by silence takes, and an answer.
LIMIT_S = 8.0
# All checks of a theme together; the themes are gone through side by side.
THEME_S = 18.0
NO_TIME = "the others took all the time there was"
# What a theme may take to give its connections back.
CLOSE_S = 5.0


class State(StrEnum):
    """What came of a check."""

    OK = "ok"
    ADVICE = "advice"
    """It works, and would do better otherwise."""
    FAULT = "fault"
    UNASKED = "unasked"


class Finding(NamedTuple):
    """What a check says: how it is and, if that is not well, what is to be done."""

    name: str
    state: State
    what: str
    cure: str = ""


class Verdict(NamedTuple):
    """A finding before it has the name of its check."""

    state: State
    what: str
    cure: str = ""


Answer = Verdict | Sequence[Verdict]


def ok(what: str) -> Verdict:
    return Verdict(State.OK, what)


def advice(what: str, cure: str) -> Verdict:
    return Verdict(State.ADVICE, what, cure)


def fault(what: str, cure: str) -> Verdict:
    return Verdict(State.FAULT, what, cure)


def unasked(what: str, cure: str = "") -> Verdict:
    return Verdict(State.UNASKED, what, cure)


def told(error: MalexbotError, cure: str = "") -> Verdict:
    """An error of ours as a fault; its own cure goes first."""
    cure = getattr(error, "cure", "") or cure
    return fault(getattr(error, "what", "") or str(error), cure)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    name: str
    ask: Callable[[], Answer]
    """Raises a MalexbotError where that says it all."""
    needs: tuple[str, ...] = ()
    """Checks that must not have failed: without them there is nothing to ask."""
    lack: str = ""
    """Why those that need this one are not asked, when it failed."""
    cure: str = "journalctl -u malexbot -n 50"
    """For an error that has none."""
    limit_s: float = LIMIT_S
    is_whole: bool = False
    """Yes: it is not begun unless all its time is left, as it would leave a trace."""


@dataclass(slots=True)
class Theme:
    """Checks that share what they have opened, and give it back in the end."""

    checks: Sequence[Check]
    opened: ExitStack = field(default_factory=ExitStack)

    def findings(self, deadline: Deadline) -> Iterator[Finding]:
        lacks: dict[str, str] = {}
        for check in self.checks:
            verdicts = _lacking(check, lacks) or _ask(check, deadline)
            if any(verdict.state is State.FAULT for verdict in verdicts):
                lacks[check.name] = check.lack
            elif any(name in lacks for name in check.needs):
                lacks[check.name] = _reason(check, lacks)
            for verdict in verdicts:
                yield Finding(check.name, *verdict)


def examine(themes: Sequence[Theme], *, seconds: float = THEME_S) -> Iterator[Finding]:
    """The findings of all, in order; each is there as soon as those before it are."""
    deadline = Deadline(seconds)
    begun = [_begin(theme, deadline) for theme in themes]
    for _, findings in begun:
        yield from iter(findings.get, None)
    closing = Deadline(CLOSE_S)
    for thread, _ in begun:
        thread.join(closing.left_s)


def _begin(
    theme: Theme, deadline: Deadline
) -> tuple[threading.Thread, SimpleQueue[Finding | None]]:
    findings: SimpleQueue[Finding | None] = SimpleQueue()

    def work() -> None:
        with theme.opened:
            try:
                for finding in theme.findings(deadline):
                    findings.put(finding)
            finally:
                findings.put(None)

    thread = threading.Thread(target=work, name="doctor", daemon=True)
    thread.start()
    return thread, findings


def _lacking(check: Check, lacks: dict[str, str]) -> Sequence[Verdict]:
    if any(name in lacks for name in check.needs):
        return [unasked(f"not asked, since {_reason(check, lacks)}")]
    return []


def _reason(check: Check, lacks: dict[str, str]) -> str:
    return next(lacks[name] for name in check.needs if name in lacks)


def _ask(check: Check, deadline: Deadline) -> Sequence[Verdict]:
    """What it says within its time; after that it is left to itself."""
    limit_s = min(check.limit_s, deadline.left_s)
    if limit_s <= 0 or (check.is_whole and limit_s < check.limit_s):
        return [unasked(f"not asked: {NO_TIME}")]
    answer: SimpleQueue[Sequence[Verdict]] = SimpleQueue()
    thread = threading.Thread(
        target=lambda: answer.put(_verdicts(check)),
        name=f"doctor {check.name}",
        daemon=True,
    )
    thread.start()
    try:
        return answer.get(timeout=limit_s)
    except Empty:
        if limit_s < check.limit_s:
            return [unasked(f"given up after {limit_s:.0f} s: {NO_TIME}")]
        return [fault(f"no answer within {limit_s:.0f} s", check.cure)]


def _verdicts(check: Check) -> Sequence[Verdict]:
    try:
        found = check.ask()
    except MalexbotError as error:
        return [told(error, check.cure)]
    except Exception as error:
        # The other checks are worth their lines nevertheless.
        return [fault(f"the check broke: {error!r}", check.cure)]
    return [found] if isinstance(found, Verdict) else found
