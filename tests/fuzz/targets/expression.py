"""What an operator writes: a condition, or a template."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from malexbot.rules import (
    MOST_CHARACTERS,
    Condition,
    RuleError,
    RuleFailed,
    Template,
)
from tests.fuzz.targets import Target
from tests.support.events import posted, reacted

# Of CPU, with the instruments of the fuzzer; without them it is a tenth of that.
MOST_CPU_S = 5.0
_EVENTS = (
    posted(
        text="deploy the shop, please? 1.5 & <b>",
        texts=("a.png", "b"),
        data={"channel_type": "O", "mentions": ["a", "b"], "n": 3, "inner": {"x": []}},
    ),
    reacted(),
)


def build(folder: Path) -> Target:
    def fuzz(told: bytes) -> None:
        text = told.decode(errors="replace")
        began = time.thread_time()
        _try(text, _condition)
        _try(text, _template)
        took_s = time.thread_time() - began
        assert took_s < MOST_CPU_S, f"{took_s:.1f} s of CPU"

    return fuzz


def _try(text: str, use: Callable[[str], None]) -> None:
    try:
        use(text)
    except RuleError as error:
        assert str(error).encode()


def _condition(text: str) -> None:
    condition = Condition(text)
    for event in _EVENTS:
        assert condition(event) in (True, False)


def _template(text: str) -> None:
    template = Template(text)
    for event in _EVENTS:
        try:
            assert len(template.render(event)) <= MOST_CHARACTERS
        except RuleFailed as error:
            assert str(error)
