"""JSON that is nested deeper than its readers go.

A post may be: its props hold thousands of levels, and nobody checks them. One such
post must not hide the page that it stands on.
"""

from __future__ import annotations

import re
from typing import Any

# Far beyond what a post needs, and within what every reader and writer can do.
MOST_LEVELS = 100
# A text as a whole, so that the brackets in it do not count. What was read of one is
# never read again: one that does not end, in what is no JSON, would take for ever.
_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def cut_off(content: bytes) -> bytes:
    """The same JSON, with null for what is nested deeper; or what is none anyhow."""
    kept, level, at = [], 0, 0
    for token in _TOKENS.finditer(content):
        if token[0] in (b"[", b"{"):
            level += 1
            if level == MOST_LEVELS + 1:
                kept += [content[at : token.start()], b"null"]
        elif token[0] in (b"]", b"}"):
            if level == MOST_LEVELS + 1:
                at = token.end()
            level -= 1
    return b"".join([*kept, content[at:]])


def shallow(value: Any, levels: int = MOST_LEVELS) -> Any:
    """The same value, with None for what is nested deeper."""
    if isinstance(value, dict | list) and levels == 0:
        return None
    if isinstance(value, dict):
        return {name: shallow(part, levels - 1) for name, part in value.items()}
    if isinstance(value, list):
        return [shallow(part, levels - 1) for part in value]
    return value
