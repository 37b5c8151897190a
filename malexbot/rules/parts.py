"""A condition taken apart, to tell why it does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jinja2.lexer import Lexer

from malexbot.events import Event
from malexbot.rules.language import language

# What binds looser than `and`: a condition with it is one part.
_LOOSER = frozenset({"or", "if"})
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_EVENT = "event"


class _Token(NamedTuple):
    kind: str
    text: str
    depth: int
    """How many brackets are open around it."""


def parts(condition: str) -> list[str]:
    """What all has to hold, as it is written."""
    tokens = [*_tokens(condition)]
    outside = [token for token in tokens if token.depth == 0 and token.kind == "name"]
    if any(token.text in _LOOSER for token in outside):
        return [condition.strip()]
    found = [""]
    for token in tokens:
        if token in outside and token.text == "and":
            found.append("")
        else:
            found[-1] += token.text
    return [part.strip() for part in found]


def asked(condition: str, event: Event) -> dict[str, Any]:
    """What it asks of the event, `event.user.nick`, and what the event says to that."""
    return {
        ".".join((_EVENT, *path)): _value(event, path)
        for path in _paths([*_tokens(condition)])
    }


def _tokens(text: str) -> Iterator[_Token]:
    """Words and signs as they are written; our lexer changes those of patterns."""
    depth = 0
    for _, kind, word in Lexer.tokeniter(
        language().lexer, text.strip(), None, None, "variable"
    ):
        depth -= kind == "operator" and word in _CLOSE
        yield _Token(kind, word, depth)
        depth += kind == "operator" and word in _OPEN


def _paths(tokens: list[_Token]) -> Iterator[tuple[str, ...]]:
    """The names behind each `event`; what is called is a method, and no part of it."""
    words = [token for token in tokens if token.kind != "whitespace"]
    texts = [*(token.text for token in words), "", ""]
    for place, token in enumerate(words):
        if (token.kind, token.text) != ("name", _EVENT) or texts[place - 1] == ".":
            continue
        path: list[str] = []
        while texts[place + 1] == ".":
            path.append(texts[place + 2])
            place += 2
        if texts[place + 1] == "(":
            path = path[:-1]
        if path:
            yield tuple(path)


def _value(event: Event, path: tuple[str, ...]) -> Any:
    """None for what the event does not have."""
    value: Any = event
    for name in path:
        is_map = isinstance(value, Mapping)
        value = value.get(name) if is_map else getattr(value, name, None)
    return value
