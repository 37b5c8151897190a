"""What Jinja2 may do in a rule: no files, no huge values, and None is nothing."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import ChainableUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from malexbot.events import Button, Event, Message, Peer, Post, Reaction, Reply, User

# What a rule may build by repeating, and how often a loop may go around.
MOST_ITEMS = 100_000
MOST_TURNS = 1_000
MOST_POWER = 64


class TooMuch(ArithmeticError):
    """A rule builds more than any answer needs."""


class Nothing(ChainableUndefined):
    """What is not there; all that is made of it is nothing too."""

    __slots__ = ()

    def _nothing(self, *_: Any, **__: Any) -> Any:
        return self

    def _no(self, other: Any) -> Any:
        return False

    def _is_nothing(self, other: Any) -> bool:
        return other is None or isinstance(other, Undefined)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _nothing
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = _nothing
    __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __pos__ = _nothing
    __call__ = _nothing
    __lt__ = __le__ = __gt__ = __ge__ = _no
    __eq__ = _is_nothing
    __hash__ = ChainableUndefined.__hash__


_NOTHING = Nothing()
FIELDS: Mapping[type, frozenset[str]] = {
    kind: frozenset(kind._fields)
    for kind in (Event, Message, Post, User, Peer, Reply, Reaction, Button)
}
_NO_FIELDS: frozenset[str] = frozenset()
# Each makes text of any length from a short word.
_LONG_METHODS = frozenset(
    {"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"}
)
_LONG_FILTERS = ("center", "format", "indent")


class Language(ImmutableSandboxedEnvironment):
    """Jinja2 without files, huge values and long loops, where None is nothing."""

    intercepted_binops = frozenset({"**", "*", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=Nothing, keep_trailing_newline=True)
        self.globals = {"range": _turns, "dict": dict}
        self.tests["matching"] = _matching
        self.tests["none"] = lambda value: value is None or value == _NOTHING
        for name in _LONG_FILTERS:
            del self.filters[name]
        self.binop_table = {"**": _power, "*": _times, "%": _remainder}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in FIELDS.get(type(obj), _NO_FIELDS):
            found = getattr(obj, attribute)
        else:
            found = super().getattr(obj, attribute)
        return _NOTHING if found is None else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        found = super().getitem(obj, argument)
        return _NOTHING if found is None else found

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(f"a rule may not use {attribute!r}")

    def wrap_str_format(self, value: Any) -> None:
        """`format` is no exception: it pads without a limit, so it is refused."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr in _LONG_METHODS:
            return False
        return bool(super().is_safe_attribute(obj, attr, value))


@cache
def language() -> Language:
    return Language()


def _matching(text: Any, pattern: str) -> bool:
    """`text is matching('^deploy')`: the regular expression is found in it."""
    return re.search(pattern, str(text)) is not None


def _turns(*bounds: int) -> range:
    turns = range(*bounds)
    if len(turns) > MOST_TURNS:
        raise TooMuch(f"more than {MOST_TURNS} turns")
    return turns


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > MOST_POWER or abs(base) > MOST_ITEMS:
        raise TooMuch("a power that big")
    return base**exponent


def _times(left: Any, right: Any) -> Any:
    for many, count in ((left, right), (right, left)):
        if hasattr(many, "__len__") and len(many) * count > MOST_ITEMS:
            raise TooMuch(f"more than {MOST_ITEMS} of the same")
    return left * right


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        raise TooMuch("`%` is for numbers; text is put together by `~`")
    return operator.mod(left, right)
