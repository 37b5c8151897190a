"""The one language of rules: `when:` conditions and templates, in sandboxed Jinja2.

A rule sees `event`. What an event does not have is nothing: it is false, it is empty
text, and whatever is asked of it is nothing again, so no rule has to check first.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.parser import Parser
from jinja2.runtime import Context

from malexbot.events import HUSH, Event, hushed
from malexbot.rules.bounds import TooMuch
from malexbot.rules.form import check_form
from malexbot.rules.language import FIELDS, SAID_IN, language
from malexbot.rules.slips import corrected

log = logging.getLogger(__name__)

# What a template may write: more than six of the longest posts of Mattermost.
MOST_CHARACTERS = 100_000
# What a rule may be: the longest answer that a server takes, and more.
LONGEST_RULE = 20_000
# What a text raises that is nested too deep, or whose constants are too much.
_FAULTS = (RecursionError, SyntaxError, MemoryError, ValueError, ArithmeticError)
_GIVEN = "event"
_RESULT = "result"


class RuleError(ValueError):
    """Text that is no rule; says what is wrong, and in which line of several."""


class RuleFailed(Exception):
    """A rule that could not be worked out for one event."""


class Condition:
    """Whether an event is one that a rule is about; safe to use from many threads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.failures = 0
        self._root = _compiled(text, is_condition=True).root_render_func
        self._begin = language().effort.begin
        self._scopes = threading.local()

    def __call__(self, event: Event) -> bool:
        """Yes: the rule applies. No: it does not, or it cannot be worked out."""
        scope = self._scope()
        scope.parent[_GIVEN] = event
        self._begin()
        try:
            for _ in self._root(scope):
                pass
            return bool(scope.vars[_RESULT])
        except Exception as error:
            self._tell(event, error)
            return False

    def _scope(self) -> Context:
        """One a thread: a new one for each event costs ten times the rule itself."""
        try:
            scope: Context = self._scopes.own
        except AttributeError:
            scope = self._scopes.own = Context(language(), _globals(), None, {})
        return scope

    def _tell(self, event: Event, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            log.warning(
                "the rule `%s` fails for event %s, and maybe for more: %s",
                self.text,
                event.event_id,
                _told(error),
            )


class Template:
    """Text with `{{ event.… }}` in it, or with other names that are given for it."""

    def __init__(self, text: str, *, names: Iterable[str] = (_GIVEN,)) -> None:
        self.text = text
        self._compiled = _compiled(text, is_condition=False, names=names)

    def render(self, event: Event, *, said_in: str = "") -> str:
        """The text for one event; raises RuleFailed.

        Said in a messenger, what it is filled with pings nobody but people by name.
        """
        return self.fill({_GIVEN: event, SAID_IN: said_in})

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text for the values of its names; raises RuleFailed."""
        language().effort.begin()
        try:
            parts = _bounded(self._compiled.generate(values))
            return _sewn(parts, values.get(SAID_IN, ""))
        except Exception as error:
            raise RuleFailed(f"`{self.text}`: {_told(error)}") from error


def _sewn(parts: Iterable[str], messenger: str) -> str:
    """As one text; no part makes a word of another's sign that pings everybody."""
    said = ""
    for part in parts:
        end = said[-2:]
        if not hushed(end + part, messenger).startswith(end + part[:1]):
            said += HUSH
        said += part
    return said


def _bounded(parts: Iterator[str]) -> Iterator[str]:
    left = MOST_CHARACTERS
    for part in parts:
        left -= len(part)
        if left < 0:
            raise TooMuch(f"it writes more than {MOST_CHARACTERS} characters")
        yield part


def _told(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep; break it up"
    if isinstance(error, SyntaxError):
        # Its line is one of the code that Jinja2 makes, not of the rule.
        return error.msg
    return f"{error}" or type(error).__name__


# ---- from text to a rule


def _compiled(
    text: str, *, is_condition: bool, names: Iterable[str] = (_GIVEN,)
) -> Any:
    """A template of Jinja2; that of a condition assigns to `result`."""
    if len(text) > LONGEST_RULE:
        raise RuleError(f"is longer than {LONGEST_RULE} characters")
    environment = language()
    environment.effort.begin()
    try:
        tree = _condition(text) if is_condition else environment.parse(text)
        _check(tree, tuple(names))
        return environment.from_string(tree)
    except TemplateSyntaxError as error:
        where = f" in line {error.lineno}" if text.strip().count("\n") else ""
        known = {"test": environment.tests, "filter": environment.filters}
        told = corrected(str(error.message), known)
        raise RuleError(f"is no rule{where}: {told}") from error
    except _FAULTS as error:
        raise RuleError(f"is no rule: {_told(error)}") from error


def _condition(text: str) -> nodes.Template:
    environment = language()
    parser = Parser(environment, text.strip(), state="variable")
    expression = parser.parse_expression()
    if not parser.stream.eos:
        surplus = parser.stream.current
        raise TemplateSyntaxError(f"unexpected {surplus.value!r}", surplus.lineno)
    target = nodes.Name(_RESULT, "store", lineno=1)
    tree = nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1)
    tree.set_environment(environment)
    return tree


def _check(tree: nodes.Template, names: Sequence[str]) -> None:
    """Names that no event has are slips of the pen, not nothing."""
    check_form(tree)
    known = {*names, *_globals()}
    for name in sorted(_undeclared(tree) - known):
        given = ", ".join(f"`{each}`" for each in names) or "no names"
        hint = _inside(name, names) or _meant(name, known) or f"a rule knows {given}"
        raise TemplateSyntaxError(f"{name!r} is unknown; {hint}", 1)
    for asked in tree.find_all(nodes.Getattr):
        kind = _kind(asked.node)
        if kind is not None and not hasattr(kind, asked.attr):
            hint = _meant(asked.attr, _parts(kind)) or f"it has {_listed(kind)}"
            name = kind.__name__.lower()
            text = f"{name!r} has no {asked.attr!r}; {hint}"
            raise TemplateSyntaxError(text, asked.lineno)


def _undeclared(tree: nodes.Template) -> set[str]:
    """As Jinja2 tells them, but for the optimizer, which it switches on for this."""
    tracked = meta.TrackingCodeGenerator(language())
    tracked.optimizer = None
    tracked.visit(tree)
    return tracked.undeclared_identifiers


def _kind(node: nodes.Node) -> type | None:
    """The class of the vocabulary that a part of a rule is of; None: nobody knows."""
    if isinstance(node, nodes.Name):
        return Event if node.name == _GIVEN else None
    if isinstance(node, nodes.Getattr):
        owner = _kind(node.node)
        return _hints(owner).get(node.attr) if owner in FIELDS else None
    return None


@cache
def _hints(owner: type) -> Mapping[str, type]:
    """The classes of the fields of a class, if they have one."""
    found = {}
    for name, hint in get_type_hints(owner).items():
        if get_origin(hint) is UnionType:
            kinds = [kind for kind in get_args(hint) if kind is not type(None)]
            hint = kinds[0] if len(kinds) == 1 else None
        if isinstance(hint, type):
            found[name] = hint
    return found


def _meant(name: str, known: Iterable[str]) -> str | None:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else None


def _inside(name: str, names: Sequence[str]) -> str | None:
    """The event has it: only the way there is missing."""
    is_part = _GIVEN in names and name in _fields(Event)
    return f"did you mean '{_GIVEN}.{name}'?" if is_part else None


def _parts(kind: type) -> Iterable[str]:
    return _fields(kind) or [name for name in dir(kind) if not name.startswith("_")]


def _listed(kind: type) -> str:
    return ", ".join(sorted(_fields(kind))[:12]) or "no parts"


def _fields(kind: type) -> frozenset[str]:
    return FIELDS.get(kind, frozenset())


def _globals() -> dict[str, Any]:
    return dict(language().globals)
