"""A YAML file as plain values, with the line of each; the only door to YAML.

It differs from PyYAML's own construction where that surprises people. A plain
scalar becomes a number only if it is written as a number would be written back:
`0123`, `1:30`, `1_000`, `2024-01-31` stay the text that they are, and so do `yes`,
`no`, `on` and `off`. Keys are text always. There are no objects, no tags of
other people, no second document, and no key twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from malexbot.config.problems import ConfigProblems, Problem, Where, dotted, plain

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# More than any configuration needs, and few enough to be walked in no time. Values
# that an alias repeats are counted each time, so that no "bomb" of them goes off.
MAX_BYTES = 1024 * 1024
MAX_VALUES = 50_000
MAX_DEPTH = 32

_TAG = "tag:yaml.org,2002:"
# All that YAML does not take for text.
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What begins a line to YAML.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# Where a `#` that was meant as text begins a comment.
_HIDDEN = re.compile(r"\s*(?:- +)*(?:[\w.-]+:|-) +#\S")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True)
class Document:
    """The values of a file, where each stands, and what is wrong so far."""

    file: Path
    value: dict[str, Any] = field(default_factory=dict)
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hidden: list[Where] = field(default_factory=list)
    """The values that a comment hides: `name: #text` has none."""
    told: set[Where] = field(default_factory=set)

    def line(self, where: Where) -> int | None:
        """The line of a value, or of the nearest thing around it that has one."""
        for length in range(len(where), 0, -1):
            if where[:length] in self.lines:
                return self.lines[where[:length]]
        return None

    def problem(self, where: Where, text: str, hint: str | None = None) -> Problem:
        return Problem(self.file, self.line(where), dotted(where), text, hint)

    def add(self, where: Where, text: str, hint: str | None = None) -> None:
        """Tell it, unless something is told of that very place already."""
        if where not in self.told:
            self.told.add(where)
            self.problems.append(self.problem(where, text, hint))


def parse(content: bytes, file: Path) -> Document:
    """The document in `content`; what stops the reading is raised at once."""
    text = _decoded(content, file)
    document = Document(file)
    loader = Loader(text)
    try:
        value = _Builder(document, loader).whole()
    except yaml.MarkedYAMLError as error:
        raise ConfigProblems([_explained(error, text, file)]) from None
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        hint = "the file is made of lines like `mattermost:`, settings below them"
        raise _stopped(file, 1, "no settings are in it", hint)
    document.value = value
    lines = _BREAK.split(text)
    document.hidden = [
        where
        for where, line in document.lines.items()
        if _HIDDEN.match(lines[line - 1])
    ]
    return document


def _decoded(content: bytes, file: Path) -> str:
    if len(content) > MAX_BYTES:
        raise _stopped(file, None, "larger than 1 MiB, which no configuration is")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _stopped(file, line, "not UTF-8 text", "save it as UTF-8") from None
    if found := _FORBIDDEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        code = f"U+{ord(found[0]):04X}"
        raise _stopped(file, line, f"not text: it has the control character {code}")
    if not text.strip():
        hint = "`malexbot install` puts a commented sample in place"
        raise _stopped(file, None, "the file is empty", hint)
    return text


def _stopped(
    file: Path, line: int | None, text: str, hint: str | None = None
) -> ConfigProblems:
    return ConfigProblems([Problem(file, line, "", text, hint)])


class _Builder:
    """Builds values from the parser's events, counting what it builds."""

    def __init__(self, document: Document, loader: Any) -> None:
        self._document = document
        self._loader = loader
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._built = 0

    def whole(self) -> Any:
        self._loader.get_event()
        if self._loader.check_event(yaml.StreamEndEvent):
            self._stop("no settings are in it, only comments", None)
        self._loader.get_event()
        value = self._value((), self._loader.get_event())
        self._loader.get_event()
        if not self._loader.check_event(yaml.StreamEndEvent):
            event = self._loader.get_event()
            self._stop("a second document begins here", event, "take this `---` out")
        return value

    def _value(self, where: Where, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._built
        self._count(1, event)
        if len(where) > MAX_DEPTH:
            self._stop(f"nested more than {MAX_DEPTH} levels deep", event)
        kind = self._kind(event)
        value: Any
        if isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(where)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(where)
        else:
            value = event.value if kind == "str" else self._scalar(event, kind)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._built - before)
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            hint = f"`&{plain(event.anchor)}` has to stand above it"
            self._stop(f"`*{plain(event.anchor)}` stands for nothing", event, hint)
        value, size = self._anchors[event.anchor]
        self._count(size, event)
        return value

    def _count(self, values: int, event: Any) -> None:
        self._built += values
        if self._built > MAX_VALUES:
            hint = "aliases (`*name`) count each time"
            self._stop(f"more than {MAX_VALUES} values are in it", event, hint)

    def _kind(self, event: Any) -> str:
        """The type that a tag asks for; a plain value has none and gets ''."""
        if event.tag in (None, "!"):
            is_text = isinstance(event, yaml.ScalarEvent) and not event.implicit[0]
            return "str" if is_text else ""
        kind = str(event.tag).removeprefix(_TAG)
        if kind not in {"str", "int", "float", "bool", "null", "seq", "map"}:
            shown = plain(event.tag.replace(_TAG, "!!"))
            self._stop(f"the tag `{shown}` is not allowed", event, "take it out")
        return kind

    def _scalar(self, event: Any, kind: str) -> Any:
        text = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text

    def _sequence(self, where: Where) -> list[Any]:
        items: list[Any] = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            event = self._loader.get_event()
            at = (*where, len(items))
            self._document.lines[at] = event.start_mark.line + 1
            items.append(self._value(at, event))
        self._loader.get_event()
        return items

    def _mapping(self, where: Where) -> dict[str, Any]:
        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            event = self._loader.get_event()
            key = self._key(event)
            at = (*where, key)
            if key == "<<" and event.implicit[0]:
                self._merge(merged, self._value(at, self._loader.get_event()), event)
                continue
            if key in values:
                self._document.problems.append(self._twice(at, event))
            else:
                self._document.lines[at] = event.start_mark.line + 1
            value = self._value(at, self._loader.get_event())
            values.setdefault(key, value)
        self._loader.get_event()
        return merged | values

    def _twice(self, at: Where, event: Any) -> Problem:
        line, first = event.start_mark.line + 1, self._document.lines[at]
        text, hint = "written twice", f"it is on line {first} already"
        return Problem(self._document.file, line, dotted(at), text, hint)

    def _key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop("a list or a map cannot be the name of a setting", event)
        if not event.value.strip():
            self._stop("a setting without a name", event, "`name: value` is the form")
        self._kind(event)
        return str(event.value)

    def _merge(self, merged: dict[str, Any], value: Any, event: Any) -> None:
        """What `<<` brings in; of several maps the first one wins."""
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, Mapping):
                self._stop("`<<` takes a map or a list of maps", event)
            for key, inner in part.items():
                merged.setdefault(key, inner)

    def _stop(self, text: str, event: Any, hint: str | None = None) -> NoReturn:
        line = event.start_mark.line + 1 if event else None
        raise _stopped(self._document.file, line, text, hint)


# Where text goes on behind its quotes: `when: 'ping' in event.message.text`.
_ON = re.compile(r"""\s*(?:- +)*[\w.-]+: +(?:'[^']*'|"[^"]*") *[^\s#,\]}]""")
_GOES_ON = (
    "the value goes on behind its quotes; put all of it in others: "
    """"'ping' in event.message.text\""""
)
_NAME = re.compile(r"\s*(?:- +)*[\w.-]+")
# What libyaml or PyYAML say, and what a person can do about it; the first that fits.
_SAID = (
    ("mapping values are not allowed", 'put a value that has ": " in it in quotes'),
    ("cannot start any token", "put a value that begins with @, `, % in quotes"),
    ("unexpected end of stream", "a closing quote is missing"),
    ("',' or ']'", "a closing ] or a comma is missing"),
    ("',' or '}'", "a closing } or a comma is missing"),
    ("alphabetic or numeric", "put a value that begins with * or & in quotes"),
    ("<document start>", "the settings ended above, at `...` or at a closing sign"),
    ("unknown escape character", r"write \\ for a \, or use single quotes"),
    ("expected <block end>", "lines of one block have to begin in one column"),
    ("did not find expected", "lines of one block have to begin in one column"),
    ("could not find expected ':'", 'a ":" is missing after the name of a setting'),
    ("undefined tag handle", "put a value that begins with ! in quotes"),
)


def _explained(error: yaml.MarkedYAMLError, text: str, file: Path) -> Problem:
    """A syntax error without the words of the file: they may hold a secret."""
    mark = error.problem_mark or error.context_mark
    at, column = (mark.line, mark.column) if mark else (0, 0)
    lines = [*_BREAK.split(text), ""]
    line, said = lines[min(at, len(lines) - 1)], str(error.problem)
    hint = next((hint for part, hint in _SAID if part in said), None)
    if "\t" in line[: len(line) - len(line.lstrip())]:
        hint = "YAML allows only blanks there"
        return Problem(file, at + 1, "", "a tab stands before the text", hint)
    if _ON.match(line):
        hint = _GOES_ON
    elif said.startswith("mapping values") and _NAME.fullmatch(line[:column]):
        hint = "it begins further right than the line above, whose value ends there"
    return Problem(file, at + 1, "", "this is not YAML", hint)
