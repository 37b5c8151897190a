"""What people typed, as HTML: escaped, with links, code and bold words."""

from __future__ import annotations

import re
from html import escape

# Each has its bounds: a text of one sign is read as fast as any other.
_FOUND = re.compile(
    r"```[^\n`]{0,40}\n(?P<block>.*?)(?:\n?```|\Z)"
    r"|`(?P<code>[^`\n]{1,2000})`"
    r"|\[(?P<label>[^\[\]\n]{1,200})\]\((?P<target>https?://[^\s()<>\"']{1,2000})\)"
    r"|(?P<url>https?://[^\s<>\"'`]{1,2000}[^\s<>\"'`.,;:!?)\]*_])"
    r"|\*\*(?P<bold>[^*\n]{1,500})\*\*",
    re.DOTALL,
)
_LINK = '<a rel="noopener noreferrer" href="{}"{}>{}</a>'


def as_html(text: str) -> str:
    """Nothing of the text is HTML; its line breaks are for `white-space: pre-wrap`."""
    told, at = [], 0
    for found in _FOUND.finditer(text):
        told += [escape(text[at : found.start()]), _rendered(found)]
        at = found.end()
        if found["block"] is not None and text[at : at + 1] == "\n":
            at += 1
    told.append(escape(text[at:]))
    return "".join(told)


def _rendered(found: re.Match[str]) -> str:
    if found["block"] is not None:
        return f"<pre>{escape(found['block'])}</pre>"
    if found["code"] is not None:
        return f"<code>{escape(found['code'])}</code>"
    if found["url"] is not None:
        url = escape(found["url"])
        return _LINK.format(url, ' class="bare"', url)
    if found["target"] is not None:
        return _LINK.format(escape(found["target"]), "", escape(found["label"]))
    return f"<b>{escape(found['bold'])}</b>"
