"""What a handler takes beside the event and the bot, filled from what people write.

`def deploy(event, bot, stage: Literal["dev", "prod"], times: int = 1)` is given its
values by the words of a command, or by their names; pydantic reads the types.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from malexbot.plugins.refusal import Refused

_WORD = re.compile(r"""\s*(?:"([^"]*)"|“([^”]*)”|«([^»]*)»|(\S+))""")
_GIVEN = ("event", "bot")
_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Misfit(Exception):
    """What a person wrote does not fit; the name of what, and what was written."""

    def __init__(self, name: str, value: str | None = None) -> None:
        """`name` is "" for too many words, `value` None for a missing one."""
        super().__init__(name, value)
        self.name = name
        self.value = value


class Arguments(NamedTuple):
    """What is given behind the event and the bot."""

    words: Sequence[Any] = ()
    named: Mapping[str, Any] = {}


class Parameter:
    """One of them."""

    def __init__(self, parameter: inspect.Parameter, hint: Any) -> None:
        self.name = parameter.name
        self.kind = parameter.kind
        self.is_needed = parameter.default is inspect.Parameter.empty
        self.is_many = self.kind is inspect.Parameter.VAR_POSITIONAL
        self.is_rest = self.kind is inspect.Parameter.KEYWORD_ONLY
        self.default = parameter.default
        self._hint = hint
        config = ConfigDict(coerce_numbers_to_str=True) if hint is str else None
        self._type: TypeAdapter[Any] = TypeAdapter(hint, config=config)

    def read(self, value: Any) -> Any:
        """The value as its type has it; raises Misfit."""
        try:
            return self._type.validate_python(value)
        except ValidationError:
            raise Misfit(self.name, str(value)) from None

    @property
    def usage(self) -> str:
        """As people are told to write it: `stage`, `[times]`, `dev|prod`, `words …`."""
        is_choice = get_origin(self._hint) is Literal
        name = "|".join(map(str, get_args(self._hint))) if is_choice else self.name
        if self.is_many:
            return f"[{name} …]"
        name = f"{name} …" if self.is_rest else name
        return name if self.is_needed else f"[{name}]"


class Parameters:
    """All of them, in their order; raises Refused for a function that is no handler."""

    def __init__(self, function: Callable[..., Any]) -> None:
        name = getattr(function, "__name__", "a handler")
        if inspect.iscoroutinefunction(function):
            raise Refused(f"{name} is async; handlers are plain functions: take it off")
        found = list(inspect.signature(function).parameters.values())
        if len(found) < 2 or any(each.kind not in _PLAIN for each in found[:2]):
            raise Refused(f"{name} has to take (event, bot)")
        if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in found):
            raise Refused(f"{name} takes **: write what it takes by name")
        hints = _hints(function, found[2:])
        self._all = [
            _parameter(each, hints.get(each.name, Any), name) for each in found[2:]
        ]
        if sum(each.is_many or each.is_rest for each in self._all) > 1:
            raise Refused(f"{name} takes the rest of the words twice")

    @property
    def needed(self) -> Sequence[str]:
        """Those that have to be given."""
        return [each.name for each in self._all if each.is_needed and not each.is_many]

    @property
    def usage(self) -> str:
        return " ".join(each.usage for each in self._all)

    def by_words(self, text: str) -> Arguments:
        """One word each, quoted ones whole; behind a `*` all that is left."""
        words: list[Any] = []
        named: dict[str, Any] = {}
        for each in self._all:
            if each.is_many:
                words += [each.read(word) for word in _words(text)]
                text = ""
            elif each.is_rest:
                value, text = text.strip(), ""
                named[each.name] = _read(each, value or None)
            else:
                word, text = _first(text)
                words.append(_read(each, word))
        if text.strip():
            raise Misfit("", text.strip())
        return Arguments(words, named)

    def by_name(self, values: Mapping[str, Any]) -> Arguments:
        """Those of its names; what nobody takes is left."""
        named = {
            each.name: _read(each, values.get(each.name))
            for each in self._all
            if not each.is_many
        }
        return Arguments((), named)


def _read(parameter: Parameter, value: Any) -> Any:
    if value is not None:
        return parameter.read(value)
    if parameter.is_needed:
        raise Misfit(parameter.name)
    return parameter.default


def _parameter(found: inspect.Parameter, hint: Any, function: str) -> Parameter:
    try:
        return Parameter(found, hint)
    except PydanticUserError:
        told = f"{function}: nobody can read a {hint!r} for {found.name!r}"
        raise Refused(told) from None


def _hints(
    function: Callable[..., Any], found: Sequence[inspect.Parameter]
) -> Mapping[str, Any]:
    """Their types; those of event and bot may be known to type checkers only."""
    written = {
        each.name: each.annotation
        for each in found
        if each.annotation is not inspect.Parameter.empty
    }
    if not written:
        return {}
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    asked = SimpleNamespace(__annotations__=written)
    return get_type_hints(asked, globalns=namespace, include_extras=True)


def _first(text: str) -> tuple[str | None, str]:
    """The first word, and what is behind it."""
    found = _WORD.match(text)
    if found is None:
        return None, ""
    word = next(part for part in found.groups() if part is not None)
    return word, text[found.end() :]


def _words(text: str) -> Iterator[str]:
    word, text = _first(text)
    while word is not None:
        yield word
        word, text = _first(text)
