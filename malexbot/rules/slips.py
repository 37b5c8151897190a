"""What may have been meant where a rule is none: the slips that people make."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

# What Jinja2 or we say, and what to write instead; the first that fits.
_SLIPS = (
    ("unexpected '='", "`==` compares"),
    ("unexpected char '&'", "write `and`"),
    ("expected token 'name', got '|'", "write `or`"),
    ("unexpected char '!'", "write `not`"),
    ("has no 'contains'", "write `'words' in event.message.text`"),
    ("has no 'include", "write `'words' in event.message.text`"),
    ("'null' is unknown", "write `none`"),
    ("unexpected char '\"'", "a closing quote is missing"),
    ('unexpected char "\'"', "a closing quote is missing"),
    ("unexpected char '“'", "write plain quotes"),
    ("looking for the following tags", "an `{% end… %}` is missing"),
    ("unexpected end of template", "a closing bracket is missing"),
    ("unexpected '}'", "`{{` ends with `}}`"),
)
_UNNAMED = re.compile(r"No (test|filter) named '(\w+)'")


def corrected(told: str, known: Mapping[str, Collection[str]]) -> str:
    """What was told, and a hint if there is one; `known`: each test and filter."""
    if unnamed := _UNNAMED.match(told):
        kind, name = unnamed.groups()
        close = get_close_matches(name, known[kind], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return f"no {kind} {name!r} is known{hint}"
    hint = next((hint for said, hint in _SLIPS if said in told), "")
    if not hint:
        return told
    what, _, _ = told.partition(";")
    what = what.partition(". Jinja")[0].rstrip(".")
    return f"{what}; {hint}"
