"""The patterns of rules: regular expressions that no text can make slow.

They are RE2's, which goes through a text once and never back, so the time grows with
the text and the pattern and with nothing else. An engine that goes back, as Python's
own does, is hung by `(a+)+$` and a line of the letter a, whoever writes that line.
What cannot be had for it: looking ahead or back, and references to a group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import re2  # type: ignore[import-untyped]

# How large a pattern may be, in RE2's steps: each sign of a text costs at most so many.
# One that is as large takes 0.3 s for the longest post there can be, at worst.
MOST_STEPS = 4_000
# What RE2 may take for one pattern: to compile it, and to remember where it has been.
MOST_BYTES = 4 << 20
# Patterns that are kept; more than any configuration has.
_KEPT = 512

# RE2 knows these for ASCII only; an operator means those of every alphabet.
_WORD = r"\pL\pM\pN\p{Pc}"
_SPACE = (
    r"\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}"
    r"\x{3000}"
)
_NO_SPACE = (
    r"\x00-\x08\x0e-\x1f!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}"
    r"\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}"
    r"\x{3001}-\x{10ffff}"
)
_ALONE = {
    r"\w": f"[{_WORD}]",
    r"\W": f"[^{_WORD}]",
    r"\d": r"\p{Nd}",
    r"\D": r"\P{Nd}",
    r"\s": f"[{_SPACE}]",
    r"\S": f"[^{_SPACE}]",
}
_WITHIN = _ALONE | {r"\w": _WORD, r"\s": _SPACE, r"\S": _NO_SPACE}
# What is quoted; a set; what has a back-slash; a count without its beginning.
_PART = re.compile(
    r"\\Q.*?(?:\\E|\Z)|(\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^]\\])*+\])|\\.|\{,[0-9]+\}",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\.", re.DOTALL)

_LOOKS = "ask twice: `is matching('a') and … is not matching('b')`"
_REFERS = "it cannot refer to a group; write out what may stand there"
_BACK = "it never goes back anyway; write one `+`, `*` or `?`"
# By the beginning of what RE2 says.
_CURES = {
    "invalid perl operator: (?=": _LOOKS,
    "invalid perl operator: (?!": _LOOKS,
    "invalid perl operator: (?<": _LOOKS,
    "invalid perl operator: (?P": _REFERS,
    "invalid perl operator: (?>": _BACK,
    "invalid perl operator": "after `(?` may stand `:`, `P<name>`, or of i, m, s, U",
    "bad repetition operator": _BACK,
    "invalid repetition size": "at most 1000 times, inner times outer",
    "invalid escape sequence: \\Z": r"the end of the text is `\z`",
    **{f"invalid escape sequence: \\{digit}": _REFERS for digit in range(1, 10)},
    "invalid escape sequence": "write the sign itself",
    "pattern too large": "ask for it fewer times, or for fewer letters",
}


class PatternError(ValueError):
    """Text that is no pattern; says what to write instead, where something can be."""


class Pattern:
    """A regular expression; safe to use from many threads, and holds up none."""

    def __init__(self, text: str) -> None:
        written = _compiled(text)
        self.steps: int = written.programsize
        if self.steps > MOST_STEPS:
            raise PatternError(_with_cure("pattern too large"))
        whole = _of_every_alphabet(text)
        self._search = _compiled(whole).search
        self._whole = whole

    def is_in(self, text: str) -> bool:
        """Yes: some part of the text is as the pattern says."""
        return self._search(text.encode(errors="replace")) is not None

    @property
    def names(self) -> Sequence[str]:
        """What its groups are called."""
        return tuple(map(_plain, self._capturing.groupindex))

    def parts(self, text: str) -> Mapping[str, str] | None:
        """What its named groups found where it fits first; None: it fits nowhere."""
        found = self._capturing.search(text.encode(errors="replace"))
        if found is None:
            return None
        return {
            _plain(name): _plain(part)
            for name, part in found.groupdict().items()
            if part is not None
        }

    @cached_property
    def _capturing(self) -> re2._Regexp:
        return _compiled(self._whole, captures=True)


@lru_cache(_KEPT)
def pattern(text: str) -> Pattern:
    """The pattern of this text, compiled once; raises PatternError."""
    return Pattern(text)


def _plain(part: bytes | str) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def _compiled(text: str, *, captures: bool = False) -> re2._Regexp:
    options = re2.Options()
    options.never_capture = not captures
    options.log_errors = False
    options.max_mem = MOST_BYTES
    try:
        return re2.compile(text.encode(errors="surrogatepass"), options)
    except re2.error as error:
        raise PatternError(_with_cure(_said(error))) from error


def _said(error: Exception) -> str:
    said = error.args[0]
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _with_cure(said: str) -> str:
    cures = (cure for start, cure in _CURES.items() if said.startswith(start))
    return "; ".join([said[:60], *list(cures)[:1]])


def _of_every_alphabet(text: str) -> str:
    r"""The same pattern, where `\w` is every letter there is; RE2 has taken it once."""
    if "\b" in text:
        told = (
            r"it has a backspace in it; in YAML's double quotes `\b` is written `\\b`"
        )
        raise PatternError(told)
    return _PART.sub(lambda found: _part(found[0], found[1], text), text)


def _part(part: str, letters: str | None, text: str) -> str:
    if letters:
        if r"\W" in _ESCAPE.findall(letters):
            raise PatternError(r"within [ ] is no `\W`; write `[^\w…]` or `(\W|…)`")
        return _ESCAPE.sub(lambda found: _WITHIN.get(found[0], found[0]), letters)
    if part in (r"\b", r"\B") and _has_other_letters(text):
        told = rf"`{part}` knows a-z, 0-9 and _ only; write `(^|\W)` and `(\W|$)`"
        raise PatternError(told)
    if part.startswith("{"):
        raise PatternError(f"it has a count without a beginning; write {{0{part[1:]}")
    return _ALONE.get(part, part)


def _has_other_letters(text: str) -> bool:
    """Yes: letters or digits that RE2 takes for none where it looks for a word."""
    return any(sign.isalnum() and not sign.isascii() for sign in text)
