"""md: one text with chapters, days and threads, for reading and for other tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from malexbot.cli.export.book import (
    Book,
    clock,
    counted,
    day,
    said,
)
from malexbot.storage.export import Kept, Place

# What means something within a line; an & only where an entity begins.
_INLINE = re.compile(r"[\\`*_\[\]<>~|$]|&(?=[#\w])")
# What means something where a line begins: headings, rules, lists.
_BEGIN = re.compile(r"[#+=-]|[0-9]{1,9}(?=[.)])")
_URL = re.compile(r"https?://[^\s<>\"'`]{1,2000}[^\s<>\"'`.,;:!?)\]]")


class Markdown:
    """A post is a quotation, a reply one within it; so no text can leave its place.

    What people wrote is escaped: it reads as they typed it, and makes no heading,
    link, table or HTML here.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._names = {s.channel_id: book.channel(s) for s in book.shares}

    def head(self) -> str:
        book = self._book
        lines = [f"# {inline(book.title)}", ""]
        lines += [f"{counted(book.posts, 'post')}, {book.span}", ""] * bool(book.posts)
        for share in book.shares if len(book.shares) > 1 else ():
            name = inline(book.channel(share))
            lines.append(f"- {name} ({counted(share.posts, 'post')})")
        return "\n".join(lines) + "\n"

    def row(self, kept: Kept, before: Place | None) -> str:
        place = kept.place
        lines: list[str] = []
        if before is None or before.channel_id != place.channel_id:
            name = self._names.get(place.channel_id, place.channel_id)
            lines += ["", f"## {inline(name)}"]
            before = None
        if before is None or day(before.began_at) != day(place.began_at):
            lines += ["", f"### {day(place.began_at)}"]
        is_new = before is None or before.thread_id != place.thread_id
        if is_new and place.is_reply:
            lines += ["", "*A thread whose beginning is not in this export:*"]
        sign = "> > " if place.is_reply else "> "
        # An empty line ends a quotation: a reply stays in that of its root.
        lines.append("" if is_new else ">")
        lines += [f"{sign}{line}".rstrip(" ") for line in self._post(kept)]
        return "\n".join(lines) + "\n"

    def tail(self, before: Place | None) -> str:
        return ""

    def _post(self, kept: Kept) -> Iterator[str]:
        post = kept.post
        text = said(post)
        yield self._by(kept) + ("\\" if text else "")
        yield from block(text)
        for file in self._book.files(kept):
            name = inline(file.name)
            told = f"[{name}]({file.link})" if file.link else name
            yield ""
            yield f"📎 {told}" + (f" ({file.size})" if file.size else "")
        if marks := list(self._book.marks(kept)):
            yield ""
            yield " · ".join(f"{inline(m.sign)} {len(m.people)}" for m in marks)
        for version in kept.versions:
            yield ""
            yield f"*Before, {clock(version.at, day(post['create_at']))}:*\\"
            yield from block(version.message)

    def _by(self, kept: Kept) -> str:
        post, began = kept.post, day(kept.place.began_at)
        told = [f"**{inline(self._book.author(post))}**"]
        told.append(clock(post["create_at"], began))
        if post["edit_at"]:
            told.append(f"*edited {clock(post['edit_at'], began)}*")
        if post["delete_at"]:
            told.append(f"*deleted {clock(post['delete_at'], began)}*")
        if link := self._book.permalink(post["id"]):
            told.append(f"[↗]({link})")
        return " · ".join(told)


def block(text: str) -> Iterator[str]:
    """Lines that stay lines, with nothing in them that Markdown acts on."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        is_last = number == len(lines) - 1 or not lines[number + 1].strip()
        yield inline(line) + ("\\" if line.strip() and not is_last else "")


def inline(text: str) -> str:
    """One line as it was typed; addresses stay links."""
    text = " ".join(text.splitlines()).expandtabs(4)
    indent = len(text) - len(text := text.lstrip())
    told, at = "", 0
    for url in _URL.finditer(text):
        told += _plain(text[at : url.start()]) + f"<{url[0]}>"
        at = url.end()
    told += _plain(text[at:].rstrip())
    return "&nbsp;" * indent + (told if indent else _begun(told))


def _begun(line: str) -> str:
    """Neither a heading nor the item of a list."""
    sign = _BEGIN.match(line)
    if sign is None:
        return line
    at = sign.end() if sign[0].isdigit() else 0
    return f"{line[:at]}\\{line[at:]}"


def _plain(text: str) -> str:
    return _INLINE.sub(r"\\\g<0>", text)
