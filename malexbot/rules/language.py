"""What Jinja2 may do in a rule: no files, no huge values, and None is nothing."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any

from jinja2 import ChainableUndefined, Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.lexer import Lexer
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from malexbot.events import (
    Button,
    Command,
    Event,
    Form,
    Message,
    Peer,
    Post,
    Reaction,
    Reply,
    User,
    hushed,
)
from malexbot.rules.bounds import MOST_TURNS, Effort, TooMuch, size
from malexbot.rules.patterns import pattern

# A rule may not ask for bigger powers.
MOST_POWER = 64
MOST_BASE = 100_000
# So many steps of a pattern cost what a rule does else with one sign: measured.
STEPS_AT_ONCE = 8


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
    for kind in (
        Event,
        Message,
        Post,
        User,
        Peer,
        Reply,
        Reaction,
        Button,
        Command,
        Form,
    )
}
_NO_FIELDS: frozenset[str] = frozenset()
# What may be done with text, a list and a map; nothing else has methods. Those that
# make text of any length from a short word are not among them.
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold count endswith find index isalnum isalpha isascii"
        " isdecimal isdigit islower isnumeric isspace istitle isupper lower lstrip"
        " partition removeprefix removesuffix replace rfind rindex rpartition rsplit"
        " rstrip split splitlines startswith strip swapcase title upper".split()
    ),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
}
_FILTERS = frozenset(
    "abs attr capitalize count d default dictsort e escape filesizeformat first float"
    " forceescape groupby int items last length list lower map max min random reject"
    " rejectattr reverse safe select selectattr sort string title trim"
    " truncate unique upper urlencode wordcount".split()
)
# What a loop goes around; a name that nobody can write.
TURNS = "turns of a loop"
# Where a text is said, if it is; a name that nobody can write.
SAID_IN = "the messenger that says it"
# The test that searches a pattern, and what its pattern writes with a back-slash; what
# Jinja2 has to read is left to it: a quote, another back-slash, a sign by its number.
MATCHING = "matching"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_READ_BY_JINJA = "'\"\\uU"


class Language(ImmutableSandboxedEnvironment):
    """Jinja2 without files, huge values and long loops, where None is nothing."""

    intercepted_binops = frozenset({"**", "*", "%"})

    def __init__(self) -> None:
        self.effort = effort = Effort()
        super().__init__(
            undefined=Nothing,
            keep_trailing_newline=True,
            finalize=self._written,
            # It works out anew, for each part of a rule, all parts within: `-` times
            # 300 took 20 s to read.
            optimized=False,
        )
        self._lexer = Spelling(self)
        self.globals = {"range": _turns, "dict": dict}
        self.tests[MATCHING] = self._matching
        self.tests["none"] = lambda value: value is None or value == _NOTHING
        known, self.filters = self.filters, {}
        for name in _FILTERS:
            self.filters[name] = effort.bounded(known[name])
        self.filters |= {
            "join": effort.joined,
            "replace": effort.replaced,
            "round": _rounded,
            TURNS: effort.turns,
        }
        self.binop_table = {"**": _power, "*": effort.times, "%": _remainder}

    @property
    def lexer(self) -> Lexer:
        return self._lexer

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in FIELDS.get(type(obj), _NO_FIELDS):
            found = getattr(obj, attribute)
        elif attribute == "replace" and isinstance(obj, str):
            found = partial(self.effort.replaced, obj)
        else:
            found = super().getattr(obj, attribute)
        return _NOTHING if found is None else found

    def getitem(self, obj: Any, argument: Any) -> Any:
        found = super().getitem(obj, argument)
        return _NOTHING if found is None else found

    def call(self, context: Context, made: Any, /, *args: Any, **named: Any) -> Any:
        """Of a method it is the text before the dot that it takes time for."""
        self.effort.spend(size(getattr(made, "__self__", None)))
        return super().call(context, made, *args, **named)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Any:
        raise SecurityError(f"a rule may not use {attribute!r}")

    def wrap_str_format(self, value: Any) -> None:
        """`format` is no exception: it pads without a limit, so it is refused."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not super().is_safe_attribute(obj, attr, value):
            return False
        if not callable(value) or isinstance(obj, Undefined | LoopContext):
            return True
        return any(
            isinstance(obj, kind) and attr in names for kind, names in _METHODS.items()
        )

    @pass_context
    def _written(self, context: Context, value: Any) -> Any:
        """What is filled in: others' words, so where it is said it pings nobody."""
        value = self.effort.shown(value)
        messenger = context.parent.get(SAID_IN)
        return hushed(str(value), messenger) if messenger else value

    def _matching(self, value: Any, wanted: str) -> bool:
        """`text is matching('^deploy')`: the pattern is found in it."""
        text = str(self.effort.shown(value))
        searched = pattern(wanted)
        self.effort.work(len(text) * (searched.steps // STEPS_AT_ONCE))
        return searched.is_in(text)


class Spelling(Lexer):
    """Reads a pattern as it is written: `'\b'` is no backspace in it."""

    def tokeniter(self, *given: Any, **named: Any) -> Iterator[tuple[int, str, str]]:
        before = ""
        for line, kind, text in super().tokeniter(*given, **named):
            if kind == "string" and before == MATCHING:
                text = _ESCAPE.sub(_kept, text)
            if kind != "whitespace" and text != "(":
                before = text
            yield line, kind, text


def _kept(escape: re.Match[str]) -> str:
    return escape[0] if escape[1] in _READ_BY_JINJA else f"\\{escape[0]}"


@cache
def language() -> Language:
    return Language()


def _turns(*bounds: int) -> range:
    turns = range(*bounds)
    if len(turns) > MOST_TURNS:
        raise TooMuch(f"more than {MOST_TURNS} turns")
    return turns


def _power(base: Any, exponent: Any) -> Any:
    if abs(exponent) > MOST_POWER or abs(base) > MOST_BASE:
        raise TooMuch("a power that big")
    return base**exponent


def _rounded(number: Any, digits: int = 0) -> Any:
    if abs(digits) > MOST_POWER:
        raise TooMuch(f"rounded to {digits} digits")
    return round(number, digits)


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        raise TooMuch("`%` is for numbers; text is put together by `~`")
    return operator.mod(left, right)
